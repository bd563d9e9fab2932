"""Pairs of patches from photos, and batches of them."""

import numpy as np
import pytest
from PIL import Image

from tasks.patches.data.batches import PatchBatches
from tasks.patches.data.pairs import Views, apart, chosen, mirrored, photo_pairs
from utils.keypoints.detector import Keypoints

from helpers import scenery

PLAIN = Views("none", 0.0, False)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(3):
        Image.fromarray(scenery(240, 320, seed=number)).save(root / f"{number}.png")
    Image.fromarray(np.full((80, 90, 3), 90, "uint8")).save(root / "even.png")
    return sorted(str(path) for path in root.iterdir())


def alike(one, other):
    """Correlation of two patches."""
    return np.corrcoef(one.ravel().astype(float), other.ravel().astype(float))[0, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_both_patches_of_a_pair_show_one_point_and_different_pairs_do_not(photos, channels):
    pairs = photo_pairs(photos[0], (32, 32, channels), 12, [3], Views("easy", 0.3))
    assert pairs.shape == (12, 2, 32, 32, channels) and pairs.dtype == "uint8"
    own = np.median([alike(a, p) for a, p in pairs])
    others = np.median([alike(pairs[i, 0], pairs[j, 1]) for i in range(12) for j in range(12) if i != j])
    assert own > 0.5 and others < 0.3


def test_pairs_repeat_from_the_seed_and_change_with_it(photos):
    made = [photo_pairs(photos[0], (32, 32, 1), 8, seed, Views()) for seed in ([1, 2], [1, 2], [1, 3])]
    assert np.array_equal(made[0], made[1]) and not np.array_equal(made[0], made[2])


def test_a_photo_without_key_points_still_gives_the_number(photos):
    assert photo_pairs(photos[3], (32, 32, 1), 8, [0], PLAIN).shape == (8, 2, 32, 32, 1)


def test_no_two_points_are_one_place():
    points = Keypoints(np.array([[50, 50], [50.5, 50], [50.5, 50], [50, 50], [80, 50]], "float32"),
                       np.array([5, 5, 5, 9, 5], "float32"), np.array([10, 15, 120, 10, 355], "float32"),
                       np.zeros(5, "float32"))
    assert apart(points).tolist() == [0, 2, 3, 4]  # another angle and another size are other places


def test_patches_of_chosen_points_lie_in_the_photo(rng):
    points = Keypoints(rng.uniform(0, 200, (300, 2)).astype("float32"), rng.uniform(3, 12, 300).astype("float32"),
                       rng.uniform(0, 360, 300).astype("float32"), np.zeros(300, "float32"))
    found = chosen(points, 20, (200, 200), rng)
    assert len(found.size) == 20 and (np.minimum(found.xy, 199 - found.xy).min(axis=1) > 3 * found.size).all()


def test_both_patches_of_a_pair_are_turned_alike(rng):
    pairs = rng.integers(0, 256, (40, 1, 6, 6, 3)).astype("uint8").repeat(2, axis=1)
    turned = mirrored(pairs, rng)
    assert np.array_equal(turned[:, 0], turned[:, 1])
    ways = [pairs, pairs.swapaxes(2, 3), pairs[:, :, :, ::-1], pairs.swapaxes(2, 3)[:, :, :, ::-1]]
    counts = [sum(np.array_equal(one, other) for one, other in zip(turned, way)) for way in ways]
    assert sum(counts) == 40 and min(counts) > 3


def test_a_batch_holds_pairs_of_a_few_photos(photos):
    batches = PatchBatches(photos, (32, 32, 1), 24, PLAIN, sources=3, steps=5, seed=4, workers=0)
    batch, points = batches[0]
    assert (len(batches) == 5 and batch["image"].shape == (24, 32, 32, 1)
            and np.array_equal(batch["point"], np.arange(12).repeat(2)))
    assert np.array_equal(points, batch["point"]) and len(set(batches.rows(0))) == 3
    assert np.array_equal(batch["image"], PatchBatches(photos, (32, 32, 1), 24, PLAIN, sources=3, steps=5, seed=4,
                                                       workers=0)[0][0]["image"])
    batches.epoch = 1
    assert not np.array_equal(batches[0][0]["image"], batch["image"])
