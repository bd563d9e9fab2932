"""Loss layers: a batch compared with itself, every image through the tower once.

Each layer takes the features (b, F) and the class labels (b,) of a batch of P classes x K images and
returns each image's share (b,) of the loss, so that the mean over the batch is the loss. Same and
different pairs weigh alike, although a batch holds far fewer same pairs. All arithmetic is float32.
Under tf.distribute a replica holds b of the batch's B images and pairs these with all B.
"""

import keras
from keras import ops

from nets.heads.distance import distances
from nets.heads.locations import all_pairs
from nets.replicas import row_indices, whole_batch


@keras.saving.register_keras_serializable("compare")
class PairCrossEntropy(keras.layers.Layer):
    """Binary cross-entropy of a head's logits over all pairs of the batch; ln 2 at chance.

    Args:
        head: layer (..., F), (..., F) -> (...) logits of "the same"; it is trained with the tower.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, head, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.head = head

    def build(self, features_shape, labels_shape=None):
        if not self.head.built:
            self.head.build(features_shape, features_shape)

    def call(self, features, labels):
        if getattr(self.head, "compares_locations", False):
            logits = all_pairs(self.head, features)  # (b, B)
        else:
            logits = self.head(features[:, None], whole_batch(features)[None, :])
        return balanced(ops.softplus(-logits), ops.softplus(logits), labels)


@keras.saving.register_keras_serializable("compare")
class Contrastive(keras.layers.Layer):
    """Contrastive loss over all pairs of the batch (Hadsell, Chopra & LeCun 2006).

    Args:
        margin: distance beyond which different images no longer repel each other.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, margin: float = 1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.margin = margin

    def call(self, features, labels):
        distance = distances(features[:, None], whole_batch(features)[None, :])  # (b, B)
        return balanced(attraction(distance), repulsion(distance, self.margin), labels)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


def attraction(distance):
    """Contrastive loss of similar pairs: 1/2 D^2."""
    return 0.5 * ops.square(distance)


def repulsion(distance, margin: float):
    """Contrastive loss of dissimilar pairs: 1/2 max(0, margin - D)^2."""
    return 0.5 * ops.square(ops.maximum(0.0, margin - distance))


def pair_masks(labels):
    """Which pairs of an own image and one of the batch show the same class, and which do not.

    (b,) int -> two (b, B) float32 masks of 0 and 1; no image is paired with itself.
    """
    everyone = whole_batch(labels)
    columns = ops.arange(ops.shape(everyone)[0], dtype="int32")
    itself = ops.cast(row_indices(labels)[:, None] == columns[None, :], "float32")  # (b, B)
    equal = ops.cast(labels[:, None] == everyone[None, :], "float32")  # (b, B)
    return equal - itself, 1.0 - equal


def balanced(same_losses, different_losses, labels):
    """Each image's share of the loss: half the mean over the same pairs and half that over the different pairs.

    Args:
        same_losses: (b, B), the loss of each pair if it shows one class.
        different_losses: (b, B), its loss if it shows two.
        labels: (b,) int.

    Returns:
        (b,), whose mean over the batch is the loss. A kind of which the batch has no pair adds nothing.
    """
    everyone = whole_batch(labels)
    images = ops.cast(ops.shape(everyone)[0], "float32")
    equal = ops.sum(ops.cast(everyone[:, None] == everyone[None, :], "float32"))  # in the whole batch, itself included
    same, different = pair_masks(labels)  # (b, B)
    attract = 0.5 * images * ops.sum(same_losses * same, axis=1) / ops.maximum(equal - images, 1.0)
    repel = 0.5 * images * ops.sum(different_losses * different, axis=1) / ops.maximum(images * images - equal, 1.0)
    return attract + repel


def shares(sums, counts):
    """Sums and counts of own images (b,) -> shares (b,), whose mean over the batch is the sum divided by the count."""
    everyone = whole_batch(counts)  # (B,)
    return sums * ops.cast(ops.shape(everyone)[0], "float32") / ops.maximum(ops.sum(everyone), 1.0)


def mean_distances(labels, features):
    """Mean distance of the same pairs and of the different pairs of a batch: (b,), (b, F) -> two scalars."""
    everyone = whole_batch(features)  # (B, F)
    squares = ops.sum(ops.square(features), axis=1)  # (b,)
    product = ops.matmul(features, ops.transpose(everyone))  # (b, B)
    distance = ops.sqrt(ops.maximum(squares[:, None] + whole_batch(squares)[None, :] - 2 * product, 0.0))
    return [ops.sum(distance * mask) / ops.maximum(ops.sum(mask), 1.0) for mask in pair_masks(labels)]


def same_distance(labels, features):
    """Mean distance of two images of one class."""
    return mean_distances(labels, features)[0]


def different_distance(labels, features):
    """Mean distance of two images of different classes."""
    return mean_distances(labels, features)[1]


def spread(labels, features):
    """Standard deviation of the features about their mean over the batch, by their root mean square.

    0 when all embeddings are alike.
    """
    everyone = whole_batch(features)  # (B, F)
    rms = ops.sqrt(ops.mean(ops.square(everyone)) + 1e-12)
    return ops.sqrt(ops.mean(ops.var(everyone, axis=0))) / rms


EMBEDDING_METRICS = (same_distance, different_distance, spread)
