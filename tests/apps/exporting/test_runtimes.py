"""What runs a model: ONNX Runtime gives the answers of Keras, without Keras; and when it does not."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from apps.exporting import writing
from nets import quick, uses
from tasks import ROOMS, choosing
from tasks.choosing import open_model, ready_model, set_runtime
from utils import gallery
from utils.data.images import read_image

from helpers import ROOT, picture, scenery, small_siamese

onnxruntime = pytest.importorskip("onnxruntime")
READY = [(name, room) for room, row in ROOMS.items() if row.quick for name in row.ready]


@pytest.fixture(autouse=True)
def own_runtime():
    """No test leaves another runtime behind."""
    yield
    set_runtime("auto")


@pytest.fixture
def by():
    """A function that opens a model by a runtime."""
    def opened(runtime, path, room):
        set_runtime(runtime)
        return open_model(path, room)

    return opened


def pictures_of(rng):
    """Photos, a drawing, a grey one, a tall one, a wide one, tiny ones, one colour."""
    drawing = np.where(np.tri(60, 50, dtype=bool), 0, 255).astype("uint8")
    noise = [rng.integers(0, 256, shape, dtype="uint8") for shape in ((40, 60, 3), (300, 7, 3), (3, 200, 3), (1, 1, 3))]
    photos = [scenery(120, 90), Image.new("RGB", (50, 50), (200, 30, 30)), Image.new("L", (30, 30), 0)]
    return [*(Image.fromarray(each) for each in (drawing, *noise)),
            *(each if isinstance(each, Image.Image) else Image.fromarray(each) for each in photos)]


@pytest.mark.parametrize("name, room", [(name, room) for name, room in READY if ROOMS[room].kind == "siamese"])
def test_similarities_are_those_of_keras(name, room, by, rng):
    fast, keras = (by(runtime, ready_model(name), room) for runtime in ("onnx", "keras"))
    assert (fast.runtime, keras.runtime, fast.shape) == ("ONNX Runtime", "Keras", tuple(keras.shape))
    images = np.stack([read_image(each, fast.shape) for each in pictures_of(rng)])
    a, b = (opened.use.embed(images) for opened in (fast, keras))
    assert a.dtype == b.dtype == np.float32
    np.testing.assert_allclose(a, b, atol=1e-5)
    np.testing.assert_allclose(fast.use.embed(images[:1]), a[:1], atol=1e-5)  # whatever stands beside it
    scores = [opened.use.score(features[:, None], features[None]) for opened, features in ((fast, a), (keras, b))]
    np.testing.assert_allclose(*scores, atol=1e-5)
    assert scores[0].shape == (len(images),) * 2 and scores[0].min() < 0.5 < scores[0].max()
    for similarity in (0.01, 0.5, 0.999):
        assert fast.use.distance_of(similarity) == pytest.approx(keras.use.distance_of(similarity), abs=1e-6)
    same = [getattr(opened.use, field) for opened in (fast, keras) for field in ("by_distance", "keeps_locations")]
    assert same[:2] == same[2:] and fast.use.attention is keras.use.attention is None


def test_similarities_far_apart_are_still_ordered():
    """A sigmoid of large numbers neither overflows nor warns."""
    use = {"boundary": 0.5, "scale": 500.0, "keeps_locations": False}
    compare = quick.comparer(lambda images: images, (1, 1, 1), use)
    with np.errstate(all="raise", under="ignore"):
        scores = compare.score(np.array([[0.0], [0.5], [9.0]]), np.zeros((1, 1)))
    assert scores.tolist() == [1, 0.5, 0]


def test_scores_of_quality_are_those_of_keras(by, rng):
    fast, keras = (by(runtime, ready_model("quality"), "quality").use for runtime in ("onnx", "keras"))
    assert fast._replace(score=None) == keras._replace(score=None)
    for shape in ((3, 128, 96, 3), (1, 257, 130, 3), (40, 64, 64, 3)):
        photos = rng.integers(0, 256, shape, dtype="uint8")
        reach = keras.high - keras.low
        np.testing.assert_allclose(fast.score(photos), keras.score(photos), atol=1e-5 * reach)


def test_descriptors_are_those_of_keras(by, rng):
    fast, keras = (by(runtime, ready_model("patches"), "patches") for runtime in ("onnx", "keras"))
    patches = rng.uniform(0, 255, (300, *fast.shape)).astype("float32")
    np.testing.assert_allclose(fast.use(patches), keras.use(patches), atol=1e-5)
    np.testing.assert_allclose(fast.use(patches[:5, ..., 0]), keras.use(patches[:5, ..., 0]), atol=1e-5)
    assert fast.use(patches[:0]).shape == keras.use(patches[:0]).shape
    messages = []
    for opened in (fast, keras):
        with pytest.raises(ValueError, match="expected 32 x 32 x 1") as error:
            opened.use(patches[:, :-1])
        messages.append(str(error.value))
    assert messages[0] == messages[1]


def test_few_photos_pass_at_once_where_they_are_large():
    assert uses.batch_of_photos(np.empty((9, 64, 64, 3)), 64) == 32
    assert uses.batch_of_photos(np.empty((9, 256, 256, 3)), 64) == 2
    assert uses.batch_of_photos(np.empty((9, 2000, 2000, 3)), 64) == 1


@pytest.fixture
def exported(tmp_path):
    """A small model of similarity and its export, made by export.py's function: its .keras file."""
    folder = tmp_path / "run"
    folder.mkdir()
    model = small_siamese()
    model.save(folder / "best.keras")
    export(folder)
    return str(folder / "best.keras")


def export(folder):
    writing.export(SimpleNamespace(model=str(folder), what="tower", out="", format="onnx", force=True, json=False,
                                   pictures=""))


def test_a_run_that_was_exported_answers_by_onnx_runtime_until_its_model_is_another_one(exported, by):
    assert by("auto", exported, "similarity").runtime == "ONNX Runtime"
    small_siamese().save(exported)
    folder = os.path.dirname(exported)
    opened = by("auto", exported, "similarity")
    again = f"python export.py --model={folder} --force"
    assert opened.runtime == f"Keras (its export is of another model: {again} renews it)"
    with pytest.raises(ValueError, match="--runtime=onnx: its export is of another model"):
        by("onnx", exported, "similarity")
    export(folder)
    assert by("auto", exported, "similarity").runtime == "ONNX Runtime"


def test_why_keras_answers_is_said(exported, by, monkeypatch, tmp_path):
    assert by("keras", exported, "similarity").runtime == "Keras"
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    assert by("auto", exported, "similarity").runtime == "Keras (ONNX Runtime answers sooner: pip install onnxruntime)"
    monkeypatch.undo()

    def broken(name):
        if name == "onnxruntime":
            raise ImportError("DLL load failed while importing a part:\nnot found")
        return import_module(name)

    monkeypatch.setattr(choosing, "import_module", broken)
    assert by("auto", exported, "similarity").runtime == (
        "Keras (ONNX Runtime is installed and does not start (DLL load failed while importing a part: not found): "
        "pip install --force-reinstall onnxruntime)")
    monkeypatch.undo()
    shutil.rmtree(tmp_path / "run" / "export_onnx")
    export_it = f"python export.py --model={tmp_path / 'run'}"
    assert by("auto", exported, "similarity").runtime == f"Keras ({export_it} makes it answer sooner)"


def test_a_head_that_is_no_part_of_the_export_is_run_by_keras(tmp_path, by):
    folder = tmp_path / "run"
    folder.mkdir()
    small_siamese("plain").save(folder / "best.keras")
    export(folder)
    opened = by("auto", str(folder / "best.keras"), "similarity")
    assert opened.runtime == "Keras (what compares two pictures in it is no part of its export)"


@pytest.mark.parametrize("name, contents", [("tower.onnx", b"no network"), ("tower.json", b"{"),
                                            ("tower.json", b'{"made_of": 3, "use": {}}')])
def test_a_damaged_export_is_named(exported, by, name, contents):
    file = os.path.join(os.path.dirname(exported), "export_onnx", name)
    if contents.startswith(b'{"made'):
        contents = json.dumps({"made_of": choosing.digest(exported), "use": {}}).encode()
    with open(file, "wb") as opened:
        opened.write(contents)
    with pytest.raises(ValueError, match=r"export_onnx.tower.(onnx|json): cannot be read .*expected"):
        by("auto", exported, "similarity")


def test_a_gallery_is_embedded_once_for_both(exported, by, tmp_path, rng):
    for number in range(3):
        picture(tmp_path / "pictures" / f"{number}.png", seed=number)
    found = []
    for runtime in ("onnx", "keras"):
        opened = by(runtime, exported, "similarity")
        found.append(gallery.open_gallery(str(tmp_path / "pictures"), exported, opened.use, opened.shape))
    assert [each.embedded for each in found] == [3, 0]
    np.testing.assert_array_equal(found[0].features, found[1].features)


def test_a_room_that_keras_alone_runs_refuses_the_flag(script):
    said = script("predict.py", "--task=superres", "--runtime=onnx", "photo.png", expect=2)
    assert said.strip() == ("error: --runtime=onnx: Keras alone runs the models of superres: leave --runtime out")


@pytest.mark.parametrize("flags", [
    ("--model=quality", "--dataset_path=photos", "--distortions=gaussian_blur", "--photos=2"),
    pytest.param(("--model=characters", "--dataset_path=classes", "--train_own_data"), marks=pytest.mark.rare)])
def test_a_model_is_measured_by_onnx_runtime_as_by_keras(flags, script, tmp_path):
    """And Keras is not imported."""
    for number in range(3):
        picture(tmp_path / "photos" / f"{number}.png", seed=number, size=(300, 240))
        for drawing in range(3):
            picture(tmp_path / "classes" / f"class{number}" / f"{drawing}.png", (90 * number,) * 3, seed=drawing)
    said = [script("evaluate.py", *flags, f"--runtime={runtime}", "--json", f"--out={tmp_path / runtime}", cwd=tmp_path)
            for runtime in ("onnx", "keras")]
    assert "by ONNX Runtime" in said[0] and "by Keras" in said[1]
    figures = [json.loads(each.splitlines()[-1]) for each in said]
    np.testing.assert_allclose(*(numbers_in(each) for each in figures), atol=0.005)


def numbers_in(found):
    """The numbers in a tree of dicts and lists."""
    return [leaf for leaf in keras.tree.flatten(found) if isinstance(leaf, int | float)]


SLOW = {"keras", "tensorflow", "jax", "torch", "sklearn", "matplotlib", "h5py", "pandas"}
LOADED = f"""
import runpy, sys
try:
    runpy.run_path({str(ROOT / 'predict.py')!r}, run_name="__main__")
except SystemExit as stopped:
    assert not stopped.code, stopped.code
print("loaded:", *sorted({SLOW!r} & {{name.split(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize("question", [("a.png", "b.png"), ("--gallery=.", "a.png"), ("--duplicates=.", "--nofigure"),
                                      ("--pairs=pairs.csv", "--csv=out.csv"), ("--matrix=.", "--csv=all.npy"),
                                      ("--between=one,two",), ("--quality", "a.png", "b.png")])
def test_an_answer_loads_nothing_slow(question, tmp_path, rng):
    for name in ("a.png", "b.png", "one/a.png", "two/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(scenery(160, 120, seed=name.count("b"))).save(tmp_path / name)
    (tmp_path / "pairs.csv").write_text("a.png,b.png\n")
    flags = ["--model=photos"] if question[0] != "--quality" else []
    done = subprocess.run([sys.executable, "-c", LOADED, *question, *flags], cwd=tmp_path, capture_output=True,
                          text=True, env=os.environ | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"})
    assert done.returncode == 0, done.stderr
    assert "by ONNX Runtime" in done.stdout
    assert done.stdout.splitlines()[-1] == "loaded:", done.stdout
