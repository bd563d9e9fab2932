"""Run folders: found, not written over, logs cut, JSON whole."""

import csv
import json
import os
import zipfile

import pytest

from utils.run import folder as runs


def test_the_log_forgets_what_a_resumed_run_writes_again(tmp_path):
    rows = [{"epoch": n, "loss": 1 / (n + 1)} for n in range(4)]
    with open(tmp_path / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "loss"])
        writer.writeheader()
        writer.writerows(rows)
    runs.forget_epochs(str(tmp_path), 3)
    assert [row["epoch"] for row in runs.read_log(str(tmp_path))] == [0, 1, 2]
    runs.forget_epochs(str(tmp_path), 0)
    assert runs.read_log(str(tmp_path)) == []


def write_model(path, kind):
    """As much of a .keras file as tells its kind."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"config": {"name": kind}}))


def test_models_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "READY", "model_data")
    with pytest.raises(ValueError, match="python train.py"):
        runs.find_model("")
    for folder in ("model_data/ready", "logs/old", "logs/new"):
        os.makedirs(folder)
    write_model("model_data/ready/best.keras", "siamese")
    assert runs.find_model("") == os.path.join("model_data", "ready", "best.keras")
    for age, name in ((2000, "old"), (1000, "new")):
        path = f"logs/{name}/best.keras"
        write_model(path, "siamese")
        os.utime(path, (os.path.getmtime(path) - age,) * 2)
    assert runs.find_model("") == os.path.join("logs", "new", "best.keras")
    os.makedirs("logs/rank")
    write_model("logs/rank/best.keras", "rankiqa")  # the newest, but of another kind
    assert runs.find_model("", "siamese") == os.path.join("logs", "new", "best.keras")
    assert runs.find_model("") == runs.find_model("", "rankiqa") == os.path.join("logs", "rank", "best.keras")
    assert runs.find_model("logs/old") == os.path.join("logs/old", "best.keras")
    assert runs.find_model("logs/old/best.keras") == "logs/old/best.keras"
    with pytest.raises(ValueError, match="found no model at logs/none"):
        runs.find_model("logs/none")


def test_json_is_written_whole(tmp_path):
    runs.write_json(str(tmp_path), "a.json", {"é": 1})
    with pytest.raises(TypeError):
        runs.write_json(str(tmp_path), "a.json", {"bad": object()})
    assert runs.read_json(str(tmp_path), "a.json") == {"é": 1}
    assert runs.read_json(str(tmp_path), "none.json") is None


def test_what_was_held_out_is_found_from_any_folder(tmp_path, monkeypatch):
    """Older runs wrote a root relative to the folder that they were started in."""
    for folder in ("home/pics/b", "home/logs/r/split2", "elsewhere/pics/other"):
        (tmp_path / folder).mkdir(parents=True)
    held_out = {"how": "", "root": "pics", "train_classes": ["a"], "validation": [], "test": ["b"]}
    for run in ("home/logs/r", "home/logs/r/split2"):
        runs.write_json(str(tmp_path / run), runs.SPLIT, held_out)
    for cwd, run in (("home", "logs/r"), ("elsewhere", "../home/logs/r"), ("elsewhere", "../home/logs/r/split2"), ("home/logs/r", ".")):
        monkeypatch.chdir(tmp_path / cwd)
        assert runs.read_split(run) == held_out | {"root": str(tmp_path / "home" / "pics")}, (cwd, run)
    (tmp_path / "home" / "pics" / "b").rename(tmp_path / "b")
    assert runs.read_split(".")["root"] == str(tmp_path / "home" / "logs" / "r" / "pics") and runs.read_split(str(tmp_path)) == {}


def test_a_run_goes_on_with_data_that_were_moved_and_not_with_others(tmp_path):
    held_out = {"how": "split", "root": "pics", "images": 9, "train_classes": ["a"], "validation": ["c"], "test": ["b"]}
    runs.write_json(str(tmp_path), runs.SPLIT, held_out)
    for root in ("pics", os.path.abspath("pics"), "/moved/pics"):
        assert runs.same_split(str(tmp_path), held_out | {"root": root, "how": "said otherwise"})
    for other in ({"images": 8}, {"train_classes": ["d"]}, {"validation": []}, {"test": ["c"]}):
        assert not runs.same_split(str(tmp_path), held_out | other)


def test_a_run_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = runs.new_run("one", "siamese")
    open(os.path.join(folder, "flags.txt"), "w").close()
    with pytest.raises(ValueError, match="pass --resume"):
        runs.new_run("one", "siamese")
    assert runs.run_to_resume("one") == folder
    with pytest.raises(ValueError, match="found no run"):
        runs.run_to_resume("two")
