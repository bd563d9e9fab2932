"""Detectors: boxes of maps, saved and read in a fresh process, weights of other classes, exported with any size."""

import json

import keras
import numpy as np
import pytest

from nets.detectors import BOX, detector_row
from nets.models import detector
from tasks.models import load_model

from helpers import told_by

NAMES = ["cat", "dog", "bird"]


def small(names=NAMES, **parts):
    row = detector_row("sodnet_compact", **parts)
    return detector.detector(row._replace(widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), width=8, depth=1), names)


@pytest.fixture
def model():
    return small()


def test_boxes_and_scores_are_those_of_a_plain_loop(rng):
    maps = [rng.normal(0, 1, (2, *size, BOX + 3)).astype("float32") for size in ((4, 6), (2, 3))]
    made = keras.ops.convert_to_numpy(detector.Boxes(NAMES, [2, 4])(maps))
    row = 0
    for values, stride in zip(maps, (2, 4)):
        for y in range(values.shape[1]):
            for x in range(values.shape[2]):
                left, top, right, bottom, centre, *kinds = values[1, y, x].astype("float64")
                box = [(x + 0.5) * stride - left, (y + 0.5) * stride - top, (x + 0.5) * stride + right,
                       (y + 0.5) * stride + bottom]
                scores = [(1 / (1 + np.exp(-kind)) / (1 + np.exp(-centre))) ** 0.5 for kind in kinds]
                np.testing.assert_allclose(made[1, row], [*box, *scores], atol=1e-4)
                row += 1
    assert made.shape == (2, row, 4 + 3)


def test_saved_and_read_in_a_fresh_process_it_answers_the_same(model, rng, tmp_path):
    model.get_layer("boxes").largest = 31.0
    model.save(tmp_path / "best.keras")
    photo = rng.uniform(0, 255, (1, 32, 48, 3)).astype("float32")
    np.save(tmp_path / "photo.npy", photo)
    found = told_by(f"""
import json, sys
import numpy as np
from tasks.models import load_model
from nets.models import detector
finder = detector.finder(load_model({str(tmp_path / 'best.keras')!r}, "detector"))
values = finder.find(np.load({str(tmp_path / 'photo.npy')!r}))
print(json.dumps([finder.names, finder.strides, finder.largest, finder.zoom, values.tolist()]))""")
    assert found[:4] == [NAMES, [2, 4, 8], 31.0, 1.0]
    np.testing.assert_allclose(found[4], detector.finder(model).find(photo), atol=1e-4)
    assert json.dumps(found[0]) == json.dumps(NAMES)


def test_other_classes_keep_all_weights_but_those_of_the_classes(model):
    other = small(["one", "two"])
    before = [weight.numpy() if hasattr(weight, "numpy") else np.asarray(weight) for weight in other.weights]
    assert detector.take_weights(other, model) == len(other.weights) - 2
    assert len(before) == len(model.weights)
    for weight, given in zip(other.get_layer("tower").weights, model.get_layer("tower").weights):
        same = weight.shape == given.shape and np.array_equal(*(keras.ops.convert_to_numpy(each)
                                                                for each in (weight, given)))
        assert same == ("classes" not in weight.path)
    same = small()
    assert detector.take_weights(same, model) == len(same.weights)
    with pytest.raises(ValueError, match="its network is another one: pass"):
        detector.take_weights(small(fmf=False), model)


def test_another_model_is_refused(tmp_path):
    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.Conv2D(3, 3)(image), name=detector.KIND).save(tmp_path / "best.keras")
    with pytest.raises(ValueError, match="cannot be read .*boxes"):
        load_model(str(tmp_path / "best.keras"), detector.KIND)


def test_sides_are_padded_by_their_border(rng):
    photo = rng.integers(0, 255, (1, 17, 32, 3))
    made = detector.padded(photo)
    assert made.shape == (1, 32, 32, 3) and (made[0, 17:] == photo[0, 16]).all()
    assert detector.padded(photo[:, :16]).shape == (1, 16, 32, 3)


def test_one_box_is_learnt(rng):
    """A few steps on one picture bring down the loss."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("compiling takes long elsewhere, and the gradients of the loss are tried there")
    model = small()
    trainer = detector.trainer(model, 32, keras.optimizers.Adam(0.02))
    trainer.optimizer.build(trainer.trainable_variables)  # so that the step is traced once
    image = np.full((4, 32, 32, 3), 90, "uint8")
    image[:, 12:20, 12:20] = 230
    targets = np.zeros((4, 16 * 16 + 8 * 8 + 4 * 4, 6), "float32")
    targets[..., 5] = -1
    for y in range(7, 9):
        for x in range(7, 9):
            place = 16 * y + x
            targets[:, place] = [2 * x + 1 - 12, 2 * y + 1 - 12, 20 - 2 * x - 1, 20 - 2 * y - 1, 0.9, 1]
    losses = [float(trainer.train_on_batch({"image": image}, targets)[0]) for _ in range(25)]
    assert losses[-1] < 0.8 * losses[0] and np.isfinite(losses).all()


def test_exported_with_any_height_and_width(model, tmp_path):
    from apps.exporting import checking, formats, parts

    if absent := formats.missing("onnx"):
        pytest.skip(f"{absent} not installed")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("files are written through TensorFlow")
    part, path = parts.part(model, "boxes"), str(tmp_path / "boxes.onnx")
    formats.write(part, "onnx", path)
    run, sizes = formats.opened("onnx", path), [(1, 32, 48), (2, 64, 32)]
    tried = [{"image": np.random.default_rng(0).uniform(0, 255, (*size, 3)).astype("float32")} for size in sizes]
    assert checking.difference(part, run, tried) <= 1e-4
