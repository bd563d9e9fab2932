"""Data that is rendered or fetched, and folders opened for training."""

import os
import tarfile
import zipfile

import numpy as np
import pytest
from helpers import picture
from PIL import Image

from utils import download, glyphs
from utils.data import classes as folders
from utils.run import console as data


def test_glyphs_have_omniglots_layout(alphabets):
    samples = folders.read_samples(str(alphabets), own_data=False)
    assert len(samples.classes) == 8 * 4 and (np.bincount(samples.labels) == 6).all()
    with Image.open(samples.full_paths()[0]) as image:
        assert image.size == (105, 105) and image.mode == "1"


def test_drawings_differ_and_repeat_from_the_seed(alphabets, tmp_path, monkeypatch):
    folder = alphabets / "images_background" / "Latin" / "character01"
    drawings = [np.asarray(Image.open(folder / name)) for name in sorted(os.listdir(folder))]
    assert len({d.tobytes() for d in drawings}) == 6
    assert all(0.01 < np.mean(~d) < 0.5 for d in drawings)
    letter = glyphs.letters(0x41, 0x43, 1, [])[0]
    for place in ("a", "b"):
        glyphs.save_drawings(str(tmp_path / place), letter, np.random.default_rng(5))
    assert (tmp_path / "a" / "07.png").read_bytes() == (tmp_path / "b" / "07.png").read_bytes()


def test_look_alikes_are_one_letter():
    """Latin A, Greek Alpha and Cyrillic A must not be three classes."""
    seen = []
    assert [glyphs.letters(code, code + 1, 1, seen) != [] for code in (0x41, 0x391, 0x410, 0x42)] == [
        True, False, False, True
    ]


def test_the_whole_set_has_many_writing_systems_and_letters():
    seen, counts = [], {}
    for name, block in {**glyphs.BACKGROUND, **glyphs.EVALUATION}.items():
        counts[name] = len(glyphs.letters(*block, seen if name in glyphs.BACKGROUND else []))
    assert len(counts) >= 10 and 300 <= sum(counts.values()) <= 1000
    assert min(counts.values()) >= 5


def test_a_stopped_rendering_leaves_no_half(tmp_path, monkeypatch):
    def stop(folder, progress):
        os.makedirs(folder)
        raise KeyboardInterrupt

    monkeypatch.setattr(glyphs, "render_glyphs", stop)
    with pytest.raises(KeyboardInterrupt):
        data.find_samples(str(tmp_path), own_data=False)
    assert not (tmp_path / "glyphs").exists()


@pytest.mark.parametrize("cache_gb", [1.0, 0.0])
def test_broken_files_are_left_out_row_by_row(cache_gb, chapters, capsys):
    root = chapters(3, 3)
    (root / "chapter0" / "1.png").write_bytes(b"")
    samples = folders.read_samples(str(root), True)
    kept, images = data.decode(samples, (16, 20, 3), cache_gb, skip_broken=True)
    assert "left out 1 broken files" in capsys.readouterr().out
    assert len(kept.paths) == len(images) == 5 and np.bincount(kept.labels).tolist() == [2, 3]
    for row, path in enumerate(kept.full_paths()):
        assert np.array_equal(images[row : row + 1][0], np.asarray(Image.open(path)))
    assert kept.classes == ["chapter0", "chapter1"]
    with pytest.raises(ValueError, match="1.png: the file is empty; mend them or pass --skip_broken"):
        data.decode(samples, (16, 20, 3), cache_gb, skip_broken=False)


def test_a_class_that_is_wholly_broken_is_no_class(chapters):
    root = chapters(2, 2)
    for number in range(2):
        (root / "chapter0" / f"{number}.png").write_bytes(b"")
    with pytest.raises(ValueError, match="found one class, 'chapter1'"):
        data.decode(folders.read_samples(str(root), True), (16, 20, 3), 1.0, skip_broken=True)


def mirror(folder, characters=3):
    """Archives like Omniglot's, with few characters."""
    folder.mkdir()
    for name in ("images_background", "images_evaluation"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as file:
            for number in range(characters):
                picture(folder / "x.png")
                file.write(folder / "x.png", f"{name}/Latin/character{number}/1.png")
    with zipfile.ZipFile(folder / "all_runs.zip", "w") as file:
        file.writestr("run01/class_labels.txt", "")
    return str(folder)


def test_omniglot_from_a_mirror(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(download, "ARCHIVES", {"images_background": ("0", 3), "images_evaluation": ("0", 3)})
    for _ in range(2):  # the second time all is there
        download.omniglot(str(tmp_path / "to"), mirror(tmp_path / "mirror") if _ == 0 else str(tmp_path / "none"))
        assert len(os.listdir(tmp_path / "to" / "images_background" / "Latin")) == 3
        if _ == 0:
            assert (tmp_path / "to" / "all_runs.zip").is_file()
    assert "is there already" in capsys.readouterr().out


def test_archives_that_hold_something_else_are_refused(tmp_path):
    with pytest.raises(ValueError, match="found 3 characters, expected 964"):
        download.omniglot(str(tmp_path / "to"), mirror(tmp_path / "mirror"))
    with pytest.raises(ValueError, match="found no images_background.zip"):
        download.omniglot(str(tmp_path / "to2"), str(tmp_path))


def test_real_omniglot(omniglot, tmp_path):
    download.omniglot(str(tmp_path), str(omniglot))
    samples = folders.read_samples(str(tmp_path), own_data=False)
    assert len(samples.classes) == 964 + 659 and (np.bincount(samples.labels) == 20).all()
    split = folders.split_by_class(samples, 0.1, 0.1, 0)
    assert len(split.test) == 659 * 20 and "whole groups" in split.how


def test_bsds500_is_unpacked_whole_or_not(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "PARTS", {"train": 2, "val": 1, "test": 1})
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for count, good in ((1, False), (2, True)):
        with tarfile.open(mirror / download.PHOTOS, "w:gz") as file:
            for part, number in (("train", count), ("val", 1), ("test", 1)):
                for photo in range(number):
                    picture(tmp_path / "p.jpg")
                    file.add(tmp_path / "p.jpg", f"{download.WHERE}{part}/{photo}.jpg")
        if good:
            download.bsds500(str(tmp_path / "to"), str(mirror))
        else:
            with pytest.raises(ValueError, match="found .* photographs"):
                download.bsds500(str(tmp_path / "to"), str(mirror))
            assert not (tmp_path / "to" / "bsds500").exists()
            (tmp_path / "to" / download.PHOTOS).unlink(missing_ok=True)
    assert download.count_photos(tmp_path / "to" / "bsds500") == download.PARTS
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / download.PHOTOS).write_text("no archive")
    with pytest.raises(ValueError, match="not a whole archive"):
        download.bsds500(str(tmp_path / "to2"), str(tmp_path / "bad"))
