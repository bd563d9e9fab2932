"""SIFT of cut patches in NumPy: what answers without a model, and what a model is compared with.

Lowe 2004, section 6: a grid of 4 x 4 cells with 8 directions each. A cell is three sigmas of the key point wide, and
the photo is blurred by one sigma, as in OpenCV.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from utils.keypoints.cut import CAMERA, OPENCV

CELLS, DIRECTIONS, CLIP = 4, 8, 0.2
MAGNIFICATION, SIDE = 15.0, 24  # of the patches that suit it: the grid and half a cell around it
OF_SETS = 2 * OPENCV  # the magnification that patches of HPatches and PhotoTour are taken to have
BLOCK = 512  # patches described at once


def describe(patches: np.ndarray, magnification: float = MAGNIFICATION, root: bool = True) -> np.ndarray:
    """The descriptors (N, 128) float32 of grey patches (N, P, P), of unit length.

    Args:
        magnification: how many sigmas of its key point a patch shows, see `utils.keypoints.cut`.
        root: RootSIFT, the square root of the descriptor whose sum is 1 (Arandjelovic and Zisserman 2012).
    """
    parts = [patches[start : start + BLOCK] for start in range(0, len(patches), BLOCK)]
    made = [histograms(np.asarray(part, "float32"), magnification) for part in parts]
    descriptors = np.concatenate(made or [np.zeros((0, CELLS * CELLS * DIRECTIONS), "float32")])
    descriptors = unit(np.minimum(unit(descriptors), CLIP))
    return np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-12)) if root else descriptors


def mirrored(descriptors: np.ndarray) -> np.ndarray:
    """The descriptors (N, 128) of the same points in the mirrored photo: each patch lies along its key point's
    direction, so that mirroring turns its rows of cells around, and its directions."""
    cells = descriptors.reshape(-1, CELLS, CELLS, DIRECTIONS)
    return cells[:, ::-1, :, -np.arange(DIRECTIONS) % DIRECTIONS].reshape(descriptors.shape)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) of length 1; zeros stay."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def histograms(patches: np.ndarray, magnification: float) -> np.ndarray:
    """Strength of gradients by cell and direction (N, 128) of patches (N, P, P); each gradient is shared among its two
    nearest of all three."""
    side = patches.shape[1]
    sigma = side / magnification
    patches = gaussian_filter(patches, (0, *[np.sqrt(max(sigma**2 - CAMERA**2, 0.01))] * 2), mode="nearest",
                              truncate=3.0)
    across, down = (np.diff(np.pad(patches, ((0, 0), *pad), mode="edge"), axis=axis)
                    for axis, pad in ((2, ((0, 0), (1, 1))), (1, ((1, 1), (0, 0)))))
    dx, dy = across[:, :, 1:] + across[:, :, :-1], down[:, 1:] + down[:, :-1]
    position = (np.arange(side) - (side - 1) / 2) / (3 * sigma)  # in cells, from the centre
    strength = np.hypot(dx, dy) * np.exp(-(position**2 + position[:, None] ** 2) / (CELLS**2 / 2)).astype("float32")
    turn = np.arctan2(dy, dx) * (DIRECTIONS / (2 * np.pi))
    turn[turn < 0] += DIRECTIONS
    lower = turn.astype(int)
    shared = np.zeros((len(patches), DIRECTIONS, side * side), "float32")
    pixel = np.arange(side * side).reshape(side, side) + np.arange(len(patches))[:, None, None] * shared[0].size
    shared.ravel()[pixel + lower % DIRECTIONS * side**2] = strength * (lower + 1 - turn)
    shared.ravel()[pixel + (lower + 1) % DIRECTIONS * side**2] = strength * (turn - lower)
    # (P, 4)
    tents = np.clip(1 - np.abs(position[:, None] - np.arange(CELLS) + (CELLS - 1) / 2), 0, None).astype("float32")
    cells = (shared.reshape(-1, side * side) @ np.kron(tents, tents)).reshape(-1, DIRECTIONS, CELLS, CELLS)
    return np.moveaxis(cells, 1, -1).reshape(len(patches), -1)
