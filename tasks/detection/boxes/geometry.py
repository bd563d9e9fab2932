"""Boxes in NumPy: overlap, and one function that moves a picture and its boxes together.

Boxes are (n, 4) in pixels: left, top, right, bottom, from the corner of the picture, so that a picture of W pixels ends
at W. Worker processes import this, and no Keras; outside of them `keras.utils.bounding_boxes` has the same overlap.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

LEAST_SEEN = 0.4  # share of a box that must lie in a window for the box to count there
GROUND = 114  # grey level of what lies outside of a picture


class Annotated(NamedTuple):
    """A picture and what lies in it.

    Attributes:
        picture: (H, W, 3) uint8.
        boxes: (n, 4) float32 in pixels.
        labels: (n,) int32, the class of each box; -1: several things, or a part of one, which count neither way.
    """

    picture: np.ndarray
    boxes: np.ndarray
    labels: np.ndarray


def areas(boxes: np.ndarray) -> np.ndarray:
    """Areas of boxes in square pixels: (n, 4) -> (n,)."""
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def shared_area(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Area that each of n boxes shares with each of m others: (n, m)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    return np.prod(np.clip(high - low, 0, None), axis=2)


def overlap(boxes: np.ndarray, others: np.ndarray, crowd: np.ndarray | None = None) -> np.ndarray:
    """IoU of each of n boxes with each of m others: (n, m) in 0..1; with a crowd (a mask, (m,)) the share of the box
    that lies in it, as COCO has it."""
    both = shared_area(boxes, others)
    whole = areas(boxes)[:, None] + areas(others)[None] - both
    if crowd is not None:
        whole = np.where(crowd[None], areas(boxes)[:, None], whole)
    return both / np.maximum(whole, 1e-12)


def windowed(seen: Annotated, window: Sequence[float], size: tuple[int, int], mirrored: bool = False) -> Annotated:
    """A window of a picture, brought to a size and perhaps mirrored left to right, with its boxes.

    Boxes are cut at the border of the window. One of which less than `LEAST_SEEN` of the area is left counts neither
    way; one that lies outside is left out.

    Args:
        window: left, top, right, bottom in pixels; may go beyond the picture, where everything is `GROUND`.
        size: (height, width) of the result.
    """
    left, top, right, bottom = window
    height, width = size
    scale = np.array([width / (right - left), height / (bottom - top)] * 2, "float32")
    boxes = ((seen.boxes - np.array([left, top] * 2, "float32")) * scale).reshape(-1, 4)
    picture = cut(seen.picture, window, size)
    before = areas(boxes)
    boxes = np.clip(boxes, 0, np.array([width, height] * 2, "float32")).astype("float32")
    share = areas(boxes) / np.maximum(before, 1e-9)
    labels = np.where(share < LEAST_SEEN, -1, seen.labels)
    if mirrored:
        picture = picture[:, ::-1]
        boxes = np.stack([width - boxes[:, 2], boxes[:, 1], width - boxes[:, 0], boxes[:, 3]], axis=1)
    left_in = share > 0
    return Annotated(np.ascontiguousarray(picture), boxes[left_in], labels[left_in].astype("int32"))


def cut(picture: np.ndarray, window: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """A window of a picture (H, W, 3) at a size (height, width), antialiased."""
    height, width = picture.shape[:2]
    left, top, right, bottom = window
    inside = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    made = np.full((*size, 3), GROUND, "uint8")
    if inside[0] >= inside[2] or inside[1] >= inside[3]:
        return made
    wide, tall = size[1] / (right - left), size[0] / (bottom - top)
    x0, x1 = (round((x - left) * wide) for x in inside[::2])
    y0, y1 = (round((y - top) * tall) for y in inside[1::2])
    if x1 > x0 and y1 > y0:
        part = Image.fromarray(picture).resize((x1 - x0, y1 - y0), Image.Resampling.BILINEAR, box=inside)
        made[y0:y1, x0:x1] = part
    return made
