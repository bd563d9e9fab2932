"""Towers: image -> features, or image -> quality. Pixels go in as 0..255, so nobody can feed a tower wrongly."""

import keras
import numpy as np
from keras import layers

from nets.layers import ImagenetPixels, MeanAndSpread, several_replicas

Shape = tuple[int, int, int]


def make_tower(backbone: str, input_shape: Shape, normalize: bool, pixels: str = "unit") -> keras.Model:
    """A tower by its name in `TOWERS`.

    Args:
        backbone: "vgg16", "compact" or "koch".
        input_shape: (height, width, channels), 32 or more a side (koch: 65); channels 1 or 3.
        normalize: whether features are scaled to unit length, so that distances lie in 0..2.
        pixels: what the weights expect: "unit" (0..1; weights made from scratch or by Siamese-tf2)
            or "imagenet" (BGR minus the ImageNet mean; grey is repeated). Converted inside.

    Returns:
        Model named "tower": (batch, height, width, channels) in 0..255 -> (batch, features).
    """
    least = 65 if backbone == "koch" else 32
    if min(input_shape[:2]) < least or input_shape[2] not in (1, 3):
        raise ValueError(f"input shape {input_shape}: expected {least} or more pixels a side and 1 or 3 channels")
    images = keras.Input(input_shape, name="image")
    features = TOWERS[backbone](images, pixels)
    if normalize:
        features = layers.UnitNormalization(dtype="float32", name="unit_length")(features)
    return keras.Model(images, features, name="tower")


def check_name(backbone: str, towers: dict) -> None:
    """Raises ValueError where there is no such tower."""
    if backbone not in towers:
        raise ValueError(f"--backbone={backbone} is none for this task: expected {', '.join(towers)}")


def vgg16(images, pixels: str):
    """VGG16's 13 convolutions and 5 poolings, flattened (Simonyan & Zisserman 2015).

    4608 features and 14 714 688 parameters at 105 x 105 x 3, the Siamese-tf2 article's form.
    """
    x = ImagenetPixels()(images) if pixels == "imagenet" else layers.Rescaling(1 / 255)(images)
    backbone = keras.applications.VGG16(include_top=False, weights=None, input_shape=x.shape[1:], name="vgg16")
    return layers.Flatten()(backbone(x))


def koch(images, pixels: str = "unit"):
    """The tower of Koch, Zemel & Salakhutdinov 2015, with 4096 sigmoid features.

    At 105 x 105 x 1, its shape, and with the head "weighted" 38 951 745 parameters.
    """
    x = layers.Rescaling(-1 / 255, offset=1.0)(images)  # ink 1, paper 0
    for stage, (width, size) in enumerate(((64, 10), (128, 7), (128, 4), (256, 4)), start=1):
        if stage > 1:
            x = layers.MaxPooling2D(name=f"stage{stage - 1}_pool")(x)
        x = layers.Conv2D(width, size, activation="relu", name=f"stage{stage}_conv")(x)
    return layers.Dense(4096, "sigmoid", name="features")(layers.Flatten()(x))


def compact(images, pixels: str = "unit"):
    """A light tower for machines without a GPU: 0.46 M parameters and 128 features at any input shape.

    Four stages of two 3 x 3 convolutions; the last maps are pooled to 3 x 3, so that the place of
    a stroke still counts. Several devices normalise their batch as one.
    """
    x = layers.Rescaling(-1 / 255, offset=1.0)(images)  # ink 1, paper 0
    for stage, width in enumerate((32, 48, 80, 112), start=1):
        for conv in (1, 2):
            x = normalised_conv(x, width, f"stage{stage}_conv{conv}")
        x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    if x.shape[1:3] != (3, 3):
        x = layers.AdaptiveAveragePooling2D(3, name="grid")(x)
    return layers.Dense(128, name="features")(layers.Flatten()(x))


TOWERS = {"vgg16": vgg16, "compact": compact, "koch": koch}
INPUT_SHAPES = {"vgg16": (105, 105, 3), "compact": (48, 48, 1), "koch": (105, 105, 1)}  # where the user names none


def make_quality_tower(backbone: str, input_shape: tuple[int | None, int | None, int], pixels: str = "unit") -> keras.Model:
    """A tower that tells quality, by its name in `QUALITY_TOWERS`.

    Args:
        input_shape: (height, width, 3), `LEAST_CROPS` or more a side; None for any size, which only the compact one takes.
        pixels: as of `make_tower`.

    Returns:
        Model named "tower": (batch, height, width, 3) in 0..255 -> (batch, 1), float32.
    """
    images = keras.Input(input_shape, name="image")
    features = QUALITY_TOWERS[backbone](images, pixels)
    return keras.Model(images, layers.Dense(1, dtype="float32", name="quality")(features), name="tower")


def vgg16_quality(images, pixels: str):
    """VGG16 with two Dense layers of 4096 and dropout: 134 264 641 parameters at 224 x 224 (Liu et al. 2017)."""
    return two_wide_layers(vgg16(images, pixels))


def alexnet(images, pixels: str = "unit"):
    """AlexNet for 227 x 227 (Krizhevsky, Sutskever & Hinton 2012), in one stream and without its local normalisation."""
    x = layers.Rescaling(1 / 255)(images)
    x = layers.Conv2D(96, 11, 4, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = layers.Conv2D(256, 5, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    for number, width in ((3, 384), (4, 384), (5, 256)):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    return two_wide_layers(layers.Flatten()(layers.MaxPooling2D(3, 2, name="pool5")(x)))


def two_wide_layers(x):
    """Dense 4096, dropout, Dense 4096, dropout, as VGG16 and AlexNet end."""
    for number in (6, 7):
        x = layers.Dense(4096, "relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.5, name=f"drop{number}")(x)
    return x


def shallow(images, pixels: str = "unit"):
    """The article's shallow net for 227 x 227: three convolutions 3 x 3, one 12 x 12, each of 32."""
    x = layers.Rescaling(1 / 255)(images)
    for number in (1, 2):
        x = layers.Conv2D(32, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling2D(4, name=f"pool{number}")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3")(x)
    return layers.Flatten()(layers.Conv2D(32, 12, activation="relu", name="conv4")(x))


def compact_quality(images, pixels: str = "unit"):
    """A light tower for two cores, 0.29 M parameters, for photos of any size.

    A convolution 5 x 5 in steps of two, which sees every pixel, then four stages, the last three of
    two convolutions 3 x 3. Mean and spread over all places are taken of the stem and of every
    stage: some faults are seen in fine detail, some in the whole.
    """
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = normalised_conv(x, 32, "stem", 5, 2)
    seen = [MeanAndSpread(name="stem_seen")(x)]
    for stage, widths in enumerate(((32,), (48, 48), (64, 64), (96, 96)), start=1):
        for conv, width in enumerate(widths, start=1):
            x = normalised_conv(x, width, f"stage{stage}_conv{conv}")
        seen.append(MeanAndSpread(name=f"stage{stage}_seen")(x))
        if stage < 4:
            x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    return layers.Dense(64, "relu", name="features")(layers.Concatenate(name="seen")(seen))


def normalised_conv(x, width: int, name: str, size: int = 3, step: int = 1):
    """Convolution, batch normalisation over all devices, ReLU."""
    x = layers.Conv2D(width, size, step, padding="same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.97, synchronized=several_replicas(), name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


QUALITY_TOWERS = {"vgg16": vgg16_quality, "alexnet": alexnet, "shallow": shallow, "compact": compact_quality}
CROPS = {"vgg16": 224, "alexnet": 227, "shallow": 227, "compact": 128}  # side of the crops to train on
LEAST_CROPS = {"vgg16": 32, "alexnet": 67, "shallow": 192, "compact": 32}


def vgg16_layers(tower: keras.Model) -> dict[str, keras.layers.Layer]:
    """The layers with weights of the VGG16 in a tower, by name; ValueError where there is none."""
    if "vgg16" not in [layer.name for layer in tower.layers]:
        raise ValueError("these are VGG16 weights: pass --backbone=vgg16")
    return {layer.name: layer for layer in tower.get_layer("vgg16").layers if layer.weights}


def set_arrays(targets: dict[str, keras.layers.Layer], arrays: dict[str, list[np.ndarray]]) -> None:
    """Gives each layer its kernel and bias.

    Raises:
        ValueError: a layer that the arrays lack, shapes that do not fit, or arrays that change nothing.
    """
    missing = sorted(set(targets) - set(arrays))
    if missing:
        raise ValueError(f"the weights lack the layers {', '.join(missing)}")
    changed = False
    for name, layer in targets.items():
        received = [array.shape for array in arrays[name]]
        expected = [tuple(weight.shape) for weight in layer.weights]
        if received != expected:
            raise ValueError(f"layer {name}: the weights are {received}, the model expects {expected}")
        changed |= any(not np.array_equal(old, new) for old, new in zip(layer.get_weights(), arrays[name]))
        layer.set_weights(arrays[name])
    if not changed:
        raise ValueError("the weights changed nothing: the model held the same ones already")
