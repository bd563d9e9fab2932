"""How one picture lies in another: the affine map of the first onto the second that makes them agree, whatever light
and colours do.

Two ways, the quick one first. Whole onto whole: each of the eight turns and mirrorings is tried on thumbnails, and the
best are made exact by Gauss-Newton steps over growing pictures, in which gain and offset of the light are solved for
with the map (as Evangelidis and Psarakis 2008 do). Key points: SIFT of both, RANSAC with an affine map, and the same
steps after it; this finds crops, borders, screenshots and turns by any angle.
"""

from collections.abc import Iterator

import numpy as np

from tasks.copies.proof.seen import POINTS_SIDE, TINY, Frame, Seen, warped, within
from utils.keypoints import geometry
from utils.keypoints.matching import chosen, nearest

# pixels a side of the pictures over which a map becomes exact; of the map that is chosen, also the last
LEVELS, LAST = (64, 256), 512
STEPS, STILL = 10, 0.03  # of Gauss-Newton at each level; pixels of a step after which no other follows
FAR = 0.15  # of the side that a step may move the map at most
USED = 5_000  # pixels that a step looks at: those of the strongest edges
HOPEFUL = 0.5  # least correlation of thumbnails, so that a turn is looked at
RATIO = 0.85  # of the nearest to the second nearest descriptor, see `utils.keypoints.matching`
NEAR = 4.0  # pixels that a match may lie beside its map, in the picture in which key points are sought
LEAST_POINTS = 6  # matches that must agree with a map
ROUNDS = 2000  # of RANSAC at most
STRETCH, ENLARGED = 2.2, 20.0  # greatest ratio of both scales of a map, and greatest scale
LEAST_SHARE = 0.03  # of a picture that must lie in the other one


def maps(a: Seen, b: Seen, keypoints: bool = True) -> Iterator[np.ndarray]:
    """Maps (3, 3) of pixels of a to pixels of b under which they may agree, the likeliest first.

    Args:
        keypoints: whether to look for crops and other parts, which takes some 80 ms for each picture.
    """
    for guess in whole(a, b):
        yield guess  # a part that was written on may lead the steps astray
        if (found := refined(a, b, guess)) is not None:
            yield found
    for mirror in (False, True) if keypoints else ():
        guess = by_keypoints(a, b, mirror)
        if guess is not None and (found := refined(a, b, guess, LEVELS[1:])) is not None:
            yield found


def whole(a: Seen, b: Seen, most: int = 2) -> list[np.ndarray]:
    """Maps of the whole of a onto the whole of b, turned and mirrored as their thumbnails agree best."""
    found = []
    for number in range(8):
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


def refined(a: Seen, b: Seen, matrix: np.ndarray, levels: tuple[int, ...] = LEVELS) -> np.ndarray | None:
    """The map made exact, None where it is none that copying makes."""
    done = 0
    for side in levels:
        if not is_copying(matrix, a, b):
            return None
        frame = Frame(a, b, matrix, side)
        if max(frame.size) > done:  # otherwise no finer picture is left
            matrix = steps(frame, matrix)
        done = max(frame.size)
    return matrix if is_copying(matrix, a, b) else None


def steps(frame: Frame, matrix: np.ndarray) -> np.ndarray:
    """The map after Gauss-Newton steps on a frame.

    Each step solves gain * b(map(x)) + offset = a(x) for the map, gain and offset at once; pixels that agree least
    count least.
    """
    ax, small = frame.of_a(frame.a.grey), frame.small_b(frame.b.grey)
    if min(ax.shape) < 4:
        return matrix
    current = frame.into_b @ matrix @ frame.into_a  # pixels of the frame -> pixels of the smaller b
    rows, columns = edges(ax)
    points = np.stack([columns + 0.5, rows + 0.5, np.ones(len(rows))], axis=1) / (*[max(frame.size)] * 2, 1)
    for _ in range(STEPS):
        bx, inside = warped(small, current, frame.size), within(current, frame.size, small.size)[rows, columns]
        if inside.sum() < 64:
            break
        move = step(ax, bx, rows[inside], columns[inside], points[inside])
        if move is None:
            break
        move[:, :2] /= max(frame.size)
        shift = np.abs(move @ [[0, frame.size[0]] * 2, [0, 0, *[frame.size[1]] * 2], [1] * 4]).max()
        if shift > FAR * max(frame.size):
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


def step(ax: np.ndarray, bx: np.ndarray, rows: np.ndarray, columns: np.ndarray,
         points: np.ndarray) -> np.ndarray | None:
    """How the map moves, (2, 3) in pixels for points (P, 3) given as shares of the side; None where b shows nothing of
    a.

    Args:
        ax, bx: (H, W), the frame as both pictures show it.
        rows, columns: (P,) of the pixels that are looked at.
    """
    value, target = bx[rows, columns], ax[rows, columns]
    dx = (bx[rows, columns + 1] - bx[rows, columns - 1]) / 2
    dy = (bx[rows + 1, columns] - bx[rows - 1, columns]) / 2
    gain, offset = line(value, target)
    if abs(gain) < 0.05:
        return None
    error = target - gain * value - offset
    weight = 1 / (1 + (error / (2 * np.median(np.abs(error)) + 0.5)) ** 2)
    made = np.concatenate([value[:, None], np.ones((len(value), 1)), dx[:, None] * points, dy[:, None] * points],
                          axis=1)
    normal = (made * weight[:, None]).T @ made
    normal[np.diag_indices(8)] += 1e-4 * np.maximum(np.diag(normal), 1e-3 * len(value))
    return np.linalg.solve(normal, (made * weight[:, None]).T @ error)[2:].reshape(2, 3) / gain


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Gain and offset of the line through points; gain 0 where x does not vary."""
    variance = float(x.var())
    gain = float(((x - x.mean()) * (y - y.mean())).mean() / variance) if variance > 1e-6 else 0.0
    return gain, float(y.mean() - gain * x.mean())
