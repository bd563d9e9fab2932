"""How well copies are found: recall at a precision over all pairs, and precision, recall and F1 of a threshold."""

import numpy as np


def threshold_at(scores: np.ndarray, truth: np.ndarray, precision: float) -> float:
    """The lowest similarity from which on at least this share of the pairs are right; above all where there is none.

    Args:
        scores: (...) similarities of pairs.
        truth: (...) bool, whether a pair is a copy and its photo.
    """
    order = np.argsort(-scores, axis=None, kind="stable")
    found = np.cumsum(truth.ravel()[order]) / np.arange(1, order.size + 1)
    enough = np.flatnonzero(found >= precision)
    ordered = scores.ravel()[order]
    if not len(enough):
        return float(ordered[0]) + 1e-6
    last = enough[-1]
    below = ordered[last + 1] if last + 1 < len(ordered) else ordered[last]
    return float((ordered[last] + below) / 2)


def precision_recall(scores: np.ndarray, truth: np.ndarray, threshold: float) -> dict[str, float]:
    """Precision, recall and F1 of "a copy from this similarity on", over pairs."""
    said = scores >= threshold
    right = float(np.sum(said & truth))
    precision, recall = right / max(said.sum(), 1), right / max(truth.sum(), 1)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-12)}
