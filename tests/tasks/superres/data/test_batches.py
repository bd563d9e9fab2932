"""Batches of crops: both sizes show one place, the same again from the same seed, and rather where detail is."""

import numpy as np
import pytest
from PIL import Image

from tasks.superres.data import crops
from tasks.superres.data.batches import CropBatches
from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, resized, smaller
from tasks.superres.flags import SAMPLING

from helpers import scenery


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(3):
        Image.fromarray(scenery(61, 75, seed=number)).save(root / f"{number}.png")
    return [Pair(str(root / f"{number}.png")) for number in range(3)]


@pytest.mark.parametrize("scale", [2, 3])
def test_the_small_crop_is_that_of_the_small_photo_turned_as_the_large_one(scale, photos):
    whole = divisible(crops.read_kept(photos[0].large), scale)
    for turns, flipped in ((0, False), (1, False), (2, True), (3, True)):
        small, large = crops.crop_pair(photos[0], scale, 9, (5, 11), turns, flipped)
        assert small.shape == (9, 9, 3) and large.shape == (9 * scale, 9 * scale, 3)
        np.testing.assert_array_equal(small, crops.turned(smaller(whole, scale)[5:14, 11:20], turns, flipped))
        places = slice(5 * scale, 14 * scale), slice(11 * scale, 20 * scale)
        np.testing.assert_array_equal(large, crops.turned(whole[places], turns, flipped))


def test_given_small_photos_are_cropped_and_none_is_made(photos, tmp_path):
    Image.fromarray(np.full((30, 37, 3), 9, "uint8")).save(tmp_path / "0x2.png")
    small, _ = crops.crop_pair(Pair(photos[0].large, str(tmp_path / "0x2.png")), 2, 8, (0, 0), 0, False)
    assert (small == 9).all()


def test_the_errors_of_crops_are_those_of_bicubic_interpolation(photos):
    whole = divisible(crops.read_kept(photos[1].large), 2)
    found, places = crops.errors(photos[1], 2, 12)
    assert places == (30 - 12 + 1, 37 - 12 + 1) and found.shape == (5, 7)
    squared = ((resized(smaller(whole, 2), 60, 74) - whole) ** 2)[16:40, 24:48]
    assert found[2, 3] == pytest.approx(squared.mean(), rel=1e-3)


def test_batches_are_the_same_again_and_differ_by_step_epoch_and_seed(photos):
    one, again, other = (CropBatches(photos, 2, 12, 4, 5, seed=seed, workers=0) for seed in (3, 3, 4))
    inputs, large = one[1]
    assert inputs["image"].shape == (4, 12, 12, 3) and large.shape == (4, 24, 24, 3) and large.dtype == np.uint8
    assert np.array_equal(inputs["image"], again[1][0]["image"])
    again.epoch = 1
    for differing in (one[2], other[1], again[1]):
        assert not np.array_equal(inputs["image"], differing[0]["image"])


@pytest.mark.parametrize("sampling", SAMPLING)
def test_crops_are_cut_rather_where_bicubic_interpolation_errs_and_reach_every_border(sampling, tmp_path, rng):
    """A photo that is noise on its right half: an even draw finds it half of the time, the other one nearly always."""
    photo = np.full((80, 80, 3), 90, "uint8")
    photo[:, 40:] = rng.integers(0, 256, (80, 40, 3))
    Image.fromarray(photo).save(tmp_path / "a.png")
    jobs = CropBatches([Pair(str(tmp_path / "a.png"))], 2, 10, 500, 1, workers=0, sampling=sampling).jobs(0)
    tops, lefts = np.array([job[3] for job in jobs]).T
    assert set(tops) == set(range(31)) and set(lefts) <= set(range(31)) and lefts.max() == 30
    noisy = (lefts > 12).mean()
    assert noisy > 0.85 if sampling == "errors" else 0.5 < noisy < 0.7


def test_photos_stay_in_memory_only_while_there_is_room(photos, monkeypatch):
    monkeypatch.setattr(crops, "KEPT", {})
    monkeypatch.setattr(crops, "MOST", 61 * 75 * 3 + 1)
    for pair in photos:
        crops.read_kept(pair.large)
    again = crops.read_kept(photos[1].large)
    assert list(crops.KEPT) == [photos[0].large] and np.array_equal(again, np.asarray(Image.open(photos[1].large)))
