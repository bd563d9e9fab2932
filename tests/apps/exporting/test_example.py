"""example.py, which asks an exported model: what it makes of pictures, and what it says where it cannot."""

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from apps.exporting import card, formats, writing
from utils.data.images import read_image

from helpers import picture


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """A function that runs example.py with a function in place of an exported model, which takes photos of any size
    unless `taken` of its card says otherwise."""
    monkeypatch.chdir(tmp_path)

    def asked(model, *files, output=None, **taken):
        taken = {"name": "image", "shape": ["batch", "height", "width", 3]} | taken
        Path("card.json").write_text(json.dumps({"file": "model", "inputs": [taken], "output": output or {}}))
        monkeypatch.setattr(formats, "onnx", lambda path: lambda inputs: model(inputs["image"]))
        monkeypatch.setattr(sys, "argv", ["example.py", "card.json", *files])
        runpy.run_path(str(Path(formats.__file__).with_name(writing.EXAMPLE)))

    return asked


def test_the_example_writes_over_no_picture(tmp_path, ask):
    picture("made_1.png", seed=1)
    before = Path("made_1.png").read_bytes()
    ask(lambda images: [np.full((4, 4, 3), 200.0)], "made_1.png", "made_1.png")
    assert Path("made_1.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["made_1.png", "made_2.png", "made_3.png"]


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_the_example_reads_16_bits_of_grey_as_predict_does(name, ask, rng):
    values = rng.integers(0, 65536, (20, 30)).astype("uint16")
    Image.fromarray(values).save(name)
    seen = []
    ask(lambda images: seen.append(images) or np.zeros((1, 2)), name)
    np.testing.assert_array_equal(seen[0][0], read_image(name, (20, 30, 3)))


@pytest.mark.parametrize("values, mode", [
    (np.full((8, 8), 4000, "uint16"), "I;16"), (np.tri(8, dtype="float32"), "F"), (np.full((8, 8), -5, "int32"), "I"),
    (30000 + np.arange(64, dtype="uint16").reshape(8, 8), "I;16")])
def test_the_example_refuses_values_of_which_it_cannot_tell_white(values, mode, ask):
    Image.fromarray(values).save("a.tif")
    with pytest.raises(SystemExit, match=f"^a.tif: cannot be read as a picture: mode {mode} with values from .*, "
                                         "expected 8 bits, .*: save it with 8 bits a channel$"):
        ask(lambda images: None, "a.tif")


def test_the_example_says_in_a_line_which_file_is_no_picture_or_too_small(ask):
    Path("text.png").write_text("no picture")
    picture("thin.png", size=(30, 1))
    with pytest.raises(SystemExit, match="^text.png: cannot be read as a picture: cannot identify .*"):
        ask(lambda images: None, "text.png")
    with pytest.raises(SystemExit, match="^thin.png: 30 x 1 pixels, expected 2 or more a side: pass a larger one$"):
        ask(lambda images: None, "thin.png", minimum=2)


def test_the_example_pads_where_sides_are_multiples_and_gives_boxes_of_the_picture(ask, capsys):
    picture("a.png", size=(30, 17))
    seen = []

    def model(images):
        """A box that reaches beyond the picture on all sides, and one inside."""
        seen.append(images[0])
        return np.array([[[-3, -3, 96, 64, 0.5], [20, 10, 40, 30, 0.25]]], "float32")

    for zoom in (1.0, 2.0):
        ask(model, "a.png", output={"zoom": zoom}, multiple=16)
    assert [image.shape for image in seen] == [(32, 32, 3), (48, 64, 3)]
    original = np.asarray(Image.open("a.png"), "float32")
    np.testing.assert_array_equal(seen[0], np.pad(original, [(0, 15), (0, 2), (0, 0)], mode="edge"))
    plain, zoomed = (json.loads(line.split(" ", 1)[1]) for line in capsys.readouterr().out.splitlines())
    assert plain == [[0, 0, 30, 17, 0.5], [20, 10, 30, 17, 0.25]]
    assert zoomed == [[0, 0, 30, 17, 0.5], [10, 5, 20, 15, 0.25]]


def test_the_card_says_as_numbers_which_sizes_a_model_takes():
    free, fixed = (None, None, None, 3), (None, 48, 48, 1)
    assert card.sides(free, "detection") == {"minimum": 1, "multiple": 16}
    assert card.sides(free, "superres") == {"minimum": 2, "multiple": 1}
    assert card.sides(fixed, "similarity") == {}
