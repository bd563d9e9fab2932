"""Heads: every head answers alike both ways round, and an image is most like itself."""

import keras
import numpy as np
import pytest

from nets.heads import HEADS, make_head
from nets.inference import apply, embed
from nets.models import siamese

from helpers import class_batch, small_siamese

RARE = [pytest.param(head, marks=pytest.mark.rare) for head in ("difference", "add", "product")]


@pytest.mark.parametrize("head", ["distance", "concat", *RARE])
def test_an_image_with_itself_gets_its_highest_score(head, rng):
    """By construction, so also after steps that pull the weights the wrong way."""
    model = small_siamese(head)
    loss = siamese.make_loss("cross_entropy", model)
    trainer = siamese.trainer(model, loss)
    trainer.compile(keras.optimizers.Adam(0.01), siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
    trainer.optimizer.build(trainer.trainable_variables)  # so that the step is traced once
    wrong = class_batch(rng)
    wrong["image"][:] = wrong["image"][[0]]  # equal images said to be different
    trainer.fit(wrong, wrong["label"], batch_size=12, epochs=3, verbose=0, shuffle=False)
    images = rng.integers(0, 256, (30, 32, 32, 1)).astype("uint8")
    features = embed(model, images)
    scores = apply(model.get_layer("head"), features[:, None], features[None, :])  # logits, which do not saturate
    assert (np.diag(scores) >= scores.max(axis=1) - 1e-6 * np.abs(scores).max()).all()
    assert scores.min() < scores.max()


@pytest.mark.parametrize("name", ["add", "product", "concat"])
def test_fused_features_are_compared_as_in_the_formula(name, rng):
    """Against a loop in NumPy: boundary - |(g(a, a) + g(b, b)) / 2 - g(a, b)|, g the mean of both ways round."""
    head = make_head(name)
    left, right = rng.normal(size=(2, 6, 4)).astype("float32")
    scores = keras.ops.convert_to_numpy(head(left, right))
    (hidden, bias), (logit,), boundary = head.hidden.get_weights(), head.logit.get_weights(), float(head.boundary)
    fuse = {"add": lambda a, b: a + b, "product": lambda a, b: a
            * b, "concat": lambda a, b: np.concatenate([a, b])}[name]

    def g(a, b):
        return np.mean([np.maximum(fuse(*pair) @ hidden + bias, 0) @ logit[:, 0] for pair in ((a, b), (b, a))])

    for a, b, score in zip(left, right, scores):
        assert score == pytest.approx(boundary - abs((g(a, a) + g(b, b)) / 2 - g(a, b)), abs=1e-5)
    head.rescale(3.0, -1.0)
    assert apply(head, left, right) == pytest.approx(3 * scores - 1, abs=1e-4)


@pytest.mark.parametrize("head", HEADS)
def test_similarity_is_symmetric_and_within_0_and_1(head, rng):
    model = small_siamese(head)
    a, b = rng.integers(0, 256, (2, 5, 32, 32, 1)).astype("float32")
    there, back = model.predict([a, b], verbose=0), model.predict([b, a], verbose=0)
    assert there == pytest.approx(back, abs=1e-6)
    assert ((0 <= there) & (there <= 1)).all()


def test_no_pair_starts_at_the_cap_where_the_gradient_is_lost(rng):
    for seed in range(5):
        keras.utils.set_random_seed(seed)
        head = make_head("difference")
        head.build((None, 16))
        features = rng.normal(size=(20, 16)).astype("float32")
        logits = apply(head, features[:, None], features[None])
        assert (logits[~np.eye(20, dtype=bool)] < logits.max() - 1e-3).all()
