"""The room perceptual: distances by predict.py, compare and the page; generators trained, continued, used, measured."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import compare
from apps.page import models
from nets.models import perceptual
from tasks import choosing
from tasks.perceptual import answer, evaluation, figures, flags, model, seeing, task
from tasks.perceptual.apps import tabs
from tasks.perceptual.learning import batches, watching
from tasks.perceptual.measuring import comparators, measure, report
from utils.run import folder as runs

from helpers import scenery, weights_of


@pytest.fixture(scope="module")
def distance():
    """The usual comparator, opened once."""
    return comparators.made()


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """An original, copies of it that are worse and worse, and one of another size."""
    root, photo = tmp_path_factory.mktemp("photos"), scenery(96, 120)
    image = Image.fromarray(photo)
    for name in ("a.png", "same.png"):
        image.save(root / name)
    for quality in (60, 15):
        image.save(root / f"q{quality}.jpg", quality=quality)
    image.resize((60, 48)).save(root / "small.png")
    return root


@pytest.fixture(scope="module")
def run(tmp_path_factory, distance):
    """The folder of a run of a generator that has not learnt yet."""
    folder = tmp_path_factory.mktemp("run")
    perceptual.perceptual("vae", "deepsim_compact", distance, 64).save(folder / "best.keras")
    runs.write_json(str(folder), runs.ABOUT, {
        "task": "perceptual", "shows": "photographs", "ranges": {}, "classes": 4, "images": 4, "input": [64, 64, 3],
        "measured_on": {"crops": 1}, "roc_auc": None, "generator": "vae", "terms": ["feature"], "error": 0.5,
        "distance": 0.6})
    return folder


@pytest.fixture
def opened(monkeypatch, distance):
    """Opens the usual comparator only once."""
    monkeypatch.setattr(comparators, "made", lambda *given: distance)


def asked(**given):
    """The flags of predict.py: their defaults, but for those given."""
    return SimpleNamespace(**{"model": "", "comparator": "photos", "layer": [], "comparator_weights": "",
                              "resize": False, "reconstruct": False, "sample": 0, "see": "", "between": [],
                              "figure": False, "json": True, "csv": ""} | given)


def test_copies_are_ranked_and_told_on_the_scale_of_jpeg(opened, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = [str(photos / name) for name in ("a.png", "same.png", "q60.jpg", "q15.jpg", "small.png")]
    answer.answer(asked(figure=True, csv="a.csv"), files)
    said = capsys.readouterr().out
    same, good, bad = json.loads(said.splitlines()[-1])["results"]
    assert same["distance"] == 0 and same["psnr"] is None and same["words"] == "the same pixels"
    assert 0 < good["distance"] < bad["distance"] < 1 and good["psnr"] > bad["psnr"] and good["ssim"] > bad["ssim"]
    assert good["jpeg_quality"] == pytest.approx(60, abs=4) and bad["jpeg_quality"] == pytest.approx(15, abs=4)
    assert "as far as JPEG quality 60 of such a photo" in said
    assert "small.png: 60 x 48 pixels, expected 120 x 96, as" in said and "pass --resize" in said
    assert (tmp_path / "perceptual.png").is_file() and len(list(csv.DictReader(open("a.csv")))) == 3


def test_one_picture_of_another_size_is_refused_and_resized_where_asked(opened, photos, capsys):
    files = [str(photos / "a.png"), str(photos / "small.png")]
    with pytest.raises(ValueError, match="expected 120 x 96, .* pass --resize"):
        answer.answer(asked(), files)
    answer.answer(asked(resize=True), files)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["results"][0]["distance"] > 0


def test_two_folders_are_paired_by_name(opened, photos, tmp_path, capsys):
    for folder, names in (("one", "ab"), ("two", "bc")):
        (tmp_path / folder).mkdir()
        for name in names:
            Image.open(photos / ("a.png" if folder == "one" else "q15.jpg")).save(tmp_path / folder / f"{name}.png")
    answer.answer(asked(between=[str(tmp_path / "one"), str(tmp_path / "two")]), [])
    said = capsys.readouterr().out
    (row,) = json.loads(said.splitlines()[-1])["results"]
    assert row["file"].endswith("two/b.png") and row["original"].endswith("one/b.png") and "left out 2 pictures" in said
    with pytest.raises(ValueError, match="no picture has the same name in both"):
        answer.between([str(photos), str(tmp_path / "two")])
    with pytest.raises(ValueError, match="expected two folders"):
        answer.between([str(photos)])


@pytest.mark.parametrize("given, files, text", [
    ({}, ["a.png"], "received 1 picture, expected an original and others"),
    ({"reconstruct": True}, [], "--reconstruct takes one or more"),
    ({"reconstruct": True, "sample": 3}, ["a.png"], "pass one of them"),
    ({"see": "photos"}, [], "received no picture"),
    ({"comparator_weights": "x.h5"}, ["a.png", "same.png"], "has no effect with --comparator=photos"),
    ({"layer": ["conv9"]}, ["a.png", "same.png"], "--layer=conv9: this network has no such layer"),
])
def test_what_cannot_be_asked_is_one_line(given, files, text, photos):
    with pytest.raises(ValueError, match=text) as error:
        answer.answer(asked(**given), [str(photos / file) for file in files])
    assert "\n" not in str(error.value)


def test_the_library_answers_as_predict_does(opened, photos):
    loaded = compare.load("deepsim")
    assert isinstance(loaded, compare.Perceptual)
    one, other = photos / "a.png", Image.open(photos / "q15.jpg")
    assert loaded.distance(one, one) == 0 and loaded.distance(one, other) == loaded.distance(other, one)
    assert loaded.map(one, other).shape == (96, 120) and loaded.compare(one, other)["jpeg_quality"] < 25
    with pytest.raises(ValueError, match="makes no pictures: expected a run"):
        loaded.reconstruct([one])


def test_a_large_picture_is_measured_in_strips(opened, distance, photo, monkeypatch):
    used = measure.Measure(distance)
    other = np.clip(photo.astype(int) + 20, 0, 255).astype("uint8")
    whole = used.distance(photo, other)
    monkeypatch.setattr(measure, "MOST", 64 * photo.shape[1])
    assert len(measure.strips(photo, other)) == 3
    assert used.distance(photo, other) == pytest.approx(whole, rel=0.05)
    assert used.map(photo, other).shape == photo.shape[:2]


def test_the_scale_of_jpeg_rises_and_its_ends_are_said(distance, photo):
    scale = measure.Measure(distance).scale(photo)
    assert scale == sorted(scale) and len(scale) == len(measure.QUALITIES)
    assert measure.in_words(scale[0] / 2, scale, False).startswith("nearer than JPEG quality 98")
    assert measure.in_words(2 * scale[-1], scale, False).startswith("farther than JPEG quality 1")
    assert measure.jpeg_quality(scale[4], scale) == measure.QUALITIES[4]


def test_a_run_makes_pictures_draws_them_and_measures(run, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(model.about, "read", lambda path: runs.read_json(str(run), runs.ABOUT))
    answer.answer(asked(model=str(run), reconstruct=True), [str(photos / "a.png")])
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["results"][0]["distance"] > 0
    answer.answer(asked(model=str(run), sample=5), [])
    assert (tmp_path / "made.png").is_file()
    loaded = compare.load(str(run))
    assert loaded.sample(3).shape == (3, 64, 64, 3) and (loaded.sample(3) == loaded.sample(3)).all()
    assert model.learnt(loaded.known).startswith("vae, learnt from 4 photographs by feature")
    assert choosing.room_of_model(str(run / "best.keras")) == "perceptual"


def test_a_run_is_measured_beside_others(run, photos, tmp_path, capsys):
    options = SimpleNamespace(distortions_too=False, pair_scores="", codes=False, runs=[str(run)],
                              dataset_path=str(photos), out=str(tmp_path), seed=0, skip_broken=True, quality_too=True)
    found = evaluation.evaluate(options, str(run / "best.keras"))
    assert np.isfinite(found["quality"]) and np.isfinite(found["original_quality"])
    assert found["error"] > 0 and found["distance"] > 0 and (tmp_path / "reconstructed.png").is_file()
    assert "pixels features quality" in " ".join(capsys.readouterr().out.split())


def test_the_order_of_the_levels_is_measured_beside_psnr_and_ssim(opened, photo_folder, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "TID2013", {name: evaluation.TID2013[name] for name in ("jpeg", "white_noise")})
    options = asked(distortions_too=True, pair_scores="", codes=False, dataset_path=str(photo_folder),
                    out=str(tmp_path), seed=0, skip_broken=True)
    monkeypatch.setattr(comparators, "opened", lambda options: comparators.made())
    found = evaluation.evaluate(options, "")
    assert found["photos"] == 6 and found["distance"] > 0.9 and found["psnr"] == 1
    assert set(found["by_distortion"]["ssim"]) == {"jpeg", "white_noise"}


def test_a_picture_that_is_made_exactly_has_no_error_and_another_one_has_1(distance, rng):
    pictures = rng.integers(0, 256, (6, 64, 64, 3), dtype="uint8")
    perfect = SimpleNamespace(make=lambda given: given, distance=distance)
    assert report.errors(perfect, pictures) == {"error": 0.0, "distance": 0.0}
    other = SimpleNamespace(make=lambda given: np.roll(given, 1, 0), distance=distance)
    assert report.errors(other, pictures) == {"error": 1.0, "distance": pytest.approx(1.0)}


def test_crops_repeat_by_seed_epoch_and_step_and_show_large_parts_too(photo_folder):
    paths = sorted(map(str, photo_folder.iterdir()))
    one, two = (batches.PhotoBatches(paths, 32, 4, 3, seed=1, workers=0) for _ in range(2))
    two.epoch, first = 1, [one[step][1] for step in range(3)]
    assert one[0][0]["image"].shape == (4, 32, 32, 3) and np.array_equal(one[0][1], first[0])
    one.epoch = 1
    assert np.array_equal(one[2][1], two[2][1]) and not np.array_equal(one[0][1], first[0])


def test_a_collapsed_generator_and_a_dead_discriminator_are_named_once(capsys):
    watch = watching.Watch(judged=True)
    logs = {"variety": 0.01, "real": 0.6931, "made": 0.694, "judging": 0.0}
    for epoch in range(4):
        watch.on_epoch_end(epoch, logs)
    said = capsys.readouterr().out
    assert [said.count(text) for text in ("collapsed: after 2", "tells nothing apart", "stood still")] == [1, 1, 1]
    watching.Watch(judged=False).on_epoch_end(0, {"variety": 0.9})
    assert capsys.readouterr().out == ""


def test_maps_of_all_pictures_have_one_scale_and_show_it_below():
    dim, full = (figures.heat(np.full((60, 80), value, "float32")) for value in (0.02, 0.5))
    same, beyond = figures.heat(np.zeros((60, 80))), figures.heat(np.full((60, 80), 3.0))
    assert same[:60].max() < 5 and dim[:60].max() < 60 < full[:60].max()
    np.testing.assert_array_equal(full, beyond)
    for drawn in (dim, full):
        assert drawn.shape == (60 + figures.GAP + figures.BAR, 80, 3)
        np.testing.assert_array_equal(drawn[60:], same[60:])
    assert same[-1, 0].max() < 5 and tuple(same[-1, -1]) == tuple(full[0, 0])


def test_the_tab_shows_distance_and_places_in_both_languages(opened, photos):
    pytest.importorskip("flask")
    from apps.page import site

    names = {"original": "a.png", "changed": "small.png"}
    given = SimpleNamespace(model="", picture=lambda name: str(photos / names[name]))
    assert tabs.near(models.Models(compare.load), given)["resized"]
    Image.new("1", (4000, 3001)).save(photos / "large.png")
    large = SimpleNamespace(model="", picture=lambda name: str(photos / "large.png"))
    with pytest.raises(ValueError, match=r"^large.png: 4000 x 3001 pixels, expected 12 megapixels or fewer"):
        tabs.near(None, large)
    client = site.make_site(models.Models(compare.load), str(photos), "zh").test_client()
    with open(photos / "a.png", "rb") as one, open(photos / "q15.jpg", "rb") as other:
        sent = {"original": (one, "a.png"), "changed": (other, "b.jpg")}
        shown = client.post("/near", data=sent).get_data(as_text=True)
    assert "感知距离 0." in shown and "差异所在" in shown and "从 0 到 0.5 及以上" in shown
    assert "把原图压缩成质量为" in shown


def test_what_a_network_keeps_is_shown_by_the_runs_that_invert_it(distance, photos, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    path = seeing.network_file("photos")
    with pytest.raises(ValueError, match="no generator .* train one with python train.py .* --inverted=photos"):
        seeing.answer(asked(see="photos"), [str(photos / "a.png")])
    sees = comparators.nets.comparator(comparators.network("photos"), ["stage2_pool"])
    folder = tmp_path / "logs" / "inverse"
    folder.mkdir(parents=True)
    perceptual.perceptual("inversion", "deepsim_compact", distance, 64, sees).save(folder / "best.keras")
    runs.write_json(str(folder), runs.ABOUT, {"inverts": path, "layer": "stage2_pool"})
    monkeypatch.setattr(model.about, "read", lambda path: None)
    seeing.answer(asked(see="photos", figure=True), [str(photos / "a.png")])
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert said["results"][0]["layer"] == "stage2_pool" and (tmp_path / "seen.png").is_file()


@pytest.mark.parametrize("given, text", [
    ({"terms": ["adversarial"]}, "not adversarial alone"), ({"terms": ["kl"]}, "expected one or more of feature"),
    ({"backbone": "vgg16"}, "not for --task=perceptual"), ({"inverted": "photos"}, "without --generator=inversion"),
])
def test_flags_that_do_not_fit_are_refused(given, text):
    options = SimpleNamespace(**{"terms": list(flags.USUAL), "backbone": "auto", "generator": "vae", "inverted": "",
                                 "inverted_layer": "", "resume": True} | given)
    with pytest.raises(ValueError, match=text):
        flags.check(options)


def test_first_weights_of_other_runs_are_refused():
    with pytest.raises(ValueError, match="--weights=logs/x: perceptual starts from random weights"):
        task.build_model(SimpleNamespace(weights="logs/x"), object())


@pytest.mark.slow
def test_trained_stopped_and_continued_used_and_measured(script, photo_folder, tmp_path):
    """Two epochs at once, and one and then the other, give the same weights, bit for bit, and the same log."""
    common = ("--task=perceptual", f"--dataset_path={photo_folder}", "--batch_size=4", "--steps_per_epoch=2",
              "--workers=0", "--val_share=.2")
    script("train.py", *common, "--epochs=2", "--run=whole")
    script("train.py", *common, "--epochs=1", "--run=parts")
    again = script("train.py", "--resume", "--run=parts", "--epochs=2")
    assert "Epoch 2/2" in again and "Epoch 1/2" not in again
    whole, parts = (tmp_path / "logs" / name for name in ("whole", "parts"))
    assert (whole / runs.LOG).read_text() == (parts / runs.LOG).read_text()
    for name in (runs.LAST, runs.beside(runs.LAST, "discriminator")):
        for one, two in zip(weights_of(whole / name), weights_of(parts / name), strict=True):
            assert np.array_equal(one, two)
    assert {"ratio", "judging", "generating", "variety", "val_distance"} <= set(runs.columns_of_log(str(whole)))
    assert (whole / "made.png").is_file() and (whole / "curves.png").is_file()
