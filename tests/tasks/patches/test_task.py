"""The task patches: trained from a folder of photos, measured, continued."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from nets import towers
from nets.models import descriptor
from tasks.patches import evaluation, task
from tasks.patches.data.batches import SetBatches
from utils.run import folder as runs

from helpers import scenery


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for number in range(6):
        Image.fromarray(scenery(seed=number)).save(root / f"{number}.png")
    return root


def test_patches_that_are_the_same_match_wholly_and_fpr95_is_a_share_of_wrong_pairs(rng):
    model = descriptor.descriptor(towers.make_patch_tower("patches"))
    seen = rng.integers(0, 256, (2, 20, 1, 32, 32, 1)).astype("uint8")
    assert task.measured(model, list(seen.repeat(2, axis=2))) == {"matching": 1.0, "fpr95": 0.0}
    blind = task.measured(model, list(rng.integers(0, 256, (2, 20, 2, 32, 32, 1)).astype("uint8")))
    assert blind["matching"] < 0.3 and 0.8 < blind["fpr95"] <= 1


def test_a_model_with_nan_measures_nan(rng):
    model = descriptor.descriptor(towers.make_patch_tower("patches"))
    model.set_weights([np.full_like(weight, np.nan) for weight in model.get_weights()])
    assert np.isnan(task.measured(model, [np.zeros((4, 2, 32, 32, 1), "uint8")])["matching"])


def hpatches_like(root, rng, scenes=6, points=5):
    """Scenes of strips: a reference and two noisy views."""
    for scene in range(scenes):
        clean = rng.integers(30, 220, (points, 65, 65))
        (root / f"v_{scene}").mkdir(parents=True)
        for view in ("ref", "e1", "h1"):
            noisy = np.clip(clean + rng.normal(0, 10, clean.shape), 0, 255).astype("uint8")
            Image.fromarray(noisy.reshape(-1, 65)).save(root / f"v_{scene}" / f"{view}.png")
    return root


def test_sets_of_patches_are_split_by_scene_and_make_pairs(rng, tmp_path):
    root = hpatches_like(tmp_path / "hpatches", rng)
    options = SimpleNamespace(seed=0, test_share=0.2, val_share=0.2, data_share=1.0)
    data = task.find_set(options, str(root), (32, 32, 1))
    assert [len(data.held_out[part]) for part in ("train", "validation", "test")] == [4, 1, 1]
    assert not set(data.held_out["train"]) & {*data.held_out["validation"], *data.held_out["test"]}
    batches = SetBatches(data.sets["train"], 16, sources=2, seed=1)
    batch, points = batches[0]
    assert batch["image"].shape == (16, 32, 32, 1) and len(np.unique(points)) == 8
    own = [np.corrcoef(batch["image"][2 * n].ravel(), batch["image"][2 * n + 1].ravel())[0, 1] for n in range(8)]
    assert (min(own) > 0.7
            and np.array_equal(batch["image"], SetBatches(data.sets["train"], 16, sources=2, seed=1)[0][0]["image"]))
    assert [pairs.shape for pairs in task.held_out_pairs(data, "test", 9, (32, 32, 1), 0)] == [(5, 2, 32, 32, 1)]


@pytest.mark.rare
def test_a_set_of_patches_is_trained_on(script, tmp_path, rng):
    root = hpatches_like(tmp_path / "hpatches", rng)
    out = script("train.py", "--task=patches", f"--dataset_path={root}", "--epochs=1", "--steps_per_epoch=2",
                 "--batch_size=8", "--run=s")
    assert "scenes: 4 to train on" in out and "matching mAP" in out


def test_a_run_on_a_relative_folder_finds_what_it_held_out_from_elsewhere(photos, tmp_path, monkeypatch):
    given = SimpleNamespace(val_share=0.2, test_share=0.4, seed=0, skip_broken=True, data_share=1.0, jitter="easy",
                            weights="", resume=False)
    model = descriptor.descriptor(towers.make_patch_tower("patches"))
    monkeypatch.chdir(photos.parent)
    held_out = task.find_data(SimpleNamespace(**vars(given), dataset_path=photos.name), model).held_out
    runs.write_json(str(tmp_path), runs.SPLIT, held_out)
    monkeypatch.chdir(tmp_path)
    found = list(evaluation.scenes(given, "", "held out", str(tmp_path / "best.keras"), 1))
    assert len(found) == 2 and all(len(scene.views) == 2 for scene in found)


@pytest.mark.slow
def test_trained_measured_and_continued(script, photos, tmp_path):
    common = ("--task=patches", f"--dataset_path={photos}", "--steps_per_epoch=2", "--batch_size=16", "--sources=2",
              "--workers=0", "--run=p")
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


@pytest.mark.rare
def test_what_does_not_fit_is_one_line(script, photos):
    common = ("--task=patches", f"--dataset_path={photos}")
    for flags, text in ((["--backbone=vgg16"], "not for patches"),
                        (["--input_shape=32,32,2"], "photos have 1 channel or 3"),
                        (["--input_shape=20,32,1"], "square patches"), (["--views=3"], "no effect with --task=patches"),
                        (["--pca=999", "--epochs=1", "--steps_per_epoch=1", "--batch_size=8", "--workers=0"],
                         "--pca=999")):
        out = script("train.py", *common, *flags, expect=2)
        assert text in out.splitlines()[-1] and out.splitlines()[-1].startswith("error: ")
