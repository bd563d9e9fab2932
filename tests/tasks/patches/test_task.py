"""The task patches: trained from a folder of photos, measured, continued."""

import json

import numpy as np
import pytest
from PIL import Image

from nets import descriptor, towers
from tasks.patches import task
from utils.run import folder as runs

from helpers import scenery


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(6):
        Image.fromarray(scenery(seed=number)).save(root / f"{number}.png")
    return root


def loop_ap(scores, right):
    """Average precision by a plain loop over the answers, the surest first."""
    found, area, before, hits = 0, 0.0, (0.0, 1.0), 0
    for found, row in enumerate(np.argsort(-scores, kind="stable"), start=1):
        hits += right[row]
        here = hits / len(right), hits / found
        area += (here[0] - before[0]) * (here[1] + before[1]) / 2
        before = here
    return area


def test_matching_of_a_descriptor_is_that_of_a_loop(rng):
    scores, right = rng.normal(size=30).round(1), rng.random(30) < 0.6
    assert task.average_precision(scores, right) == pytest.approx(loop_ap(scores, right))
    assert task.average_precision(scores, np.ones(30, bool)) == 1


def test_patches_that_are_the_same_match_wholly_and_fpr95_is_a_share_of_wrong_pairs(rng):
    model = descriptor.descriptor(towers.make_patch_tower("patches"))
    seen = rng.integers(0, 256, (2, 20, 1, 32, 32, 1)).astype("uint8")
    assert task.measured(model, seen.repeat(2, axis=2)) == {"matching": 1.0, "fpr95": 0.0}
    blind = task.measured(model, rng.integers(0, 256, (2, 20, 2, 32, 32, 1)).astype("uint8"))
    assert blind["matching"] < 0.3 and 0.8 < blind["fpr95"] <= 1


def test_a_model_with_nan_measures_nan(rng):
    model = descriptor.descriptor(towers.make_patch_tower("patches"))
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    assert np.isnan(task.measured(model, np.zeros((1, 4, 2, 32, 32, 1), "uint8"))["matching"])


@pytest.mark.slow
def test_trained_measured_and_continued(script, photos, tmp_path):
    common = ("--task=patches", f"--dataset_path={photos}", "--steps_per_epoch=2", "--batch_size=16", "--sources=2", "--workers=0", "--run=p")
    out = script("train.py", *common, "--epochs=1", "--pca=20", "--patch_loss=sosnet")
    assert "8 pairs of patches from 2 photos" in out and "matching mAP" in out and "20 numbers a patch" in out
    folder = tmp_path / "logs" / "p"
    found = json.loads((folder / runs.EVALUATION).read_text())
    assert {"matching", "fpr95", "photos"} <= set(found) and runs.kind_of(str(folder / "best.keras")) == descriptor.KIND
    assert json.loads((folder / runs.ABOUT).read_text())["task"] == "patches"
    assert (folder / "batch.png").is_file() and (folder / "curves.png").is_file()
    assert "--batch_size=16" in (folder / runs.FLAGS).read_text()
    again = script("train.py", "--resume", "--run=p", "--epochs=2")
    assert "Epoch 2/2" in again and "Epoch 1/2" not in again and (folder / "log.csv").read_text().count("\n") == 3
    started = script("train.py", *common[:-1], "--epochs=1", "--weights=logs/p", "--run=q")
    assert "128 numbers a patch" in started


@pytest.mark.slow
def test_what_does_not_fit_is_one_line(script, photos):
    common = ("--task=patches", f"--dataset_path={photos}")
    for flags, text in ((["--backbone=vgg16"], "not for patches"), (["--input_shape=32,32,2"], "photos have 1 channel or 3"),
                        (["--input_shape=20,32,1"], "square patches"), (["--views=3"], "no effect with --task=patches"),
                        (["--pca=999", "--epochs=1", "--steps_per_epoch=1", "--batch_size=8", "--workers=0"], "--pca=999")):
        out = script("train.py", *common, *flags, expect=2)
        assert text in out.splitlines()[-1] and out.splitlines()[-1].startswith("error: ")
