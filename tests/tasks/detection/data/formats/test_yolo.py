"""Boxes with key points, and data.yaml as people and tools write it."""

import numpy as np
import pytest
from PIL import Image

from tasks.detection.data import reading

BOX = "0 0.5 0.5 0.4 0.2"  # on a photo of 100 x 100 pixels: 30, 40, 70, 60
POINTS = "0.35 0.45 0.6 0.55"


def write(root, rows, settings):
    Image.new("RGB", (100, 100), (90, 90, 60)).save(root / "a.png")
    (root / "a.txt").write_text("\n".join(rows) + "\n")
    if settings:
        (root / "data.yaml").write_text(settings)
    return reading.read_boxes(str(root))


@pytest.mark.parametrize("shape, points", [("[2, 2]", POINTS), ("[2, 3]", "0.35 0.45 2 0.6 0.55 0"),
                                           ("\n- 3\n- 3", "0.35 0.45 2 0.6 0.55 0 0 0 0")])
def test_key_points_behind_a_box_are_no_polygon(shape, points, tmp_path):
    found = write(tmp_path, [f"{BOX} {points}", BOX], f"kpt_shape: {shape}\nnames: [person]\n")
    np.testing.assert_allclose(found.samples[0].boxes, [[30, 40, 70, 60]] * 2, atol=1e-3)
    assert not found.problems and "polygon" not in found.how


def test_a_line_of_another_length_than_kpt_shape_tells_is_named(tmp_path):
    found = write(tmp_path, [f"{BOX} {POINTS}"], "kpt_shape: [3, 2]\nnames: [person]\n")
    assert found.problems == ["a.png: a.txt, line 1: 9 numbers, expected 5 for a box or 11 for a box and its key "
                              "points, as kpt_shape of data.yaml tells: mend the line, or kpt_shape"]


def test_kpt_shape_that_is_none_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"data.yaml: kpt_shape is '17', expected the number of key points and 2 or 3"):
        write(tmp_path, [BOX], "kpt_shape: 17\nnames: [person]\n")


def test_where_nothing_tells_a_long_line_is_a_polygon_and_that_is_said(tmp_path):
    found = write(tmp_path, [f"0 {POINTS} 0.4 0.7"], "names: [person]\n")
    np.testing.assert_allclose(found.samples[0].boxes, [[35, 45, 60, 70]], atol=1e-3)
    assert "taken for polygons: if they are boxes with key points, write kpt_shape" in found.how
    assert "polygon" not in write(tmp_path, [BOX], "names: [person]\n").how


@pytest.mark.parametrize("text, names", [
    ("\"names\":\n  '0': a\n  \"1\": b\n", ["a", "b"]), ("'names': [a, b]", ["a", "b"]), ("names : [a]", ["a"]),
    ("names: ['it''s', \"a \\\"b\\\"\", driver's seat]", ["it's", 'a "b"', "driver's seat"]),
    ("names:\n- 'it''s'  # the first\n- driver's seat\n- a#b\n", ["it's", "driver's seat", "a#b"]),
    ("names: [\n  'a, b',  # one\n  c,\n]\nnc: 2", ["a, b", "c"]),
    ("{}names: {{0: 'a: b', 1: c}}".format("download: |\n  import os\n  names = []\n"), ["a: b", "c"]),
    ("names:\n  # people\n  0: it's  # one\n\n  1: 'b'\ncolours:\n  0: red\n", ["it's", "b"]),
])
def test_names_of_classes(text, names, tmp_path):
    assert write(tmp_path, [BOX], text).names == names


def test_a_bracket_that_does_not_end_is_one_line(tmp_path):
    with pytest.raises(ValueError, match=r"data.yaml: cannot be read .'\[a, b' has no \]"):
        write(tmp_path, [BOX], "names: [a, b\n")
