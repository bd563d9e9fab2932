"""Which model answers: what is asked for, otherwise the newest run of the room, otherwise a ready model."""

import json
import os
import zipfile

import numpy as np
import pytest

import tasks
from tasks.choosing import find_model, ready_model, room_of_model

INK = np.where(np.eye(48, dtype=bool)[..., None], 0, 255).astype("uint8").repeat(3, -1)  # a drawing
PHOTO = np.random.default_rng(0).integers(0, 255, (48, 48, 3), dtype="uint8")


def run(name, kind, task="", age=0, shows=""):
    """As much of a run as is looked at."""
    os.makedirs(f"logs/{name}")
    path = os.path.join("logs", name, "best.keras")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"config": {"name": kind}}))
    if task or shows:
        with open(f"logs/{name}/about.json", "w") as file:
            json.dump({"task": task, "shows": shows}, file)
    os.utime(path, (os.path.getmtime(path) - age,) * 2)
    return path


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_without_a_run_the_ready_model_of_such_pictures_answers():
    assert find_model() == find_model("", "similarity") == find_model("characters") == ready_model("characters")
    for pictures, name in (([INK, INK], "characters"), ([PHOTO, PHOTO], "photos")):
        assert find_model("", "similarity", pictures) == find_model("", None, pictures) == ready_model(name)
    assert find_model("", "copies", [INK]) == ready_model("photos")
    assert find_model("", "quality", [INK]) == ready_model("quality")
    assert find_model("", "patches") == ready_model("patches")


def test_the_newest_run_of_the_room_goes_before_it():
    copies, letters = run("copies", "siamese", "copies", age=100), run("letters", "siamese", age=200)
    rank = run("rank", "rankiqa")
    assert find_model() == find_model("", "quality") == rank
    assert find_model("", "similarity") == find_model("", "similarity", [PHOTO]) == copies  # it speaks for all
    assert find_model("", "copies") == copies and find_model("", "patches") == ready_model("patches")
    assert [room_of_model(path) for path in (copies, letters, rank)] == ["copies", "similarity", "quality"]


def test_the_newest_run_answers_only_where_it_learnt_such_pictures(capsys):
    letters = run("letters", "siamese", "siamese", shows="characters")
    assert find_model("", "similarity", [INK]) == letters and find_model("", "similarity") == letters
    assert capsys.readouterr().out == ""
    assert find_model("", "similarity", [PHOTO, PHOTO]) == ready_model("photos")
    (line,) = capsys.readouterr().out.splitlines()
    assert "are photographs" in line and "learnt from characters" in line
    assert "the ready model photos answers" in line and "--model=logs/letters" in line.replace(os.sep, "/")
    assert find_model("logs/letters", "similarity", [PHOTO]) == letters  # forced
    photos = run("photos", "siamese", "triplet", age=-100, shows="photographs")
    assert (find_model("", "similarity", [PHOTO]) == photos and find_model("", "similarity", [INK])
            == ready_model("characters"))


def test_where_no_ready_model_knows_the_pictures_either_the_run_answers():
    copies = run("copies", "siamese", "copies", shows="photographs")
    assert find_model("", "copies", [INK]) == copies


def test_what_is_asked_for_goes_first():
    path = run("letters", "siamese", age=100)
    run("photos", "siamese")
    assert find_model("logs/letters") == find_model(path) == path and find_model("photos") == ready_model("photos")
    os.rename("logs/photos", "photos")
    assert find_model("photos") == os.path.join("photos", "best.keras")  # a run of that name
    with pytest.raises(ValueError, match="found no model at logs/none; expected a .keras file or a run folder.*; the "
                                         "ready models are characters, objects, patches, photos, quality, things, x2"):
        find_model("logs/none")


def test_the_former_names_go_on_working():
    assert tasks.find_model is tasks.named is find_model and tasks.ready_model is ready_model
    assert tasks.room_of_model is room_of_model
    with pytest.raises(AttributeError, match="nothing"):
        tasks.nothing  # noqa: B018


def test_a_run_that_has_not_ended_answers_only_where_it_is_asked_for_or_alone(capsys):
    """Nothing is measured of it: no threshold, and not what it learnt from."""
    older = run("older", "siamese", "siamese", age=100, shows="photographs")
    begun = run("begun", "siamese")
    with open("logs/begun/training.lock", "w") as file:
        file.write("somebody")
    assert find_model("", "similarity", [PHOTO, PHOTO]) == find_model() == older
    said = capsys.readouterr().out.replace(os.sep, "/").splitlines()
    assert said == ["logs/begun has not ended: logs/older answers; --model=logs/begun asks it"] * 2
    os.remove(older)
    assert find_model("", "similarity", [PHOTO, PHOTO]) == ready_model("photos")
    assert "logs/begun has not ended: photos answers" in capsys.readouterr().out.replace(os.sep, "/")
    assert find_model("logs/begun", "similarity", [PHOTO]) == begun and capsys.readouterr().out == ""
    os.remove("logs/begun/training.lock")  # a run of a time when no about.json was written
    assert find_model("", "similarity", [PHOTO, PHOTO]) == begun
