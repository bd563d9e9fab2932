"""Non-maximum suppression: of boxes of one class that overlap, the one with the highest score stays."""

import numpy as np

from tasks.detection.boxes.geometry import overlap

MOST_OVERLAP = 0.5  # IoU up to which two boxes of one class are two objects
MOST = 2000  # candidates that are looked at, those of the highest scores


def suppressed(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, most_overlap: float = MOST_OVERLAP,
               most: int = MOST) -> np.ndarray:
    """Indices of the boxes that stay, by falling score; of equal scores the first comes first.

    Args:
        boxes: (n, 4) in pixels.
        scores: (n,).
        labels: (n,) classes; boxes of two classes never suppress each other.
        most_overlap: IoU from which on, exclusive, the box of the lower score goes.
        most: candidates at most, those of the highest scores.
    """
    order = np.argsort(-scores, kind="stable")[:most]
    kept = []
    while len(order):
        first, rest = order[0], order[1:]
        kept.append(first)
        near = overlap(boxes[first : first + 1], boxes[rest])[0] > most_overlap
        order = rest[~(near & (labels[rest] == labels[first]))]
    return np.array(kept, int)


def candidates(values: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Boxes, scores and classes of a model's answer (N, 4 + C) whose score is `least` or above; a location may give
    several classes."""
    rows, labels = np.nonzero(values[:, 4:] >= least)
    return values[rows, :4], values[rows, 4 + labels], labels.astype("int32")


def found_in(values: np.ndarray, least: float, most_overlap: float = MOST_OVERLAP,
             ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a model's answer (N, 4 + C) about one picture says: boxes (n, 4), scores (n,) and classes (n,), by falling
    score."""
    boxes, scores, labels = candidates(values, least)
    kept = suppressed(boxes, scores, labels, most_overlap)
    return boxes[kept], scores[kept], labels[kept]
