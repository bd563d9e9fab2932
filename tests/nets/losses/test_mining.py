"""Each way of mining triplets against a plain loop."""

import numpy as np
import pytest
from keras import ops

from nets import named
from nets.losses import MININGS
from nets.losses.pairs import pair_masks

from helpers import LABELS, mined, pairwise, unit


def mask_of(mining, x, labels):
    distance = ops.convert_to_tensor(pairwise(x).astype("float32"))
    return ops.convert_to_numpy(named("nets.losses",
                                      MININGS[mining])(distance, *pair_masks(ops.convert_to_tensor(labels))))


@pytest.mark.parametrize("labels", [LABELS, np.array([3, 3, 3, 3, 1, 1, 1, 1], "int32"), np.zeros(8, "int32")])
@pytest.mark.parametrize("mining", MININGS)
def test_mining_equals_a_loop(mining, labels, rng):
    for _ in range(5):
        x = unit(rng)
        expected = np.zeros((8, 8, 8))
        for triplet in mined(mining, pairwise(x), labels):
            expected[triplet] = 1
        assert np.array_equal(mask_of(mining, x, labels), expected)


def test_random_mining_spreads_over_the_negatives():
    labels = np.repeat(np.arange(10, dtype="int32"), 3)
    mask = mask_of("random", np.random.default_rng(0).normal(size=(30, 4)), labels)
    assert np.mean(mask.sum(axis=(0, 1)) > 0) > 0.75 and mask.sum() == 30 * 2
