"""Batches of levels and of pairs of levels: repeatable, whole, and the same from several processes."""

import numpy as np
import pytest
from keras import ops

from nets.losses.ranking import better
from utils.batches.levels import LevelBatches, PairBatches
from utils.distortions.catalogue import chosen

from helpers import paths_of

KINDS = ["gaussian_blur", "jpeg", "contrast"]
ARGS = {"batch_size": 40, "crop": 64, "photos": 3, "steps": 5, "crops": 2, "workers": 0}


def batches_of(folder, **kwargs):
    return LevelBatches(paths_of(folder), chosen(KINDS), **{**ARGS, **kwargs})


def pairs_of(folder, pairs, **kwargs):
    """Pairs at random, or the hard ones by the mean grey of an image."""
    scores = (lambda images: images.mean(axis=(1, 2, 3))) if pairs == "hard" else None
    return PairBatches(paths_of(folder), chosen(KINDS), **{**ARGS, **kwargs}, scores=scores)


def test_batches_repeat_and_differ(photo_folder):
    one, again, other = batches_of(photo_folder), batches_of(photo_folder), batches_of(photo_folder, seed=1)
    for step in (3, 0):
        assert np.array_equal(one[step][0]["image"], again[step][0]["image"])
        assert not np.array_equal(one[step][0]["image"], other[step][0]["image"])
    again.epoch = 1
    assert not np.array_equal(one[0][0]["image"], again[0][0]["image"])
    assert not np.array_equal(one[0][0]["image"], one[1][0]["image"])  # another place of the same photos
    one.made.begun = {}
    assert np.array_equal(one[3][0]["image"], again_at(photo_folder, 3))


def again_at(folder, step):
    return batches_of(folder)[step][0]["image"]


def test_processes_give_what_one_gives(photo_folder):
    alone, shared = batches_of(photo_folder), batches_of(photo_folder, workers=2)
    for step in range(5):
        assert np.array_equal(alone[step][0]["image"], shared[step][0]["image"])
    shared.made.pool.shutdown()


def test_a_batch_holds_whole_ladders(photo_folder):
    batch, keys = batches_of(photo_folder)[0]
    assert len(keys) == 39 and batch["image"].dtype == np.uint8  # 3 photos x (1 + 3 distortions x 4 levels)
    for photo in range(3):
        own = keys[keys[:, 0] == photo]
        assert (sorted(map(tuple, own[:, 1:].tolist()))
                == [(-1, 0), *((kind, level) for kind in range(3) for level in range(1, 5))])


def test_more_distortions_than_fit_are_dealt_to_the_photos_in_turn(photo_folder):
    made = batches_of(photo_folder, batch_size=30, photos=3, crops=1)  # ten images a photo: two of three distortions
    for step in range(5):
        keys = made[step][1]
        assert len(keys) <= 30
        hands = [{kind for photo, kind, _ in keys.tolist() if photo == own and kind >= 0} for own in range(3)]
        assert sorted(kind for hand in hands for kind in hand) == [0, 0, 1, 1, 2, 2]
        for own, hand in enumerate(hands):
            for one in hand:
                assert (sorted(level for photo, kind, level in keys.tolist() if (photo, kind) == (own, one))
                        == [1, 2, 3, 4])
    with pytest.raises(ValueError, match="pass --batch_size=15"):
        batches_of(photo_folder, batch_size=14, photos=3)


@pytest.mark.parametrize("pairs", ["random", "hard"])
def test_pairs_have_one_partner_each(pairs, photo_folder):
    made = pairs_of(photo_folder, pairs, batch_size=12)
    batch, keys = made[0]
    assert len(keys) == 12 and ops.convert_to_numpy(better(ops.convert_to_tensor(keys))).sum() == 6
    if pairs == "hard":
        everything = pairs_of(photo_folder, "random", batch_size=24)  # the draws are the same
        images = everything[0][0]["image"]
        lead = images.mean(axis=(1, 2, 3))
        lead = np.sort(lead[::2] - lead[1::2])
        kept = batch["image"].mean(axis=(1, 2, 3))
        assert np.sort(kept[::2] - kept[1::2]) == pytest.approx(lead[:6])


@pytest.mark.parametrize("pairs", ["random", "hard"])
def test_half_of_the_pairs_are_of_two_photos_where_photos_are_compared(pairs, photo_folder):
    made = pairs_of(photo_folder, pairs, across_photos=True, batch_size=40)
    keys = made[0][1]
    assert len(keys) == 40 and ops.convert_to_numpy(better(ops.convert_to_tensor(keys))).sum() == 20
    drawn = [made.pair(np.random.default_rng(seed)) for seed in range(2000)]
    two = [pair for pair in drawn if len(pair) == 2]
    assert len(two) / len(drawn) == pytest.approx(0.5, abs=0.05)
    for (_, [(_, first)]), (_, [(name, second)]) in two:
        assert name and first < second
    assert np.mean([one[0] != other[0] for one, other in two]) == pytest.approx(5 / 6, abs=0.05)
    assert all(len(pair) == 1
               for pair in map(pairs_of(photo_folder, pairs).pair, map(np.random.default_rng, range(50))))
