"""compare.py: the answers of predict.py from one's own code, from any folder, for files, arrays and PIL images."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
from PIL import Image
from sklearn.base import clone
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import check_estimator

import compare
from apps.search import answer as search_app
from tasks.patches import answer as patches_room
from tasks.quality import answer as quality_room
from tasks.similarity import answer as similarity_room

from forked import run_program
from helpers import ROOT, picture, questions, scenery, small_siamese

MANY = {"json": True, "csv": "", "figure": False}
OPTIONS = {
    "similarity": vars(questions()),
    "quality": {"crops": 0, **MANY},
    "patches": {"descriptor": "model", "geometry": "homography", "homography": False, "keypoints": [],
                "most_keypoints": 4000, "ratio": 0.8,
                "tolerance": 3.0, **MANY},
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A folder with two photos, a part of one of them, a folder of pictures to search in, and two of copies."""
    root = tmp_path_factory.mktemp("own")
    os.makedirs(root / "pictures")
    for name, seed in {"a": 3, "b": 4, "pictures/a": 3, "pictures/b": 4, "pictures/c": 5}.items():
        Image.fromarray(scenery(seed=seed)).save(root / f"{name}.jpg", quality=95)
    Image.open(root / "a.jpg").crop((4, 4, 180, 150)).save(root / "query.jpg", quality=95)
    Image.open(root / "a.jpg").save(root / "pictures" / "copy.png")
    for folder, name in (("phone", "b.jpg"), ("archive", "a.jpg")):
        os.makedirs(root / folder)
        shutil.copy(root / name, root / folder)
    return root


@pytest.fixture
def told(capsys):
    """A function that returns the JSON answer of a room of predict.py."""

    def ask(room, module, model, *names, **given):
        capsys.readouterr()
        module.answer(SimpleNamespace(**OPTIONS[room] | {"model": model} | given), [str(name) for name in names])
        return json.loads(capsys.readouterr().out.splitlines()[-1])

    return ask


def test_similarity_gives_the_numbers_of_the_script(files, told):
    model, a, b = compare.load("photos"), str(files / "a.jpg"), str(files / "b.jpg")
    found = told("similarity", similarity_room, "photos", a, b)
    assert model.similarity(a, b) == found["similarity"] and model.threshold == found["threshold"]
    assert model.warning([a, b]) == (found["warning"] or "")
    hits = model.search(files / "pictures", files / "query.jpg", top=3)
    rows = told("similarity", search_app, "photos", files / "query.jpg", gallery=str(files / "pictures"),
                top=3)["results"]
    assert [hit._asdict() for hit in hits] == [{name: row[name] for name in ("file", "similarity")} for row in rows]
    inside = [hit.file for hit in model.search(files / "pictures", files / "pictures" / "a.jpg", top=2)]
    assert inside[0] == "copy.png" and "a.jpg" not in inside and len(inside) == 2  # it is no answer to itself
    with Image.open(files / "pictures" / "a.jpg") as picture_in_memory:
        assert model.search(files / "pictures", picture_in_memory, top=1)[0].file == "a.jpg"
    groups = [[member.file for member in group.members] for group in model.duplicates(files / "pictures").groups]
    assert (groups == told("similarity", search_app, "photos", duplicates=[str(files / "pictures")])["groups"]
            and len(groups) == 1)


def test_duplicates_of_several_folders_are_those_of_the_script(files, told):
    """A single folder in a list is that folder; a reference never goes, proved or not."""
    model, first, second = compare.load("photos"), files / "pictures", files / "more"
    second.mkdir(exist_ok=True)
    for name, source in (("twin.jpg", "a.jpg"), ("twin.png", "copy.png")):
        shutil.copy(first / source, second / name)
    assert model.duplicates([first]) == model.duplicates(first) == model.duplicates(str(first))
    folders = {"duplicates": [str(first)], "reference": [str(second)]}
    found = model.duplicates(first, reference=second)
    said = told("similarity", search_app, "photos", **folders)
    assert [[member.file for member in group.members] for group in found.groups] == said["groups"]
    goes = {member.file for group in found.groups for member in group.members if member.goes}
    assert goes == set(said["can_go"]) and goes and not any(file.startswith(str(second)) for file in goes)
    both = model.duplicates((first, str(second)))
    assert len(both.groups[0].members) == 4 and len(model.open([first, second]).paths) == len(
        model.open(first).paths) + 2
    alone = model.identical([first], reference=[second])
    assert {member.file for group in alone.groups for member in group.members if member.goes and member.twin} == {
        str(first / name) for name in ("a.jpg", "copy.png")}
    for nothing in ([], ()):
        with pytest.raises(ValueError, match="^received top=0, expected 1 or more"):
            model.search(files / "pictures", files / "query.jpg", top=0)
        with pytest.raises(ValueError, match="^no folder is named; expected"):
            model.duplicates(nothing)


@pytest.mark.parametrize("runtime", ["keras", "auto"])
def test_loading_a_model_leaves_the_standard_error_to_the_program(files, runtime):
    """TensorFlow's lines are gone, the program's own, before and after, are there."""
    code = ("import sys, compare\nprint('before', file=sys.stderr)\n"
            f"model = compare.load('photos', runtime={runtime!r})\n"
            "print('similarity', model.similarity('a.jpg', 'b.jpg'), file=sys.stderr)\n1 / 0")
    without = {name: value for name, value in os.environ.items() if name != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run([sys.executable, "-c", code], cwd=files, capture_output=True, text=True,
                          env={**without, "PYTHONPATH": str(ROOT)})
    lines = done.stderr.splitlines()
    assert lines[0] == "before" and lines[1].startswith("similarity 0.") and lines[2].startswith("Traceback")
    assert lines[-1] == "ZeroDivisionError: division by zero" and "0000 " not in done.stderr


def test_quality_and_matches_give_the_numbers_of_the_scripts(files, told):
    a, b = files / "a.jpg", files / "query.jpg"
    answer, quality = told("quality", quality_room, "quality", a, b), compare.load("quality")
    rows = {row["file"]: row["score"] for row in answer["results"]}
    assert answer["warning"] == (quality.warning([a, b]) or None)
    assert quality.quality([a, b]).tolist() == [rows[str(a)], rows[str(b)]] and quality.higher_is_better
    scene, found = compare.load("patches").match(a, b), told("patches", patches_room, "patches", a, b)
    assert scene.same and scene.matrix.tolist() == found["homography"] and int(scene.inliers.sum()) == found["inliers"]
    assert compare.load("sift").match(a, b).same


def test_files_arrays_and_pil_images_are_the_same(files):
    file = str(files / "a.jpg")
    forms = [file, Image.open(file), np.asarray(Image.open(file)), np.asarray(Image.open(file)).astype("float32")]
    for name in ("photos", "quality"):
        model = compare.load(name)
        ask = model.embed if name == "photos" else model.quality
        values = [ask([form])[0] for form in forms]
        assert all(np.array_equal(value, values[0]) for value in values)
    scenes = [compare.load("sift").match(form, forms[0]) for form in forms[:3]]
    assert all(np.array_equal(scene.a, scenes[0].a) for scene in scenes)


@pytest.mark.parametrize("ask, says", [
    (lambda model, root: model.embed(str(root / "a.jpg")),
     "a.jpg, expected several pictures: put a single one into a list"),
    (lambda model, root: model.embed(np.zeros((20, 20, 3), "uint8")), r"an array \(20, 20, 3\) of uint8, expected "
                                                                      r"several"),
    (lambda model, root: model.embed([]), "received no picture"),
    (lambda model, root: model.embed([root / "a.jpg", root / "gone.jpg"]), "gone.jpg: no such file"),
    (lambda model, root: model.similarity(np.ones((4, 4)), root
                                          / "a.jpg"), r"an array \(4, 4\) of float64: no value is above 1.*multiply"),
    (lambda model, root: model.search(root / "none", root / "a.jpg"), "none: no such folder"),
    (lambda model, root: compare.load("none"), "found no model at none"),
    (lambda model, root: compare.Embedder("quality").fit(), "a rankiqa model, expected one that embeds pictures"),
    (lambda model, root: compare.load("quality", threshold=0.5), "threshold=0.5: models of quality have no"),
    (lambda model, root: compare.load("objects", threshold_at="eer"), "threshold_at=eer: models of detection have"),
    (lambda model, root: compare.load("x2", runtime="onnx"), "Keras alone runs the models of superres"),
    (lambda model, root: model.embed({root / "a.jpg"}), "expected several pictures"),
])
def test_what_a_person_can_mend_is_one_line(ask, says, files):
    with pytest.raises(ValueError, match=says) as error:
        ask(compare.load("photos"), files)
    assert "\n" not in str(error.value)


def test_a_run_without_thresholds_and_a_threshold_of_ones_own(tmp_path):
    small_siamese().save(tmp_path / "best.keras")
    assert compare.load(tmp_path).threshold == 0.5 and compare.load(str(tmp_path), threshold=0.7).threshold == 0.7
    assert compare.load("photos", threshold_at="eer").threshold != compare.load("photos").threshold


class Tables(compare.Embedder):
    """Numbers in a table, of which scikit-learn's tests make their data, drawn as pictures."""

    def transform(self, X):
        return super().transform([np.tile(np.clip(np.asarray(row, float) * 20 + 128, 0, 255), (8, 1)) for row in X])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = True
        return tags


def test_the_checks_of_scikit_learn():
    """All that apply pass; two do not, and one asks for more digits than float32 has."""
    check_estimator(Tables("characters"), on_skip=None, expected_failed_checks={
        "check_estimator_sparse_tag": "fit looks at no picture, so it refuses none",
        "check_transformer_general": "pictures may have another size than those that fit was given",
        "check_methods_sample_order_invariance": "the place in a batch changes the last digit of float32",
    })


def test_a_pipeline_names_pictures(tmp_path):
    colours = {"red": (220, 40, 30), "green": (30, 200, 60), "blue": (40, 60, 210)}
    paths, labels = [], []
    for name, colour in colours.items():
        for number in range(4):
            paths.append(str(tmp_path / f"{name}{number}.png"))
            labels.append(name)
            picture(paths[-1], colour, (64, 48), seed=len(paths))
    pipeline = make_pipeline(compare.Embedder("photos"), KNeighborsClassifier(1))
    features = compare.load("photos").embed(paths)
    assert np.allclose(pipeline.fit(paths, labels)[0].transform(paths), features)
    scores = cross_val_score(pipeline, paths, labels, cv=4)
    assert scores.shape == (4,) and scores.min() == 1
    again = pickle.loads(pickle.dumps(clone(pipeline[0]).fit(paths)))
    assert np.array_equal(again.transform(paths), pipeline[0].transform(paths)) and len(pickle.dumps(again)) < 1000
    assert (len(again.get_feature_names_out()) == features.shape[1]
            and compare.load("photos").transformer().path_ == again.path_)


def blocks(page):
    """The indented pieces of a page that begin with `import compare`."""
    pieces = re.findall(r"(?:^    .*\n?)+", page.read_text(encoding="utf-8"), re.MULTILINE)
    pieces = [re.sub("^    ", "", piece, flags=re.MULTILINE) for piece in pieces]
    return [piece for piece in pieces if piece.startswith("import compare")]


def test_both_readmes_show_the_same_lines():
    english, chinese = (blocks(ROOT / page) for page in ("README.md", "README.zh-CN.md"))
    assert english == chinese and english


@pytest.mark.parametrize("page", ["docs/library.md", "README.md"])
def test_the_lines_of_the_pages_run_from_another_folder(page, files, tmp_path):
    pieces = blocks(ROOT / page)
    if not pieces:
        pytest.skip(f"{page} shows no such lines")
    here, pair = files, [files / "a.jpg", files / "b.jpg"]
    if page == "README.md":  # which asks about the samples
        here, pair = tmp_path, [tmp_path / "docs" / "samples" / f"palace{name}.jpg" for name in ("", "_copy")]
        shutil.copytree(ROOT / "docs" / "samples", tmp_path / "docs" / "samples",
                        ignore=shutil.ignore_patterns(".*"))
    code, out, err = run_program("-c", "\n".join(pieces), cwd=here, env={"PYTHONPATH": str(ROOT)})
    assert code == 0, out + err
    first = re.search(r"^0\.\d+", out, re.MULTILINE)
    assert float(first[0]) == compare.load("photos").similarity(*pair)


def test_the_notebook_runs_from_top_to_bottom(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    names = {"__name__": "__main__"}
    for cell in json.loads((ROOT / "docs" / "compare.ipynb").read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), names)
    told = capsys.readouterr().out
    assert "a darker copy: " in told and "the same place: " in told and names["scores"][0] > names["scores"][-1]


@pytest.mark.slow
def test_the_scripts_print_the_same_to_the_last_digit(files, script):
    a, b = str(files / "a.jpg"), str(files / "query.jpg")

    def ask(*args):
        return json.loads(script("predict.py", *args, "--nofigure", "--json", cwd=files).splitlines()[-1])

    assert ask("--model=photos", a, b)["similarity"] == compare.load("photos").similarity(a, b)
    assert ask("--quality", a)["results"][0]["score"] == compare.load("quality").quality([a])[0]
    assert ask("--task=patches", a, b)["homography"] == compare.load("patches").match(a, b).matrix.tolist()


@pytest.mark.slow
def test_an_installed_copy_holds_all_that_it_needs(files, tmp_path):
    """pip builds a package from pyproject.toml; it answers without this folder."""
    source = tmp_path / "source"
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    for name in kept:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", tmp_path / "site", source],
                   check=True)
    code = ("import compare; print(compare.__file__, compare.load('photos').similarity('a.jpg', 'b.jpg'), "
            "compare.load('quality').path)")
    done = subprocess.run([sys.executable, "-c", code], cwd=files, capture_output=True, text=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})
    assert done.returncode == 0, done.stderr
    place, number, path = done.stdout.split()
    assert {place.startswith(str(tmp_path)), path.startswith(str(tmp_path))} == {True}
    assert float(number) == compare.load("photos").similarity(files / "a.jpg", files / "b.jpg")
