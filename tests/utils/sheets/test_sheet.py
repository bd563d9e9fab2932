"""Sheets of pictures: shapes, frames, titles, letters of any kind."""

import numpy as np
import pytest
from PIL import Image

from utils.sheets import fonts
from utils.sheets.sheet import GREEN, RED, fitted, length, sheet, wrapped

BLUE = (10, 20, 200)


def box_of(page, colour):
    """(left, top, right, bottom) of the pixels of a colour; None where there are none."""
    rows, columns = np.nonzero((np.asarray(page) == colour).all(-1))
    return (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) if len(rows) else None


@pytest.mark.parametrize("height, width", [(20, 60), (60, 20), (1, 1), (900, 300)])
def test_a_picture_keeps_its_shape_and_fills_its_place(height, width):
    page = sheet([np.full((height, width, 3), BLUE)], ["a.png"], 6, "one", side=120)
    left, top, right, bottom = box_of(page, BLUE)
    assert max(right - left, bottom - top) == 120
    assert (right - left) / (bottom - top) == pytest.approx(width / height, rel=0.02)
    assert left > 0 and right < page.width and top > 0 and bottom < page.height


@pytest.mark.parametrize("pixels, side", [(192, 200), (192, 360), (256, 300), (64, 200), (28, 300)])
def test_each_row_of_a_smaller_picture_is_as_high_as_the_others(pixels, side):
    """A picture that is enlarged by a fraction has no rows that are twice as high as their neighbours."""
    heights = []
    for row in range(5, pixels - 5, 5):
        picture = np.full((pixels, pixels), 150, "uint8")
        picture[row] = 100
        heights.append((150 - np.asarray(fitted(Image.fromarray(picture), side), float)[:, 0]).sum() / 50)
    assert np.allclose(heights, side / pixels, atol=0.1)


def test_pictures_stand_row_by_row_each_in_its_frame():
    colours = [(200, 0, 0), (0, 200, 0), (0, 0, 200), (90, 90, 90), (0, 120, 120)]
    page = sheet([np.full((10, 10, 3), colour) for colour in colours], ["x"] * 5, 2, "", {0: GREEN, 4: RED}, side=50)
    boxes = [box_of(page, colour) for colour in colours]
    assert boxes[0][1] == boxes[1][1] and boxes[0][3] < boxes[2][1] == boxes[3][1] and boxes[2][3] < boxes[4][1]
    assert boxes[0][0] == boxes[2][0] == boxes[4][0] < boxes[0][2] < boxes[1][0] == boxes[3][0]
    for colour, (left, top, right, bottom) in ((GREEN, boxes[0]), (RED, boxes[4])):
        assert box_of(page, colour) == (left - 4, top - 4, right + 4, bottom + 4)


def test_grey_pictures_and_floating_point_ones_are_shown():
    page = sheet([np.full((8, 8, 1), 77.0), np.full((8, 8), 33)], ["", ""], 2, side=40)
    assert box_of(page, (77, 77, 77)) and box_of(page, (33, 33, 33))


def test_long_titles_break_into_lines_that_lie_above_the_picture():
    short, long = (sheet([np.full((9, 9, 3), BLUE)], [title], 1, side=100) for title in ("a", "word " * 12))
    assert box_of(long, BLUE)[1] > box_of(short, BLUE)[1] + 30
    ink = np.asarray(long)[: box_of(long, BLUE)[1]]
    assert ink.min() < 80 and (ink[:, [0, -1]] == 255).all()  # letters, and none that leave the sheet
    lines = wrapped("word " * 12 + "\nnew", 150, 12)
    assert lines[-1] == "new" and all(length(line, 12) < 200 for line in lines)


def test_letters_that_no_font_has_are_escaped_and_the_others_drawn(monkeypatch):
    """Where a font has the letter it is taken from there, in one line with the others."""
    asked = []
    monkeypatch.setattr("utils.sheets.sheet.file_with", lambda letter: asked.append(letter) or "")
    sheet([np.zeros((5, 5, 3))], ["caf\udce9 \x1b[31m \u202e $x$"], 1)
    assert "".join(asked).endswith("caf\\udce9 \\x1b[31m \\u202e $x$") and "\x1b" not in asked and "\u202e" not in asked
    assert fonts.file_with("x") == fonts.file_with("\u2026") == ""
