"""SIFTNet: the SIFT descriptor of a patch that is cut already, as layers without weights to train.

Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, section 6; the two modes are those of MP
(Mukundan, Tolias & Chum 2017, gradients weighed within a circle) and of VLFeat. Each patch is described by itself:
nothing depends on the others of the batch.
"""

from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

ANGLES, CELLS = 8, 4  # bins of angles, and of positions each way
# width of a cell, in sides of a patch: three sigmas of the key point of size P / 5.303 that OpenCV's SIFT is given
CELL = 3 / (2 * 5.303)
CLIP = 0.2  # greatest share of one number in a descriptor, before it is scaled again
TINY = 1e-10  # added to squared magnitudes: the gradient of a root at 0 is not a number


class Mode(NamedTuple):
    """How gradients are weighed by their distance d from the centre of a patch of P pixels: exp(-d^2 / (spread *
    P^2))."""

    spread: float
    circular: bool  # whether what lies at P / 2 or farther does not count


MODES = {"mp": Mode(0.9 / 4, True), "vlfeat": Mode(1.0, False)}
GRIDS = ("centred", "seed")


@keras.saving.register_keras_serializable("compare")
class Gradients(keras.layers.Layer):
    """Strength and angle of the gradient at each pixel, by [-1, 0, 1] with the border repeated: (B, P, P, 1) -> two (B,
    P, P, 1), float32."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, patches):
        x = ops.cast(patches, "float32")
        wide = ops.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
        high = ops.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
        gx, gy = wide[:, :, 2:] - wide[:, :, :-2], high[:, 2:] - high[:, :-2]
        return ops.sqrt(ops.square(gx) + ops.square(gy) + TINY), ops.arctan2(gy, gx)


@keras.saving.register_keras_serializable("compare")
class AngleBins(keras.layers.Layer):
    """Weighed strengths, shared between the two neighbouring of `ANGLES` bins: two (B, P, P, 1) -> (B, P, P, `ANGLES`),
    float32.

    Args:
        mode: a name in `MODES`.
    """

    def __init__(self, mode: str = "mp", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.mode = mode

    def call(self, strength, angle):
        position = angle * (ANGLES / (2 * np.pi))
        position = position - ANGLES * ops.floor(position / ANGLES)  # 0..8
        away = ops.abs(position - ops.convert_to_tensor(np.arange(ANGLES, dtype="float32")))  # (B, P, P, 8)
        share = ops.maximum(0.0, 1 - ops.minimum(away, ANGLES - away))
        return strength * share * ops.convert_to_tensor(window(strength.shape[1], self.mode)[None, :, :, None])

    def get_config(self):
        return {**super().get_config(), "mode": self.mode}


@keras.saving.register_keras_serializable("compare")
class Cells(keras.layers.Layer):
    """Sums of each bin under a tent around each of 4 x 4 positions: (B, P, P, A) -> (B, 4, 4, A), float32.

    Args:
        grid: "centred": the positions lie alike around the centre of the patch, and each pixel is shared by its nearest
            positions, as in OpenCV; "seed": as the strides and paddings of a convolution place them, one or two pixels
            aside, under narrower tents.
    """

    def __init__(self, grid: str = "centred", **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.grid = grid

    def call(self, bins):
        weights = ops.convert_to_tensor(tents(bins.shape[1], self.grid))  # (4, P)
        rows = ops.einsum("cy,byxa->bcxa", weights, bins)
        return ops.einsum("dx,bcxa->bcda", weights, rows)

    def get_config(self):
        return {**super().get_config(), "grid": self.grid}


@keras.saving.register_keras_serializable("compare")
class SiftNorm(keras.layers.Layer):
    """Scaled to unit length, cut off at `CLIP`, scaled again; with `rootsift` the square root of the shares of the sum.

    RootSIFT: Arandjelovic & Zisserman 2012. (B, 4, 4, A) -> (B, 16 A), float32; the order is angles, rows, columns.
    """

    def __init__(self, rootsift: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.rootsift = rootsift

    def call(self, cells):
        flat = ops.reshape(ops.transpose(cells, (0, 3, 1, 2)), (-1, CELLS * CELLS * cells.shape[-1]))
        flat = unit(ops.minimum(unit(flat), CLIP))
        return ops.sqrt(flat / ops.maximum(ops.sum(flat, axis=1, keepdims=True), TINY)) if self.rootsift else flat

    def get_config(self):
        return {**super().get_config(), "rootsift": self.rootsift}


def unit(rows):
    """Rows scaled to unit length."""
    return rows / ops.sqrt(ops.maximum(ops.sum(ops.square(rows), axis=1, keepdims=True), TINY))


def window(side: int, mode: str) -> np.ndarray:
    """The weight of each pixel of a patch, by its distance from the centre: (side, side) float32."""
    row, ticks = MODES[mode], np.arange(side) - (side - 1) / 2
    squares = ticks[:, None] ** 2 + ticks[None, :] ** 2
    weight = np.exp(-squares / (row.spread * side**2))
    return (weight * (squares < (side / 2) ** 2) if row.circular else weight).astype("float32")


def tents(side: int, grid: str) -> np.ndarray:
    """The weight of each row, or column, in each of four cells: (4, side) float32.

    Centred tents lie `CELL` of the side apart and reach as far; those of the seed have 2 int(side / 5) taps and lie
    side // 4 apart.
    """
    if grid == "centred":
        step = reach = CELL * side
        first = (side - 1) / 2 - (CELLS - 1) / 2 * step
    else:
        taps, step = 2 * int(side / 5), side // CELLS
        first, reach = (taps - 1) / 2 - taps // 4, taps / 2
    away = np.abs(np.arange(side) - first - step * np.arange(CELLS)[:, None])
    return np.maximum(0, 1 - away / reach).astype("float32")


def siftnet(side: int = 65, mode: str = "vlfeat", rootsift: bool = False, grid: str = "centred") -> keras.Model:
    """SIFT of cut patches, a model named "tower": patches (B, side, side, 1) of any range -> (B, 128) of unit length.

    Args:
        side: pixels of a patch each way, 16 or more.
        mode: "mp" or "vlfeat", see `MODES`.
        rootsift: whether the square root is taken.
        grid: "centred", with which a mirrored patch gives the mirrored descriptor, or "seed".

    Raises:
        ValueError: a patch that is too small, or no such mode or grid.
    """
    if side < 16 or mode not in MODES or grid not in GRIDS:
        raise ValueError(f"side={side}, mode={mode}, grid={grid}: expected 16 or more pixels, mode "
                         f"{' or '.join(MODES)}, grid {' or '.join(GRIDS)}")
    image = keras.Input((side, side, 1), name="image")
    strength, angle = Gradients(name="gradients")(image)
    cells = Cells(grid, name="cells")(AngleBins(mode, name="angles")(strength, angle))
    return keras.Model(image, layers.Identity(name="features")(SiftNorm(rootsift, name="norm")(cells)), name="tower")


def mirrored(descriptors: np.ndarray) -> np.ndarray:
    """What the descriptors (N, 128) become where the patch is mirrored from left to right."""
    cells = descriptors.reshape(-1, ANGLES, CELLS, CELLS)
    return cells[:, (ANGLES // 2 - np.arange(ANGLES)) % ANGLES, :, ::-1].reshape(len(descriptors), -1)
