"""Folders and files: each once, whatever links there are, and nothing opened that is no file."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from utils.data.files import (
    EXCLUDE,
    digest,
    exclude,
    folders_in,
    identical,
    reading,
    remove_remains,
    save_aside,
    walk,
    writer,
)

from helpers import picture


def test_links_do_not_multiply_pictures(tmp_path, capsys):
    """A link to a folder above, to one beside, and to a file; the names without detours stay."""
    root = tmp_path / "root"
    for name in ("b/1.png", "b/2.png", "c/3.png"):
        picture(root / name)
    (root / "b" / "up").symlink_to(root)
    (root / "b" / "again").symlink_to("..")
    (root / "a").symlink_to(root / "c")
    (root / "b" / "0.png").symlink_to(root / "c" / "3.png")
    os.link(root / "b" / "1.png", root / "c" / "hard.png")
    assert walk(str(root))[0] == [os.path.join("b", "1.png"), os.path.join("b", "2.png"), os.path.join("c", "3.png")]
    said = capsys.readouterr().out
    assert "left out 5 below" in said and "(the same as the folder itself)" in said and "a (the same as c)" in said


def test_a_folder_of_links_to_elsewhere_is_read(tmp_path):
    picture(tmp_path / "store" / "x" / "1.png")
    picture(tmp_path / "store" / "2.png", seed=1)
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "folder").symlink_to(tmp_path / "store" / "x")
    (tmp_path / "root" / "2.png").symlink_to(tmp_path / "store" / "2.png")
    (tmp_path / "root" / "loop").symlink_to("loop")
    assert walk(str(tmp_path / "root"))[0] == ["2.png", os.path.join("folder", "1.png")]


def test_pipes_devices_and_forbidden_folders_are_named(tmp_path, capsys):
    picture(tmp_path / "1.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "gone.png").symlink_to("nowhere")
    assert walk(str(tmp_path)) == (["1.png"], [])
    said = capsys.readouterr().out
    assert said.count("a pipe, a device or a socket") == 2 and "gone.png (a link to nothing)" in said
    for path in ("pipe.png", "zero.png"):
        with pytest.raises(OSError, match="not a regular file"):
            digest(str(tmp_path / path))


def test_what_systems_put_beside_pictures_is_left_out_and_counted(tmp_path, capsys):
    for name in ("1.png", "a/2.png", "a/@eaDir/1.png/THUMB_M.jpg", "a/@eaDir/1.png/THUMB_S.jpg", "@eaDir/x.png",
                 "__MACOSX/._1.png",
                 ".thumbnails/9.jpg", ".Trashes/8.png", ".hidden/7.png"):
        picture(tmp_path / name)
    (tmp_path / "Thumbs.db").write_text("x")
    for _ in range(2):
        assert walk(str(tmp_path)) == (["1.png", os.path.join("a", "2.png")], [])
    assert folders_in(str(tmp_path)) == {"a"}
    assert capsys.readouterr().out == (
        "left out 1 deleted file of .Trashes, 1 thumbnail of .thumbnails, 3 thumbnails of @eaDir, 1 thumbnail of "
        f"Thumbs.db, 1 system file of __MACOSX, below {tmp_path}\n")
    # asked for
    assert walk(str(tmp_path / "a" / "@eaDir"))[0] == [os.path.join("1.png", f"THUMB_{size}.jpg") for size in "MS"]


@pytest.mark.parametrize("wished, left", [
    (["*_small.png"], ["a/1.png", "a/old/2.png", "b/old.png"]), (["old"], ["a/1.png", "a/1_small.png", "b/old.png"]),
    (["a/old/", "./b/*"], ["a/1.png", "a/1_small.png"]), (["a"], ["b/old.png"]), (["A", "1.png*x"], None),
    (["old*", "[ab]/1*"], []),
])
def test_patterns_leave_out_names_paths_and_folders(wished, left, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv(EXCLUDE, "")
    names = ["a/1.png", "a/1_small.png", "a/old/2.png", "b/old.png"]
    for number, name in enumerate(names):
        picture(tmp_path / name, seed=number)
    exclude(wished)
    kept = names if left is None else left
    assert walk(str(tmp_path))[0] == [name.replace("/", os.sep) for name in kept]
    gone = len(names) - len(kept)
    assert (capsys.readouterr().out == (f"left out {gone} file{'s' * (gone > 1)} that --exclude names, below "
                                        f"{tmp_path}\n" if gone else ""))


@pytest.mark.parametrize("pattern", ["", " ", "/", "/photos/old", "../old"])
def test_what_is_no_pattern_is_refused(pattern):
    with pytest.raises(ValueError, match=f"--exclude={pattern}: expected a pattern for names"):
        exclude([pattern])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission_is_named(tmp_path, capsys):
    picture(tmp_path / "a" / "1.png")
    picture(tmp_path / "b" / "1.png")
    (tmp_path / "b").chmod(0)
    assert len(walk(str(tmp_path))[0]) == 1 and "b (Permission denied)" in capsys.readouterr().out
    (tmp_path / "b").chmod(0o700)


def test_pictures_are_told_by_contents_where_the_name_does_not_tell(tmp_path):
    image = Image.new("RGB", (20, 20), (9, 99, 199))
    for name in ("a.avif", "b.ico", "c.JPEG", "d.qoi"):
        image.save(tmp_path / name, None if name != "c.JPEG" else "JPEG")
    image.save(tmp_path / "without", "PNG")
    image.save(tmp_path / "odd.download", "JPEG")
    image.save(tmp_path / "raw.nef", "TIFF")  # a preview of a few pixels, in such files
    image.save(tmp_path / "tiff", "TIFF")
    (tmp_path / "notes.txt").write_text("P3 is a way to begin a picture")
    (tmp_path / "d.heic").write_bytes(b"\0\0\0\x18ftypheic")
    assert walk(str(tmp_path)) == (["a.avif", "b.ico", "c.JPEG", "d.qoi", "odd.download", "tiff", "without"],
                                   ["d.heic", "notes.txt", "raw.nef"])


def test_a_data_set_within_is_left_out_only_of_training(tmp_path, capsys):
    picture(tmp_path / "mine" / "1.png")
    picture(tmp_path / "set" / "loose.png", seed=1)
    picture(tmp_path / "set" / "images_background" / "a" / "b" / "1.png", seed=2)
    assert len(walk(str(tmp_path))[0]) == 3
    assert len(walk(str(tmp_path), data_sets=True)[0]) == 1 and "set (a data set of its own)" in capsys.readouterr().out


def test_names_of_no_encoding_are_found_and_said(tmp_path, capsys):
    name = b"caf\xe9 \x1b[31m.png".decode("utf-8", "surrogateescape")
    picture(tmp_path / "1.png")
    shutil.copy(tmp_path / "1.png", tmp_path / name)
    assert (walk(str(tmp_path))[0] == ["1.png", name] and identical([str(tmp_path / "1.png"), str(tmp_path / name)])
            == [[0, 1]])
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("nowhere")
    walk(str(tmp_path))
    assert "caf\\udce9 \\x1b[31m.png (a link to nothing)" in capsys.readouterr().out


@pytest.mark.parametrize("error, text", [
    (OSError(5, "Input/output error"), "cannot be read (Input/output error)"),
    (MemoryError(), "cannot be read (MemoryError)"),
    (KeyError("x"), "cannot be read (KeyError 'x')"), (KeyError(101), "cannot be read (KeyError 101)"),
    (RuntimeError("two\nlines"), "cannot be read (two lines)"),
    (ValueError("f.bin: said already"), "f.bin: said already"),
])
def test_every_failure_to_read_names_the_file(error, text):
    with pytest.raises(ValueError) as found, reading("f.bin", "a file", "delete it"):
        raise error
    assert str(found.value) == (text if text.startswith("f.bin") else f"f.bin: {text}; expected a file; delete it")


def test_what_killed_writers_left_is_removed_and_nothing_else(tmp_path):
    names = ["a.npz.0123abcd.new.npz", "flags.txt.89abcdef.new", "young.keras.0123abcd.new.keras", "a.new.png",
             "photo.0123abcd.news"]
    for name in names:
        (tmp_path / name).write_text("x")
        if "young" not in name:
            os.utime(tmp_path / name, (0, 0))
    remove_remains(str(tmp_path))
    assert sorted(os.listdir(tmp_path)) == sorted(names[2:])
    remove_remains(str(tmp_path / "nowhere"))


def test_what_a_killed_process_of_this_host_left_is_removed_by_the_next_that_writes_the_file(tmp_path):
    """At once, and what another host or a living process writes stays."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host, own = writer().split("-")
    names = {"a.csv.0123abcd.{}.new": f"{host}-{ended.pid}", "b.csv.0123abcd.{}.new": f"{host}-{ended.pid}",
             "a.csv.89abcdef.{}.new": f"{host}-{own}", "a.csv.4567abcd.{}.new": "00000000-1"}
    paths = [tmp_path / name.format(mark) for name, mark in names.items()]
    for path in paths:
        path.write_text("half")
    (tmp_path / f".new-{host}-{ended.pid}-abc_9x").mkdir()
    (tmp_path / "photo.new-2").write_text("mine")
    save_aside(lambda aside: Path(aside).write_text("whole"), str(tmp_path / "a.csv"))
    assert [path.exists() for path in paths] == [False, True, True, True]
    assert (tmp_path / "a.csv").read_text() == "whole"
    assert remove_remains(str(tmp_path)) and not remove_remains(str(tmp_path), ".new-")
    assert sorted(os.listdir(tmp_path)) == sorted(["a.csv", "photo.new-2", *(path.name for path in paths[2:])])


@pytest.mark.parametrize("save", [lambda aside: Path(aside).write_text("new"), lambda aside: os.rename("gone", aside)])
def test_an_error_names_the_file_that_a_person_knows_and_no_other(save, tmp_path):
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(OSError) as told:
        save_aside(save, str(tmp_path / "a.csv"))
    assert str(told.value).endswith(f": '{tmp_path / 'a.csv'}'")
