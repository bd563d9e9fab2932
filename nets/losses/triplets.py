"""Loss layers over the triplets of a batch, whose distances are compared within each triplet."""

import keras
from keras import ops

from nets import named
from nets.heads.distance import distances
from nets.losses import MININGS
from nets.losses.mining import all_triplets
from nets.losses.pairs import pair_masks, shares
from nets.replicas import whole_batch


class MinedTriplets(keras.layers.Layer):
    """Mean of a cost over the triplets that a way of mining picks.

    Args:
        mining: one of `nets.losses.MININGS`.
        squared: whether d is the squared distance (FaceNet) or the distance.

    Call: features (b, F), labels (b,) int -> losses (b,).
    """

    def __init__(self, mining: str = "semi_hard", squared: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.mining, self.squared = mining, squared

    def call(self, features, labels):
        distance = to_everyone(features, self.squared)  # (b, B)
        same, different = pair_masks(labels)  # (b, B)
        mask = ops.stop_gradient(named("nets.losses", MININGS[self.mining])(distance, same, different))  # (b, B, B)
        gap = distance[:, :, None] - distance[:, None, :]  # (b, B, B): d(a, p) - d(a, n)
        costs = self.cost(gap)
        mask = self.counted(mask, costs)
        return shares(ops.sum(costs * mask, axis=(1, 2)), ops.sum(mask, axis=(1, 2)))

    def cost(self, gap):
        """What a triplet costs whose positive is farther than its negative by `gap`: (b, B, B) -> (b, B, B)."""
        raise TypeError(f"{type(self).__name__} has no cost: expected TripletLoss or RatioLoss")

    def counted(self, mask, costs):
        """The triplets over which the mean is taken."""
        return mask

    def get_config(self):
        return {**super().get_config(), "mining": self.mining, "squared": self.squared}


@keras.saving.register_keras_serializable("compare")
class TripletLoss(MinedTriplets):
    """Mean over mined triplets of max(0, d(a, p) - d(a, n) + margin) (Schroff, Kalenichenko & Philbin 2015).

    With mining "all" the mean is over the triplets that cost something.

    Args:
        margin: how much farther than the positive the negative must be.
    """

    def __init__(self, margin: float = 0.2, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def cost(self, gap):
        return ops.maximum(0.0, gap + self.margin)

    def counted(self, mask, costs):
        return mask * ops.cast(costs > 0, "float32") if self.mining == "all" else mask

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable("compare")
class RatioLoss(MinedTriplets):
    """Mean over mined triplets of s^2, the softmax share s = exp(d(a, p)) / (exp(d(a, p)) + exp(d(a, n))) (Hoffer &
    Ailon 2015)."""

    def cost(self, gap):
        return ops.square(ops.sigmoid(gap))


def to_everyone(features, squared: bool):
    """Distances of own images to all of the batch, or their squares: (b, F) -> (b, B)."""
    distance = distances(features[:, None], whole_batch(features)[None, :])
    return ops.square(distance) if squared else distance


def active_triplets(labels, features, margin: float, squared: bool = False):
    """Share of all triplets of a batch that violate the margin: (b,), (b, F) -> scalar."""
    distance = to_everyone(features, squared)  # (b, B)
    mask = all_triplets(distance, *pair_masks(labels))  # (b, B, B)
    active = ops.cast(distance[:, :, None] - distance[:, None, :] + margin > 0, "float32")
    return ops.sum(active * mask) / ops.maximum(ops.sum(mask), 1.0)
