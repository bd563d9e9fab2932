"""What the numbers of a quality model are said to mean."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tasks.quality import answer, report
from tasks.quality.answer import Scale, scale_of

from helpers import scenery

ENDS = {"undistorted": [82.04, 117.26], "most_distorted": [-11.0, 20.5]}


@pytest.mark.parametrize("low, split, order, higher, says", [
    (None, {}, None, True, "unknown, because the run did not end"),
    (0, {"test": []}, None, True,
     "100 is the mean of undistorted photos and 0 that of the most distorted .* lie above and below"),
    (0, {"test": []}, {"photos": 200, "four_fifths": ENDS}, True,
     "of 200 photos, four of five score 82.04 to 117.3 undistorted, and -11 to 20.5 at"),
    (0, {"scored": True}, {"photos": 200, "four_fifths": ENDS}, False,
     r"from 100 \(worst\) to 0 \(best\), and others may lie outside"),
    (0, {}, {"photos": 1, "distortions": {}}, True,
     "100 stands for good photos and 0 for bad ones, and scores may lie outside"),
])
def test_a_scale_is_stated_as_what_it_is(low, split, order, higher, says, tmp_path):
    scorer = SimpleNamespace(low=low, high=None if low is None else 100.0, higher_is_better=higher)
    for name, content in (("split.json", split), ("order.json", order)):
        if content:
            (tmp_path / name).write_text(json.dumps({"root": ""} | content))
    text = scale_of(scorer, str(tmp_path)).words
    assert re.search(says, text) and "about" not in text


@pytest.mark.parametrize("higher, score, says", [
    (True, 90.04, "like undistorted photos, 82.0 to 117.3"), (True, 300, "like undistorted photos"),
    (True, 82.0, "between undistorted photos, 82.0 to 117.3, and the most distorted ones, -11.0 to 20.5"),
    (True, 20.5, "like the most distorted photos, -11.0 to 20.5"), (True, -200, "like the most distorted photos"),
    (False, 90.0, "like the most distorted photos"), (False, 0.0, "like undistorted photos"),
    (False, 50.0, "between undistorted photos"),
])
def test_each_score_says_what_it_means(higher, score, says):
    good, bad = (ENDS["undistorted"], ENDS["most_distorted"]) if higher else (ENDS["most_distorted"],
                                                                              ENDS["undistorted"])
    assert Scale("", 1, higher, tuple(good), tuple(bad)).meaning(score).startswith(says)


@pytest.mark.parametrize("low, high, text", [(0.0, 100.0, "82.9"), (1.0, 5.0, "82.88"), (0.0, 1.0, "82.88"),
                                             (3.0, 3.0, "82.87654300"), (-500.0, 500.0, "82.9")])
def test_a_score_has_one_decimal_or_as_many_as_its_scale_needs(low, high, text, tmp_path):
    scorer = SimpleNamespace(low=low, high=high, higher_is_better=True)
    assert scale_of(scorer, str(tmp_path)).said(82.876543) == text
    assert "good photos have about" in scale_of(scorer, str(tmp_path)).meaning(82.9)


@pytest.mark.parametrize("content", [
    {"photos": 2, "four_fifths": {}}, {"four_fifths": ENDS}, {"photos": 2, "four_fifths": ENDS | {"undistorted": "x"}},
])
def test_a_damaged_order_is_named(content, tmp_path):
    (tmp_path / "order.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="order.json: .* eval_rank.py writes it again"):
        scale_of(SimpleNamespace(low=0.0, high=100.0, higher_is_better=True), str(tmp_path))


def test_the_middle_four_fifths_equal_a_sorted_list(rng):
    good, bad = np.arange(101) / 10 - 1, np.arange(101) / 50 - 1  # -1 to 9 and -1 to 1
    scores = {"jpeg": np.stack([good, bad + 3, bad], axis=1)}
    scores["blur"] = rng.permutation(scores["jpeg"])
    found = report.four_fifths(scores)
    assert found == {"undistorted": pytest.approx([0, 8]), "most_distorted": pytest.approx([-0.8, 0.8])}


def test_a_model_that_does_not_tell_photos_from_distorted_ones_says_so():
    weak = Scale("", good=(64.8, 138.5), bad=(-171.9, 122.6))
    assert weak.place(78) == "" and weak.meaning(78).startswith("the model hardly tells undistorted photos, 64.8 to")
    turned = Scale("", higher_is_better=False, good=(0, 20), bad=(15, 40))
    assert turned.place(10) == "" and turned._replace(bad=(25, 40)).place(10) == "good"


def test_a_blank_page_and_a_form_are_not_said_to_be_like_photos(script, tmp_path):
    """The model knows photographs alone: a score of anything else is a number without a meaning."""
    Image.new("RGB", (200, 300), "white").save(tmp_path / "blank.png")
    form = np.full((300, 200), 255, "uint8")
    form[20:280:26, 20:180] = 0
    Image.fromarray(form).save(tmp_path / "form.png")
    said = script("predict.py", "--quality", "blank.png", "form.png", "--model=quality", "--nofigure")
    assert "warning: " in said and "blank.png" in said and "(like" not in said and "(between" not in said
    Image.fromarray(scenery(200, 300)).save(tmp_path / "photo.png")
    assert "photos, 92.3 to 107.8" in script("predict.py", "--quality", "photo.png", "--model=quality", "--nofigure")
    for number in range(3):  # among photos, each is judged by itself
        Image.fromarray(scenery(200, 300, seed=number)).save(tmp_path / f"photo{number}.png")
    files = ("photo0.png", "photo1.png", "photo2.png", "blank.png")
    rows = script("predict.py", "--quality", *files, "--model=quality", "--nofigure").splitlines()
    for name in files:
        line = next(row for row in rows if name in row)
        assert ("unlike the photos of the training" in line) == (name == "blank.png"), line


def test_a_screen_gets_no_meaning_alone_and_among_photos(script, tmp_path):
    screen = np.full((300, 200, 3), (250, 250, 255), "uint8")
    for row in range(20, 280, 12):  # coloured lines of words, which a thumbnail blurs to photo-like tones
        for column in range(20, 170, 9):
            screen[row : row + 6, column : column + 5] = (40, 90, 200) if row % 24 else (200, 80, 60)
    Image.fromarray(screen).save(tmp_path / "screen.png")
    for number in range(3):
        Image.fromarray(scenery(200, 300, seed=number)).save(tmp_path / f"photo{number}.png")
    said = script("predict.py", "--quality", "screen.png", "--model=quality", "--nofigure")
    assert "warning: these pictures look drawn or printed" in said and "(like" not in said and "(between" not in said
    said = script("predict.py", "--quality", ".", "--model=quality", "--nofigure", "--json")
    found = json.loads(said.splitlines()[-1])
    assert found["warning"] is None
    assert {Path(row["file"]).name: bool(row["warning"]) for row in found["results"]} == {
        "screen.png": True, "photo0.png": False, "photo1.png": False, "photo2.png": False}


def test_the_sheet_shows_photos_as_sharp_as_it_can(tmp_path, monkeypatch):
    """A photo is read as large as the sheet shows it, so that the best one does not look like blocks."""
    drawn = []
    monkeypatch.setattr(answer.figures, "contact_sheet", lambda images, *_, side, **given: drawn.append((images, side)))
    Image.fromarray(scenery(500, 400).astype("uint8")).save(tmp_path / "photo.png")
    row = {"file": str(tmp_path / "photo.png"), "score": 1.0, "warning": None}
    answer.quality_sheet([row] * 2, "2 photos", Scale(""))
    (images, side), = drawn
    assert [max(image.shape) for image in images] == [side] * 2


def test_what_is_no_such_photo_is_neither_best_nor_worst_on_the_sheet(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(answer.figures, "contact_sheet",
                        lambda images, titles, *_, **given: drawn.append((titles, given)))
    Image.fromarray(scenery(60, 80).astype("uint8")).save(tmp_path / "photo.png")
    rows = [{"file": str(tmp_path / "photo.png"), "score": 1.0, "warning": doubt}
            for doubt in (answer.UNLIKE, None, None, answer.UNLIKE)]
    answer.quality_sheet(rows, "4 photos", Scale(""))
    answer.quality_sheet(rows[:2], "2 photos", Scale(""))
    titles, given = drawn[0]
    assert (given["marked"], given["warned"]) == ([1], [2])
    assert ["do not trust" in title for title in titles] == [True, False, False, True]
    assert ["best" in title for title in titles] == [False, True, False, False]
    titles, given = drawn[1]  # one is neither
    assert (given["marked"], given["warned"]) == ([None], [None]) and "best" not in titles[1]
