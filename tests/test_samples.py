"""The pictures of docs/samples, and the commands of the READMEs that ask about them."""

import re

import numpy as np
from PIL import Image

from docs import samples

from helpers import ROOT

FOLDER = ROOT / "docs" / "samples"


def test_the_command_makes_the_pictures_that_are_there(tmp_path):
    """Within what another version of libjpeg or FreeType may change."""
    samples.main(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png"))
    for name in names:
        made, there = (np.asarray(Image.open(folder / name).convert("RGB"), float) for folder in (tmp_path, FOLDER))
        assert made.shape == there.shape and np.abs(made - there).mean() < 3, name
    assert sum((FOLDER / name).stat().st_size for name in names) < 600_000


def test_the_page_names_every_picture():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png")} == set(
        re.findall(r"^\| (.*) \|", page, re.MULTILINE) and re.findall(r"`(\w+\.(?:jpg|png))`", page)) - {"china.jpg"}
