"""What a teacher sees: the loss against a loop, and a tower that learns it."""

import keras
import numpy as np
import pytest
from keras import ops

from nets import linear
from nets.losses.cosines import Taught
from nets.models import siamese
from nets.towers import make_tower

from helpers import small_siamese

SHAPE = (12, 12, 3)


def teacher(width: int = 7) -> keras.Model:
    """Pictures -> features that keep where things are."""
    images = keras.Input(SHAPE)
    x = keras.layers.AveragePooling2D(4)(images)
    return keras.Model(images, keras.layers.Dense(width, name="seen")(keras.layers.Flatten()(x)))


def test_equals_a_loop(rng):
    """In training the teacher's numbers are standardised over the batch, and the loss is a weight times 1 - cosine."""
    features, pictures = rng.normal(size=(6, 5)).astype("float32"), rng.uniform(0, 255, (6, *SHAPE)).astype("float32")
    layer = Taught(teacher(), weight=3.0)
    made = ops.convert_to_numpy(layer(features, pictures, training=True))
    kernel, bias = layer.guess.get_weights()
    seen = ops.convert_to_numpy(layer.teacher(pictures)).astype("float64")
    seen = (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-3)
    for row in range(6):
        guess = features[row].astype("float64") @ kernel + bias
        cosine = guess @ seen[row] / (np.linalg.norm(guess) * np.linalg.norm(seen[row]))
        assert made[row] == pytest.approx(3 * (1 - cosine), abs=1e-4)


def test_the_teacher_stays_and_the_tower_learns_what_it_sees(rng):
    model = small_siamese()
    shape = model.input_shape[0][1:]
    images = keras.Input(shape)
    known = keras.Model(images, keras.layers.Dense(5)(keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(images))))
    taught = Taught(known)
    before = known.get_weights()
    trained = siamese.trainer(model, siamese.make_loss("contrastive", model), augment=False, taught=taught)
    trained.compile(keras.optimizers.Adam(0.01), siamese.precomputed_loss)
    batch = {"image": rng.integers(0, 256, (16, *shape), dtype="uint8"), "label": np.arange(16, dtype="int32") // 2}
    tower = model.get_layer("tower").get_weights()
    losses = [trained.train_on_batch(batch, batch["label"]) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]
    assert all(np.array_equal(a, b) for a, b in zip(before, known.get_weights(), strict=True))
    assert any((a != b).any() for a, b in zip(tower, model.get_layer("tower").get_weights(), strict=True))
    # what is kept holds no teacher
    assert "taught" not in [layer.name for layer in model.layers]


def test_what_a_tower_sees_is_what_its_last_layer_takes(rng):
    pictures = rng.uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    tower = make_tower("photos", (32, 32, 3), normalize=True)
    seen = keras.Model(tower.input, tower.get_layer("seen").output)
    assert np.allclose(ops.convert_to_numpy(linear.pooled(tower)(pictures)), ops.convert_to_numpy(seen(pictures)))
