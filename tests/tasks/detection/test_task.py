"""The task detect: trained, continued, measured; used by predict.py, evaluate.py, compare, --like and the page."""

import csv
import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import compare
from apps.page import models
from nets.detectors import detector_row
from nets.models import detector
from tasks import choosing
from tasks.detection import answer, evaluation, figures, like, task, tiles
from tasks.detection.apps import card, tabs
from tasks.detection.boxes.assignment import targets
from tasks.detection.data import reading
from tasks.detection.measuring import examples
from tasks.detection.measuring.precision import Answer
from tasks.detection.model import Found
from tasks.detection.scenes import things
from tasks.detection.scenes.drawing import scene
from utils.run import folder as runs

from helpers import ROOT, weights_of

TINY = ("--task=detect", "--input_shape=64,64,3", "--batch_size=4", "--steps_per_epoch=3", "--workers=0")


class Squares:
    """Stands in for a network: finds bright squares of one colour, wherever they lie, at each of their locations."""

    names, strides, largest, zoom = ["bright", "dark"], [2, 4, 8], 20.0, 1.0

    def __init__(self):
        self.sizes = []

    def find(self, photos):
        self.sizes.append(photos.shape[1:3])
        lit = photos[0, ..., 0] > 200
        rows = []
        for y, x in np.argwhere(lit & ~np.pad(lit, ((1, 0), (1, 0)))[:-1, :-1] & ~np.pad(lit, ((1, 0), (0, 0)))[:-1]
                                & ~np.pad(lit, ((0, 0), (1, 0)))[:, :-1]):
            wide, tall = np.argmin([*lit[y, x:], False]), np.argmin([*lit[y:, x], False])
            rows += [[x, y, x + wide, y + tall, 0.9, 0.0], [x + 1, y, x + wide, y + tall, 0.8, 0.0]]
        return np.array(rows, "float32").reshape(1, -1, 6)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a run of drawn scenes whose network knows nothing yet."""
    folder = tmp_path_factory.mktemp("run")
    row = detector_row("sodnet_compact")._replace(widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), width=8, depth=1)
    model, rng = detector.detector(row, things.NAMES), np.random.default_rng(0)
    classes = model.get_layer("tower").get_layer("classes")
    classes.set_weights([rng.normal(0, 0.6, weight.shape) - 6 * (weight.ndim == 1) for weight in classes.get_weights()])
    model.save(folder / "best.keras")
    runs.write_json(str(folder), runs.ABOUT, {
        "task": "detect", "shows": "photographs", "ranges": {}, "classes": 21, "images": 4, "input": [64, 64, 3],
        "drawn": True, "threshold": 0.09, "measured_on": {"pictures": 1}, "roc_auc": None, "ap50": 0.1, "ap": 0.05})
    return folder


@pytest.fixture(autouse=True)
def no_doubt(monkeypatch):
    """The statistics of pictures are not tested here."""
    monkeypatch.setattr(answer.about, "warning", lambda known, thumbnails: "")
    monkeypatch.setattr(answer.about, "read", lambda path: runs.read_json(str(path).rpartition("/")[0], runs.ABOUT))


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(3):
        Image.fromarray(scene([number], 96).picture).save(root / f"{number}.png")
    return root


@pytest.mark.parametrize("side", [64, 100, 400])
def test_an_object_on_a_seam_is_found_once_whatever_the_tiles(side, rng):
    """Squares lie on and beside each seam; each is one box, the same as without tiles, and tiles stay small."""
    photo = np.zeros((210, 330, 3), "uint8")
    places = [(y, x) for y in range(4, 190, 24) for x in range(6, 310, 24)]
    for y, x in places:
        size = int(rng.integers(6, 18))
        photo[y : y + size, x : x + size] = 255
    net = Squares()
    found = tiles.find(net, photo, 0.1, side=side, most=1000)
    whole = tiles.find(Squares(), photo, 0.1, side=10**4, most=1000)
    assert len(found.scores) == len(places) == len(whole.scores)
    assert {tuple(box) for box in found.boxes.tolist()} == {tuple(box) for box in whole.boxes.tolist()}
    assert max(max(size) for size in net.sizes) <= side + 2 * tiles.RIM + 16 and len(set(net.sizes)) == 1
    assert all(each % 16 == 0 for size in net.sizes for each in size)


def test_a_photo_smaller_than_anything_and_one_that_is_zoomed():
    photo = np.zeros((9, 12, 3), "uint8")
    photo[2:7, 3:9] = 255
    assert tiles.find(Squares(), photo, 0.1).boxes.tolist() == [[3, 2, 9, 7]]
    net, large = Squares(), np.repeat(np.repeat(photo, 8, axis=0), 8, axis=1)
    net.zoom = 0.5
    np.testing.assert_allclose(tiles.find(net, large, 0.1).boxes, [[24, 16, 72, 56]], atol=4)
    assert net.sizes == [(48, 48)]


def labelled(root, count=6, classes=2):
    """Photos of drawn scenes with YOLO's text files, of so many classes."""
    root.mkdir(exist_ok=True)
    for number in range(count):
        seen = scene([number], 96)
        Image.fromarray(seen.picture).save(root / f"{number}.png")
        lines = [f"{label % classes} {(box[0] + box[2]) / 192} {(box[1] + box[3]) / 192} {(box[2] - box[0]) / 96} "
                 f"{(box[3] - box[1]) / 96}\n" for box, label in zip(seen.boxes, seen.labels)]
        (root / f"{number}.txt").write_text("".join(lines))


def asked(run, **given):
    """The flags of predict.py: their defaults, but for those given."""
    return SimpleNamespace(**{"model": str(run), "score_threshold": 0.05, "like": [], "like_model": "",
                              "like_threshold": None, "coco": "", "yolo": "", "figure": False, "json": True,
                              "csv": ""} | given)


def test_what_is_found_is_written_in_every_format_and_broken_photos_are_named(run, photos, tmp_path, capsys,
                                                                              monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("0.png", "1.png"):
        (tmp_path / "in" / name).write_bytes((photos / name).read_bytes())
    (tmp_path / "in" / "broken.png").write_bytes(b"none")
    answer.answer(asked(run, coco=str(tmp_path / "c.json"), yolo=str(tmp_path / "y"), csv=str(tmp_path / "a.csv"),
                        figure=True), [str(tmp_path / "in")])
    said = capsys.readouterr().out
    told = json.loads(said.splitlines()[-1])
    results = json.loads((tmp_path / "c.json").read_text())
    rows = list(csv.DictReader(open(tmp_path / "a.csv")))
    assert told["results"] == results and len(rows) == len(results) > 0 and len(told["images"]) == 2
    assert "broken.png: not an image" in said and "left out 1 photo" in said and (tmp_path / "objects.png").is_file()
    left, top, wide, tall = results[0]["bbox"]
    assert float(rows[0]["left"]) == left and float(rows[0]["right"]) == pytest.approx(left + wide, abs=0.02)
    assert told["categories"][results[0]["category_id"] - 1]["name"] == rows[0]["class"]
    for name in ("0.png", "1.png"):  # the text files are read again as labels
        (tmp_path / "y" / name).write_bytes((photos / name).read_bytes())
    again = reading.read_boxes(str(tmp_path / "y"))
    assert again.names == list(things.NAMES) and sum(len(each.labels) for each in again.samples) == len(results)
    mine = next(each for each in again.samples if each.path == "0.png")
    np.testing.assert_allclose(mine.boxes[0], [left, top, left + wide, top + tall], atol=0.02)


@pytest.mark.parametrize("named, added", [(0, [answer.figures.KEY]), (10**6, [])])
def test_a_figure_of_many_objects_has_a_key(named, added, run, photos, monkeypatch):
    drawn = []
    monkeypatch.setattr(answer.figures, "NAMED", named)
    monkeypatch.setattr(answer.drawing, "contact_sheet", lambda images, titles, *_, **given: drawn.append(
        ([max(image.shape) for image in images], given["side"], titles)))
    answer.answer(asked(run, figure=True), [str(photos / "0.png")])
    (sides, side, said), = drawn
    assert said[0].endswith("/0.png") and said[1:] == added
    assert sides == [side] * len(said)


def test_the_library_gives_what_predict_writes(run, photos, tmp_path, capsys):
    model = compare.load(str(run))
    assert isinstance(model, compare.Objects) and model.threshold == 0.09 and model.names == list(things.NAMES)
    found = model.find(photos / "2.png", threshold=0.05)
    answer.answer(asked(run), [str(photos / "2.png")])
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["results"]
    assert len(found) == len(told) and isinstance(found[0], Found)
    assert found[0].score == pytest.approx(told[0]["score"], abs=1e-6)
    array = np.asarray(Image.open(photos / "2.png"))
    assert model.find(array, threshold=0.05) == found
    assert model.find(np.zeros((20, 30, 3), "uint8"), threshold=0.99) == []
    assert choosing.room_of_model(str(run / "best.keras")) == "detection"


def test_many_boxes_need_a_higher_similarity_than_one(tmp_path):
    """Until about one of them is wrongly called the same; what a person asks for stays, and so do models of copies."""
    Image.fromarray(examples.example_of("\u05d0")).save(tmp_path / "example.png")
    made = like.examples_of([str(tmp_path / "example.png")], "characters")
    asked_of = [made.threshold_among(count) for count in (1, 10, 100, 300)]
    assert sorted(asked_of) == asked_of and asked_of[0] == made.threshold < asked_of[2] < asked_of[3] < 1
    fixed = like.examples_of([str(tmp_path / "example.png")], "characters", 0.3)
    assert fixed.threshold_among(300) == 0.3
    of_copies = like.examples_of([str(tmp_path / "example.png")], "photos")
    assert of_copies.threshold_among(300) == of_copies.threshold


def test_like_without_a_photo_is_answered_by_a_command_that_keeps_it():
    with pytest.raises(ValueError, match="^received no photo; .* predict.py --task=detect --like=a.png photo.jpg$"):
        answer.answer(SimpleNamespace(like=["a.png"], model=""), [])


def test_like_keeps_what_shows_the_same_and_refuses_an_example_that_shows_nothing(tmp_path):
    """A box around the sign of the example comes first, with its similarity; others are left out."""
    character, other = "\u05d0", "\u0561"
    example = examples.example_of(character)
    photo = np.full((120, 160, 3), (90, 120, 60), "uint8")
    for letter, (y, x), size in ((character, (20, 20), 28), (other, (60, 90), 30), (character, (70, 30), 22)):
        mask = Image.fromarray(example[12:-12, 12:-12, 0] if letter == character
                               else examples.example_of(letter)[12:-12, 12:-12, 0]).resize((size, size))
        ink = (255 - np.asarray(mask, "float32"))[..., None] / 255
        part = photo[y : y + size, x : x + size]
        part[:] = (part * (1 - ink) + np.array([230, 60, 200]) * ink).astype("uint8")
    boxes = np.array([[90, 60, 120, 90], [20, 20, 48, 48], [30, 70, 52, 92], [120, 5, 140, 25]], "float32")
    answered = Answer(boxes, np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 2, 3, 4]))
    Image.fromarray(example).save(tmp_path / "example.png")
    made = like.examples_of([str(tmp_path / "example.png")], "characters")
    assert made.drawn
    found = like.like(photo, answered, made)
    assert sorted(map(tuple, found.boxes.tolist())) == [(20, 20, 48, 48), (30, 70, 52, 92)]
    assert (found.scores >= made.threshold).all() and (found.labels == 0).all()
    for blank in (np.full((40, 40, 3), 250, "uint8"), np.full((1, 1, 3), 9, "uint8")):
        with pytest.raises(ValueError, match="shows nothing that differs from its ground, expected an example"):
            like.examples_of([blank], "characters")
    with pytest.raises(ValueError, match="received no example"):
        (tmp_path / "none").mkdir()
        like.examples_of([str(tmp_path / "none")])
    with pytest.raises(ValueError, match="have no effect without --like"):
        answer.asked_like(asked("", like_threshold=0.5))


def test_ink_is_found_whatever_its_colour_and_ground():
    """The same sign, light on dark, dark on light and coloured, gives nearly the same drawing."""
    mask = np.asarray(things.shape("arrow").resize((30, 24)), "float32")[..., None] / 255
    drawings = []
    for ground, ink in ((20, 240), (240, 10), ((60, 120, 90), (200, 60, 90))):
        photo = np.ones((44, 50, 3)) * np.array(ground)
        photo[10:34, 10:40] = photo[10:34, 10:40] * (1 - mask) + np.array(ink) * mask
        drawings.append(like.ink_of(photo.astype("uint8")).astype(int))
    for other in drawings[1:]:
        assert np.abs(other - drawings[0]).mean() < 4
    assert drawings[0].shape == (like.SIDE, like.SIDE) and drawings[0][0, 0] == 255 and drawings[0].min() < 60


def measuring(**given):
    """The flags of evaluate.py: their defaults, but for those given."""
    return SimpleNamespace(**{"model": "", "dataset_path": "", "box_format": "auto", "backgrounds": "", "scenes": 2,
                              "templates": 0, "like_scenes": 0, "out": "", "seed": 0, "skip_broken": True, "json": True}
                           | given)


def test_drawn_scenes_are_measured_beside_templates_and_by_one_example(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluation, "SIDE", 96)
    monkeypatch.setattr(evaluation, "LEARNT", 4)
    found = evaluation.evaluate(measuring(out=str(tmp_path), templates=1, like_scenes=1), str(run / "best.keras"))
    said = capsys.readouterr().out
    assert found["pictures"] == 2 and found["templates"]["pictures"] == found["on_those"]["pictures"] == 1
    assert 0 <= found["ap"] <= found["ap50"] <= 1 and found["like"]["scenes"] == 1 and "template matching AP50" in said
    written = {path.name for path in tmp_path.iterdir()}
    assert {"classes.csv", "precision.png", "mistakes.png", "detection.json"} <= written
    assert json.loads(runs.as_json(found))["tiny"].keys() == {"tiny1", "tiny2", "tiny3", "tiny", "small", "all"}


def test_own_photos_are_measured_for_the_classes_that_the_model_knows(run, tmp_path, capsys):
    labelled(tmp_path, 2, len(things.NAMES))
    (tmp_path / "classes.txt").write_text("\n".join([*things.NAMES[:-1], "whale"]))
    out = tmp_path / "out"
    out.mkdir()
    found = evaluation.evaluate(measuring(dataset_path=str(tmp_path), out=str(out)), str(run / "best.keras"))
    assert found["pictures"] == 2 and "left out 1 class: whale" in capsys.readouterr().out
    (tmp_path / "classes.txt").write_text("\n".join(f"x{number}" for number in range(21)))
    with pytest.raises(ValueError, match="the model knows disc, ring, .* rename the classes"):
        evaluation.evaluate(measuring(dataset_path=str(tmp_path), out=str(out)), str(run / "best.keras"))


def test_the_figure_of_a_batch_shows_what_each_map_is_asked_for():
    seen = scene([9], 64)
    values = targets(seen.boxes, seen.labels, (64, 64), (2, 4, 8))
    shown = figures.asked_of(seen.picture, values, figures.strides_of(len(values), 64))
    assert [picture.shape for picture in shown] == [(64, 64, 3)] * 4
    data = SimpleNamespace(side=64)
    images, rows, names = task.preview(None, ({"image": seen.picture[None]}, values[None]), data)
    assert images.shape == (4, 128, 128, 3) and rows.tolist() == [0] * 4 and "map of 32 x 32" in names[0]


def test_the_tab_and_the_page_show_boxes_and_take_an_example(run, photos, monkeypatch):
    pytest.importorskip("flask")
    from apps.page import site

    monkeypatch.setattr(choosing, "find_model", lambda asked="", *more: str(run / "best.keras"))
    given = SimpleNamespace(model="", files={}, picture=lambda name: str(photos / "0.png"))
    found = tabs.objects(models.Models(compare.load), given)
    assert found["figure"].startswith("data:image") and found["count"] >= len(found["rows"])
    client = site.make_site(models.Models(compare.load), str(photos), "zh").test_client()
    with open(photos / "0.png", "rb") as file:
        shown = client.post("/objects", data={"photo": (file, "0.png")}).get_data(as_text=True)
    assert "找到的目标" in shown and "data:image/jpeg;base64," in shown


def test_the_card_says_what_the_rows_mean(run):
    told = card.card(detector.detector(detector_row("sodnet_compact"), ["a"]), None, "")
    assert told["output"]["classes"] == ["a"] and "multiples of 16" in told["steps"][0]


@pytest.mark.parametrize("photos, there, says", [
    (["s.png", "s.jpg"], {}, "s.jpg and s.png would both be written to s.txt"),
    (["a/x.png", "a/x.jpg"], {}, "would both be written to a/x.txt"),
    (["classes.png"], {}, "classes.png and the names of the classes would both be written to classes.txt"),
    (["x.png"], {"y/x.txt": "0 .5 .5 .1 .1"}, "x.txt exists: pass another folder to --yolo"),
    (["x.png"], {"y/classes.txt": "mine"}, "classes.txt exists and names other classes"),
    (["x.png"], {"c.json": '{"images": []}'}, "exists, and holds no list of results"),
])
def test_labels_of_somebody_are_never_written_over(photos, there, says, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "y").mkdir()
    for name, text in there.items():
        (tmp_path / name).write_text(text)
    given = asked(run, yolo="y", coco="c.json")
    with pytest.raises(ValueError, match=says):
        answer.check_free(given, photos, ["dog"])
    answer.check_free(asked(run), photos, ["dog"])
    (tmp_path / "c.json").write_text("[]\n")  # of an earlier run
    (tmp_path / "y" / "classes.txt").write_text("dog\n")
    answer.check_free(given, ["new.png"], ["dog"])


def test_examples_of_two_kinds_are_asked_about_one_by_one():
    sign, photo = (str(ROOT / "docs" / "samples" / name) for name in ("sign.png", "palace.jpg"))
    for pictures in ([sign, photo], [photo, sign]):
        with pytest.raises(ValueError, match="are of two kinds.*or pass --like_model"):
            like.examples_of(pictures)


def test_a_score_is_no_similarity(run):
    with pytest.raises(ValueError, match="--score_threshold has no effect with --like"):
        answer.asked_like(asked(run, like=["example.png"]))


def test_flags_that_do_not_fit_are_refused_in_one_line(run):
    given = SimpleNamespace(weights="logs/x", backbone="sodnet_compact", aspconv=True, fmf=True, p1=True, classes=["a"],
                            zoom=1.0, input_shape=["40", "48", "3"])
    with pytest.raises(ValueError, match="expected squares in colour whose side is a multiple of 16"):
        task.crop(given)
    with pytest.raises(ValueError, match="--weights=logs/x: for detect expected nothing, a run folder"):
        task.build_model(given)
    with pytest.raises(ValueError, match="--weights=logs/x: its network is another one: pass the --backbone"):
        task.build_model(given, detector.detector(detector_row("sodnet_compact", fmf=False), ["a"]))


@pytest.mark.slow
def test_own_photos_are_learnt_used_and_measured(script, tmp_path):
    labelled(tmp_path / "own")
    out = script("train.py", *TINY, "--dataset_path=own", "--epochs=1", "--half", "--run=own")
    assert "found YOLO's text files in own: 6 photos" in out and "windows of photos of 64 x 64" in out
    assert "AP50 tiny1, 2 to 8 px" in out
    folder = tmp_path / "logs" / "own"
    held = json.loads((folder / runs.SPLIT).read_text())
    assert not set(held["train"]) & set(held["test"]) and len(held["train"]) + len(held["test"]) <= 6
    assert (folder / "batch.png").is_file() and json.loads((folder / runs.EVALUATION).read_text())["part"] == "test"
    said = script("predict.py", "--task=detect", "own/0.png", "--json", "--score_threshold=.05", "--model=logs/own")
    assert json.loads(said.splitlines()[-1])["images"][0]["width"] == 96
    measured = script("evaluate.py", "--model=logs/own", "--json", "--out=e")
    assert {"ap", "ap50", "tiny", "f1"} <= set(json.loads(measured.splitlines()[-1]))


@pytest.mark.rare
def test_two_epochs_at_once_and_one_after_the_other_are_the_same(script, photo_folder, tmp_path):
    """On drawn scenes, bit for bit; and a run of other classes begins with these weights."""
    common = (*TINY, f"--backgrounds={photo_folder}", "--schedule=constant")
    out = script("train.py", *common, "--epochs=2", "--run=whole")
    assert "a batch: 4 drawn scenes of 64 x 64 pixels" in out
    script("train.py", *common, "--epochs=1", "--run=parts")
    script("train.py", "--resume", "--run=parts", "--epochs=2")
    whole, parts = (tmp_path / "logs" / name for name in ("whole", "parts"))
    assert (whole / runs.LOG).read_text() == (parts / runs.LOG).read_text()
    for one, two in zip(weights_of(whole / runs.LAST), weights_of(parts / runs.LAST), strict=True):
        assert np.array_equal(one, two)
    labelled(tmp_path / "own")
    script("train.py", *TINY, "--epochs=1", "--dataset_path=own", "--weights=logs/whole", "--run=own")
