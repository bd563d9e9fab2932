"""Layers that towers and models share: pixels in, augmentation, pooling."""

import keras
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
