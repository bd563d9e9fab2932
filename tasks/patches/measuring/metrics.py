"""What descriptors of patches are worth: the three questions of HPatches (Balntas et al. 2017): verification, matching,
retrieval."""

from collections.abc import Sequence

import numpy as np

TRUE_SHARE = 0.2  # true pairs of a verification, as a share of the false ones
TRUE = 5  # true patches of a query


def precision_recall(distances: np.ndarray, right: np.ndarray, total: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision and recall (N + 1,) of answers, the nearest first, from recall 0 with precision 1 on; equal distances
    stay in their order.

    Args:
        distances: (N,).
        right: (N,) bool.
        total: the right answers that there are; recall is their share.
    """
    hits = np.cumsum(np.asarray(right, bool)[np.argsort(distances, kind="stable")])
    precision = np.append(1.0, hits / np.arange(1, len(hits) + 1))
    return precision, np.append(0.0, hits / max(total, 1))


def average_precision(distances: np.ndarray, right: np.ndarray, total: int) -> float:
    """The area under precision and recall, by the trapezoid; see `precision_recall`."""
    return float(np.trapezoid(*precision_recall(distances, right, total)))


def verification(true: np.ndarray, false: np.ndarray) -> float:
    """Average precision of telling true pairs from false ones by their distance: all false ones, and .2 times as many
    true ones, the first."""
    true = true[: max(1, round(TRUE_SHARE * len(false)))]
    distances = np.concatenate([true, false])
    return average_precision(distances, np.arange(len(distances)) < len(true), len(true))


def matching(reference: np.ndarray, target: np.ndarray) -> float:
    """Average precision of the nearest neighbour of each reference patch among the patches of another picture.

    Args:
        reference, target: descriptors (N, D) of unit length; row i of both shows point i.
    """
    index, distances = nearest(reference, target)
    return average_precision(distances, index == np.arange(len(reference)), len(reference))


def nearest(reference: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row (N,) and squared distance (N,) of the nearest target (M, D) of each reference (N, D); both of unit length."""
    gaps = squared(reference, target)
    index = gaps.argmin(1)
    return index, gaps[np.arange(len(gaps)), index]


def squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances (N, M) of unit vectors (N, D), (M, D)."""
    return np.maximum(2 - 2 * a @ b.T, 0)


def retrieval(queries: np.ndarray, true: np.ndarray, distractors: np.ndarray) -> float:
    """Mean average precision of queries, each against its own true patches and all distractors.

    Args:
        queries: (N, D); true: (N, T, D), the same points in other pictures; distractors: (M, D), points of other
            scenes.
    """
    own = np.maximum(2 - 2 * np.einsum("nd,ntd->nt", queries, true), 0)
    others = squared(queries, distractors)
    right = np.arange(own.shape[1] + others.shape[1]) < own.shape[1]
    return float(np.mean([average_precision(np.concatenate(row), right, own.shape[1]) for row in zip(own, others)]))


def false_pairs(scenes: Sequence[int], seed: int, within: bool) -> np.ndarray:
    """For each patch another one (N,): of another point of its scene, or of another scene; -1 where there is none.

    Args:
        scenes: (N,) number of the scene of each point.
    """
    scenes, rng = np.asarray(scenes), np.random.default_rng(seed)
    partners = np.full(len(scenes), -1)
    for scene in np.unique(scenes):
        own = np.flatnonzero(scenes == scene)
        others = np.flatnonzero(scenes != scene)
        if within and len(own) > 1:
            order = rng.permutation(own)
            partners[order] = np.roll(order, 1)
        elif not within and len(others):
            partners[own] = rng.choice(others, len(own))
    return partners
