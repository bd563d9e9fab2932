"""Generators and a discriminator for two cores, at 64 x 64 pixels. All widths are ours."""

import keras
from keras import layers

from nets.generators.parts import conv, judge, leaky, pixels_in, pixels_out, upwards

CODE, FC = 8, 128  # channels of the autoencoder's code; numbers of a variational autoencoder's
WIDTHS = (96, 64, 48, 32)  # of the steps upwards, from 4 x 4 on
LEAST = 4  # pixels a side of the first maps of a generator


def autoencoder(side: int) -> tuple[keras.Model, keras.Model]:
    """Pictures (B, 64, 64, 3) -> codes (B, 8, 8, 8), and back: 87 144 and 180 051 parameters."""
    image, code = keras.Input((side, side, 3), name="image"), keras.Input((side // 8, side // 8, CODE), name="code")
    x = pixels_in(image)
    for number, (width, size) in enumerate(((32, 5), (64, 3), (96, 3)), start=1):
        x = conv(x, width, f"conv{number}", size, 2)
    encoder = keras.Model(image, layers.Conv2D(CODE, 3, padding="same", name="code")(conv(x, 64, "conv4", 1)),
                          name="encoder")
    return encoder, ended(code, conv(code, 96, "conv0"), 3)


def variational(side: int) -> tuple[keras.Model, keras.Model]:
    """Pictures (B, 64, 64, 3) -> mean and log variance of codes (B, 128); codes -> pictures."""
    image = keras.Input((side, side, 3), name="image")
    x = pixels_in(image)
    for number, (width, size) in enumerate(((32, 5), (48, 3), (64, 3), (96, 3)), start=1):
        x = conv(x, width, f"conv{number}", size, 2)
    x = layers.Flatten(name="flat")(x)
    ends = [layers.Dense(FC, dtype="float32", name=name)(x) for name in ("mean", "log_variance")]
    return keras.Model(image, ends, name="encoder"), from_features((FC,), side)


def inversion(shape: tuple[int, ...], side: int) -> tuple[None, keras.Model]:
    """Features (B, F) or (B, h, w, C) -> pictures. Maps are first resized to the next size that doubles to `side`."""
    if len(shape) == 1:
        return None, from_features(shape, side)
    start = max(size for size in (LEAST, 8, 16, 32) if size <= max(LEAST, min(shape[:2])) and side % size == 0)
    code = keras.Input(shape, name="code")
    x = code if tuple(shape[:2]) == (start, start) else layers.Resizing(start, start, name="to_power")(code)
    return None, ended(code, conv(conv(x, 96, "in1"), 96, "in2"), steps(side, start))


def from_features(shape: tuple[int, ...], side: int) -> keras.Model:
    """Codes (B, F) -> pictures, over maps of 4 x 4."""
    code = keras.Input(shape, name="code")
    x = leaky(layers.Dense(256, name="fc1")(code), "fc1")
    x = leaky(layers.Dense(LEAST * LEAST * 96, name="fc2")(x), "fc2")
    return ended(code, layers.Reshape((LEAST, LEAST, 96), name="grid")(x), steps(side, LEAST))


def steps(side: int, start: int) -> int:
    """How often maps of `start` pixels a side are doubled; ValueError where that does not give `side`."""
    count = (side // start).bit_length() - 1
    if start * 2**count != side or count > len(WIDTHS) + 1:
        raise ValueError(f"--input_shape={side},{side},3: expected 16, 32, 64 or 128 pixels a side")
    return count


def ended(code, x, doubled: int) -> keras.Model:
    """The generator whose first maps are `x`, doubled so often; the last step is a convolution of all pixels."""
    widths = WIDTHS[max(0, len(WIDTHS) - doubled):]
    x = leaky(upwards(x, widths), "last")
    return keras.Model(code, pixels_out(layers.Conv2D(3, 3, padding="same", name="picture")(x)), name="generator")


def discriminator(side: int, shape: tuple[int, ...] = ()) -> keras.Model:
    """Pictures (B, s, s, 3), and features of `shape` where there are some -> two logits: made and real."""
    image = keras.Input((side, side, 3), name="image")
    seen = keras.Input(shape, name="code") if shape else None
    x = pixels_in(image)
    for number, (width, step) in enumerate(((32, 1), (32, 2), (64, 2), (96, 2)), start=1):
        x = conv(x, width, f"conv{number}", 3, step, "valid", "he_normal")
    return keras.Model([image, seen] if shape else image, judge(x, seen, 64, (64,), 0.0), name="discriminator")
