"""The layers of a network in PyTorch, for its speed: both give the same, and only where they do is anything said."""

import keras
import numpy as np
import pytest

from apps import twin
from nets import detectors, towers

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("network", ["larger", "detector"])
def test_both_give_the_same_also_in_training(network, rng):
    made = (towers.make_larger_tower(towers.larger_row("msffrn_compact", 3, 1, 8), 3) if network == "larger"
            else detectors.make_detector(detectors.detector_row("sodnet_compact"), 3))
    for weight in made.trainable_weights:
        weight.assign(weight + rng.normal(0, 0.01, weight.shape))
    pictures = rng.uniform(0, 255, (2, 32, 48, 3)).astype("float32")
    other = twin.as_torch(made)
    twin.check_equal(made, other, pictures[:1])
    other.train()
    for ours, theirs in zip(twin.several(made(pictures, training=True)), other(twin.as_tensor(pictures)), strict=True):
        ours, theirs = keras.ops.convert_to_numpy(ours), theirs.detach().permute(0, 2, 3, 1).numpy()
        assert np.allclose(ours, theirs, atol=1e-3 * np.ptp(ours))
    assert sum(values.numel() for values in other.parameters()) == sum(
        np.prod(weight.shape) for weight in made.trainable_weights)
    next(other.parameters()).data += 0.1
    with pytest.raises(ValueError, match="something else than Keras"):
        twin.check_equal(made, other, pictures[:1])


def test_a_layer_without_a_counterpart_is_named():
    image = keras.Input((8, 8, 3))
    with pytest.raises(ValueError, match="pooled: a AveragePooling2D has no counterpart here"):
        twin.as_torch(keras.Model(image, keras.layers.AveragePooling2D(2, name="pooled")(image)))
