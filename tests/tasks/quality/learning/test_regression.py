"""Ridge regression on what ready networks see, in place of a network or beside it."""

import os

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import RidgeCV

from nets.inference import apply
from nets.models import rankiqa
from tasks.models import load_model
from tasks.quality import model as scoring
from tasks.quality.learning import regression
from utils.data.images import read_photo
from utils.run import folder as runs

from helpers import small_ranker


@pytest.fixture(scope="module")
def blurred(tmp_path_factory):
    """Photos from sharp noise to flat, and how good they are: 0 to 1."""
    folder, rng = tmp_path_factory.mktemp("photos"), np.random.default_rng(0)
    quality = np.linspace(0, 1, 48)
    for number, good in enumerate(quality):
        pixels = 128 + rng.normal(size=(72, 96, 3)) * (2 + 60 * good)
        Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")).save(folder / f"{number:02}.png")
    return [str(folder / name) for name in sorted(os.listdir(folder))], quality


@pytest.fixture
def run(tmp_path):
    """The folder of a run whose network has learnt nothing, with scores from 20 to 90."""
    model = small_ranker()
    model.get_layer("score").fit(0.0, 1.0, 20.0, 90.0)
    model.save(tmp_path / runs.BEST)
    return tmp_path


def test_the_fit_is_that_of_ridge_regression_on_standardised_features(rng):
    seen, quality = rng.normal(3, [1, 5, 0.2], (40, 3)), rng.uniform(size=40)
    kernel, bias = regression.fit(seen, quality)
    standard = (seen - seen.mean(0)) / seen.std(0)
    found = RidgeCV(regression.PENALTIES).fit(standard, quality)
    solved = np.linalg.solve(standard.T @ standard + found.alpha_ * np.eye(3), standard.T @ (quality - quality.mean()))
    assert np.allclose(seen @ kernel + bias, standard @ solved + quality.mean(), atol=1e-9)


def test_the_regression_is_kept_and_gives_its_scores_after_it_is_loaded(run, blurred):
    paths, quality = blurred
    rows = np.random.default_rng(1).permutation(len(paths))
    before = load_model(str(run / runs.BEST), rankiqa.KIND).get_weights()
    choice = regression.choose(str(run), paths, quality, rows[:24], rows[24:36], pretrained=False)
    assert choice.names[0] == regression.RANKED and choice.words.startswith("kept: ridge regression on the ready")
    assert choice.validated[choice.names] == max(choice.validated.values()) and len(choice.validated) == 3
    assert choice.as_numbers()["validated"][choice.as_numbers()["kept"]] == choice.validated[choice.names]
    kept = rankiqa.scorer(load_model(str(run / runs.BEST), rankiqa.KIND))
    assert (kept.low, kept.high, kept.higher_is_better) == (20, 90, True)
    told = scoring.predict(kept, [paths[row] for row in rows[36:]], 0)
    assert np.corrcoef(told, quality[rows[36:]])[0, 1] > 0.95 and 0 < told.mean() < 110
    for _ in range(2):  # a run that goes on chooses again, and begins with its network
        network = load_model(str(run / runs.TRAINED), rankiqa.KIND)
        assert all(np.array_equal(one, other) for one, other in zip(network.get_weights(), before))
        again = regression.choose(str(run), paths, quality, rows[:24], rows[24:36], pretrained=False)
        assert again.names == choice.names


@pytest.mark.parametrize("beside", [False, True])
def test_the_model_is_the_linear_function_that_was_fitted(beside, rng, blurred):
    part = regression.backbones(pretrained=False)[regression.RANKED]
    photo = read_photo(blurred[0][30])[None]
    seen = apply(part, photo)[0]
    kernel = rng.normal(size=len(seen)) / 50
    model, want = rankiqa.regression([part], kernel, 0.25, 64), seen @ kernel + 0.25
    if beside:
        network = small_ranker()
        want = (want + apply(network.get_layer("tower"), photo)[0, 0]) / 2
        model = rankiqa.mean_of(network, model)
    model.get_layer("score").fit(0.0, 1.0, 0.0, 1.0)
    assert rankiqa.score(model, photo)[0] == pytest.approx(want, abs=1e-4)


def test_a_network_that_agrees_best_stays(run, blurred, monkeypatch):
    paths, quality = blurred
    rows = np.random.default_rng(1).permutation(len(paths))
    monkeypatch.setattr(regression, "fit", lambda seen, known: (np.zeros(seen.shape[1]), 0.5))
    monkeypatch.setattr(regression.scoring, "photo_score", lambda scorer, photo, crops: float(photo.std()))
    choice = regression.choose(str(run), paths, quality, rows[:24], rows[24:36], pretrained=False)
    assert choice.names == (regression.NETWORK,) and choice.words.startswith("kept: the network")
    assert not os.path.exists(run / runs.TRAINED)
    assert not rankiqa.is_made(load_model(str(run / runs.BEST), rankiqa.KIND))
