"""The head on the Euclidean distance of two features."""

import keras
from keras import ops

EPSILON = 1e-12  # floor of squared distances: the gradient of sqrt at 0 is not a number


@keras.saving.register_keras_serializable("compare")
class DistanceHead(keras.layers.Layer):
    """Logit that falls with the distance: scale * (boundary - ||f1 - f2||), scale > 0.

    Similarity is 1/2 where the distance equals `boundary`. Both numbers are weights: the
    cross-entropy trains them, and `nets.models.siamese.calibrate` fits them after any loss.

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

    def rescale(self, slope: float, offset: float) -> None:
        """Makes slope * logit + offset the logit; slope > 0."""
        boundary, scale = self.get_weights()
        self.set_weights([boundary + offset / (slope * scale), slope * scale])

    def get_config(self):
        return {**super().get_config(), "boundary": self.boundary, "scale": self.scale}


def distances(left, right):
    """Euclidean distances over the last axis: (..., F), (..., F) -> (...), float32, never below 1e-6."""
    squares = ops.square(ops.cast(left, "float32") - ops.cast(right, "float32"))
    return ops.sqrt(ops.maximum(ops.sum(squares, axis=-1), EPSILON))
