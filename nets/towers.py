"""Towers: image -> features. Pixels go in as 0..255, so nobody can feed a tower wrongly."""

import keras
from keras import layers

from nets.layers import ImagenetPixels, several_replicas

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
    together = several_replicas()
    x = layers.Rescaling(-1 / 255, offset=1.0)(images)  # ink 1, paper 0
    for stage, width in enumerate((32, 48, 80, 112), start=1):
        for conv in (1, 2):
            name = f"stage{stage}_conv{conv}"
            x = layers.Conv2D(width, 3, padding="same", use_bias=False, name=name)(x)
            x = layers.BatchNormalization(momentum=0.97, synchronized=together, name=f"{name}_norm")(x)
            x = layers.ReLU(name=f"{name}_relu")(x)
        x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    if x.shape[1:3] != (3, 3):
        x = layers.AdaptiveAveragePooling2D(3, name="grid")(x)
    return layers.Dense(128, name="features")(layers.Flatten()(x))


TOWERS = {"vgg16": vgg16, "compact": compact, "koch": koch}
INPUT_SHAPES = {"vgg16": (105, 105, 3), "compact": (48, 48, 1), "koch": (105, 105, 1)}  # where the user names none
