"""Light towers for machines without a GPU."""

from keras import layers

from nets.layers import MeanAndSpread
from nets.replicas import several_replicas


def compact(images, row=None, imagenet: bool = False):
    """A light tower for machines without a GPU: 0.46 M parameters and 128 features at any input shape.

    Four stages of two 3 x 3 convolutions; the last maps are pooled to 3 x 3, so that the location of
    a stroke still counts. Several devices normalise their batch as one.
    """
    x = layers.MaxPooling2D(name="stage4_pool")(compact_maps(images))
    if x.shape[1:3] != (3, 3):
        x = layers.AdaptiveAveragePooling2D(3, name="grid")(x)
    return layers.Dense(128, name="features")(layers.Flatten()(x))


def compact_maps(images, row=None, imagenet: bool = False):
    """The last maps of `compact` before they are pooled: an eighth of the input's sides, 112 channels."""
    x = layers.Rescaling(-1 / 255, offset=1.0)(images)  # ink 1, paper 0
    for stage, width in enumerate((32, 48, 80, 112), start=1):
        for conv in (1, 2):
            x = normalised_conv(x, width, f"stage{stage}_conv{conv}")
        if stage < 4:
            x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    return x


def photos(images, row=None, imagenet: bool = False):
    """A light tower for photographs: 0.46 M parameters and 128 features at any input shape.

    A convolution 5 x 5 in steps of two, then four stages, the last three of two convolutions 3 x 3. Mean and spread of
    the last maps over all locations describe what is there, wherever it stands. Grey images are shown as colour.
    """
    return layers.Dense(128, name="features")(MeanAndSpread(name="seen")(photos_maps(images)))


def photos_maps(images, row=None, imagenet: bool = False):
    """The last maps of `photos` before they are pooled: a sixteenth of the input's sides, 112 channels."""
    if images.shape[-1] == 1:
        images = layers.Concatenate(name="grey_thrice")([images] * 3)
    x = layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    x = normalised_conv(x, 32, "stem", 5, 2)
    for stage, widths in enumerate(((48,), (64, 64), (96, 96), (112, 112)), start=1):
        for conv, width in enumerate(widths, start=1):
            x = normalised_conv(x, width, f"stage{stage}_conv{conv}")
        if stage < 4:
            x = layers.MaxPooling2D(name=f"stage{stage}_pool")(x)
    return x


def compact_quality(images, row=None, imagenet: bool = False):
    """A light tower for two cores, 0.29 M parameters, for photos of any size.

    A convolution 5 x 5 in steps of two, which sees every pixel, then four stages, the last three of
    two convolutions 3 x 3. Mean and spread over all locations are taken of the stem and of every
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
