"""Exported models: each file computes what Keras does, says what it takes, and is kept whole or not at all."""

import json
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from apps.exporting import checking, formats, latency, parts, writing
from nets import frozen, inference, linear, towers
from nets.heads import HEADS, make_head
from nets.models import descriptor, siamese, superres
from tasks.models import load_model
from utils.data import files
from utils.data.images import read_image

from helpers import picture, scenery, small_ranker, small_siamese

OFTEN = {"plain", "concat", "attention_before", "cross_attention"}  # heads that CI exports; the others are built alike
USED = """
import runpy, sys
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0])
assert not {"keras", "tensorflow"} & set(sys.modules)
"""


def needs(name):
    """Skips a test where packages of a format are not installed."""
    for module in formats.FORMATS[name].packages:
        pytest.importorskip(module)


def saved(model, folder):
    """A run's folder with a model, thresholds and what it learnt from."""
    folder.mkdir()
    model.save(folder / "best.keras")
    (folder / "thresholds.json").write_text('{"best_accuracy": 0.4, "eer": 0.5, "fpr1": 0.7}')
    (folder / "about.json").write_text('{"licence_of_data": "CC0"}')
    return str(folder)


def tiny(head="distance"):
    """A similarity model that is built in no time."""
    layers = [keras.Input((32, 32, 1), name="image"), keras.layers.AveragePooling2D(8),
              keras.layers.Conv2D(3, 1, name="maps"),
              keras.layers.Flatten()]
    if not HEADS[head].locations:
        layers += [keras.layers.Dense(4), keras.layers.UnitNormalization(name="unit_length")]
    tower = keras.Sequential(layers, name="tower")
    return siamese.siamese(tower, make_head(head, tower))


def asked(model, name="savedmodel", **flags):
    """What the flags of export.py hold."""
    given = {"model": model, "format": name, "what": None, "out": "", "force": False, "pictures": "", "json": False}
    return SimpleNamespace(**given | flags)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a small similarity model."""
    keras.utils.set_random_seed(1)
    return saved(tiny(), tmp_path_factory.mktemp("runs") / "run")


def test_savedmodel_gives_the_embeddings_and_similarities_of_predict(run, tmp_path, rng, capsys):
    writing.export(asked(run, out=str(tmp_path / "new" / "out"), json=True))
    out, told = tmp_path / "new" / "out", capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == ["example.py", "pair", "pair.json", "tower", "tower.json"]
    images = rng.integers(0, 256, (2, 3, 32, 32, 1)).astype("float32")
    compare = siamese.comparer(load_model(run + "/best.keras", siamese.KIND))
    left, right = map(compare.embed, images)
    tower, pair = (formats.opened("savedmodel", str(out / name)) for name in ("tower", "pair"))
    assert tower({"image": images[0]}) == pytest.approx(left, abs=1e-6)
    assert pair({"left": images[0], "right": images[1]}) == pytest.approx(compare.score(left, right), abs=1e-6)
    card = json.loads((out / "tower.json").read_text())
    formula = card["output"]["similarity"]
    distance = np.linalg.norm(left - right, axis=1)
    assert (1 / (1 + np.exp(-formula["scale"] * (formula["boundary"] - distance)))
            == pytest.approx(compare.score(left, right), abs=1e-5))
    assert card["inputs"] == [{"name": "image", "shape": ["batch", 32, 32, 1], "type": "float32", "range": [0, 255],
                               "colour": "grey (Pillow's mode L: 0.299 red + 0.587 green + 0.114 blue)"}]
    assert (card["same_from"], card["thresholds"]["eer"], card["licence_of_data"]) == (0.4, 0.5, "CC0")
    assert "differs from Keras by at most" in told and len(json.loads(told.splitlines()[-1])["files"]) == 2


def test_quality_on_own_photos(tmp_path):
    path = saved(small_ranker(), tmp_path / "run")
    photo = tmp_path / "photos" / "a.png"
    photo.parent.mkdir()
    Image.fromarray(scenery()).save(photo)
    writing.export(asked(path, pictures=str(photo.parent)))
    card = json.loads((tmp_path / "run" / "export_savedmodel" / "quality.json").read_text())
    assert card["checked"]["largest_difference"] <= checking.LIMIT and card["checked"]["pictures"] == "of a folder"
    assert (card["output"]["higher_is_better"], card["output"]["low"], card["output"]["high"]) == (False, 10, 90)
    assert card["inputs"][0]["shape"] == ["batch", "height", "width", 3]
    with pytest.raises(ValueError, match="--what=pair: this is a rankiqa model, whose parts are quality"):
        writing.export(asked(path, what="pair"))


def test_a_file_that_differs_is_not_kept_and_one_that_is_there_is_not_lost(run, tmp_path, monkeypatch):
    want = asked(run, what="tower", out=str(tmp_path))
    writing.export(want)
    before = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    with pytest.raises(ValueError, match=r"tower exists: pass --force to replace it, or another --out"):
        writing.export(want)
    monkeypatch.setattr(checking, "LIMIT", -1.0)
    with pytest.raises(ValueError, match="tower: differs from Keras by .*, so it is not kept"):
        writing.export(asked(run, what="tower", out=str(tmp_path), force=True))
    after = {path.relative_to(tmp_path): path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert after == before
    monkeypatch.undo()
    writing.export(asked(run, what="tower", out=str(tmp_path), force=True))
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*")} == set(before)
    (tmp_path / "example.py").write_text("own work")
    with pytest.raises(ValueError, match="example.py exists"):
        writing.export(asked(run, what="pair", out=str(tmp_path)))


def test_an_export_that_was_killed_while_it_moved_its_files_goes_on_without_force(run, tmp_path, capsys):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "pair.json").write_text("half of an export")
    with pytest.raises(ValueError, match="pair.json exists: pass --force"):
        writing.export(asked(run, out=str(tmp_path)))
    aside = tmp_path / f".new-{files.writer().split('-')[0]}-{ended.pid}-abc"
    aside.mkdir()
    (aside / "tower.json").write_text("the other half")
    writing.export(asked(run, out=str(tmp_path)))
    assert {path.name for path in tmp_path.iterdir()} == {"example.py", "pair", "pair.json", "tower", "tower.json"}
    assert "pair.json picture.png other.png" in capsys.readouterr().out  # which prints a similarity
    with pytest.raises(ValueError, match="exists: pass --force"):
        writing.export(asked(run, out=str(tmp_path)))


def test_the_line_to_try_a_part_for_one_picture_names_one(run, tmp_path, capsys):
    writing.export(asked(run, what="tower", out=str(tmp_path)))
    assert capsys.readouterr().out.strip().endswith("tower.json picture.png")


def test_the_benchmark_leaves_out_what_is_not_installed(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(formats, "missing", lambda name: list(formats.FORMATS[name].packages.values()))
    works = latency.works(tiny(), str(tmp_path / "files"), times=1)
    assert list(works) == ["Keras", "savedmodel (tensorflow)"] and not any(work() for work in works.values())
    assert "left out litert: pip install ai-edge-litert" in capsys.readouterr().out


@pytest.mark.slow
def test_the_script_exports_a_ready_model(script, tmp_path):
    out = script("export.py", "--model=quality", "--format=savedmodel", "--out=files", "--json")
    assert json.loads(out.splitlines()[-1])["folder"] == "files"
    assert (tmp_path / "files" / "quality.json").is_file()


def test_not_a_number_is_too_large_a_difference():
    with pytest.raises(ValueError, match="differs from Keras by nan"):
        checking.check(float("nan"), "pair.onnx")
    checking.check(0.9e-4, "pair.onnx")


@pytest.mark.parametrize("name, absent, said", [
    ("onnx", {"tf2onnx", "onnxruntime"},
     "--format=onnx needs tf2onnx, onnxruntime, not installed: pip install tf2onnx onnxruntime"),
    ("litert", {"ai_edge_litert"}, "--format=litert needs ai-edge-litert, not installed: pip install ai-edge-litert"),
])
def test_what_is_not_installed_is_named_with_its_command(name, absent, said, monkeypatch):
    monkeypatch.setattr(formats, "find_spec", lambda module: None if module in absent else module)
    with pytest.raises(ValueError) as error:
        formats.check(name)
    assert str(error.value) == said
    formats.check("savedmodel")


def test_what_cannot_be_exported_is_said_in_a_line(run, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"--out=.*file: cannot be written to \(File exists\)"):
        writing.export(asked(run, out=str(tmp_path / "file")))
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)], name="other")
    with pytest.raises(ValueError, match="a other model, expected a model of this project"):
        writing.export(asked(saved(other, tmp_path / "strange")))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="--pictures=.*: there is no picture in it"):
        writing.export(asked(run, out=str(tmp_path / "out"), pictures=str(tmp_path / "empty")))
    (tmp_path / "empty" / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(ValueError, match="--pictures=.*: none of its pictures can be read: .*cut.png"):
        writing.export(asked(run, out=str(tmp_path / "out"), pictures=str(tmp_path / "empty")))
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="Keras runs on jax, .* pass --backend=tensorflow"):
        writing.export(asked(run))


def test_a_converter_that_fails_and_a_file_that_cannot_run_are_said_in_a_line(run, tmp_path, monkeypatch):
    def fails(*args, **options):
        raise RuntimeError("no such\noperation")

    with monkeypatch.context() as patch:
        patch.setattr(keras.Model, "export", fails)
        with pytest.raises(ValueError, match=r"--format=savedmodel: this model cannot be written \(no such "
                                             r"operation\); pass another --format"):
            writing.export(asked(run, out=str(tmp_path)))
    monkeypatch.setitem(formats.FORMATS, "savedmodel", formats.FORMATS["savedmodel"]._replace(opened=fails))
    with pytest.raises(ValueError, match=r"the file was written, but tensorflow cannot run it \(no such operation\)"):
        writing.export(asked(run, out=str(tmp_path)))
    assert not list(tmp_path.iterdir())


def test_a_model_of_mixed_precision_is_exported_in_float32(rng):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = tiny()
    finally:
        keras.config.set_dtype_policy(before)
    plain = inference.in_float32(model)
    assert (inference.precision_of(model), inference.precision_of(plain)) == ("mixed_bfloat16", "float32")
    assert inference.in_float32(plain) is plain
    images = rng.integers(0, 256, (2, 4, 32, 32, 1)).astype("float32")
    assert plain.predict([*images], verbose=0) == pytest.approx(model.predict([*images], verbose=0), abs=0.05)


@pytest.mark.parametrize("head", [head if head in OFTEN else pytest.param(head, marks=pytest.mark.rare)
                                  for head in HEADS])
def test_onnx_of_every_head(head, tmp_path):
    needs("onnx")
    check_part(parts.part(tiny(head), "pair"), "onnx", tmp_path)


def test_onnx_of_a_model_whose_backbone_was_frozen(tmp_path, rng):
    """Its `Normalization` holds numbers that are no weights."""
    needs("onnx")
    model = frozen.freeze(tiny(), 3)
    frozen.standardize(model, rng.normal(size=(20, 4)))
    check_part(parts.parts_of(model)["tower"], "onnx", tmp_path)


def test_onnx_of_a_simple_method_beside_the_network(tmp_path, rng):
    """Fisherfaces beside a network that sees the pictures at a smaller size, as train.py may keep them."""
    needs("onnx")
    fisherfaces = linear.Linear(np.zeros(48 * 48), np.ones(48 * 48), rng.normal(size=(48 * 48, 5)))
    simple = linear.projected((linear.grey_pixels((64, 56, 1)), fisherfaces))
    check_part(parts.parts_of(linear.joined(tiny(), simple))["tower"], "onnx", tmp_path)


@pytest.mark.parametrize("name, kind", [
    ("onnx", "tower"), ("onnx", "quality"), ("onnx", "descriptor"), ("onnx", "larger"), ("litert", "quality"),
    pytest.param("litert", "tower", marks=pytest.mark.rare),
    pytest.param("litert", "descriptor", marks=pytest.mark.rare),
])
def test_every_part_in_other_formats(name, kind, tmp_path):
    needs(name)
    model = {"tower": small_siamese, "quality": small_ranker,
             "larger": lambda: superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=8), 3),
             "descriptor": lambda: descriptor.descriptor(towers.make_patch_tower("patches"))}[kind]()
    check_part(parts.part(model, kind), name, tmp_path)


def check_part(part, name, folder):
    """Writes a part and compares it with Keras, in batches of two sizes."""
    path = str(folder / f"part{formats.FORMATS[name].ending}")
    formats.write(part, name, path)
    tried = checking.batches(part, side=64)
    assert [len(next(iter(inputs.values()))) for inputs in tried] == [1, checking.COUNT]
    assert checking.difference(part, formats.opened(name, path), tried) <= checking.LIMIT


def test_the_example_needs_no_keras_and_answers_as_predict_does(run, tmp_path):
    """Pictures of several modes and sizes, one of them turned by its EXIF."""
    needs("onnx")
    files = [tmp_path / name for name in ("a.png", "b.jpg", "c.png", "d.png", "e.png", "f.tif")]
    for seed, file in enumerate(files):
        picture(file, colour=(200 - 20 * seed, 30 * seed, 90), size=(40 + seed, 33), seed=seed)
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.open(files[1]).save(files[1], exif=turned)
    clear = Image.open(files[2]).convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(files[2])
    Image.open(files[3]).convert("P").save(files[3])
    Image.open(files[4]).convert("L").save(files[4])
    Image.open(files[5]).convert("CMYK").save(files[5])
    out = tmp_path / "out"
    writing.export(asked(run, "onnx", what="pair", out=str(out)))
    done = subprocess.run([sys.executable, "-c", USED, out / "example.py", out / "pair.json", *files],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = [float(line.split()[-1]) for line in done.stdout.splitlines()]
    compare = siamese.comparer(load_model(run + "/best.keras", siamese.KIND))
    features = compare.embed(np.stack([read_image(file, (32, 32, 1)) for file in files]))
    assert told == pytest.approx(compare.score(features[::2], features[1::2]), abs=1e-4)
