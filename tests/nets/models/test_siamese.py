"""The Siamese model: trained, saved, and its distances made probabilities."""

import keras
import numpy as np
import pytest

from nets.heads import HEADS
from nets.models import siamese
from tasks.models import load_model
from utils.metrics.verification import calibration_error

from helpers import class_batch, small_siamese


def test_calibration_makes_a_distance_a_probability(rng):
    """Pairs whose class follows a logistic of their distance give that logistic back; the tower stays."""
    model = small_siamese()
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


OFTEN = {"distance", "plain", "attention_pool"}  # heads that CI calibrates; the others differ in their logit alone


@pytest.mark.parametrize("head", [head if head in OFTEN else pytest.param(head, marks=pytest.mark.rare)
                                  for head in HEADS])
def test_every_head_is_calibrated_and_keeps_its_order(head, rng):
    model = small_siamese(head)
    width = model.get_layer("tower").output_shape[1]
    left, right = rng.normal(0, 0.5 / np.sqrt(width), (2, 20_000, width))
    before = siamese.score(model, left, right)
    logits = np.log(before) - np.log1p(-before)
    level = (logits - logits.mean()) / logits.std()
    same = rng.random(20_000) < 1 / (1 + np.exp(-2 * level))
    untouched = model.get_layer("head").get_weights()
    assert siamese.calibrate(model, left, right, same)
    assert any((a != b).any() for a, b in zip(untouched, model.get_layer("head").get_weights(), strict=True))
    after = siamese.score(model, left, right)
    assert calibration_error(after, same) < 0.02
    order = np.argsort(before)
    assert (np.diff(after[order]) > -2e-3).all()  # float32 rounds the scores before, which may lie close together
    weights = model.get_layer("head").get_weights()
    assert not siamese.calibrate(model, left, right, ~same)
    assert all(np.array_equal(a, b) for a, b in zip(weights, model.get_layer("head").get_weights(), strict=True))


def test_training_lowers_the_loss_and_saves_a_model_that_loads(rng, tmp_path):
    model = small_siamese()
    loss = siamese.make_loss("cross_entropy", model)
    trainer = siamese.trainer(model, loss)
    trainer.compile(keras.optimizers.Adam(1e-3), siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
    trainer.optimizer.build(trainer.trainable_variables)  # so that the step is traced once
    data = class_batch(rng)
    data["image"] = np.repeat(data["image"][::3], 3, axis=0)  # classes are easy
    history = trainer.fit(data, data["label"], batch_size=12, epochs=12, verbose=0, shuffle=False).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert {"spread", "same_distance", "different_distance"} < set(history)
    model.save(tmp_path / "model.keras")
    again = load_model(str(tmp_path / "model.keras"), siamese.KIND)
    pair = [data["image"][:4].astype("float32"), data["image"][4:8].astype("float32")]
    assert np.array_equal(again.predict(pair, verbose=0), model.predict(pair, verbose=0))
