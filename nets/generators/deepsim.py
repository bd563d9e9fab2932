"""The networks of Dosovitskiy & Brox 2016: generators for features and for codes, and the discriminator.

Layers, strides and parameter counts are the article's. What the article's sources do not give is ours, and said to be.
"""

import keras
from keras import layers

from nets.generators.parts import conv, judge, leaky, pixels_in, pixels_out, upwards

CODE = 8  # channels of the autoencoder's code, which is an eighth as high and wide as the picture
FC = 4096  # numbers of the code of a variational autoencoder, and of the first layers of its decoder
STACK = ((256, 512), (256, 256), (128, 128), 64, 32, 3)  # from 4 x 4 to 256 x 256


def autoencoder(side: int) -> tuple[keras.Model, keras.Model]:
    """Pictures (B, 64, 64, 3) -> codes (B, 8, 8, 8), and back. The widths are ours."""
    image, code = keras.Input((side, side, 3), name="image"), keras.Input((side // 8, side // 8, CODE), name="code")
    x = pixels_in(image)
    for number, (width, size, step) in enumerate(((64, 5, 2), (64, 3, 1), (128, 3, 2), (128, 3, 1), (256, 3, 2),
                                                  (256, 3, 1)), start=1):
        x = conv(x, width, f"conv{number}", size, step)
    encoder = keras.Model(image, layers.Conv2D(CODE, 3, padding="same", name="code")(x), name="encoder")
    x = upwards(conv(code, 256, "conv0"), ((256, 256), (128, 128), 64))
    x = layers.Conv2D(3, 3, padding="same", name="picture")(leaky(x, "last"))
    return encoder, keras.Model(code, pixels_out(x), name="generator")


def variational(side: int) -> tuple[keras.Model, keras.Model]:
    """Pictures (B, 256, 256, 3) -> mean and log variance of codes (B, 4096); codes -> pictures.

    The encoder is ours: the article's discriminator widened, with two layers behind it.
    """
    image = keras.Input((side, side, 3), name="image")
    x = pixels_in(image)
    for number, (width, size, step) in enumerate(((64, 5, 4), (128, 5, 2), (256, 3, 2), (256, 3, 2), (256, 3, 2)),
                                                 start=1):
        x = conv(x, width, f"conv{number}", size, step)
    x = layers.Flatten(name="flat")(x)
    ends = [layers.Dense(FC, dtype="float32", name=name)(x) for name in ("mean", "log_variance")]
    return keras.Model(image, ends, name="encoder"), from_features((FC,), side)


def inversion(shape: tuple[int, ...], side: int) -> tuple[None, keras.Model]:
    """Features (B, F) or (B, h, w, C) -> pictures."""
    return None, from_features(shape, side) if len(shape) == 1 else from_maps(shape, side)


def from_features(shape: tuple[int, ...], side: int) -> keras.Model:
    """The generator for FC6, 56.1 M parameters at 4096 features and 256 pixels; for FC8 it takes 1000."""
    x = code = keras.Input(shape, name="code")
    for number in (1, 2, 3):
        x = leaky(layers.Dense(FC, name=f"fc{number}")(x), f"fc{number}")
    x = layers.Reshape((4, 4, FC // 16), name="grid")(x)
    return keras.Model(code, pixels_out(upwards(x, stack(side))), name="generator")


def from_maps(shape: tuple[int, ...], side: int) -> keras.Model:
    """The generator for CONV5, 12.7 M parameters at maps of 6 x 6 x 256 and 256 pixels.

    The last of the three convolutions takes 6 x 6 to 4 x 4; maps of other sizes are first resized to that (ours).
    """
    x = code = keras.Input(shape, name="code")
    if tuple(shape[:2]) != (6, 6):
        x = layers.Resizing(6, 6, name="to_six")(x)
    for number, padding in enumerate(("same", "same", "valid"), start=1):
        x = conv(x, 512, f"in{number}", padding=padding)
    return keras.Model(code, pixels_out(upwards(x, stack(side))), name="generator")


def stack(side: int) -> tuple:
    """The upward stack for pictures of `side` pixels; ValueError where it has no such."""
    steps = {8 * 2**number: STACK[: number] + STACK[-1:] for number in range(2, 6)}
    if side not in steps:
        raise ValueError(f"--input_shape={side},{side},3: this generator makes pictures of "
                         f"{', '.join(map(str, steps))} pixels a side")
    return steps[side]


def discriminator(side: int, shape: tuple[int, ...] = ()) -> keras.Model:
    """Pictures (B, s, s, 3), and features of `shape` where there are some -> two logits: made and real.

    The first step is 4, and 2 for pictures of 64 pixels.
    """
    image = keras.Input((side, side, 3), name="image")
    seen = keras.Input(shape, name="code") if shape else None
    x = pixels_in(image)
    for number, (width, size, step) in enumerate(((32, 7, 2 if side <= 64 else 4), (64, 5, 1), (128, 3, 2), (256, 3, 1),
                                                  (256, 3, 2)), start=1):
        x = layers.Conv2D(width, size, step, activation="relu", name=f"conv{number}")(x)
    return keras.Model([image, seen] if shape else image, judge(x, seen, 512, (1024, 512)), name="discriminator")
