"""The picture at the top of the READMEs: what it shows is what the program answers."""

import base64
import io
import json

import numpy as np
import pytest
from PIL import Image

from docs import answers, answers_page

from helpers import ROOT


@pytest.fixture(scope="module")
def kept():
    """The picture (H, W, 3) and the answers that it was made of."""
    with Image.open(answers.TARGET) as picture:
        return np.asarray(picture.convert("RGB"), float), json.loads(picture.info["comment"])


def blocks(picture):
    """Means of squares of 8 pixels: (rows, columns, 3)."""
    rows, columns = (side // 8 for side in picture.shape[:2])
    return picture[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8, 3).mean((1, 3))


def difference(facts, picture):
    """By how many grey levels a square of 8 pixels differs at most from what these answers look like."""
    return np.abs(blocks(np.asarray(answers_page.page(facts), float)) - blocks(picture)).max()


def test_the_picture_shows_the_answers_that_it_names(kept):
    """Drawn again, no square of it looks otherwise, but for what a version of libjpeg or FreeType changes."""
    picture, facts = kept
    assert list(facts) == list(answers_page.CELLS) == list(answers.ASK)
    assert picture.shape[1] == 1400 and difference(facts, picture) < 40
    assert answers.TARGET.stat().st_size < 310_000


@pytest.mark.parametrize("change", [
    lambda facts: facts["copy"].update(verdict="different"),
    lambda facts: facts["copy"]["places"][0].update(left=[68, 42, 612, 92]),
    lambda facts: facts["hash"]["copies"][0].update(bits=0),
    lambda facts: facts["place"].update(homography=np.eye(3).tolist()),
    lambda facts: facts["larger"].update(detail=answers.as_text(Image.new("RGB", (65, 65)))),
    lambda facts: facts["like"]["found"][0].update(box=[10, 10, 20, 20]),
    lambda facts: facts["quality"]["scores"].update({"flower.jpg": 0}),
])
def test_another_answer_is_another_picture(kept, change):
    picture, facts = kept
    facts = json.loads(json.dumps(facts))
    change(facts)
    assert difference(facts, picture) > 60


def test_frames_lie_around_what_differs():
    picture = answers_page.framed(Image.new("RGB", (200, 100)), [(50, 20, 150, 60)])
    red = np.argwhere(np.asarray(picture)[..., 0] > 100)[:, ::-1]
    assert red.min(0).tolist() == [47, 17] and red.max(0).tolist() == [153, 63]
    assert not np.asarray(picture)[20:61, 50:151].any()


def test_words_that_need_more_room_are_refused():
    with pytest.raises(ValueError, match="needs 3 lines"):
        answers_page.write(Image.new("RGB", answers_page.CELL), "copy:", "red", "many words " * 12)


def test_the_pages_say_which_pictures_are_asked_about():
    """Each command of the picture is one of the pages', which the tests of docs/samples run, but for what it leaves
    out."""
    page = (ROOT / "README.md").read_text(encoding="utf-8").replace("docs/samples/", "")
    for name, cell in answers_page.CELLS.items():
        assert name == "hash" or f"python {cell.command}" in page


@pytest.mark.rare
def test_the_program_answers_so_today(kept, tmp_path):
    """Asked again: the same words and boxes, and numbers within what another machine changes."""
    answers.main(tmp_path / "answers.jpg")
    with Image.open(tmp_path / "answers.jpg") as picture:
        now = json.loads(picture.info["comment"])
    was = json.loads(json.dumps(kept[1]))
    details = [base64.b64decode(facts["larger"].pop("detail")) for facts in (now, was)]
    pixels = [np.asarray(Image.open(io.BytesIO(detail)), float) for detail in details]
    assert np.abs(np.subtract(*pixels)).max() <= 2
    assert now == approximately(was)


def approximately(facts):
    """The same, with every number within 1 %, and .05 where it is small."""
    if isinstance(facts, dict):
        return {name: approximately(value) for name, value in facts.items()}
    if isinstance(facts, list):
        return [approximately(value) for value in facts]
    return pytest.approx(facts, rel=0.01, abs=0.05) if isinstance(facts, float) else facts
