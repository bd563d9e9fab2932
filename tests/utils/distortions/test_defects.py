"""Blur, patches, blocks, and changes of light and colour."""

import numpy as np
import pytest
from scipy import ndimage

from utils.distortions import defects
from utils.distortions.catalogue import TID2013, distort, levels

from helpers import added


@pytest.mark.parametrize("kernel", [7, 15, 39, 91, 199])
def test_blur_equals_a_filter_with_mirrored_border(kernel, photo):
    sigma, radius = (kernel / 6, kernel / 6, 0), (kernel // 2, kernel // 2, 0)
    expected = ndimage.gaussian_filter(photo.astype("float64"), sigma, radius=radius)
    assert np.abs(defects.smooth(photo, kernel) - expected).max() < 0.01


def test_patches_move_in_different_directions():
    """In a picture whose colours tell the place, each copied pixel tells where it came from."""
    y, x = np.mgrid[:200, :240]
    change = added("moved_patches", np.stack([y, x, 0 * x], axis=2).astype("uint8"), 2)[..., :2]
    moves = {tuple(move) for move in change.reshape(-1, 2) if move.any()}
    assert len(moves) > 8 and max(np.hypot(*move) for move in moves) < 7.8
    assert all({np.sign(move[axis]) for move in moves} >= {-1, 1} for axis in (0, 1))


def test_more_patches_in_a_larger_photo(even):
    large = np.zeros((384, 512, 3), "uint8")
    assert defects.per_area(large, 30) == 30 and defects.per_area(large[:192, :256], 30) == 8


def test_blocks_are_as_many_and_as_strong_at_each_level(even):
    strengths = []
    for level, count in enumerate(TID2013["colour_blocks"].levels, start=1):
        changes = [added("colour_blocks", even, level, seed) for seed in range(40)]
        hit = [change.any(axis=2) for change in changes]
        assert np.mean(hit) == pytest.approx(count * 32**2 / (512 * 384), rel=0.15)
        strengths.append(np.mean([np.abs(change[mask]).mean() for change, mask in zip(changes, hit)]))
    assert max(strengths) < 1.1 * min(strengths) and min(strengths) > 50


def test_mean_shift_goes_both_ways_and_one_way_for_one_seed(even):
    shifts = {tuple(int(distort(even, TID2013["mean_shift"], level, seed)[0, 0, 0]) - 128 for level in (1, 2, 3, 4))
              for seed in range(20)}
    assert shifts == {(15, 30, 45, 60), (-15, -30, -45, -60)}


def test_contrast_keeps_the_mean_and_goes_both_ways(photo):
    gentle = (64 + photo // 2).astype("uint8")  # nothing of it saturates
    found = set()
    for seed in range(20):
        worse = levels(gentle, TID2013["contrast"], seed)
        assert np.abs(worse.mean(axis=(1, 2, 3)) - gentle.mean()).max() < 0.6
        gains = worse[1:].std(axis=(1, 2, 3)) / gentle.std()
        found.add(bool(gains[0] > 1))
        assert gains == pytest.approx((1.2, 1.4, 1.6, 1.8) if gains[0] > 1 else (0.85, 0.7, 0.55, 0.4), abs=0.01)
    assert found == {True, False}


def test_saturation_keeps_the_luma_and_zero_is_grey(photo):
    grey = distort(photo, TID2013["saturation"], 2, 0)
    assert np.array_equal(grey[..., 0], grey[..., 1]) and np.array_equal(grey[..., 1], grey[..., 2])
    assert np.abs(grey[..., 0] - defects.grey(photo)).max() <= 0.51
    assert np.array_equal(defects.saturation(photo, 1.0, None), photo)


@pytest.mark.parametrize("level, red, blue", [(1, 2, 1), (2, 6, 3), (3, 10, 5), (4, 14, 7)])
def test_aberration_leaves_green_and_shifts_by_the_pixels_asked_for(level, red, blue):
    line = np.zeros((9, 61, 3), "uint8")
    line[:, 30] = 255
    sides = set()
    for seed in range(8):
        worse = distort(line, TID2013["aberration"], level, seed)
        assert np.array_equal(worse[..., 1], line[..., 1])
        corners = worse[4, :, 0].argmax() - 30, worse[4, :, 2].argmax() - 30
        sides.add(tuple(map(int, corners)))
    assert sides == {(red, -blue), (-red, blue)}
