"""Photos: their split, and those that training saw."""

import os
import shutil

import pytest

from utils.data import photos
from utils.seen import learnt

from helpers import picture


def test_photos_that_training_saw_are_told_by_whatever_name(tmp_path, monkeypatch, capsys):
    paths = [os.path.join("photos", f"{number}.png") for number in range(6)]
    for seed, path in enumerate(paths):
        picture(tmp_path / path, seed=seed)
    monkeypatch.chdir(tmp_path)
    split = {"root": "", "train": paths[:3], "validation": paths[3:4], "test": paths[4:]}
    for root in ("", ".", str(tmp_path)):
        assert photos.unseen(root, paths, split) == [4, 5]
        assert "left out 4 photos that training saw; 2 remain" in capsys.readouterr().out
    assert photos.unseen("photos", [os.path.basename(path) for path in paths], split) == [4, 5]
    assert photos.unseen("elsewhere", paths, split) == list(range(6)) and photos.unseen("", paths, {}) == list(range(6))


def test_photos_that_were_moved_are_still_those_that_training_saw(tmp_path, capsys):
    for number in range(6):
        picture(tmp_path / "here" / f"{number}.png", seed=number)
    names = [f"{number}.png" for number in range(6)]
    split = {"root": str(tmp_path / "gone"), "train": names[:3], "validation": names[3:4], "test": names[4:]}
    assert photos.unseen(str(tmp_path / "here"), names, split) == [4, 5]
    assert (f"{tmp_path / 'gone'}, where training read, is gone: {tmp_path / 'here'} is taken for the same data"
            in capsys.readouterr().out)
    (tmp_path / "gone").mkdir()  # other photos of the same names
    assert photos.unseen(str(tmp_path / "here"), names, split) == list(range(6))
    split |= {"root": str(tmp_path / "away"), "train": [f"{number}.png" for number in range(3, 30)]}
    assert photos.unseen(str(tmp_path / "here"), names, split) == list(range(6))


@pytest.mark.parametrize("old", [False, True])
def test_photos_that_training_saw_are_told_by_their_contents(old, tmp_path, capsys):
    names = [f"{number}.png" for number in range(6)]
    for number, name in enumerate(names):
        picture(tmp_path / "here" / name, seed=number)
        picture(tmp_path / "there" / f"photo {number}.png", seed=number)
    split = {"root": str(tmp_path / "here"), "train": names[:3], "validation": names[3:4], "test": names[4:]}
    split |= {} if old else learnt.kept(learnt.NOTHING, "", str(tmp_path / "here"), split)
    renamed = [f"photo {number}.png" for number in range(6)]
    assert photos.unseen(str(tmp_path / "there"), renamed, split) == [4, 5]
    assert "left out 4 photos that training saw; 2 remain" in capsys.readouterr().out
    shutil.rmtree(tmp_path / "here")
    assert photos.unseen(str(tmp_path / "there"), renamed, split) == (list(range(6)) if old else [4, 5])
    said = capsys.readouterr().out
    assert ("whether training saw some of the photos of" in said and "4 of the 4" in said) == old


def test_photos_that_the_first_weights_learnt_are_not_drawn_to_test_on(tmp_path):
    names = [f"{number}.png" for number in range(20)]
    for number, name in enumerate(names):
        picture(tmp_path / name, seed=number)
    first = photos.split(str(tmp_path), names, 0.1, 0.1, 0)
    before = learnt.of_files(str(tmp_path), {"train": first.train, "validation": first.validation})
    again = photos.split(str(tmp_path), names, 0.1, 0.1, 7, before)
    assert again.test == first.test and again.validation == first.validation
    assert photos.split(str(tmp_path), names, 0.1, 0.1, 7).test != first.test
    kept = photos.split(str(tmp_path), names, 0.1, 0.1, 7, before._replace(apart=False))
    assert kept.test == photos.split(str(tmp_path), names, 0.1, 0.1, 7).test


@pytest.mark.parametrize("count, parts", [(2, (2, 0, 2)), (20, (16, 2, 2))])
def test_photos_are_split_once(count, parts):
    paths = [f"{number}.png" for number in range(count)]
    made = photos.split("", paths, 0.1, 0.1, 0)
    assert (len(made.train), len(made.validation), len(made.test)) == parts
    assert count < 5 or not set(made.train) & set(made.test) | set(made.validation) & set(made.test)
    for val in ("val", "valid", "validation"):
        folders = [f"{part}/{number}.png" for part in ("train", val, "test") for number in range(4)]
        made = photos.split("", folders, 0.1, 0.1, 0)
        assert made.train == folders[:4] and made.validation == folders[4:8] and made.test == folders[8:]


def test_a_photo_is_in_one_part_only(tmp_path, capsys):
    for part in ("train", "test"):
        for number in range(3):
            picture(tmp_path / part / f"{number}.png", seed=number + 10 * len(part))
    shutil.copy(tmp_path / "test" / "1.png", tmp_path / "train" / "copy.png")
    found = photos.find_photos(str(tmp_path), 8, 0, 0.1, 0, True)
    assert len(found.train) == 3 and len(found.test) == 3
    assert (f"left out 1 photo with the same contents as another: {os.path.join('train', 'copy.png')}"
            in capsys.readouterr().out)
