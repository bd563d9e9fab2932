"""Which triplets of a batch count: masks over anchor, positive and negative.

Every function takes distances (b, B) from own images to all of the batch and the masks `same` and
`different` (b, B), and returns a mask (b, B, B) of 0 and 1 that is 1 where anchor a, positive p and
negative n make a triplet that counts. Ties are broken by index; with b = B = 96 the mask holds
0.9 million numbers, with 512 it holds 134 million: mine smaller batches.
"""

from keras import ops

FAR = 1e9


def all_triplets(distance, same, different):
    """Every anchor, positive and negative."""
    return same[:, :, None] * different[:, None, :]


def random_triplets(distance, same, different):
    """One negative for each anchor and positive, whatever its distance.

    The n negatives of an anchor are numbered 1 to n in the order of the batch. The anchor in row r and
    the positive in column c take number (7 r + 13 c) mod n + 1. The batch itself is in random order, so
    the choice is random too; and it needs no random numbers inside a compiled step, so that a resumed
    run repeats it.
    """
    count = ops.sum(different, axis=1)[:, None]  # (b, 1)
    column = ops.cumsum(ops.ones_like(distance), axis=1)  # (b, B): 1 ... B
    row = ops.sum(column * (1.0 - same - different), axis=1, keepdims=True)  # (b, 1): the anchor's own row
    step = 7.0 * row + 13.0 * column  # (b, B)
    wanted = step - count * ops.floor(step / ops.maximum(count, 1.0)) + 1  # (b, B) in 1..count
    number = ops.cumsum(different, axis=1)  # (b, B): 1 for the first negative, 2 for the second ...
    chosen = ops.cast(number[:, None, :] == wanted[:, :, None], "float32")  # (b, B, B)
    return all_triplets(distance, same, different) * chosen


def semi_hard_triplets(distance, same, different):
    """For each anchor and positive the nearest negative beyond the positive (FaceNet, 2015, section 3.2).

    Where no negative lies beyond, the farthest there is. Beyond the margin it costs nothing.
    """
    beyond = different[:, None, :] * ops.cast(distance[:, None, :] > distance[:, :, None], "float32")  # (b, B, B)
    nearest = first_smallest(ops.where(beyond > 0, distance[:, None, :], FAR))  # (b, B, B)
    farthest = first_smallest(ops.where(different > 0, -distance, FAR))[:, None, :]  # (b, 1, B)
    chosen = ops.where(ops.any(beyond > 0, axis=2, keepdims=True), nearest, farthest)
    return all_triplets(distance, same, different) * chosen


def hard_triplets(distance, same, different):
    """For each anchor the farthest positive and the nearest negative (Hermans, Beyer & Leibe 2017)."""
    positive = first_smallest(ops.where(same > 0, -distance, FAR)) * same  # (b, B)
    negative = first_smallest(ops.where(different > 0, distance, FAR)) * different  # (b, B)
    return positive[:, :, None] * negative[:, None, :]


def first_smallest(values):
    """1 at the first smallest value along the last axis, else 0."""
    smallest = ops.cast(values == ops.min(values, axis=-1, keepdims=True), "float32")
    return smallest * ops.cast(ops.cumsum(smallest, axis=-1) == 1.0, "float32")
