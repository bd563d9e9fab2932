"""A photo file -> pairs of patches, each pair of one point seen twice. Runs in worker processes, which never import
Keras."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tasks.patches.data.jitter import JITTERS, jittered, random_homography, relit, seen_from
from utils.data.images import open_image
from utils.keypoints.cut import cut_frames, frames_of
from utils.keypoints.detector import Keypoints, detect

KEPT = 1500  # key points of a photo, the strongest
TILT = 0.3  # how far the corners of a photo move when it is seen from elsewhere, in half sides
LARGEST = 0.5  # side of a patch at most, as a share of the photo's shorter side
NEAR, ALIKE, ASIDE = 0.3, 1.35, 30.0  # two points are one place: nearer (in half sides), sizes, angles (degrees)


class Views(NamedTuple):
    """How the two patches of a pair differ.

    Attributes:
        jitter: a name in `JITTERS`, or "mixed": each pair one of easy, hard and tough.
        light: strength of the change of light, see `relit`.
        turned: whether both patches of a pair are transposed and mirrored alike, by chance.
    """

    jitter: str = "mixed"
    light: float = 1.0
    turned: bool = True


def photo_pairs(path: str, shape: tuple[int, int, int], count: int, seed: Sequence[int], views: Views) -> np.ndarray:
    """Pairs of patches of different points of a photo: (count, 2, P, P, C) uint8.

    Where the photo has too few key points, patches of points drawn by chance fill the number.

    Args:
        shape: (P, P, C), C 1 for grey or 3 for colour.

    Raises:
        ValueError: the photo cannot be read.
    """
    rng = np.random.default_rng(seed)
    photo, points = photo_and_points(path, shape[2])
    height, width = photo.shape[:2]
    frames = frames_of(chosen(points, count, (width, height), rng))
    again = seen_from(frames, random_homography(width, height, TILT, rng))
    kinds = (np.array(["easy", "hard", "tough"])[rng.integers(0, 3, count)] if views.jitter == "mixed"
             else np.full(count, views.jitter))
    for kind in JITTERS:
        again[kinds == kind] = jittered(again[kinds == kind], kind, rng)
    patches = cut_frames(photo, np.concatenate([frames, again]), shape[0])
    pairs = np.stack(np.split(relit(patches, views.light, rng), 2), axis=1).reshape(count, 2, *shape)
    return mirrored(pairs, rng) if views.turned else pairs


@lru_cache(maxsize=1024)
def photo_and_points(path: str, channels: int) -> tuple[np.ndarray, Keypoints]:
    """A photo (H, W) or (H, W, 3) uint8 and its key points; those used last stay in memory."""
    picture = open_image(path, "L" if channels == 1 else "RGB")
    return np.asarray(picture), detect(np.asarray(picture.convert("L"), "float32"), most=KEPT)


def chosen(points: Keypoints, count: int, size: tuple[int, int], rng: np.random.Generator) -> Keypoints:
    """So many of the key points, drawn by chance: their patches lie in the photo, and no two are one place. Random
    points fill the number.

    Args:
        size: (width, height) of the photo.
    """
    half = 3 * points.size  # of a patch
    room = np.minimum(points.xy, np.array(size) - 1 - points.xy).min(axis=1)
    fitting = np.flatnonzero((half * 1.2 < room) & (half < LARGEST * min(size) / 2))
    drawn = points.take(rng.permutation(fitting)[: 2 * count])
    kept = drawn.take(apart(drawn)[:count])
    missing = count - len(kept.size)
    if not missing:
        return kept
    sizes = np.exp(rng.uniform(np.log(3), np.log(max(3.1, min(size) / 14)), missing))
    xy = rng.uniform(0, 1, (missing, 2)) * (np.array(size) - 1)
    filled = Keypoints(xy, sizes, rng.uniform(0, 360, missing), np.zeros(missing))
    return Keypoints(*(np.concatenate(values).astype("float32") for values in zip(kept, filled)))


def apart(points: Keypoints) -> np.ndarray:
    """Rows of points of which no two are one place; of those that are, the first."""
    near = np.linalg.norm(points.xy[:, None] - points.xy[None], axis=2) < NEAR * 3 * points.size
    near &= np.abs(np.log(points.size[:, None] / points.size[None])) < np.log(ALIKE)
    near &= np.abs((points.angle[:, None] - points.angle[None] + 180) % 360 - 180) < ASIDE
    near |= near.T
    kept = np.ones(len(near), bool)
    for row in range(len(near)):
        kept[row] = not (near[row, :row] & kept[:row]).any()
    return np.flatnonzero(kept)


def mirrored(pairs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Half of the pairs (N, 2, P, P, C) transposed and half of them mirrored, both patches of a pair alike."""
    transposed, flipped = rng.random((2, len(pairs))) < 0.5
    pairs = np.where(transposed[:, None, None, None, None], pairs.swapaxes(2, 3), pairs)
    return np.where(flipped[:, None, None, None, None], pairs[:, :, :, ::-1], pairs)
