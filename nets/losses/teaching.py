"""A tower that learns what another network sees: distillation (Hinton, Vinyals & Dean 2015), of features."""

import keras
from keras import layers, ops

from nets.replicas import several_replicas


@keras.saving.register_keras_serializable("compare")
class Taught(layers.Layer):
    """How far a linear map of what a tower sees is from what a teacher sees of the same pictures.

    The teacher stays as it is. Each number that it gives counts with mean 0 and deviation 1, so that those that tell
    pictures apart count as much as the large ones (Romero et al. 2015 take features, too).

    Args:
        teacher: pictures (B, H, W, C) in 0..255 -> features (B, T).
        weight: of this loss beside that of the labels.

    Call: features (b, F) of the tower, pictures (b, H, W, C) -> losses (b,), weight (1 - cosine), 0 to 2 weights.
    """

    def __init__(self, teacher: keras.Model, weight: float = 10.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        teacher.trainable = False
        self.teacher, self.weight = teacher, weight
        self.standard = layers.BatchNormalization(momentum=0.97, center=False, scale=False, dtype="float32",
                                                  synchronized=several_replicas())
        self.guess = layers.Dense(teacher.output_shape[-1], dtype="float32")

    def build(self, features_shape, pictures_shape):
        self.guess.build(features_shape)
        self.standard.build(self.teacher.output_shape)

    def call(self, features, pictures, training=None):
        seen = self.standard(self.teacher(pictures, training=False), training=training)
        guessed = self.guess(ops.cast(features, "float32"))
        cosine = ops.sum(ops.normalize(guessed) * ops.normalize(ops.stop_gradient(seen)), axis=-1)
        return self.weight * (1 - cosine)

    def compute_output_shape(self, features_shape, pictures_shape):
        return features_shape[:1]
