"""What towers and models share: pixels in, augmentation, whole batch, and how a model is asked."""

from functools import lru_cache

import keras
import numpy as np
from keras import ops

IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)


@keras.saving.register_keras_serializable("compare")
class ImagenetPixels(keras.layers.Layer):
    """RGB pixels in 0..255 -> BGR minus the ImageNet mean, as the published VGG weights expect.

    Shape (batch, height, width, 1 or 3) in, (batch, height, width, 3) out. Grey is repeated.
    """

    def call(self, images):
        if images.shape[-1] == 1:
            images = ops.repeat(images, 3, axis=-1)
        return ops.flip(images, axis=-1) - ops.convert_to_tensor(IMAGENET_MEAN_BGR, images.dtype)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 3)


@keras.saving.register_keras_serializable("compare")
class Augment(keras.layers.Layer):
    """Moves and lights each image as its own row of numbers says.

    The numbers are drawn with the batch (`utils/augment.py`), so a run repeats exactly on any
    number of devices; only the work is done here, on the device.

    Inputs: images (B, H, W, C) in 0..255; `warps` (B, 8), the projective transform from output to
    input pixels (x right, y down) as `keras.ops.image.affine_transform` takes it; `lights` (B, 2),
    gain and offset in grey levels. Pixels from outside repeat the border. Output is float32.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, images, warps, lights):
        images = ops.cast(images, "float32")
        moved = ops.image.affine_transform(
            images, warps, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
        )
        gain = lights[:, 0][:, None, None, None]  # (B, 1, 1, 1)
        offset = lights[:, 1][:, None, None, None]
        return ops.clip(moved * gain + offset, 0.0, 255.0)

    def compute_output_shape(self, images_shape, warps_shape, lights_shape):
        return images_shape


@keras.saving.register_keras_serializable("compare")
class MeanAndSpread(keras.layers.Layer):
    """Mean and standard deviation of each channel over all places: (B, H, W, C) -> (B, 2 C), float32.

    The mean alone hardly tells a fault in few places from none (multi-level pooling: Hosu, Goldluecke & Saupe 2019).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, maps):
        mean, variance = ops.moments(maps, axes=(1, 2))
        return ops.concatenate([mean, ops.sqrt(variance + 1e-4)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[-1])


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


def places(rows):
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


def ask(layer: keras.layers.Layer, *inputs: np.ndarray) -> np.ndarray:
    """What a layer, or a model of one output, makes of a batch outside training: (B, ...) each -> (B, ...).

    JAX would compile each operation by itself where a model is simply called; here it compiles the whole at once.
    """
    inputs = [np.asarray(array, "float32") for array in inputs]
    if keras.backend.backend() != "jax":
        return ops.convert_to_numpy(layer(*inputs))
    values = [[v.value for v in kept] for kept in (layer.trainable_variables, layer.non_trainable_variables)]
    return np.asarray(compiled(layer)(*values, *inputs))


@lru_cache(maxsize=8)
def compiled(layer: keras.layers.Layer):
    """JAX's compiled form of a layer: values of its variables, inputs -> output."""
    import jax

    return jax.jit(lambda trained, others, *inputs: layer.stateless_call(trained, others, *inputs)[0])
