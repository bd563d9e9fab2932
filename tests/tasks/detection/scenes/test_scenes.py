"""Drawn scenes: repeatable, boxes around what shows, every class, sizes, and signs that training never draws."""

import numpy as np
import pytest

from tasks.detection.boxes.geometry import overlap
from tasks.detection.measuring import report
from tasks.detection.scenes import drawing, grounds, things
from tasks.detection.scenes.drawing import PLANTED, Planted, scene


def test_a_scene_is_that_of_its_seed_and_no_other(photo_folder):
    photos = sorted(map(str, photo_folder.iterdir()))
    one, same, other = scene([1, 2], 96, photos), scene([1, 2], 96, photos), scene([1, 3], 96, photos)
    assert np.array_equal(one.picture, same.picture) and np.array_equal(one.boxes, same.boxes)
    assert not np.array_equal(one.picture, other.picture)
    parts = [report.drawn(part, 1, 64, [])[0].picture for part in report.PARTS]
    assert not np.array_equal(parts[0], parts[1]) and not np.array_equal(parts[1], parts[2])


def test_boxes_lie_inside_apart_from_each_other_and_have_the_sizes_that_are_said():
    seen = [scene([7, number], 160) for number in range(12)]
    boxes = np.concatenate([each.boxes for each in seen])
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    assert boxes.min() >= 0 and boxes.max() <= 160 and 4 <= longer.min() and longer.max() <= drawing.LARGEST + 1
    assert len(set(np.concatenate([each.labels for each in seen]).tolist())) > 15
    for each in seen:
        assert np.triu(overlap(each.boxes, each.boxes), 1).max(initial=0) == 0
        assert each.labels.min(initial=0) >= 0 and each.labels.max(initial=0) < len(things.NAMES)


def test_a_box_is_where_the_picture_changed(monkeypatch):
    """The ground is even and nothing is noisy: what differs from it lies in boxes, and reaches each of their sides."""
    monkeypatch.setattr(drawing, "ground", lambda side, photos, rng: np.full((side, side, 3), 120, "uint8"))
    class Still(np.random.Generator):
        def normal(self, *args, size=None, **kwargs):
            return np.zeros(args[2]) if len(args) > 2 and len(np.shape(args[2])) != 0 and np.size(args[2]) == 3 else \
                super().normal(*args, **kwargs)

    monkeypatch.setattr(drawing.np.random, "default_rng", lambda seed: Still(np.random.PCG64(seed)))
    seen = scene([5, 5], 128)
    far = np.abs(seen.picture.astype(int) - 120).max(axis=2)
    for left, top, right, bottom in seen.boxes.astype(int):
        inside = far[top:bottom, left:right] > 8
        assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
        far[max(top - 1, 0) : bottom + 1, max(left - 1, 0) : right + 1] = 0
    assert far.max() < 60


@pytest.mark.parametrize("name", things.NAMES)
def test_every_class_can_be_drawn(name, rng):
    mask = np.asarray(things.mask_of(name, rng))
    assert mask.max() == 255 and min(mask.shape) >= 3 and (mask[0] > 0).any() and (mask[:, -1] > 0).any()


def test_signs_of_one_s_choice_come_first_and_are_of_systems_that_training_never_draws(rng):
    assert not any(things.is_other(character) for character in "K\u03ba\u041ao2")  # o is a ring
    character = things.other_letter(rng, unseen=True)
    seen = scene([3, 3], 200, (), Planted(character, 3))
    assert (seen.labels[:3] == PLANTED).all() and (seen.labels[3:] < PLANTED).all()
    known = [range(first, last) for first, last, _ in things.BACKGROUND.values()]
    assert not any(ord(character) in block for block in known)


def test_a_ground_is_cut_of_a_photo_or_drawn(photo_folder, rng):
    photos = sorted(map(str, photo_folder.iterdir()))
    for made in (grounds.ground(64, photos, rng), grounds.ground(64, (), rng), grounds.ground(300, photos[:1], rng)):
        assert made.dtype == np.uint8 and made.shape[0] == made.shape[1] and made.std() > 3
