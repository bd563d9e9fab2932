"""Folders of pictures: layouts, and what is found in them."""

import os
import re
import shutil

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from utils import glyphs
from utils.data import classes
from utils.data.files import digest
from utils.data.images import read_image
from utils.data.splits import split_by_class

from helpers import omniglot_like, picture


def test_chapters(chapters):
    samples = classes.read_samples(str(chapters(3, 1, 2)), own_data=True)
    assert samples.classes == ["chapter0", "chapter1", "chapter2"]
    assert np.bincount(samples.labels).tolist() == [3, 1, 2]
    assert samples.paths[0] == os.path.join("chapter0", "0.png")
    assert "1 / 2 / 3 images" in classes.describe(samples)[0]
    assert "1 class with a single image" in classes.describe(samples)[1]


def test_alphabets_are_groups(tmp_path):
    samples = classes.read_samples(str(omniglot_like(tmp_path)), own_data=False)
    assert len(samples.classes) == 18 and np.bincount(samples.groups).tolist() == [3] * 6


@pytest.mark.parametrize("own_data, flag", [(True, "--notrain_own_data"), (False, "--train_own_data")])
def test_wrong_train_own_data_names_the_right_one(own_data, flag, tmp_path, chapters):
    root = omniglot_like(tmp_path / "o") if own_data else chapters(2, 2)
    with pytest.raises(ValueError, match=f"pass {flag}"):
        classes.read_samples(str(root), own_data)


def test_several_data_sets_in_one_folder_are_told_apart(tmp_path, capsys):
    """The drawn letters and drawn faces in datasets/, as README has them drawn."""
    for number in range(12):
        picture(tmp_path / "faces" / f"person{number % 3}" / f"{number}.png", seed=number)
    with pytest.raises(ValueError, match=f"--dataset_path={re.escape(str(tmp_path / 'faces'))} for that folder alone"):
        classes.find_samples(str(tmp_path), True)
    (tmp_path / classes.GLYPHS / "images_background").mkdir(parents=True)
    assert len(classes.find_samples(str(tmp_path), False).classes) == 3
    assert f"--dataset_path={tmp_path / classes.GLYPHS} trains on them alone" in capsys.readouterr().out


def test_folders_that_cannot_work_are_refused(tmp_path, chapters):
    with pytest.raises(ValueError, match="no such folder"):
        classes.read_samples(str(tmp_path / "none"), True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="no images found"):
        classes.read_samples(str(tmp_path / "empty"), True)
    with pytest.raises(ValueError, match="found one class, 'chapter0'"):
        classes.read_samples(str(chapters(5)), True)
    picture(tmp_path / "flat" / "a.png")
    with pytest.raises(ValueError, match="one folder for each class$"):
        classes.read_samples(str(tmp_path / "flat"), True)
    for name in ("x/y/z/one/1.png", "x/y/z/two/1.png"):
        picture(tmp_path / "deep" / name)
    mend = re.escape(f"pass --dataset_path={tmp_path / 'deep' / 'x' / 'y' / 'z'} for the classes in that folder")
    with pytest.raises(ValueError, match=mend + "$"):
        classes.read_samples(str(tmp_path / "deep"), True)


def test_stray_files_are_listed_and_hidden_ones_ignored(chapters, capsys):
    root = chapters(2, 2)
    picture(root / "stray.png")
    for name in (".DS_Store", "Thumbs.db", "notes.txt", "chapter0/.hidden.png"):
        (root / name).write_text("x")
    picture(root / ".ipynb_checkpoints" / "a.png")
    picture(root / "chapter0" / ".thumbnails" / "a.png")
    samples = classes.read_samples(str(root), True)
    assert samples.others == ["stray.png"] and len(samples.paths) == 4
    assert "left out 1 file below" in (said := capsys.readouterr().out) and "is no picture: notes.txt" in said


def test_old_layout_and_rendered_glyphs_beside_it(tmp_path):
    """datasets/images_background/<chapter>/<image>, with datasets/glyphs/ left from a first try."""
    picture(tmp_path / "images_background" / "a" / "1.png")
    picture(tmp_path / "images_background" / "b" / "1.png")
    omniglot_like(tmp_path / "glyphs", part="images_background")
    samples = classes.read_samples(str(tmp_path), own_data=True)
    assert [os.path.basename(c) for c in samples.classes] == ["a", "b"]


def test_where_glyphs_are_rendered(tmp_path):
    (tmp_path / ".gitkeep").write_text("")
    assert classes.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), True)
    (tmp_path / "glyphs").mkdir()
    assert classes.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), False)
    assert classes.find_root(str(tmp_path), True) == (str(tmp_path), False)
    (tmp_path / "bsds500" / "train").mkdir(parents=True)  # photos for --task=rank
    (tmp_path / "biq2021" / "images").mkdir(parents=True)
    assert classes.find_root(str(tmp_path), False) == (str(tmp_path / "glyphs"), False)
    (tmp_path / "images_background").mkdir()
    assert classes.find_root(str(tmp_path), False) == (str(tmp_path), False)


@pytest.mark.parametrize("own_data", [True, False])
def test_parts_of_a_data_set_are_no_classes(own_data, tmp_path):
    for part in ("train", "val", "test"):
        for name in ("mug", "pot"):
            picture(tmp_path / part / name / "1.png")
    with pytest.raises(ValueError,
                       match=f"found test, train, val, which are parts of .*--dataset_path={tmp_path}/train"):
        classes.read_samples(str(tmp_path), own_data)
    assert classes.read_samples(str(tmp_path / "train"), True).classes == ["mug", "pot"]


def test_another_data_set_beside_the_alphabets_is_left_out(tmp_path):
    omniglot_like(tmp_path)
    picture(tmp_path / "bsds500" / "train" / "1.png")
    picture(tmp_path / "bsds500" / "test" / "1.png")
    samples = classes.read_samples(str(tmp_path), False)
    assert len(samples.classes) == 18 and len(samples.others) == 2


def test_pictures_that_lie_elsewhere_are_listed(chapters):
    root = chapters(3, 3)
    picture(root / "chapter0" / "deeper" / "a.png")
    samples = classes.read_samples(str(root), True)
    assert samples.others == [os.path.join("chapter0", "deeper", "a.png")] and len(samples.paths) == 6


def test_loose_pictures_are_not_an_empty_folder(tmp_path):
    picture(tmp_path / "a.png")
    assert classes.find_root(str(tmp_path), False) == (str(tmp_path), False)


def test_a_stopped_rendering_leaves_no_half(tmp_path, monkeypatch):
    def stop(folder, progress):
        os.makedirs(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(glyphs, "render_glyphs", stop)
    with pytest.raises(KeyboardInterrupt):
        classes.find_samples(str(tmp_path), own_data=False)
    assert not (tmp_path / "glyphs").exists()


@pytest.mark.parametrize("cache_gb", [1.0, 0.0])
def test_broken_files_are_left_out_row_by_row(cache_gb, chapters, capsys):
    root = chapters(3, 3)
    (root / "chapter0" / "1.png").write_bytes(b"")
    samples = classes.read_samples(str(root), True)
    kept, images = classes.read_pictures(samples, (16, 20, 3), cache_gb, skip_broken=True)
    assert "left out 1 broken files" in capsys.readouterr().out
    assert len(kept.paths) == len(images) == 5 and np.bincount(kept.labels).tolist() == [2, 3]
    for row, path in enumerate(kept.full_paths()):
        assert np.array_equal(images[row : row + 1][0], np.asarray(Image.open(path)))
    assert kept.classes == ["chapter0", "chapter1"]
    with pytest.raises(ValueError, match="1.png: the file is empty; repair them or pass --skip_broken"):
        classes.read_pictures(samples, (16, 20, 3), cache_gb, skip_broken=False)


def test_a_class_that_is_wholly_broken_is_no_class(chapters):
    root = chapters(2, 2)
    for number in range(2):
        (root / "chapter0" / f"{number}.png").write_bytes(b"")
    with pytest.raises(ValueError, match="found one class, 'chapter1'"):
        classes.read_pictures(classes.read_samples(str(root), True), (16, 20, 3), 1.0, skip_broken=True)


def test_a_picture_in_two_classes_is_named_and_used_once(chapters, capsys):
    root = chapters(4, 3, 2)
    shutil.copy(root / "chapter0" / "1.png", root / "chapter1" / "copy.png")
    shutil.copy(root / "chapter0" / "2.png", root / "chapter0" / "again.png")
    samples = classes.find_samples(str(root), True)
    said = capsys.readouterr().out
    assert ("the same picture stands in two classes, and is used only where it comes first: "
            f"{os.path.join('chapter0', '1.png')} and ") in said
    assert "left out 2 files with the same contents as another" in said
    assert np.bincount(samples.labels).tolist() == [4, 3, 2] and len(samples.paths) == 9
    assert (os.path.join("chapter0", "2.png") in samples.paths
            and os.path.join("chapter0", "again.png") not in samples.paths)


def test_a_picture_with_another_date_in_two_classes_is_used_once(chapters, capsys):
    """Files of other bytes and the same pixels, and one picture more that only its small version makes alike."""
    root = chapters(4, 3)
    with Image.open(root / "chapter0" / "1.png") as picture:
        tagged = PngInfo()
        tagged.add_text("date", "another day")
        picture.save(root / "chapter1" / "tagged.png", pnginfo=tagged)
        larger = picture.resize((picture.width * 4, picture.height * 4), Image.Resampling.NEAREST)
        larger.save(root / "chapter1" / "larger.png")
    samples, images = classes.read_pictures(classes.find_samples(str(root), True), (16, 20, 3), 1.0, skip_broken=False)
    said = capsys.readouterr().out
    assert os.path.join("chapter1", "tagged.png") in said and os.path.join("chapter1", "larger.png") not in said
    assert len(samples.paths) == len(images) == 8 and np.bincount(samples.labels).tolist() == [4, 4]
    assert all(np.array_equal(image, read_image(path, (16, 20, 3)))
               for path, image in zip(samples.full_paths(), images))


def test_twins_of_one_character_stay_and_those_of_two_do_not(tmp_path, capsys):
    """Omniglot has a drawing twice in one class, which whole classes keep out of the test; its presets repeat
    exactly."""
    root = omniglot_like(tmp_path)
    shutil.copy(root / "alphabet0" / "character0" / "0.png", root / "alphabet0" / "character0" / "9.png")
    assert len(classes.find_samples(str(root), False).paths) == 37
    shutil.copy(root / "alphabet0" / "character0" / "0.png", root / "alphabet3" / "character2" / "9.png")
    assert len(classes.find_samples(str(root), False).paths) == 37
    assert "alphabet3" in capsys.readouterr().out


def test_no_picture_is_in_two_parts_of_a_split_by_image(chapters):
    root = chapters(20, 20)
    for number in range(12):
        shutil.copy(root / "chapter0" / f"{number}.png", root / "chapter0" / f"twin{number}.png")
    samples = classes.find_samples(str(root), True)
    split = split_by_class(samples, 0.2, 0.2, 0)
    seen = [{digest(samples.full_paths()[row]) for row in part} for part in (split.train, split.validation, split.test)]
    assert all(seen) and not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]
