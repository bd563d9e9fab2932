"""Copies of photos: trained, measured beside a hash, and used, as a user would."""

import json
import os
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tasks.choosing import find_model
from tasks.copies import measure, report, task
from utils.metrics.baselines import perceptual_hash

from helpers import DATA, small_siamese


def scenes(root, count, size=(150, 100)):
    """Photos that differ: smooth random landscapes."""
    root.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        rng = np.random.default_rng(number)
        small = rng.integers(0, 256, (6, 8, 3)).astype("uint8")
        image = Image.fromarray(small).resize(size, Image.Resampling.BICUBIC)
        noise = rng.integers(-15, 15, (size[1], size[0], 3))
        Image.fromarray(np.clip(np.asarray(image, int) + noise, 0,
                                255).astype("uint8")).save(root / f"{number:02d}.png")
    return root


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    return sorted(str(path) for path in scenes(root, 8).iterdir())


def test_copies_are_made_of_the_first_photos_in_every_way(photos):
    made = measure.make_copies(photos, 3)
    assert len(made.photos) == 8 and set(made.copies) == set(measure.KINDS)
    assert all(len(pictures) == 3 for pictures in made.copies.values())


def test_recall_by_kind_of_features_that_know_everything_and_nothing(photos):
    made = measure.make_copies(photos, 3)
    names = {id(picture): number for number, picture in enumerate(made.photos)}
    names |= {id(picture): number for pictures in made.copies.values() for number, picture in enumerate(pictures)}
    knowing = measure.recall_by_kind(
        made, lambda pictures: np.eye(8, dtype="float32")[[names[id(picture)] for picture in pictures]])
    assert set(knowing.values()) == {1.0}
    rng = np.random.default_rng(0)
    blind = measure.recall_by_kind(made, lambda pictures: rng.normal(size=(len(pictures), 64)).astype("float32"))
    assert np.mean(list(blind.values())) < 0.2


def test_the_hash_as_features_falls_with_the_differing_bits(photos):
    made = measure.make_copies(photos, 2)
    one, two = perceptual_hash(made.photos[0]), perceptual_hash(made.photos[1])
    features = measure.by_hash(made.photos[:2])
    assert (features[0] @ features[1] == pytest.approx(1 - 2 * np.mean(one != two))
            and features[0] @ features[0] == pytest.approx(1))


def test_easy_pairs_belong_together_by_photo(photos):
    made = measure.make_copies(photos, 3)
    scores, truth = measure.easy_pairs(made, measure.by_hash)
    pictures = 8 + 3 * len(measure.EASY)
    assert len(scores) == pictures * (pictures - 1) // 2
    assert truth.sum() == 3 * (len(measure.EASY) + 1) * len(measure.EASY) // 2


@pytest.mark.slow
def test_trained_measured_and_asked(script, tmp_path):
    root = scenes(tmp_path / "photos", 24)
    out = script("train.py", "--task=copies", f"--dataset_path={root}", "--weights=", "--epochs=1",
                 "--steps_per_epoch=2", "--batch_size=8",
                 "--input_shape=32,32,3", "--workers=0", "--run=copies")
    assert "kind of change" in out and "mirrored" in out and "val_recall" in out
    folder = tmp_path / "logs" / "copies"
    measured = json.loads((folder / "evaluation.json").read_text())
    assert set(measured["recall"]) == {"mean", *measure.KINDS} and {"model", "hash"} == set(measured["pairs"])
    assert ((folder / "copies.png").stat().st_size > 1000 and json.loads((folder / "about.json").read_text())["task"]
            == "copies")
    again = json.loads(script("evaluate.py", "--json").splitlines()[-1])
    assert again["recall"] == measured["recall"] and again["pairs"] == measured["pairs"]
    files = sorted(root.iterdir())
    answer = json.loads(script("predict.py", files[0], files[0], "--json", "--nofigure").splitlines()[-1])
    assert answer["similarity"] > 0.5 and set(answer) == {"similarity", "same", "threshold", "warning", "verdict",
                                                          "proof"}
    assert "--head has no effect with --task=copies" in script("train.py", "--task=copies", "--head=plain", expect=2)


def test_the_ready_model_finds_copies_of_photos_that_it_never_saw():
    """The figures of docs/results.md, on a part of the test photos; the whole is measured by evaluate.py."""
    folder = DATA / "photos" / "bsds500" / "test"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    from nets.models import siamese
    from tasks.models import load_model
    from utils.run import folder as runs

    path = find_model("photos")
    model = load_model(path, siamese.KIND)
    compare, shape = siamese.comparer(model), model.input_shape[0][1:]
    made = measure.make_copies(sorted(str(file) for file in folder.glob("*.jpg"))[:60], 20)
    recall = measure.recall_by_kind(made, lambda pictures: compare.embed(measure.as_inputs(pictures, shape)))
    hashed = measure.recall_by_kind(made, measure.by_hash)
    assert np.mean(list(recall.values())) > np.mean(list(hashed.values())) + 0.1
    cuts = runs.read_json(os.path.dirname(path), runs.THRESHOLDS)
    assert set(cuts) >= {report.RULE, "default", "best_accuracy"}


def test_few_photos_give_no_threshold_that_only_chance_made_strict(photos, capsys):
    """Four photos gave one that a picture and itself hardly reach, so that no copies were found."""
    from nets.heads import make_head
    from nets.models import siamese
    from nets.towers import make_tower

    model = siamese.siamese(make_tower("photos", (80, 80, 3), normalize=True), make_head("distance"))
    cuts = report.fit_thresholds(model, photos[:4], 0)
    assert cuts["default"] == "best_accuracy" and report.RULE not in cuts
    assert "comes from 4 photos, too few for a strict one" in capsys.readouterr().out
    assert "too few; --model=photos" in report.learnt({"images": 4, "shows": "photographs", "recall": None})
    assert "too few" not in report.learnt({"images": 200, "shows": "photographs", "recall": None})


@pytest.mark.parametrize("patience, monitor", [(0, ""), (3, "val_recall")])
def test_the_last_epoch_is_kept_unless_patience_asks_for_the_best(patience, monitor, photos):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: photos))
    options = SimpleNamespace(patience=patience, seed=0, mirrored_copies=True, turned_copies=True,
                              recoloured_copies=True, framed_copies=True)
    found = task.validation(options, small_siamese("distance"), data)
    assert found.monitor == monitor and 0 <= found.measure()["val_recall"] <= 1
