"""What heads share that compare two pictures location by location, and the way in which all pairs of a batch stay
affordable."""

import keras
from keras import ops

from nets.heads.distance import EPSILON, DistanceHead
from nets.replicas import replica_context, row_indices, whole_batch

WIDTH = 128  # numbers of the vector that a picture becomes beside another one


class LocationsHead(keras.layers.Layer):
    """Two pictures as maps of locations -> logit that falls with the distance of two vectors, one for each picture as
    it looks beside the other.

    One function looks both ways, so a against b equals b against a. Beside itself a picture gives the same vector
    twice: the distance is 0, so no other picture can score higher. Vectors have unit length, so that distances lie in
    0..2.

    A head of this kind fills in `once` (what is computed for a picture alone, before any pair), `seen` (the two vectors
    of pairs) and `attention` (which locations correspond).

    Args:
        shape: (h, w, c), the maps that the tower ends in. Features are these maps in a row: F = h * w * c, and location
            i is row i // w, column i % w.

    Call: (..., F), (..., F), float -> (...), float32; the leading axes broadcast.
    """

    compares_locations = True

    def __init__(self, shape: tuple[int, int, int], **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.shape = tuple(shape)
        self.last = DistanceHead(name="last")

    @property
    def location_count(self) -> int:
        """Locations of a picture."""
        return self.shape[0] * self.shape[1]

    @property
    def pairs_at_once(self) -> int:
        """Pairs to compare in one call where memory should stay below some hundred megabytes."""
        return max(1, 2**22 // self.location_count**2)

    def build(self, left_shape, right_shape=None):
        self.last.build(None)

    def call(self, left, right):
        return self.between(self.once(left), self.once(right))

    def between(self, left, right):
        """The logits of pictures as `once` gives them: (..., h * w, K), (..., h * w, K) -> (...)."""
        left, right = left + ops.zeros_like(right), right + ops.zeros_like(left)  # the sums broadcast
        flat = (-1, self.location_count, left.shape[-1])
        return ops.reshape(self.last(*self.seen(ops.reshape(left, flat), ops.reshape(right, flat))),
                           ops.shape(left)[:-2])

    def global_embedding(self, features):
        """Each picture as it looks beside itself: (N, F) -> (N, V), of unit length. Their distances choose what a
        search compares location by location."""
        pictures = self.once(features)
        return self.seen(pictures, pictures)[0]

    def maps(self, features):
        """(..., F) -> (..., h * w, c)."""
        return ops.reshape(ops.cast(features, "float32"),
                           (*ops.shape(features)[:-1], self.location_count, self.shape[2]))

    def convolved(self, conv, maps):
        """A convolution over the locations of pictures: (..., h * w, k) -> (..., h * w, filters)."""
        convolved = conv(ops.reshape(maps, (-1, *self.shape[:2], maps.shape[-1])))
        return ops.reshape(convolved, (*ops.shape(maps)[:-1], convolved.shape[-1]))

    def once(self, features):
        """What is computed once for each picture: (..., F) -> (..., h * w, K)."""
        raise NotImplementedError

    def seen(self, left, right):
        """Pictures as `once` gives them, P pairs: (P, h * w, K) twice -> the two vectors of each, (P, V) twice."""
        raise NotImplementedError

    def attention(self, left, right):
        """How much location i of one picture corresponds to location j of the other: (..., F), (..., F) -> (..., h * w,
        h * w), never below 0."""
        raise NotImplementedError

    def rescale(self, slope: float, offset: float) -> None:
        """Makes slope * logit + offset the logit; slope > 0."""
        self.last.rescale(slope, offset)

    def get_config(self):
        return {**super().get_config(), "shape": self.shape}


def affinity(u, v):
    """A_ij = 1 / (1 + |u_i - v_j|) between locations (ABCNN; Yin et al. 2016, equation 1): (..., n, c), (..., m, c) ->
    (..., n, m) in 0..1."""
    across = ops.matmul(u, ops.swapaxes(v, -1, -2))
    squares = ops.sum(u * u, axis=-1)[..., :, None] + ops.sum(v * v, axis=-1)[..., None, :] - 2 * across
    return 1 / (1 + ops.sqrt(ops.maximum(squares, EPSILON)))


def turned(matrix):
    """The same seen from the other picture: (..., n, m) -> (..., m, n)."""
    return ops.swapaxes(matrix, -1, -2)


def unit(vectors):
    """Vectors (..., V) scaled to unit length; zeros stay zeros, and have a gradient that is a number."""
    return vectors / ops.sqrt(ops.maximum(ops.sum(ops.square(vectors), axis=-1, keepdims=True), EPSILON))


def all_pairs(head: LocationsHead, features):
    """Logits of own pictures against those of the whole batch, (b, F) -> (b, B), in memory that does not grow with the
    pairs.

    Turn t compares picture i with picture i + t of the batch, counted round: B pairs. On one device half of the turns
    give all pairs, because the head is symmetric. Turns run one after the other, and the gradient computes each turn
    again.
    """
    own, pictures = row_indices(features), head.once(features)
    everyone = whole_batch(pictures)
    count, mine = ops.shape(everyone)[0], ops.shape(features)[0]
    single = replica_context() is None
    turns = count // 2 + 1 if single else count
    weights = [ops.copy(weight) for weight in head.trainable_variables]  # read outside the loop

    @keras.remat
    # the weights are handed in, because TensorFlow finds no others in a loop that is computed again
    def compared(left, right, *values):
        with keras.StatelessScope(zip(head.trainable_variables, values, strict=True)):
            return head.between(left, right)

    def turn(number):
        return compared(pictures, ops.take(everyone, (own + number) % count, axis=0), *weights)

    logits = ops.map(turn, ops.arange(turns, dtype="int32"))  # (turns, b)
    rows, columns = ops.arange(mine, dtype="int32")[:, None], ops.arange(count, dtype="int32")[None, :]
    number = (columns - own[:, None]) % count  # (b, B), the turn that compared them
    if single:
        back = number >= turns  # compared from the other side
        rows, number = ops.where(back, columns, rows), ops.where(back, count - number, number)
    return ops.take(ops.reshape(logits, (-1,)), number * mine + rows, axis=0)
