"""Layers that towers and models share: pixels in, augmentation, pooling."""

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

    The numbers are drawn with the batch (`utils/batches/augment.py`), so a run repeats exactly on any
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
    """Mean and standard deviation of each channel over all locations: (B, H, W, C) -> (B, 2 C), float32.

    The mean alone hardly tells a fault in few locations from none (multi-level pooling: Hosu, Goldluecke & Saupe 2019).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, maps):
        mean, variance = ops.moments(maps, axes=(1, 2))
        return ops.concatenate([mean, ops.sqrt(variance + 1e-4)], axis=-1)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], 2 * input_shape[-1])


@keras.saving.register_keras_serializable("compare")
class UnitLength(keras.layers.Layer):
    """Features (..., F) divided by their length. Those that are all zero stay zero, also in LiteRT, in which Keras's
    `UnitNormalization` gives NaN: 1 over the length is infinite there before it is bounded."""

    def call(self, features):
        square = ops.sum(ops.square(features), axis=-1, keepdims=True)
        return features * ops.rsqrt(ops.maximum(square, 1e-24))


@keras.saving.register_keras_serializable("compare")
class Resized(keras.layers.Layer):
    """Images at another size by linear interpolation, with a filter as wide as the step where they become smaller:
    (B, H, W, C) -> (B, height, width, C), float32.

    `keras.layers.Resizing` with `antialias` computes the same, but TensorFlow's operation below it has no counterpart
    in ONNX; here it is two products of matrices.
    """

    def __init__(self, height: int, width: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.height, self.width = height, width

    def build(self, input_shape):
        self.sides = [triangles(now, new) for now, new in zip(input_shape[1:3], (self.height, self.width))]

    def call(self, images):
        x = ops.cast(images, "float32")
        for side in self.sides:  # (B, H, W, C) -> (B, W, C, height) -> (B, C, height, width)
            x = ops.tensordot(x, ops.convert_to_tensor(side), axes=[[1], [0]])
        return ops.transpose(x, (0, 2, 3, 1))

    def compute_output_shape(self, input_shape):
        return (input_shape[0], self.height, self.width, input_shape[3])

    def get_config(self):
        return {**super().get_config(), "height": self.height, "width": self.width}


def triangles(now: int, new: int) -> np.ndarray:
    """What each of `now` places in a row counts for each of `new` places over the same length, (now, new) float32."""
    step = now / new
    centres = (np.arange(new) + 0.5) * step - 0.5
    weights = np.maximum(1 - np.abs(np.arange(now)[:, None] - centres) / max(step, 1), 0)
    return (weights / weights.sum(0)).astype("float32")
