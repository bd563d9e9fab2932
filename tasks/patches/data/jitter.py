"""How a patch differs when its point is seen again: the place is found a little differently, the view is another, and
so is the light.

Frames are those of `utils.keypoints.cut`: (N, 2, 3), patch coordinates -1..1 -> pixels.
"""

from typing import NamedTuple

import numpy as np
from scipy.ndimage import gaussian_filter


class Jitter(NamedTuple):
    """Standard deviations of the error with which a detector finds a point again. The overlaps are those that HPatches
    states."""

    shift: float  # each way, in half sides of the patch
    scale: float  # of the logarithm of the size
    stretch: float  # of the logarithm of the ratio of the two axes
    turn: float  # degrees
    overlap: float  # median overlap, intersection by union, of the ellipse in the patch before and after


JITTERS = {
    "none": Jitter(0.0, 0.0, 0.0, 0.0, 1.0),
    "easy": Jitter(0.075, 0.07, 0.07, 5.0, 0.85),
    "hard": Jitter(0.16, 0.15, 0.15, 10.0, 0.72),
    "tough": Jitter(0.25, 0.21, 0.21, 15.0, 0.61),
}


def jittered(frames: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """The frames (N, 2, 3) as a detector might find them again; `kind` is a name in `JITTERS`."""
    row, count = JITTERS[kind], len(frames)
    turn, way = np.deg2rad(rng.normal(0, row.turn, count)), rng.uniform(0, np.pi, count)
    scale, stretch = np.exp(rng.normal(0, row.scale, count)), np.exp(rng.normal(0, row.stretch, count) / 2)
    widths = np.stack([scale * stretch, scale / stretch], axis=1)
    axes = turned(turn + way) @ (widths[:, :, None] * turned(-way))  # (N, 2, 2)
    return within(frames, axes, rng.normal(0, row.shift, (count, 2)))


def turned(angle: np.ndarray) -> np.ndarray:
    """Rotations (N, 2, 2) by angles (N,) in radians."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)


def within(frames: np.ndarray, axes: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Frames that show, of the patch of each frame, what `axes` (N, 2, 2) and `shift` (N, 2) map -1..1 to."""
    linear = frames[:, :, :2]
    return np.concatenate([linear @ axes, frames[:, :, 2:] + linear @ shift[:, :, None]], axis=2)


def random_homography(width: int, height: int, tilt: float, rng: np.random.Generator) -> np.ndarray:
    """A homography (3, 3) of the photo's pixels that moves each corner by up to `tilt` half sides each way."""
    from scipy.linalg import solve

    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], float)
    moved = corners + rng.uniform(-tilt, tilt, (4, 2)) * (width / 2, height / 2)
    (x, y), (u, v) = corners.T, moved.T
    one, zero = np.ones(4), np.zeros(4)
    rows = np.concatenate([np.stack([x, y, one, zero, zero, zero, -u * x, -u * y], axis=1),
                           np.stack([zero, zero, zero, x, y, one, -v * x, -v * y], axis=1)])
    return np.append(solve(rows, np.concatenate([u, v])), 1.0).reshape(3, 3)


def local_maps(homography: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """The linear part of a homography around points (N, 2): (N, 2, 2)."""
    mapped = np.concatenate([xy, np.ones((len(xy), 1))], axis=1) @ homography.T
    point, depth = mapped[:, :2] / mapped[:, 2:], mapped[:, 2, None, None]
    return (homography[None, :2, :2] - point[:, :, None] * homography[None, 2:, :2]) / depth


def seen_from(frames: np.ndarray, homography: np.ndarray) -> np.ndarray:
    """Frames in the same photo that show what a detector's patches would in the photo moved by a homography.

    A detector follows turns and scales by itself, so the stretch of the homography at the point is what remains.
    """
    _, widths, ways = np.linalg.svd(local_maps(homography, frames[:, :, 2]))
    back = np.sqrt(widths.prod(axis=1))[:, None] / widths  # (N, 2), of the inverse, of determinant 1
    stretch = np.swapaxes(ways, 1, 2) @ (back[:, :, None] * ways)
    return np.concatenate([stretch @ frames[:, :, :2], frames[:, :, 2:]], axis=2)


def relit(patches: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    """Patches (N, P, P[, C]) in 0..255 under another light and by another camera: uint8.

    Contrast curve, gain, offset, a slope of brightness, blur, noise, and what is too bright or too dark is cut off.

    Args:
        strength: 0: nothing changes; 1: as strong as from day to dusk.
    """
    count, side = patches.shape[:2]
    shape = (count,) + (1,) * (patches.ndim - 1)
    drawn = rng.normal(0, strength, (6, *shape))
    x, y = np.meshgrid(np.linspace(-1, 1, side), np.linspace(-1, 1, side))
    plane = x.reshape((1, side, side) + (1,)
                      * (patches.ndim - 3)), y.reshape((1, side, side) + (1,) * (patches.ndim - 3))
    values = 255 * np.clip(patches / 255, 0, 1) ** np.exp(0.35 * drawn[0])
    values = values * np.exp(0.25 * drawn[1] + 0.15 * (drawn[2] * plane[0] + drawn[3] * plane[1])) + 15 * drawn[4]
    for row in np.flatnonzero(rng.random(count) < 0.5 * min(1.0, strength)):
        width = rng.uniform(0.3, 1.4)
        values[row] = gaussian_filter(values[row], (width, width, 0)[: values.ndim - 1], mode="nearest", truncate=2.5)
    values += rng.normal(0, 1, values.shape) * 2.5 * np.abs(drawn[5])
    return np.clip(np.rint(values), 0, 255).astype("uint8")
