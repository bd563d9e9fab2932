"""Layers that towers and models share."""

import keras
import numpy as np
import pytest
from keras import ops

from nets.layers import Augment, ImagenetPixels, MeanAndSpread, Resized


def test_imagenet_pixels(rng):
    images = rng.uniform(0, 255, (2, 4, 5, 3)).astype("float32")
    expected = images[..., ::-1] - np.array([103.939, 116.779, 123.68])
    assert keras.ops.convert_to_numpy(ImagenetPixels()(images)) == pytest.approx(expected, abs=1e-4)
    grey = images[..., :1]
    assert ImagenetPixels()(grey).shape == (2, 4, 5, 3)


def test_augment_moves_and_lights_as_told(rng):
    images = rng.integers(0, 256, (3, 9, 9, 1)).astype("uint8")
    warps = np.array([[1, 0, 0, 0, 1, 0, 0, 0], [1, 0, 2, 0, 1, 0, 0, 0], [1, 0, 0, 0, 1, -3, 0, 0]], "float32")
    lights = np.array([[1, 0], [0.5, 0], [1, 300]], "float32")
    made = keras.ops.convert_to_numpy(Augment()(images, warps, lights))
    assert made[0] == pytest.approx(images[0], abs=1e-3)
    assert made[1][:, :7] == pytest.approx(images[1][:, 2:] * 0.5, abs=1e-3)  # output x shows input x + 2
    assert made[1][:, 8] == pytest.approx(images[1][:, 8] * 0.5, abs=1e-3)  # the border goes on
    assert (made[2] == 255).all()


def test_mean_and_spread_equal_a_loop_and_give_no_nan(rng):
    maps = rng.normal(2.0, 3.0, (3, 5, 7, 4)).astype("float32")
    maps[1] = 4.0  # a plain photo: its spread is nothing, and its slope must stay finite
    found = ops.convert_to_numpy(MeanAndSpread()(maps))
    for image, row in zip(maps, found):
        for channel in range(4):
            values = [float(image[y, x, channel]) for y in range(5) for x in range(7)]
            mean = sum(values) / 35
            assert row[channel] == pytest.approx(mean, abs=1e-5)
            assert row[4 + channel] == pytest.approx((sum((v - mean) ** 2 for v in values) / 35 + 1e-4) ** 0.5,
                                                     rel=1e-4)
    model = keras.Sequential([keras.layers.Conv2D(2, 1, kernel_initializer="zeros"), MeanAndSpread(),
                              keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(maps, np.ones((3, 1))))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


@pytest.mark.parametrize("size", [(20, 31), (48, 20), (61, 33)])
def test_resized_is_what_keras_computes_with_antialiasing(size, rng):
    images = rng.integers(0, 256, (2, 33, 48, 3)).astype("float32")
    want = keras.ops.image.resize(images, size, "bilinear", antialias=True)
    layer = Resized(*size)
    assert np.abs(keras.ops.convert_to_numpy(layer(images)) - keras.ops.convert_to_numpy(want)).max() < 0.01
    assert layer.compute_output_shape(images.shape) == (2, *size, 3)
    assert Resized.from_config(layer.get_config()).get_config() == layer.get_config()
