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


FUSIONS = {"add": (add, 1), "product": (product, 1), "concat": (concat, 2)}  # function, and how many features it gives for each


@keras.saving.register_keras_serializable("compare")
class FusionHead(keras.layers.Layer):
    """Two features, fused -> Dense ReLU -> Dense 1, the same both ways round, and highest for a feature with itself.

    Symmetric because the logit is the mean of g(fused(a, b)) and g(fused(b, a)). Nothing in g makes equal features score
    highest, so the logit is capped by those of a and of b with themselves: min(g(a, b), g(a, a), g(b, b)).

    Args:
        fusion: a name in `FUSIONS`.
        units: width of the hidden layer.

    Call: (..., F), (..., F), float -> (...), float32.
    """

    def __init__(self, fusion: str, units: int = 512, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.fusion, self.units = fusion, units
        self.hidden = keras.layers.Dense(units, "relu", name="hidden", dtype="float32")
        self.logit = keras.layers.Dense(1, name="logit", dtype="float32")

    def build(self, left_shape, right_shape=None):
        self.hidden.build((None, FUSIONS[self.fusion][1] * left_shape[-1]))
        self.logit.build((None, self.units))

    def call(self, left, right):
        left, right = ops.cast(left, "float32"), ops.cast(right, "float32")
        itself = ops.minimum(self.of(left, left), self.of(right, right))
        return ops.minimum(self.of(left, right), itself)

    def of(self, left, right):
        """The logit before the cap: (..., F), (..., F) -> (...)."""
        fused = FUSIONS[self.fusion][0]
        logit = self.after(fused(left, right))
        return (logit + self.after(fused(right, left))) / 2 if self.fusion == "concat" else logit  # the others are symmetric already

    def after(self, features):
        """The Dense layers: (..., F) -> (...)."""
        return ops.squeeze(self.logit(self.hidden(features)), axis=-1)

    def rescale(self, slope: float, offset: float) -> None:
        """Makes slope * logit + offset the logit; slope > 0."""
        kernel, bias = self.logit.get_weights()
        self.logit.set_weights([slope * kernel, slope * bias + offset])

    def get_config(self):
        return {**super().get_config(), "fusion": self.fusion, "units": self.units}
