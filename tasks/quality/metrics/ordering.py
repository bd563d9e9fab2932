"""Does a score fall as photos get worse? Scores by level -> shares of pairs in the right order."""

import numpy as np


def pair_order(scores: np.ndarray) -> dict[str, float]:
    """Share of level pairs whose better level scores higher; equal scores are half right.

    Args:
        scores: (photos, levels), level 0 the best.

    Returns:
        order: over all pairs of levels of one photo; adjacent: over neighbouring levels of one
        photo; gap_1, gap_2 ...: over levels so far apart; across, across_adjacent: a level of one
        photo against a worse level of any other photo.
    """
    levels = scores.shape[1]
    gaps = {gap: leads(scores[:, :-gap], scores[:, gap:]) for gap in range(1, levels)}
    across = {(i, j): across_photos(scores[:, i], scores[:, j]) for i in range(levels) for j in range(i + 1, levels)}
    result = {
        "order": float(np.concatenate([right.ravel() for right in gaps.values()]).mean()),
        "adjacent": float(gaps[1].mean()),
        **{f"gap_{gap}": float(right.mean()) for gap, right in gaps.items()},
    }
    if len(scores) > 1:
        result["across"] = float(np.mean(list(across.values())))
        result["across_adjacent"] = float(np.mean([value for (i, j), value in across.items() if j == i + 1]))
    return result


def by_kind(scores: np.ndarray, keys: np.ndarray) -> list[np.ndarray]:
    """Scores (B,) of images with keys (B, 3) of photo, distortion, level, as (photos, levels + 1) for each
    distortion."""
    pristine = scores[keys[:, 2] == 0][:, None]  # (photos, 1)
    kinds = [kind for kind in np.unique(keys[:, 1]) if kind >= 0]
    return [np.hstack([pristine, scores[keys[:, 1] == kind].reshape(len(pristine), -1)]) for kind in kinds]


def leads(better: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """1 where the better scores higher, 1/2 where both score the same, else 0."""
    return (better > worse) + 0.5 * (better == worse)


def across_photos(better: np.ndarray, worse: np.ndarray) -> float:
    """Mean of `leads` over all pairs of different photos: (photos,), (photos,)."""
    right = leads(better[:, None], worse[None, :])
    return float((right.sum() - np.trace(right)) / max(1, right.size - len(right)))
