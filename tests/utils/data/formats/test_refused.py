"""What is wrong with a file that Pillow calls no image."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from utils.data.images import read_image

from helpers import picture


def commented(chunk: bytes) -> bytes:
    """A PNG with a comment, of which a chunk has a wrong checksum."""
    comment, file = PngImagePlugin.PngInfo(), io.BytesIO()
    comment.add_text("Comment", "a garden in spring")
    Image.fromarray(np.zeros((9, 9, 3), "uint8")).save(file, "PNG", pnginfo=comment)
    data = bytearray(file.getvalue())
    data[data.index(chunk) + 8] ^= 1
    return bytes(data)


@pytest.mark.parametrize("data, says", [
    (commented(b"tEXt"), "broken PNG image (broken PNG file (bad header checksum in tEXt)): save it again from its "),
    (commented(b"IHDR"), "broken PNG image ("), (b"GIF89a", "broken GIF image ("),
    (b"no picture", "not an image that Pillow can read"), (b"\x89PNG", "not an image that Pillow can read"),
])
def test_a_damaged_picture_is_told_from_what_is_none(data, says, tmp_path):
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError) as error:
        read_image(str(tmp_path / "a.png"), (8, 8, 3))
    assert str(error.value).startswith(f"{tmp_path / 'a.png'}: {says}") and "\n" not in str(error.value)


def test_whole_pictures_and_pictures_in_memory_are_read_as_before(tmp_path):
    picture(tmp_path / "a.png")
    assert read_image(str(tmp_path / "a.png"), (8, 8, 3)).shape == (8, 8, 3)
    with pytest.raises(ValueError, match="not an image that Pillow can read"):
        read_image(io.BytesIO(b"GIF89a"), (8, 8, 3))
