"""A photo of any size through a detector, tile by tile, so that memory does not grow with it."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from nets.models.detector import Finder, padded
from tasks.detection.boxes.suppression import candidates, suppressed
from tasks.detection.measuring.precision import Answer
from tasks.superres.tiles import tiles_of

SIDE = 640  # pixels of the photo that a tile shows a side, without its rim, about
RIM = 48  # pixels around a tile that the detector sees too, at least
LEAST = 0.05  # score from which on a box is a candidate
MOST = 300  # boxes of a photo


def find(finder: Finder, photo: np.ndarray, least: float = LEAST, side: int = SIDE, most: int = MOST,
         progress: Callable[[int, int], None] = lambda done, of: None) -> Answer:
    """What lies in a photo (H, W, 3) uint8, by falling score.

    A box belongs to the tile that its middle lies in. Tiles overlap by twice the largest box that the detector learnt
    from, so the tile sees the whole object; boxes that two tiles place a little apart on a seam are one after
    suppression.

    Args:
        least: scores below are left out.
        side: pixels a side of a tile, about.
        most: boxes at most.
        progress: called with the tiles done and their number.
    """
    shape, zoom = photo.shape, finder.zoom
    photo = zoomed(photo, zoom)
    rim = int(max(RIM, np.ceil(finder.largest)))
    parts = []
    tiles = list(tiles_of(photo.shape, side, rim))
    for done, (seen, own) in enumerate(tiles, start=1):
        values = finder.find(padded(photo[seen][None]))[0]
        boxes, scores, labels = candidates(values, least)
        boxes = boxes + np.array([seen[1].start, seen[0].start] * 2, "float32")
        x, y = ((boxes[:, axis] + boxes[:, axis + 2]) / 2 for axis in (0, 1))
        inside = within(x, own[1], photo.shape[1]) & within(y, own[0], photo.shape[0])
        kept = np.flatnonzero(inside)
        kept = kept[suppressed(boxes[kept], scores[kept], labels[kept])]  # of each tile, so that few are left
        parts.append((boxes[kept], scores[kept], labels[kept], beyond(boxes[kept], own)))
        progress(done, len(tiles))
    boxes, scores, labels, over = (np.concatenate(each) for each in zip(*parts))
    rows = np.flatnonzero(over)
    rows = rows[suppressed(boxes[rows], scores[rows], labels[rows], most=max(len(rows), 1))]
    kept = np.concatenate([np.flatnonzero(~over), rows])
    kept = kept[np.argsort(-scores[kept], kind="stable")][:most]
    return Answer(clipped(boxes[kept] / zoom, shape), scores[kept], labels[kept])


def zoomed(photo: np.ndarray, zoom: float) -> np.ndarray:
    """A photo, so many times as large."""
    if zoom == 1:
        return photo
    size = [max(1, round(zoom * side)) for side in photo.shape[1::-1]]
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.BILINEAR))


def within(middle: np.ndarray, own: slice, length: int) -> np.ndarray:
    """Whether places lie in a tile; those beyond the photo belong to the tile at its border."""
    return (middle >= (own.start or -np.inf)) & (middle < (own.stop if own.stop < length else np.inf))


def beyond(boxes: np.ndarray, own: tuple[slice, slice]) -> np.ndarray:
    """Whether boxes reach beyond the tile that their middles lie in: (n,) bool.

    Only these can be the same object as a box of another tile: two boxes whose IoU is above one half hold each other's
    middles.
    """
    rows, columns = own
    return ((boxes[:, 0] < columns.start) | (boxes[:, 1] < rows.start) | (boxes[:, 2] > columns.stop)
            | (boxes[:, 3] > rows.stop))


def clipped(boxes: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Boxes (n, 4) without what lies beyond a photo of this shape."""
    return np.clip(boxes, 0, np.array([shape[1], shape[0]] * 2, "float32"))
