"""What models are used for, whatever runs them: nothing of Keras is imported."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Comparer(NamedTuple):
    """What a model of similarity is used for.

    Attributes:
        embed: images (N, H, W, C), 0..255 -> features (N, F) float32; each image passes the tower once.
        score: features that broadcast, (..., F), (..., F) -> similarities (...) in 0..1.
        by_distance: whether similarity falls with the Euclidean distance of the features, so that the
            most similar are the nearest.
        distance_of: if so, similarity in 0..1 -> the distance at which it is reached; negative where
            no distance reaches it.
        attention: features of two images, (F,) each -> how much location i of one corresponds to location j of the
            other, (n, n), of a head that compares locations; None for the others.
        global_embedding: features (N, F) -> vectors (N, V), of a head that compares locations, which is slow: the
            pictures whose vectors are nearest are worth comparing. None: features can all be scored.
        keeps_locations: whether the tower ends in maps in a row, so that a thing has other features where it has moved.
    """

    embed: Callable[..., np.ndarray]
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    by_distance: bool
    distance_of: Callable[[float], float]
    attention: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    global_embedding: Callable[[np.ndarray], np.ndarray] | None = None
    keeps_locations: bool = False


class Scorer(NamedTuple):
    """What a model of quality is used for.

    Attributes:
        score: photos (N, H, W, 3) of one size, 0..255 -> scores (N,); those of the model's crops where it takes no
            others. Photos larger than the crops pass in smaller batches.
        whole: whether it takes whole photos, or crops only.
        side: of the crops that it was trained on, in pixels.
        higher_is_better, low, high: direction of the score and range of those it was fitted to; no
            range before it was fitted to any.
        runtime: what runs it, in words.
    """

    score: Callable[..., np.ndarray]
    whole: bool
    side: int
    higher_is_better: bool
    low: float | None
    high: float | None
    runtime: str = ""


def batch_of_photos(images: np.ndarray, side: int, most: int = 32) -> int:
    """How many photos (N, H, W, 3) pass at once, so that they hold no more pixels than `most` crops of `side` pixels a
    side; at least one."""
    share = max(1.0, images.shape[1] * images.shape[2] / side**2)
    return max(1, int(most / share))


def as_patches(patches: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
    """Patches (N, P, P) or (N, P, P, C) as (N, P, P, C); ValueError where a model takes others, of `shape` (P, P,
    C)."""
    patches = patches[..., None] if patches.ndim == 3 else patches
    if patches.shape[1:] != tuple(shape):
        received, expected = (" x ".join(map(str, each)) for each in (patches.shape[1:], shape))
        raise ValueError(f"patches of {received}, expected {expected} as the model takes: cut them with its side and "
                         "channels")
    return patches
