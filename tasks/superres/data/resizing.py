"""Bicubic resizing as MATLAB's imresize does it, by which the published figures of super-resolution are made."""

import numpy as np
from PIL import Image

from utils.metrics.pictures import rounded

LEAST = 3  # pixels of the small photo beyond a crop that its bicubic interpolation needs, and one to spare


def resized(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """A photo at another size, bicubic (a = -.5) and antialiased where it shrinks: float32, not rounded.

    Pillow's filter is MATLAB's; at the border MATLAB mirrors the photo, where Pillow leaves out what lies beyond.

    Args:
        photo: (H, W) or (H, W, C), of any range.

    Returns:
        (height, width) or (height, width, C).
    """
    pads = [int(np.ceil(2 * max(1.0, old / new))) + 1 for old, new in zip(photo.shape, (height, width))]
    rows, columns = photo.shape[:2]
    box = (pads[1], pads[0], pads[1] + columns, pads[0] + rows)

    def plane(values: np.ndarray) -> np.ndarray:
        """One channel."""
        padded = np.pad(values.astype("float32"), [(pad, pad) for pad in pads], mode="symmetric")
        return np.asarray(Image.fromarray(padded).resize((width, height), Image.Resampling.BICUBIC, box))

    if photo.ndim == 2:
        return plane(photo)
    return np.stack([plane(photo[..., channel]) for channel in range(photo.shape[2])], axis=-1)


def smaller(photo: np.ndarray, scale: int) -> np.ndarray:
    """The low-resolution photo that the published figures start from: (s h, s w, 3) uint8 -> (h, w, 3) uint8."""
    return rounded(resized(photo, photo.shape[0] // scale, photo.shape[1] // scale))


def larger(photo: np.ndarray, scale: int) -> np.ndarray:
    """What a network is compared with: (h, w, 3) uint8 -> (s h, s w, 3) uint8, by bicubic interpolation."""
    return rounded(resized(photo, photo.shape[0] * scale, photo.shape[1] * scale))


def lanczos(photo: np.ndarray, scale: int) -> np.ndarray:
    """The same by Pillow's Lanczos filter."""
    size = (photo.shape[1] * scale, photo.shape[0] * scale)
    return np.asarray(Image.fromarray(photo).resize(size, Image.Resampling.LANCZOS))


def divisible(photo: np.ndarray, scale: int) -> np.ndarray:
    """A photo without the last rows and columns that the scale does not divide."""
    height, width = (side // scale * scale for side in photo.shape[:2])
    return photo[:height, :width]


def smaller_part(photo: np.ndarray, scale: int, top: int, left: int, side: int) -> np.ndarray:
    """A square of `smaller(photo, scale)`, made without the rest: (side, side, 3) uint8.

    Args:
        photo: (s h, s w, 3) uint8.
        top, left: of the square in the small photo.
    """
    begins = [max(0, place - LEAST) for place in (top, left)]
    rows, columns = (slice(begin * scale, (place + side + LEAST) * scale) for begin, place in zip(begins, (top, left)))
    part = smaller(photo[rows, columns], scale)
    return part[top - begins[0] :, left - begins[1] :][:side, :side]
