"""What generators and discriminators are built of: pixels in and out, steps upwards, the last layers of a judge."""

from collections.abc import Sequence

import keras
from keras import layers, ops

SLOPE = 0.3  # of leaky ReLU below 0, as in the article
HALF = 127.5  # grey levels: pictures in 0..255 are -1..1 within a network


def pixels_in(images):
    """Pictures in 0..255 -> -1..1."""
    return layers.Rescaling(1 / HALF, offset=-1.0, name="pixels_in")(images)


def pixels_out(x):
    """-1..1 -> pictures around 0..255, float32; they are not clipped."""
    return layers.Rescaling(HALF, offset=HALF, dtype="float32", name="made")(x)


def leaky(x, name: str):
    """Leaky ReLU."""
    return layers.LeakyReLU(SLOPE, name=f"{name}_leaky")(x)


def conv(x, width: int, name: str, size: int = 3, step: int = 1, padding: str = "same", start: str = "glorot_uniform"):
    """A convolution and leaky ReLU."""
    return leaky(layers.Conv2D(width, size, step, padding, kernel_initializer=start, name=name)(x), name)


def upwards(x, widths: Sequence[int | tuple[int, int]]):
    """A transposed convolution 4 x 4 in steps of two for each width, and for (up, conv) a convolution 3 x 3 behind it;
    the last width is that of the picture, whose layer is linear."""
    for number, width in enumerate(widths, start=1):
        up, after = width if isinstance(width, tuple) else (width, 0)
        x = layers.Conv2DTranspose(up, 4, 2, "same", name=f"up{number}")(x)
        x = leaky(x, f"up{number}") if number < len(widths) else x
        x = conv(x, after, f"conv{number}") if after else x
    return x


def judge(x, features, fc: int, wide: Sequence[int], dropped: float = 0.5):
    """The end of a discriminator: mean over locations, features of what was inverted beside it, two logits, made and
    real."""
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    if features is not None:
        seen = layers.Flatten(name="seen")(features)
        for number, width in enumerate(wide, start=1):
            seen = layers.Dense(width, "relu", name=f"seen{number}")(seen)
        x = layers.Concatenate(name="joined")([x, seen])
    x = layers.Dropout(dropped, name="drop1")(x)
    x = layers.Dense(fc, "relu", name="fc")(x)
    x = layers.Dropout(dropped, name="drop2")(x)
    return layers.Dense(2, dtype="float32", name="logits")(x)


@keras.saving.register_keras_serializable("compare")
class Sampled(layers.Layer):
    """A code by chance: mean + e^(log variance / 2) times normal noise in training, the mean otherwise; (B, F) each."""

    def __init__(self, seed: int = 0, **kwargs):
        super().__init__(**kwargs)
        self.seed, self.generator = seed, keras.random.SeedGenerator(seed)

    def call(self, mean, log_variance, training=False):
        if not training:
            return mean
        noise = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.generator)
        return mean + ops.exp(log_variance / 2) * noise

    def get_config(self):
        return {**super().get_config(), "seed": self.seed}
