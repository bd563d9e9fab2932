"""Average precision of boxes by COCO's definitions, in NumPy; equal to what pycocotools computes.

Lin et al., "Microsoft COCO", 2014, and the evaluation that its authors publish: a box is right where its IoU with an
object of its class that is not taken yet reaches a threshold, boxes of higher scores first; precision is made monotone
and read at 101 recalls; AP is its mean over them, over classes and over the thresholds .50, .55, ... .95.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.detection.boxes.geometry import areas, overlap

THRESHOLDS = np.linspace(0.5, 0.95, 10)  # of IoU
RECALLS = np.linspace(0.0, 1.0, 101)
MOST = 100  # boxes of a picture and a class that count
EVERY = 1e10
# area in square pixels, both ends included, so that an object of 32 x 32 is small and medium, as in COCO's code
RANGES = {"all": (0, EVERY), "small": (0, 32**2), "medium": (32**2, 96**2), "large": (96**2, EVERY)}
# TinyPerson (Yu et al., "Scale Match for Tiny Person Detection", 2020): square roots of areas
TINY = {"tiny1": (2**2, 8**2), "tiny2": (8**2, 12**2), "tiny3": (12**2, 20**2), "tiny": (2**2, 20**2),
        "small": (20**2, 32**2), "all": (2**2, EVERY)}


class Truth(NamedTuple):
    """What lies in a picture.

    Attributes:
        boxes: (n, 4) in pixels.
        labels: (n,) classes from 0 on.
        crowd: (n,) bool; a crowd may be found by any number of boxes, which count neither way.
        area: (n,) square pixels by which objects are put into ranges; () for those of the boxes.
    """

    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray = np.empty(0, bool)
    area: np.ndarray = np.empty(0)

    def of(self, label: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes, crowds and areas of a class."""
        rows = self.labels == label
        crowd = self.crowd if len(self.crowd) else np.zeros(len(self.labels), bool)
        return self.boxes[rows], crowd[rows], (self.area if len(self.area) else areas(self.boxes))[rows]


class Answer(NamedTuple):
    """What a detector found in a picture: boxes (n, 4) in pixels, scores (n,), classes (n,)."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


class Matched(NamedTuple):
    """The boxes of a class in a picture, by falling score: scores (D,); for T thresholds of IoU, whether each is right,
    and whether it counts neither way, (T, D) bool; how many objects are to be found; and of those (n,) in the picture,
    whether each was found at each threshold, (T, n) bool, and whether it counts, (n,) bool."""

    scores: np.ndarray
    right: np.ndarray
    ignored: np.ndarray
    objects: int
    found: np.ndarray
    counted: np.ndarray


def matched(truth: Truth, answer: Answer, label: int, limits: tuple[float, float], thresholds: np.ndarray = THRESHOLDS,
            most: int = MOST) -> Matched:
    """Which boxes of a class are right in a picture, where only objects count whose area lies within `limits`."""
    rows = np.flatnonzero(answer.labels == label)
    rows = rows[np.argsort(-answer.scores[rows], kind="stable")[:most]]
    boxes, crowd, area = truth.of(label)
    left_out = crowd | (area < limits[0]) | (area > limits[1])
    order = np.argsort(left_out, kind="stable")  # those that count come first
    boxes, crowd, left_out = boxes[order], crowd[order], left_out[order]
    shape = len(thresholds), len(rows)
    right, ignored = np.zeros(shape, bool), np.zeros(shape, bool)
    taken = np.zeros((len(thresholds), len(boxes)), bool)
    near = overlap(answer.boxes[rows].astype("float64"), boxes.astype("float64"), crowd)
    for place in range(len(rows) if len(boxes) else 0):
        able = (near[place] >= np.minimum(thresholds, 1 - 1e-10)[:, None]) & (~taken | crowd)
        for each in (able & ~left_out, able & left_out):  # an object that counts goes first
            which = last_best(near[place], each)
            hit = each.any(axis=1) & ~right[:, place]
            right[hit, place] = True
            ignored[hit, place] = left_out[which[hit]]
            taken[hit, which[hit]] = True
    size = areas(answer.boxes[rows])
    ignored |= ~right & ((size < limits[0]) | (size > limits[1]))
    back = np.argsort(order)
    return Matched(answer.scores[rows], right, ignored, int((~left_out).sum()), taken[:, back], ~left_out[back])


def last_best(near: np.ndarray, able: np.ndarray) -> np.ndarray:
    """Of (n,) overlaps, the index of the highest one among those of each row of a mask (T, n); of equal ones the last,
    as COCO's code takes it."""
    values = np.where(able, near, -1)[:, ::-1]
    return values.shape[1] - 1 - values.argmax(axis=1)


class Curves(NamedTuple):
    """Precision (T, 101, K, A) at the recalls of `RECALLS`, and recall (T, K, A), for T thresholds, K classes and A
    ranges of areas; -1 where there are no objects."""

    precision: np.ndarray
    recall: np.ndarray


def curves(truths: Sequence[Truth], answers: Sequence[Answer], classes: int, ranges: dict[str, tuple[float, float]],
           thresholds: np.ndarray = THRESHOLDS, most: int = MOST) -> Curves:
    """Precision and recall of answers about pictures."""
    shape = len(thresholds), classes, len(ranges)
    precision, recall = -np.ones((shape[0], len(RECALLS), *shape[1:])), -np.ones(shape)
    for k in range(classes):
        pictures = [(truth, answer) for truth, answer in zip(truths, answers)
                    if (truth.labels == k).any() or (answer.labels == k).any()]
        for a, limits in enumerate(ranges.values()):
            parts = [matched(truth, answer, k, limits, thresholds, most) for truth, answer in pictures]
            objects = sum(part.objects for part in parts)
            if objects:
                precision[:, :, k, a], recall[:, k, a] = of_class(parts, objects)
    return Curves(precision, recall)


def of_class(parts: Sequence[Matched], objects: int) -> tuple[np.ndarray, np.ndarray]:
    """Precision (T, 101) and recall (T,) of a class."""
    order = np.argsort(-np.concatenate([part.scores for part in parts]), kind="stable")
    right, ignored = (np.concatenate([getattr(part, name) for part in parts], axis=1)[:, order]
                      for name in ("right", "ignored"))
    true, false = (np.cumsum(each, axis=1, dtype="float64") for each in (right & ~ignored, ~right & ~ignored))
    precision = np.zeros((len(true), len(RECALLS)))
    if not true.shape[1]:
        return precision, np.zeros(len(true))
    for row, (hits, wrong) in enumerate(zip(true, false)):
        values = hits / (hits + wrong + np.spacing(1))
        values = np.maximum.accumulate(values[::-1])[::-1]
        at = np.searchsorted(hits / objects, RECALLS, side="left")
        reached = at < len(values)
        precision[row, reached] = values[at[reached]]
    return precision, true[:, -1] / objects


def mean(values: np.ndarray) -> float | None:
    """The mean of those that were measured; None where none was."""
    values = values[values > -1]
    return float(values.mean()) if values.size else None


def figures(truths: Sequence[Truth], answers: Sequence[Answer], classes: int) -> dict[str, float | None]:
    """COCO's figures: ap, ap50, ap75, ap_small, ap_medium, ap_large, and ar, the recall with 100 boxes a picture."""
    found = curves(truths, answers, classes, RANGES)
    precision = found.precision
    made = {"ap": mean(precision[..., 0]), "ap50": mean(precision[0, ..., 0]), "ap75": mean(precision[5, ..., 0])}
    made |= {f"ap_{name}": mean(precision[..., a]) for a, name in enumerate(RANGES) if a}
    return made | {"ar": mean(found.recall[..., 0])}


def tiny_figures(truths: Sequence[Truth], answers: Sequence[Answer], classes: int,
                 bins: dict[str, tuple[float, float]] = TINY) -> dict[str, float | None]:
    """AP50 in the size bins of TinyPerson, by their names."""
    found = curves(truths, answers, classes, bins, np.array([0.5])).precision
    return {name: mean(found[..., a]) for a, name in enumerate(bins)}


def best_threshold(truths: Sequence[Truth], answers: Sequence[Answer], classes: int) -> tuple[float, float]:
    """The score from which on boxes are best reported, by the highest F1 over all classes at an IoU of .5, and this
    F1; (.5, 0) where nothing is right."""
    parts = [matched(truth, answer, k, RANGES["all"], np.array([0.5])) for truth, answer in zip(truths, answers)
             for k in range(classes)]
    scores, right, ignored = (np.concatenate([np.atleast_2d(getattr(part, name)) for part in parts], axis=1)[0]
                              for name in ("scores", "right", "ignored"))
    objects = sum(part.objects for part in parts)
    order = np.argsort(-scores[~ignored], kind="stable")
    scores, hits = scores[~ignored][order], np.cumsum(right[~ignored][order])
    if not len(scores) or not hits[-1]:
        return 0.5, 0.0
    f1 = 2 * hits / (np.arange(1, len(hits) + 1) + objects)
    best = int(f1.argmax())
    return float(scores[best]), float(f1[best])
