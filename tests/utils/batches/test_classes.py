"""Batches: every class is drawn, and every batch can be had again."""

import numpy as np
import pytest

from utils.batches.augment import AUGMENTATIONS
from utils.batches.classes import ClassBatches, posed

NONE = AUGMENTATIONS["none"]


def make(counts, groups=None, **options):
    """Images whose one pixel value is their row."""
    labels = np.repeat(np.arange(len(counts)), counts)
    images = np.tile(np.arange(len(labels), dtype="uint8")[:, None, None, None], (1, 4, 4, 1))
    groups = np.zeros(len(counts), int) if groups is None else np.array(groups)
    options = {"batch_size": 12, "images_per_class": 3, "changes": NONE, **options}
    return ClassBatches(images, labels, groups, options.pop("rows", np.arange(len(labels))), **options)


def drawn(batches, steps=60):
    return [batches[step][0] for step in range(steps)]


def test_p_classes_of_k_images_class_by_class():
    for batch in drawn(make([5] * 9)):
        labels = batch["label"].reshape(4, 3)
        assert (labels == labels[:, :1]).all() and len(set(labels[:, 0])) == 4
        rows = batch["image"][:, 0, 0, 0]
        assert len(set(rows)) == 12 and (rows // 5 == batch["label"]).all()


def test_every_class_and_image_is_drawn_also_the_last():
    batches = make([5, 3, 7, 4, 6])
    rows = np.concatenate([b["image"][:, 0, 0, 0] for b in drawn(batches)])
    assert set(rows) == set(range(25))


def test_a_batch_depends_on_seed_epoch_and_step_alone():
    one, two = make([5] * 9, changes=AUGMENTATIONS["photos"]), make([5] * 9, changes=AUGMENTATIONS["photos"])
    drawn(one)  # whatever was drawn before
    one.epoch = two.epoch = 4
    for name in ("image", "label", "warp", "light"):
        assert np.array_equal(one[7][0][name], two[7][0][name])
        if name != "label":
            assert not np.array_equal(one[7][0][name], one[8][0][name])
    two.epoch = 5
    assert not np.array_equal(one[7][0]["image"], two[7][0]["image"])
    assert not np.array_equal(one[7][0]["image"], make([5] * 9, seed=1)[7][0]["image"])


@pytest.mark.parametrize("counts", [[2, 2], [1, 1], [1, 40], [1] * 30, [2, 1, 9]])
def test_few_and_uneven_images_fill_a_batch(counts):
    batches = make(counts)
    for batch in drawn(batches, 20):
        assert len(batch["label"]) == batches.batch_size <= 12
        per_class = np.bincount(batch["label"])
        assert (per_class[per_class > 0] == batches.images_per_class).all() and (per_class > 0).sum() >= 2


def test_an_image_comes_twice_only_after_all_others_of_its_class():
    for batch in drawn(make([4, 4], batch_size=16), 20):
        for label in (0, 1):
            rows = batch["image"][batch["label"] == label, 0, 0, 0]
            assert set(rows[:4]) == set(rows[4:8]) == {4 * label + n for n in range(4)}


def test_only_the_rows_of_the_split_are_drawn():
    rows = np.array([0, 1, 2, 15, 16, 17, 18])
    seen = np.concatenate([b["image"][:, 0, 0, 0] for b in drawn(make([5] * 9, rows=rows))])
    assert set(seen) == set(rows)


def test_groups_per_batch():
    groups = [0] * 6 + [1] * 6 + [2] * 6 + [3]
    for batch in drawn(make([3] * 19, groups, groups_per_batch=1)):
        assert len(set(np.array(groups)[batch["label"]])) == 1 or 3 in np.array(groups)[batch["label"]]
    for batch in drawn(make([3] * 19, groups, groups_per_batch=2, batch_size=30)):
        assert len(set(batch["label"])) == 10


@pytest.mark.parametrize("poses", [1, 4, 8])
def test_a_group_is_posed_as_one(poses):
    batches = make([3] * 8, [0] * 4 + [1] * 4, poses=poses, batch_size=24)
    picture = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1)
    batches.images = np.repeat(picture, 24, axis=0)
    seen = set()
    for batch in drawn(batches, 60):
        for group in (0, 1):
            found = {image.tobytes() for image in batch["image"][batch["label"] // 4 == group]}
            assert len(found) == 1
            seen |= found
    assert len(seen) == poses


def test_poses_are_turns_and_mirrored_turns():
    picture = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1)
    assert np.array_equal(posed(picture, [1])[0], np.rot90(picture[0]))
    assert np.array_equal(posed(picture, [4])[0], picture[0, :, ::-1])
    assert np.array_equal(posed(picture, [6])[0], picture[0, ::-1])


@pytest.mark.parametrize("classes, devices", [(7, 2), (9, 4), (2, 3), (5, 8)])
def test_batches_divide_among_devices(classes, devices):
    batches = make([3] * classes, batch_size=96, multiple_of=devices)
    assert batches.batch_size % devices == 0 and 60 <= batches.batch_size <= 96
    with pytest.raises(ValueError, match="--batch_size=400"):
        make([3] * classes, batch_size=12, multiple_of=100)
