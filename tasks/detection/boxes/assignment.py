"""Boxes -> dense targets: which location of which map is asked for which box. Runs in worker processes, in NumPy."""

from collections.abc import Sequence

import numpy as np

TARGET = 6  # numbers of a location's target, see `nets.losses.detection`
NOTHING, IGNORED = -1, -2  # in place of a class
LARGEST = {2: 12.0, 4: 24.0}  # pixels of the longer side, from which on a map of this stride leaves a box to the next
RADIUS = 1.5  # strides around the middle of a box in which locations are asked for it, as FCOS's centre sampling
NEAREST = 0.05  # strides that a side lies from a location at least


def counts_of(size: tuple[int, int], strides: Sequence[int]) -> list[tuple[int, int]]:
    """Rows and columns of the map of each stride of a picture of (height, width) pixels, multiples of the coarsest."""
    return [(size[0] // stride, size[1] // stride) for stride in strides]


def map_of(boxes: np.ndarray, strides: Sequence[int]) -> np.ndarray:
    """The map that each of n boxes is asked of, by its longer side: (n,) indices into `strides`."""
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, initial=0)
    return np.searchsorted([LARGEST[stride] for stride in strides[:-1]], longer, side="right")


def targets(boxes: np.ndarray, labels: np.ndarray, size: tuple[int, int], strides: Sequence[int]) -> np.ndarray:
    """The targets (N, TARGET) float32 of all N locations of a picture, the finest map first, row by row.

    A box is asked of one map, by its longer side, at the locations that lie in it and within `RADIUS` strides of its
    middle; where there is none, at the location that is nearest to its middle. Where two boxes ask the same location,
    the smaller one gets it, as in FCOS (Tian et al. 2019, section 3.1). Boxes of the label -1 make the locations in
    them, which nobody asks for, count neither way.

    Args:
        boxes: (n, 4) in pixels, in the picture.
        labels: (n,) classes from 0 on, or -1.
        size: (height, width) of the picture.
    """
    maps = [np.zeros((*count, TARGET), "float32") for count in counts_of(size, strides)]
    for each in maps:
        each[..., 5] = NOTHING
    levels = map_of(boxes, strides)
    area = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    order = np.argsort(-area, kind="stable")  # smaller ones are written later, over larger ones
    for row in [*order[labels[order] < 0], *order[labels[order] >= 0]]:
        if labels[row] < 0:
            for each, stride in zip(maps, strides):
                ignore(each, boxes[row], stride)
        else:
            ask(maps[levels[row]], boxes[row], int(labels[row]), strides[levels[row]])
    return np.concatenate([each.reshape(-1, TARGET) for each in maps])


def inside(low: float, high: float, stride: int, count: int) -> slice:
    """The locations along an axis whose middles lie between two places, in pixels."""
    return slice(max(0, int(np.ceil(low / stride - 0.5))), min(count, int(np.floor(high / stride - 0.5)) + 1))


def ignore(values: np.ndarray, box: np.ndarray, stride: int) -> None:
    """Marks the locations in a box."""
    rows, columns = (inside(box[axis], box[axis + 2], stride, values.shape[1 - axis]) for axis in (1, 0))
    values[rows, columns, 5] = IGNORED


def ask(values: np.ndarray, box: np.ndarray, label: int, stride: int) -> None:
    """Writes the targets of a box into a map (h, w, TARGET)."""
    spans = []
    for axis in (1, 0):
        count, middle = values.shape[1 - axis], (box[axis] + box[axis + 2]) / 2
        low, high = (max(box[axis], middle - RADIUS * stride), min(box[axis + 2], middle + RADIUS * stride))
        span = inside(low, high, stride, count)
        nearest = min(max(int(middle / stride), 0), count - 1)
        spans.append(span if span.start < span.stop else slice(nearest, nearest + 1))
    y, x = ((np.arange(span.start, span.stop) + 0.5) * stride for span in spans)
    x, y = np.meshgrid(x, y)
    sides = np.stack([x - box[0], y - box[1], box[2] - x, box[3] - y], axis=-1)
    sides = np.maximum(sides, NEAREST * stride)
    wide, tall = sides[..., ::2], sides[..., 1::2]
    centre = np.sqrt(wide.min(-1) / wide.max(-1) * tall.min(-1) / tall.max(-1))
    values[spans[0], spans[1]] = np.concatenate([sides, centre[..., None], np.full_like(centre, label)[..., None]], -1)
