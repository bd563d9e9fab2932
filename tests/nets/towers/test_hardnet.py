"""HardNet and its kin: the sizes of the articles, what a patch's light changes, and first weights."""

import keras
import numpy as np
import pytest

from nets import towers
from nets.inference import apply
from nets.towers.hardnet import PatchNorm, assign

SIZES = {  # millions of weights in convolutions
    "hardnet": 1.335, "l2net": 1.335, "hardnet7x2": 5.338, "hardnet8": 4.775, "hardnet8_512": 8.970,
    "hardnet8x2": 19.10, "hardnet9": 5.365,
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
    descriptors = apply(tower, rng.uniform(0, 255, (3, 32, 32, channels)))
    assert descriptors.shape == (3, 128) and np.allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)


def test_the_light_tower_fits_a_ready_model():
    assert towers.make_patch_tower("patches").count_params() * 4 < 1.9e6


def test_gain_and_offset_of_a_patch_change_nothing(rng):
    tower, patches = towers.make_patch_tower("patches"), rng.uniform(0, 200, (4, 32, 32, 1))
    assert np.allclose(apply(tower, patches), apply(tower, 0.2 * patches + 30), atol=1e-4)


def test_patches_are_normalised_and_even_ones_stay_finite(rng):
    patches = rng.uniform(0, 255, (3, 8, 8, 2)).astype("float32")
    patches[2] = 7
    normalised = keras.ops.convert_to_numpy(PatchNorm()(patches))
    for patch, other in zip(patches.astype("float64"), normalised):
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
    ("vgg16", (), "not for patches: expected patches, hardnet"),
    ("hardnet", (32, 48, 1), "square patches of 16 or more"),
    ("hardnet", (32, 32, 5), "1 to 4 channels"), ("hardnet8_64", (24, 24, 1), "32 or more"),
])
def test_what_cannot_work_is_refused(name, shape, text):
    with pytest.raises(ValueError, match=text):
        towers.make_patch_tower(name, shape)


def published(rng, tower):
    """Weights by PyTorch's names, of the shapes of a tower."""
    arrays, number = {}, 0
    for layer in convolutions(tower):
        height, width, below, above = layer.get_weights()[0].shape
        arrays[f"features.{number}.weight"] = rng.normal(0, 0.1, (above, below, height, width)).astype("float32")
        arrays[f"features.{number + 1}.running_mean"] = rng.normal(0, 0.1, above).astype("float32")
        arrays[f"features.{number + 1}.running_var"] = rng.uniform(0.5, 2, above).astype("float32")
        arrays[f"features.{number + 1}.num_batches_tracked"] = np.array(7)
        number += 3 if layer.name != "conv6" else 4  # a dropout has no weights
    return arrays


def in_numpy(arrays, patch, steps):
    """What PyTorch makes of a patch (P, P) with these weights: unbiased spread, padding 1, kernels over all that is
    left at the end."""
    from scipy.signal import correlate2d

    x = ((patch - patch.mean()) / (patch.std(ddof=1) + 1e-7))[None]
    names = sorted((name for name in arrays if name.endswith(".weight")), key=lambda name: int(name.split(".")[1]))
    for name, step in zip(names, steps):
        pad, number = (0 if step == 0 else 1), int(name.split(".")[1]) + 1
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        x = np.stack([sum(correlate2d(x[i], kernel[i], mode="valid") for i in range(len(x)))
                      for kernel in arrays[name]])
        x = x[:, :: max(step, 1), :: max(step, 1)]
        mean, spread = (arrays[f"features.{number}.running_{which}"][:, None, None] for which in ("mean", "var"))
        x = (x - mean) / np.sqrt(spread + 1e-5)
        x = np.maximum(x, 0) if step else x
    return x.ravel() / np.linalg.norm(x)


def test_published_weights_give_what_pytorch_computes(rng):
    tower = towers.make_patch_tower("hardnet")
    arrays = published(rng, tower)
    assign(tower, arrays)
    patch = rng.uniform(0, 255, (32, 32))
    assert np.allclose(apply(tower, patch[None, :, :, None])[0], in_numpy(arrays, patch, (1, 1, 2, 1, 2, 1, 0)),
                       atol=1e-4)


def test_published_weights_that_do_not_fit_are_named(rng):
    tower = towers.make_patch_tower("hardnet")
    arrays = published(rng, tower)
    wrong = arrays | {"features.3.weight": np.zeros((64, 32, 3, 3), "float32")}
    with pytest.raises(ValueError,
                       match=r"features.3.weight: \(3, 3, 32, 64\), the model expects \(3, 3, 32, 32\) at conv2"):
        assign(tower, wrong)
    with pytest.raises(ValueError, match="7 convolutions and 7 normalisations .* the model has 8 of each"):
        assign(towers.make_patch_tower("hardnet8"), arrays)
    with pytest.raises(ValueError, match="features.10.running_var"):
        assign(tower, {name: value for name, value in arrays.items() if name != "features.10.running_mean"})
