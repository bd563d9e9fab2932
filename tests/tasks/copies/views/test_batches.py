"""Batches of views: every photo a class of its own."""

import numpy as np
import pytest

from tasks.copies.views.batches import ViewBatches
from tasks.copies.views.photo import photo_views

from helpers import picture


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(7):
        picture(root / f"{number}.png", np.random.default_rng(number).integers(30, 220, 3), (60, 40), number)
    return [str(root / f"{number}.png") for number in range(7)]


def made(paths, **options):
    return ViewBatches(paths, (32, 24, 3), batch_size=6, **{"workers": 0, "steps": 5, **options})


def test_a_batch_holds_views_of_different_photos(paths):
    batch, labels = made(paths)[0]
    assert batch["image"].shape == (6, 32, 24, 3) and batch["image"].dtype == np.uint8
    assert (labels == batch["label"]).all() and labels.dtype == np.int32
    assert [int(np.sum(labels == label)) for label in np.unique(labels)] == [2, 2, 2]
    assert (labels[::2] == labels[1::2]).all()


def test_every_photo_comes_once_before_any_comes_twice(paths):
    batches = made(paths)
    for turn in range(4):
        rows = np.concatenate([batches.rows(2 * turn), batches.rows(2 * turn + 1)])
        assert len(set(rows.tolist())) == 6


def test_batches_repeat_from_seed_epoch_and_step_and_differ_otherwise(paths):
    one, same, other = made(paths), made(paths), made(paths, seed=1)
    assert np.array_equal(one[3][0]["image"], same[3][0]["image"])
    assert not np.array_equal(one[3][0]["image"], other[3][0]["image"])
    same.epoch = 1
    assert not np.array_equal(one[3][0]["image"], same[3][0]["image"])


def test_processes_give_what_one_gives(paths):
    alone, shared = made(paths), made(paths, workers=1)
    for step in (0, 1):
        assert np.array_equal(alone[step][0]["image"], shared[step][0]["image"])
    shared.made.pool.shutdown()


def test_fewer_photos_than_a_batch_holds_fill_a_smaller_one(paths):
    batch, labels = ViewBatches(paths[:2], (32, 32, 1), batch_size=20, views=3, workers=0)[0]
    assert batch["image"].shape == (6, 32, 32, 1) and len(np.unique(labels)) == 2


def test_the_first_view_is_often_the_photo_itself(paths):
    from tasks.copies.views.photo import as_shape, small

    plain = as_shape(small(paths[0]), (32, 24, 3))
    shown = [np.array_equal(photo_views(paths[0], (32, 24, 3), 2, [seed])[0], plain) for seed in range(60)]
    assert 10 < sum(shown) < 50
