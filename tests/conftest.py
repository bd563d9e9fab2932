"""What the tests share: small folders of pictures, the scripts run as a user runs them."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
from PIL import Image

from utils import saying

import plain_graphs  # noqa: F401
from forked import run_program
from helpers import DATA, ROOT, picture, scenery


@pytest.fixture(autouse=True)
def same_start(monkeypatch):
    """Every test draws the same first weights, hears what is said once, whatever ran before it, and leaves no list of
    files where it runs."""
    monkeypatch.setattr(saying, "LEFT_OUT", os.devnull)
    keras.utils.set_random_seed(1)
    saying.SAID.clear()
    saying.MANY.clear()


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def omniglot():
    folder = DATA / "omniglot"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


@pytest.fixture
def chapters(tmp_path):
    """A function that makes own data: chapters(3, 4) is three classes of four pictures."""

    def make(*counts, name="pictures"):
        root = tmp_path / name
        for chapter, count in enumerate(counts):
            for number in range(count):
                colour = np.random.default_rng(chapter).integers(30, 220, 3)
                picture(root / f"chapter{chapter}" / f"{number}.png", colour, seed=number)
        return root

    return make


@pytest.fixture(scope="session")
def alphabets(tmp_path_factory):
    """Own small Omniglot: six alphabets of four characters of six drawings, and two to evaluate."""
    from utils import glyphs

    root = tmp_path_factory.mktemp("alphabets")
    scripts = {"Latin": 0x41, "Greek": 0x3B1, "Cyrillic": 0x431, "Arabic": 0x628, "Georgian": 0x10D0, "Armenian": 0x561}
    held = {"Hebrew": 0x5D0, "Lao": 0xE81}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glyphs, "BACKGROUND", {name: (code, code + 20, 4) for name, code in scripts.items()})
        patch.setattr(glyphs, "EVALUATION", {name: (code, code + 20, 4) for name, code in held.items()})
        patch.setattr(glyphs, "DRAWINGS", 6)
        glyphs.render_glyphs(str(root))
    return root


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory):
    """Photos of waves and edges, 150 x 140, six of them."""
    root = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[:140, :150]
    for number in range(6):
        rng = np.random.default_rng(number)
        waves = sum(np.sin(x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) + rng.uniform(0, 6)) for _ in range(6))
        colours = 128 + 18 * waves[..., None] * rng.uniform(0.5, 1, 3) + 40 * (x > rng.integers(30, 120))[..., None]
        Image.fromarray(np.clip(colours, 0, 255).astype("uint8")).save(root / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def photo():
    """A synthetic photo."""
    return scenery()


@pytest.fixture(scope="session")
def even():
    """A mid-grey photo: what is added to it can be measured."""
    return np.full((160, 192, 3), 128, "uint8")


@pytest.fixture
def script(tmp_path):
    """A function that runs a script of the project in an empty folder, as a user would. Its process has Keras already,
    but with `fresh`, and where a backend is named."""

    def ask(name, *args, stdin="", expect=0, cwd=tmp_path, env=None, fresh=False):
        fresh = fresh or any(str(arg).startswith("--backend") for arg in args)
        code, out, err = run_program(ROOT / name, *args, stdin=stdin, cwd=cwd, fresh=fresh,
                             env={"MPLBACKEND": "agg", **(env or {})})
        assert code == expect, out + err
        return out + err

    return ask
