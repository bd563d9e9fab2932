"""Pictures of all kinds: what is read is what was written, and nothing is lost that the format can hold."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from tasks.superres.pictures import reading, writing
from tasks.superres.pictures.reading import Photo

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.fixture
def deep(rng):
    """Colours and transparency of 16 bits."""
    return rng.integers(0, 65536, (7, 9, 3)).astype("uint16"), rng.integers(1, 65536, (7, 9)).astype("uint16")


@pytest.mark.parametrize("grey, clear", [(False, False), (False, True), (True, False)])
def test_sixteen_bits_come_back_to_the_last_bit(grey, clear, deep, tmp_path):
    colours = reading.thrice(deep[0][..., 0]) if grey else deep[0]
    writing.write(Photo(colours, grey, deep[1] if clear else None, SRGB), str(tmp_path / "a.png"))
    found = reading.read(tmp_path / "a.png")
    np.testing.assert_array_equal(found.colours, colours)
    assert found.grey == grey and found.profile == SRGB and (found.alpha is not None) == clear
    assert not clear or np.array_equal(found.alpha, deep[1])
    Image.open(tmp_path / "a.png").verify()


def test_many_rows_of_sixteen_bits_are_written_in_parts(tmp_path, rng):
    colours = rng.integers(0, 65536, (2 * writing.ROWS + 3, 2, 3)).astype("uint16")
    writing.write(Photo(colours), str(tmp_path / "a.png"))
    np.testing.assert_array_equal(reading.read(tmp_path / "a.png").colours, colours)


def test_tiff_of_sixteen_bits_in_both_orders(deep, tmp_path):
    """As a plain TIFF stores it: a header, nine tags, the numbers."""
    for mark, order in ((b"II*\0", "little"), (b"MM\0*", "big")):
        values = deep[0].astype(deep[0].dtype.newbyteorder(order))
        number = lambda value, size: value.to_bytes(size, order)  # noqa: B023, E731
        tags = [(256, 4, 1, 9), (257, 4, 1, 7), (258, 3, 3, 122), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, 1, 128),
                (277, 3, 1, 3),
                (278, 4, 1, 7), (279, 4, 1, values.nbytes)]
        fields = b""
        for tag, kind, count, value in tags:
            stored = number(value, 2) + b"\0\0" if kind == 3 and count == 1 else number(value, 4)
            fields += number(tag, 2) + number(kind, 2) + number(count, 4) + stored
        head = mark + number(8, 4) + number(9, 2) + fields + number(0, 4)
        (tmp_path / "a.tif").write_bytes(head + number(16, 2) * 3 + values.tobytes())
        np.testing.assert_array_equal(reading.read(tmp_path / "a.tif").colours, deep[0])


@pytest.mark.parametrize("kind", writing.ENDINGS)
def test_colours_grey_and_transparency_are_kept_in_each_format(kind, photo, tmp_path):
    for grey, clear in ((False, False), (False, True), (True, False), (True, True)):
        colours = reading.thrice(photo[..., 1]) if grey else photo
        path = str(tmp_path / f"a{writing.ENDINGS[kind]}")
        writing.write(Photo(colours, grey, photo[..., 0] if clear else None, SRGB), path, kind)
        found = reading.read(path)
        assert found.profile == SRGB and (found.alpha is not None) == (clear and kind != "jpeg")
        assert found.grey == grey or kind == "webp"  # which knows no grey
        if kind != "jpeg":
            visible = found.alpha != 0 if clear else np.ones(photo.shape[:2], bool)
            np.testing.assert_array_equal(found.colours[visible], colours[visible])
        assert clear or np.abs(found.colours.astype(int) - colours).mean() < 3


def test_a_photo_is_turned_upright_and_palettes_and_single_bits_are_read(photo, tmp_path):
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(photo).save(tmp_path / "a.png", exif=turned)
    np.testing.assert_array_equal(reading.read(tmp_path / "a.png").colours, np.rot90(photo, -1))
    palette = Image.fromarray(photo).convert("P")
    np.testing.assert_array_equal(reading.read(palette).colours, np.asarray(palette.convert("RGB")))
    assert reading.read(Image.fromarray(photo).convert("1")).grey and reading.read(photo[..., 0]).grey
    palette.info["transparency"] = 0
    assert reading.read(palette).alpha is not None


def test_cmyk_and_animations_are_read_and_named(photo, tmp_path, capsys):
    Image.fromarray(photo).convert("CMYK").save(tmp_path / "a.jpg", quality=100, icc_profile=b"damaged")
    found = reading.read(tmp_path / "a.jpg")
    assert found.said == (f"{tmp_path / 'a.jpg'}: CMYK, which becomes RGB by its colour profile",)
    assert found.profile is None
    assert np.abs(found.colours.astype(int) - photo).mean() < 4
    frames = [Image.fromarray(each) for each in (photo, 255 - photo)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    found = reading.read(tmp_path / "a.gif")
    assert "a.gif: frame 1 of 2 was looked at" in capsys.readouterr().out
    assert np.abs(found.colours.astype(int) - photo).mean() < 20


def test_an_array_of_sixteen_bits_is_a_photo(deep):
    found = reading.read(np.dstack([*np.moveaxis(deep[0], -1, 0), deep[1]]))
    assert np.array_equal(found.colours, deep[0]) and np.array_equal(found.alpha, deep[1])
    assert reading.read(deep[1]).grey
    with pytest.raises(ValueError, match="expected numbers of shape"):
        reading.read(np.zeros((3, 3, 2), "uint16"))


def test_colours_that_nobody_sees_do_not_bleed_out():
    colours, alpha = np.zeros((5, 6, 3), "uint8"), np.zeros((5, 6), "uint8")
    colours[:, :2], alpha[:, :2] = (200, 100, 50), 255
    assert (reading.without_hidden(Photo(colours, alpha=alpha)) == (200, 100, 50)).all()
    for plain in (Photo(colours), Photo(colours, alpha=alpha * 0)):
        assert reading.without_hidden(plain) is colours


@pytest.mark.parametrize("quality", [10, 35, 50, 75, 92, 100])
def test_the_quality_of_a_jpeg_is_that_it_was_saved_with(quality, photo):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    assert reading.quality_of(Image.open(file)) == pytest.approx(quality, abs=2)


def test_a_photo_larger_than_the_format_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"65536 x 1 pixels, and jpeg holds 65535 a side: pass --write=png"):
        writing.write(Photo(np.zeros((1, 65536, 3), "uint8")), str(tmp_path / "a.jpg"), "jpeg")
    assert not list(tmp_path.iterdir())


def test_grey_of_sixteen_bits_with_transparency_stays_grey(tmp_path):
    """As a PNG stores it: two channels of two bytes; Pillow reads it as RGBA."""
    import struct
    import zlib

    rows = b"".join(b"\0" + b"".join(struct.pack(">HH", 257 * (40 * x + y), 65535 - 300 * y) for x in range(6))
                    for y in range(5))
    chunk = lambda kind, data: (struct.pack(">I", len(data)) + kind + data  # noqa: E731
                                + struct.pack(">I", zlib.crc32(kind + data)))
    head = struct.pack(">IIBBBBB", 6, 5, 16, 4, 0, 0, 0)
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
    found = reading.read(tmp_path / "a.png")
    assert found.grey and found.alpha is not None and np.ptp(found.colours, axis=2).max() == 0
    assert found.colours[2, :, 0].tolist() == [40 * x + 2 for x in range(6)]


def test_the_profile_of_lab_does_not_go_with_its_rgb(tmp_path):
    Image.new("LAB", (8, 8), (120, 128, 128)).save(tmp_path / "a.tif", icc_profile=ImageCms.ImageCmsProfile(
        ImageCms.createProfile("LAB")).tobytes())
    assert reading.read(tmp_path / "a.tif").profile is None
