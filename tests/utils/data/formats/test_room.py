"""The memory that reading takes is limited by bytes, shared by threads, and judged by the header alone."""

import threading
import zlib

import numpy as np
import pytest
from PIL import Image

from utils.data.formats import room
from utils.data.images import read_image, read_photo

SHAPE = (8, 8, 3)


def save(path, mode, kind="PNG", **how):
    bands = len(Image.new(mode, (1, 1)).getbands())
    Image.new(mode, (400, 300), 9 if bands == 1 else (9,) * bands).save(path, kind, **how)
    return str(path)


@pytest.mark.parametrize("mode, kind, how, each", [
    ("RGB", "PNG", {}, 4), ("RGBA", "PNG", {}, 8), ("LA", "PNG", {}, 8), ("P", "GIF", {}, 5), ("L", "PNG", {}, 5),
    ("I;16", "PNG", {}, 7), ("F", "TIFF", {}, 10), ("CMYK", "TIFF", {}, 8), ("RGB", "WEBP", {}, 16),
    ("RGB", "JPEG2000", {}, 20), ("RGB", "JPEG", {}, 4), ("RGB", "JPEG", {"progressive": True}, 10),
])
def test_a_limit_counts_the_bytes_that_reading_takes(mode, kind, how, each, tmp_path, monkeypatch):
    path = save(tmp_path / "a", mode, kind, **how)
    monkeypatch.delenv(room.LIMIT, raising=False)
    monkeypatch.setattr(room, "MEMORY", each * 400 * 300)
    assert read_image(path, SHAPE).shape == SHAPE
    monkeypatch.setattr(room, "MEMORY", each * 400 * 300 - 1)
    with pytest.raises(ValueError, match=rf"a: 400 x 300 pixels of {kind}, which take 0.0 GB to read, expected .* or "
                                         "less: scale it down, or pass --max_megapixels=1 if memory allows"):
        read_image(path, SHAPE)
    monkeypatch.setenv(room.LIMIT, "1")
    assert read_image(path, SHAPE).shape == SHAPE


@pytest.mark.parametrize("mode", ["RGBA", "LA", "RGB", "L", "I;16"])
def test_a_picture_of_one_colour_that_would_fill_the_memory_is_refused_by_its_header(mode, tmp_path, monkeypatch):
    """17 300 x 17 300 pixels, of which only the header is written here: decoded, it would be a broken image."""
    monkeypatch.delenv(room.LIMIT, raising=False)
    save(tmp_path / "a.png", mode)
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[16:24] = (17_300).to_bytes(4, "big") * 2
    data[29:33] = zlib.crc32(bytes(data[12:29])).to_bytes(4, "big")
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(ValueError, match=r"a.png: 17300 x 17300 pixels of PNG, which take \d\.\d GB to read, expected "
                                         "0.9 GB or less"):
        read_image(str(tmp_path / "a.png"), SHAPE)


def test_what_is_scaled_down_while_it_is_decoded_takes_little(tmp_path, monkeypatch):
    monkeypatch.setattr("utils.data.images.LARGE", 100_000)
    monkeypatch.setattr(room, "MEMORY", 100_000)
    monkeypatch.delenv(room.LIMIT, raising=False)
    path = save(tmp_path / "a.jpg", "RGB", "JPEG")
    assert read_image(path, SHAPE).shape == SHAPE
    with pytest.raises(ValueError, match="pixels of JPEG"):
        read_photo(path)


def test_a_photo_that_lies_on_its_side_takes_twice_the_room(tmp_path, monkeypatch):
    exif = Image.Exif()
    exif[room.ORIENTATION] = 6
    monkeypatch.delenv(room.LIMIT, raising=False)
    monkeypatch.setattr(room, "MEMORY", 6 * 400 * 300)
    assert read_image(save(tmp_path / "a.jpg", "RGB", "JPEG"), SHAPE).shape == SHAPE
    with pytest.raises(ValueError, match="pixels of JPEG"):
        read_image(save(tmp_path / "b.jpg", "RGB", "JPEG", exif=exif), SHAPE)


def test_threads_wait_for_room_and_one_always_gets_it(monkeypatch):
    monkeypatch.delenv(room.LIMIT, raising=False)
    shared, inside, most = room.Shared(), [], []

    def read(size):
        with shared.take(size), shared.take(size):  # the second is within the first
            inside.append(size)
            most.append(sum(inside))
            threading.Event().wait(0.01)
            inside.remove(size)

    sizes = [int(share * room.MEMORY) for share in (0.4, 0.5, 0.6, 2.0, 0.1, 0.3, 0.9)]
    threads = [threading.Thread(target=read, args=(size,)) for size in sizes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(most) == len(sizes) and max(total for total in most if total != 2 * room.MEMORY) <= room.MEMORY
    assert shared.taken == 0


def test_paper_in_strips_is_paper(rng, monkeypatch):
    """A large picture is laid on paper strip by strip: the same pixels."""
    values = rng.integers(0, 256, (50, 40, 4), dtype="uint8")
    for mode in ("RGBA", "LA"):
        image = Image.fromarray(values).convert(mode)
        whole = read_photo(image)
        monkeypatch.setattr("utils.data.formats.paper.BLOCK", 90)
        assert np.array_equal(read_photo(image), whole)
        monkeypatch.undo()
        white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
        assert np.array_equal(whole, np.asarray(white))
