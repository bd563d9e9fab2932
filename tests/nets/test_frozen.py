"""A frozen backbone: its features are computed once, and give what the whole model gives."""

import keras
import numpy as np
import pytest

from nets import frozen
from nets.inference import embed, forward
from nets.models import siamese
from tasks.models import load_model

from helpers import class_batch, small_siamese


def test_features_of_the_backbone_give_what_images_give(rng, tmp_path):
    first = small_siamese()
    images = rng.integers(0, 256, (20, 32, 32, 1), dtype="uint8")
    model = frozen.freeze(first, units=16)
    features = forward(frozen.backbone_of(model), images, 8)
    assert features == pytest.approx(embed(first, images), abs=1e-6)
    frozen.standardize(model, features)
    small = frozen.on_features(model)
    assert embed(small, features) == pytest.approx(embed(model, images), abs=1e-5)
    assert np.linalg.norm(embed(model, images), axis=1) == pytest.approx(np.ones(20), abs=1e-5)
    model.save(tmp_path / "model.keras")
    again = load_model(str(tmp_path / "model.keras"), siamese.KIND)
    assert embed(again, images) == pytest.approx(embed(model, images), abs=1e-6)
    assert frozen.fingerprint(frozen.backbone_of(again)) == frozen.fingerprint(frozen.backbone_of(model))
    other = frozen.backbone_of(frozen.freeze(small_siamese()))
    assert frozen.fingerprint(other) != frozen.fingerprint(frozen.backbone_of(model))


def test_training_changes_the_projection_and_never_the_backbone(rng):
    model = frozen.freeze(small_siamese(), units=16)
    batch = class_batch(rng)
    features = forward(frozen.backbone_of(model), batch["image"], 8)
    frozen.standardize(model, features)
    small = frozen.on_features(model)
    loss = siamese.make_loss("supcon", small)
    trainer = siamese.trainer(small, loss, augment=False)
    trainer.compile(keras.optimizers.Adam(1e-2), siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
    before = frozen.backbone_of(model).get_weights(), embed(model, batch["image"])
    data = {"image": features, "label": batch["label"]}
    history = trainer.fit(data, batch["label"], batch_size=12, epochs=10, verbose=0, shuffle=False).history
    assert history["loss"][-1] < 0.5 * history["loss"][0]
    assert all(np.array_equal(a, b) for a, b in zip(before[0], frozen.backbone_of(model).get_weights(), strict=True))
    assert not np.allclose(before[1], embed(model, batch["image"]), atol=1e-3)
