"""Heads: features of two images -> logit of "the same". The last step before the sigmoid.

A head takes two arrays of features that broadcast against each other, so the same call compares
two images, (1, F) with (1, F), or a batch with itself, (B, 1, F) with (1, B, F).
"""

from functools import partial

import keras
from keras import ops

EPSILON = 1e-12  # floor of squared distances: the gradient of sqrt at 0 is not a number


@keras.saving.register_keras_serializable("compare")
class DifferenceHead(keras.layers.Layer):
    """|f1 - f2| -> Dense ReLU -> Dense 1: the head of the Siamese-tf2 article, and Koch's without the ReLU.

    Nothing in the article's form makes equal features score highest. So by default the logit is
    capped at that of equal features, g(|f1 - f2|) -> min(g(|f1 - f2|), g(0)): an image compared with
    itself gets the highest logit there is, with the same weights.

    Args:
        units: width of the hidden layer; 0: none, a weighted sum of the differences (Koch, Zemel &
            Salakhutdinov 2015).
        plain: the article's form, without the cap.

    Call: (..., F), (..., F), float -> (...), float32.
    """

    def __init__(self, units: int = 512, plain: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.units, self.plain = units, plain
        self.hidden = keras.layers.Dense(units, "relu", name="hidden", dtype="float32") if units else None
        self.logit = keras.layers.Dense(1, name="logit", dtype="float32")

    def build(self, left_shape, right_shape=None):
        if self.hidden:
            self.hidden.build((None, left_shape[-1]))
        self.logit.build((None, self.units or left_shape[-1]))

    def call(self, left, right):
        difference = ops.abs(ops.cast(left, "float32") - ops.cast(right, "float32"))  # (..., F)
        logit = self.of(difference)  # (...)
        return logit if self.plain else ops.minimum(logit, self.of(ops.zeros((1, difference.shape[-1])))[0])

    def of(self, difference):
        """The logit of a difference: (..., F) -> (...)."""
        hidden = self.hidden(difference) if self.hidden else difference
        return ops.squeeze(self.logit(hidden), axis=-1)

    def get_config(self):
        return {**super().get_config(), "units": self.units, "plain": self.plain}


@keras.saving.register_keras_serializable("compare")
class DistanceHead(keras.layers.Layer):
    """Logit that falls with the distance: scale * (boundary - ||f1 - f2||), scale > 0.

    Similarity is 1/2 where the distance equals `boundary`. Both numbers are weights: the
    cross-entropy trains them, for other losses `nets.siamese.calibrate` fits them afterwards.

    Args:
        boundary: distance that separates same from different, at the start.
        scale: steepness at the start, in logits per unit of distance.

    Call: (..., F), (..., F), float -> (...), float32.
    """

    def __init__(self, boundary: float = 0.5, scale: float = 8.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.boundary, self.scale = boundary, scale

    def build(self, left_shape, right_shape=None):
        constant = keras.initializers.Constant
        self.boundary_weight = self.add_weight(
            (), constant(self.boundary), name="boundary"
        )
        self.scale_weight = self.add_weight(
            (), constant(self.scale), constraint="non_neg", name="scale"
        )

    def call(self, left, right):
        return self.scale_weight * (self.boundary_weight - distances(left, right))

    def get_config(self):
        return {**super().get_config(), "boundary": self.boundary, "scale": self.scale}


def distances(left, right):
    """Euclidean distances over the last axis: (..., F), (..., F) -> (...), float32, never below 1e-6."""
    squares = ops.square(ops.cast(left, "float32") - ops.cast(right, "float32"))
    return ops.sqrt(ops.maximum(ops.sum(squares, axis=-1), EPSILON))


HEADS = {
    "difference": DifferenceHead,
    "plain": partial(DifferenceHead, plain=True),
    "weighted": partial(DifferenceHead, units=0, plain=True),
    "distance": DistanceHead,
}
