"""Batches of crops with a target each."""

import numpy as np
import pytest

from utils.batches.scored import CropBatches

from helpers import paths_of


def test_scored_batches_show_each_photo_once_an_epoch(photo_folder):
    made = CropBatches(paths_of(photo_folder), np.arange(6) / 5, 2, 64, steps=3, workers=0)
    assert len(CropBatches(paths_of(photo_folder), np.arange(6), 2, 64, workers=0)) == 40
    for epoch in range(2):
        made.epoch = epoch
        assert sorted(np.concatenate([made[step][1][:, 0] for step in range(3)])) == pytest.approx(np.arange(6) / 5)
    assert made[0][0]["image"].shape == (2, 64, 64, 3)
