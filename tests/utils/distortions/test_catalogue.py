"""Each distortion is harder from level to level, and the same again for the same seed; names, levels, the command
line."""

import inspect
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from utils.data import images
from utils.data.scores import read_scores
from utils.distortions import catalogue
from utils.distortions.catalogue import LIVE, SETS, TID2013, chosen, distort, levels, with_levels

from helpers import DATA, ROOT, falls, scenery

STEADY = {"quantisation", "gaussian_blur", "jpeg", "jpeg2000", "saturation", "dithering"}  # draw nothing
TWO_SIDED = {"mean_shift", "contrast", "aberration"}  # draw a sign only
ALL_LEVELS = [(f"{name}-live", kind) for name, kind in LIVE.items()] + list(TID2013.items())
by_type = pytest.mark.parametrize("kind", [kind for _, kind in ALL_LEVELS], ids=[name for name, _ in ALL_LEVELS])


def test_the_sets_are_whole():
    assert len(TID2013) == 24 and all(len(kind.levels) == 4 for kind in TID2013.values())
    assert list(LIVE) == ["gaussian_blur", "white_noise", "jpeg", "jpeg2000"]
    assert all(len(kind.levels) == 5 for kind in LIVE.values())


def test_the_docstrings_bear_the_numbers_of_tid():
    for number, kind in enumerate(TID2013.values(), start=1):
        assert inspect.getdoc(kind.function).startswith(f"#{number}. ")


@by_type
def test_bytes_in_and_out_of_any_shape(kind):
    for shape in ((37, 53), (53, 37), (8, 8), (1, 1), (3, 200)):
        small = scenery(*shape) if min(shape) > 1 else np.full((1, 1, 3), 77, "uint8")
        before = small.copy()
        found = levels(small, kind, seed=1)
        assert found.dtype == np.uint8 and found.shape == (len(kind.levels) + 1, *shape, 3)
        assert np.array_equal(found[0], before) and np.array_equal(small, before)
        assert not np.shares_memory(distort(small, kind, 0, 1), small)


@by_type
def test_views_of_photos_are_as_good_as_photos(kind, photo):
    view = photo[::-1, 10:90]
    assert np.array_equal(distort(view, kind, 2, 5), distort(np.ascontiguousarray(view), kind, 2, 5))


@pytest.mark.parametrize("name", TID2013)
def test_seeds_repeat_and_differ(name, photo):
    first, again = (levels(photo, TID2013[name], seed=[4, 2])[1:] for _ in range(2))
    assert np.array_equal(first, again)
    others = [distort(photo, TID2013[name], 1, seed).tobytes() for seed in range(12)]
    expected = 1 if name in STEADY else 2 if name in TWO_SIDED else 12
    assert len(set(others)) == expected


@by_type
@pytest.mark.parametrize("size", [(160, 192), (224, 224), (128, 128), (131, 203)])
def test_worse_from_level_to_level(kind, size):
    falls(levels(scenery(*size, seed=size[0]), kind, seed=1))


@by_type
def test_worse_from_level_to_level_on_photos(kind):
    paths = sorted((DATA / "photos" / "bsds500").glob("*/*.jpg"))[::100]
    if not paths:
        pytest.skip("no BSDS500 photos")
    for seed, path in enumerate(paths):
        whole = images.read_photo(path)
        falls(levels(whole[48:272, 48:272], kind, seed))
        if seed == 0:
            falls(levels(whole, kind, seed))


def test_a_grey_photo_keeps_its_levels_but_not_of_saturation(photo):
    grey = np.repeat(photo[..., :1], 3, axis=2)
    for name, kind in TID2013.items():
        if name != "saturation":
            falls(levels(grey, kind, 0))
    assert (levels(grey, TID2013["saturation"], 0) == grey).all()


def test_chosen_by_set_and_name():
    assert chosen(["all"]) == chosen(["tid2013"]) == TID2013
    assert chosen(["live"]) == LIVE
    assert list(chosen(["jpeg", "contrast"])) == ["jpeg", "contrast"]
    assert chosen(["live", "all"])["jpeg"] == LIVE["jpeg"] and len(chosen(["live", "all"])) == 24
    assert chosen(["jpeg", "live"])["jpeg"] == TID2013["jpeg"]
    for names in (["jpg"], ["jpeg", ""], []):
        with pytest.raises(ValueError, match="received .*expected .*jpeg") as error:
            chosen(names)
        assert "\n" not in str(error.value)


def test_levels_of_ones_own():
    found = with_levels(TID2013, ["jpeg=40:20:10:5:2", "white_noise=.1"])
    assert found["jpeg"].levels == (40, 20, 10, 5, 2) and found["white_noise"].levels == (0.1,)
    assert TID2013["jpeg"].levels == (43, 12, 7, 4) and with_levels(LIVE, []) == LIVE


@pytest.mark.parametrize("text, message", [
    ("jpg=40", "expected one of .*jpeg"), ("contrast=.5", "expected one of"), ("jpeg", "expected numbers"),
    ("jpeg=", "expected numbers"), ("jpeg=40:x", "expected numbers"), ("jpeg=400:5", "quality between 0 and 100"),
    ("jpeg=5:40", "falling numbers"), ("jpeg=40:40", "falling"), ("white_noise=.1:.05", "rising"),
    ("white_noise=nan", "between"), ("white_noise=inf", "between"), ("white_noise=-1:1", "between 0 and inf"),
])
def test_wrong_levels_are_refused_in_one_line(text, message):
    with pytest.raises(ValueError, match=message) as error:
        with_levels(LIVE, [text])
    assert text in str(error.value) and "\n" not in str(error.value)


def test_wrong_photos_and_levels_are_refused(photo):
    for level in (-1, 5):
        with pytest.raises(ValueError, match=f"received level {level}, expected 0 to 4"):
            distort(photo, TID2013["jpeg"], level, 0)
    for wrong in (photo[..., 0], photo[..., :1], photo / 255, photo[None], photo[:0]):
        with pytest.raises(ValueError, match=r"expected \(height, width, 3\) uint8"):
            distort(wrong, TID2013["jpeg"], 1, 0)


def test_speed_is_a_table(photo):
    table = catalogue.benchmark(photo[:20, :30], chosen(["jpeg"]), seed=0, crop=10).splitlines()
    assert table[0].split()[-6:] == ["10", "x", "10", "20", "x", "30"] and float(table[1].split()[1]) > 10
    assert list(SETS) == ["tid2013", "all", "live"]


@pytest.fixture
def command(tmp_path):
    """A function that runs `python -m utils.distortions` in a folder of its own."""

    def run(*args, expect=0, path=ROOT):
        done = subprocess.run(
            [sys.executable, "-m", "utils.distortions", *args], cwd=tmp_path, text=True, capture_output=True,
            env={**os.environ, "PYTHONPATH": str(path)},
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    return run


def test_the_command_line_writes_files_and_a_sheet(command, tmp_path, photo):
    Image.fromarray(photo).save(tmp_path / "a.png")
    flags = ["--distortions=live,contrast", "--levels=jpeg=30:10", "--seed=5", "--out=levels"]
    assert "21 photos of 5 types in levels, all of them on levels/sheet.png" in command("a.png", *flags)
    files = {path.name for path in (tmp_path / "levels").iterdir()}
    assert len(files) == 5 + 5 + 2 + 5 + 4 + 3 and {"pristine.png", "sheet.png", "jpeg_2.png", "list.txt"} <= files
    assert np.array_equal(images.read_photo(tmp_path / "levels" / "pristine.png"), photo)
    written = images.read_photo(tmp_path / "levels" / "contrast_3.png")
    assert np.array_equal(written, distort(photo, TID2013["contrast"], 3, catalogue.own_seed("contrast", 5)))
    listed = read_scores(str(tmp_path / "levels" / "list.txt"), higher_is_better=False)
    assert len(listed.paths) == 21 + 5 and listed.scores[list(listed.paths).index("jpeg_2.png")] == 2
    assert images.read_photo(tmp_path / "levels" / "sheet.png").shape[1] > 5 * 240


def test_the_command_line_refuses_in_one_line(command):
    assert command("missing.png", expect=2) == "error: missing.png: no such file\n"


def test_help_does_not_wait_for_the_framework(command, tmp_path):
    (tmp_path / "keras.py").write_text("raise SystemExit('imported too early')")
    assert "--[no]benchmark" in command("--help", path=f"{tmp_path}{os.pathsep}{ROOT}")
    assert "Unknown command line flag 'sede'" in command("--sede=1", expect=1, path=f"{tmp_path}{os.pathsep}{ROOT}")
