"""Heads of Dense layers on two features that are fused: added, multiplied, or one after the other."""

import keras
from keras import ops


def add(left, right):
    """The sum: what both show weighs double."""
    return left + right


def product(left, right):
    """The product of each feature: large where both have it."""
    return left * right


def concat(left, right):
    """One after the other, so that the Dense layers see which feature is whose."""
    return ops.concatenate([left + 0 * right, right + 0 * left], axis=-1)  # the sums broadcast


# function, and how many features it gives for each
FUSIONS = {"add": (add, 1), "product": (product, 1), "concat": (concat, 2)}


@keras.saving.register_keras_serializable("compare")
class FusionHead(keras.layers.Layer):
    """Two features, fused -> Dense ReLU -> Dense 1, the same both ways round, and highest for a feature with itself.

    With g the Dense layers on the fused features, both ways round, the logit is

        boundary - |(g(a, a) + g(b, b)) / 2 - g(a, b)|

    It is symmetric, and `boundary`, a weight, is reached by each picture with itself and exceeded by none. A minimum of
    the three would do that too, but its gradient is lost where the minimum is the same for all pairs, and then nothing
    is learnt.

    Args:
        fusion: a name in `FUSIONS`.
        units: width of the hidden layer.

    Call: (..., F), (..., F), float -> (...), float32.
    """

    def __init__(self, fusion: str, units: int = 512, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.fusion, self.units = fusion, units
        self.hidden = keras.layers.Dense(units, "relu", name="hidden", dtype="float32")
        self.logit = keras.layers.Dense(1, name="logit", use_bias=False, dtype="float32")  # a bias would cancel out

    def build(self, left_shape, right_shape=None):
        self.hidden.build((None, FUSIONS[self.fusion][1] * left_shape[-1]))
        self.logit.build((None, self.units))
        self.boundary = self.add_weight((), keras.initializers.Constant(2.0), name="boundary")

    def call(self, left, right):
        left, right = ops.cast(left, "float32"), ops.cast(right, "float32")
        itself = (self.of(left, left) + self.of(right, right)) / 2
        return self.boundary - ops.abs(itself - self.of(left, right))

    def of(self, left, right):
        """g, the same both ways round: (..., F), (..., F) -> (...)."""
        fused = FUSIONS[self.fusion][0]
        logit = self.after(fused(left, right))
        # the others are symmetric already
        return (logit + self.after(fused(right, left))) / 2 if self.fusion == "concat" else logit

    def after(self, features):
        """The Dense layers: (..., F) -> (...)."""
        return ops.squeeze(self.logit(self.hidden(features)), axis=-1)

    def rescale(self, slope: float, offset: float) -> None:
        """Makes slope * logit + offset the logit; slope > 0."""
        self.logit.set_weights([slope * self.logit.get_weights()[0]])
        self.boundary.assign(slope * self.boundary + offset)

    def get_config(self):
        return {**super().get_config(), "fusion": self.fusion, "units": self.units}
