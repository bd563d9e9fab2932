"""Do two photos look alike where a map lays one onto the other, and not only where their matches lie?

The part that both photos show is cut into cells. Each cell of the first photo is looked for in the second one, around
the place that the map tells. Where the photos show the same place, most cells are found there. What was only laid over
both photos, such as a caption, a frame or a watermark, makes its own matches agree, but not the cells between them.
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from utils.keypoints.geometry import transfer

SIDE, CELL = 256, 16  # pixels of the longer side of what both photos show, as they are compared, and of a cell
REACH, NEAR = 8, 2  # pixels around its place that a cell is looked for, and that it may lie beside it
ALIKE = 0.5 ** 0.5  # least correlation of a cell that is found: it explains half of the variance
TEXTURE = 6.0  # least standard deviation of grey values that makes a cell worth looking for, in either photo


def matching_cells(a: np.ndarray, b: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Which cells that show anything are found again where the map says.

    Args:
        a, b: photos (H, W) or (H, W, 3), values in 0..255.
        matrix: (3, 3) from pixels of a to pixels of b.

    Returns:
        (N,) bool; N is 0 where the photos overlap too little, or show nothing there.
    """
    (a, b), inside = laid_over(grey(a), grey(b), matrix)
    height, width = ((side - 2 * REACH) // CELL * CELL for side in inside.shape)
    if min(height, width) <= 0:
        return np.zeros(0, bool)
    cells = in_cells(a[REACH : REACH + height, REACH : REACH + width])
    best, beside, texture = np.full(cells.shape[:2], -1.0), np.zeros(cells.shape[:2]), spread(cells)
    for y in range(2 * REACH + 1):
        for x in range(2 * REACH + 1):
            others = in_cells(b[y : y + height, x : x + width])
            alike = (cells * others).mean((2, 3)) / np.maximum(spread(cells) * spread(others), 1e-6)
            beside = np.where(alike > best, max(abs(y - REACH), abs(x - REACH)), beside)
            best = np.maximum(best, alike)
            texture = np.maximum(texture, spread(others)) if y == x == REACH else texture
    whole = np.array([[inside[y : y + CELL + 2 * REACH, x : x + CELL + 2 * REACH].all() for x in range(0, width, CELL)]
                      for y in range(0, height, CELL)])
    return ((beside <= NEAR) & (best >= ALIKE))[whole & (texture >= TEXTURE)]


def grey(photo: np.ndarray) -> np.ndarray:
    """A photo (H, W) float32 of a grey or coloured one."""
    return photo.astype("float32") if photo.ndim == 2 else photo.mean(-1, dtype="float32")


def laid_over(a: np.ndarray, b: np.ndarray, matrix: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """What both photos (H, W) show, at `SIDE` pixels, and where they both do: two pictures (h, w), and (h, w) bool."""
    points = np.stack(np.meshgrid(*(np.linspace(0, side - 1, SIDE // 2) for side in a.shape[::-1])), axis=-1)
    both = points[within(transfer(matrix, points), b)]
    if not len(both):
        return (a[:0, :0], b[:0, :0]), np.zeros((0, 0), bool)
    low, high = both.min(0), both.max(0)
    step = max(float((high - low).max()), 1.0) / SIDE
    here = np.stack(np.meshgrid(*(np.arange(start, end, step) for start, end in zip(low, high))), axis=-1)
    there = transfer(matrix, here)
    inside = within(there, b)
    strides = np.linalg.norm(np.diff(there, axis=1), axis=-1)
    strides = strides[np.isfinite(strides)]
    stride = float(np.median(strides)) if len(strides) else 1.0
    return (sampled(a, here, step), sampled(b, np.where(inside[..., None], there, 0), stride)), inside


def within(points: np.ndarray, photo: np.ndarray) -> np.ndarray:
    """Which points (..., 2) lie in a photo (H, W); those beyond the horizon, which are NaN, do not."""
    with np.errstate(invalid="ignore"):
        return ((points >= 0) & (points <= (photo.shape[1] - 1, photo.shape[0] - 1))).all(-1)


def sampled(photo: np.ndarray, points: np.ndarray, stride: float) -> np.ndarray:
    """A photo (H, W) at points (h, w, 2) that lie `stride` pixels apart, without aliasing."""
    smooth = gaussian_filter(photo, 0.5 * np.sqrt(max(stride**2 - 1, 0)), mode="nearest")
    return map_coordinates(smooth, (points[..., 1], points[..., 0]), order=1, mode="nearest")


def in_cells(picture: np.ndarray) -> np.ndarray:
    """The cells (rows, columns, CELL, CELL) of a picture, each of mean 0."""
    cells = picture.reshape(picture.shape[0] // CELL, CELL, -1, CELL).swapaxes(1, 2)
    return cells - cells.mean((2, 3), keepdims=True)


def spread(cells: np.ndarray) -> np.ndarray:
    """The standard deviation of each cell of mean 0."""
    return np.sqrt((cells**2).mean((2, 3)))
