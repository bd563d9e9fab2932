"""The model that describes patches: its principal components, its training, and what it refuses."""

import keras
import numpy as np
import pytest

from nets import towers
from nets.losses import PATCH_LOSSES, make_patch_loss
from nets.models import descriptor


@pytest.fixture
def small():
    return descriptor.descriptor(towers.make_patch_tower("patches", (32, 32, 1)))


def test_principal_components_are_those_of_the_training_patches(small, rng, tmp_path):
    patches = rng.uniform(0, 255, (60, 32, 32, 1)).astype("float32")
    made = descriptor.with_pca(small, patches, 20)
    before, after = descriptor.describe(small, patches), descriptor.describe(made, patches)
    centred = before - before.mean(axis=0)
    directions = np.linalg.svd(centred, full_matrices=False)[2][:20]
    expected = centred @ directions.T
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert after.shape == (60, 20) and np.allclose(after @ after.T, expected @ expected.T, atol=1e-3)
    made.save(tmp_path / "pca.keras")
    again = keras.saving.load_model(tmp_path / "pca.keras")
    assert again.name == descriptor.KIND and np.allclose(descriptor.describe(again, patches), after, atol=1e-5)
    # of the tower, not of the former components
    assert descriptor.with_pca(made, patches, 10).output_shape == (None, 10)
    with pytest.raises(ValueError, match="--pca=129: expected at most 128"):
        descriptor.with_pca(small, patches, 129)


def test_a_projection_as_it_was_kept_before_it_was_a_dense_layer(rng):
    mean, directions, features = (rng.normal(size=size).astype("float32") for size in ((8,), (8, 3), (5, 8)))
    layer = descriptor.Projection.from_config({"name": "pca", "trainable": True, "dtype": "float32", "count": 3})
    layer.build((None, 8))
    layer.load_own_variables({"0": mean, "1": directions})
    expected = (features - mean) @ directions
    assert np.allclose(layer(features), expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5)


def test_patches_are_described_with_or_without_an_axis_of_channels(small, rng):
    patches = rng.uniform(0, 255, (5, 32, 32)).astype("float32")
    assert np.array_equal(descriptor.describe(small, patches), descriptor.describe(small, patches[..., None]))
    assert descriptor.describe(small, patches[:0]).shape == (0, 128)
    with pytest.raises(ValueError, match="patches of 32 x 32 x 3, expected 32 x 32 x 1"):
        descriptor.describe(small, np.zeros((2, 32, 32, 3)))


@pytest.mark.parametrize("name", PATCH_LOSSES)
def test_training_brings_the_patches_of_a_point_together(small, name, rng):
    seen = rng.uniform(0, 255, (8, 32, 32, 1))
    again = np.clip(0.7 * seen + rng.normal(0, 40, seen.shape) + 30, 0, 255)
    batch = {"image": np.stack([seen, again], axis=1).reshape(16, 32, 32, 1).astype("uint8"),
             "point": np.arange(8, dtype="int32").repeat(2)}
    trained = descriptor.trainer(small, make_patch_loss(name))
    trained.compile(keras.optimizers.Adam(3e-3), descriptor.precomputed_loss, metrics=descriptor.descriptor_metrics())
    trained.optimizer.build(trained.trainable_variables)  # so that the step is traced once
    losses = [trained.train_on_batch(batch, batch["point"], return_dict=True)["loss"] for _ in range(6)]
    assert losses[-1] < losses[0]


def test_sift_is_a_descriptor_without_weights(rng):
    found = descriptor.describe(descriptor.sift(32), rng.uniform(0, 255, (3, 32, 32)))
    assert found.shape == (3, 128) and np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
