"""What a run and its first weights learnt, by the contents of files."""

import json
import shutil
import time
from types import SimpleNamespace

import pytest

from utils.run import folder as runs
from utils.seen import learnt

from helpers import SMALL, picture


def test_a_key_tells_contents_and_not_names(tmp_path):
    for number in range(3):
        picture(tmp_path / f"{number}.png", seed=number)
    shutil.copy(tmp_path / "0.png", tmp_path / "copy.jpg")
    keys = [learnt.key(str(tmp_path / f"{number}.png")) for number in range(3)]
    assert len(set(keys)) == 3 and keys[0] == learnt.key(str(tmp_path / "copy.jpg"))
    assert learnt.key(str(tmp_path)) == learnt.key(str(tmp_path / "none")) == ""
    large = bytes(range(256)) * 2000
    for place in (0, len(large) // 2, len(large) - 1):
        (tmp_path / "large").write_bytes(large)
        before = learnt.key(str(tmp_path / "large"))
        (tmp_path / "large").write_bytes(large[:place] + b"?" + large[place + 1:])
        assert learnt.key(str(tmp_path / "large")) != before


def test_many_files_take_seconds(tmp_path):
    for number in range(1000):
        (tmp_path / f"{number}").write_bytes(number.to_bytes(4) * 25_000)
    began = time.perf_counter()
    assert len({learnt.key(str(tmp_path / f"{number}")) for number in range(1000)}) == 1000
    assert time.perf_counter() - began < 10


@pytest.fixture
def chain(tmp_path, monkeypatch):
    """Three runs, each from the one before, on photos of their own; the first two are old ones without keys."""
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        for name in ("train", "val", "test"):
            picture(tmp_path / f"photos{number}" / f"{name}.png", seed=10 * number + len(name))
    for number in range(3):
        (tmp_path / "logs" / str(number)).mkdir(parents=True)
        split = held(tmp_path, number)
        if number == 2:
            first = learnt.before(SimpleNamespace(resume=False, weights="logs/1", run=""))
            split |= learnt.kept(first, "", split["root"], split)
        runs.write_json(f"logs/{number}", runs.SPLIT, split)
        (tmp_path / "logs" / str(number) / runs.FLAGS).write_text(f"--weights=logs/{number - 1}\n" if number else "")
    return tmp_path


def held(root, number):
    return {"root": str(root / f"photos{number}"), "how": "", "train": ["train.png"], "validation": ["val.png"],
            "test": ["test.png"]}


def test_what_all_runs_of_a_chain_learnt_counts(chain):
    first = learnt.before(SimpleNamespace(resume=False, weights="logs/2/best.keras", run=""))
    assert len(first.train) == len(first.validation) == 3 and not first.unknown and first.apart
    assert first.weights == "logs/2/best.keras"
    new = held(chain, 3)
    assert not learnt.doubt_of(first, new["root"], new)
    shutil.copy(chain / "photos0" / "train.png", chain / "photos3" / "test.png")
    assert learnt.doubt_of(first, new["root"], new).startswith("1 of the 1 pictures to test on were learnt by logs/2/")
    assert learnt.before(SimpleNamespace(resume=False, weights="auto", run="")) == learnt.NOTHING
    shutil.rmtree(chain / "photos0")  # the run 2 has kept what it read there
    assert not learnt.of_weights("logs/2").unknown
    assert "2 of the 2 that it names are not in" in learnt.of_weights("logs/1").unknown
    assert "cannot be told (it kept no contents" in learnt.doubt_of(learnt.of_weights("logs/1"), "", held(chain, 3))


def test_a_run_that_goes_on_splits_as_it_began(chain):
    shutil.rmtree(chain / "photos1")
    new = learnt.before(SimpleNamespace(resume=True, weights="logs/1", run="2"))
    assert new.apart and len(new.train) == 2 and new.weights == "logs/1"
    old = learnt.before(SimpleNamespace(resume=True, weights="logs/0", run="1"))
    assert not old.apart and len(old.train) == 1
    assert not old.kept_apart([str(chain / "photos0" / "train.png")])[0].any()


def test_weights_without_a_split_are_doubtful(tmp_path):
    first = learnt.of_weights(str(tmp_path / "stranger.keras"))
    assert "it has no split.json" in learnt.doubt_of(first, str(tmp_path), {"test": ["a.png"]})
    assert not learnt.doubt_of(first, str(tmp_path), {"test": []})


@pytest.mark.slow
def test_no_figure_is_that_of_classes_that_the_first_weights_learnt(chapters, script, tmp_path):
    """Where they cannot be told any more, training, evaluation, about.json and predict.py say so."""
    root, own = chapters(*[6] * 12), ("--train_own_data", "--backbone=compact", "--epochs=1", "--steps_per_epoch=1")
    train = (*own, *SMALL, "--test_share=.2")
    script("train.py", *train, f"--dataset_path={root}", "--run=a")
    said = script("train.py", *train, f"--dataset_path={root}", "--run=b", "--weights=logs/a", "--seed=1")
    a, b = (json.loads((tmp_path / "logs" / run / runs.SPLIT).read_text()) for run in "ab")
    assert b["test"] == a["test"] and "what logs/a learnt before is not tested on" in said and "but" not in said
    assert b["before"]["train"] == a["learnt"]["train"] and b["before"]["weights"] == "logs/a"
    shutil.move(root, tmp_path / "moved")
    runs.write_json(str(tmp_path / "logs" / "a"), runs.SPLIT, {name: a[name] for name in a if name != "learnt"})
    said = script("train.py", *train, f"--dataset_path={tmp_path / 'moved'}", "--run=c", "--weights=logs/a", "--seed=1")
    doubt = "what logs/a learnt, from which this training started, cannot be told"
    assert said.count(doubt) == 2
    said = script("evaluate.py", "--model=logs/c")
    assert f"but {doubt}" in said and "held-out classes" not in said
    for name in (runs.SPLIT, runs.EVALUATION, runs.ABOUT):
        assert json.loads((tmp_path / "logs" / "c" / name).read_text())[runs.DOUBT].startswith(doubt)
    pair = [str(tmp_path / "moved" / "chapter0" / f"{number}.png") for number in range(2)]
    assert f"; but {doubt}" in script("predict.py", "--model=logs/c", *pair)
