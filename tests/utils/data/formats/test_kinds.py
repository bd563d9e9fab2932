"""Which files are pictures, which are none, and what is said of those."""

import numpy as np
import pytest
from PIL import Image

from utils.data.files import walk
from utils.data.formats.kinds import hint, is_picture
from utils.data.images import read_image

from helpers import picture


def test_photos_of_two_pictures_are_read(tmp_path):
    """MPO is what some phones and stereo cameras write: a JPEG, and another one after it."""
    frames = [Image.effect_noise((40, 30), sigma) for sigma in (20, 60)]
    frames[0].save(tmp_path / "a.mpo", save_all=True, append_images=frames[1:])
    frames[0].save(tmp_path / "b.MPO", "JPEG")
    assert walk(str(tmp_path)) == (["a.mpo", "b.MPO"], [])
    assert np.array_equal(read_image(str(tmp_path / "a.mpo"), (30, 40, 1)),
                          read_image(str(tmp_path / "b.MPO"), (30, 40, 1)))


@pytest.mark.parametrize("kind", ["TIFF", "PNG", "JPEG", "GIF", "WEBP"])
def test_a_damaged_picture_without_an_ending_is_named(kind, tmp_path, capfd):
    Image.effect_noise((60, 50), 60).convert("RGB").save(tmp_path / "whole", kind)
    data = (tmp_path / "whole").read_bytes()
    (tmp_path / "cut").write_bytes(data[: 20 if kind == "TIFF" else len(data) // 3])
    assert walk(str(tmp_path))[0] == ["cut", "whole"]
    with pytest.raises(ValueError, match="cut: (broken (TIFF )?image|not an image)"):
        read_image(str(tmp_path / "cut"), (8, 8, 3))
    said = capfd.readouterr()
    assert not said.err and not said.out


def test_files_that_are_no_pictures_are_named_once_with_what_reads_them(tmp_path, capsys):
    picture(tmp_path / "1.png")
    Image.new("RGB", (20, 20)).save(tmp_path / "a.nef", "TIFF")  # a preview of a few pixels, in such files
    names = ("b.CR2", "c.dcm", "d.pdf", "e.svg", "f.mp4", "g.txt")
    for name in names:
        (tmp_path / name).write_bytes(b"BM is how some texts begin")
    for _ in range(2):
        assert walk(str(tmp_path)) == (["1.png"], ["a.nef", *names])
    said = capsys.readouterr().out
    named = "a.nef, b.CR2, c.dcm, d.pdf, e.svg and 2 more"
    assert said.count(f"left out 7 files below {tmp_path} that are no pictures: {named}") == 1
    assert said.count("they would be read as pictures: ") == 1
    for program in ("darktable", "pydicom", "pdftoppm", "rsvg-convert", "ffmpeg"):
        assert program in said


def test_one_file_that_is_asked_for_gets_the_hint_too(tmp_path):
    Image.new("RGB", (20, 20)).save(tmp_path / "a.nef", "TIFF")
    with pytest.raises(ValueError, match="a.nef: a raw photo, of which only a small preview could be read; raw photos"):
        read_image(str(tmp_path / "a.nef"), (8, 8, 3))
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(ValueError, match="a.pdf: not an image that Pillow can read; PDF: pdftoppm"):
        read_image(str(tmp_path / "a.pdf"), (8, 8, 3))
    assert hint(str(tmp_path / "notes.txt")) == "" and not is_picture(str(tmp_path / "a.pdf"))
