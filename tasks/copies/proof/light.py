"""Two aligned pictures made equally sharp and equally bright, so that what still differs is another thing that they
show."""

from functools import cached_property

import numpy as np
from scipy.ndimage import median_filter
from scipy.stats import theilslopes

from utils.keypoints import filters

TILE, TILES = 96, 6  # pixels a side of the parts on which sharpness is compared, and how many there are
BLURS = (0.6, 0.9, 1.3, 1.9, 2.7, 3.8, 5.0)  # sigmas in pixels that are tried, until none is better
LEAST_BLUR, HALVINGS = 0.15, 3  # the least sigma, and how often the steps between them are halved
GAIN = 0.97  # of what remained, at most, so that a blur is believed in
TONES, FEW = 64, 12  # steps of a tone curve, and pixels that a step needs
SAMPLES, LEAST_SAMPLES = 10_000, 200  # pixels that a tone curve is made of
ROUNDS = 6  # of the fit of a line
SMOOTH = 11  # steps over which a tone curve is smooth; a flat sign takes fewer
FINE = 8  # parts of a grey level by which a tone curve is looked up
# how far apart a tone lies, in shares of the picture, and grey levels by which the way back may miss it
WIDE, BACK = 0.1, 10.0
FLAT = 0.02  # slope of a line under which nothing is left
CURVED = 1.5  # grey levels by which medians lie beside a line, so that a curve is believed in


def equally_sharp(a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> float:
    """The blur under which textured parts of grey pictures agree best: sigma in pixels, below 0: of a, above 0: of b.

    Args:
        a, b: (H, W).
        inside: (H, W) bool, where both have pixels.
    """
    parts = textured(a, inside)
    return blur_between(*(np.stack([values[part] for part in parts]) for values in (a, b))) if parts else 0.0


def blur_between(x: np.ndarray, y: np.ndarray) -> float:
    """The same of tiles (T, H, W) of both."""
    known = {sigma: remaining(x, y, sigma) for sigma in (-BLURS[0], 0.0, BLURS[0])}
    if best := min(known, key=known.get):
        for sigma in np.sign(best) * np.array(BLURS[1:]):
            known[sigma] = remaining(x, y, sigma)
            if known[sigma] > min(known.values()):
                break
    for _ in range(HALVINGS):
        sigmas = sorted(known)
        at = sigmas.index(min(known, key=known.get))
        for low, high in zip(sigmas[max(0, at - 1) : at + 1], sigmas[max(1, at) : at + 2]):
            if (low + high) / 2 not in known:
                known[(low + high) / 2] = remaining(x, y, (low + high) / 2)
    best = min(known, key=known.get)
    return float(best) if abs(best) >= LEAST_BLUR and known[best] < GAIN * known[0.0] else 0.0


def remaining(x: np.ndarray, y: np.ndarray, sigma: float) -> float:
    """1 - correlation of tiles (T, H, W) of both after a blur, without the two that agree least."""
    x, y = (blurred(values, blur)[:, 8:-8, 8:-8].reshape(len(values), -1) for values, blur in ((x, -sigma), (y, sigma)))
    x, y = (values - values.mean(1, keepdims=True) for values in (x, y))
    xx, yy, xy = (np.einsum("tp,tp->t", *both) for both in ((x, x), (y, y), (x, y)))
    found = np.sort(1 - xy / np.sqrt(xx * yy + 1e-6))
    return float(found[: max(1, len(found) - 2)].mean())


def blurred(values: np.ndarray, sigma: float) -> np.ndarray:
    """Planes ([C,] H, W) with a Gaussian blur; as they are where sigma is not above 0."""
    return filters.blurred(values, sigma, truncate=3) if sigma > 0 else values


def textured(values: np.ndarray, inside: np.ndarray) -> list[tuple[slice, slice]]:
    """The tiles of a picture (H, W) that vary most."""
    height, width = values.shape
    side = min(TILE, height, width)
    if side < 24:
        return []
    found = []
    for y in np.unique(np.linspace(0, height - side, 6).astype(int)):
        for x in np.unique(np.linspace(0, width - side, 6).astype(int)):
            part = slice(y, y + side), slice(x, x + side)
            if inside[part][::4, ::4].mean() > 0.95:
                found.append((-float(values[part][::2, ::2].std()), y, x, part))
    return [part for *_, part in sorted(found, key=lambda row: row[:3])[:TILES]]


def equally_bright(a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pictures, one of them with the tones of the other, channel by channel, in the direction that loses less.

    Where light was cut off in one of them, it is cut off in the other one too. A changed part moves no median.

    Args:
        a, b: (C, H, W).
    """
    rows = np.flatnonzero(inside)
    rows = rows[:: max(1, len(rows) // SAMPLES)]
    if len(rows) < LEAST_SAMPLES:
        return a, b
    x, y = (values.reshape(len(values), -1)[:, rows] for values in (a, b))  # (C, S)
    at = np.stack(np.unravel_index(rows, inside.shape)) / np.reshape(inside.shape, (2, 1))
    forth, back = ([Tones(u, v, at) for u, v in zip(of, to, strict=True)] for of, to in ((x, y), (y, x)))
    for tones, other in zip(forth, back):
        tones.believe(other)
    if sum(tones.misfit for tones in forth) <= sum(tones.misfit for tones in back):
        return np.stack([tones.of(plane) for tones, plane in zip(forth, a)]), b
    return a, np.stack([tones.of(plane) for tones, plane in zip(back, b)])


class Tones:
    """The tones that x (S,) has in y (S,): a line, and what medians say beside it.

    Args:
        at: where in the picture, (2, S) in shares of its sides.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, at: np.ndarray | None = None):
        self.x, self.y = x.astype(float), y.astype(float)
        self.slope, self.offset = line(self.x, self.y) if x.std() > 1 else (1.0, float(np.median(self.y - self.x)))
        step = np.clip((self.x * (TONES / 256)).astype(int), 0, TONES - 1)
        counts = np.bincount(step, minlength=TONES)
        few = counts < FEW
        step[few[step]] = TONES  # what has too few pixels to say anything
        beside = self.y - self.lit(self.x)
        middle = medians(beside, step, TONES + 1)
        spread = medians(np.abs(beside - middle[step]), step, TONES + 1)[:TONES][~few]
        self.at = (np.bincount(step, self.x, TONES + 1)[:TONES] / np.maximum(counts, 1))[~few]
        # what lies under a text varies
        self.moved = np.where(np.abs(middle[:TONES][~few]) > np.maximum(CURVED, spread), middle[:TONES][~few], 0)
        # light moves neighbouring tones alike, a flat sign does not
        self.moved = smooth(self.at, self.moved)
        if at is not None and len(self.at) <= SMOOTH:  # each may be a sign of its own, but for those found far apart
            wide = [at[:, step == tone].std(axis=1).max() > WIDE for tone in np.flatnonzero(~few)]
            self.moved = np.where(wide, self.moved, 0)

    def lit(self, values: np.ndarray) -> np.ndarray:
        """Values with more or less light, which is cut off at black and white."""
        return np.clip(self.slope * values + self.offset, 0, 255).astype("float32")

    @cached_property
    def misfit(self) -> float:
        """How far y lies from it, in deviations of y; infinite where nothing is left of x."""
        return np.inf if self.slope < FLAT else float(np.abs(self.of(self.x) - self.y).mean() / (self.y.std() + 1))

    def believe(self, back: "Tones") -> None:
        """Leaves of both curves, this one and that of y in x, where they are made of a few tones, what leads there and
        back: of signs of one colour that have two in y, light made neither."""
        if max(len(self.at), len(back.at)) <= SMOOTH:
            kept = [np.abs(other.of(one.of(one.at)) - one.at) < BACK for one, other in ((self, back), (back, self))]
            self.moved, back.moved = (np.where(keep, one.moved, 0) for keep, one in zip(kept, (self, back)))

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values with the tones of y."""
        lit = self.lit(values)
        if not self.moved.any():
            return lit
        curve = np.interp(np.arange(256 * FINE) / FINE, self.at, self.moved).astype("float32")
        return lit + curve[np.clip(values * FINE + 0.5, 0, len(curve) - 1).astype("int32")]


def smooth(at: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """The medians of `SMOOTH` neighbours, (T,). Both ends go on as their neighbours do, so that black or white that was
    laid over a part, which is the first or the last tone, is no light either."""
    if len(at) < 2:
        return moved
    rim, ends = SMOOTH // 2, []
    for near, end in ((slice(SMOOTH), 0), (slice(-SMOOTH, None), -1)):
        slope, offset = theilslopes(moved[near], at[near])[:2]
        beyond = at[end] + np.arange(1, rim + 1) * (256 / TONES) * (1 if end else -1)
        ends.append(slope * beyond + offset)
    whole = np.concatenate([ends[0][::-1], moved, ends[1]])
    return median_filter(whole, SMOOTH)[rim:-rim]


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and offset of the line through most points; those beside it count less and less."""
    weight = np.ones(len(x))
    for _ in range(ROUNDS):
        weight *= weight / (weight @ weight)
        x_mean, y_mean = weight @ x, weight @ y
        apart = x - x_mean
        slope = float((weight * apart) @ y / ((weight * apart) @ apart))
        offset = float(y_mean - slope * x_mean)
        beside = np.abs(slope * x + offset - y)
        weight = 1 / (1 + beside / (2 * np.median(beside) + 0.5))
    return slope, offset


def medians(values: np.ndarray, group: np.ndarray, count: int) -> np.ndarray:
    """The median of the values (N,) of each group 0..count - 1; 0 where it is empty."""
    low, width = values.min(), np.ptp(values) + 1
    ordered = np.sort(group * width + (values - low))
    sizes = np.bincount(group, minlength=count)
    first = np.cumsum(sizes) - sizes
    middle = (ordered[np.minimum(first + np.maximum(sizes - 1, 0) // 2, len(values) - 1)]
              + ordered[np.minimum(first + sizes // 2, len(values) - 1)]) / 2
    return np.where(sizes > 0, middle - np.arange(count) * width + low, 0)
