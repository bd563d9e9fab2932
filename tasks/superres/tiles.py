"""A photo of any size through a network, tile by tile, so that memory does not grow with it and no seam is seen."""

from collections.abc import Callable, Iterator

import numpy as np

from nets.models.superres import Enlarger
from utils.metrics.pictures import rounded

SIDE = 512  # pixels of the small photo that a tile shows, a side, about
MOST_REACH = 24  # pixels around a tile that the network sees too, at most: what is farther away hardly counts
LEAST = 4  # pixels a side that a network is given; a smaller photo is mirrored at its border


def enlarged(
    network: Enlarger, photo: np.ndarray, side: int = SIDE,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> np.ndarray:
    """The photo, `network.scale` times as large.

    Args:
        photo: (h, w, 3) uint8, or uint16 in 0..65535.
        side: of a tile, in pixels of the small photo; about.
        progress: called with the tiles done and their number.

    Returns:
        (s h, s w, 3) of the type of the photo.
    """
    height, width = photo.shape[:2]
    photo, scale = mirrored_to(photo, LEAST), network.scale
    top = np.iinfo(photo.dtype).max
    made = np.empty((scale * photo.shape[0], scale * photo.shape[1], 3), photo.dtype)
    tiles = list(tiles_of(photo.shape, side, min(network.reach, MOST_REACH)))
    for done, (seen, own) in enumerate(tiles, start=1):
        values = network.enlarge(photo[seen][None] * np.float32(255 / top))[0]
        inside = tuple(slice(scale * (part.start - whole.start), scale * (part.stop - whole.start))
                       for part, whole in zip(own, seen))
        place = tuple(slice(scale * part.start, scale * part.stop) for part in own)
        made[place] = rounded(values[inside] * np.float32(top / 255), top)
        progress(done, len(tiles))
    return made[: scale * height, : scale * width]


def tiles_of(
    shape: tuple[int, ...], side: int, reach: int,
) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """What the network sees of a photo (h, w, ...), and the part of it that is kept, for each tile.

    What it sees has the same size for all tiles, so that a network is compiled once: where the photo ends, a tile is
    moved back.
    """
    spans = [list(spans_of(length, side, reach)) for length in shape[:2]]
    for seen_rows, rows in spans[0]:
        for seen_columns, columns in spans[1]:
            yield (seen_rows, seen_columns), (rows, columns)


def spans_of(length: int, side: int, reach: int) -> Iterator[tuple[slice, slice]]:
    """The same along one axis, in tiles of nearly the same share."""
    share = -(-length // -(-length // side))
    size = min(length, share + 2 * reach)
    kept = 0
    while kept < length:
        begin = min(max(0, kept - reach), length - size)
        end = length if begin + size == length else begin + size - reach
        yield slice(begin, begin + size), slice(kept, end)
        kept = end


def mirrored_to(photo: np.ndarray, side: int) -> np.ndarray:
    """A photo; a side shorter than `side` is mirrored at its end to twice that, so that its border looks like one."""
    short = [2 * side - length if length < side else 0 for length in photo.shape[:2]]
    return np.pad(photo, [(0, short[0]), (0, short[1]), (0, 0)], mode="symmetric") if any(short) else photo
