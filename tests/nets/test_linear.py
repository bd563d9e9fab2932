"""Maps in closed form behind a tower: the model gives what the map gives, also after it was saved."""

import keras
import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from nets import linear, towers
from nets.models import siamese

from helpers import told_by

SHAPE = (32, 32, 3)
ops_mean = keras.ops.mean


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (12, *SHAPE)).astype("uint8")


@pytest.fixture
def tower():
    return towers.make_tower("photos", SHAPE, normalize=True)


def some_map(rng, features, units=3):
    """A map of features (N, F) to a few numbers."""
    kernel = rng.normal(size=(features.shape[1], units)) if units else None
    return linear.Linear(features.mean(0), features.std(0) + 1e-6, kernel)


@pytest.mark.parametrize("units", [3, 0])
def test_a_model_gives_what_its_map_gives(units, images, tower, rng, tmp_path):
    backbone = linear.pooled(tower)
    features = np.asarray(backbone(images.astype("float32")))
    assert features.shape[1] == 224  # mean and spread of 112 maps, before the last Dense layer
    found = some_map(rng, features, units)
    model = linear.projected((backbone, found))
    assert linear.is_made(model) and not linear.is_made(siamese.siamese(tower, model.get_layer("head")))
    expected = found(features)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(siamese.embed(model, images), expected, atol=2e-4)
    model.save(tmp_path / "made.keras")
    np.save(tmp_path / "images.npy", images)
    found = told_by("import json; import numpy as np; from tasks.models import load_model; from nets.models import "
                    f"siamese; m = load_model({str(tmp_path / 'made.keras')!r}, 'siamese'); "
                    f"print(json.dumps(siamese.embed(m, np.load({str(tmp_path / 'images.npy')!r})).tolist()))")
    np.testing.assert_allclose(found, expected, atol=2e-4)


def test_a_network_of_keras_without_a_last_layer_is_taken_whole(images):
    tower = towers.make_tower("mobilenet_v3_small", SHAPE, normalize=True)
    assert linear.pooled(tower).output_shape == tower.output_shape


def test_two_side_by_side_have_the_mean_of_both_squared_distances(images, tower, rng):
    backbones = linear.pooled(tower), linear.grey_pixels(SHAPE)
    models = [linear.projected((backbone, some_map(rng, np.asarray(backbone(images.astype("float32"))))))
              for backbone in backbones]
    both = linear.joined(*models)
    one, other, joined = (siamese.embed(model, images) for model in (*models, both))
    np.testing.assert_allclose(np.sum((joined[0] - joined[1]) ** 2),
                               (np.sum((one[0] - one[1]) ** 2) + np.sum((other[0] - other[1]) ** 2)) / 2, rtol=1e-4)


def test_grey_pixels_do_not_depend_on_light(images):
    backbone = linear.grey_pixels(SHAPE, side=16)
    bright = np.asarray(backbone(images * 0.5 + 60.0))
    np.testing.assert_allclose(bright, np.asarray(backbone(images.astype("float32"))), atol=2e-2)
    assert bright.shape == (12, 256)
    np.testing.assert_allclose(bright.mean(1), 0, atol=1e-4)


def flat_pictures(rng):
    """Pictures of one colour, the same with one pixel that differs, with noise of one grey level, and with any (24, 32,
    32, 3)."""
    flat = np.stack([np.full(SHAPE, colour, "float32") for colour in (0, 128, 255, (254, 255, 251), (1, 3, 2), 77)])
    spot = flat.copy()
    spot[:, 7, 7] = 100
    return np.concatenate([flat, spot, np.clip(flat + rng.integers(-1, 2, flat.shape), 0, 255),
                           rng.integers(0, 256, flat.shape)]).astype("float32")


def pixels_alone(backbone):
    """The tower of the recipe "pixels": they are compared as they are."""
    features = backbone.output_shape[1]
    model = linear.projected((backbone, linear.Linear(np.zeros(features), np.ones(features), None)))
    return model.get_layer("tower")


def test_pictures_of_one_colour_have_an_embedding(rng, tmp_path):
    """All zero; others have length 1. So it is in LiteRT, where that is installed."""
    images, tower = flat_pictures(rng), pixels_alone(linear.grey_pixels(SHAPE))
    found = np.asarray(tower(images))
    assert np.isfinite(found).all() and np.abs(found[:3]).max() < 1e-4
    np.testing.assert_allclose(np.linalg.norm(found[6:], axis=1), 1, atol=1e-5)
    pytest.importorskip("ai_edge_litert")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("TensorFlow writes LiteRT's files")
    from apps.exporting import formats

    tower.export(str(tmp_path / "tower.tflite"), format="litert", verbose=False)
    there = formats.litert(str(tmp_path / "tower.tflite"))({"image": images})
    assert np.isfinite(there).all()
    np.testing.assert_allclose(there[6:], found[6:], atol=1e-3)


def test_a_model_that_was_saved_before_answers_as_it_did(rng, tmp_path, monkeypatch):
    """It has Keras's layer of unit length, and the variance of the pixels as they are."""
    images, now = flat_pictures(rng)[-6:], pixels_alone(linear.grey_pixels(SHAPE))
    with monkeypatch.context() as patch:
        patch.setattr(linear, "UnitLength", keras.layers.UnitNormalization)
        patch.setattr(keras.ops, "mean", lambda x, axis, keepdims: ops_mean(x, axis, keepdims) * (x.ndim == 4))
        old = pixels_alone(linear.grey_pixels(SHAPE))
    old.save(tmp_path / "old.keras")
    loaded = keras.saving.load_model(tmp_path / "old.keras")
    assert "UnitLength" not in [type(layer).__name__ for layer in loaded.layers]
    np.testing.assert_allclose(np.asarray(loaded(images)), np.asarray(old(images)), atol=1e-7)
    np.testing.assert_allclose(np.asarray(now(images)), np.asarray(old(images)), atol=1e-5)


def test_a_discriminant_is_scikit_learns(rng):
    from tasks.similarity.choosing.recipes import discriminant

    labels = np.repeat(np.arange(5), 6)
    features = rng.normal(size=(5, 9))[labels] + 0.5 * rng.normal(size=(30, 9))
    found = discriminant(features, labels)
    scaled = (features - found.mean) / found.deviation
    other = LinearDiscriminantAnalysis(solver="eigen", shrinkage="auto").fit(scaled, labels).transform(scaled)
    np.testing.assert_allclose(found(features), other / np.linalg.norm(other, axis=1, keepdims=True), atol=1e-8)


def test_what_a_tower_sees_is_what_its_last_layer_takes(rng):
    pictures = rng.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    tower = towers.make_tower("photos", (32, 32, 3), normalize=True)
    seen = keras.Model(tower.input, tower.get_layer("seen").output)
    assert np.allclose(*(model.predict(pictures, verbose=0) for model in (linear.pooled(tower), seen)))
