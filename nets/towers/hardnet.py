"""HardNet and its kin: a patch -> a descriptor of unit length, by plain 3 x 3 convolutions. The rows are in
`nets.towers.PATCHES`.

L2-Net (Tian, Fan & Wu 2017), HardNet (Mishchuk, Mishkin, Radenovic & Matas 2017), SOSNet (Tian et al. 2019), and the
larger nets of "Improving the HardNet Descriptor" (Pultar 2020).
"""

import re
from math import prod, sqrt

import keras
import numpy as np
from keras import layers, ops

from nets.replicas import several_replicas

# of batch normalisation, as in the published weights
NORM = {"momentum": 0.9, "epsilon": 1e-5, "center": False, "scale": False}


@keras.saving.register_keras_serializable("compare")
class PatchNorm(keras.layers.Layer):
    """(x - mean) / (std + 1e-7) of each patch over all its values: (B, P, P, C) -> the same shape, float32. No gradient
    passes the statistics."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, patches):
        patches = ops.cast(patches, "float32")
        fixed = ops.stop_gradient(patches)
        mean, spread = ops.mean(fixed, axis=(1, 2, 3), keepdims=True), ops.std(fixed, axis=(1, 2, 3), keepdims=True)
        return (patches - mean) / (spread + 1e-7)


def plain(images, row, imagenet: bool = False):
    """Convolutions of `row.widths`, a dropout, and a last convolution over all that is left, normalised."""
    x = PatchNorm(name="patch_norm")(images)
    for number, (width, step) in enumerate(steps_of(row.widths), start=1):
        x = block(x, width, step, f"conv{number}")
    return last(x, row)


def residual(images, row, imagenet: bool = False):
    """The same widths in ResNet style: every convolution but the first is followed by another, and a shortcut leads
    around both."""
    x = PatchNorm(name="patch_norm")(images)
    for number, (width, step) in enumerate(steps_of(row.widths), start=1):
        if number == 1:
            x = block(x, width, step, "conv1")
            continue
        way = x
        if step != 1 or x.shape[-1] != width:
            way = norm(convolution(x, width, step, f"conv{number}_way", size=1), f"conv{number}_way")
        x = block(x, width, step, f"conv{number}")
        x = norm(convolution(x, width, 1, f"conv{number}b"), f"conv{number}b")
        x = layers.ReLU(name=f"conv{number}b_relu")(layers.Add(name=f"conv{number}_sum")([x, way]))
    return last(x, row)


def steps_of(widths: str) -> list[tuple[int, int]]:
    """Width and stride of each convolution: "32 64/2" -> [(32, 1), (64, 2)]."""
    return [(int(width), int(step or 1)) for width, _, step in (word.partition("/") for word in widths.split())]


def block(x, width: int, step: int, name: str):
    """Convolution 3 x 3, batch normalisation without scale and shift, ReLU."""
    return layers.ReLU(name=f"{name}_relu")(norm(convolution(x, width, step, name), name))


def convolution(x, width: int, step: int, name: str, size: int = 3):
    """A convolution without bias; at a stride of 2 all sides are padded alike, as in the published weights."""
    if step > 1 and size > 1:
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    return layers.Conv2D(width, size, step, padding="same" if step == 1 or size == 1 else "valid", use_bias=False,
                         kernel_initializer=orthogonal(), name=name)(x)


def norm(x, name: str):
    """Batch normalisation over all devices."""
    return layers.BatchNormalization(**NORM, synchronized=several_replicas(), name=f"{name}_norm")(x)


def last(x, row):
    """Dropout, a convolution over all locations, batch normalisation: (B, row.out)."""
    x = layers.Dropout(row.dropout, name="dropout")(x)
    x = layers.Conv2D(row.out, tuple(x.shape[1:3]), use_bias=False, kernel_initializer=orthogonal(), name="last")(x)
    return layers.Flatten(name="features")(norm(x, "last"))


def orthogonal():
    """Orthogonal first weights with a gain of .6 (Saxe, McClelland & Ganguli 2014)."""
    return keras.initializers.Orthogonal(gain=0.6)


def assign(tower: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Gives a tower of `plain` published weights of PyTorch.

    Args:
        arrays: by PyTorch's names, such as "features.0.weight" (out, in, height, width), "features.1.running_mean" and
            "features.1.running_var" (out,). Layers are taken in the order of the numbers in the names.

    Raises:
        ValueError: arrays that are missing, too many, or of another shape, by their names.
    """
    order = sorted(arrays, key=lambda name: [int(number) for number in re.findall(r"\d+", name)])
    kernels = [name for name in order if name.endswith(".weight")]
    spreads = [name for name in order if name.endswith(".running_var")]
    targets = [layer for layer in tower.layers if isinstance(layer, layers.Conv2D)]
    norms = [layer for layer in tower.layers if isinstance(layer, layers.BatchNormalization)]
    if not len(kernels) == len(spreads) == len(targets):
        raise ValueError(f"{len(kernels)} convolutions and {len(spreads)} normalisations ({', '.join(kernels[:3])} "
                         f"...), the model has {len(targets)} of each: pass the --backbone of these weights")
    weights = [[arrays[name].transpose(2, 3, 1, 0)] if arrays[name].ndim == 4 else [arrays[name]] for name in kernels]
    weights += [[arrays.get(name.replace("_var", "_mean"), np.zeros(0)), arrays[name]] for name in spreads]
    for name, layer, values in zip(kernels + spreads, targets + norms, weights):
        received, expected = [value.shape for value in values], [tuple(weight.shape) for weight in layer.weights]
        if received != expected:
            raise ValueError(f"{name}: {received[-1]}, the model expects {expected[-1]} at {layer.name}, with height "
                             "and width first: pass the --backbone and --input_shape of these weights")
        layer.set_weights(values)
    if kernels[0].startswith("features"):  # HardNet's code divides by a spread over n - 1 values
        count = prod(tower.input_shape[1:])
        targets[0].set_weights([weights[0][0] * sqrt((count - 1) / count)])
