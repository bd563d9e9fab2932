"""Where points of one photo lie in another: similarity, affine map or homography, fitted to matches of which many are
wrong.

All three are matrices (3, 3) that map pixels of photo a to pixels of photo b. The homography is the normalised direct
linear transformation (Hartley and Zisserman, "Multiple view geometry", algorithm 4.2); the search is RANSAC with
truncated quadratic costs (Torr and Zisserman 2000) and local optimisation (Chum, Matas and Kittler 2003).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

TOLERANCE = 3.0  # pixels that a right match may lie beside its place
# with which a sample of right matches alone is drawn, if the share of right matches is what was found
CONFIDENCE = 0.9999
BATCH, ROUNDS = 500, 20_000  # hypotheses made at once, and in all
REFITS = 10  # times that the best hypothesis is fitted to its inliers
MEMORY = 4_000_000  # distances computed at once


class Model(NamedTuple):
    """A kind of map: the points that it takes to fix one, and the function that fits it."""

    points: int
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]  # (B, n, 2), (B, n, 2) -> (B, 3, 3)


class Agreement(NamedTuple):
    """What `ransac` finds: the matrix (3, 3), or None, and the matches that agree with it."""

    matrix: np.ndarray | None
    inliers: np.ndarray  # (N,) bool
    rounds: int  # hypotheses that were tried


def transfer(matrix: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Points (..., N, 2) mapped by matrices (..., 3, 3); points beyond the horizon of a homography become NaN."""
    moved = np.asarray(xy, float) @ np.swapaxes(matrix[..., :2], -1, -2) + matrix[..., None, :, 2]
    with np.errstate(divide="ignore", invalid="ignore"):
        return moved[..., :2] / np.where(moved[..., 2:] > 0, moved[..., 2:], np.nan)


def scaling(pixel: float) -> np.ndarray:
    """The matrix (3, 3) from pixels of that size to pixels of size 1, centres of pixels being whole numbers."""
    return np.array([[pixel, 0, (pixel - 1) / 2], [0, pixel, (pixel - 1) / 2], [0, 0, 1]])


def moved_frames(matrix: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Frames (N, 2, 3), see `utils.keypoints.cut`, mapped by a homography (3, 3), which is affine in so small a
    place."""
    matrix = matrix / depths(matrix, frames[:, :, 2]).mean().clip(min=1e-12)
    centre = frames[:, :, 2]
    moved, depth = transfer(matrix, centre), depths(matrix, centre)
    slope = (matrix[:2, :2] - moved[:, :, None] * matrix[2, :2]) / depth[:, None, None]
    return np.concatenate([slope @ frames[:, :, :2], moved[:, :, None]], axis=2)


def depths(matrix: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """The third coordinate (N,) of points (N, 2) mapped by a homography; not above 0: beyond its horizon."""
    return np.asarray(xy, float) @ matrix[2, :2] + matrix[2, 2]


def fit_homography(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The homographies (B, 3, 3) of points (B, n, 2), n >= 4, positive where the points are."""
    (a, into_a), (b, into_b) = normalised(a), normalised(b)
    ones, zeros = np.ones((*a.shape[:2], 1)), np.zeros((*a.shape[:2], 3))
    points = np.concatenate([a, ones], axis=2)
    rows = np.concatenate([
        np.concatenate([points, zeros, -b[:, :, :1] * points], axis=2),
        np.concatenate([zeros, points, -b[:, :, 1:] * points], axis=2),
    ], axis=1)
    matrices = np.linalg.eigh(np.swapaxes(rows, 1, 2) @ rows)[1][:, :, 0].reshape(-1, 3, 3)
    matrices *= np.where(matrices[:, 2:, 2:] < 0, -1, 1)  # the mean of the points lies on their side of the horizon
    matrices = np.linalg.inv(into_b) @ matrices @ into_a
    return matrices / np.linalg.norm(matrices, axis=(1, 2), keepdims=True)


def fit_affine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The affine maps (B, 3, 3) of points (B, n, 2), n >= 3."""
    mean_a, mean_b = a.mean(1, keepdims=True), b.mean(1, keepdims=True)
    sides = a[:, 1:] - a[:, :1]
    if a.shape[1] == 3 and (np.abs(np.linalg.det(sides)) > 1e-9).all():  # one map fits all
        linear = np.linalg.solve(sides, b[:, 1:] - b[:, :1])
    else:
        linear = np.linalg.pinv(a - mean_a) @ (b - mean_b)
    return assembled(np.swapaxes(linear, 1, 2), mean_a, mean_b)


def fit_similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The maps (B, 3, 3) of points (B, n, 2), n >= 2, that turn, scale and shift."""
    mean_a, mean_b = a.mean(1, keepdims=True), b.mean(1, keepdims=True)
    p, q = ((points - mean) @ (1, 1j) for points, mean in ((a, mean_a), (b, mean_b)))
    turn = (p.conj() * q).sum(1) / np.maximum((np.abs(p) ** 2).sum(1), 1e-12)
    return assembled(np.stack([turn.real, -turn.imag, turn.imag, turn.real], axis=1).reshape(-1, 2, 2), mean_a, mean_b)


MODELS = {"homography": Model(4, fit_homography), "affine": Model(3, fit_affine),
          "similarity": Model(2, fit_similarity)}


def assembled(linear: np.ndarray, mean_a: np.ndarray, mean_b: np.ndarray) -> np.ndarray:
    """Matrices (B, 3, 3) of linear maps (B, 2, 2) that bring one mean (B, 1, 2) to the other."""
    shift = mean_b[:, 0] - (linear @ np.swapaxes(mean_a, 1, 2))[:, :, 0]
    last = np.broadcast_to([[[0.0, 0.0, 1.0]]], (len(linear), 1, 3))
    return np.concatenate([np.concatenate([linear, shift[:, :, None]], axis=2), last], axis=1)


def normalised(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Points (B, n, 2) moved to mean 0 and mean distance sqrt 2, and the matrices (B, 3, 3) that do it."""
    mean = points.mean(1, keepdims=True)
    spread = np.sqrt(2) / np.maximum(np.linalg.norm(points - mean, axis=2).mean(1), 1e-12)
    matrix = np.zeros((len(points), 3, 3))
    matrix[:, 0, 0] = matrix[:, 1, 1] = spread
    matrix[:, :2, 2], matrix[:, 2, 2] = -spread[:, None] * mean[:, 0], 1
    return (points - mean) * spread[:, None, None], matrix


def ransac(a: np.ndarray, b: np.ndarray, model: str = "homography", tolerance: float | np.ndarray = TOLERANCE,
           seed: int = 0,
           rounds: int = ROUNDS) -> Agreement:
    """The map from a to b that most matches agree with.

    Args:
        a, b: (N, 2) pixels of N matches.
        model: of `MODELS`.
        tolerance: pixels of b that a right match may lie beside its place: one number, or (N,).
        rounds: hypotheses at most. Fewer are tried where many matches agree: as many as find such a share with
            `CONFIDENCE`.

    Returns:
        The matrix is None where fewer than n + 1 matches agree, n being the points of the model.
    """
    a, b = np.asarray(a, float), np.asarray(b, float)
    tolerance = np.broadcast_to(np.asarray(tolerance, float), len(a))
    row, rng = MODELS[model], np.random.default_rng(seed)
    best, score, tried, needed = None, 0.0, 0, rounds
    while len(a) > row.points and tried < needed:
        samples = draw(rng, len(a), row.points, BATCH)
        tried += len(samples)
        samples = samples[is_sound(a[samples], b[samples], tolerance[samples])]
        made = row.fit(a[samples], b[samples])
        scores = np.concatenate([score_of(part, a, b, tolerance) for part in blocks(made, len(a))] or [np.zeros(0)])
        if len(scores) and scores.max() > score:
            best, score = optimised(made[scores.argmax()], scores.max(), row, a, b, tolerance)
            share = agreeing(best, a, b, tolerance).mean()
            needed = min(rounds, rounds_for(share, row.points))
    inliers = agreeing(best, a, b, tolerance) if best is not None else np.zeros(len(a), bool)
    if inliers.sum() <= row.points:
        return Agreement(None, np.zeros(len(a), bool), tried)
    return Agreement(best / best[2, 2] if abs(best[2, 2]) > 1e-12 else best, inliers, tried)


def draw(rng: np.random.Generator, count: int, points: int, samples: int) -> np.ndarray:
    """Samples of different numbers below `count`: (S, points), S somewhat below `samples` where `count` is small."""
    drawn = rng.integers(0, count, (samples, points))
    ordered = np.sort(drawn, axis=1)
    return drawn[(ordered[:, 1:] != ordered[:, :-1]).all(1)]


def is_sound(a: np.ndarray, b: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Which samples (B, n, 2) can fix a map: no two points together, no three on a line, and none turned to the back in
    the other photo."""
    least = tolerance.max(1)
    count = a.shape[1]
    sound = np.ones(len(a), bool)
    for i in range(count):
        for j in range(i):
            for points in (a, b):
                sound &= np.linalg.norm(points[:, i] - points[:, j], axis=1) > least
            for k in range(j):
                first, second = area(a[:, [i, j, k]]), area(b[:, [i, j, k]])
                sound &= (first[0] * second[0] > 0) & (first[1] > least) & (second[1] > least)
    return sound


def area(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Twice the signed area (B,) of triangles (B, 3, 2), and their least height (B,)."""
    sides = np.roll(points, -1, axis=1) - points
    twice = sides[:, 0, 0] * sides[:, 1, 1] - sides[:, 0, 1] * sides[:, 1, 0]
    return twice, np.abs(twice) / np.maximum(np.linalg.norm(sides, axis=2).max(1), 1e-12)


def blocks(made: np.ndarray, count: int) -> list[np.ndarray]:
    """Hypotheses (B, 3, 3) in parts whose distances to `count` matches fit in memory."""
    return np.split(made, range(max(1, MEMORY // count), len(made), max(1, MEMORY // count))) if len(made) else []


def misses(matrix: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Squared distances (..., N) of b from where matrices (..., 3, 3) map a, in tolerances; infinite where a lies
    beyond the horizon."""
    gap = ((transfer(matrix, a) - b) ** 2).sum(-1) / tolerance**2
    return np.where(np.isnan(gap), np.inf, gap)


def score_of(matrix: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """How well matrices (..., 3, 3) fit: each match within its tolerance counts the more the nearer it lies, at most
    1."""
    return np.clip(1 - misses(matrix, a, b, tolerance), 0, None).sum(-1)


def agreeing(matrix: np.ndarray, a: np.ndarray, b: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Which matches (N,) lie within their tolerance."""
    return misses(matrix, a, b, tolerance) < 1


def optimised(matrix: np.ndarray, score: float, row: Model, a: np.ndarray, b: np.ndarray,
              tolerance: np.ndarray) -> tuple[np.ndarray, float]:
    """The map fitted to its own inliers again and again, while that makes the score higher; those of twice the
    tolerance go first."""
    for wide in np.r_[2.0, 1.5, np.ones(REFITS)]:
        rows = agreeing(matrix, a, b, wide * tolerance)
        if rows.sum() < row.points:
            break
        tried = row.fit(a[None, rows], b[None, rows])[0]
        new_score = float(score_of(tried, a, b, tolerance))
        if new_score > score:
            matrix, score = tried, new_score
        elif wide == 1:
            break
    return matrix, score


def rounds_for(share: float, points: int) -> int:
    """Samples until one holds right matches alone with `CONFIDENCE`, where this share of matches is right."""
    hit = min(share**points, 1 - 1e-12)
    return int(np.ceil(np.log(1 - CONFIDENCE) / np.log1p(-hit))) if hit > 0 else ROUNDS
