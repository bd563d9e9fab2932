"""Folders of pictures: layouts, splits that leak nothing, data too small to split."""

import os
import random

import numpy as np
import pytest
from helpers import picture

from utils.data import classes as folders


def omniglot_like(root, alphabets=6, characters=3, drawings=2, part=""):
    for a in range(alphabets):
        for c in range(characters):
            for d in range(drawings):
                picture(root / part / f"alphabet{a}" / f"character{c}" / f"{d}.png", size=(4, 4))
    return root


def test_chapters(chapters):
    samples = folders.read_samples(str(chapters(3, 1, 2)), own_data=True)
    assert samples.classes == ["chapter0", "chapter1", "chapter2"]
    assert np.bincount(samples.labels).tolist() == [3, 1, 2]
    assert samples.paths[0] == os.path.join("chapter0", "0.png")
    assert "1 / 2 / 3 images" in folders.describe(samples)[0]
    assert "1 classes hold one image" in folders.describe(samples)[1]


def test_alphabets_are_groups(tmp_path):
    samples = folders.read_samples(str(omniglot_like(tmp_path)), own_data=False)
    assert len(samples.classes) == 18 and np.bincount(samples.groups).tolist() == [3] * 6


@pytest.mark.parametrize("own_data, flag", [(True, "--notrain_own_data"), (False, "--train_own_data")])
def test_wrong_train_own_data_names_the_right_one(own_data, flag, tmp_path, chapters):
    root = omniglot_like(tmp_path / "o") if own_data else chapters(2, 2)
    with pytest.raises(ValueError, match=f"pass {flag}"):
        folders.read_samples(str(root), own_data)


def test_folders_that_cannot_work_are_refused(tmp_path, chapters):
    with pytest.raises(ValueError, match="no such folder"):
        folders.read_samples(str(tmp_path / "none"), True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no images found"):
        folders.read_samples(str(tmp_path / "empty"), True)
    with pytest.raises(ValueError, match="found one class, 'chapter0'"):
        folders.read_samples(str(chapters(5)), True)
    picture(tmp_path / "flat" / "a.png")
    with pytest.raises(ValueError, match="one folder for each class"):
        folders.read_samples(str(tmp_path / "flat"), True)


def test_stray_files_are_listed_and_hidden_ones_ignored(chapters):
    root = chapters(2, 2)
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "chapter0/.hidden.png"):
        (root / name).write_text("x")
    picture(root / ".ipynb_checkpoints" / "a.png")
    picture(root / "chapter0" / ".thumbnails" / "a.png")
    samples = folders.read_samples(str(root), True)
    assert samples.others == ["notes.txt"] and len(samples.paths) == 4


def test_old_layout_and_rendered_glyphs_beside_it(tmp_path):
    """datasets/images_background/<chapter>/<image>, with datasets/glyphs/ left from a first try."""
    picture(tmp_path / "images_background" / "a" / "1.png")
    picture(tmp_path / "images_background" / "b" / "1.png")
    omniglot_like(tmp_path / "glyphs", part="images_background")
    samples = folders.read_samples(str(tmp_path), own_data=True)
    assert [os.path.basename(c) for c in samples.classes] == ["a", "b"]


def test_where_glyphs_are_rendered(tmp_path):
    (tmp_path / ".gitkeep").write_text("")
    assert folders.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), True)
    (tmp_path / "glyphs").mkdir()
    assert folders.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), False)
    assert folders.find_root(str(tmp_path), True) == (str(tmp_path), False)
    (tmp_path / "bsds500" / "train").mkdir(parents=True)  # photos for --task=rank
    (tmp_path / "biq2021" / "images").mkdir(parents=True)
    assert folders.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), False)
    (tmp_path / "images_background").mkdir()
    assert folders.find_root(str(tmp_path), False) == (str(tmp_path), False)


@pytest.mark.parametrize("own_data", [True, False])
def test_parts_of_a_data_set_are_no_classes(own_data, tmp_path):
    for part in ("train", "val", "test"):
        for name in ("mug", "pot"):
            picture(tmp_path / part / name / "1.png")
    with pytest.raises(ValueError, match=f"found test, train, val, parts of .*--dataset_path={tmp_path}/train"):
        folders.read_samples(str(tmp_path), own_data)
    assert folders.read_samples(str(tmp_path / "train"), True).classes == ["mug", "pot"]


def test_another_data_set_beside_the_alphabets_is_left_out(tmp_path):
    omniglot_like(tmp_path)
    picture(tmp_path / "bsds500" / "train" / "1.png")
    picture(tmp_path / "bsds500" / "test" / "1.png")
    samples = folders.read_samples(str(tmp_path), False)
    assert len(samples.classes) == 18 and len(samples.others) == 2


def classes_of(samples, rows):
    return set(samples.labels[rows].tolist())


@pytest.mark.parametrize("seed", range(5))
def test_no_class_is_in_two_parts(seed, tmp_path):
    samples = folders.read_samples(str(omniglot_like(tmp_path)), False)
    split = folders.split_by_class(samples, 0.2, 0.2, seed)
    parts = [classes_of(samples, rows) for rows in (split.train, split.validation, split.test)]
    assert all(parts) and not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
    assert sum(map(len, (split.train, split.validation, split.test))) == len(samples.paths)
    assert "classes in two parts: 0" in split.how
    groups = [set(samples.groups[list(part)]) for part in parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2]


def test_evaluation_folder_is_the_test(tmp_path):
    omniglot_like(tmp_path, part="images_background")
    omniglot_like(tmp_path, alphabets=2, part="images_evaluation")
    samples = folders.read_samples(str(tmp_path), False)
    split = folders.split_by_class(samples, 0.2, 0.5, 0)
    assert {samples.paths[row].split(os.sep)[0] for row in split.test} == {"images_evaluation"}
    assert len(split.test) == 2 * 3 * 2 and len(classes_of(samples, split.validation)) == 3


def test_split_depends_on_seed_and_names_alone(tmp_path, monkeypatch):
    root = str(omniglot_like(tmp_path))
    first = folders.split_by_class(folders.read_samples(root, False), 0.2, 0.2, 3)
    walk = os.walk

    def shuffled(*args, **kwargs):
        for folder, folders_, names in walk(*args, **kwargs):
            random.shuffle(folders_)
            random.shuffle(names)
            yield folder, folders_, names

    monkeypatch.setattr(os, "walk", shuffled)
    again = folders.split_by_class(folders.read_samples(root, False), 0.2, 0.2, 3)
    other = folders.split_by_class(folders.read_samples(root, False), 0.2, 0.2, 4)
    for part in ("train", "validation", "test"):
        assert np.array_equal(getattr(first, part), getattr(again, part))
    assert not np.array_equal(first.validation, other.validation)


def test_few_classes_are_split_by_image(chapters):
    samples = folders.read_samples(str(chapters(30, 12, 3)), True)
    split = folders.split_by_class(samples, 0.1, 0.1, 0)
    assert "split by image" in split.how and "seen in training" in split.how
    assert not set(split.train) & set(split.validation) and not set(split.train) & set(split.test)
    assert np.bincount(samples.labels[split.test]).tolist() == [3, 2]
    assert np.sum(samples.labels[split.train] == 2) == 3  # too few to give any away


def test_two_classes_of_two_images_are_all_trained_on(chapters):
    samples = folders.read_samples(str(chapters(2, 2)), True)
    split = folders.split_by_class(samples, 0.1, 0.1, 0)
    assert len(split.train) == 4 and not len(split.test)
    assert not folders.comparable(samples.labels[split.test])


def test_shares_that_leave_nothing_to_train_on_are_refused(tmp_path):
    samples = folders.read_samples(str(omniglot_like(tmp_path)), False)
    with pytest.raises(ValueError, match="lower --val_share and --test_share"):
        folders.split_by_class(samples, 0.5, 0.5, 0)


def test_shares_of_images_that_leave_nothing_are_refused(chapters):
    samples = folders.read_samples(str(chapters(8, 8)), True)
    with pytest.raises(ValueError, match="too few images would be left"):
        folders.split_by_class(samples, 0.5, 0.5, 0)


def test_a_class_in_both_old_folders_is_said(tmp_path):
    for part in ("images_background", "images_evaluation"):
        for name in ("mug", "pot", f"only_{part}"):
            picture(tmp_path / part / name / "1.png")
    split = folders.split_by_class(folders.read_samples(str(tmp_path), True), 0, 0, 0)
    assert "classes in two parts: 2" in split.how


def test_pictures_that_lie_elsewhere_are_listed(chapters):
    root = chapters(3, 3)
    picture(root / "chapter0" / "deeper" / "a.png")
    samples = folders.read_samples(str(root), True)
    assert samples.others == [os.path.join("chapter0", "deeper", "a.png")] and len(samples.paths) == 6


def test_loose_pictures_are_not_an_empty_folder(tmp_path):
    picture(tmp_path / "a.png")
    assert folders.find_root(str(tmp_path), False) == (str(tmp_path), False)


def test_classes_that_training_saw_are_left_out(tmp_path, capsys):
    omniglot_like(tmp_path, part="images_background")
    samples = folders.read_samples(str(tmp_path), False)
    kept = folders.held_out(samples, folders.split_by_class(samples, 0.2, 0.2, 0))
    below = folders.read_samples(str(tmp_path / "images_background"), False)
    left = folders.without_classes(below, kept)
    assert len(left.classes) == 6 and "left out 12 classes" in capsys.readouterr().out
    with pytest.raises(ValueError, match="training saw every class"):
        folders.without_classes(below, kept | {"train_classes": samples.classes})


@pytest.mark.parametrize("counts", [(4,) * 12, (30, 12, 3)])
def test_held_out_images_are_found_again(counts, chapters):
    samples = folders.read_samples(str(chapters(*counts)), True)
    split = folders.split_by_class(samples, 0.2, 0.2, 0)
    kept = folders.held_out(samples, split)
    for part in ("validation", "test"):
        again = folders.from_short_list(samples.root, kept[part])
        assert again.paths == sorted(samples.take(getattr(split, part)).paths)
    with pytest.raises(ValueError, match="none of the"):
        folders.from_short_list("/none", kept["test"])
