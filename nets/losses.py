"""Loss layers: a batch compared with itself, every image through the tower once.

Each layer takes the features (B, F) and the class labels (B,) of a batch of P classes x K images,
adds its loss to the model and hands the features on. Same and different pairs weigh alike,
although a batch holds far fewer same pairs. All arithmetic is float32; under tf.distribute every
replica sees the pairs of the whole batch.
"""

import keras
from keras import ops

from nets.heads import distances
from nets.layers import whole_batch


@keras.saving.register_keras_serializable("compare")
class PairCrossEntropy(keras.layers.Layer):
    """Binary cross-entropy of a head's logits over all pairs of the batch; ln 2 at chance.

    Args:
        head: layer (..., F), (..., F) -> (...) logits of "the same"; it is trained with the tower.

    Call: features (B, F), labels (B,) int -> features (B, F).
    """

    def __init__(self, head, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.head = head

    def build(self, features_shape, labels_shape=None):
        if not self.head.built:
            self.head.build(features_shape, features_shape)

    def call(self, features, labels):
        everyone = whole_batch(features)  # (B, F)
        logits = self.head(everyone[:, None], everyone[None, :])  # (B, B)
        same, different = pair_masks(whole_batch(labels))  # (B, B)
        self.add_loss(
            0.5 * masked_mean(ops.softplus(-logits), same)
            + 0.5 * masked_mean(ops.softplus(logits), different)
        )
        return features


@keras.saving.register_keras_serializable("compare")
class Contrastive(keras.layers.Layer):
    """Contrastive loss over all pairs of the batch (Hadsell, Chopra & LeCun 2006).

    Args:
        margin: distance beyond which different images no longer repel each other.

    Call: features (B, F), labels (B,) int -> features (B, F).
    """

    def __init__(self, margin: float = 1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.margin = margin

    def call(self, features, labels):
        everyone = whole_batch(features)  # (B, F)
        distance = distances(everyone[:, None], everyone[None, :])  # (B, B)
        same, different = pair_masks(whole_batch(labels))  # (B, B)
        loss = contrastive(distance, different, self.margin)  # (B, B)
        self.add_loss(0.5 * masked_mean(loss, same) + 0.5 * masked_mean(loss, different))
        return features

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable("compare")
class SignsOfLife(keras.layers.Layer):
    """Logs whether the embeddings live; passes the features on unchanged.

    `same_distance` and `different_distance`: mean distance of either kind of pair.
    `spread`: standard deviation of the features about their mean over the batch, divided by their
    root mean square: 0 when all embeddings are alike.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.same_distance = keras.metrics.Mean(name="same_distance")
        self.different_distance = keras.metrics.Mean(name="different_distance")
        self.spread = keras.metrics.Mean(name="spread")

    def call(self, features, labels):
        everyone = ops.stop_gradient(whole_batch(ops.cast(features, "float32")))  # (B, F)
        distance = distances(everyone[:, None], everyone[None, :])  # (B, B)
        same, different = pair_masks(whole_batch(labels))  # (B, B)
        self.same_distance.update_state(masked_mean(distance, same))
        self.different_distance.update_state(masked_mean(distance, different))
        self.spread.update_state(
            ops.sqrt(ops.mean(ops.var(everyone, axis=0)) / (ops.mean(ops.square(everyone)) + 1e-12))
        )
        return features


def contrastive(distance, dissimilar, margin: float):
    """Contrastive loss of pairs: 1/2 D^2 where similar, 1/2 max(0, margin - D)^2 where dissimilar.

    Args:
        distance: (...) float, Euclidean distances.
        dissimilar: (...) 1 where the two images differ, 0 where they are the same thing.
    """
    attract = 0.5 * ops.square(distance)
    repel = 0.5 * ops.square(ops.maximum(0.0, margin - distance))
    return (1.0 - dissimilar) * attract + dissimilar * repel


def pair_masks(labels):
    """Which pairs show the same class and which do not; no image is paired with itself.

    (B,) int -> two symmetric (B, B) float32 masks of 0 and 1.
    """
    position = ops.cumsum(ops.ones_like(labels))  # (B,) 1, 2, 3, ...
    itself = ops.cast(position[:, None] == position[None, :], "float32")  # (B, B)
    equal = ops.cast(labels[:, None] == labels[None, :], "float32")  # (B, B)
    return equal - itself, 1.0 - equal


def masked_mean(values, mask):
    """Mean of `values` where `mask` is 1; 0 where it is 1 nowhere."""
    return ops.sum(values * mask) / ops.maximum(ops.sum(mask), 1.0)
