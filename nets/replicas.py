"""Several replicas of tf.distribute that share a batch: its rows gathered, and where a replica's own rows stand."""

import keras
from keras import ops


def whole_batch(rows):
    """The rows of all replicas, in order; with one device, or a backend that has no replicas, `rows`.

    A loss over pairs needs every image of the batch. tf.distribute hands each replica a slice, and
    `all_gather` lends its gradient to the replica that each row came from.
    """
    context = replica_context()
    if context is None:
        return rows
    import tensorflow as tf

    devices = context.strategy.extended.worker_devices
    if len(devices) > 1:
        return context.all_gather(rows, axis=0)
    with tf.device(devices[0]):  # several workers of one device each: without this TensorFlow gathers to nowhere
        return context.all_gather(tf.identity(rows), axis=0)


def row_indices(rows):
    """Where this replica's rows stand in the whole batch, whose parts are alike: (b, ...) -> (b,) int32."""
    count = ops.shape(rows)[0]
    context = replica_context()
    own = ops.arange(count, dtype="int32")
    return own if context is None else own + context.replica_id_in_sync_group * count


def several_replicas() -> bool:
    """Whether a model built now will be shared by several replicas of tf.distribute."""
    if keras.backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync > 1


def replica_context():
    """tf.distribute's context where several replicas share a batch, else None."""
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
