"""Towers of earlier articles: Koch 2015, AlexNet, and the shallow network of RankIQA."""

from keras import layers


def koch(images, row=None, imagenet: bool = False):
    """The tower of Koch, Zemel & Salakhutdinov 2015, with 4096 sigmoid features.

    At 105 x 105 x 1, its shape, and with the head "weighted" 38 951 745 parameters.
    """
    x = layers.Rescaling(-1 / 255, offset=1.0)(images)  # ink 1, paper 0
    for stage, (width, size) in enumerate(((64, 10), (128, 7), (128, 4), (256, 4)), start=1):
        if stage > 1:
            x = layers.MaxPooling2D(name=f"stage{stage - 1}_pool")(x)
        x = layers.Conv2D(width, size, activation="relu", name=f"stage{stage}_conv")(x)
    return layers.Dense(4096, "sigmoid", name="features")(layers.Flatten()(x))


def alexnet(images, row=None, imagenet: bool = False):
    """AlexNet for 227 x 227 (Krizhevsky, Sutskever & Hinton 2012), in one stream and without its local
    normalisation."""
    x = layers.Rescaling(1 / 255)(images)
    x = layers.Conv2D(96, 11, 4, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(3, 2, name="pool1")(x)
    x = layers.Conv2D(256, 5, padding="same", activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(3, 2, name="pool2")(x)
    for number, width in ((3, 384), (4, 384), (5, 256)):
        x = layers.Conv2D(width, 3, padding="same", activation="relu", name=f"conv{number}")(x)
    return two_wide_layers(layers.Flatten()(layers.MaxPooling2D(3, 2, name="pool5")(x)))


def shallow(images, row=None, imagenet: bool = False):
    """The article's shallow net for 227 x 227: three convolutions 3 x 3, one 12 x 12, each of 32."""
    x = layers.Rescaling(1 / 255)(images)
    for number in (1, 2):
        x = layers.Conv2D(32, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.MaxPooling2D(4, name=f"pool{number}")(x)
    x = layers.Conv2D(32, 3, padding="same", activation="relu", name="conv3")(x)
    return layers.Flatten()(layers.Conv2D(32, 12, activation="relu", name="conv4")(x))


def two_wide_layers(x):
    """Dense 4096, dropout, Dense 4096, dropout, as VGG16 and AlexNet end."""
    for number in (6, 7):
        x = layers.Dense(4096, "relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.5, name=f"drop{number}")(x)
    return x
