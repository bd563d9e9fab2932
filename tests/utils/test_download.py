"""Data sets that are fetched: whole, or refused."""

import os
import tarfile
import zipfile

import numpy as np
import pytest

from utils import download
from utils.data.classes import read_samples
from utils.data.splits import split_by_class

from helpers import picture, write_runs


def mirror(folder, characters=3):
    """Archives like Omniglot's, with few characters."""
    folder.mkdir()
    for name in ("images_background", "images_evaluation"):
        with zipfile.ZipFile(folder / f"{name}.zip", "w") as file:
            for number in range(characters):
                picture(folder / "x.png")
                file.write(folder / "x.png", f"{name}/Latin/character{number}/1.png")
    write_runs(folder / "all_runs.zip")
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


@pytest.mark.parametrize("name", ["mydata/mine.txt", "../mydata/mine.txt", "images_background/../mydata/mine.txt",
                                  "/mydata/mine.txt",
                                  "images_background/../../mydata/mine.txt"])
def test_an_archive_replaces_nothing_that_is_there(name, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ARCHIVES", {"images_background": ("0", 3)})
    mirror(tmp_path / "mirror")
    with zipfile.ZipFile(tmp_path / "mirror" / "images_background.zip", "a") as file:
        file.writestr(name, "theirs")
    mine = [tmp_path / "to" / "mydata" / "mine.txt", tmp_path / "mydata" / "mine.txt"]
    for file in mine:
        file.parent.mkdir(parents=True)
        file.write_text("mine")
    if ".." in name or name.startswith("/"):
        with pytest.raises(ValueError, match="which leads out of its folder"):
            download.omniglot(str(tmp_path / "to"), str(tmp_path / "mirror"))
    else:
        download.omniglot(str(tmp_path / "to"), str(tmp_path / "mirror"))
        assert sorted(os.listdir(tmp_path / "to")) == ["all_runs.zip", "images_background", "mydata"]
    assert [file.read_text() for file in mine] == ["mine", "mine"]


def test_a_folder_of_ones_own_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ARCHIVES", {"images_background": ("0", 3)})
    own = tmp_path / "to" / "images_background" / "mine.txt"
    picture(own.with_suffix(".png"))
    (tmp_path / "to" / "bsds500").mkdir()
    (tmp_path / "to" / "bsds500" / "mine.txt").touch()
    with pytest.raises(ValueError, match="nothing is replaced"):
        download.omniglot(str(tmp_path / "to"), mirror(tmp_path / "mirror"))
    with pytest.raises(ValueError, match="nothing is replaced"):
        download.bsds500(str(tmp_path / "to"), str(tmp_path / "mirror"))
    assert own.with_suffix(".png").is_file() and (tmp_path / "to" / "bsds500" / "mine.txt").is_file()


@pytest.mark.parametrize("content", ["nine bytes", "another zip", "cut"])
def test_all_runs_are_told_by_their_content(content, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "ARCHIVES", {})
    good = mirror(tmp_path / "mirror")
    (tmp_path / "to").mkdir()
    there, bad = tmp_path / "to" / "all_runs.zip", tmp_path / "bad" / "all_runs.zip"
    bad.parent.mkdir()
    if content == "another zip":
        with zipfile.ZipFile(bad, "w") as file:
            file.writestr("run01/readme.txt", "hello")
    else:
        whole = (tmp_path / "mirror" / "all_runs.zip").read_bytes()
        bad.write_bytes(b"PK5678901"[:9] if content == "nine bytes" else whole[: len(whole) // 2])
    there.write_bytes(bad.read_bytes())
    with pytest.raises(ValueError, match="bad/all_runs.zip: .*expected Omniglot's all_runs.zip"):
        download.omniglot(str(tmp_path / "to"), str(bad.parent))
    download.omniglot(str(tmp_path / "to"), good)
    assert (there.read_bytes() == (tmp_path / "mirror" / "all_runs.zip").read_bytes()
            and os.listdir(tmp_path / "to") == ["all_runs.zip"])


def test_real_omniglot(omniglot, tmp_path):
    download.omniglot(str(tmp_path), str(omniglot))
    samples = read_samples(str(tmp_path), own_data=False)
    assert len(samples.classes) == 964 + 659 and (np.bincount(samples.labels) == 20).all()
    split = split_by_class(samples, 0.1, 0.1, 0)
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
    with pytest.raises(ValueError, match="cannot be read .*; expected the archive BSR_bsds500.tgz"):
        download.bsds500(str(tmp_path / "to2"), str(tmp_path / "bad"))
