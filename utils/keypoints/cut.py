"""Patches around key points: cut at the key point's scale, turned by its angle, anti-aliased by a pyramid.

A frame says what a patch shows: a matrix (2, 3) that maps the patch's coordinates, -1..1 from edge to edge, to pixels
of the photo. The centre of the first pixel of a photo is (0, 0).
"""

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from utils.keypoints.detector import CAMERA, Keypoints

# sides of a patch in sigmas of its key point: the 4 x 4 grid of SIFT, whose cells are three sigmas wide
MAGNIFICATION = 12.0
OPENCV = 5.303  # a patch of P pixels is what HPatches compares with OpenCV's SIFT at a key point of size P / 5.303
BLOCK = 1 << 22  # samples taken at once


def cut(image: np.ndarray, keypoints: Keypoints, side: int = 32, magnification: float = MAGNIFICATION) -> np.ndarray:
    """The patches of key points.

    Args:
        image: (H, W) or (H, W, C), 0..255.
        side: pixels of a patch each way.
        magnification: a patch shows a square of `magnification` * size / 2 pixels of the photo; size / 2 is the sigma
            of the key point.

    Returns:
        (N, side, side) or (N, side, side, C) float32, 0..255. What lies outside the photo shows its nearest pixel.
    """
    return cut_frames(image, frames_of(keypoints, magnification), side)


def frames_of(keypoints: Keypoints, magnification: float = MAGNIFICATION) -> np.ndarray:
    """The frames (N, 2, 3) of key points; the patch's x axis points along the key point's angle."""
    angle = np.deg2rad(keypoints.angle.astype(float))
    half = magnification * keypoints.size.astype(float) / 4
    cosine, sine = half * np.cos(angle), half * np.sin(angle)
    axes = np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)
    return np.concatenate([axes, keypoints.xy.astype(float)[:, :, None]], axis=2)


def cut_frames(image: np.ndarray, frames: np.ndarray, side: int = 32) -> np.ndarray:
    """The patches of frames (N, 2, 3), which may be turned, mirrored, squeezed and sheared; otherwise as `cut`."""
    image = np.asarray(image, "float32")
    # pixels of the photo from one pixel of a patch to the next
    step = np.sqrt(np.abs(np.linalg.det(frames[:, :, :2]))) * 2 / side
    level = np.rint(2 * np.log2(np.maximum(step, 1))).astype(int)  # half octaves
    patches = np.empty((len(frames), side, side, *image.shape[2:]), "float32")
    for number, (picture, pixel) in enumerate(pyramid(image, level.max(initial=0))):
        rows = np.flatnonzero(level == number)
        for part in np.split(rows, range(BLOCK // side**2, len(rows), max(1, BLOCK // side**2))):
            patches[part] = sampled(picture, frames[part] / pixel, side)
    return patches


def pyramid(image: np.ndarray, levels: int):
    """The photo with the blur of each half octave up to `levels`, and the size of its pixels in pixels of the photo."""
    pixel, before = 1, CAMERA
    for level in range(levels + 1):
        sigma = CAMERA * 2 ** (level / 2)
        if sigma > before:
            width = np.sqrt(sigma**2 - before**2) / pixel
            image = gaussian_filter(image, (width, width, 0)[: image.ndim], mode="nearest", truncate=3.0)
        if level % 2 == 0 and level:
            image, pixel = image[::2, ::2], 2 * pixel
        before = sigma
        yield image, pixel


def sampled(image: np.ndarray, frames: np.ndarray, side: int) -> np.ndarray:
    """What frames (N, 2, 3) in pixels of this image show, interpolated between four pixels: (N, side, side[, C])
    float32."""
    ticks = (2 * np.arange(side) + 1) / side - 1
    x, y = np.meshgrid(ticks, ticks)
    grid = np.stack([x, y, np.ones_like(x)]).reshape(3, -1)
    xy = (frames @ grid).reshape(-1, 2, side, side)
    channels = image[:, :, None] if image.ndim == 2 else image
    planes = [map_coordinates(channels[:, :, c], (xy[:, 1], xy[:, 0]), order=1, mode="nearest")
              for c in range(channels.shape[2])]
    return planes[0] if image.ndim == 2 else np.stack(planes, axis=-1)
