"""Where two aligned pictures differ by more than what happened to the rest of the pair explains.

The pictures are made equally sharp and equally bright, and light is taken out place by place. What remains is measured
against what remains elsewhere: noise adds the same everywhere; compression, blur and a map that is not quite exact add
the more, the stronger the edges are. So the expected energy of the remainder is n + k g, where g is the energy of the
edges, and n and k come from the pair itself, by quantiles, which a changed part of moderate size does not move.
"""

from collections.abc import Iterator
from functools import reduce
from itertools import product
from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.ndimage import binary_dilation, binary_fill_holes, find_objects, label, uniform_filter1d

from tasks.copies.proof.colours import otherwise_coloured
from tasks.copies.proof.light import blurred, equally_bright
from tasks.copies.proof.seen import shrinking
from utils.keypoints.filters import means

# pixels a side of the windows: of light, of the edges around a place, of a difference
LIGHT, WIDE, LARGE, DETAIL = 41, 21, 11, 7
TEXTURE = 4.0  # grey levels of deviation from which on a window shows something
LEAST_NOISE, LEAST_SLOPE = 0.5, 0.01  # of the expected remainder
SURE, ALSO = 70.0, 12.0  # times the expected remainder that is a difference, and down to which it reaches
REACH = 2.5  # sigmas that a blur reaches
LEAST = 60  # windows, one around each pixel, that differ; a single letter has 200
PART = 0.2  # of the energy of a window that remains where it is a difference
# the same where nothing of a strong texture is alike, whatever the rest of the pair does
UNLIKE, LEAST_ENERGY, MANY = 0.8, 60.0, 30.0
# grey levels of slope of an edge, and share of the pixels of edges that are unequal though all lie in their place
EDGE, FEW = 8.0, 0.02
FAINT = 0.5  # the same in small pictures, where noise is averaged out
SMALL = 64  # pixels a side of the pictures that are compared coarsely
TOGETHER = 8  # pixels between parts of one difference
GREY = np.array([0.299, 0.587, 0.114], "float32")


class Differences(NamedTuple):
    """What differs in a frame.

    Attributes:
        boxes: (left, top, right, bottom) in pixels of the frame, the most different first.
        weights: of each box, the share that it has of all that differs.
        share: of what both show, the share that differs.
        agree: mean correlation of the windows that show something, in proportion to what they show; 0..1.
        textured: share of the windows that show something.
        coarse: how well small versions of both agree, without the places that differ; 0..1. Noise and compression leave
            it near 1.
        faint: the same with what is hardly seen, as in a dark photo, so that no mark on it speaks for all of it.
        ratio: (H, W), how many times more remains at a place than is expected; 0 where both are alike.
    """

    boxes: list[tuple[int, int, int, int]]
    weights: list[float]
    share: float
    agree: float
    textured: float
    coarse: float
    faint: float
    ratio: np.ndarray


def differences(a: np.ndarray, b: np.ndarray, inside: np.ndarray, sigma: float, slack: int = 0) -> Differences:
    """Looks at a frame as both pictures show it.

    Args:
        a, b: (H, W, C) float32, 0..255.
        inside: (H, W) bool, where both have pixels.
        sigma: the blur between them, see `tasks.copies.proof.light.equally_sharp`.
        slack: pixels by which each part of a may lie beside its place in b.
    """
    planes = [np.ascontiguousarray(np.moveaxis(values, -1, 0)) for values in (a, b)]
    sharp = [*map(blurred, planes, (-sigma, sigma))]
    a, b = (grey(values) for values in equally_bright(*sharp, inside))
    # a blur mixes the rim with what lies beyond
    inside = inside & (share(inside, 2 * round(REACH * abs(sigma)) + 3) > 0.999)
    tinted = otherwise_coloured(*sharp, inside) if len(planes[0]) == 3 else None
    both, mask = (a, b), inside.astype("float32")
    known = share(inside, LIGHT) + 1e-6
    a, b = ((values - means(values * mask, LIGHT) / known) * mask for values in (a, b))
    agree, textured, aa, bb = agreement(a, b, known, inside & (known > 0.15), LIGHT)
    gain = np.clip(np.sqrt((bb + 4) / (aa + 4)), 0.7, 1.4) ** 0.5
    a, b = a * gain, b / gain
    near = share(inside, DETAIL) + 1e-6
    ok = inside & (near > 0.6) & (known > 0.15)
    # a strong change moves the light of what lies around it, where both were alike before
    remaining = reduce(np.minimum, (means(np.minimum((b - there) ** 2, (both[1] - lit) ** 2 * mask), DETAIL)
                                    for there, lit in shifted((a, both[0]), slack))) / near
    mean = (a + b) / 2
    down, right = (np.gradient(mean, axis=axis) if mean.shape[axis] > 1 else np.zeros_like(mean) for axis in (0, 1))
    slopes = (down * down + right * right) * mask
    edges = ok & (slopes > EDGE**2)
    slopes = np.maximum(means(slopes, DETAIL) / near, means(slopes, WIDE) / (share(inside, WIDE) + 1e-6))
    unequal = (np.abs(planes[0] - planes[1]) > 0.5).any(0)
    exact = unequal[edges].sum() < FEW * edges.sum()
    noise, slope = expected(remaining[ok], slopes[ok], LEAST_SLOPE / 10 if exact else LEAST_SLOPE)
    ratio, expectation = np.zeros(ok.shape, "float32"), noise + slope * slopes
    somewhere = ok & ((remaining > ALSO * expectation) | (remaining > UNLIKE * (LEAST_ENERGY + MANY * noise)))
    if somewhere.any():
        part = around(somewhere, LARGE)
        ratio[part] = times(*(values[part] for values in (a, b, ok, near, remaining, expectation)), noise)
        # where both have the same pixels, nothing differs, whatever the tones of the pair are matched by
        ratio[part] *= means(unequal[part].astype("float32"), DETAIL) >= 1e-6
    if tinted is not None:
        ratio = np.maximum(ratio, np.where(ok & tinted, SURE + 1, 0))
    boxes, weights, differing = boxes_of(ratio, remaining, LEAST // 3 if exact else LEAST)
    rests = [inside & ~part for part in surroundings(differing)] if boxes else [inside]
    coarse, faint = np.max([coarsely(*both, rest) for rest in rests], axis=0).tolist()
    return Differences(boxes, weights, float((differing & ok).sum() / max(1, ok.sum())), agree, textured, coarse,
                       faint, ratio)


def shifted(planes: tuple[np.ndarray, ...], slack: int) -> Iterator[list[np.ndarray]]:
    """Planes (H, W) moved by each number of pixels up to `slack` in x and in y; their rim is repeated."""
    height, width = planes[0].shape
    padded = [np.pad(values, slack, mode="edge") for values in planes]
    for down, right in product(range(2 * slack + 1), repeat=2):
        yield [values[down : down + height, right : right + width] for values in padded]


def surroundings(differing: np.ndarray) -> list[np.ndarray]:
    """What differs (H, W) with what lies close to it, and the same with what lies within it: of an even thing in
    another tone only the rim was found."""
    close = binary_dilation(differing, iterations=DETAIL)
    filled = binary_fill_holes(close)
    return [close] if filled.sum() == close.sum() else [close, filled]


def around(mask: np.ndarray, rim: int) -> tuple[slice, slice]:
    """Rows and columns of the part of a mask (H, W) that holds all that is true, and a rim around it."""
    ends = [np.flatnonzero(mask.any(axis))[[0, -1]] for axis in (1, 0)]
    return tuple(slice(max(0, first - rim), last + 1 + rim) for first, last in ends)


def times(a: np.ndarray, b: np.ndarray, ok: np.ndarray, near: np.ndarray, remaining: np.ndarray,
          expectation: np.ndarray, noise: float) -> np.ndarray:
    """How many times more remains than is expected (H, W), where a good part of what is shown does: 0 elsewhere."""
    energy = sum(means(values * values, DETAIL) / near - (means(values, DETAIL) / near) ** 2 for values in (a, b))
    part = remaining / (energy + 2 * noise)
    ratio = np.where(ok & (part > PART), remaining / expectation, 0)
    other = ok & (part > UNLIKE) & (energy > LEAST_ENERGY + MANY * noise)
    return np.maximum(ratio, np.where(other & (means(other.astype("float32"), LARGE) > 0.6), SURE + 1, 0))


def coarsely(a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> tuple[float, float]:
    """How well grey pictures (H, W) agree when they are `SMALL` pixels wide and high: by what is clearly seen, and by
    what is faint too."""
    factor = shrinking(a.shape, SMALL)
    size = [max(1, round(factor * length)) for length in a.shape[::-1]]
    mask = inside.astype("float32")
    known, *values = (np.asarray(Image.fromarray(found).resize(size, Image.Resampling.BOX))
                       for found in (mask, a * mask, b * mask))
    a, b = (found / np.maximum(known, 1e-3) for found in values)
    return tuple(correlation(a, b, known > 0.5, noise=0.05, texture=least)[0] for least in (TEXTURE, FAINT))


def correlation(a: np.ndarray, b: np.ndarray, inside: np.ndarray, side: int = 15,
                noise: float = 1.0, texture: float = TEXTURE) -> tuple[float, float]:
    """How well grey pictures (H, W) agree, and the share of them that shows something: see `Differences`."""
    mask, known = inside.astype("float32"), share(inside, side) + 1e-6
    a, b = ((values - means(values * mask, side) / known) * mask for values in (a, b))
    return agreement(a, b, known, inside & (known > 0.3), side, noise, texture)[:2]


def agreement(a, b, known, ok, side, noise=1.0, texture=TEXTURE):
    """The same for pictures without their light, and their energies (H, W) in windows of `side` pixels."""
    aa, bb, ab = (np.maximum(means(values, side) / known, 0) for values in (a * a, b * b, a * b))
    shown = np.sqrt(np.maximum(aa, bb)) * ok
    shown *= shown > texture
    alike = np.minimum(ab / np.sqrt((aa + noise) * (bb + noise)), 1)
    return float((shown * alike).sum() / max(shown.sum(), 1e-6)), float((shown > 0).sum() / max(1, ok.sum())), aa, bb


def grey(values: np.ndarray) -> np.ndarray:
    """(H, W) of planes (1 or 3, H, W)."""
    return np.tensordot(GREY, values, 1) if len(values) == 3 else values[0]


def share(mask: np.ndarray, side: int) -> np.ndarray:
    """The share of windows of `side` pixels that lies in a mask (H, W)."""
    rows, columns = mask.any(1), mask.any(0)
    if not np.array_equal(mask, rows[:, None] & columns):
        return means(mask.astype("float32"), side)
    down, across = (uniform_filter1d(side_of.astype("float32"), side, mode="constant") for side_of in (rows, columns))
    return down[:, None] * across


def expected(remaining: np.ndarray, slopes: np.ndarray, least: float = LEAST_SLOPE) -> tuple[float, float]:
    """Noise, and the share of the edges' energy that remains, on the whole; that share is `least` at least."""
    remaining, slopes = remaining[::5], slopes[::5]
    if len(remaining) < 20:
        return LEAST_NOISE, least
    flat = slopes <= max(np.quantile(slopes, 0.2), 2.0)
    noise = max(float(np.median(remaining[flat])), LEAST_NOISE)
    rich = slopes >= max(np.quantile(slopes, 0.6), 2 * noise)
    slope = float(np.quantile(np.maximum(remaining[rich] - noise, 0) / slopes[rich], 0.7)) if rich.sum() > 20 else 0.0
    return noise, max(slope, least)


def boxes_of(ratio: np.ndarray, remaining: np.ndarray, least: int) -> tuple[list[tuple[int, int, int, int]],
                                                                             list[float], np.ndarray]:
    """Boxes, weights and the mask (H, W) of differences: `least` connected windows above `ALSO` that are above `SURE`
    somewhere."""
    found, mask = [], np.zeros(ratio.shape, bool)
    if not (ratio > SURE).any():
        return [], [], mask
    parts, _ = label(binary_dilation(ratio > ALSO, iterations=TOGETHER))
    for number, (rows, columns) in enumerate(find_objects(parts), start=1):
        here = parts[rows, columns] == number
        values = np.where(here, ratio[rows, columns], 0)
        if values.max() <= SURE:
            continue
        core = values > ALSO
        if core.sum() < least:
            continue
        mask[rows, columns] |= core
        ys, xs = (np.flatnonzero(core.any(axis)) for axis in (1, 0))
        rim = DETAIL // 2  # a window is larger than what it found
        left, top, right, bottom = xs[0] + rim, ys[0] + rim, xs[-1] + 1 - rim, ys[-1] + 1 - rim
        corners = (columns.start + min(left, right - 2), rows.start + min(top, bottom - 2), columns.start + right,
                   rows.start + bottom)
        found.append((float(remaining[rows, columns][core].sum()), tuple(int(max(0, at)) for at in corners)))
    found.sort(reverse=True)
    total = sum(weight for weight, _ in found) or 1.0
    return [corners for _, corners in found], [weight / total for weight, _ in found], mask
