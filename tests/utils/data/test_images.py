"""Every kind of picture file, and every kind of bad one."""

import json
import os
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
from PIL import Image

from utils.data import images
from utils.data.formats.paper import DARK_PAPER
from utils.data.formats.room import LIMIT
from utils.data.images import ImagesOnDisk, load_images, read_image, read_photo

from helpers import ROOT

SHAPE = (6, 8, 3)


def gradient(width=8, height=6):
    """RGB picture whose corners tell its orientation."""
    x, y = np.meshgrid(np.linspace(0, 255, width), np.linspace(0, 255, height))
    return np.stack([x, y, 255 - x], axis=-1).astype("uint8")


def test_rgb_is_read_as_it_is(tmp_path):
    Image.fromarray(gradient()).save(tmp_path / "a.png")
    assert np.array_equal(read_image(str(tmp_path / "a.png"), SHAPE), gradient())


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_all_modes_keep_dark_and_light(mode, tmp_path):
    """The left half is black and the right half white, in every mode that a file can have."""
    half = np.zeros((6, 8), "uint8")
    half[:, 4:] = 255
    if mode in ("I;16", "I"):
        image = (Image.fromarray(half.astype("uint16") * 257) if mode == "I;16"
                 else Image.fromarray(half.astype("int32") * 257))
    elif mode == "F":
        image = Image.fromarray(half.astype("float32") / 255)
    else:
        image = Image.fromarray(half).convert(mode)
    path = str(tmp_path / "a.tif")
    image.save(path)
    for channels in (1, 3):
        pixels = read_image(path, (6, 8, channels))
        assert pixels.shape == (6, 8, channels) and pixels.dtype == np.uint8
        assert pixels[:, :4].max() < 5 and pixels[:, 4:].min() > 250


def mark(left, colour, mode="RGBA", alpha=255):
    """A square of a colour at a place on transparency, as a logo."""
    image = Image.new("RGBA", (40, 30))
    image.paste((*colour, alpha), (left, 5, left + 12, 25))
    return image.convert(mode)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_light_marks_on_transparency_lie_on_dark_paper(mode, tmp_path):
    """Two white logos are no equal pages; what is dark or coloured, or has a shadow, lies on white as before."""
    read = []
    for name, image in (("a", mark(2, (255,) * 3, mode)), ("b", mark(20, (250,) * 3, mode))):
        image.save(tmp_path / f"{name}.png")
        read.append(read_photo(str(tmp_path / f"{name}.png")).astype(int))
        assert read[-1][0, 0].tolist() == [DARK_PAPER] * 3 and read[-1].max() >= 250
    assert np.abs(read[0] - read[1]).max() > 200
    assert read_photo(mark(2, (255,) * 3, alpha=90))[10, 5, 0] > DARK_PAPER + 60
    shadow = mark(2, (255,) * 3)
    shadow.alpha_composite(mark(16, (0, 0, 0), alpha=100))
    dark = mark(2, (0, 0, 0), mode), mark(2, (60, 60, 60), mode), mark(2, (200, 200, 200), alpha=128)
    for image in (*dark, shadow, mark(2, (255, 220, 0))):
        white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")
        assert np.array_equal(read_photo(image), np.asarray(white))


def test_paper_changes_nothing_where_nothing_or_all_is_visible():
    assert read_photo(Image.new("RGBA", (8, 6))).min() == 255
    assert read_photo(Image.new("RGBA", (8, 6), (255, 255, 255, 255))).min() == 255


def test_16_bit_is_scaled_and_not_clipped(tmp_path):
    values = np.full((6, 8), 32768, "uint16")
    values[0, 0] = 65535
    Image.fromarray(values).save(tmp_path / "a.png")
    assert read_image(str(tmp_path / "a.png"), (6, 8, 1))[3, 3, 0] == 128


@pytest.mark.parametrize("kind, low, high, top, guessed", [
    ("uint16", 0, 65535, 65535, False), ("uint16", 0, 4095, 4095, True), ("uint16", 0, 200, 255, True),
    ("uint16", 0, 0, 255, False),
    ("int32", 0, 70000, 70000, True), ("int32", -50, 200, 200, True), ("float32", 0, 1, 1, False),
    ("float32", 0, 1.5, 1.5, True),
    ("float32", 0, 255, 255, False), ("float32", -1, 1, 1, True), ("float32", 0, 65535, 65535, False),
])
def test_the_range_of_values_is_judged_by_the_values(kind, low, high, top, guessed, tmp_path, capsys):
    values = np.full((6, 8), low, kind)
    values[:, 4:] = high
    path = str(tmp_path / "a.tif")
    Image.fromarray(values).save(path)
    pixels = read_image(path, (6, 8, 1))
    black = min(low, 0)
    assert (pixels[3, 0, 0] == round((low - black) / (top - black) * 255)
            and pixels[3, 7, 0] == round((high - black) / (top - black) * 255))
    read_image(path, (6, 8, 1))
    assert capsys.readouterr().out.count("a.tif: grey values from") == guessed


def test_values_that_are_no_numbers_are_refused(tmp_path):
    for value in (np.nan, np.inf):
        Image.fromarray(np.full((6, 8), value, "float32")).save(tmp_path / "a.tif")
        with pytest.raises(ValueError, match="a.tif: the picture holds NaN or infinity"):
            read_image(str(tmp_path / "a.tif"), SHAPE)


def test_too_many_pixels_are_told_from_the_header(tmp_path, monkeypatch):
    Image.new("L", (4000, 3000)).save(tmp_path / "a.png")
    monkeypatch.setenv(LIMIT, "11.5")
    with pytest.raises(ValueError,
                       match=r"a.png: 4000 x 3000 pixels, expected 11.5 megapixels or fewer: .* --max_megapixels=12"):
        read_image(str(tmp_path / "a.png"), SHAPE)
    monkeypatch.setenv(LIMIT, "12")
    assert read_image(str(tmp_path / "a.png"), SHAPE).max() == 0


def test_a_large_jpeg_is_scaled_down_while_it_is_decoded(tmp_path, monkeypatch):
    Image.fromarray(gradient(1200, 900)).save(tmp_path / "a.jpg", quality=95)
    whole = read_image(str(tmp_path / "a.jpg"), (24, 32, 3)).astype(int)
    sizes = []
    monkeypatch.setattr(images, "LARGE", 1_000_000)
    monkeypatch.setattr(images, "flat", lambda image: sizes.append(image.size) or image)
    assert np.abs(read_image(str(tmp_path / "a.jpg"), (24, 32, 3)) - whole).max() <= 3 and sizes == [(150, 113)]


def test_what_is_no_file_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("pipe.png", "zero.png"):
        with pytest.raises(ValueError, match=f"{name}: a pipe, a device or a socket"):
            read_image(str(tmp_path / name), SHAPE)
        assert images.size_of(str(tmp_path / name)) == (0, 0)


def test_a_damaged_part_is_said_with_the_file_and_once(tmp_path, capsys, monkeypatch):
    """EXIF whose description claims to be longer than the file: Pillow warns and reads the picture; a broken one is
    only called broken."""
    exif = Image.Exif()
    exif[0x010E] = "a description"
    Image.fromarray(gradient()).save(tmp_path / "a.jpg", exif=exif)
    whole = (tmp_path / "a.jpg").read_bytes()
    count = whole.index(b"Exif\0\0") + 6 + 14  # after header, number of tags, tag and type
    (tmp_path / "a.jpg").write_bytes(whole[:count] + b"\x7f" * 4 + whole[count + 4 :])
    (tmp_path / "b.jpg").write_bytes((tmp_path / "a.jpg").read_bytes()[:-200])
    monkeypatch.setattr(warnings, "showwarning", images.keep_warning)  # pytest has its own
    for _ in range(2):
        read_image(str(tmp_path / "a.jpg"), SHAPE)
    with pytest.raises(ValueError, match="b.jpg: broken image"):
        read_image(str(tmp_path / "b.jpg"), SHAPE)
    said = capsys.readouterr()
    assert (said.out.count("a.jpg: read, though a part of the file is damaged") == 1 and "b.jpg" not in said.out
            and not said.err)


def test_pictures_of_phones_get_a_hint(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    with pytest.raises(ValueError, match="not an image that Pillow can read; HEIC: pip install pillow-heif"):
        read_image(str(tmp_path / "a.jpg"), SHAPE)


def test_transparency_shows_paper(tmp_path):
    clear = np.zeros((6, 8, 4), "uint8")  # black, but wholly transparent
    clear[:, :2, 3] = 255
    Image.fromarray(clear).save(tmp_path / "a.png")
    pixels = read_image(str(tmp_path / "a.png"), SHAPE)
    assert pixels[:, :2].max() == 0 and pixels[:, 2:].min() == 255
    palette = Image.new("P", (8, 6), 1)
    palette.putpalette([0, 0, 0, 10, 10, 10])
    palette.save(tmp_path / "b.png", transparency=1)
    assert read_image(str(tmp_path / "b.png"), SHAPE).min() == 255


def test_exif_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(gradient(8, 6)).save(tmp_path / "a.png", exif=exif)
    pixels = read_image(str(tmp_path / "a.png"), (8, 6, 3))
    assert np.array_equal(pixels, np.rot90(gradient(8, 6), -1))


def test_any_size_is_brought_to_shape(tmp_path):
    for size in [(1, 1), (3, 500), (640, 480)]:
        Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "a.bmp")
        pixels = read_image(str(tmp_path / "a.bmp"), (32, 24, 3))
        assert pixels.shape == (32, 24, 3) and (pixels == (10, 200, 30)).all()


def test_names_in_any_script(tmp_path):
    path = tmp_path / "图片 é.png"
    Image.fromarray(gradient()).save(path)
    assert read_image(str(path), SHAPE).shape == SHAPE


def bad_files(folder):
    Image.effect_noise((300, 300), 90).convert("RGB").save(folder / "good.jpg")
    whole = (folder / "good.jpg").read_bytes()
    (folder / "empty.png").write_bytes(b"")
    (folder / "foreign.png").write_bytes(b"this is no picture")
    (folder / "truncated.jpg").write_bytes(whole[: len(whole) // 2])
    (folder / "folder.png").mkdir()
    return {
        "empty.png": "the file is empty", "foreign.png": "not an image that Pillow can read",
        "truncated.jpg": "broken image", "folder.png": "a folder", "missing.png": "no such file",
    }


def test_each_bad_file_is_named_with_its_reason(tmp_path):
    for name, why in bad_files(tmp_path).items():
        with pytest.raises(ValueError, match=f"{name}: {why}"):
            read_image(str(tmp_path / name), SHAPE)


@pytest.mark.parametrize("cache_gb", [1.0, 0.0])
def test_all_bad_files_are_found_before_training(cache_gb, tmp_path):
    reasons = bad_files(tmp_path)
    names = ["good.jpg", *reasons, "good.jpg"]
    seen = []
    loaded, broken = load_images([str(tmp_path / n) for n in names], SHAPE, cache_gb, seen.append)
    assert sorted(broken) == [1, 2, 3, 4, 5] and seen[-1] == len(names)
    assert len(loaded) == len(names) and isinstance(loaded, np.ndarray) == bool(cache_gb)
    good = read_image(str(tmp_path / "good.jpg"), SHAPE)
    assert np.array_equal(loaded[np.array([0, 6])], np.stack([good, good]))


def test_images_on_disk_are_indexed_like_an_array(tmp_path):
    paths = []
    for number in range(7):
        paths.append(str(tmp_path / f"{number}.png"))
        Image.new("L", (8, 6), number).save(paths[-1])
    images = ImagesOnDisk(paths, (6, 8, 1))
    assert images.shape == (7, 6, 8, 1) and len(images) == 7
    assert images[2:5][:, 0, 0, 0].tolist() == [2, 3, 4]
    assert images[np.array([6, 0])][:, 0, 0, 0].tolist() == [6, 0]
    assert images.take([1, 3])[np.array([1])][0, 0, 0, 0] == 3


def test_a_file_is_read_at_its_own_size(tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.png")
    assert np.array_equal(read_photo(tmp_path / "a.png"), photo)
    Image.fromarray(photo[..., 0]).save(tmp_path / "grey.png")
    assert read_photo(tmp_path / "grey.png").shape == photo.shape
    assert read_photo(tmp_path / "grey.png").flags.writeable


@pytest.mark.parametrize("count", [400, pytest.param(10_000, marks=pytest.mark.slow)])
def test_damaged_pictures_are_read_or_refused_with_a_reason(count):
    """See tests/hostile.py. Every line on the terminal is ours and begins with the name of a file."""
    done = subprocess.run([sys.executable, ROOT / "tests" / "hostile.py", str(count)], capture_output=True, text=True)
    *lines, last = done.stdout.splitlines()
    told = json.loads(last)
    assert told.pop("read") > count / 5 and told.pop("refused") > count / 5
    assert told.pop("peak_mb") < 1000 and told.pop("longest_s") < 60 and told == {}
    ours = re.compile(r"\d+\.\w+: (read, though|grey values|(page|frame) \d+ of \d+)|\d+ more files hold several pages")
    assert done.stderr == "" and all(map(ours.match, lines))


def kinds_of_picture(root):
    """Files of many kinds: grey, colour, see-through, with a palette, turned by EXIF, of 16 bits."""
    rng = np.random.default_rng(0)
    colour = Image.fromarray(rng.integers(0, 256, (20, 30, 4), dtype="uint8"))
    made = {"grey.png": colour.convert("L"), "colour.png": colour.convert("RGB"), "clear.png": colour,
            "pale.png": colour.convert("LA"),
            "palette.png": colour.convert("RGB").convert("P"),
            "deep.png": Image.fromarray(rng.integers(0, 60_000, (20, 30)).astype("uint16"))}
    for name, image in made.items():
        image.save(root / name)
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in ("turned.jpg", "turned.png", "turned.tif", "turned.webp"):
        colour.convert("RGB").save(root / name, exif=exif)
    return sorted(root.iterdir())


@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_in_memory_are_read_as_files(channels, tmp_path):
    for path in kinds_of_picture(tmp_path):
        expected = images.read_image(str(path), (16, 24, channels))
        with Image.open(path) as image:
            image.load()  # Pillow turns a TIFF by itself
            mode, size = image.mode, image.size
            assert np.array_equal(images.read_image(image, (16, 24, channels)), expected), path
            assert image.mode == mode and image.size == size  # it stays as it is
            if mode in ("L", "LA", "RGB", "RGBA") and "turned" not in path.name:
                for array in (np.asarray(image), np.asarray(image).astype("float64"),
                              np.asarray(image).astype("int64")):
                    assert np.array_equal(images.read_image(array, (16, 24, channels)), expected), path
    assert (images.read_image(np.full((5, 5, 1), 7, "uint8"), (5, 5, channels)).tolist()
            == np.full((5, 5, channels), 7).tolist())


@pytest.mark.parametrize("array, says", [
    (np.full((4, 4), 300.0), "holds values from 300 to 300, expected 0..255"),
    (np.full((4, 4), -1), "values from -1 to -1"),
    (np.full((4, 4), np.nan), "values from nan to nan"),
    (np.eye(4, dtype="uint8"), "no value is above 1, expected 0..255: multiply it by 255"),
    (np.full((4, 4, 3), 0.5), "no value is above 1, expected 0..255: multiply it by 255"),
    (np.zeros((4, 4, 5)), "with 1 to 4 channels"),
    (np.zeros(4), "with 1 to 4 channels"),
    (np.zeros((0, 4)), "with 1 to 4 channels"),
    (np.array([["a", "b"]]), "expected numbers of shape"),
])
def test_arrays_that_are_no_pictures_are_refused(array, says):
    with pytest.raises(ValueError, match="^an array .*" + says):
        images.read_image(array, (4, 4, 1))


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16", "I", "F"])
def test_a_decoded_picture_is_read_as_its_file(mode, tmp_path, rng):
    values = rng.integers(0, 256, (30, 40, 4), dtype="uint8")
    exif = Image.Exif()
    exif[0x0112] = 6
    if mode in ("I;16", "I", "F"):
        kind = {"I;16": "uint16", "I": "int32", "F": "float32"}[mode]
        image = Image.fromarray(np.asarray(values[..., 0], "float64").astype(kind) * 16)
    else:
        image = Image.fromarray(values, "RGBA").convert(mode)
    path = str(tmp_path / "a.tif")
    image.save(path, exif=exif)
    kept = images.decoded(path)
    for shape in ((48, 48, 3), (20, 30, 1)):
        assert np.array_equal(read_image(kept, shape), read_image(path, shape))
    assert np.array_equal(images.read_whole(kept, 25), images.read_whole(path, 25))
    assert np.array_equal(read_photo(kept), read_photo(path))
    with pytest.raises(ValueError, match="none.png: no such file"):
        images.decoded("none.png")


class Tensor:
    """What tensors of other libraries look like from here."""

    shape, dtype = (3, 224, 224), "float32"

    def __repr__(self):
        return "[[0.5, 0.5], ...]\n" * 50


@pytest.mark.parametrize("picture, called", [
    (b"\x89PNG" * 100_000, "an object of bytes of length 400000"), (bytearray(9), "an object of bytearray of length 9"),
    (Tensor(), r"an object of Tensor \(3, 224, 224\) of float32"), (5, "an object of int"),
    (None, "an object of NoneType"),
    ([1] * 9999, "an object of list of length 9999"), ({"a": 1}, "an object of dict of length 1"),
])
def test_what_is_no_picture_is_named_in_one_short_line(picture, called):
    for read in (lambda: read_image(picture, SHAPE), lambda: read_photo(picture)):
        with pytest.raises(ValueError, match=f"^{called}: expected the path of a file, a NumPy array .*, or a PIL "
                                             "image: pass numpy.asarray") as found:
            read()
        assert len(str(found.value)) < 400 and "\n" not in str(found.value)


def test_the_name_of_a_file_is_cut_where_it_is_none(tmp_path):
    with pytest.raises(ValueError, match=r"^a{100}\.\.\. \(1000000 characters\): ") as found:
        read_image("a" * 1_000_000, SHAPE)
    assert len(str(found.value)) < 400


def test_a_picture_that_is_open_stays_open_and_as_it_is(tmp_path):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.tif", save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / "a.tif") as image:
        assert read_photo(image)[0, 0].tolist() == [255, 0, 0] and images.read_whole(image, 4).shape == (4, 4, 3)
        image.seek(1)
        assert image.size == (9, 9) and read_photo(image)[0, 0].tolist() == [0, 0, 255]


def test_cie_lab_is_read_in_colour_and_in_grey(tmp_path):
    """Pillow converts it to RGB alone."""
    picture = Image.fromarray(gradient(64, 48))
    picture.convert("LAB").save(tmp_path / "lab.tiff")
    for mode in ("RGB", "L"):
        read = np.asarray(images.open_image(str(tmp_path / "lab.tiff"), mode), "float64")
        assert np.abs(read - np.asarray(picture.convert(mode), "float64")).mean() < 6
