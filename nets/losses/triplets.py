"""Loss layers over the triplets of a batch, and the all-pairs loss that is stronger than them.

Like the layers of `nets.losses` they take features (b, F) and labels (b,) and return each image's
share (b,) of the loss; its mean over the batch is the loss.
"""

import keras
from keras import ops

from nets.heads import distances
from nets.layers import whole_batch
from nets.losses.pairs import pair_masks
from nets.losses.mining import MINING


@keras.saving.register_keras_serializable("compare")
class TripletLoss(keras.layers.Layer):
    """Mean over mined triplets of max(0, d(a, p) - d(a, n) + margin), or of the ratio loss.

    Args:
        kind: "triplet" (Schroff, Kalenichenko & Philbin 2015) or "ratio": s^2 of the softmax share
            s = exp(d(a, p)) / (exp(d(a, p)) + exp(d(a, n))) (Hoffer & Ailon 2015, up to a factor).
        margin: of "triplet".
        mining: one of `nets.losses.mining.MINING`; with "all" the mean is over the active triplets.
        squared: whether d is the squared distance (FaceNet) or the distance.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, kind="triplet", margin: float = 0.2, mining="semi_hard", squared: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.kind, self.margin, self.mining, self.squared = kind, margin, mining, squared

    def call(self, features, labels):
        distance = to_everyone(features, self.squared)  # (b, B)
        same, different = pair_masks(labels)  # (b, B)
        mask = ops.stop_gradient(MINING[self.mining](distance, same, different))  # (b, B, B)
        gap = distance[:, :, None] - distance[:, None, :]  # (b, B, B): d(a, p) - d(a, n)
        losses = triplet(gap, self.margin) if self.kind == "triplet" else ratio(gap)
        if self.mining == "all" and self.kind == "triplet":
            mask = mask * ops.cast(losses > 0, "float32")
        return shares(ops.sum(losses * mask, axis=(1, 2)), ops.sum(mask, axis=(1, 2)))

    def get_config(self):
        own = {"kind": self.kind, "margin": self.margin, "mining": self.mining, "squared": self.squared}
        return {**super().get_config(), **own}


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


def triplet(gap, margin: float):
    """max(0, gap + margin) of d(a, p) - d(a, n)."""
    return ops.maximum(0.0, gap + margin)


def ratio(gap):
    """s^2 of the softmax share s = sigmoid(gap) of d(a, p) against d(a, n)."""
    return ops.square(ops.sigmoid(gap))


def shares(sums, counts):
    """Sums and counts of own images (b,) -> shares (b,), whose mean over the batch is sum by count."""
    everyone = whole_batch(counts)  # (B,)
    return sums * ops.cast(ops.shape(everyone)[0], "float32") / ops.maximum(ops.sum(everyone), 1.0)


def log_one_plus_sum(exponents, mask):
    """log(1 + sum of exp(exponents) where mask is 1) along the last axis, without overflow: (b, B) -> (b,)."""
    masked = ops.where(mask > 0, exponents, -1e9)
    return ops.logsumexp(ops.concatenate([ops.zeros_like(masked[:, :1]), masked], axis=1), axis=1)


def to_everyone(features, squared: bool):
    """Distances of own images to all of the batch, or their squares: (b, F) -> (b, B)."""
    distance = distances(features[:, None], whole_batch(features)[None, :])
    return ops.square(distance) if squared else distance


def active_triplets(labels, features, margin: float, squared: bool = False):
    """Share of all triplets of a batch that violate the margin: (b,), (b, F) -> scalar."""
    distance = to_everyone(features, squared)  # (b, B)
    mask = MINING["all"](distance, *pair_masks(labels))  # (b, B, B)
    active = ops.cast(distance[:, :, None] - distance[:, None, :] + margin > 0, "float32")
    return ops.sum(active * mask) / ops.maximum(ops.sum(mask), 1.0)
