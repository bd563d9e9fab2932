"""Run folders: found, not written over, logs cut, JSON whole."""

import csv
import json
import os
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tasks import resuming
from utils.run import folder as runs


def test_the_log_forgets_what_a_resumed_run_writes_again(tmp_path):
    rows = [{"epoch": n, "loss": 1 / (n + 1)} for n in range(4)]
    with open(tmp_path / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "loss"])
        writer.writeheader()
        writer.writerows(rows)
    resuming.forget_epochs(str(tmp_path), 3)
    assert [row["epoch"] for row in runs.read_log(str(tmp_path))] == [0, 1, 2]
    resuming.forget_epochs(str(tmp_path), 0)
    assert runs.read_log(str(tmp_path)) == []


def write_model(path, kind):
    """As much of a .keras file as tells its kind."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"config": {"name": kind}}))


def test_the_newest_run_and_the_file_of_a_run_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert runs.newest_run() is None
    for age, name in ((2000, "old"), (1000, "new")):
        os.makedirs(f"logs/{name}")
        path = f"logs/{name}/best.keras"
        write_model(path, "siamese")
        os.utime(path, (os.path.getmtime(path) - age,) * 2)
    os.makedirs("logs/rank")
    write_model("logs/rank/last.keras", "rankiqa")
    assert runs.newest_run() == runs.newest_run("siamese") == os.path.join("logs", "new")  # one with a best epoch first
    assert runs.newest_run("rankiqa") == os.path.join("logs", "rank") and runs.newest_run("descriptor") is None
    assert runs.newest_run("siamese", lambda folder: folder.endswith("old")) == os.path.join("logs", "old")
    assert runs.model_file("logs/old") == runs.model_in("logs/old") == os.path.join("logs/old", "best.keras")
    assert runs.model_file("logs/old/best.keras") == "logs/old/best.keras"
    assert runs.model_file("logs/rank") == os.path.join("logs/rank", "last.keras") and runs.model_in("logs") == ""
    with pytest.raises(ValueError, match="found no model at logs/none; .*train one with: python train.py"):
        runs.model_file("logs/none")


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
    for cwd, run in (("home", "logs/r"), ("elsewhere", "../home/logs/r"), ("elsewhere", "../home/logs/r/split2"),
                     ("home/logs/r", ".")):
        monkeypatch.chdir(tmp_path / cwd)
        assert runs.read_split(run) == held_out | {"root": str(tmp_path / "home" / "pics")}, (cwd, run)
    (tmp_path / "home" / "pics" / "b").rename(tmp_path / "b")
    assert (runs.read_split(".")["root"] == str(tmp_path / "home" / "logs" / "r" / "pics")
            and runs.read_split(str(tmp_path)) == {})


def test_a_run_goes_on_with_data_that_were_moved_and_not_with_others(tmp_path):
    held_out = {"how": "split", "root": "pics", "images": 9, "train_classes": ["a"], "validation": ["c"], "test": ["b"]}
    runs.write_json(str(tmp_path), runs.SPLIT, held_out)
    for root in ("pics", os.path.abspath("pics"), "/moved/pics"):
        assert runs.same_split(str(tmp_path), held_out | {"root": root, "how": "said otherwise"})
    assert runs.same_split(str(tmp_path), held_out | {"contents": "new", "told": "new"})  # the run is older than these
    for other in ({"images": 8}, {"train_classes": ["d"]}, {"validation": []}, {"test": ["c"]}):
        assert not runs.same_split(str(tmp_path), held_out | other)
    runs.write_json(str(tmp_path), runs.SPLIT, held_out | {"contents": "a", "told": "b"})
    assert runs.same_split(str(tmp_path), held_out | {"contents": "a", "told": "b"})
    for other in ({"contents": "a", "told": "c"}, {"contents": "c", "told": "b"}):
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


@pytest.mark.parametrize("name", [runs.SPLIT, runs.ABOUT, runs.THRESHOLDS, runs.EVALUATION])
@pytest.mark.parametrize("text", ['{"root": "pi', "", "null", "[1, 2]", "7", "\x00\x01", "[" * 100_000])
def test_a_damaged_json_file_is_named_with_what_to_do(name, text, tmp_path):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match="delete it") as error:
        runs.read_json(str(tmp_path), name)
    assert str(error.value).startswith(f"{tmp_path / name}: cannot be read (") and "\n" not in str(error.value)


@pytest.mark.parametrize("wrong, says", [
    ({"root": 7}, "root is 7"), ({"test": "a.png"}, "test is a.png"),
    ({"train_classes": [["a"]]}, "train_classes is [["),
    ({"how": ["by", "class"]}, "how is"), ({"validation": None}, "validation is missing"),
    ({"train": {"a": 1}}, "train is {"), ({"test": [1, 2]}, "test is [1, 2]"), ({"test": True}, "test is True"),
])
def test_a_split_of_wrong_types_is_one_line_for_who_evaluates_and_who_resumes(wrong, says, tmp_path):
    held_out = {"how": "", "root": "pics", "train_classes": ["a"], "validation": ["c"], "test": ["b"]}
    runs.write_json(str(tmp_path), runs.SPLIT, held_out | wrong)
    for asked in (runs.read_split, lambda folder: runs.same_split(folder, held_out)):
        with pytest.raises(ValueError) as error:
            asked(str(tmp_path))
        assert str(error.value).startswith(f"{tmp_path / runs.SPLIT}: cannot be read ({says}") and "--resume" in str(
            error.value) and "\n" not in str(error.value)


def test_a_split_without_a_root_is_said_and_counts_of_patches_are_no_names(tmp_path):
    (tmp_path / runs.SPLIT).write_text("{\"how\": \"by hand\"}")
    with pytest.raises(ValueError, match="root is missing"):
        runs.read_split(str(tmp_path))
    (tmp_path / runs.SPLIT).write_text("{}")  # of a task that holds nothing out
    assert runs.read_split(str(tmp_path)) == {} and runs.same_split(str(tmp_path), {})
    told = {"how": "", "root": "pics", "train": 12, "validation": 3, "test": 3}
    runs.write_json(str(tmp_path), runs.SPLIT, told)
    assert runs.same_split(str(tmp_path), told) and not runs.same_split(str(tmp_path), told | {"test": 4})
    assert runs.read_split(str(tmp_path))["test"] == []


@pytest.mark.parametrize("text", ["NaN", "Infinity", "7", "-0.1", "null", "true", '"0.5"', "[0.5]"])
def test_a_threshold_that_is_none_is_refused_by_name(text, tmp_path):
    path = tmp_path / runs.THRESHOLDS
    path.write_text('{"eer": 0.5, "copies": 0.9, "default": "copies"}')
    assert runs.read_thresholds(str(tmp_path))["default"] == "copies"
    for content in (f'{{"eer": {text}}}', f'{{"eer": 0.5, "default": {text}}}', f'{{"eer": 0.5, "fpr1": {text}}}'):
        path.write_text(content)
        with pytest.raises(ValueError,
                           match="thresholds.json: cannot be read .*run evaluate.py again .* or pass --threshold"):
            runs.read_thresholds(str(tmp_path))


LOG = ["epoch,loss,spread", "0,.5,.1", "1,.4,.2", "2,.3,NA"]


@pytest.mark.parametrize("lines, message", [
    ([*LOG[:2], "1,.4,.2,.9", LOG[3]], "line 3 does not have one value for each of the 3 columns"),
    ([*LOG[:2], "1", LOG[3]], "line 3 does not have one value"),
    ([*LOG[:2], "1,four,.2", LOG[3]], "could not convert string to float"),
    ([*LOG[:2], LOG[3]], "holds 2 epochs, and state.weights.h5 was saved after 3"),
    ([*LOG[:2], "5,.4,.2", LOG[3]], "its epochs do not count up from 0"),
    (["loss,spread", "0,.1"], "does not name the column epoch"),
    (["epoch,loss,other", *LOG[1:]], "has no column for spread"),
])
def test_a_damaged_log_is_refused_by_name(lines, message, tmp_path):
    (tmp_path / "log.csv").write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=f"log.csv: .*{message}.*--weights={tmp_path}"):
        resuming.check_log(str(tmp_path), 3, {"loss", "spread"})


def test_a_log_whose_last_row_was_cut_goes_on(tmp_path):
    (tmp_path / "log.csv").write_text("\n".join([*LOG, "3,.2"]))
    resuming.check_log(str(tmp_path), 3, {"loss"})
    resuming.forget_epochs(str(tmp_path), 3)
    assert (tmp_path / "log.csv").read_text().splitlines() == LOG
    with pytest.raises(ValueError, match="state.weights.h5: not there, although log.csv knows 3 epochs"):
        resuming.check_log(str(tmp_path), 0, {"loss"})


def test_runs_that_start_in_the_same_second_get_folders_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs.time, "strftime", lambda form: form)
    with ThreadPoolExecutor(20) as pool:
        folders = list(pool.map(lambda number: runs.new_run("", "siamese"), range(20)))
    assert len(set(folders)) == 20 and all(map(os.path.isdir, folders))
    assert {name.rpartition("siamese")[2] for name in folders} == {"", *(f"-{number}" for number in range(2, 21))}

    def named(number):
        try:
            return runs.new_run("one", "siamese")
        except ValueError as error:
            return str(error)

    os.makedirs(os.path.join("logs", "one", "worker1"))  # another host was faster
    with ThreadPoolExecutor(20) as pool:
        said = sorted(pool.map(named, range(20)))
    assert said[0] == os.path.join("logs", "one") and len(set(said)) == 2 and "pass --resume" in said[-1]


def test_json_has_no_nan_and_takes_numbers_of_numpy():
    found = json.loads(runs.as_json({"a": np.float32("nan"), "b": [np.inf, np.int64(3)],
                                     "c": np.array([1.5, -np.inf])}),
                       parse_constant=lambda text: pytest.fail(text))
    assert found == {"a": None, "b": [None, 3], "c": [1.5, None]}


@pytest.mark.parametrize("left", ["", "epoch,lo"])
def test_a_log_of_a_run_that_was_killed_before_its_first_epoch_ended_is_no_damage(left, tmp_path):
    (tmp_path / "log.csv").write_text(left)
    assert runs.read_log(str(tmp_path)) == [] and runs.columns_of_log(str(tmp_path)) == []
    resuming.check_log(str(tmp_path), 0, {"loss"})
    resuming.forget_epochs(str(tmp_path), 0)
    assert not (tmp_path / "log.csv").exists()  # so that the resumed run writes the first line whole


def test_a_report_on_a_ready_model_goes_to_the_logs(tmp_path, monkeypatch):
    """What is published of it stays as it is; a report on a run lies beside the run."""
    monkeypatch.chdir(tmp_path)
    assert (runs.report_folder("", os.path.join(runs.READY, "rank_live", "best.keras"))
            == os.path.join("logs", "report_rank_live"))
    assert (runs.report_folder("", "logs/mine/best.keras") == "logs/mine"
            and runs.report_folder("own", "logs/mine/best.keras") == "own")
    assert os.path.isdir("logs/report_rank_live")
