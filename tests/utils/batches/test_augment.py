"""Small changes: they keep the centre, mirror nothing and never turn far."""

import numpy as np
import pytest

from utils.batches.augment import AUGMENTATIONS, Changes, draw_changes


def test_no_change_is_the_identity():
    warps, lights = draw_changes(np.random.default_rng(0), 5, (7, 9), AUGMENTATIONS["none"])
    assert warps == pytest.approx(np.tile([1, 0, 0, 0, 1, 0, 0, 0], (5, 1)))
    assert lights == pytest.approx(np.tile([1, 0], (5, 1)))


def test_the_centre_stays_but_for_the_shift():
    changes = Changes(rotation=30, shear=0.3, zoom=0.3, shift=0, gain=0, offset=0, probability=1)
    warps, _ = draw_changes(np.random.default_rng(0), 50, (21, 31), changes)
    x, y = 15, 10
    assert warps[:, 0] * x + warps[:, 1] * y + warps[:, 2] == pytest.approx(np.full(50, x), abs=1e-4)
    assert warps[:, 3] * x + warps[:, 4] * y + warps[:, 5] == pytest.approx(np.full(50, y), abs=1e-4)


@pytest.mark.parametrize("name", ["characters", "photos"])
def test_augmentation_never_mirrors_and_never_turns_far(name):
    warps, lights = draw_changes(np.random.default_rng(0), 5000, (48, 48), AUGMENTATIONS[name])
    matrices = warps[:, [0, 1, 3, 4]].reshape(-1, 2, 2)
    assert (np.linalg.det(matrices) > 0.5).all()
    assert (matrices[:, 0, 0] > 0).all() and (matrices[:, 1, 1] > 0).all()
    assert (np.abs(lights[:, 0] - 1) <= 0.2).all() and (np.abs(lights[:, 1]) <= 16).all()
