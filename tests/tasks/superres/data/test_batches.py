"""Batches of crops: both sizes show one place, the same again from the same seed, each photo once before any twice."""

import numpy as np
import pytest
from PIL import Image

from tasks.superres.data import crops
from tasks.superres.data.batches import CropBatches
from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, smaller

from helpers import scenery


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(3):
        Image.fromarray(scenery(61, 75, seed=number)).save(root / f"{number}.png")
    return [Pair(str(root / f"{number}.png")) for number in range(3)]


@pytest.mark.parametrize("scale", [2, 3])
def test_the_small_crop_is_that_of_the_small_photo_turned_as_the_large_one(scale, photos):
    """Looked for in the whole small photo, at the place that the large crop has in the large one."""
    seen = set()
    for seed in range(12):
        small, large = crops.crop_pair(photos[0], scale, 9, [seed])
        assert small.shape == (9, 9, 3) and large.shape == (9 * scale, 9 * scale, 3)
        whole = divisible(crops.read_kept(photos[0].large), scale)
        for turns in range(4):
            for flipped in (False, True):
                turned = [crops.turned(each, turns, flipped) for each in (smaller(whole, scale), whole)]
                places = np.lib.stride_tricks.sliding_window_view(turned[0], (9, 9, 3))[:, :, 0]
                for y, x in np.argwhere((places == small).all((2, 3, 4))):
                    found = turned[1][scale * y :, scale * x :][: 9 * scale, : 9 * scale]
                    if np.array_equal(found, large):
                        seen.add((turns, flipped, seed))
    assert {seed for *_, seed in seen} == set(range(12)) and len({way[:2] for way in seen}) > 4


def test_given_small_photos_are_cropped_and_none_is_made(photos, tmp_path):
    Image.fromarray(np.full((30, 37, 3), 9, "uint8")).save(tmp_path / "0x2.png")
    small, _ = crops.crop_pair(Pair(photos[0].large, str(tmp_path / "0x2.png")), 2, 8, [0])
    assert (small == 9).all()


def test_batches_are_the_same_again_and_each_photo_comes_once_before_any_twice(photos):
    made = [CropBatches(photos, 2, 12, 4, 5, seed=3, workers=0) for _ in range(2)]
    (inputs, large), (again, _) = made[0][1], made[1][1]
    assert inputs["image"].shape == (4, 12, 12, 3) and large.shape == (4, 24, 24, 3) and large.dtype == np.uint8
    assert np.array_equal(inputs["image"], again["image"])
    assert not np.array_equal(inputs["image"], made[0][2][0]["image"])
    order = [job[0] for number in range(3) for job in made[0].jobs(number)]
    assert all(set(order[start : start + 3]) == set(photos) for start in range(0, 12, 3))
    made[1].epoch = 1
    assert not np.array_equal(made[1][1][0]["image"], again["image"])


def test_photos_stay_in_memory_only_while_there_is_room(photos, monkeypatch):
    monkeypatch.setattr(crops, "KEPT", {})
    monkeypatch.setattr(crops, "MOST", 61 * 75 * 3 + 1)
    for pair in photos:
        crops.read_kept(pair.large)
    assert list(crops.KEPT) == [photos[0].large] and np.array_equal(crops.read_kept(photos[1].large), np.asarray(Image.open(photos[1].large)))
