"""Cross-attention between two pictures, as transformers have it."""

import keras
from keras import ops

from nets.heads.locations import LocationsHead, turned, unit

HEADS = 4  # of the attention


@keras.saving.register_keras_serializable("compare")
class CrossAttentionHead(LocationsHead):
    """What each location finds in its own picture, against what the same location finds in the other one (Vaswani et
    al. 2017).

    One attention layer asks both pictures, with scaled dot products; both answers have unit length at every location.
    The distance is their root mean square over the locations of both pictures. A picture beside itself finds the same
    in both, so its distance is 0. The head knows no positions but those that the tower's maps carry.
    """

    def __init__(self, shape, **kwargs):
        super().__init__(shape, **kwargs)
        width = self.shape[2]
        self.asked = keras.layers.MultiHeadAttention(HEADS, max(1, width // HEADS), dtype="float32", name="asked")

    def build(self, left_shape, right_shape=None):
        super().build(left_shape, right_shape)
        self.asked.build((None, self.location_count, self.shape[2]), (None, self.location_count, self.shape[2]))

    def once(self, features):
        maps = self.maps(features)
        flat = ops.reshape(maps, (-1, *maps.shape[-2:]))
        return ops.concatenate([maps, ops.reshape(unit(self.asked(flat, flat)), ops.shape(maps))], axis=-1)

    def seen(self, left, right):
        (u, left), (v, right) = (ops.split(picture, 2, axis=-1) for picture in (left, right))
        attended = unit(self.asked(ops.concatenate([u, v]), ops.concatenate([v, u])))  # (2 P, n, c), both ways at once
        return tuple(self.in_a_row(halves) for halves in ((left, right), ops.split(attended, 2)))

    def in_a_row(self, halves):
        """What locations of both pictures found, (P, n, c) each -> (P, 2 n c), of unit length where that of each
        location has it."""
        joined = ops.concatenate(halves, axis=1)
        return ops.reshape(joined, (-1, 2 * self.location_count * self.shape[2])) / (2 * self.location_count) ** 0.5

    def attention(self, left, right):
        """The mean over the heads of the attention, and over asking one way and the other."""
        u, v = self.maps(left), self.maps(right)
        u, v = u + ops.zeros_like(v), v + ops.zeros_like(u)
        flat = (-1, *u.shape[-2:])
        there, back = (ops.mean(self.asked(ops.reshape(a, flat), ops.reshape(b, flat), return_attention_scores=True)[1],
                                axis=1)
                       for a, b in ((u, v), (v, u)))
        return ops.reshape((there + turned(back)) / 2, (*ops.shape(u)[:-2], self.location_count, self.location_count))
