"""The perceptual distance of two pictures, between deep features; the terms of DeePSiM (Dosovitskiy & Brox 2016)."""

import keras
import numpy as np
from keras import layers, ops

from nets.comparator import given_by


@keras.saving.register_keras_serializable("compare")
class DeepDistance(layers.Layer):
    """The perceptual distance of pictures: the Euclidean distance of a comparator's features, in units.

    d(a, b)^2 = mean over layers l of mean over locations of |C_l(a) - C_l(b)|^2 / unit_l^2

    It is 0 for equal pictures and symmetric. With the units of `measure`, unrelated photos have distance 1 on average:
    N of the article's table 3. The article's C(x) has no unit, and its sum over n locations is n unit^2 d^2.

    Args:
        comparator: pictures (B, h, w, 3) in 0..255 -> a list of maps (B, h', w', C) or features (B, F); it stays as it
            is.

    Call: a list of two pictures (B, h, w, 3) in 0..255 -> (B,) float32.
    """

    def __init__(self, comparator: keras.Model, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.comparator = comparator
        self.comparator.trainable = False
        self.units = self.add_weight((len(comparator.outputs),), "ones", trainable=False, name="units")

    def call(self, pictures):
        squared = self.squared(*pictures)
        positive = squared > 0
        return ops.where(positive, ops.sqrt(ops.where(positive, squared, 1.0)), 0.0)  # no gradient of NaN at 0

    def squared(self, one, other):
        """The squared distance (B,), which is what is minimised."""
        return sum(ops.mean(part, axis=(1, 2)) for part in self.locations(one, other)) / len(self.comparator.outputs)

    def locations(self, one, other) -> list:
        """Where two pictures differ: the squared distance at each location of each layer, (B, h', w')."""
        pairs = zip(self.features(one), self.features(other))
        return [ops.sum(ops.square(left - right), axis=-1) for left, right in pairs]

    def features(self, pictures) -> list:
        """The features of pictures in units, (B, h', w', C) of each layer; those without locations have one."""
        made = given_by(self.comparator, ops.cast(pictures, "float32"))
        units = ops.convert_to_tensor(self.units)
        maps = [ops.cast(each, "float32") / units[number] for number, each in enumerate(made)]
        return [each if len(each.shape) == 4 else each[:, None, None, :] for each in maps]

    def measure(self, pictures: np.ndarray) -> None:
        """Makes the mean distance between different ones of pictures (N, h, w, 3), N > 1, the unit of each layer.

        The distances between neighbours in the list stand for those between all.
        """
        self.units.assign(np.ones(self.units.shape, "float32"))
        apart = self.locations(pictures, np.roll(pictures, 1, axis=0))
        units = [float(ops.mean(ops.sqrt(ops.mean(part, axis=(1, 2))))) for part in apart]
        self.units.assign(np.maximum(units, 1e-12).astype("float32"))

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0],)

    def get_config(self):
        return {**super().get_config(), "comparator": keras.saving.serialize_keras_object(self.comparator)}

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "comparator": keras.saving.deserialize_keras_object(config["comparator"])})


class Between(layers.Layer):
    """The distance of two pictures as a function of both: (B, h, w, 3), (B, h, w, 3) -> (B,).

    Args:
        distance: between the pictures.
    """

    def __init__(self, distance: DeepDistance, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.distance, self.built = distance, True

    def call(self, one, other):
        return self.distance([one, other])


class Spatial(Between):
    """Where two pictures differ: (B, h, w, 3), (B, h, w, 3) -> (B, h, w).

    The root of its mean square is the distance, but for what resizing the maps changes.
    """

    def call(self, one, other):
        parts = [ops.image.resize(part[..., None], tuple(one.shape[1:3]), interpolation="bilinear",
                                  data_format="channels_last", antialias=True)[..., 0]
                 for part in self.distance.locations(one, other)]
        return ops.sqrt(ops.maximum(sum(parts) / len(parts), 0.0))


def pixel_term(made, original):
    """|G(x) - y|^2 / 2 of pictures (B, h, w, 3) in 0..255, summed over all values: (B,). On -1..1, weigh it by
    127.5^2."""
    return ops.sum(ops.square(made - original), axis=(1, 2, 3)) / 2


def absolute_term(made, original):
    """|G(x) - y|, summed over all values of pictures (B, h, w, 3) in 0..255: (B,)."""
    return ops.sum(ops.abs(made - original), axis=(1, 2, 3))


def says_real(logits):
    """-log D of two logits (B, 2), made and real, of a softmax: (B,)."""
    return ops.softplus(logits[:, 0] - logits[:, 1])


def says_made(logits):
    """-log(1 - D) of two logits (B, 2): (B,)."""
    return ops.softplus(logits[:, 1] - logits[:, 0])


def kl_term(mean, log_variance):
    """How far codes (B, ...) are from a standard normal distribution, summed over their numbers: (B,); Kingma &
    Welling 2014."""
    each = ops.square(mean) + ops.exp(log_variance) - 1 - log_variance
    return ops.sum(ops.reshape(each, (ops.shape(mean)[0], -1)), axis=1) / 2


class PerceptualLoss(keras.losses.Loss):
    """A loss between pictures (B, h, w, 3) in 0..255 that other tasks can take: d^2 + weight * mean |G(x) - y|.

    Args:
        distance: d.
        weight: of a grey level; ours.
    """

    def __init__(self, distance: DeepDistance, weight: float = 0.002):
        super().__init__(name="deepsim", dtype="float32")
        self.distance, self.weight = distance, weight

    def call(self, y_true, y_pred):
        original, made = (ops.cast(pictures, "float32") for pictures in (y_true, y_pred))
        return self.distance.squared(made, original) + self.weight * ops.mean(ops.abs(made - original), axis=(1, 2, 3))
