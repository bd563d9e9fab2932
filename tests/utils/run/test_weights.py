"""Weights of others: Siamese-tf2's whole network, and VGG16's of keras.applications."""

import os

import h5py
import keras
import numpy as np
import pytest

from nets.inference import embed
from nets.models import siamese
from utils.run import weights

from helpers import small_siamese, write_h5


def read(path):
    return weights.read(str(path), "vgg16", "VGG16")


def article():
    return small_siamese("plain", "vgg16", (105, 105, 3))


@pytest.mark.parametrize("nested", ["", "model_weights/vgg16/"])
def test_weights_of_siamese_tf2_load(nested, tmp_path, rng):
    arrays = read(write_h5(tmp_path / "old.h5", nested=nested))
    assert not weights.are_imagenets(arrays)
    model = article()
    siamese.assign(model, arrays)
    backbone = model.get_layer("tower").get_layer("vgg16")
    assert np.array_equal(backbone.get_layer("block3_conv2").kernel, arrays["block3_conv2"][0])
    head = model.get_layer("head")
    assert np.array_equal(head.hidden.kernel, arrays["hidden"][0]) and float(head.logit.bias[0]) == 0.25
    a, b = rng.integers(0, 256, (2, 1, 105, 105, 3)).astype("float32")
    fa, fb = embed(model, a), embed(model, b)
    hidden = np.maximum(np.abs(fa - fb) @ arrays["hidden"][0] + arrays["hidden"][1], 0)
    expected = 1 / (1 + np.exp(-(hidden @ arrays["logit"][0] + arrays["logit"][1])))
    assert siamese.score(model, fa, fb) == pytest.approx(expected[0], abs=1e-5)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    arrays = read(write_h5(tmp_path / "old.h5"))
    with pytest.raises(ValueError, match="pass --head=plain"):
        siamese.assign(small_siamese("distance", "vgg16", (105, 105, 3)), arrays)
    with pytest.raises(ValueError, match="pass --backbone=vgg16"):
        siamese.assign(small_siamese(), arrays)
    with pytest.raises(ValueError, match=r"hidden: the weights are \[\(4608, 512\).*expects \[\(512, 512\)"):
        siamese.assign(small_siamese("plain", "vgg16", (48, 48, 3)), arrays)
    wrong = read(write_h5(tmp_path / "wrong.h5", wrong="block1_conv1"))
    with pytest.raises(ValueError, match=r"block1_conv1: the weights are \[\(3, 3, 4, 64\)"):
        siamese.assign(article(), wrong)
    model = article()
    siamese.assign(model, arrays)
    with pytest.raises(ValueError, match="changed nothing"):
        siamese.assign(model, arrays)


def test_weight_files_that_are_none_are_refused(tmp_path):
    text = tmp_path / "text.h5"
    text.write_text("no")
    with pytest.raises(ValueError, match="text.h5: cannot be read .*expected an HDF5 weight file"):
        read(text)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["conv/kernel:0"] = np.zeros((3, 3, 1, 1))
    with pytest.raises(ValueError, match="expected block1_conv1"):
        read(tmp_path / "other.h5")
    with pytest.raises(ValueError, match="no such file"):
        read(tmp_path / "none.h5")


@pytest.mark.parametrize("kind, says", [
    ("link", "'dense/far' in it is a link to another file, 'secret.h5'"),
    ("external", "'dense/far' in it is stored in another file, 'secret.h5'"),
    ("virtual", "'dense/far' in it is put together from other datasets"),
    ("huge", "claims 40000.* bytes of weights in "), ("cut", "cannot be read")
])
@pytest.mark.parametrize("backbone", ["vgg16", "mobilenet_v2"])
def test_weights_that_lie_in_other_files_are_not_opened(kind, says, backbone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with h5py.File("secret.h5", "w") as file:
        file["values"] = np.ones(8)
    path = write_h5(tmp_path / "strange.h5", head=False)
    with h5py.File(path, "a") as file:
        group = file.create_group("dense")
        group["up"], group["self"] = file["/"], h5py.SoftLink("/dense")  # a circle does no harm
        if kind == "link":
            group["far"] = h5py.ExternalLink("secret.h5", "/values")
        elif kind == "external":
            group.create_dataset("far", (8,), "f8", external=[("secret.h5", 0, 64)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((8,), "f8")
            layout[:] = h5py.VirtualSource("secret.h5", "values", (8,))
            group.create_virtual_dataset("far", layout)
        elif kind == "huge":
            group.create_dataset("far", (10**12,), "f4", chunks=(1024,))
    if kind == "cut":
        os.truncate(path, os.path.getsize(path) // 2)
    with pytest.raises(ValueError, match=says) as caught:
        weights.read(path, backbone, "VGG16" if backbone == "vgg16" else "MobileNetV2")
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


def test_weights_of_vgg19_are_not_those_of_vgg16(tmp_path):
    """All layers of VGG16 are in it, in the same shapes."""
    path = write_h5(tmp_path / "vgg19.h5", head=False)
    with h5py.File(path, "a") as file:
        file["block3_conv4/block3_conv4/kernel:0"] = np.zeros((3, 3, 256, 256), "float32")
    with pytest.raises(ValueError, match="found block3_conv4, a layer of VGG19"):
        read(path)


def test_imagenet_takes_the_local_file_and_its_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "READY", str(tmp_path))
    write_h5(tmp_path / weights.VGG16_NOTOP, head=False)
    arrays = read("imagenet")
    assert weights.are_imagenets(arrays) and len(arrays) == 13


def test_imagenet_without_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "READY", str(tmp_path))

    def fail(*args, **kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(ValueError, match="put their file at "):
        read("imagenet")
