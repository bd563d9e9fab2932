"""The ranking hinge: the better of two levels must score higher by a margin, every image through the tower once."""

import keras
from keras import ops

from nets.replicas import whole_batch


@keras.saving.register_keras_serializable("compare")
class RankingHinge(keras.layers.Layer):
    """Sum over all pairs of levels of max(0, margin - (better - worse)), divided by the number of images (Liu et al.
    2017).

    Pairs are of one distortion; a pristine photo (level 0) belongs to every distortion, so it
    passes the tower once and not once for each. The gradient of image i is
    1/N (#{j better than i by less than margin} - #{j worse than i by less than margin}).

    Args:
        margin: in units of the score.
        across_photos: pairs of different photos too, as the released code has in a batch of two photos.

    Call: scores (b,), keys (b, 3) int of photo, distortion, level -> losses (b,), whose mean over the
    batch is the loss.
    """

    def __init__(self, margin: float = 1.0, across_photos: bool = False, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.margin, self.across_photos = margin, across_photos

    def call(self, scores, keys):
        lead = scores[:, None] - whole_batch(scores)[None, :]  # (b, B): how far own image i leads j
        pairs = better(keys, self.across_photos)  # (b, B)
        return ops.sum(pairs * ops.maximum(0.0, self.margin - lead), axis=1)

    def get_config(self):
        own = {"margin": self.margin, "across_photos": self.across_photos}
        return {**super().get_config(), **own}


def better(keys, across_photos: bool = False):
    """1 where own image i is comparable with image j of the batch and of a better level: (b, 3) -> (b, B)."""
    everyone = whole_batch(keys)  # (B, 3)
    photo, kind = (keys[:, n, None] == everyone[None, :, n] for n in (0, 1))  # (b, B) each
    steps = everyone[None, :, 2] - keys[:, 2, None]  # (b, B): levels by which j is worse
    comparable = ops.logical_or(kind, keys[:, 2, None] == 0)
    if not across_photos:
        comparable = ops.logical_and(comparable, photo)
    return ops.cast(ops.logical_and(comparable, steps > 0), "float32")


def order(keys, scores):
    """Share of the comparable pairs of a batch, each within its photo, in the right order; equal scores are half
    right."""
    pairs = better(keys)
    lead = scores[:, None] - whole_batch(scores)[None, :]  # (b, B)
    right = 0.5 + 0.5 * ops.sign(lead)
    return ops.sum(pairs * right) / ops.maximum(ops.sum(pairs), 1.0)
