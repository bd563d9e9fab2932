"""What describes a patch: a trained network, or SIFT."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from tasks import choosing
from tasks.patches.flags import needs_model
from utils.keypoints import sift
from utils.keypoints.cut import MAGNIFICATION, OPENCV, cut
from utils.keypoints.detector import Keypoints


class Describer(NamedTuple):
    """Patches -> descriptors.

    Attributes:
        name: as it is told, such as "SIFT" or the model's file.
        channels: of its patches, 1 or 3.
        side, magnification: of its patches, see `utils.keypoints.cut`.
        patches: (N, P, P[, C]) of that side and magnification -> (N, F) of unit length.
        resized: the same for patches of a set, whatever their side, which show about `MAGNIFICATION` sigmas.
        runtime: what runs it, in words; "" where that is this project.
    """

    name: str
    channels: int
    side: int
    magnification: float
    patches: Callable[[np.ndarray], np.ndarray]
    resized: Callable[[np.ndarray], np.ndarray]
    runtime: str = ""

    def describe(self, photo: np.ndarray, keypoints: Keypoints) -> np.ndarray:
        """Descriptors (N, F) of the key points of a photo (H, W) or (H, W, 3), as `channels` says."""
        return self.patches(cut(photo, keypoints, self.side, self.magnification))


SIFT = Describer("SIFT", 1, sift.SIDE, sift.MAGNIFICATION, sift.describe,
                 lambda patches: sift.describe(grey(patches), sift.OF_SETS))


def opencv() -> Describer:
    """OpenCV's RootSIFT, to compare with: of a key point in the middle of a patch, as HPatches compares.

    Raises:
        ValueError: OpenCV is not installed.
    """
    try:
        import cv2
    except ImportError:
        raise ValueError("--opencv: OpenCV is not installed: pip install opencv-python-headless") from None
    made = cv2.SIFT_create()

    def describe(patches: np.ndarray) -> np.ndarray:
        middle = (patches.shape[1] - 1) / 2
        point = [cv2.KeyPoint(middle, middle, patches.shape[1] / OPENCV, 0)]
        return root(np.concatenate([made.compute(np.rint(patch).astype("uint8"), point)[1] for patch in grey(patches)]))

    return Describer("OpenCV SIFT", 1, 65, sift.OF_SETS, describe, describe)


def root(descriptors: np.ndarray) -> np.ndarray:
    """RootSIFT (N, 128) of SIFT (N, 128)."""
    return np.sqrt(descriptors / np.maximum(descriptors.sum(1, keepdims=True), 1e-12))


def asked_for(options) -> Describer:
    """What --descriptor and --model ask for.

    Raises:
        ValueError: there is no model.
    """
    if not needs_model(options):
        if options.model:
            raise ValueError(f"--descriptor=sift uses no model: leave --model={options.model} out")
        return SIFT
    try:
        path = choosing.find_model(options.model, "patches")
    except ValueError as error:
        raise ValueError(f"{error}; --descriptor=sift needs no model") from None
    return of_model(path)


def of_model(path: str) -> Describer:
    """The network in a .keras file.

    Raises:
        ValueError: not a model of patches, or one of other channels than grey or colour.
    """
    opened = choosing.open_model(path, "patches")
    side, _, channels = opened.shape
    if channels not in (1, 3):
        raise ValueError(f"{path}: takes patches of {channels} channels, and photos have 1 or 3")

    describe = choosing.checked(opened.use, path)
    return Describer(path, channels, side, MAGNIFICATION, describe,
                     lambda patches: describe(resized(patches if channels == 3 else grey(patches), side, channels)),
                     opened.runtime)


def grey(patches: np.ndarray) -> np.ndarray:
    """Patches (N, P, P) of grey or coloured ones."""
    return patches @ np.array([0.299, 0.587, 0.114], "float32") if patches.ndim == 4 else patches


def resized(patches: np.ndarray, side: int, channels: int) -> np.ndarray:
    """Patches (N, side, side) or (N, side, side, 3) float32, without aliasing."""
    pixels = np.asarray(patches, "float32")
    if channels == 3 and pixels.ndim == 3:
        pixels = np.repeat(pixels[..., None], 3, axis=-1)
    if pixels.shape[1] == side:
        return pixels
    # Pillow's BILINEAR gives the same to 5e-5. It keeps flat patches exactly flat, though, while the network enlarges
    # the rounding errors of these sums, so FPR95 of homogr in docs/patches.md would become .602 where it is .612.
    weights = shares(pixels.shape[1], side)
    return np.einsum("sy,nyx...,tx->nst...", weights, pixels, weights, optimize=True)


def shares(before: int, after: int) -> np.ndarray:
    """How much each of `before` pixels of a row counts for each of `after`: (after, before), by triangles that are as
    wide as a pixel or more."""
    scale = before / after
    centres = (np.arange(after) + 0.5) * scale - 0.5
    weights = np.clip(1 - np.abs(np.arange(before) - centres[:, None]) / max(scale, 1), 0, None)
    return (weights / weights.sum(1, keepdims=True)).astype("float32")
