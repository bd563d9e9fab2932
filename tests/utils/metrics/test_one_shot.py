"""Official one-shot runs, and the baseline that proves that they are read rightly."""

import zipfile
from types import SimpleNamespace

import numpy as np
import pytest

from tasks.similarity import evaluation
from utils.metrics import one_shot

from helpers import write_runs


def test_modified_hausdorff_equals_a_loop(rng):
    a, b = rng.normal(size=(9, 2)), rng.normal(size=(6, 2))
    one = np.mean([min(np.hypot(*(p - q)) for q in b) for p in a])
    two = np.mean([min(np.hypot(*(p - q)) for p in a) for q in b])
    assert one_shot.modified_hausdorff(a, b) == pytest.approx(max(one, two))
    assert one_shot.modified_hausdorff(a, a) == 0


def test_archives_that_are_none_are_refused(tmp_path):
    (tmp_path / "a.zip").write_text("no")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        file.writestr("readme.txt", "hello")
    for name in ("a.zip", "b.zip", "none.zip"):
        with pytest.raises(ValueError, match="expected Omniglot's all_runs.zip"):
            one_shot.read_runs(str(tmp_path / name), (8, 8, 1))


def test_runs_of_an_archive(tmp_path):
    runs = one_shot.read_runs(write_runs(tmp_path / "a.zip"), (8, 8, 1))
    assert (len(runs) == 2 and runs[0].queries.shape == runs[0].supports.shape == (20, 8, 8, 1)
            and sorted(runs[1].truth) == list(range(20)))


@pytest.mark.parametrize("slash", ["/", "\\"])
def test_archives_packed_with_backslashes_are_whole(slash, tmp_path):
    """Of names with both kinds of slashes none is left out in silence."""
    with zipfile.ZipFile(write_runs(tmp_path / "a.zip", 3)) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
        for name, content in members.items():
            member = zipfile.ZipInfo("x")
            member.filename = name.replace("/", slash) if "run1" in name else name
            file.writestr(member, content)
    path = str(tmp_path / "b.zip")
    assert len(one_shot.read_runs(path, (8, 8, 1))) == one_shot.check_runs(path) == 3


@pytest.mark.parametrize("count, says", [(20, "official runs"), (19, "19 runs, not the official 20"),
                                         (21, "21 runs, not the official 20"), (1, "1 run, not the official 20")])
def test_only_the_twenty_runs_are_called_official(count, says, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(one_shot, "hausdorff_similarity", lambda queries, supports: np.zeros((20, 20)))
    options = SimpleNamespace(one_shot_runs=write_runs(tmp_path / "a.zip", count))
    model = SimpleNamespace(embed=lambda images: images.mean((1, 2)), score=lambda a, b: -abs(a - b).sum(-1))
    evaluation.one_shot_accuracy(options, model, (8, 8, 1))
    said = capsys.readouterr().out
    assert f"20-way one-shot, {says}: accuracy 0." in said and ("people 0.955" in said) == (count == 20)
    evaluation.hausdorff(options)
    said = capsys.readouterr().out
    assert f"20-way one-shot, {says}: accuracy" in said and ("published: 0.612" in said) == (count == 20)


@pytest.mark.parametrize("labels, says", [
    ("", "has 0 lines; expected 20"),
    ("a b c\n" * 20, "has 20 lines; expected 20, each of a test image and its training image"),
    ("a b\n" * 20, "all different"),
    ("\n".join(f"q{n} s{n}" for n in range(20)), "There is no item named 's0|There is no item named 'q0"),
    (b"\xff\xfe", "cannot be read"),
])
def test_lists_of_labels_of_another_shape_are_one_line(labels, says, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        file.writestr("run01/class_labels.txt", labels)
        file.writestr("__MACOSX/run01/._class_labels.txt", b"\0\xff")
    for read in (lambda path: one_shot.read_runs(path, (8, 8, 1)), one_shot.check_runs):
        with pytest.raises(ValueError, match=says) as caught:
            read(str(tmp_path / "a.zip"))
        assert str(caught.value).startswith(str(tmp_path / "a.zip")) and "\n" not in str(caught.value)


def test_a_picture_that_is_none_is_named(tmp_path):
    path = write_runs(tmp_path / "a.zip", 1)
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, b"no" if name.endswith("item3.png") else content)
    with pytest.raises(ValueError,
                       match="a.zip: .*run0/test/item3.png: not an image.*; expected Omniglot's all_runs.zip"):
        one_shot.read_runs(path, (8, 8, 1))


@pytest.mark.rare
def test_official_runs_and_the_published_baseline(omniglot):
    """61.2 % (an error of 38.8 %) proves that images and runs are read rightly."""
    runs = one_shot.read_runs(str(omniglot / "all_runs.zip"), (105, 105, 1))
    assert len(runs) == 20 and all(run.queries.shape == (20, 105, 105, 1) for run in runs)
    assert all(sorted(run.truth) == list(range(20)) for run in runs)
    assert one_shot.one_shot_accuracy(runs, one_shot.hausdorff_similarity) == pytest.approx(0.612, abs=0.0013)
