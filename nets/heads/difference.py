"""Heads of Dense layers on |f1 - f2|."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("compare")
class DifferenceHead(keras.layers.Layer):
    """|f1 - f2| -> Dense ReLU -> Dense 1: the head of the Siamese-tf2 article, and Koch's without the ReLU.

    Nothing in the article's form makes equal features score highest. So by default the logit is
    capped at that of equal features, g(|f1 - f2|) -> min(g(|f1 - f2|), g(0)): an image compared with
    itself gets the highest logit there is, with the same weights. Where the cap lies below the logits of all pairs, no
    gradient tells pairs apart, so the last layer starts with weights below 0, by which every difference lowers the
    logit.

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
        first = "glorot_uniform" if plain else keras.initializers.RandomUniform(-0.1, 0.0)
        self.logit = keras.layers.Dense(1, kernel_initializer=first, name="logit", dtype="float32")

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

    def rescale(self, slope: float, offset: float) -> None:
        """Makes slope * logit + offset the logit; slope > 0."""
        kernel, bias = self.logit.get_weights()
        self.logit.set_weights([slope * kernel, slope * bias + offset])

    def get_config(self):
        return {**super().get_config(), "units": self.units, "plain": self.plain}

