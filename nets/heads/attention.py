"""Attention between two pictures before a convolution, after it, or in place of pooling (ABCNN; Yin, Schütze, Xiang &
Zhou 2016)."""

import keras
from keras import ops

from nets.heads.locations import WIDTH, LocationsHead, affinity, turned, unit

FILTERS = 64  # of the convolution


class AffinityHead(LocationsHead):
    """What the three ways share: A between the locations of both maps, a convolution 3 x 3 over the maps, pooling, and
    a Dense layer."""

    def __init__(self, shape, **kwargs):
        super().__init__(shape, **kwargs)
        self.conv = keras.layers.Conv2D(FILTERS, 3, padding="same", dtype="float32", name="conv")
        self.features = keras.layers.Dense(WIDTH, dtype="float32", name="features")

    def build(self, left_shape, right_shape=None):
        super().build(left_shape, right_shape)
        self.conv.build((None, *self.shape))
        self.features.build((None, self.pooled_width()))

    def pooled_width(self) -> int:
        """Numbers that pooling leaves of a picture."""
        return FILTERS

    def split(self, picture):
        """What `once` put together: the maps that A compares, and the rest."""
        return picture[..., : self.shape[2]], picture[..., self.shape[2] :]

    def attention(self, left, right):
        return affinity(self.maps(left), self.maps(right))

    def once(self, features):
        maps = self.maps(features)
        return ops.concatenate([maps, self.after_conv(self.convolved(self.conv, maps))], axis=-1)

    def after_conv(self, convolved):
        """What `once` makes of the convolved maps."""
        return ops.relu(convolved)

    def seen(self, left, right):
        (u, left), (v, right) = self.split(left), self.split(right)
        matrix = affinity(u, v)  # (P, n, n)
        return tuple(unit(self.features(self.pooled(own, beside)))
                     for own, beside in ((left, matrix), (right, turned(matrix))))

    def pooled(self, own, matrix):
        """One picture beside another: the rest of `split` (P, n, k) and A with rows for its locations (P, n, n) -> (P,
        `pooled_width`)."""
        raise NotImplementedError


@keras.saving.register_keras_serializable("compare")
class AttentionBefore(AffinityHead):
    """ABCNN-1: what A says of each location becomes further channels before the convolution; then the mean over
    locations.

    A learnt matrix turns the row A_i of a location into `CHANNELS` channels. The convolution is linear, so that of the
    maps is computed once for each picture, and only that of the further channels for each pair.
    """

    CHANNELS = 8

    def __init__(self, shape, **kwargs):
        super().__init__(shape, **kwargs)
        self.projection = keras.layers.Dense(self.CHANNELS, use_bias=False, dtype="float32", name="projection")
        self.further = keras.layers.Conv2D(FILTERS, 3, padding="same", use_bias=False, dtype="float32", name="further")

    def build(self, left_shape, right_shape=None):
        super().build(left_shape, right_shape)
        self.projection.build((None, self.location_count))
        self.further.build((None, *self.shape[:2], self.CHANNELS))

    def after_conv(self, convolved):
        return convolved

    def pooled(self, own, matrix):
        return ops.mean(ops.relu(own + self.convolved(self.further, self.projection(matrix))), axis=1)


@keras.saving.register_keras_serializable("compare")
class AttentionAfter(AffinityHead):
    """ABCNN-2: after the convolution, locations weigh by the sums of their rows of A, or columns for the other
    picture."""

    def pooled(self, own, matrix):
        sums = ops.sum(matrix, axis=-1)  # (P, n), above 0
        return ops.einsum("pn,pnk->pk", sums / ops.sum(sums, axis=-1, keepdims=True), own)


@keras.saving.register_keras_serializable("compare")
class AttentionPool(AffinityHead):
    """Attention pooling: learnt queries weigh the locations by what they show, and by how well the other picture has
    it.

    The weight of location i under a query is softmax_i(q . f_i + s max_j A_ij), with a learnt s for each query. So a
    query takes what max pooling would pick, but a location that the other picture lacks can count less, or more.
    """

    QUERIES = 4

    def __init__(self, shape, **kwargs):
        super().__init__(shape, **kwargs)
        self.queries = keras.layers.Dense(self.QUERIES, use_bias=False, dtype="float32", name="queries")

    def build(self, left_shape, right_shape=None):
        super().build(left_shape, right_shape)
        self.queries.build((None, FILTERS))
        self.strength = self.add_weight((self.QUERIES,), "ones", name="strength")

    def pooled_width(self) -> int:
        return FILTERS * self.QUERIES

    def after_conv(self, convolved):
        convolved = ops.relu(convolved)
        return ops.concatenate([convolved, self.queries(convolved)], axis=-1)

    def pooled(self, own, matrix):
        shown, asked = own[..., :FILTERS], own[..., FILTERS:]  # (P, n, k), (P, n, q)
        weights = ops.softmax(asked + self.strength * ops.max(matrix, axis=-1)[..., None], axis=1)
        return ops.reshape(ops.einsum("pnq,pnk->pqk", weights, shown), (-1, self.pooled_width()))
