"""A copy that lies a few pixels aside is laid back on its original, because the eye does not mind."""

import numpy as np
from scipy import fft

from utils.batches.crops import middle
from utils.metrics.pictures import luma
from utils.saying import counted

MOST = 4  # pixels that a copy may lie aside
LOOKED_AT = 512  # pixels a side, at most, of the middle by which that is found
# of the phase correlation, 1 for equal pictures: below this peak a shift is none. Unrelated photos reach .023, other
# real receipts, forms, slides and scores of music of one layout .04; photos that are shifted and distorted as in
# TID2013 lie above, but for strong blur, compression and noise
PEAK = 0.1
LEAST = 32  # pixels a side of a picture, below which it is not looked for


def aside(one: np.ndarray, other: np.ndarray, most: int = MOST) -> tuple[int, int]:
    """How many pixels what the second picture shows lies below and to the right of the first, -most..most each.

    By phase correlation (Kuglin & Hines 1975) of luma: it tells whole pixels, and only where the copy is otherwise much
    the same.

    Args:
        one, other: pictures (H, W, 3) uint8 of one size.

    Returns:
        (down, right); (0, 0) where nothing clear is found, and for pictures of less than 32 pixels a side.
    """
    if min(one.shape[:2]) < LEAST:
        return 0, 0
    parts = [luma(middle(picture, LOOKED_AT)).astype("float64") for picture in (one, other)]
    window = np.outer(*(np.hanning(length) for length in parts[0].shape))
    first, second = (fft.rfft2((part - part.mean()) * window) for part in parts)
    cross = second * first.conj()
    peaks = fft.irfft2(cross / np.maximum(np.abs(cross), 1e-9), parts[0].shape)
    near = np.arange(-most, most + 1)
    peaks = peaks[np.ix_(near, near)]
    down, right = np.unravel_index(np.argmax(peaks), peaks.shape)
    return (int(near[down]), int(near[right])) if peaks[down, right] >= PEAK else (0, 0)


def overlap(one: np.ndarray, other: np.ndarray, shift: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """The parts of two pictures (H, W, ...) that show the same, if the second lies `shift`, (down, right), aside."""
    (top, left), (height, width) = np.maximum(shift, 0), np.array(one.shape[:2]) - np.abs(shift)
    up, back = np.maximum(np.negative(shift), 0)
    return one[up : up + height, back : back + width], other[top : top + height, left : left + width]


def in_words(shift: tuple[int, int]) -> str:
    """What was laid back, (down, right), such as "shifted 1 pixel to the right and 2 pixels up, and laid back"."""
    ways = [f"{counted(abs(count), 'pixel')} {plus if count > 0 else minus}" for count, plus, minus in
            ((shift[1], "to the right", "to the left"), (shift[0], "down", "up")) if count]
    return f"shifted {' and '.join(ways)}, and laid back"
