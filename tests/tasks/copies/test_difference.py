"""What differs from a golden picture: found where it is, ranked, and nothing else is taken for it."""

import csv
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from docs.lookalikes import draw
from docs.lookalikes.changed import Twins, twins
from tasks.copies import difference, figures
from tasks.copies.proof.verdict import CHANGED, COPY, DIFFERENT, see

from helpers import ROOT


@pytest.fixture(scope="module")
def changed() -> Twins:
    """A card, the same with another number, and where it differs."""
    return twins("card", 0, 3, "number", np.random.default_rng(2))


@pytest.fixture
def folder(changed, tmp_path, monkeypatch):
    """golden.png, and a folder: the same in another light, one with a changed number, another picture, no picture."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shots").mkdir()
    changed.before.save("golden.png")
    changed.before.save("shots/golden.png")
    taken(changed.before, -1).save("shots/1.png")
    taken(changed.after, 2).save("shots/2.png")
    draw("satellite", 0, 1).save("shots/3.png")
    (tmp_path / "shots" / "broken.png").write_text("no picture")
    return tmp_path


def taken(picture: Image.Image, degrees: float) -> Image.Image:
    """As a camera takes it: turned, shifted, smaller and darker."""
    picture = picture.convert("RGB").rotate(
        degrees, Image.Resampling.BICUBIC, translate=(7, -4), fillcolor=(255, 255, 255)
    )
    return ImageEnhance.Brightness(picture.resize((770, 486), Image.Resampling.BICUBIC)).enhance(0.8)


def unevenly_lit(picture: Image.Image) -> Image.Image:
    """Half as bright at the left as at the right, and darker at the bottom."""
    values = np.asarray(picture.convert("RGB"), "float32")
    across, down = (np.linspace(0, 1, length) for length in (picture.width, picture.height))
    return Image.fromarray((values * (0.5 + 0.5 * across[:, None]) * (1 - 0.3 * down)[:, None, None]).astype("uint8"))


def asked(**given) -> SimpleNamespace:
    """The flags of predict.py that are read."""
    return SimpleNamespace(
        **{
            "difference": "golden.png",
            "model": "",
            "threshold": None,
            "threshold_at": None,
            "why": False,
            "figure": False,
            "json": True,
            "csv": "",
            "slack": 1,
        }
        | given
    )


def told(capsys) -> tuple[list[str], dict]:
    """The lines that were printed, but for those of progress on a slow machine, and the answer in JSON."""
    *lines, answer = capsys.readouterr().out.splitlines()
    return [line for line in lines if not re.match(r" *\d+ of \d+ pictures", line)], json.loads(answer)


def is_found(boxes, changed, far: int = 60) -> bool:
    """Whether all boxes lie about what was changed, and one holds the middle of it."""
    (left, top), (right, bottom) = np.min(changed, axis=0)[:2], np.max(changed, axis=0)[2:]
    near = all(
        box[0] > left - far and box[1] > top - far and box[2] < right + far and box[3] < bottom + far for box in boxes
    )
    return near and any(
        box[0] <= (left + right) / 2 <= box[2] and box[1] <= (top + bottom) / 2 <= box[3] for box in boxes
    )


def test_a_picture_does_not_differ_from_itself(changed):
    proof = difference.best(see(changed.before), see(changed.before))
    assert (proof.verdict, proof.identical, proof.differing, list(proof.places)) == (COPY, True, 0, [])


def test_a_mirrored_label_is_not_without_differences(changed):
    mirrored = changed.before.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert difference.best(see(changed.before), see(mirrored)).verdict != COPY


@pytest.mark.parametrize("light", [lambda picture: picture, unevenly_lit])
def test_a_change_is_found_where_it_is_whatever_the_camera_did(changed, light):
    golden = see(changed.before, difference.SIDE)
    proof = difference.best(golden, see(light(taken(changed.after, 2)), difference.SIDE))
    assert proof.verdict == CHANGED and 0 < proof.differing < 0.03
    assert is_found([place.a for place in proof.places], changed.boxes), (proof.places, changed.boxes)
    proof = difference.best(golden, see(light(taken(changed.before, 2)), difference.SIDE))
    assert proof.verdict == COPY and not proof.places


def test_a_folder_is_ranked_and_another_picture_is_said_to_be_one(folder, capsys):
    difference.answer(asked(csv="found.csv", figure=True), ["shots"])
    lines, answer = told(capsys)
    assert [result["file"] for result in answer["results"]] == [
        f"shots/{name}.png" for name in ("2", "1", "golden", "3")
    ]
    assert [result["verdict"] for result in answer["results"]] == [CHANGED, COPY, COPY, DIFFERENT]
    assert {"file", "verdict", "differing", "places", "matrix"} <= set(answer["results"][0]) and answer[
        "golden"
    ] == "golden.png"
    assert "left out 1 picture: shots/broken.png" in lines[0] and "the most first" in lines[1] and "1 place" in lines[2]
    assert lines[5:7] == ["not the same thing as golden.png", "  shots/3.png: no part of one is found in the other"]
    with open("found.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["places"] for row in rows] == ["1", "0", "0", "0"] and float(rows[0]["differing"]) > 0
    assert Image.open("difference.png").width > 600


def test_the_golden_picture_is_not_compared_with_itself_in_its_folder(folder):
    assert difference.others(["shots"], "shots/1.png") == [
        f"shots/{name}.png" for name in ("2", "3", "broken", "golden")
    ]
    assert difference.others(["shots/1.png", "shots/1.png"], "shots/1.png") == ["shots/1.png"]


@pytest.mark.parametrize(
    "given, files, said",
    [
        ({"difference": "none.png"}, ["shots"], "none.png: no such file"),
        ({}, [], "--difference needs pictures"),
        ({}, ["none.png"], "none.png: no such file"),
        ({}, ["shots/broken.png", "none.png"], "none of these 2 pictures can be read; the first: shots/broken.png"),
        ({}, ["empty"], "empty: there are no pictures"),
        ({"why": True}, ["shots"], "--why has no effect with --difference"),
    ],
)
def test_bad_input_is_one_line(folder, given, files, said):
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="^" + said) as error:
        difference.answer(asked(**given), files)
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_the_script_answers_without_keras(folder):
    command = [
        sys.executable,
        "-X",
        "importtime",
        str(ROOT / "predict.py"),
        "--difference",
        "golden.png",
        "shots",
        "--json",
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "keras" not in done.stderr and "tensorflow" not in done.stderr
    assert (
        json.loads(done.stdout.splitlines()[-1])["results"][0]["file"] == "shots/2.png"
        and (folder / "difference.png").is_file()
    )
    both = subprocess.run(
        [sys.executable, str(ROOT / "predict.py"), "--difference=golden.png", "--gallery=shots"],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert (both.returncode, both.stderr) == (
        2,
        "error: --difference and --gallery ask two questions: pass one of them\n",
    )


@pytest.mark.parametrize("size", [(1, 1), (40, 1), (1, 40)])
def test_pictures_one_pixel_high_or_wide_have_a_figure(size, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(rng.integers(0, 256, (*size[::-1], 3)).astype("uint8")).save("strip.png")
    golden = see("strip.png", difference.SIDE)
    figures.differences(golden, "strip.png", {"strip.png": difference.best(golden, golden)}, "", "difference.png")
    assert Image.open("difference.png").width > 200
