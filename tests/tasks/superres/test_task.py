"""The task superres: trained, measured, continued; used by predict.py, evaluate.py, compare and the page."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import compare
from apps.page import models
from nets import towers
from nets.models import superres
from tasks import choosing
from tasks.superres import answer, evaluation, figures, flags, task
from tasks.superres.apps import tabs
from tasks.superres.data.resizing import larger
from tasks.superres.pictures.writing import ENDINGS
from utils.run import folder as runs

from helpers import scenery, weights_of

TINY = ("--blocks=1", "--width=4", "--input_shape=12,12,3", "--batch_size=4")


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(6):
        Image.fromarray(scenery(64, 80, seed=number)).save(root / f"{number}.png")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory, photos):
    """The folder of a run whose network is bicubic interpolation."""
    folder = tmp_path_factory.mktemp("run")
    superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=4), 2).save(folder / "best.keras")
    runs.write_json(str(folder), runs.ABOUT, {
        "task": "superres", "shows": "photographs", "ranges": {}, "classes": 4, "images": 4, "scale": 2,
        "input": [12, 12, 3],
        "measured_on": {"photos": 1}, "roc_auc": None, "psnr": 30.0, "bicubic_psnr": 29.0})
    return folder


def asked(run, out, **given):
    """The flags of predict.py: their defaults, but for those given."""
    return SimpleNamespace(**{"model": str(run), "out": str(out), "write": "png", "overwrite": False, "ensemble": False,
                              "figure": False,
                              "json": False, "csv": ""} | given)


@pytest.fixture(autouse=True)
def no_doubt(monkeypatch):
    """The statistics of pictures are not tested here."""
    monkeypatch.setattr(answer.about, "warning", lambda known, thumbnails: "")
    monkeypatch.setattr(answer.about, "read", lambda path: runs.read_json(str(path).rpartition("/")[0], runs.ABOUT))


def test_photos_of_all_kinds_are_enlarged_or_named(run, photo, tmp_path, capsys):
    source, small = tmp_path / "in", Image.fromarray(photo[:20, :26])
    (source / "sub").mkdir(parents=True)
    small.save(source / "a.png")
    small.save(source / "a.jpg", quality=95)
    small.convert("L").save(source / "grey.png")
    small.convert("CMYK").save(source / "sub" / "cmyk.jpg")
    small.crop((0, 0, 1, 1)).save(source / "tiny.png")
    (source / "broken.png").write_bytes(b"none")
    clear = small.convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    clear.save(source / "clear.png")
    Image.fromarray(photo[:9, :9, 0].astype("uint16") * 256 + 1).save(source / "deep.png")
    answer.answer(asked(run, tmp_path / "out", json=True, csv=str(tmp_path / "a.csv")), [str(source)])
    said = capsys.readouterr().out
    found = {path.relative_to(tmp_path / "out").as_posix(): Image.open(path)
             for path in (tmp_path / "out").rglob("*.*")}
    assert {name: (image.mode, image.size) for name, image in found.items()} == {
        "a_png_x2.png": ("RGB", (52, 40)), "a_jpg_x2.png": ("RGB", (52, 40)), "grey_x2.png": ("L", (52, 40)),
        "sub/cmyk_x2.png": ("RGB", (52, 40)), "tiny_x2.png": ("RGB", (2, 2)), "clear_x2.png": ("RGBA", (52, 40)),
        "deep_x2.png": ("I;16", (18, 18))}
    assert np.array_equal(np.asarray(found["a_png_x2.png"]), larger(photo[:20, :26], 2))
    assert "CMYK" in said and "broken.png: not an image" in said and "left out 1 photo" in said
    told = json.loads(said.splitlines()[-1])
    assert told["scale"] == 2 and len(told["results"]) == 7 and len(list(csv.DictReader(open(tmp_path / "a.csv")))) == 7


def test_flags_and_tables_name_the_same_formats():
    assert list(flags.FORMATS) == list(ENDINGS)


def test_nothing_is_overwritten_unless_asked_for(run, photos, tmp_path):
    file = str(photos / "0.png")
    answer.answer(asked(run, tmp_path), [file])
    (tmp_path / "0_x2.png").write_bytes(b"mine")
    with pytest.raises(ValueError, match="0_x2.png exists: pass --overwrite"):
        answer.answer(asked(run, tmp_path), [file, str(photos / "1.png")])
    assert (tmp_path / "0_x2.png").read_bytes() == b"mine" and not (tmp_path / "1_x2.png").exists()
    answer.answer(asked(run, tmp_path, overwrite=True), [file])
    assert Image.open(tmp_path / "0_x2.png").size == (160, 128)


def test_a_photo_is_never_its_own_larger_photo_and_two_never_share_one(run, photos, tmp_path):
    (tmp_path / "a_x2.png").write_bytes((photos / "0.png").read_bytes())
    Image.open(photos / "0.png").save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="a_x2.png is one of the photos, and would be replaced by the larger .*a.png:"):
        answer.answer(asked(run, tmp_path, overwrite=True), [str(tmp_path / "a.png"), str(tmp_path / "a_x2.png")])
    (tmp_path / "b").mkdir()
    Image.open(photos / "0.png").save(tmp_path / "b" / "a.png")
    with pytest.raises(ValueError, match="two of the photos would be written to"):
        answer.answer(asked(run, tmp_path / "out"), [str(tmp_path / "a.png"), str(tmp_path / "b" / "a.png")])


@pytest.mark.parametrize("inside", ["", "large"])
def test_results_of_a_run_before_are_no_photos_of_the_next_one(inside, run, tmp_path, capsys):
    source, out = tmp_path / "in", tmp_path / "in" / inside
    (source / "sub").mkdir(parents=True)
    for name in ("a.png", "a.jpg", "sub/b.png", "lone_x2.png"):
        Image.fromarray(scenery(20, 24)).save(source / name)
    answer.answer(asked(run, out), [str(source)])
    once = sorted(source.rglob("*"))
    assert {out / name for name in ("a_png_x2.png", "a_jpg_x2.png", "sub/b_x2.png", "lone_x2_x2.png")} <= set(once)
    with pytest.raises(ValueError, match="_x2.png exists, and 3 more are there: pass --overwrite"):
        answer.answer(asked(run, out), [str(source)])
    said = f"left out 4 photos below --out={out}, made of others, such as {out / 'a_jpg_x2.png'}: "
    assert said in capsys.readouterr().out
    answer.answer(asked(run, out, overwrite=True), [str(source)])
    answer.answer(asked(run, out, write="webp"), [str(source)])
    assert sorted(path for path in source.rglob("*") if path.suffix != ".webp") == once


def test_a_refusal_leaves_no_folder_behind(run, photos, tmp_path):
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "out").mkdir()
    for file in ("in/a.png", "in/sub/b.png", "out/a_x2.png"):
        (tmp_path / file).write_bytes((photos / "0.png").read_bytes())
    with pytest.raises(ValueError, match="a_x2.png exists: pass --overwrite"):
        answer.answer(asked(run, tmp_path / "out"), [str(tmp_path / "in")])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a_x2.png"]


def test_one_broken_photo_and_none_at_all_are_refused_in_one_line(run, tmp_path):
    (tmp_path / "a.png").write_bytes(b"none")
    (tmp_path / "empty").mkdir()
    for files, text in (([str(tmp_path / "a.png")], "not an image"), ([], "received no photo; expected photos"),
                        ([str(tmp_path / "empty")], "empty: no picture there; .*predict.py --task=superres photo.jpg"),
                        ([str(tmp_path / "b.png")], "no such file")):
        options = asked(run, tmp_path / "out")
        options.model = "nowhere"  # no model is looked for before that
        with pytest.raises(ValueError, match=text) as error:
            answer.answer(options, files)
        assert "\n" not in str(error.value)


def test_the_library_gives_what_predict_writes_and_doubts_the_same(run, photos, tmp_path):
    model = compare.load(str(run))
    assert isinstance(model, compare.Larger) and model.scale == 2
    answer.answer(asked(run, tmp_path), [str(photos / "3.png")])
    made = model.enlarge(photos / "3.png")
    assert np.array_equal(np.asarray(made), np.asarray(Image.open(tmp_path / "3_x2.png")))
    again = model.enlarge(np.asarray(Image.open(photos / "3.png")), ensemble=True)
    assert np.array_equal(np.asarray(again), np.asarray(made))  # bicubic interpolation is the same in each position
    Image.open(photos / "3.png").save(tmp_path / "hard.jpg", quality=20)
    assert "a JPEG of quality 20" in model.warning(tmp_path / "hard.jpg") and model.warning(photos / "3.png") == ""
    assert choosing.room_of_model(str(run / "best.keras")) == "superres"


def test_without_a_run_and_a_ready_model_the_command_that_trains_one_is_told(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(choosing.ROOMS, "superres", choosing.ROOMS["superres"]._replace(ready={}))
    with pytest.raises(ValueError, match="no run that answers, .*python train.py --task=superres"):
        choosing.find_model("", "superres")


def measuring(**given):
    """The flags of evaluate.py: their defaults, but for those given."""
    return SimpleNamespace(**{"model": "", "scale": None, "dataset_path": "", "lr_path": "", "out": "",
                              "quality_too": False, "ensemble": False,
                              "skip_broken": True, "json": True} | given)


def test_a_folder_is_measured_beside_bicubic_interpolation_and_lanczos(run, photos, tmp_path, capsys):
    flags = measuring(dataset_path=str(photos), out=str(tmp_path))
    found = evaluation.evaluate(flags, str(run / "best.keras"))
    assert found["psnr"] == found["bicubic_psnr"] != found["lanczos_psnr"] and found["ssim"] == found["bicubic_ssim"]
    assert found["photos"] == len(found["each"]) == 6 and "mean" in capsys.readouterr().out
    assert (tmp_path / "superres.png").is_file()
    alone = evaluation.evaluate(measuring(dataset_path=str(photos), out=str(tmp_path), scale=2), "")
    assert "psnr" not in alone and alone["bicubic_psnr"] == found["bicubic_psnr"]
    assert json.loads(runs.as_json(found))["each"][0]["psnr"] == pytest.approx(found["each"][0]["psnr"])
    with pytest.raises(ValueError, match="leave it out to measure --model=x"):
        evaluation.evaluate(measuring(scale=2, model="x"), "")


def test_pairs_of_folders_are_measured_and_what_training_saw_is_left_out(run, photos, tmp_path):
    for number in range(6):
        Image.new("RGB", (40, 32), (number, 0, 0)).save(tmp_path / f"{number}x2.png")
    path = str(run / "best.keras")
    found = evaluation.evaluate(measuring(dataset_path=str(photos), lr_path=str(tmp_path), out=str(tmp_path)), path)
    assert found["bicubic_psnr"] < 25  # the small photos are black
    runs.write_json(str(run), runs.SPLIT, {"root": str(photos), "train": ["0.png"], "validation": ["1.png"],
                                           "test": ["5.png"]})
    held = evaluation.evaluate(measuring(out=str(tmp_path)), path)
    other = evaluation.evaluate(measuring(dataset_path=str(photos), out=str(tmp_path)), path)
    (run / runs.SPLIT).unlink()
    assert held["photos"] == 1 and other["photos"] == 4 and (tmp_path / runs.EVALUATION).is_file()


def test_the_tab_shows_both_photos_and_of_a_large_one_the_middle(run, photos, tmp_path, monkeypatch):
    kept = models.Models(compare.load)
    monkeypatch.setattr(choosing, "find_model", lambda *asked: str(run / "best.keras"))
    given = SimpleNamespace(model="", picture=lambda name: str(photos / "0.png"))
    found = tabs.larger(kept, given)
    assert (found["width"], found["height"], found["cut"]) == (160, 128, False) and found["before"] == found["after"]
    monkeypatch.setattr(tabs, "MOST", 1280)
    found = tabs.larger(kept, given)
    assert (found["width"], found["height"], found["cut"]) == (80, 64, True)


def test_the_page_shows_a_slider_and_a_file_to_keep(run, photos, monkeypatch):
    pytest.importorskip("flask")
    from apps.page import site

    monkeypatch.setattr(choosing, "find_model", lambda *asked: str(run / "best.keras"))
    client = site.make_site(models.Models(compare.load), str(photos), "zh").test_client()
    with open(photos / "0.png", "rb") as file:
        shown = client.post("/larger", data={"photo": (file, "0.png")}).get_data(as_text=True)
    assert "放大到 2 倍：160 x 128 像素" in shown and 'type="range"' in shown and 'download="larger_x2.png"' in shown
    assert shown.count("data:image/png;base64,") == 3 and "双三次插值" in shown


def test_the_busiest_part_is_where_neighbours_differ_most(rng):
    photo = np.full((300, 400, 3), 90, "uint8")
    photo[160:256, 288:384] = rng.integers(0, 256, (96, 96, 3))
    rows, columns = figures.busiest(photo)
    assert abs(rows.start - 160) <= 48 and abs(columns.start - 288) <= 48 and rows.stop - rows.start == 96
    assert figures.busiest(photo[:5, :7]) == (slice(0, 5), slice(0, 7))
    assert figures.part_of((slice(2, 4), slice(0, 3)), 3) == (slice(6, 12), slice(0, 9))


def test_first_weights_of_another_scale_or_kind_are_refused_in_one_line(run):
    start = superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=4), 2)
    given = SimpleNamespace(weights="logs/x", scale=3, backbone="msffrn_compact", paths=2, blocks=1, width=4)
    with pytest.raises(ValueError, match="--weights=logs/x: makes photos 2 times larger: pass --scale=2"):
        task.build_model(given, start)
    given.scale = 2
    assert task.build_model(given, start) is start
    with pytest.raises(ValueError, match="--weights=logs/x: for superres expected nothing, a run folder"):
        task.build_model(given)


@pytest.mark.slow
def test_trained_stopped_and_continued_used_and_measured(script, photos, tmp_path):
    """Two epochs at once, and one and then the other, give the same weights, bit for bit, and the same log."""
    common = ("--task=superres", f"--dataset_path={photos}", *TINY, "--steps_per_epoch=3", "--schedule=constant")
    out = script("train.py", *common, "--epochs=2", "--half", "--loss=l2", "--run=whole")
    assert "a batch: 4 crops of 12 x 12 pixels, 2 times larger" in out and "bicubic interpolation: " in out
    script("train.py", *common, "--epochs=1", "--half", "--loss=l2", "--run=parts")
    again = script("train.py", "--resume", "--run=parts", "--epochs=2")
    assert "Epoch 2/2" in again and "Epoch 1/2" not in again
    whole, parts = (tmp_path / "logs" / name for name in ("whole", "parts"))
    assert (whole / runs.LOG).read_text() == (parts / runs.LOG).read_text()
    for one, two in zip(weights_of(whole / runs.LAST), weights_of(parts / runs.LAST), strict=True):
        assert np.array_equal(one, two)
    assert (whole / "batch.png").is_file() and (whole / "curves.png").is_file()
    assert "--optimizer=adam\n" in (whole / runs.FLAGS).read_text()
    assert {"psnr", "ssim", "bicubic_psnr", "lanczos_ssim"} <= set(json.loads((whole / runs.EVALUATION).read_text()))
    said = script("predict.py", "--task=superres", photos / "0.png", "--json", "--ensemble")
    assert Image.open(tmp_path / "larger" / "0_x2.png").size == (160, 128)
    assert json.loads(said.splitlines()[-1])["scale"] == 2
    measured = script("evaluate.py", "--task=superres", "--dataset_path", photos, "--out=e", "--json")
    assert {"bicubic_psnr", "quality", "original_quality", "distance"} <= set(json.loads(measured.splitlines()[-1]))


@pytest.mark.rare
def test_what_does_not_fit_is_one_line(script, photos):
    common = ("--task=superres", f"--dataset_path={photos}", "--workers=0")
    for given, text in ((["--backbone=vgg16"], "makes no photo larger"),
                        (["--input_shape=20,12,3"], "expected square crops"),
                        (["--loss=triplet"], "--loss=triplet is not for --task=superres"), (["--scale=5"], "scale"),
                        (["--lr_path=."], "expected one small photo for each large one"),
                        (["--weights=imagenet"], "for superres expected")):
        out = script("train.py", *common, *given, expect=1 if "scale=5" in given[0] else 2)
        assert text in out.strip().splitlines()[-1] or "scale=5" in given[0]
