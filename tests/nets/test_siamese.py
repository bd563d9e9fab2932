"""Towers, heads and the models made of them."""

import keras
import numpy as np
import pytest
from helpers import write_h5

from nets import siamese, towers
from nets.heads import HEADS
from nets.layers import Augment, ImagenetPixels
from utils.run import folder as runs
from utils.run import weights


def small(head="distance", backbone="compact", shape=(32, 32, 1)):
    tower = towers.make_tower(backbone, shape, normalize=head == "distance")
    return siamese.siamese(tower, siamese.make_head(head))


def batch(rng, shape=(32, 32, 1), classes=4, images=3):
    count = classes * images
    identity = np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32"), (count, 1))
    return {
        "image": rng.integers(0, 256, (count, *shape), dtype="uint8"),
        "label": np.repeat(np.arange(classes, dtype="int32"), images),
        "warp": identity,
        "light": np.tile(np.array([1, 0], "float32"), (count, 1)),
    }


def test_article_has_17_075_009_parameters():
    model = small("plain", "vgg16", (105, 105, 3))
    assert model.get_layer("tower").count_params() == 14_714_688
    assert model.count_params() == 17_075_009


def test_koch_has_38_951_745_parameters():
    assert small("weighted", "koch", (105, 105, 1)).count_params() == 38_951_745


@pytest.mark.parametrize("shape", [(32, 32, 1), (48, 48, 1), (33, 64, 3), (105, 105, 3), (224, 224, 3)])
def test_compact_tower_is_small_at_any_shape(shape):
    tower = towers.make_tower("compact", shape, normalize=True)
    assert tower.count_params() < 1_000_000
    assert tower.output_shape == (None, 128)


@pytest.mark.parametrize("shape", [(20, 48, 1), (48, 48, 2), (48, 48, 4)])
def test_input_shapes_that_cannot_work_are_refused(shape):
    with pytest.raises(ValueError, match="expected 32 or more pixels"):
        towers.make_tower("compact", shape, normalize=True)


@pytest.mark.parametrize("name, margin", [("cross_entropy", None), ("contrastive", 1.5), ("triplet", None), ("ratio", None)])
def test_idle_loss_is_that_of_equal_embeddings(name, margin):
    model = small()
    model.get_layer("head").set_weights([np.float32(0), np.float32(0)])  # logits 0: a head that guesses
    labels = keras.ops.convert_to_tensor(np.repeat(np.arange(4, dtype="int32"), 3))
    losses = siamese.make_loss(name, model, margin)(keras.ops.ones((12, 8)), labels)
    assert float(keras.ops.mean(losses)) == pytest.approx(siamese.idle_loss(name, margin), rel=1e-4)


def test_cosines_need_unit_length():
    tower = towers.make_tower("compact", (32, 32, 1), normalize=False)
    with pytest.raises(ValueError, match="--normalize"):
        siamese.make_loss("multi_similarity", siamese.siamese(tower, siamese.make_head("distance")))


@pytest.mark.parametrize("head", ["distance", "difference"])
def test_an_image_with_itself_gets_the_highest_score(head, rng):
    """By construction, so also after steps that pull the weights the wrong way."""
    model = small(head)
    loss = siamese.make_loss("cross_entropy", model)
    trainer = siamese.trainer(model, loss)
    trainer.compile(keras.optimizers.Adam(0.01), siamese.own_loss, metrics=siamese.signs_of_life(loss))
    wrong = batch(rng)
    wrong["image"][:] = wrong["image"][[0]]  # equal images said to be different
    trainer.fit(wrong, wrong["label"], batch_size=12, epochs=3, verbose=0, shuffle=False)
    images = rng.integers(0, 256, (30, 32, 32, 1)).astype("uint8")
    features = siamese.embed(model, images)
    scores = siamese.score(model, features[:, None], features[None, :])
    assert np.diag(scores) == pytest.approx(scores.max(), abs=1e-6)
    assert scores.min() < scores.max()


@pytest.mark.parametrize("head", HEADS)
def test_similarity_is_symmetric_and_within_0_and_1(head, rng):
    model = small(head)
    a, b = rng.integers(0, 256, (2, 5, 32, 32, 1)).astype("float32")
    there, back = model.predict([a, b], verbose=0), model.predict([b, a], verbose=0)
    assert there == pytest.approx(back, abs=1e-6)
    assert ((0 <= there) & (there <= 1)).all()


@pytest.mark.parametrize("head", HEADS)
def test_embed_and_score_equal_the_model(head, rng):
    model = small(head)
    a, b = rng.integers(0, 256, (2, 7, 32, 32, 1)).astype("float32")
    expected = model.predict([a, b], verbose=0)
    scores = siamese.score(model, siamese.embed(model, a, batch_size=4), siamese.embed(model, b, batch_size=3))
    assert scores == pytest.approx(expected, abs=1e-5)
    one = siamese.score(model, siamese.embed(model, a)[0], siamese.embed(model, b)[0])
    assert float(one) == pytest.approx(expected[0], abs=1e-5)


def test_embeddings_follow_the_weights(rng):
    """What JAX has compiled must not keep the weights of an earlier epoch."""
    model, images = small(), rng.integers(0, 256, (3, 32, 32, 1)).astype("float32")
    tower = model.get_layer("tower")
    before = siamese.embed(model, images)
    tower.set_weights([rng.normal(0, 0.1, weight.shape).astype("float32") ** 2 for weight in tower.get_weights()])
    after = siamese.embed(model, images)
    assert np.abs(after - before).max() > 0.01
    assert after == pytest.approx(tower.predict(images, verbose=0), abs=1e-5)


def test_calibration_makes_a_distance_a_probability(rng):
    """Pairs whose class follows a logistic of their distance give that logistic back; the tower stays."""
    model = small()
    tower = model.get_layer("tower").get_weights()
    distance = rng.uniform(0, 2, 20_000)
    same = rng.random(20_000) < 1 / (1 + np.exp(-9 * (0.7 - distance)))
    left = np.zeros((20_000, 2))
    right = np.stack([distance, np.zeros(20_000)], axis=1)
    balance = np.log((~same).sum() / same.sum()) / 9  # both kinds weigh alike
    assert siamese.calibrate(model, left, right, same)
    boundary, scale = model.get_layer("head").get_weights()
    assert scale == pytest.approx(9, rel=0.05) and boundary == pytest.approx(0.7 + balance, abs=0.02)
    assert all(np.array_equal(a, b) for a, b in zip(tower, model.get_layer("tower").get_weights()))
    assert not siamese.calibrate(model, left, right, ~same)
    compare = siamese.comparer(model)
    for similarity in (0.1, 0.5, 0.93):
        reached = compare.score(np.zeros(2), np.array([max(0, compare.distance_of(similarity)), 0.0]))
        assert reached == pytest.approx(similarity, abs=1e-5)


def test_training_lowers_the_loss_and_saves_a_model_that_loads(rng, tmp_path):
    model = small()
    loss = siamese.make_loss("cross_entropy", model)
    trainer = siamese.trainer(model, loss)
    trainer.compile(keras.optimizers.Adam(1e-3), siamese.own_loss, metrics=siamese.signs_of_life(loss))
    data = batch(rng)
    data["image"] = np.repeat(data["image"][::3], 3, axis=0)  # classes are easy
    history = trainer.fit(data, data["label"], batch_size=12, epochs=12, verbose=0, shuffle=False).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert {"spread", "same_distance", "different_distance"} < set(history)
    model.save(tmp_path / "model.keras")
    again = runs.load_model(str(tmp_path / "model.keras"))
    pair = [data["image"][:4].astype("float32"), data["image"][4:8].astype("float32")]
    assert np.array_equal(again.predict(pair, verbose=0), model.predict(pair, verbose=0))


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


# weights of others


def article():
    return small("plain", "vgg16", (105, 105, 3))


@pytest.mark.parametrize("nested", ["", "model_weights/vgg16/"])
def test_weights_of_siamese_tf2_load(nested, tmp_path, rng):
    arrays = weights.read(write_h5(tmp_path / "old.h5", nested=nested))
    assert weights.pixels(arrays) == "unit"
    model = article()
    siamese.assign(model, arrays)
    backbone = model.get_layer("tower").get_layer("vgg16")
    assert np.array_equal(backbone.get_layer("block3_conv2").kernel, arrays["block3_conv2"][0])
    head = model.get_layer("head")
    assert np.array_equal(head.hidden.kernel, arrays["hidden"][0]) and float(head.logit.bias[0]) == 0.25
    a, b = rng.integers(0, 256, (2, 1, 105, 105, 3)).astype("float32")
    fa, fb = siamese.embed(model, a), siamese.embed(model, b)
    hidden = np.maximum(np.abs(fa - fb) @ arrays["hidden"][0] + arrays["hidden"][1], 0)
    expected = 1 / (1 + np.exp(-(hidden @ arrays["logit"][0] + arrays["logit"][1])))
    assert siamese.score(model, fa, fb) == pytest.approx(expected[0], abs=1e-5)


def test_weights_that_do_not_fit_are_refused(tmp_path):
    arrays = weights.read(write_h5(tmp_path / "old.h5"))
    with pytest.raises(ValueError, match="pass --head=plain"):
        siamese.assign(small("distance", "vgg16", (105, 105, 3)), arrays)
    with pytest.raises(ValueError, match="pass --backbone=vgg16"):
        siamese.assign(small(), arrays)
    with pytest.raises(ValueError, match=r"hidden: the weights are \[\(4608, 512\).*expects \[\(512, 512\)"):
        siamese.assign(small("plain", "vgg16", (48, 48, 3)), arrays)
    wrong = weights.read(write_h5(tmp_path / "wrong.h5", wrong="block1_conv1"))
    with pytest.raises(ValueError, match=r"block1_conv1: the weights are \[\(3, 3, 4, 64\)"):
        siamese.assign(article(), wrong)
    model = article()
    siamese.assign(model, arrays)
    with pytest.raises(ValueError, match="changed nothing"):
        siamese.assign(model, arrays)


def test_weight_files_that_are_none_are_refused(tmp_path):
    import h5py

    text = tmp_path / "text.h5"
    text.write_text("no")
    with pytest.raises(ValueError, match="not an HDF5 weight file"):
        weights.read(str(text))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["conv/kernel:0"] = np.zeros((3, 3, 1, 1))
    with pytest.raises(ValueError, match="expected block1_conv1"):
        weights.read(str(tmp_path / "other.h5"))
    with pytest.raises(ValueError, match="no such file"):
        weights.read(str(tmp_path / "none.h5"))


def test_imagenet_takes_the_local_file_and_its_pixels(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "READY", str(tmp_path))
    write_h5(tmp_path / weights.NOTOP, head=False)
    arrays = weights.read("imagenet")
    assert weights.pixels(arrays) == "imagenet" and len(arrays) == 13


def test_imagenet_without_network_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(weights, "READY", str(tmp_path))

    def fail(*args, **kwargs):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.utils, "get_file", fail)
    with pytest.raises(ValueError, match="put the file at "):
        weights.read("imagenet")
