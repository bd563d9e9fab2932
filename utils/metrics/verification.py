"""Verification: pairs drawn once from a seed, scored, and what the scores are worth."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

FEWEST = 4  # classes from which on a bootstrap over classes says something


class Pairs(NamedTuple):
    """Rows of images to compare: left (M,), right (M,), and same (M,) bool."""

    left: np.ndarray
    right: np.ndarray
    same: np.ndarray


def draw_pairs(
    labels: np.ndarray, count: int, seed: int = 0, groups: np.ndarray | None = None
) -> Pairs:
    """Draws `count` pairs of different images, half of the same class and half not.

    First a class is drawn, then images of it, so that large classes do not outweigh small ones.
    Where the images allow fewer pairs, pairs repeat.

    Args:
        labels: (N,) class of each image.
        groups: (N,) group of each image: different pairs are then drawn within one group (two
            characters of one alphabet), which is harder. None: from all classes.

    Returns:
        Pairs whose rows index `labels`.

    Raises:
        ValueError: no class with two images, or no two classes to tell apart.
    """
    rng = np.random.default_rng(seed)
    members = {int(c): np.flatnonzero(labels == c) for c in np.unique(labels)}
    several = np.array([c for c, rows in members.items() if len(rows) > 1])
    if not len(several) or len(members) < 2:
        raise ValueError(
            f"found {len(members)} classes, {len(several)} of them with two images or more; verification needs two "
            "classes, one of them with two images: add images, or classes"
        )
    group_of = {c: 0 if groups is None else int(groups[rows[0]]) for c, rows in members.items()}
    rivals = {g: np.array([c for c in members if group_of[c] == g]) for g in set(group_of.values())}
    crowded = np.array([c for c in members if len(rivals[group_of[c]]) > 1])
    if not len(crowded):
        raise ValueError("every group holds one class: no different pairs within a group")
    same = [rng.choice(members[rng.choice(several)], 2, replace=False) for _ in range(count // 2)]
    different = []
    for _ in range(count - count // 2):
        first = rng.choice(crowded)
        second = first
        while second == first:
            second = rng.choice(rivals[group_of[first]])
        different.append((rng.choice(members[first]), rng.choice(members[second])))
    left, right = np.array([*same, *different]).T
    return Pairs(left, right, np.arange(count) < count // 2)


def verify(scores: np.ndarray, same: np.ndarray) -> dict[str, float]:
    """What the similarities of pairs are worth.

    Args:
        scores: (M,) similarities, higher is more alike.
        same: (M,) bool.

    Returns:
        accuracy: share of pairs right at the threshold that was best on the other nine tenths of
            the pairs, ten times over (the protocol of Labeled Faces in the Wild).
        roc_auc: area under the ROC curve.
        eer: error where as many same pairs are missed as different ones accepted.
        fpr95: share of different pairs accepted where 95 % of the same pairs are.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    false, true, _ = roc_curve(same, scores, drop_intermediate=False)
    return {
        "accuracy": cross_fitted_accuracy(scores, same),
        "roc_auc": float(roc_auc_score(same, scores)),
        "eer": equal_error(false, true),
        "fpr95": fpr95(-scores[same], -scores[~same]),
    }


def fpr95(true: np.ndarray, false: np.ndarray) -> float:
    """The share of false pairs that is accepted at the distance that accepts 95 % of the true ones; NaN where there are
    no pairs of one kind.

    Args:
        true, false: distances (N,), (M,) of pairs that are the same and that are not; of similarities, their negatives.
    """
    from sklearn.metrics import roc_curve

    if not len(true) or not len(false):
        return float("nan")
    is_true = np.arange(len(true) + len(false)) < len(true)
    accepted, recall, _ = roc_curve(is_true, -np.concatenate([true, false]), drop_intermediate=False)
    return float(accepted[np.argmax(recall >= 0.95)])


def thresholds(scores: np.ndarray, same: np.ndarray) -> dict[str, float]:
    """Similarities from which on to say "same".

    best_accuracy: most pairs right, with same and different pairs weighing alike; eer: both errors
    alike; fpr1: at most 1 % of different pairs accepted, and never below the other two: where these
    accept fewer, it is the higher of them, because who asks for fpr1 wants fewer false "same". Below
    100 different pairs it accepts none of them. A threshold lies half-way to the next lower score.
    """
    from sklearn.metrics import roc_curve

    false, true, cuts = roc_curve(same, np.asarray(scores, "float64"), drop_intermediate=False)
    between = np.append((cuts[:-1] + cuts[1:]) / 2, cuts[-1])
    between[0] = cuts[1] + 1e-6  # accepts nothing
    pick = {
        "best_accuracy": np.argmax(true - false),
        "eer": np.argmin(np.abs(1 - true - false)),
        "fpr1": np.flatnonzero(false <= 0.01)[-1],
    }
    result = {name: float(between[index]) for name, index in pick.items()}
    return result | {"fpr1": strictest(result)}


def strictest(cuts: dict[str, float]) -> float:
    """The threshold for fpr1: not below best_accuracy and eer, as those of older models may be."""
    return max(cuts[name] for name in ("best_accuracy", "eer", "fpr1") if name in cuts)


def calibration_error(scores: np.ndarray, same: np.ndarray, bins: int = 10) -> float:
    """Expected calibration error of similarities (M,) as probabilities: mean over bins of |predicted - observed|, by
    their pairs.

    Same and different pairs weigh alike, as in the calibration (Guo et al. 2017).
    """
    return float(sum(weight * abs(predicted - observed)
                     for predicted, observed, weight in reliability(scores, same, bins)))


def reliability(scores: np.ndarray, same: np.ndarray, bins: int = 10) -> list[tuple[float, float, float]]:
    """Mean similarity, share of same pairs, and share of all pairs of each bin that is not empty; both kinds weigh
    alike."""
    weights = np.where(same, 0.5 / max(same.sum(), 1), 0.5 / max((~same).sum(), 1))
    bin_indices = np.clip((np.asarray(scores) * bins).astype(int), 0, bins - 1)
    rows = []
    for index in np.unique(bin_indices):
        inside = bin_indices == index
        weight = weights[inside].sum()
        rows.append((float(np.average(scores[inside], weights=weights[inside])),
                     float(weights[inside & same].sum() / weight), float(weight)))
    return rows


def auc_interval(
    scores: np.ndarray, same: np.ndarray, left: np.ndarray, right: np.ndarray, seed: int = 0, rounds: int = 200
) -> tuple[float, float]:
    """95 % interval of the ROC-AUC by a bootstrap over classes: with few classes it is wide, however many pairs were
    drawn.

    Fewer than `FEWEST` classes say nothing about others: the interval is then 0 to 1.

    Args:
        scores, same: (M,) of pairs.
        left, right: (M,) class of either image.
    """
    from sklearn.metrics import roc_auc_score

    rng, areas = np.random.default_rng(seed), []
    classes = np.unique(np.concatenate([left, right]))
    if len(classes) < FEWEST:
        return 0.0, 1.0
    for _ in range(rounds):
        times = np.bincount(rng.integers(len(classes), size=len(classes)), minlength=len(classes))
        a, b = (times[np.searchsorted(classes, side)] for side in (left, right))
        weight = np.where(same, a, a * b)  # a class that is drawn twice gives its same pairs twice
        if (weight * same).any() and (weight * ~same).any():
            areas.append(roc_auc_score(same, scores, sample_weight=weight))
    return tuple(float(value) for value in np.percentile(areas, (2.5, 97.5))) if areas else (0.0, 1.0)


def hardly_better(roc_auc: float, low: float | None, classes: int) -> bool:
    """Whether a ROC-AUC is hardly better than chance: low itself, or of so many classes that its 95 % interval, which
    begins at `low`, counts."""
    return roc_auc < 0.6 or classes >= FEWEST and low is not None and low <= 0.5


def equal_error(false: np.ndarray, true: np.ndarray) -> float:
    """Equal error rate: where the ROC curve, joined by straight lines, meets miss = false alarm."""
    gap = (1 - true) - false  # falls from 1 to -1
    after = int(np.argmax(gap <= 0))
    before = max(after - 1, 0)
    step = gap[before] - gap[after]
    share = gap[before] / step if step else 0.0
    return float(false[before] + share * (false[after] - false[before]))


def cross_fitted_accuracy(scores: np.ndarray, same: np.ndarray, folds: int = 10) -> float:
    """Share of pairs right, each at the threshold that was best on the other folds."""
    from sklearn.model_selection import StratifiedKFold

    folds = min(folds, int(same.sum()), int((~same).sum()))
    if folds < 2:
        return float(np.mean((scores >= thresholds(scores, same)["best_accuracy"]) == same))
    right = np.zeros(len(same), bool)
    for fit, held in StratifiedKFold(folds, shuffle=True, random_state=0).split(scores[:, None], same):
        cut = thresholds(scores[fit], same[fit])["best_accuracy"]
        right[held] = (scores[held] >= cut) == same[held]
    return float(right.mean())


def score_pairs(
    score: Callable[[np.ndarray, np.ndarray], np.ndarray], features: np.ndarray, pairs: Pairs, block: int = 1024
) -> np.ndarray:
    """Similarities (M,) of pairs of feature rows, block by block, so that memory stays small."""
    blocks = [slice(start, start + block) for start in range(0, len(pairs.left), block)]
    return np.concatenate([score(features[pairs.left[b]], features[pairs.right[b]]) for b in blocks])


def threshold_at(scores: np.ndarray, truth: np.ndarray, precision: float) -> float:
    """The lowest similarity from which on at least this share of the pairs are right; above all where there is none.

    Args:
        scores: (...) similarities of pairs.
        truth: (...) bool, whether a pair is a copy and its photo.
    """
    order = np.argsort(-scores, axis=None, kind="stable")
    precisions = np.cumsum(truth.ravel()[order]) / np.arange(1, order.size + 1)
    enough = np.flatnonzero(precisions >= precision)
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
