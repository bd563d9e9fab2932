"""What makes a larger photo mean little: blocks of hard JPEG compression, and a photo that was enlarged already.

The limits were set on the 200 training photos of BSDS500, Set5 and T91, see docs/superres.md.
"""

import numpy as np

from tasks.superres.pictures.reading import Photo
from utils.batches.crops import middle

HARD = 70.0  # quality of a JPEG below which its blocks are seen in the larger photo
BLOCKS = 0.2  # jump at every eighth pixel, in shares of the mean step, from which on blocks are seen
EMPTY = 0.008  # power of fine detail in shares of that of middling detail, below which there is none
FINE, MIDDLING = (0.38, 0.5), (0.12, 0.2)  # detail in cycles a pixel
LEAST, WINDOW = 64, 512  # pixels a side that are needed, and that are looked at in the middle of a photo


def doubts(photo: Photo) -> list[str]:
    """Why the larger photo may mean little, a few words each; none where nothing speaks against it."""
    grey = grey_middle(photo.colours)
    found = []
    enlarged = min(grey.shape) >= LEAST and detail(grey) < EMPTY
    if photo.jpeg is not None and photo.jpeg < HARD:
        found.append(f"a JPEG of quality {photo.jpeg:.0f}: the network takes its blocks for detail and sharpens them")
    elif not enlarged and min(grey.shape) >= LEAST and blocks(grey) > BLOCKS:
        found.append("shows the blocks of hard JPEG compression, which the network takes for detail and sharpens")
    if enlarged:
        found.append("holds no fine detail, as after an enlargement or a blur: pass the photo as it was before that")
    return found


def grey_middle(colours: np.ndarray) -> np.ndarray:
    """Grey values (h, w) float32, 0..255, of the middle of a photo (H, W, 3), at most `WINDOW` pixels a side."""
    return middle(colours, WINDOW).mean(axis=2, dtype="float32") * np.float32(255 / np.iinfo(colours.dtype).max)


def detail(grey: np.ndarray) -> float:
    """The median power of fine detail in shares of that of middling detail."""
    side = min(grey.shape)
    grey = grey[:side, :side]
    window = np.hanning(side)
    power = np.abs(np.fft.rfft2((grey - grey.mean()) * window[:, None] * window)) ** 2
    cycles = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    fine, middling = (np.median(power[(cycles > low) & (cycles < high)]) for low, high in (FINE, MIDDLING))
    return float(fine / middling) if middling > 1e-3 * side**2 else 1.0  # a flat photo has none to lose


def blocks(grey: np.ndarray) -> float:
    """How much larger the step at every eighth pixel is than those beside it, in shares of the mean step.

    Of rows and columns the smaller counts: JPEG leaves both, and a table or an icon often has one.
    """
    found = []
    for values in (grey, grey.T):
        steps = np.minimum(np.abs(np.diff(values, axis=0)), 32)  # an edge of the photo is no block
        jumps = steps[1:-1] - (steps[:-2] + steps[2:]) / 2
        by_place = [jumps[place::8].mean() for place in range(8)]
        found.append((max(by_place) - np.median(by_place)) / (steps.mean() + 0.5))
    return float(min(found))
