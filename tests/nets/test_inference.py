"""Embedding and scoring equal what the whole model says, and follow its weights."""

import keras
import numpy as np
import pytest

from nets.heads import HEADS
from nets.inference import apply, embed, forward
from nets.models import siamese

from helpers import small_siamese


@pytest.mark.parametrize("head", HEADS)
def test_embed_and_score_equal_the_model(head, rng):
    model = small_siamese(head)
    a, b = rng.integers(0, 256, (2, 7, 32, 32, 1)).astype("float32")
    expected = model.predict([a, b], verbose=0)
    scores = siamese.score(model, embed(model, a, batch_size=4), embed(model, b, batch_size=3))
    assert scores == pytest.approx(expected, abs=1e-5)
    one = siamese.score(model, embed(model, a)[0], embed(model, b)[0])
    assert float(one) == pytest.approx(expected[0], abs=1e-5)


@pytest.mark.parametrize("batch_size", [64, 2])
def test_embeddings_follow_the_weights(batch_size, rng):
    """What is compiled, for few images by JAX and for more by every backend, must not keep the weights of an earlier
    epoch."""
    model, images = small_siamese(), rng.integers(0, 256, (3, 32, 32, 1)).astype("float32")
    tower = model.get_layer("tower")
    before = embed(model, images, batch_size)
    tower.set_weights([rng.normal(0, 0.1, weight.shape).astype("float32") ** 2 for weight in tower.get_weights()])
    after = embed(model, images, batch_size)
    assert np.abs(after - before).max() > 0.01
    assert after == pytest.approx(tower.predict(images, verbose=0), abs=1e-5)


@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_images_pass_in_batches_and_all_come_back(count, rng):
    """Fewer than a batch, one batch, and a last batch that is short: the same features as all at once."""
    tower = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Conv2D(3, 2), keras.layers.Flatten()])
    images = rng.integers(0, 256, (count, 4, 4, 1), "uint8")
    assert forward(tower, images, 4) == pytest.approx(apply(tower, images), rel=1e-5, abs=1e-3)
