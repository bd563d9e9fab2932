"""Towers that make a photo larger: MSFFRN, whose blocks interleave paths of several depths, and a light one.

Qin et al., "Multi-scale feature fusion residual network for single image super-resolution", Neurocomputing 2020.
"""

import re

import keras
import numpy as np
from keras import layers, ops

DIV2K_MEAN = (114.444, 111.4605, 103.02)  # of DIV2K's red, green and blue in 0..255, which the article subtracts
OUTSIDE = {"first": "head.0", "fuse": "tail.0", "smooth": "tail.1", "up1": "tail.2.0", "up2": "tail.2.2",
           "last": "tail.3"}  # layers outside the blocks, and what the authors call them


def msffrn(images, row, scale: int):
    """The article's network: 6.22, 6.41 and 6.37 M parameters for a scale of 2, 3 and 4.

    A convolution, `row.blocks` blocks one after the other, all their outputs and the first one concatenated, 1 x 1,
    3 x 3, sub-pixel convolutions (two of a scale of 2 make 4), and a last convolution at the larger size.

    Args:
        images: (B, h, w, 3), 0..255.

    Returns:
        (B, scale h, scale w, 3), about 0..255.
    """
    x = layers.Rescaling(1.0, [-mean for mean in DIV2K_MEAN], name="less_mean")(images)
    x = conv(fused(x, row), row.width, "smooth")
    for number, step in enumerate((2, 2) if scale == 4 else (scale,), start=1):
        x = Shuffled(step, name=f"shuffle{number}")(conv(x, row.width * step**2, f"up{number}"))
    return layers.Rescaling(1.0, DIV2K_MEAN, name="plus_mean")(conv(x, 3, "last"))


def msffrn_compact(images, row, scale: int):
    """A light network of the same blocks for machines without a GPU, which adds what bicubic interpolation lacks.

    One convolution makes all pixels of the larger photo at once. It begins with zeros, so the untrained network is
    bicubic interpolation. Shapes as of `msffrn`.
    """
    x = fused(layers.Rescaling(1 / 255, -0.5, name="scaled")(images), row)
    x = layers.Conv2D(3 * scale**2, 3, padding="same", kernel_initializer="zeros", name="last")(x)
    whole = {"dtype": "float32"}  # 0..255 needs more digits than half precision has
    x = layers.Rescaling(255.0, name="levels", **whole)(Shuffled(scale, name="shuffle", **whole)(x))
    return layers.Add(name="enlarged", **whole)([x, Bicubic(scale, name="bicubic", **whole)(images)])


def fused(images, row):
    """The outputs of all blocks and of the first convolution, brought together: (B, h, w, C) -> (B, h, w, width)."""
    first = x = conv(images, row.width, "first")
    made = [x := block(x, row.paths, f"block{number + 1}") for number in range(row.blocks)]
    return layers.Conv2D(row.width, 1, name="fuse")(layers.Concatenate(name="all")([*made, first]))


def block(x, paths: int, name: str):
    """A block of interleaved paths: (B, h, w, C) -> the same shape.

    Path p of P has a convolution with ReLU each 2^(P - p) of the 2^(P - 1) steps. Where several paths have one, in
    every second step, these are concatenated and brought back to C channels by a 1 x 1 convolution, from which exactly
    these paths go on. The last of them plus the input is the output.
    """
    width, steps, outs, joins = x.shape[-1], 2 ** (paths - 1), [x] * paths, 0
    for step in range(1, steps + 1):
        active = [path for path in range(paths) if step % 2 ** (paths - 1 - path) == 0]
        made = [conv(outs[path], width, f"{name}_path{path + 1}_step{step}", "relu") for path in active]
        if len(made) > 1:
            joins += 1
            both = layers.Concatenate(name=f"{name}_all{joins}")(made)
            made = [layers.Conv2D(width, 1, use_bias=False, name=f"{name}_join{joins}")(both)]
        for path in active:
            outs[path] = made[0]
    return layers.Add(name=f"{name}_out")([outs[-1], x])


def conv(x, width: int, name: str, activation: str | None = None):
    """A convolution 3 x 3 that keeps height and width."""
    return layers.Conv2D(width, 3, padding="same", activation=activation, name=name)(x)


def reach(row) -> int:
    """How many pixels of the small photo away a pixel can still count: one for each convolution 3 x 3 in a row."""
    return row.blocks * 2 ** (row.paths - 1) + row.outside


@keras.saving.register_keras_serializable("compare")
class Shuffled(layers.Layer):
    """Channels become pixels (sub-pixel convolution): (B, h, w, s s C) -> (B, s h, s w, C).

    Channel (i s + j) C + c is pixel (i, j) of channel c, on every backend. PyTorch's PixelShuffle has it at
    c s s + i s + j.
    """

    def __init__(self, scale: int, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, x):
        return ops.depth_to_space(x, self.scale, data_format="channels_last")

    def compute_output_shape(self, shape):
        tall, wide = (size and size * self.scale for size in shape[1:3])
        return shape[0], tall, wide, shape[3] // self.scale**2

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable("compare")
class Bicubic(Shuffled):
    """Bicubic interpolation (a = -.5) with mirrored borders, as MATLAB's imresize: (B, h, w, C) -> (B, s h, s w, C).

    A fixed convolution and `Shuffled`, which exports with any height and width. Needs two pixels a side.
    """

    def call(self, images):
        channels = images.shape[-1]
        kernel = ops.convert_to_tensor(bicubic_kernel(self.scale, channels))
        return super().call(ops.conv(mirrored(mirrored(images, 1), 2), ops.cast(kernel, images.dtype), padding="valid"))

    def compute_output_shape(self, shape):
        return super().compute_output_shape((*shape[:3], shape[3] * self.scale**2))


def mirrored(x, axis: int):
    """Two more pixels at both ends of an axis, mirrored at the border."""
    ends = [slice(1, 2), slice(0, 1), slice(None), slice(-1, None), slice(-2, -1)]
    return ops.concatenate([x[(slice(None),) * axis + (end,)] for end in ends], axis=axis)


def bicubic_kernel(scale: int, channels: int) -> np.ndarray:
    """The kernel (5, 5, channels, scale scale channels) of `Bicubic`: the new pixels of a pixel by its neighbours."""
    places = (np.arange(scale) + 0.5) / scale - 0.5  # of the new pixels, in pixels from the middle of the old one
    share = cubic(np.abs(places[:, None] - np.arange(-2, 3)))  # (scale, 5)
    kernel = np.einsum("iy,jx,cd->yxcijd", share, share, np.eye(channels))
    return kernel.reshape(5, 5, channels, scale**2 * channels).astype("float32")


def cubic(distance: np.ndarray) -> np.ndarray:
    """Keys' cubic with a = -.5 at distances in pixels, 0 or above."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def assign(tower: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Gives the tower the weights of MSFFRN's authors, by the names of their PyTorch layers.

    Kernels are turned to Keras' order, and those before a pixel shuffle get their channels in the order of `Shuffled`.

    Args:
        tower: of `msffrn`, of the same scale, paths, blocks and width.
        arrays: of a state_dict, such as "body.0.columns.1.3.conv.weight" (out, in, 3, 3).

    Raises:
        ValueError: a layer that the arrays lack, one too many, or another shape.
    """
    arrays = {name.removeprefix("module."): array for name, array in arrays.items()}
    names = {theirs(layer.name): layer for layer in tower.layers if layer.weights}
    own = [name for name in arrays if not name.startswith(("sub_mean.", "add_mean."))]
    strange = sorted({name.rpartition(".")[0] for name in own} ^ set(names))
    if strange:
        raise ValueError(f"--weights: not those of this network: {len(strange)} layers are only on one side, such as "
                         f"{strange[0]}; pass the --scale, --paths, --blocks and --width of the weights, and "
                         "--backbone=msffrn")
    for name, layer in names.items():
        kernel, *bias = [arrays[f"{name}.{part}"] for part in ("weight", "bias") if f"{name}.{part}" in arrays]
        kernel = np.transpose(kernel, (2, 3, 1, 0))
        if layer.name.startswith("up"):
            order = shuffled_order(int(round((kernel.shape[3] / kernel.shape[2]) ** 0.5)), kernel.shape[2])
            kernel, bias = kernel[..., order], [values[order] for values in bias]
        if [array.shape for array in (kernel, *bias)] != [tuple(weight.shape) for weight in layer.weights]:
            raise ValueError(f"--weights: {name} is {kernel.shape}, the network expects "
                             f"{tuple(layer.weights[0].shape)}")
        layer.set_weights([kernel, *bias])


def theirs(name: str) -> str:
    """The name of the authors' layer for a layer of `msffrn`."""
    if name in OUTSIDE:
        return OUTSIDE[name]
    numbers = [int(number) - 1 for number in re.findall(r"\d+", name)]
    if "join" in name:
        return "body.{}.joinConv.{}".format(*numbers)
    return "body.{}.columns.{}.{}.conv".format(*numbers)


def shuffled_order(scale: int, channels: int) -> np.ndarray:
    """Which of PyTorch's channels before PixelShuffle is each of those before `Shuffled`: (scale scale channels,)."""
    return np.arange(scale**2 * channels).reshape(channels, scale**2).T.ravel()
