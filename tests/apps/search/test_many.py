"""Many at once: lists of pairs, all pictures against each other, one folder in another."""

import csv
import json
import os
import shutil

import numpy as np
import pytest

from apps.search import answer, flags as search_flags, matrix, pairs
from nets.models import siamese
from tasks import about
from tasks.choosing import ready_model
from tasks.similarity import answer as two_pictures, model as similarity_model
from utils import gallery
from utils.data.images import read_image
from utils.run import figures

from helpers import picture, questions, small_siamese

SHAPE = (32, 32, 1)


@pytest.fixture
def folder(tmp_path):
    for number in range(5):
        picture(tmp_path / "pictures" / f"{number}.png", (50 * number, 100, 30), seed=number)
    return tmp_path / "pictures"


@pytest.fixture(params=["distance", "difference"])
def asked(request, tmp_path, monkeypatch, capsys):
    """A function that asks as predict.py does: the JSON answer, the text, and the model."""
    made = small_siamese(request.param)
    loaded = similarity_model.Loaded(siamese.comparer(made), SHAPE, 0.5, str(tmp_path / "model.keras"), None)
    made.save(loaded.path)
    monkeypatch.setattr(similarity_model, "load",
                        lambda options, pictures: loaded._replace(threshold=options.threshold))

    def ask(*files, **given):
        options = questions(**{"threshold": 0.5} | given)
        (answer if search_flags.asked(options) else two_pictures).answer(options, list(files))  # as predict.py chooses
        text = capsys.readouterr().out
        return json.loads(text.splitlines()[-1]), text, loaded

    return ask


def by_hand(loaded, left, right):
    features = loaded.compare.embed(np.stack([read_image(str(file), SHAPE) for file in (left, right)]))
    return float(loaded.compare.score(features[0], features[1]))


@pytest.mark.parametrize("text", [
    "left,right,same\n0.png,1.png,1\n2.png,2.png,0\n", "0.png;1.png;yes\n2.png;2.png;no\n",
    "0.png\t1.png\tTrue\n\n2.png\t2.png\tFalse\n",
    "0.png 1.png 1\n2.png 2.png -1\n", "sep=|\n0.png|1.png|same\n2.png|2.png|different\n",
    "# mine\n0.png, 1.png, 1.0\n2.png, 2.png, 0.0\n",
])
def test_lists_of_many_forms(text, tmp_path):
    (tmp_path / "pairs.csv").write_text(text)
    listed = pairs.read_pairs(str(tmp_path / "pairs.csv"))
    assert [pair[:3] for pair in listed] == [("0.png", "1.png", True), ("2.png", "2.png", False)]


def test_two_columns_and_names_with_blanks_and_commas(tmp_path):
    (tmp_path / "pairs.csv").write_text('my a.png,"b, c.png"\nmy a.png,d e.png\n')
    assert [pair[:3] for pair in pairs.read_pairs(str(tmp_path / "pairs.csv"))] == [
        ("my a.png", "b, c.png", None), ("my a.png", "d e.png", None)]


@pytest.mark.parametrize("text, says", [
    ("", "no pair in it"), ("left,right\n", "no pair in it"), ("a.png\n", "line 1: found .*expected two paths"),
    ("a.png,b.png,perhaps\n", "line 1: found 'perhaps' instead of the truth; expected 1"),
    ("a.png,b.png,1,0.5\n", "line 1: .*expected two paths"),
    ("a.png,b.png\na.png,\n", "line 2: .*expected two paths"),
    ("a.png,b.png,1\nc.png,d.png,0\na.png,b.png,0\n",
     "line 3: 'a.png' and 'b.png' are different here and the same on line 1; expected one truth"),
    ("a.png,b.png,0\n./b.png,a.png,1\n", "line 2: .*are the same here and different on line 1"),
    ("a.png,a.png,1\na.png,x/../a.png,0\n", "line 2: .*are different here and the same on line 1"),
    ("a.png\0,b.png\n", "line 1: holds a NUL byte; expected a table of two paths"),
])
def test_what_is_no_list_of_pairs_is_one_line(text, says, tmp_path):
    (tmp_path / "pairs.csv").write_text(text)
    with pytest.raises(ValueError, match="pairs.csv.*" + says):
        pairs.read_pairs(str(tmp_path / "pairs.csv"))


def test_pairs_have_the_similarity_of_each_and_what_is_missing_is_named(asked, folder, tmp_path, monkeypatch):
    (folder / "pairs.csv").write_text(
        f"left,right,truth\n0.png,1.png,1\n{folder / '2.png'},3.png,0\ngone.png,1.png,1\n0.png,0.png,\n1.png,1.png,1\n")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    result, text, loaded = asked(pairs=str(folder / "pairs.csv"), csv="out.csv")
    expected = [by_hand(loaded, folder / a, folder / b)
                for a, b in (("0.png", "1.png"), ("2.png", "3.png"), ("0.png", "0.png"), ("1.png", "1.png"))]
    assert [row["similarity"] for row in result["results"]] == pytest.approx(expected, abs=1e-6)
    assert [row["line"] for row in result["results"]] == [2, 3, 5, 6] and result["left_out"] == 1
    assert "left out 1 pair: line 4: gone.png: no such file" in text and "4 pairs" in text
    called = [s >= 0.5 for s in expected]
    right = [called[0], not called[1], called[3]]
    assert result["measured"]["pairs"] == 3 and result["measured"]["accuracy"] == pytest.approx(np.mean(right))
    with open("out.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert ([row["truth"] for row in rows] == ["1", "0", "", "1"]
            and float(rows[0]["similarity"]) == result["results"][0]["similarity"])


def test_a_list_of_which_nothing_can_be_read(asked, folder):
    (folder / "pairs.csv").write_text("gone.png,1.png\n")
    with pytest.raises(ValueError, match="none of the 1 pair can be read.*relative paths start from"):
        asked(pairs=str(folder / "pairs.csv"))


def test_a_pair_that_stands_twice_counts_once_in_the_figures(asked, folder):
    os.symlink(folder / "1.png", folder / "link.png")
    (folder / "pairs.csv").write_text("0.png,1.png,1\n1.png,0.png,1\nlink.png,0.png,1\n2.png,3.png,0\n2.png,0.png\n")
    result, text, _ = asked(pairs=str(folder / "pairs.csv"))
    assert len(result["results"]) == 5 and result["measured"]["pairs"] == 2
    assert "2 lines name a pair that stands above it already" in text
    (folder / "pairs.csv").write_text("0.png,1.png,1\nlink.png,0.png,0\n")
    with pytest.raises(ValueError, match="line 2: .*are different here and the same on line 1"):
        pairs.read_pairs(str(folder / "pairs.csv"))


def test_what_pairs_measure():
    result = pairs.measure(np.array([True, True, False, False, None], object), np.array([0.9, 0.2, 0.8, 0.1, 0.9]),
                           np.array([1, 0, 1, 0, 1], bool))
    assert (result["accuracy"] == result["precision"] == result["recall"] == 0.5 and result["roc_auc"] == 0.75
            and result["pairs"] == 4)
    assert pairs.measure(np.array([None], object), np.array([0.5]), np.array([True])) is None
    same = pairs.measure(np.array([True], object), np.array([0.1]), np.array([False]))
    assert same["recall"] == 0 and np.isnan(same["precision"]) and np.isnan(same["roc_auc"])


@pytest.mark.parametrize("most", [matrix.PAIRS, 7, 2])
def test_the_matrix_in_blocks_is_that_of_single_pairs(most, asked, folder, tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, "PAIRS", most)
    result, text, loaded = asked(matrix=str(folder), csv=str(tmp_path / "all.npy"))
    names = (tmp_path / "all.txt").read_text().split()
    assert result["files"] == names == [f"{number}.png" for number in range(5)] and "5 pictures to each other" in text
    expected = [[by_hand(loaded, folder / a, folder / b) for b in names] for a in names]
    stored = np.load(tmp_path / "all.npy")
    assert stored.dtype == np.float32 and stored == pytest.approx(np.array(expected), abs=1e-5)
    asked(matrix=str(folder), csv=str(tmp_path / "all.csv"))
    with open(tmp_path / "all.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", *names] and [row[0] for row in rows] == names
    assert np.array_equal(np.array([row[1:] for row in rows], "float32"), stored)


def test_a_matrix_that_fails_leaves_nothing(asked, folder, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="--matrix writes a file: pass --csv"):
        asked(matrix=str(folder))
    (tmp_path / "all.npy").write_bytes(b"before")

    def fail(*args):
        yield 0, np.zeros((1, 5), "float32")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(matrix, "rows_of", fail)
    with pytest.raises(OSError):
        asked(matrix=str(folder), csv=str(tmp_path / "all.npy"))
    assert (tmp_path / "all.npy").read_bytes() == b"before" and not list(tmp_path.glob("*.new*"))


def test_what_of_one_folder_is_in_another(asked, folder, tmp_path):
    picture(tmp_path / "test" / "own.png", (90, 200, 250), seed=50)
    shutil.copy(folder / "3.png", tmp_path / "test" / "leak.png")
    result, text, loaded = asked(between=[str(tmp_path / "test"), str(folder)], threshold=1.0,
                                 csv=str(tmp_path / "leaks.csv"))
    assert result["results"] == [{"file": "leak.png", "found": "3.png", "similarity": 1.0, "identical": True}]
    assert "1 of 2 pictures" in text and "1 identical file, 0 from similarity 1.000 on" in text
    result, _, loaded = asked(between=[str(tmp_path / "test"), str(folder)], threshold=0.0)
    rows = {row["file"]: row for row in result["results"]}
    best = max((by_hand(loaded, tmp_path / "test" / "own.png", folder / name), name) for name in os.listdir(folder)
               if name.endswith(".png"))
    assert rows["own.png"]["similarity"] == pytest.approx(best[0], abs=1e-5) and not rows["own.png"]["identical"]


def test_what_of_one_folder_is_in_another_is_drawn(asked, folder, tmp_path, monkeypatch):
    """Each picture beside what was found, under its name; nothing is drawn where nothing was found."""
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "test" / "own.png", (90, 200, 250), seed=50)
    asked(between=["test", str(folder)], threshold=1.0, figure=True)
    assert not (tmp_path / "between.png").exists()
    shutil.copy(folder / "3.png", tmp_path / "test" / "leak.png")
    drawn = []
    monkeypatch.setattr(figures, "contact_sheet", lambda *args, **given: drawn.append((args, given)))
    asked(between=["test", str(folder)], threshold=1.0, figure=True)
    (((pictures, titles, path), given),) = drawn
    assert path == "between.png" and given["heading"].startswith("1 of 2 pictures in test are in")
    assert [title.strip() for title in titles] == ["leak.png", "1.000 identical file\n3.png"] and len(pictures) == 2


def test_a_query_is_no_answer_to_itself_and_what_is_alike_has_a_frame(asked, folder, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    shutil.copy(folder / "3.png", folder / "copy.png")  # another file of the same contents is an answer
    os.symlink(folder / "3.png", tmp_path / "link.png")
    drawn = []
    monkeypatch.setattr(figures, "contact_sheet", lambda *args, **given: drawn.append(given))
    first = asked(str(folder / "3.png"), gallery=str(folder), top=2)[0]["results"]
    between = sum(row["similarity"] for row in first) / 2
    for query in (folder / "3.png", "link.png", "pictures/../pictures/3.png"):
        result, text, _ = asked(str(query), gallery=str(folder), top=2, threshold=between,
                                figure=True)
        files = [row["file"] for row in result["results"]]
        assert len(files) == 2 and files[0] == "copy.png" and "3.png" not in files
        assert drawn.pop()["marked"] == [1] and [row["same"] for row in result["results"]] == [True, False]


def test_a_gallery_of_the_query_alone(asked, tmp_path):
    picture(tmp_path / "one" / "a.png", (90, 200, 250), seed=50)
    assert asked(str(tmp_path / "one" / "a.png"), gallery=str(tmp_path / "one"))[0]["results"] == []


@pytest.mark.parametrize("given, files, says", [
    ({"gallery": "a", "duplicates": "b"}, ["query.png"],
     "--gallery and --duplicates ask two questions: pass one of them"),
    ({"pairs": "a.csv", "matrix": "b"}, [], "--pairs and --matrix ask two questions"),
    ({"duplicates": "b"}, ["query.png"], "--duplicates looks at what it names alone: leave query.png out"),
    ({"between": ["a"]}, [], "--between=a: expected two different folders"),
    ({"between": [".", "../" + os.path.basename(os.getcwd())]}, [], "expected two different folders"),
    ({}, ["one.png"], "received 1 file name;"),
])
def test_questions_that_do_not_fit_are_refused(given, files, says, asked):
    with pytest.raises(ValueError, match=says):
        asked(*files, **given)


def test_memory_of_a_matrix_is_that_of_a_block(rng):
    features = rng.normal(size=(3000, 8)).astype("float32")
    opened = gallery.Gallery("", [str(n) for n in range(3000)], features, 0, [])
    comparer = siamese.comparer(small_siamese())
    shapes = [block.shape for _, block in matrix.rows_of(opened, comparer)]
    assert sum(rows for rows, _ in shapes) == 3000 and max(rows * columns for rows, columns in shapes) <= matrix.PAIRS


@pytest.mark.parametrize("question", ["gallery", "duplicates", "pairs", "matrix", "between"])
def test_pictures_unlike_those_of_the_training_are_doubted(question, folder, tmp_path, monkeypatch, capsys):
    """As they are where two pictures are compared."""
    made = small_siamese("distance")
    known = about.read(ready_model("characters"))
    loaded = similarity_model.Loaded(siamese.comparer(made), SHAPE, 0.5, str(tmp_path / "model.keras"), known)
    made.save(loaded.path)
    monkeypatch.setattr(similarity_model, "load", lambda options, pictures: loaded)
    shutil.copytree(folder, tmp_path / "again")
    (tmp_path / "pairs.csv").write_text("pictures/0.png,pictures/1.png\n")
    asked = {"pairs": str(tmp_path / "pairs.csv"),
             "between": [str(folder), str(tmp_path / "again")],
             "duplicates": [str(folder)]}.get(question, str(folder))
    answer.answer(questions(**{question: asked, "csv": str(tmp_path / "out.csv")}),
                  [str(folder / "0.png")] if question == "gallery" else [])
    lines = capsys.readouterr().out.splitlines()
    told = json.loads(lines[-1])["warning"]
    assert told.startswith("these pictures are photographs, the model learnt from characters") and any(
        line.startswith("no answer: these pictures are photographs") for line in lines)
    result = json.loads(lines[-1])
    assert all(row.get("same") is None or row.get("identical") for row in result.get("results", []))
    if question == "duplicates":
        assert result["groups"] == []


def test_names_of_rows_never_replace_a_file_that_holds_something_else(tmp_path):
    (tmp_path / "all.txt").write_text("precious\n")
    with pytest.raises(ValueError, match="all.txt: the names of the rows of .*all.npy are written there, and it holds"):
        matrix.check_names(str(tmp_path / "all.npy"))
    matrix.check_names(str(tmp_path / "all.csv"))
    matrix.check_names(str(tmp_path / "new.npy"))
    np.save(tmp_path / "all.npy", np.zeros((3, 3), "float32"))
    with pytest.raises(ValueError, match="it holds something else"):
        matrix.check_names(str(tmp_path / "all.npy"))
    matrix.write_names(["a.png", "b\nc.png", "d.png"], str(tmp_path / "all.txt"))
    matrix.check_names(str(tmp_path / "all.npy"))  # what an earlier run wrote
    assert (tmp_path / "all.txt").read_text().splitlines() == ["a.png", "b\\nc.png", "d.png"]
