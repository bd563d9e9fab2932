"""Heads: every head answers alike both ways round, and an image is most like itself."""

import keras
import numpy as np
import pytest

from nets import siamese
from nets.heads import HEADS
from nets.inference import apply, embed

from helpers import class_batch, small_siamese


@pytest.mark.parametrize("head", ["distance", "difference", "add", "product", "concat"])
def test_an_image_with_itself_gets_its_highest_score(head, rng):
    """By construction, so also after steps that pull the weights the wrong way."""
    model = small_siamese(head)
    loss = siamese.make_loss("cross_entropy", model)
    trainer = siamese.trainer(model, loss)
    trainer.compile(keras.optimizers.Adam(0.01), siamese.own_loss, metrics=siamese.signs_of_life(loss))
    wrong = class_batch(rng)
    wrong["image"][:] = wrong["image"][[0]]  # equal images said to be different
    trainer.fit(wrong, wrong["label"], batch_size=12, epochs=3, verbose=0, shuffle=False)
    images = rng.integers(0, 256, (30, 32, 32, 1)).astype("uint8")
    features = embed(model, images)
    scores = apply(model.get_layer("head"), features[:, None], features[None, :])  # logits, which do not saturate
    assert (np.diag(scores) >= scores.max(axis=1) - 1e-6 * np.abs(scores).max()).all()
    assert scores.min() < scores.max()


@pytest.mark.parametrize("head", HEADS)
def test_similarity_is_symmetric_and_within_0_and_1(head, rng):
    model = small_siamese(head)
    a, b = rng.integers(0, 256, (2, 5, 32, 32, 1)).astype("float32")
    there, back = model.predict([a, b], verbose=0), model.predict([b, a], verbose=0)
    assert there == pytest.approx(back, abs=1e-6)
    assert ((0 <= there) & (there <= 1)).all()
