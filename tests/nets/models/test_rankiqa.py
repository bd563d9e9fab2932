"""Quality models: their range, direction and crops are kept with them."""

import keras
import numpy as np
import pytest
from keras import ops

from nets import towers
from nets.models import rankiqa

from helpers import small_ranker, told_by


def test_direction_range_and_crop_are_saved(tmp_path, rng):
    model = small_ranker()
    images = rng.integers(0, 256, (2, 70, 90, 3), dtype="uint8")
    model.save(tmp_path / "m.keras")
    code = ("import json; from nets.models import rankiqa; from tasks.models import load_model; import numpy as np; "
            f"s = rankiqa.scorer(load_model({str(tmp_path / 'm.keras')!r}, 'rankiqa')); "
            "print(json.dumps([s.higher_is_better, s.low, s.high, s.side, s.whole, "
            f"s.score(np.load({str(tmp_path / 'x.npy')!r})).tolist()]))")
    np.save(tmp_path / "x.npy", images)
    found = told_by(code)
    assert found[:5] == [False, 10.0, 90.0, 64, True]
    assert found[5] == pytest.approx(rankiqa.scorer(model).score(images), rel=1e-4)


def test_a_range_is_unknown_until_it_is_fitted(tmp_path, rng):
    model = small_ranker()
    rankiqa.forget_range(model)
    model.save(tmp_path / "m.keras")
    for unfitted in (model, keras.saving.load_model(tmp_path / "m.keras")):
        assert (rankiqa.scorer(unfitted).low, rankiqa.scorer(unfitted).high) == (None, None)
    model.get_layer("score").fit(0.0, 1.0, 0.0, 1.0)  # as people's scores of 0 to 1
    assert (rankiqa.scorer(model).low, rankiqa.scorer(model).high) == (0, 1)


def test_unit_range_keeps_the_scores(rng):
    model = small_ranker()
    images = rng.integers(0, 256, (3, 64, 64, 3), dtype="uint8")
    before = rankiqa.score(model, images)
    raw = ops.convert_to_numpy(model.get_layer("tower")(images.astype("float32")))[:, 0]
    rankiqa.unit_range(model)
    assert rankiqa.score(model, images) == pytest.approx(before, rel=1e-4)
    assert (ops.convert_to_numpy(model.get_layer("tower")(images.astype("float32")))[:, 0]
            == pytest.approx((raw + 1) / 4, abs=1e-5))


def test_only_a_model_for_photos_of_any_size_takes_other_crops(rng):
    model = small_ranker()
    assert rankiqa.side_of(model, 0) == 64 and rankiqa.side_of(model, 96) == 96
    rankiqa.set_side(model, 96)
    assert rankiqa.side(model) == 96 and rankiqa.regressor(model).inputs[0].shape == (None, 96, 96, 3)
    fixed = rankiqa.rankiqa(towers.make_quality_tower("shallow", 192), 192)
    assert rankiqa.side_of(fixed, 96) == rankiqa.side_of(fixed, 0) == 192
