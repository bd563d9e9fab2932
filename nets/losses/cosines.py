"""Loss layers on cosines: of every image of a batch and all others, and of what a tower and a teacher see."""

import keras
from keras import ops

from nets.losses.pairs import pair_masks, shares
from nets.replicas import several_replicas, whole_batch


@keras.saving.register_keras_serializable("compare")
class SupCon(keras.layers.Layer):
    """Supervised contrastive loss over all images of the batch (Khosla et al. 2020, equation 2, L_out).

    For anchor i, its positives p and all other images a, with cosines S and temperature T:
    -mean over p of log(exp(S_ip / T) / sum over a of exp(S_ia / T)). An image without a positive in
    the batch adds nothing. With two views of each photo as its class it is SimCLR's NT-Xent. Features must have unit
    length.

    Args:
        temperature: the smaller, the more the nearest negatives count; 0.05 to 0.5.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, temperature: float = 0.1, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.temperature = temperature

    def call(self, features, labels):
        same, different = pair_masks(labels)  # (b, B), neither holds an image with itself
        logits = ops.matmul(features, ops.transpose(whole_batch(features))) / self.temperature  # (b, B)
        others = ops.where(same + different > 0, logits, -1e9)
        log_share = logits - ops.logsumexp(others, axis=1, keepdims=True)  # (b, B)
        positives = ops.sum(same, axis=1)  # (b,)
        losses = -ops.sum(log_share * same, axis=1) / ops.maximum(positives, 1.0)
        return shares(losses * ops.cast(positives > 0, "float32"), ops.cast(positives > 0, "float32"))

    def get_config(self):
        return {**super().get_config(), "temperature": self.temperature}


@keras.saving.register_keras_serializable("compare")
class MultiSimilarity(keras.layers.Layer):
    """Multi-similarity loss with its own mining of pairs (Wang, Han, Huang, Dong & Scott 2019).

    On cosines S, over the different pairs within `slack` of an image's hardest same pair or beyond it, and the same
    pairs within `slack` of its hardest different one:
    1/alpha log(1 + sum over p of exp(-alpha (S - base))) + 1/beta log(1 + sum over n of exp(beta (S - base))).
    Features must be of unit length.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, alpha=2.0, beta=40.0, base=0.5, slack=0.1, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.alpha, self.beta, self.base, self.slack = alpha, beta, base, slack

    def call(self, features, labels):
        cosine = ops.matmul(features, ops.transpose(whole_batch(features)))  # (b, B)
        same, different = pair_masks(labels)  # (b, B)
        hardest_same = ops.min(ops.where(same > 0, cosine, 2.0), axis=1, keepdims=True)  # (b, 1)
        nearest_other = ops.max(ops.where(different > 0, cosine, -2.0), axis=1, keepdims=True)  # (b, 1)
        positives = same * ops.cast(cosine - self.slack < nearest_other, "float32")
        negatives = different * ops.cast(cosine + self.slack > hardest_same, "float32")
        pull = log_one_plus_sum(-self.alpha * (cosine - self.base), positives) / self.alpha  # (b,)
        push = log_one_plus_sum(self.beta * (cosine - self.base), negatives) / self.beta  # (b,)
        return pull + push

    def get_config(self):
        own = {"alpha": self.alpha, "beta": self.beta, "base": self.base, "slack": self.slack}
        return {**super().get_config(), **own}


def log_one_plus_sum(exponents, mask):
    """log(1 + sum of exp(exponents) where mask is 1) along the last axis, without overflow: (b, B) -> (b,)."""
    masked = ops.where(mask > 0, exponents, -1e9)
    return ops.logsumexp(ops.concatenate([ops.zeros_like(masked[:, :1]), masked], axis=1), axis=1)


class Taught(keras.layers.Layer):
    """How far a linear map of what a tower sees is from what a teacher sees of the same pictures.

    The teacher stays as it is. Each number that it gives counts with mean 0 and deviation 1, so that those that tell
    pictures apart count as much as the large ones.

    This is distillation of features (Hinton, Vinyals & Dean 2015; Romero et al. 2015).

    Args:
        teacher: pictures (B, H, W, C) in 0..255 -> features (B, T).
        weight: of this loss beside that of the labels.

    Call: features (b, F) of the tower, pictures (b, H, W, C) -> losses (b,), weight (1 - cosine), 0 to 2 weights.
    """

    def __init__(self, teacher: keras.Model, weight: float = 10.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        teacher.trainable = False
        self.teacher, self.weight = teacher, weight
        self.standard = keras.layers.BatchNormalization(momentum=0.97, center=False, scale=False, dtype="float32",
                                                        synchronized=several_replicas())
        self.guess = keras.layers.Dense(teacher.output_shape[-1], dtype="float32")

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
