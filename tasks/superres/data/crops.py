"""A photo -> a small crop and the large one of the same place. Runs in worker processes, which never import Keras."""

import numpy as np

from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, resized, smaller, smaller_part
from utils.data.images import read_photo

STEP = 4  # pixels of a small photo from one place that is looked at to the next
MOST = 1_000_000_000  # bytes of decoded photos that a process keeps
KEPT: dict[str, np.ndarray] = {}


def crop_pair(
    pair: Pair, scale: int, side: int, place: tuple[int, int], turns: int, flipped: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a photo at both sizes, turned by so many quarters and perhaps mirrored.

    Args:
        side: of the small crop, in pixels.
        place: its top and left in the small photo.

    Returns:
        (side, side, 3) and (s side, s side, 3) uint8.
    """
    (top, left), large = place, divisible(read_kept(pair.large), scale)
    if pair.small:
        small = read_kept(pair.small)[top : top + side, left : left + side]
    else:
        small = smaller_part(large, scale, top, left, side)
    part = large[scale * top : scale * (top + side), scale * left : scale * (left + side)]
    return turned(small, turns, flipped), turned(part, turns, flipped)


def errors(pair: Pair, scale: int, side: int) -> tuple[np.ndarray, tuple[int, int]]:
    """What bicubic interpolation lacks in the crops of a photo: the mean squared error of those at every `STEP` pixels.

    Returns:
        (rows, columns) float32, in squared grey levels; and how many places there are along both sides.
    """
    large = divisible(read_kept(pair.large), scale)
    small = read_kept(pair.small) if pair.small else smaller(large, scale)
    squared = ((resized(small, *large.shape[:2]) - large) ** 2).mean(axis=2)
    total = np.pad(squared, ((1, 0), (1, 0))).cumsum(0, dtype="float64").cumsum(1)[::scale, ::scale]
    sums = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    return (sums[::STEP, ::STEP] / (scale * side) ** 2).astype("float32"), sums.shape


def turned(photo: np.ndarray, turns: int, flipped: bool) -> np.ndarray:
    """A photo (H, W, C) turned by so many quarters, and then mirrored."""
    photo = np.rot90(photo, turns)
    return np.ascontiguousarray(photo[:, ::-1] if flipped else photo)


def read_kept(path: str) -> np.ndarray:
    """A photo (H, W, 3) uint8, which stays in memory while there is room."""
    if path in KEPT:
        return KEPT[path]
    photo = read_photo(path)
    if sum(kept.nbytes for kept in KEPT.values()) + photo.nbytes <= MOST:
        KEPT[path] = photo
    return photo
