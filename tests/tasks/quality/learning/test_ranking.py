"""The task rank: what its flags mean, and how it validates."""

import os
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from nets import towers
from nets.models import rankiqa
from tasks.quality import flags as quality_flags
from tasks.quality.learning import ranking
from utils.batches.levels import LevelBatches, PairBatches
from utils.distortions.catalogue import chosen

from helpers import paths_of, small_ranker


def test_validation_measures_every_pair(photo_folder, rng):
    data = SimpleNamespace(
        photos=SimpleNamespace(full=lambda part: paths_of(photo_folder)), kinds=chosen(["jpeg", "contrast"]))
    model = small_ranker()
    scale = model.get_layer("score")
    for across in (False, True):
        made = ranking.validation(SimpleNamespace(seed=0, hinge_margin=1.0, across_photos=across), model, data)
        found = made.measure()
        batch = LevelBatches(paths_of(photo_folder), data.kinds, 999, 64, photos=6, crops=1, steps=1, seed=1,
                             workers=0)[0]
        scores = rankiqa.scorer(model).score(batch[0]["image"])
        pairs = [(i, j) for i, (p, k, m) in enumerate(batch[1].tolist())
                 for j, (q, h, n) in enumerate(batch[1].tolist())
                 if m < n and (k == h or m == 0) and (across or p == q)]
        assert found["val_hinge"] == pytest.approx(np.mean([max(0, 1 - scores[i] + scores[j]) for i, j in pairs]),
                                                   rel=1e-4)
        assert set(found) == {"val_hinge", "val_order", "val_adjacent", "val_across"}
    scale.fit(0.0, 1.0, 0.0, float("nan"))
    assert all(np.isnan(value) for value in made.measure().values())


def test_what_cannot_be_shared_or_asked_is_refused(photo_folder, monkeypatch):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: paths_of(photo_folder)), kinds=chosen(["live"]))
    options = SimpleNamespace(pairs="random", across_photos=False, batch_size=42, photos_per_batch=4, steps_per_epoch=4,
                              seed=0, workers=0, cache_distorted="")
    model = rankiqa.rankiqa(towers.make_quality_tower("compact"), 32)
    with monkeypatch.context() as patch:
        patch.setattr(ranking.devices, "replicas", lambda: 4)
        with pytest.raises(ValueError, match="42 crops does not divide among 4 devices"):
            ranking.make_batches(options, data, model)
    options.cache_distorted = paths_of(photo_folder)[0]
    with pytest.raises(ValueError, match="0.png: a file; expected a folder"):
        quality_flags.check(options)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="JAX does not allow: pass another --backend"):
        ranking.make_batches(SimpleNamespace(pairs="hard"), data, model)


@pytest.mark.parametrize("pairs", ["all", "random"])
def test_the_flags_reach_batches_and_loss(pairs, photo_folder, tmp_path):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: paths_of(photo_folder)), kinds=chosen(["jpeg"]))
    options = SimpleNamespace(pairs=pairs, across_photos=True, batch_size=10, photos_per_batch=2, steps_per_epoch=4,
                              seed=0,
                              workers=0, cache_distorted=str(tmp_path / "kept"), hinge_margin=1.0)
    model = rankiqa.rankiqa(towers.make_quality_tower("compact"), 32)
    made = ranking.make_batches(options, data, model)
    assert (type(made) is (LevelBatches if pairs == "all" else PairBatches) and made.crops == 1
            and os.listdir(tmp_path / "kept"))
    assert pairs == "all" or made.across_photos
    loss = ranking.trainer(options, model, lambda network: keras.optimizers.SGD()).get_layer("hinge")
    assert loss.across_photos == (pairs == "all")  # a random pair is compared with no other


def test_the_rows_of_a_batch_name_photo_distortion_and_levels(rng):
    kinds = chosen(["jpeg", "contrast"])
    keys = np.array([(0, -1, 0), (1, 1, 2), (0, 0, 1), (1, 1, 4), (0, 0, 3)], "int32")
    images = rng.integers(0, 255, (5, 8, 8, 3))
    shown, labels, names = ranking.preview(None, ({"image": images, "key": keys}, keys), SimpleNamespace(kinds=kinds))
    assert [names[label] for label in labels] == [
        "photo 1 as it is", *["photo 1: jpeg (quality) 43 7"] * 2,
        *["photo 2: contrast (factor, or 7/3 - 4/3 of it) 0.7 0.4"] * 2]
    assert np.array_equal(shown, images[[0, 2, 4, 1, 3]])
