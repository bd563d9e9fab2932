"""Splits by class or by image, of which none leaks, and what is held out."""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from utils.data import splits
from utils.data.classes import Samples, read_samples
from utils.data.splits import comparable, split_by_class
from utils.seen import learnt

from helpers import omniglot_like, picture


def classes_of(samples, rows):
    return set(samples.labels[rows].tolist())


@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_in_two_parts(seed, tmp_path):
    samples = read_samples(str(omniglot_like(tmp_path)), False)
    split = splits.split_by_class(samples, 0.2, 0.2, seed)
    parts = [classes_of(samples, rows) for rows in (split.train, split.validation, split.test)]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert sum(map(len, (split.train, split.validation, split.test))) == len(samples.paths)
    assert "classes in two parts: 0" in split.how
    groups = [set(samples.groups[list(part)]) for part in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2]


def test_evaluation_folder_is_the_test(tmp_path):
    omniglot_like(tmp_path, part="images_background")
    omniglot_like(tmp_path, alphabets=2, part="images_evaluation")
    samples = read_samples(str(tmp_path), False)
    split = splits.split_by_class(samples, 0.2, 0.5, 0)
    assert {samples.paths[row].split(os.sep)[0] for row in split.test} == {"images_evaluation"}
    assert len(split.test) == 2 * 3 * 2 and len(classes_of(samples, split.validation)) == 3


def test_split_depends_on_seed_and_names_alone(tmp_path, monkeypatch):
    root = str(omniglot_like(tmp_path))
    first = splits.split_by_class(read_samples(root, False), 0.2, 0.2, 3)
    walk = os.walk

    def shuffled(*args, **kwargs):
        for folder, folders, names in walk(*args, **kwargs):
            random.shuffle(folders)
            random.shuffle(names)
            yield folder, folders, names

    monkeypatch.setattr(os, "walk", shuffled)
    again = splits.split_by_class(read_samples(root, False), 0.2, 0.2, 3)
    other = splits.split_by_class(read_samples(root, False), 0.2, 0.2, 4)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.validation, other.validation)


def test_few_classes_are_split_by_image(chapters):
    samples = read_samples(str(chapters(30, 12, 3)), True)
    split = splits.split_by_class(samples, 0.1, 0.1, 0)
    assert "split by image" in split.how and "seen in training" in split.how
    assert not set(split.train) & set(split.validation) and not set(split.train) & set(split.test)
    assert np.bincount(samples.labels[split.test]).tolist() == [3, 2]
    assert np.sum(samples.labels[split.train] == 2) == 3  # too few to give any away


def test_two_classes_of_two_images_are_all_trained_on(chapters):
    samples = read_samples(str(chapters(2, 2)), True)
    split = splits.split_by_class(samples, 0.1, 0.1, 0)
    assert len(split.train) == 4 and not len(split.test)
    assert not splits.comparable(samples.labels[split.test])


def test_shares_that_leave_nothing_to_train_on_are_refused(tmp_path):
    samples = read_samples(str(omniglot_like(tmp_path)), False)
    with pytest.raises(ValueError, match="lower --val_share and --test_share"):
        splits.split_by_class(samples, 0.5, 0.5, 0)


def test_shares_of_images_that_leave_nothing_are_refused(chapters):
    samples = read_samples(str(chapters(8, 8)), True)
    with pytest.raises(ValueError, match="too few images would be left"):
        splits.split_by_class(samples, 0.5, 0.5, 0)


def test_a_class_in_both_old_folders_is_said(tmp_path):
    for part in ("images_background", "images_evaluation"):
        for name in ("mug", "pot", f"only_{part}"):
            picture(tmp_path / part / name / "1.png")
    split = splits.split_by_class(read_samples(str(tmp_path), True), 0, 0, 0)
    assert "classes in two parts: 2" in split.how


def test_classes_that_training_saw_are_left_out(tmp_path, capsys):
    omniglot_like(tmp_path, part="images_background")
    samples = read_samples(str(tmp_path), False)
    kept = splits.held_out(samples, splits.split_by_class(samples, 0.2, 0.2, 0))
    below = read_samples(str(tmp_path / "images_background"), False)
    left, doubt = splits.without_classes(below, kept)
    assert not doubt and len(left.classes) == 3 and "left out 15 classes" in capsys.readouterr().out
    assert set(left.classes).isdisjoint(name.split("/", 1)[1] for name in kept["train_classes"] + kept["validation"])
    with pytest.raises(ValueError, match="training saw every class"):
        splits.without_classes(below, kept | {"train_classes": samples.classes})
    shutil.copytree(tmp_path / "images_background", tmp_path / "elsewhere" / "images_background")
    copied = read_samples(str(tmp_path / "elsewhere"), False)
    left, _ = splits.without_classes(copied, kept)
    assert len(left.classes) == 3 and "is taken for the same data, copied" in capsys.readouterr().out
    for path in copied.full_paths():
        picture(Path(path), colour=(1, 2, 3))  # other pictures under the same names
    assert len(splits.without_classes(copied, kept)[0].classes) == 18
    left, _ = splits.without_classes(samples, kept | {"root": str(tmp_path / "gone")})
    assert len(left.classes) == 3 and "is taken for the same data, moved" in capsys.readouterr().out


@pytest.mark.parametrize("old", [False, True])
def test_classes_that_training_saw_are_told_by_their_files_whatever_they_are_called(old, chapters, tmp_path, capsys):
    root = chapters(*[4] * 12)
    samples = read_samples(str(root), True)
    kept = splits.held_out(samples, splits.split_by_class(samples, 0.1, 0.2, 0))
    kept |= {} if old else learnt.kept(learnt.NOTHING, "", str(root), kept)
    for number, name in enumerate(samples.classes):  # renamed, deeper, and each with a picture that is new
        shutil.copytree(root / name, tmp_path / "other" / "deep" / f"thing{number}")
        picture(tmp_path / "other" / "deep" / f"thing{number}" / "new.png", seed=1000 + number)
    for number in range(2):
        picture(tmp_path / "other" / "deep" / "unknown" / f"{number}.png", seed=2000 + number)
    other = read_samples(str(tmp_path / "other"), False)
    left, doubt = splits.without_classes(other, kept)
    assert len(left.classes) == 3 and not doubt and "left out 10 classes" in capsys.readouterr().out
    shutil.rmtree(root)
    left, doubt = splits.without_classes(other, kept)
    said = capsys.readouterr().out
    assert len(left.classes) == (13 if old else 3) and ("left out" in said) != old
    assert ("cannot be told: it kept no contents of its files, and 10 of the 10 that" in doubt) == old


@pytest.mark.parametrize("counts", [(6,) * 12, (30, 12, 12)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_what_the_first_weights_learnt_is_not_held_out_again(counts, seed, chapters):
    samples = read_samples(str(chapters(*counts)), True)
    first = splits.split_by_class(samples, 0.2, 0.2, 0)
    kept = splits.held_out(samples, first)
    before = learnt.of_files(samples.root, kept)._replace(weights="logs/a0")
    again = splits.split_by_class(samples, 0.2, 0.2, seed, before)
    assert np.array_equal(again.test, first.test) and np.array_equal(again.validation, first.validation)
    assert again.how.endswith("; what logs/a0 learnt before is not tested on") or "split by image" in again.how
    assert not learnt.doubt_of(before, samples.root, splits.held_out(samples, again))
    plain = splits.split_by_class(samples, 0.2, 0.2, seed)  # as it was before
    assert "of the" in learnt.doubt_of(before, samples.root, splits.held_out(samples, plain))
    all_of_it = before._replace(train=before.train | {learnt.key(path) for path in samples.full_paths()})
    assert not len(splits.split_by_class(samples, 0.2, 0.2, seed, all_of_it).test)


@pytest.mark.parametrize("counts", [(4,) * 12, (30, 12, 3)])
def test_held_out_images_are_found_again(counts, chapters):
    samples = read_samples(str(chapters(*counts)), True)
    split = splits.split_by_class(samples, 0.2, 0.2, 0)
    kept = splits.held_out(samples, split)
    for part in ("validation", "test"):
        again = splits.from_short_list(samples.root, kept[part])
        assert again.paths == sorted(samples.take(getattr(split, part)).paths)
    with pytest.raises(ValueError, match="none of the"):
        splits.from_short_list("/none", kept["test"])


def sized(counts):
    """Samples of classes of so many images, without files."""
    labels = np.repeat(np.arange(len(counts)), counts)
    return Samples("root", [f"c{label:02d}/{row}.png" for row, label in enumerate(labels)], labels,
                   [f"c{n:02d}" for n in range(len(counts))],
                   np.zeros(len(counts), int))


@pytest.mark.parametrize("seed", range(12))
def test_a_class_that_holds_nearly_all_images_is_trained_on_and_the_test_has_same_pairs(seed):
    samples = sized([1500] + [1] * 5 + [3] * 6)
    split = split_by_class(samples, 0.1, 0.1, seed)
    assert len(split.train) > 1490
    for rows in (split.validation, split.test):
        assert comparable(samples.labels[rows])
    assert f"({len(split.train)} images) to train on" in split.how


def test_equal_classes_are_split_by_their_number(rng):
    samples = sized([10] * 40)
    split = split_by_class(samples, 0.1, 0.2, 3)
    assert [len(rows) for rows in (split.train, split.validation, split.test)] == [280, 40, 80]
    train, validation, test = set(split.train), set(split.validation), set(split.test)
    assert not train & validation | train & test | validation & test


def test_a_picture_that_was_replaced_is_told_and_one_that_was_moved_is_not(chapters, tmp_path):
    root = chapters(3, 12)
    samples = read_samples(str(root), True)
    kept = splits.held_out(samples, splits.split_by_class(samples, 0.1, 0.1, 0))
    names = {"train": samples.paths}  # as the other rooms write it
    before = [splits.fingerprint(str(root), held) for held in (kept, names)]
    shutil.copytree(root, tmp_path / "moved")
    assert [splits.fingerprint(str(tmp_path / "moved"), held) for held in (kept, names)] == before
    (root / "chapter0" / ".embeddings.npz").write_bytes(b"what a search keeps")
    (root / "chapter0" / "._0.png").write_bytes(b"what a Mac keeps")
    (root / "chapter0" / "Thumbs.db").write_bytes(b"what another program keeps")
    assert [splits.fingerprint(str(root), held) for held in (kept, names)] == before
    path = root / samples.paths[3]
    path.write_bytes(path.read_bytes()[:-1] + b"x")  # of the same size
    assert all(splits.fingerprint(str(root), held) != old for held, old in zip((kept, names), before))
    assert splits.fingerprint(str(root), {"test": 4, "train": []}) == splits.fingerprint("", {})


def test_what_is_told_of_files():
    scores = np.array([0.5, 0.25])
    assert splits.told(scores) == splits.told(scores.copy()) != splits.told(1 - scores)
    assert splits.told(scores, scores) != splits.told(np.concatenate([scores, scores]))


def test_classes_of_which_none_is_held_out_are_said(chapters, capsys):
    samples = read_samples(str(chapters(9, 6, 6)), True)
    splits.split_by_class(samples, 0.2, 0.2, 0)
    assert "2 classes have fewer than 8 images, of which none is held out" in capsys.readouterr().out
