"""Two pictures on the command line: each file is decoded once, and the answer is that of the library."""

import collections
import json

import numpy as np
import pytest
from PIL import Image

import compare
from tasks.similarity.answer import answer
from utils.data import images

from helpers import questions, scenery


@pytest.fixture
def decoded(monkeypatch):
    """How often each file is decoded."""
    counts, opened = collections.Counter(), Image.open

    def counting(file, *args, **more):
        counts[str(file)] += 1
        return opened(file, *args, **more)

    monkeypatch.setattr(Image, "open", counting)
    return counts


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A photo and a copy of it, lying on its side in the file, in the folder where the test runs."""
    monkeypatch.chdir(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6  # the top is at the right
    Image.fromarray(scenery()).save("a.png")
    Image.fromarray(np.rot90(scenery()[4:, 6:])).save("b.jpg", exif=exif)
    return ["a.png", "b.jpg"]


def test_each_picture_is_decoded_once_with_model_warning_and_figure(files, decoded, tmp_path, capsys):
    answer(questions(figure=True), files)
    assert decoded == {"a.png": 1, "b.jpg": 1} and (tmp_path / "predict.png").is_file()
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    model = compare.load("photos")
    assert found["similarity"] == model.similarity(*files) and found["warning"] == (model.warning(files) or None)


def test_a_jpeg_that_is_scaled_down_while_it_is_decoded_gives_the_numbers_of_the_library(files, monkeypatch, capsys):
    monkeypatch.setattr(images, "LARGE", 10_000)
    answer(questions(), files)
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert images.decoded("b.jpg") == "b.jpg" and images.decoded("a.png").size == (192, 160)
    assert found["similarity"] == compare.load("photos").similarity(*files)


def test_a_model_that_learnt_from_other_pictures_gives_no_answer(files, tmp_path, monkeypatch, capsys):
    """Also where it is asked for by its name; the figure says why, and the similarity is still told."""
    heads = []
    monkeypatch.setattr("tasks.similarity.answer.figures.compared",
                        lambda left, right, title, *more: heads.append(title))
    answer(questions(model="characters", figure=True), files)
    *lines, last = capsys.readouterr().out.splitlines()
    found = json.loads(last)
    assert found["same"] is None and 0 <= found["similarity"] <= 1 and "do not trust" in found["warning"]
    assert any(line.startswith("no answer: these pictures are photographs") for line in lines)
    assert not any(line.startswith(("same", "different")) for line in lines)
    assert heads == [f"no answer: {found['warning']}"]
