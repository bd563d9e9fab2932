"""Networks of keras.applications as towers: their pixels, their features, and weights in the files that Keras
distributes."""

import sys

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils

from nets import towers
from nets.towers.applications import DEVIATION, MEAN, NETWORKS, converted
from utils.run import weights

QUICK = ("mobilenet_v2",)
LIGHT = ("efficientnet_b0", "resnet50", "convnext_tiny")
HEAVY = ("mobilenet_v3_small", "efficientnet_v2_b0", "densenet121", "vgg19", "mobilenet", "mobilenet_v3_large",
         "resnet50_v2", "xception", "inception_v3", "densenet169", "efficientnet_v2_s", "nasnet_mobile",
         "inception_resnet_v2")  # with these, one of each kind, and no giant
SLOW = [pytest.param(name, marks=pytest.mark.slow if name in LIGHT else pytest.mark.rare) for name in (*LIGHT, *HEAVY)]


def module_of(name):
    """The module of keras.applications that defines a network."""
    return sys.modules[getattr(keras.applications, NETWORKS[name].function).__module__]


def original(name, **kwargs):
    return getattr(keras.applications, NETWORKS[name].function)(include_top=False, **kwargs)


def says(model, images):
    return keras.ops.convert_to_numpy(model(images, training=False))


def save_as_keras_does(network, path):
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


def random_network(name):
    """A network whose weights are all random, also those of its normalisations; ImageNet's mean where it subtracts that
    itself."""
    network, rng = original(name, weights=None), np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.Normalization) and layer.weights:
            layer.set_weights([np.array(MEAN, "float32"), np.array(DEVIATION, "float32") ** 2, np.zeros((), "int32")])
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([weight * rng.uniform(0.7, 1.3, weight.shape) + rng.uniform(0, 0.1, weight.shape)
                               for weight in layer.get_weights()])
    return network


@pytest.fixture(scope="module", params=[*QUICK, *SLOW])
def published(request, tmp_path_factory):
    """The name of a network, a file of random weights for it, and the network that Keras makes of that file as if it
    were ImageNet's."""
    name = request.param
    path = str(tmp_path_factory.mktemp(name) / f"{name}_notop.h5")
    save_as_keras_does(random_network(name), path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_utils, "get_file", lambda *args, **kwargs: path)
        made = original(name, weights="imagenet")
    yield name, path, made
    keras.backend.clear_session()


def test_features_are_those_of_the_published_network(published, rng, tmp_path):
    """With the network's own pre-processing, and once more from a saved tower."""
    name, path, made = published
    side = made.input_shape[1] or max(64, NETWORKS[name].least)  # NASNet with ImageNet's weights takes one size only
    tower = towers.make_tower(name, (side, side, 3), normalize=False, imagenet=True)
    towers.set_arrays(towers.backbone_layers(tower), weights.read(path, name, NETWORKS[name].function))
    images = rng.integers(0, 256, (2, side, side, 3)).astype("float32")
    expected = says(made, module_of(name).preprocess_input(images.copy())).mean(axis=(1, 2))
    found = says(tower, images)
    assert found.shape == expected.shape and np.ptp(expected) > 0
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-4 * float(np.abs(expected).max()))
    tower.save(tmp_path / "tower.keras")
    assert says(keras.saving.load_model(tmp_path / "tower.keras"), images) == pytest.approx(found, rel=1e-5, abs=1e-6)


def test_quality_towers_take_the_same_weights_for_photos_of_any_size(tmp_path):
    network = original("mobilenet_v2", weights=None)
    save_as_keras_does(network, tmp_path / "mobilenet_v2.h5")
    tower = towers.make_quality_tower("mobilenet_v2", imagenet=True)
    assert tower.input_shape == (None, None, None, 3) and tower.output_shape == (None, 1)
    targets = towers.backbone_layers(tower)
    towers.set_arrays(targets, weights.read(str(tmp_path / "mobilenet_v2.h5"), "mobilenet_v2", "MobileNetV2"))
    assert np.array_equal(targets["Conv1"].get_weights()[0], network.get_layer("Conv1").get_weights()[0])


@pytest.mark.parametrize("name", NETWORKS)
def test_pixels_are_those_of_the_networks_own_pre_processing(name, rng):
    """For colour and for grey, which is shown as colour."""
    images = rng.integers(0, 256, (2, 8, 9, 3)).astype("float32")
    for shown in (images, images[..., :1]):
        pixels = keras.Input(shown.shape[1:])
        made = keras.Model(pixels, keras.layers.Identity()(converted(pixels, NETWORKS[name].pixels)))
        expected = module_of(name).preprocess_input(np.repeat(shown, 3 // shown.shape[-1], axis=-1))
        assert says(made, shown) == pytest.approx(expected, rel=1e-5, abs=1e-4)


@pytest.mark.parametrize("name", ["mobilenet_v2", *SLOW])
def test_a_network_is_not_smaller_than_its_least_side(name):
    least = NETWORKS[name].least
    assert towers.make_tower(name, (least, least, 3), normalize=True).output_shape[1:] > (100,)
    with pytest.raises(ValueError, match=f"expected {least} or more pixels a side"):
        towers.make_tower(name, (least - 1, least, 3), normalize=True)


@pytest.mark.parametrize("name, other", [
    ("mobilenet_v2", "mobilenet"), ("mobilenet_v2", "vgg19"),
    pytest.param("resnet50", "resnet101", marks=pytest.mark.slow),
])
def test_weights_of_another_network_are_refused_in_one_line(name, other, tmp_path):
    path = str(tmp_path / "other.h5")
    save_as_keras_does(original(other, weights=None), path)
    with pytest.raises(ValueError, match=f"not weights of {name} without its top") as error:
        weights.read(path, name, NETWORKS[name].function)
    assert "\n" not in str(error.value)


def test_imagenet_without_a_network_is_one_line(monkeypatch, tmp_path):
    def unreachable(*args, **kwargs):
        raise OSError("URL fetch failure\non two lines")

    monkeypatch.setattr(weights, "READY", str(tmp_path))
    monkeypatch.setattr(keras.applications, "MobileNetV2", unreachable)
    with pytest.raises(ValueError,
                       match="could not fetch the weights of mobilenet_v2 .*mobilenet_v2_notop.h5") as error:
        weights.read("imagenet", "mobilenet_v2", "MobileNetV2")
    assert "\n" not in str(error.value)


def test_imagenet_takes_the_file_in_model_data(monkeypatch, tmp_path):
    monkeypatch.setattr(weights, "READY", str(tmp_path))
    network = original("mobilenet_v2", weights=None)
    save_as_keras_does(network, tmp_path / "mobilenet_v2_notop.h5")
    found = weights.read("imagenet", "mobilenet_v2", "MobileNetV2")
    assert np.array_equal(found["Conv1"][0], network.get_layer("Conv1").get_weights()[0])


def test_a_backbone_without_published_weights_says_so():
    with pytest.raises(ValueError, match="compact has no published weights"):
        weights.read("imagenet", "compact", None)
