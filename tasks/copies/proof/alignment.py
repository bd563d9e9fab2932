"""How one picture lies in another: the affine map of the first onto the second that makes them agree, whatever light
and colours do.

Two ways, the quick one first. Whole onto whole: each of the eight turns and mirrorings is tried on thumbnails, and the
best are made exact by Gauss-Newton steps over growing pictures, in which gain and offset of the light are solved for
with the map (as Evangelidis and Psarakis 2008 do). Key points: SIFT of both, RANSAC with an affine map, and the same
steps after it; this finds crops, borders, screenshots and turns by any angle.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image
from scipy.ndimage import label, map_coordinates, uniform_filter

from tasks.copies.proof.differences import correlation
from tasks.copies.proof.seen import POINTS_SIDE, TINY, Frame, Seen
from utils.keypoints import geometry
from utils.keypoints.matching import chosen, nearest

# pixels a side of the pictures over which a map becomes exact and is compared; of the map that is chosen, also the last
LEVELS, LAST = (64, 256), 512
STEPS, STILL = 10, 0.03  # of Gauss-Newton at each level; pixels of a step after which no other follows
FAR = 0.15  # of the side that a step may move the map at most
DRAWN = 256  # pixels a side up to which b is drawn whole for each step
LIKELY = 0.3  # agreement at the first level, so that a map is looked at closely; those of copies reach .6
USED = 5_000  # pixels that a step looks at: those of the strongest edges
HOPEFUL = 0.5  # least correlation of thumbnails, so that a turn is looked at
RATIO = 0.85  # of the nearest to the second nearest descriptor, see `utils.keypoints.matching`
NEAR = 4.0  # pixels that a match may lie beside its map, in the picture in which key points are sought
LEAST_POINTS = 6  # matches that must agree with a map
ROUNDS = 2000  # of RANSAC at most
STRETCH, ENLARGED = 2.2, 20.0  # greatest ratio of both scales of a map, and greatest scale
# grey levels of deviation up to which a part of a picture shows nothing, in all of it and in windows of so many pixels
EVEN, STROKES, STROKE = 4.0, 8.0, 5
LEAST_SHARE = 0.03  # of a picture that must lie in the other one


def maps(a: Seen, b: Seen, keypoints: bool = True, mirrored: bool = True) -> Iterator[np.ndarray]:
    """Maps (3, 3) of pixels of a to pixels of b under which they may agree, the likeliest first.

    Args:
        keypoints: whether to look for crops and other parts, which takes some 60 ms for each picture.
        mirrored: whether one may be the mirror image of the other.
    """
    for guess in whole(a, b, mirrored=mirrored):
        yield guess  # a part that was written on may lead the steps astray
        if (found := refined(a, b, guess)) is not None:
            yield found
    for mirror in (False, True)[: 1 + mirrored] if keypoints else ():
        guess = by_keypoints(a, b, mirror)
        if guess is not None and (found := refined(a, b, guess, LEVELS[1:])) is not None:
            yield found


def whole(a: Seen, b: Seen, most: int = 2, mirrored: bool = True) -> list[np.ndarray]:
    """Maps of the whole of a onto the whole of b, turned and, where they may be, mirrored as their thumbnails agree
    best."""
    found = []
    for number in range(8 if mirrored else 4):
        mirror, turns = divmod(number, 4)
        score = float((a.thumbnail * np.rot90(b.thumbnail[:, ::-1] if mirror else b.thumbnail, turns)).sum())
        if score > HOPEFUL:
            found.append((score, -number, symmetry(a, b, bool(mirror), turns)))
    return [matrix for _, _, matrix in sorted(found, key=lambda row: row[:2], reverse=True)[:most]]


def symmetry(a: Seen, b: Seen, mirror: bool, turns: int) -> np.ndarray:
    """The map of the whole of a onto the whole of b, where b fits when it is mirrored and then turned `turns` quarters
    against the clock."""
    square = np.eye(3)
    for _ in range(turns):  # as np.rot90: the value at (x, y) comes from (1 - y, x)
        square = np.array([[0, -1, 1], [1, 0, 0], [0, 0, 1.0]]) @ square
    if mirror:
        square = np.array([[-1, 0, 1], [0, 1, 0], [0, 0, 1.0]]) @ square
    return np.diag([*b.picture.size, 1.0]) @ square @ np.diag([1 / a.picture.width, 1 / a.picture.height, 1.0])


def by_keypoints(a: Seen, b: Seen, mirror: bool) -> np.ndarray | None:
    """The affine map that most key points agree with."""
    (left, described), (right, others) = a.keypoints, b.mirrored if mirror else b.keypoints
    if min(len(left), len(right)) < LEAST_POINTS:
        return None
    forth, back = (chosen(side, RATIO) for side in nearest(described, others))
    rows = np.unique(np.concatenate([forth, back[:, ::-1]]), axis=0)
    left, right = left[rows[:, 0]], right[rows[:, 1]]
    if len(left) < LEAST_POINTS:
        return None
    flip = np.diag([-1.0 if mirror else 1.0, 1, 1])  # RANSAC refuses maps that mirror
    tolerance = NEAR * max(1.0, max(b.picture.size) / POINTS_SIDE)
    found = geometry.ransac(left, right @ flip[:2, :2], "affine", tolerance, rounds=ROUNDS)
    return flip @ found.matrix if found.matrix is not None and found.inliers.sum() >= LEAST_POINTS else None


def is_copying(matrix: np.ndarray, a: Seen, b: Seen) -> bool:
    """Whether a map is one that copying makes: a scale, a turn, a moderate stretch, and a good part of both pictures
    stays."""
    if not np.isfinite(matrix).all():
        return False
    large, small = np.linalg.svd(matrix[:2, :2], compute_uv=False)
    if small < 1 / ENLARGED or large > ENLARGED or large > STRETCH * small:
        return False
    return min(shares(matrix, a, b)) > LEAST_SHARE


def shares(matrix: np.ndarray, a: Seen, b: Seen) -> tuple[float, float]:
    """Which share of a lies in b, and of b in a."""
    ticks = (np.arange(TINY) + 0.5) / TINY
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    forth = geometry.transfer(matrix, grid * a.picture.size) / b.picture.size
    back = geometry.transfer(np.linalg.inv(matrix), grid * b.picture.size) / a.picture.size
    return tuple(float(((at >= 0) & (at <= 1)).all(1).mean()) for at in (forth, back))


def is_held(a: Seen, b: Seen, matrix: np.ndarray, edge: float) -> bool:
    """Whether b shows all that a shows: what of a lies outside of b, or where b has filled corners, is a border of one
    colour, or hardly wider than `edge` pixels of the larger."""
    sides = beyond(matrix, a.grey.size, b.grey.size, edge)
    if b.filled:
        drawn = b.filled.transform(a.grey.size, Image.Transform.AFFINE, matrix[:2].ravel(), fillcolor=255)
        parts, count = label(np.asarray(drawn) < 128)
        sides += [parts == number for number in range(1, count + 1)]
    if np.any(sides, axis=0).mean() < 0.002:
        return True
    values = np.asarray(a.picture, "float32")
    return all(is_even(values, side) for side in sides if side.sum() > 16)


def is_even(values: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part (H, W) bool of a picture (H, W, 3) has one colour, without a word in it."""
    if values[part].std(0).max() >= EVEN:
        return False
    apart = np.abs(values - np.median(values[part], axis=0)).max(-1)
    return uniform_filter(np.where(part, apart, 0), STROKE).max() < STROKES


def beyond(matrix: np.ndarray, size: tuple[int, int], of: tuple[int, int], edge: float) -> list[np.ndarray]:
    """Which pixels of a picture of `size` a map brings more than `edge` pixels beyond each side of one of the size
    `of`: left, right, top, bottom, (H, W) bool each."""
    x, y = np.arange(size[0]) + 0.5, (np.arange(size[1]) + 0.5)[:, None]
    at = [(row[0] * x + row[1] * y + row[2]) / length for row, length in zip(matrix[:2], of, strict=True)]
    return [side for value, length in zip(at, of) for side in (value < -edge / length, value > 1 + edge / length)]


def refined(a: Seen, b: Seen, matrix: np.ndarray, levels: tuple[int, ...] = LEVELS) -> np.ndarray | None:
    """The map made exact, None where it is none that copying makes, or where small pictures do not agree under it."""
    done = 0
    for side in levels:
        if not is_copying(matrix, a, b):
            return None
        if side > LEVELS[0] and agreement(a, b, matrix, LEVELS[:1]) < LIKELY:
            return None
        frame = Frame(a, b, matrix, side)
        if max(frame.size) > done:  # otherwise no finer picture is left
            matrix = steps(frame, matrix)
        done = max(frame.size)
    return matrix if is_copying(matrix, a, b) else None


def agreement(a: Seen, b: Seen, matrix: np.ndarray, levels: tuple[int, ...] = LEVELS) -> float:
    """How well both agree under a map, looked at roughly; finer pictures are spared where small ones do not agree."""
    agree = 0.0
    for side in levels:
        frame = Frame(a, b, matrix, side)
        agree = correlation(frame.of_a(a.grey), frame.of_b(b.grey, matrix), frame.inside(matrix))[0]
        if agree < LIKELY:
            break
    return agree


def steps(frame: Frame, matrix: np.ndarray) -> np.ndarray:
    """The map after Gauss-Newton steps on a frame.

    Each step solves gain * b(map(x)) + offset = a(x) for the map, gain and offset at once; pixels that agree least
    count least.
    """
    ax, small, side = frame.of_a(frame.a.grey), frame.small_b(frame.b.grey), max(frame.size)
    if min(ax.shape) < 4:
        return matrix
    current = frame.into_b @ matrix @ frame.into_a  # pixels of the frame -> pixels of the smaller b
    rows, columns = edges(ax)
    points = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))])
    target, shares = ax[rows, columns].astype(float), points / [[side], [side], [1]]
    look = Drawn(small, frame.size) if side <= DRAWN else Sampled(small)
    for _ in range(STEPS):
        at = current @ points
        inside = np.flatnonzero(((at[:2] > 1) & (at[:2] < np.subtract(small.size, 1)[:, None])).all(0))
        if len(inside) < 64:
            break
        move = step(target[inside], look(current, points[:, inside]), shares[:, inside])
        if move is None:
            break
        move[:, :2] /= side
        shift = np.abs(move @ [[0, frame.size[0]] * 2, [0, 0, *[frame.size[1]] * 2], [1] * 4]).max()
        if shift > FAR * side:
            break
        current = current @ (np.vstack([move, [0, 0, 0]]) + np.eye(3))
        if shift < STILL:
            break
    return np.linalg.inv(frame.into_b) @ current @ np.linalg.inv(frame.into_a)


def edges(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the pixels with the strongest edges, `USED` at most, none of them at the rim."""
    strength = np.abs(values[1:-1, 2:] - values[1:-1, :-2]) + np.abs(values[2:, 1:-1] - values[:-2, 1:-1])
    count = min(USED, strength.size)
    rows, columns = np.unravel_index(np.sort(np.argpartition(-strength.ravel(), count - 1)[:count]), strength.shape)
    return rows + 1, columns + 1


class Drawn:
    """What a picture shows through a map, as it is drawn whole: cubic, and quick where it is small.

    Args:
        size: of the frame.
    """

    def __init__(self, picture: Image.Image, size: tuple[int, int]):
        self.picture, self.size = picture, size

    def __call__(self, matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Value, slope along x and slope along y (3, P) in the frame at points (3, P) that lie on pixels."""
        drawn = self.picture.transform(self.size, Image.Transform.AFFINE, matrix[:2].ravel(), Image.Resampling.BICUBIC)
        flat, width = np.asarray(drawn).ravel(), self.size[0]
        at = points[1].astype(int) * width + points[0].astype(int)
        value, right, left, below, above = flat[at + [[0], [1], [-1], [width], [-width]]].astype(float)
        return np.stack([value, (right - left) / 2, (below - above) / 2])


class Sampled:
    """The same at single points, of a picture and its slopes: quicker where the picture is large."""

    def __init__(self, picture: Image.Image):
        self.values = np.asarray(picture, "float32")
        self.slopes = np.gradient(self.values)[::-1]

    def __call__(self, matrix: np.ndarray, points: np.ndarray) -> np.ndarray:
        """As that of `Drawn`."""
        at = (matrix @ points)[1::-1] - 0.5
        # a quadratic B-spline is as soft between pixels as on them
        value = map_coordinates(self.values, at, order=2, prefilter=False, mode="nearest")
        slopes = [map_coordinates(values, at, order=1, mode="nearest") for values in self.slopes]
        return np.stack([value, *(matrix[:2, :2].T @ slopes)])


def step(target: np.ndarray, shown: np.ndarray, shares: np.ndarray) -> np.ndarray | None:
    """How the map moves, (2, 3) in pixels for points given as shares of the side; None where b shows nothing of a.

    Args:
        target: (P,), what a shows at the points.
        shown: (3, P), what b shows there and its slopes along x and y.
        shares: (3, P), the points as shares of the side.
    """
    gain, offset = line(shown[0], target)
    if abs(gain) < 0.05:
        return None
    error = target - gain * shown[0] - offset
    weight = 1 / (1 + (error / (2 * np.median(np.abs(error)) + 0.5)) ** 2)
    made = np.vstack([shown[:1], np.ones((1, len(target))), shown[1] * shares, shown[2] * shares])
    weighted = made * weight
    normal = weighted @ made.T
    normal[np.diag_indices(8)] += 1e-4 * np.maximum(np.diag(normal), 1e-3 * len(target))
    return np.linalg.solve(normal, weighted @ error)[2:].reshape(2, 3) / gain


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Gain and offset of the line through points; gain 0 where x does not vary."""
    x_mean, y_mean = x.mean(), y.mean()
    apart = x - x_mean
    variance = float(apart @ apart) / len(x)
    gain = float(apart @ (y - y_mean)) / len(x) / variance if variance > 1e-6 else 0.0
    return gain, float(y_mean - gain * x_mean)
