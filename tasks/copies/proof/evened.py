"""Light that falls unevenly on one of two aligned pictures, as that of a lamp or a window does, taken out of it."""

import numpy as np
from PIL import Image

from tasks.copies.proof.light import blurred
from tasks.copies.proof.seen import Frame, Seen
from utils.keypoints.geometry import transfer

SIDE, BLUR = 192, 4.0  # pixels a side of the frame in which light is compared, and sigma of the blur before it
DARK, LEAST = 8.0, 500  # grey levels that are added, so that black says little, and pixels that are needed
ROUNDS = 8  # of the fit, in which places that differ count less and less
UNEVEN = 0.015  # deviation of the logarithm of the light, from which on it is uneven


def evened(a: Seen, b: Seen, matrix: np.ndarray) -> Seen | None:
    """The second picture in the light of the first one; None where the light differs evenly or not at all.

    The logarithm of the light is a polynomial of second degree in x and y, which no place that differs is.

    Args:
        matrix: pixels of a -> pixels of b, of the files.
    """
    matrix = np.diag([*b.ratio, 1]) @ matrix @ np.diag([*1 / a.ratio, 1])
    frame = Frame(a, b, matrix, SIDE)
    inside = frame.inside(matrix)
    if inside.sum() < LEAST:
        return None
    levels = (blurred(values, BLUR)[inside] for values in (frame.of_a(a.grey), frame.of_b(b.grey, matrix)))
    light = np.subtract(*(np.log(np.maximum(level, 0) + DARK) for level in levels))
    rows, columns = np.nonzero(inside)
    terms = powers(np.stack([columns + 0.5, rows + 0.5], axis=1) / frame.size)
    weight = np.ones(len(light))
    for _ in range(ROUNDS):
        found = np.linalg.lstsq(terms * weight[:, None], light * weight, rcond=None)[0]
        beside = np.abs(light - terms @ found)
        weight = 1 / (1 + beside / (np.median(beside) + 0.01))
    known = terms @ found
    if known.std() < UNEVEN:
        return None
    y, x = np.mgrid[: b.picture.height, : b.picture.width] + 0.5
    back = np.linalg.inv(matrix @ frame.into_a)  # pixels of b -> pixels of the frame
    at = transfer(back, np.stack([x, y], axis=-1).reshape(-1, 2)) / frame.size
    light = np.exp(np.clip(powers(at) @ found, known.min(), known.max())).reshape(b.picture.height, b.picture.width, 1)
    values = (np.asarray(b.picture, "float32") + DARK) * light - DARK
    lit = Seen(Image.fromarray(np.clip(np.rint(values), 0, 255).astype("uint8")), b.side)
    lit.size, lit.filled, lit.whole = b.size, b.filled, b.whole
    return lit


def powers(at: np.ndarray) -> np.ndarray:
    """The terms (N, 6) of a polynomial of second degree at points (N, 2)."""
    x, y = at.T
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
