"""Losses over pairs of patches: n points, each seen twice, and the distances of all to all.

Each layer takes the features (b, F) and the points (b,) of a batch. Rows 2 i and 2 i + 1 are the two patches a_i and
p_i of one point, and points differ. D_ij = d(a_i, p_j). As for the other losses, each row's share (b,) of the loss is
returned; under tf.distribute a replica holds whole pairs and compares them with those of all.
"""

import keras
from keras import ops

from nets.heads.distance import EPSILON, distances
from nets.replicas import row_indices, whole_batch

DUPLICATE = 8e-3  # patches of different points nearer than this show the same place
FAR = 1e4  # added to a distance that does not count


class PatchPairs(keras.layers.Layer):
    """What the losses share: rows taken apart into a (m, F) and p (m, F) of own pairs, A and P (n, F) of all.

    Call: features (b, F), points (b,) int -> losses (b,).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, features, points):
        a, p = halves(ops.cast(features, "float32"))
        own = row_indices(a)
        # (m, n)
        others = ops.cast(own[:, None] != ops.arange(ops.shape(whole_batch(a))[0], dtype="int32")[None, :], "float32")
        return ops.repeat(self.cost(a, p, whole_batch(a), whole_batch(p), others), 2)

    def compute_output_shape(self, features_shape, points_shape):
        return (features_shape[0],)  # JAX cannot tell that an unknown number of rows is even

    def cost(self, a, p, everyone_a, everyone_p, others):
        """The loss of each own pair (m,). `others` (m, n) is 0 where a pair meets itself, otherwise 1."""
        raise TypeError(f"{type(self).__name__} has no cost: expected HardNet, L2Net or SOSNet")


@keras.saving.register_keras_serializable("compare")
class HardNet(PatchPairs):
    """max(0, margin + D_ii - min(min_j D_ij, min_k D_ki)), j, k != i (Mishchuk et al. 2017, eq. 1).

    Distances below .008 of different points are duplicates and do not count.
    """

    def __init__(self, margin: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.margin = margin

    def cost(self, a, p, everyone_a, everyone_p, others):
        return hinge(a, p, everyone_a, everyone_p, others, self.margin)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable("compare")
class L2Net(PatchPairs):
    """Minus the log of the share that exp(2 - D_ii) has of its row and of its column, half of each, and the
    decorrelation of the outputs.

    E1 + E2 of Tian, Fan & Wu 2017 over n; E2 is half the sum of the squared correlations of all pairs of different
    outputs, of a and of p.
    """

    def cost(self, a, p, everyone_a, everyone_p, others):
        rows, columns = 2 - to_all(a, everyone_p), 2 - to_all(p, everyone_a)  # (m, n)
        own = 2 - distances(a, p)
        pick = 0.5 * (ops.logsumexp(rows, axis=1) + ops.logsumexp(columns, axis=1)) - own
        count = ops.cast(ops.shape(everyone_a)[0], "float32")
        return pick + 0.5 * (correlated(everyone_a) + correlated(everyone_p)) / count


@keras.saving.register_keras_serializable("compare")
class SOSNet(PatchPairs):
    """HardNet's hinge squared, and second-order similarity (Tian et al. 2019, eq. 2 and 5).

    The second is sqrt(sum_j (d(a_i, a_j) - d(p_i, p_j))^2) over the j among the 8 nearest of a_i in A or of p_i in P.
    """

    def __init__(self, margin: float = 1.0, nearest: int = 8, **kwargs):
        super().__init__(**kwargs)
        self.margin, self.nearest = margin, nearest

    def cost(self, a, p, everyone_a, everyone_p, others):
        of_a, of_p = to_all(a, everyone_a), to_all(p, everyone_p)  # (m, n)
        near = ops.stop_gradient(ops.maximum(self.neighbours(of_a, others), self.neighbours(of_p, others)))
        second = ops.sqrt(ops.maximum(ops.sum(near * ops.square(of_a - of_p), axis=1), EPSILON))
        return ops.square(hinge(a, p, everyone_a, everyone_p, others, self.margin)) + second

    def neighbours(self, distance, others):
        """1 for the nearest of each row, itself left out, otherwise 0: (m, n) -> (m, n)."""
        count = min(self.nearest, distance.shape[1] - 1) if distance.shape[1] else self.nearest
        far = distance + FAR * (1 - others)
        limit = -ops.top_k(-far, count)[0][:, -1:]
        return ops.cast(far <= limit, "float32")

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "nearest": self.nearest}


def hinge(a, p, everyone_a, everyone_p, others, margin: float):
    """HardNet's hinge of each own pair: (m,)."""
    nearest = ops.minimum(ops.min(counted(to_all(a, everyone_p), others), axis=1),
                          ops.min(counted(to_all(p, everyone_a), others), axis=1))
    return ops.maximum(0.0, margin + distances(a, p) - nearest)


def counted(distance, others):
    """Distances (m, n), far where a pair meets itself or a duplicate."""
    skipped = ops.logical_or(others == 0, distance < DUPLICATE)
    return distance + FAR * ops.cast(skipped, "float32")


def halves(rows):
    """Rows of pairs (2 m, F) -> the first of each (m, F) and the second (m, F)."""
    pairs = ops.reshape(rows, (-1, 2, rows.shape[-1]))
    return pairs[:, 0], pairs[:, 1]


def to_all(own, everyone):
    """Euclidean distances (m, F), (n, F) -> (m, n), by one product; never below 1e-6."""
    squares = ops.sum(ops.square(own), axis=1)[:, None] + ops.sum(ops.square(everyone), axis=1)[None, :]
    return ops.sqrt(ops.maximum(squares - 2 * ops.matmul(own, ops.transpose(everyone)), EPSILON))


def correlated(features):
    """Sum of the squared correlations of different outputs over a batch: (n, F) -> scalar."""
    centred = features - ops.mean(features, axis=0)
    scaled = centred / ops.sqrt(ops.sum(ops.square(centred), axis=0) + EPSILON)
    products = ops.square(ops.matmul(ops.transpose(scaled), scaled))
    return ops.sum(products) - ops.sum(ops.square(ops.sum(ops.square(scaled), axis=0)))


def true_distance(points, features):
    """Mean distance of the two patches of a point: (b,), (b, F) -> scalar."""
    return ops.mean(distances(*halves(features)))


def nearest_distance(points, features):
    """Mean distance of a patch to the nearest of another point: (b,), (b, F) -> scalar."""
    a, p = halves(features)
    count = ops.shape(a)[0]
    return ops.mean(ops.min(to_all(a, p) + FAR * ops.eye(count), axis=1))


def matched(points, features):
    """Share of the patches a_i of a batch whose nearest p_j is their own: (b,), (b, F) -> scalar."""
    a, p = halves(features)
    nearest = ops.argmin(to_all(a, p), axis=1)
    return ops.mean(ops.cast(ops.cast(nearest, "int32") == ops.arange(ops.shape(a)[0], dtype="int32"), "float32"))


DESCRIPTOR_METRICS = (matched, true_distance, nearest_distance)
