"""Numbers of more than 8 bits: the range is judged by the values, in grey and in colour, or is what --levels says."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from utils.data.formats import values
from utils.data.images import decoded, read_image, read_photo


def blocks(seed, low, high, channels=0, size=(6, 8)):
    """Blocks of random whole numbers (60, 80[, channels])."""
    drawn = np.random.default_rng(seed).integers(low, high, size + (channels,) * bool(channels))
    return np.kron(drawn, np.ones((10, 10, 1)[: drawn.ndim], int))


def write_tiff(path, array, sample=1):
    """A TIFF of whole numbers of 16 or 32 bits, grey or RGB, which Pillow does not write."""
    array = np.atleast_3d(array)
    (height, width, channels), bits = array.shape, 8 * array.dtype.itemsize
    count, end = array.nbytes, 8 + array.nbytes
    entries = 11
    tags = [(256, 4, 1, width), (257, 4, 1, height),
            (258, 3, channels, bits if channels == 1 else end + 6 + 12 * entries),
            (259, 3, 1, 1), (262, 3, 1, 2 if channels == 3 else 1), (273, 4, 1, 8), (277, 3, 1, channels),
            (278, 4, 1, height), (279, 4, 1, count), (284, 3, 1, 1),
            (339, 3, 1 if channels == 1 else channels, sample if channels == 1 else end + 12 + 12 * entries)]
    path.write_bytes(b"II*\0" + struct.pack("<I", end) + array.astype(array.dtype.newbyteorder("<")).tobytes()
                     + struct.pack("<H", entries) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
                     + struct.pack("<I", 0) + struct.pack("<6H", bits, bits, bits, sample, sample, sample))
    return str(path)


def write_png(path, array):
    """A PNG of 16 bits a channel, grey, RGB or RGBA."""
    height, width, channels = array.shape
    values_of_rows = array.astype(">u2").view("uint8").reshape(height, -1)
    rows = np.concatenate([np.zeros((height, 1), "uint8"), values_of_rows], axis=1)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 16, {3: 2, 4: 6}[channels], 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows.tobytes()))
                     + chunk(b"IEND", b""))


def grey(path):
    return read_image(str(path), (60, 80, 1))[..., 0].astype(int)


def stretched(array, low, high):
    return np.rint((array - low) / (high - low) * 255).astype(int)


@pytest.mark.parametrize("kind, low, high, black, white", [
    ("uint16", 29_315, 30_815, 29_315, 30_815),  # temperatures in hundredths of a kelvin
    ("uint16", 60_000, 61_000, 60_000, 61_000),
    ("int32", 100_000, 101_000, 100_000, 101_000),
    ("float32", 290, 310, 290, 310),  # kelvin
    ("float32", 20, 35, 20, 35),  # degrees Celsius
    ("uint16", 0, 16_383, 0, 16_383), ("uint16", 40, 16_000, 0, 16_383), ("uint16", 0, 1_000, 0, 1_023),
    ("uint16", 7_000, 12_000, 0, 16_383), ("uint16", 9_000, 60_000, 0, 65_535),
    ("uint16", 100, 110, 0, 255),  # 8 bits: nothing is lost
    ("uint16", 64_000, 65_535, 0, 65_535),  # white paper
])
def test_an_offset_and_each_depth_keep_their_contrast(kind, low, high, black, white, tmp_path):
    array = blocks(0, low, high + 1).astype(kind)
    array[:10, :20] = np.repeat(np.array([low, high], kind), 10)
    Image.fromarray(array).save(tmp_path / "a.tif")
    assert np.abs(grey(tmp_path / "a.tif") - stretched(array.astype(float), black, white)).max() <= 1


def test_two_radiometric_frames_of_unlike_scenes_are_unlike(tmp_path):
    frames = []
    for seed in range(2):
        Image.fromarray(blocks(seed, 29_315, 30_815).astype("uint16")).save(tmp_path / f"{seed}.png")
        frames.append(grey(tmp_path / f"{seed}.png"))
    assert np.abs(frames[0] - frames[1]).mean() > 50


@pytest.mark.parametrize("times", [257, 256])
@pytest.mark.parametrize("low, high", [(0, 255), (0, 40), (100, 110)])
def test_8_bits_in_16_are_read_as_the_8_bits(low, high, times, tmp_path):
    array = blocks(0, low, high + 1)
    Image.fromarray((array * times).astype("uint16")).save(tmp_path / "a.png")
    assert np.abs(grey(tmp_path / "a.png") - array).max() <= (times == 256)
    colour = blocks(1, low, high + 1, 3)
    path = write_tiff(tmp_path / "a.tif", (colour * times).astype("uint16"))
    assert np.array_equal(read_photo(path), colour)


def test_14_bits_look_like_their_own_8_bits(tmp_path):
    array = blocks(0, 0, 16_384)
    array[0, 0] = 16_383
    Image.fromarray(array.astype("uint16")).save(tmp_path / "a.png")
    assert np.abs(grey(tmp_path / "a.png") - (array >> 6)).max() <= 1


@pytest.mark.parametrize("low, high, black, white", [
    (300, 2_850, 0, 4_095), (7_000, 16_000, 0, 16_383), (29_315, 30_815, 29_315, 30_815),
    (20_000, 24_000, 20_000, 24_000),
])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_colours_of_16_bits_are_judged_by_their_values_too(low, high, black, white, ending, tmp_path, capsys):
    array = blocks(0, low, high + 1, 3)
    array[:10, :10], array[:10, 10:20] = low, high
    path = tmp_path / f"a.{ending}"
    if ending == "png":
        write_png(path, array)
    else:
        write_tiff(path, array.astype("uint16"))
    assert np.abs(read_photo(str(path)).astype(int) - stretched(array.astype(float), black, white)).max() <= 1
    assert f"colours from {low} to {high}, read as {black} (black) to {white}" in capsys.readouterr().out
    assert np.array_equal(np.asarray(decoded(str(path))), read_photo(str(path)))


def test_colours_that_fill_16_bits_are_their_high_bytes(tmp_path, capsys):
    array = blocks(0, 0, 65_536, 3)
    assert np.array_equal(read_photo(write_tiff(tmp_path / "a.tif", array.astype("uint16"))), array >> 8)
    assert not capsys.readouterr().out


def test_what_is_transparent_lies_on_paper_at_any_depth(tmp_path):
    array = np.concatenate([blocks(0, 100, 4_000, 3), np.full((60, 80, 1), 65_535)], axis=2)
    array[:30, :, 3] = 0
    write_png(tmp_path / "a.png", array)
    photo = read_photo(str(tmp_path / "a.png")).astype(int)
    expected = stretched(array[30:, :, :3].astype(float), 0, 4_095)
    assert photo[:30].min() == 255 and np.abs(photo[30:] - expected).max() <= 1


@pytest.mark.parametrize("top", [2**32 - 1, 2**31 + 5, 2**20])
def test_32_bits_without_a_sign_have_none(top, tmp_path):
    array = np.linspace(0, top, 60 * 80).astype("uint32").reshape(60, 80)
    path = write_tiff(tmp_path / "a.tif", array)
    assert np.abs(grey(path) - stretched(array.astype(float), 0, top)).max() <= 1
    signed = write_tiff(tmp_path / "b.tif", (array.astype("int64") - top // 2 - 1).astype("int32"), sample=2)
    assert np.abs(grey(signed) - grey(path)).max() <= 1


def test_levels_of_the_flag_go_first(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv(values.LEVELS, "")
    values.set_levels("1000,3000")
    array, colour = blocks(0, 0, 4_096), blocks(1, 0, 4_096, 3)
    Image.fromarray(array.astype("uint16")).save(tmp_path / "a.png")
    Image.fromarray((array % 256).astype("uint8")).save(tmp_path / "b.png")
    assert np.abs(grey(tmp_path / "a.png") - stretched(array, 1000, 3000).clip(0, 255)).max() <= 1
    photo = read_photo(write_tiff(tmp_path / "a.tif", colour.astype("uint16")))
    assert np.abs(photo.astype(int) - stretched(colour, 1000, 3000).clip(0, 255)).max() <= 1
    assert np.array_equal(grey(tmp_path / "b.png"), array % 256)  # 8 bits stay as they are
    assert not capsys.readouterr().out


@pytest.mark.parametrize("wished", ["5", "5,5", "9,1", "a,b", "0,nan", "0,inf", "1,2,3", ","])
def test_what_are_no_levels_is_refused(wished):
    with pytest.raises(ValueError, match=f"--picture_levels={wished}: expected the values of black and of white"):
        values.set_levels(wished)


def test_a_guess_is_said_once_for_a_folder(tmp_path, capsys):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for number in range(3):
            Image.fromarray(blocks(number, 0, 3_000).astype("uint16")).save(tmp_path / folder / f"{number}.png")
            grey(tmp_path / folder / f"{number}.png")
    assert capsys.readouterr().out.count("(white). This is a guess") == 2
