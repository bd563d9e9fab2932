"""HardNet and its kin: the sizes of the articles, what a patch's light changes, and first weights."""

import keras
import numpy as np
import pytest

from nets import towers
from nets.inference import apply
from nets.towers.hardnet import PatchNorm

SIZES = {  # millions of weights in convolutions
    "hardnet": 1.335, "l2net": 1.335, "hardnet7x2": 5.338, "hardnet8": 4.775, "hardnet8_512": 8.970, "hardnet8x2": 19.10, "hardnet9": 5.365,
    "hardnet8_64": 4.775, "hardnet8_48": 2.940,
}


def convolutions(tower):
    return [layer for layer in tower.layers if isinstance(layer, keras.layers.Conv2D)]


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_those_of_the_articles(name):
    tower = towers.make_patch_tower(name)
    weights = sum(layer.count_params() for layer in convolutions(tower))
    assert round(weights / 1e6, 3 if SIZES[name] < 10 else 2) == SIZES[name]
    assert tower.output_shape == (None, towers.PATCHES[name].out)
    assert all(layer.bias is None for layer in convolutions(tower))


@pytest.mark.parametrize("name", ["patches", "hardnet_resnet"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_grey_colour_and_depth(name, channels, rng):
    tower = towers.make_patch_tower(name, (32, 32, channels))
    found = apply(tower, rng.uniform(0, 255, (3, 32, 32, channels)))
    assert found.shape == (3, 128) and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_the_light_tower_fits_a_ready_model():
    assert towers.make_patch_tower("patches").count_params() * 4 < 1.9e6


def test_gain_and_offset_of_a_patch_change_nothing(rng):
    tower, patches = towers.make_patch_tower("patches"), rng.uniform(0, 200, (4, 32, 32, 1))
    assert np.allclose(apply(tower, patches), apply(tower, 0.2 * patches + 30), atol=1e-4)


def test_patches_are_normalised_and_even_ones_stay_finite(rng):
    patches = rng.uniform(0, 255, (3, 8, 8, 2)).astype("float32")
    patches[2] = 7
    found = apply(PatchNorm(), patches)
    for patch, other in zip(patches.astype("float64"), found):
        assert np.allclose((patch - patch.mean()) / (patch.std() + 1e-7), other, atol=1e-4)


def test_no_gradient_passes_the_statistics(rng):
    """With constant statistics the gradient of the sum is 1 / (std + 1e-7) everywhere; with theirs it would be 0."""
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the gradient is taken by TensorFlow")
    patches = tf.constant(rng.uniform(0, 255, (2, 8, 8, 1)).astype("float32"))
    with tf.GradientTape() as tape:
        tape.watch(patches)
        total = tf.reduce_sum(PatchNorm()(patches))
    expected = 1 / patches.numpy().std(axis=(1, 2, 3), keepdims=True)
    assert np.allclose(tape.gradient(total, patches), np.broadcast_to(expected, patches.shape), rtol=1e-4)


def test_first_weights_are_orthogonal_with_a_gain_of_06():
    for layer in convolutions(towers.make_patch_tower("hardnet")):
        kernel = layer.get_weights()[0]
        flat = kernel.reshape(-1, kernel.shape[-1])
        small = flat.T @ flat if flat.shape[0] >= flat.shape[1] else flat @ flat.T
        assert np.allclose(small, 0.36 * np.eye(len(small)), atol=1e-3)


def test_dropout_stands_before_the_last_convolution():
    for name, share in (("hardnet", 0.3), ("l2net", 0.1)):
        names = [layer.name for layer in towers.make_patch_tower(name).layers]
        assert names[names.index("dropout") + 1] == "last" and towers.PATCHES[name].dropout == share


@pytest.mark.parametrize("name, shape, text", [
    ("vgg16", (), "not for patches: expected patches, hardnet"), ("hardnet", (32, 48, 1), "square patches of 16 or more"),
    ("hardnet", (32, 32, 5), "1 to 4 channels"), ("hardnet8_64", (24, 24, 1), "32 or more"),
])
def test_what_cannot_work_is_refused(name, shape, text):
    with pytest.raises(ValueError, match=text):
        towers.make_patch_tower(name, shape)
