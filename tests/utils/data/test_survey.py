"""What kind of pictures a folder holds, and the input that suits them."""

import numpy as np
import pytest
from PIL import Image

from utils.data.survey import input_for, survey

from helpers import picture


def test_colour_and_size_are_seen(tmp_path):
    for number in range(4):
        picture(tmp_path / f"{number}.png", (200, 60, 30), (92, 112), number)
    (tmp_path / "broken.png").write_text("no")
    seen = survey([str(path) for path in sorted(tmp_path.iterdir())])
    assert (seen.count, seen.colour, seen.characters, seen.width, seen.height) == (5, True, False, 92, 112)
    assert input_for(seen) == (72, 56, 3)


def test_grey_photographs_get_a_grey_input(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(3):
        tones = np.clip(np.linspace(40, 200, 32 * 32).reshape(32, 32) + rng.normal(0, 10, (32, 32)), 0, 255)
        Image.fromarray(tones.astype("uint8")).save(tmp_path / f"{number}.png")
    seen = survey([str(path) for path in tmp_path.iterdir()])
    assert not seen.colour and not seen.characters and input_for(seen) == (48, 48, 1)


def test_a_long_picture_keeps_its_shape_within_bounds(tmp_path):
    picture(tmp_path / "wide.png", size=(900, 100))
    height, width, _ = input_for(survey([str(tmp_path / "wide.png")]))
    assert width <= 80 and height >= 48 and width > height


def test_nothing_readable_is_one_line(tmp_path):
    (tmp_path / "a.png").write_text("no")
    with pytest.raises(ValueError, match="none of the pictures can be read, for example .*a.png"):
        survey([str(tmp_path / "a.png")])
