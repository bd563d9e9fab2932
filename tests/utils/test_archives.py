"""Archives that a stranger may have made: looked through first, refused in one line."""

import io
import os
import struct
import tarfile
import zipfile

import pytest

from utils import archives

from helpers import write_runs


def changed(path, kind):
    """The zip archive at `path`, spoilt."""
    data = bytearray(path.read_bytes())
    if kind in ("encrypted", "deflate64"):
        for signature, flags, method in ((b"PK\x03\x04", 6, 8), (b"PK\x01\x02", 8, 10)):
            at = data.find(signature)
            while at >= 0:
                struct.pack_into("<H", data, at + (flags if kind == "encrypted" else method),
                                 1 if kind == "encrypted" else 9)
                at = data.find(signature, at + 4)
    elif kind == "cut":
        del data[len(data) // 2 :]
    elif kind == "damaged":
        data[60:80] = bytes(20)
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize("kind, says", [
    ("encrypted", "in it is encrypted"), ("deflate64", "is packed by deflate64"), ("cut", "not a zip file"),
    ("damaged", "cannot be read"),
])
def test_spoilt_zip_archives_are_one_line(kind, says, tmp_path):
    write_runs(tmp_path / "a.zip", 1)
    path = changed(tmp_path / "a.zip", kind)
    with pytest.raises(ValueError, match=says) as caught, archives.open_zip(path, "runs") as file:
        for name in file.namelist():
            file.read(name)
    assert str(caught.value).startswith(path) and "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", [".zip", ".tgz", ".tar.xz"])
def test_an_archive_that_unpacks_to_too_much_leaves_nothing(ending, tmp_path):
    path, size = str(tmp_path / f"bomb{ending}"), 3 * 10**7
    if ending == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.writestr("photos/a.jpg", bytes(size))
    else:
        with tarfile.open(path, "w:gz" if ending == ".tgz" else "w:xz") as file:
            member = tarfile.TarInfo("photos/a.jpg")
            member.size = size
            file.addfile(member, io.BytesIO(bytes(size)))
    with pytest.raises(ValueError,
                       match="unpack to .* or more"), archives.unpacked(path, "photos", str(tmp_path / "to"), "photos"):
        raise AssertionError("not reached")
    assert os.listdir(tmp_path) == [os.path.basename(path)]


def test_many_files_and_false_sizes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FILES", 30)
    path = write_runs(tmp_path / "many.zip", 1)
    with pytest.raises(ValueError, match="holds 41 files, expected 30 at most"), archives.open_zip(path, "runs"):
        pass
    monkeypatch.setattr(archives, "FILES", 100)
    with pytest.raises(ValueError, match="unpack to"), archives.open_zip(path, "runs", most=500):
        pass


@pytest.mark.parametrize("name", ["../mine.txt", "/mine.txt", "photos/../../mine.txt"])
def test_a_tar_archive_does_not_lead_out_of_its_folder(name, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    path = str(tmp_path / "a.tgz")
    with tarfile.open(path, "w:gz") as file:
        file.addfile(tarfile.TarInfo(name))
    to = str(tmp_path / "to")
    with pytest.raises(ValueError, match="out of its folder"), archives.unpacked(path, "photos", to, "photos"):
        pass
    assert (tmp_path / "mine.txt").read_text() == "mine" and sorted(os.listdir(tmp_path)) == ["a.tgz", "mine.txt"]


def test_only_plain_files_that_are_wanted_are_unpacked_and_only_where_all_is_well(tmp_path):
    path = str(tmp_path / "a.tgz")
    with tarfile.open(path, "w:gz") as file:
        link = tarfile.TarInfo("photos/link.jpg")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        for member in (link, tarfile.TarInfo("photos/a.jpg"), tarfile.TarInfo("photos/notes.txt"),
                       tarfile.TarInfo("other/b.jpg")):
            file.addfile(member)
    with pytest.raises(ValueError, match="too few"), archives.unpacked(path, "photos", str(tmp_path / "to"), "photos",
                                                                       ".jpg") as folder:
        assert os.listdir(folder) == ["a.jpg"]
        raise ValueError("too few")
    assert os.listdir(tmp_path) == ["a.tgz"]
    (tmp_path / "to").mkdir()
    with archives.unpacked(path, "photos", str(tmp_path / "to"), "photos", ".jpg"):
        pass
    assert os.listdir(tmp_path / "to") == ["a.jpg"]
    with pytest.raises(ValueError,
                       match="nothing is replaced"), archives.unpacked(path, "photos", str(tmp_path / "to"), "photos"):
        pass
