"""Do two aligned pictures show one thing in two colours, such as a shirt in black and in blue?

Light and contrast make a colour paler or stronger, and leave its hue, but where light is cut off. So a place has
another colour where no such factor makes the colour of one picture that of the other.
"""

import numpy as np
from PIL import Image

from tasks.copies.proof.seen import Frame, Seen

SIDE = 96  # pixels a side of the frame in which colours are compared: noise and compression are gone there
STRONGER = (1.0, 1.15, 1.3, 1.5, 1.75, 2.0, 2.5)  # how many times as strong light and contrast may make a colour
ANOTHER = 24.0  # levels of chroma that a place differs by, from which on its colour is another
LEAST = 0.05  # share of what both show, from which on they have other colours


def recoloured(a: Seen, b: Seen, matrix: np.ndarray) -> bool:
    """Whether a part of what both pictures show has another colour in one of them, or none.

    Args:
        matrix: pixels of a -> pixels of b, as they are looked at.
    """
    frame = Frame(a, b, matrix, SIDE)
    inside = frame.inside(matrix)
    gaps = apart(frame.of_a(a.picture), frame.of_b(b.picture, matrix))
    return bool(inside.any() and (gaps[inside] > ANOTHER).mean() > LEAST)


def apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far the colours of pixels a and b (H, W, 3) lie apart at the least, where the paler one may be stronger:
    (H, W) levels of chroma."""
    gaps = []
    for paler, other in ((a, b), (b, a)):
        wanted = chroma(other)
        for factor in STRONGER:
            gaps += [wanted - factor * chroma(paler), wanted - chroma(factor * paler)]
    return np.linalg.norm(gaps, axis=-1).min(0)


def chroma(values: np.ndarray) -> np.ndarray:
    """The two colour differences (H, W, 2) of pixels (H, W, 3), as in JPEG; 0 where a pixel is grey."""
    picture = Image.fromarray(np.clip(np.rint(values), 0, 255).astype("uint8")).convert("YCbCr")
    return np.asarray(picture, "float32")[..., 1:] - 128
