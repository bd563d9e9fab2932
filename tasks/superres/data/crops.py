"""A photo -> a small crop and the large one of the same place. Runs in worker processes, which never import Keras."""

from collections.abc import Sequence

import numpy as np

from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, smaller_part
from utils.data.images import read_photo

MOST = 1_000_000_000  # bytes of decoded photos that a process keeps
KEPT: dict[str, np.ndarray] = {}


def crop_pair(pair: Pair, scale: int, side: int, seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """A crop of a photo, mirrored and turned by chance, at both sizes.

    Args:
        side: of the small crop, in pixels.
        seed: of the place, the mirroring and the turn.

    Returns:
        (side, side, 3) and (s side, s side, 3) uint8.
    """
    rng = np.random.default_rng(seed)
    large = divisible(read_kept(pair.large), scale)
    top, left = (int(rng.integers(length // scale - side + 1)) for length in large.shape[:2])
    if pair.small:
        small = read_kept(pair.small)[top : top + side, left : left + side]
    else:
        small = smaller_part(large, scale, top, left, side)
    part = large[scale * top : scale * (top + side), scale * left : scale * (left + side)]
    turns, flipped = int(rng.integers(4)), rng.random() < 0.5
    return turned(small, turns, flipped), turned(part, turns, flipped)


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
