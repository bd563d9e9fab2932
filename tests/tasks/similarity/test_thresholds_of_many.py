"""The threshold follows from the number of pairs that are compared."""

import json

import numpy as np
import pytest

from nets.models import siamese
from tasks.similarity import model as models
from tasks.similarity.report import different_pairs
from utils.run import folder as runs

from helpers import questions, small_siamese


@pytest.fixture(params=["distance", "difference"])
def run(request, tmp_path, rng):
    """A model whose run holds how alike different pictures are."""
    made = small_siamese(request.param)
    loaded = models.Loaded(siamese.comparer(made), (32, 32, 1), 0.01, str(tmp_path / "best.keras"), {"task": "siamese"})
    width = made.get_layer("tower").output_shape[1]
    features = rng.normal(size=(120, width)).astype("float32") / np.sqrt(width)
    found = different_pairs(loaded.compare, features, np.arange(120) // 4)
    runs.write_json(str(tmp_path), runs.THRESHOLDS,
                    {"best_accuracy": 0.01, "eer": 0.01, "fpr1": 0.02, runs.DIFFERENT: found})
    return loaded


def test_more_pairs_and_fewer_wrong_ones_need_a_higher_threshold(run, capsys):
    thresholds = [models.for_pairs(run, pairs, questions()).threshold for pairs in (10, 1000, 100_000)]
    assert thresholds == sorted(thresholds) and min(thresholds) >= run.threshold
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("for 100000 pairs: alike from") and "times beyond the" in last and "pairs measured" in last
    assert models.for_pairs(run, 100_000, questions(expected_wrong=100.0)).threshold == pytest.approx(thresholds[1])


def test_flags_and_models_of_copies_keep_their_threshold(run, capsys):
    assert models.for_pairs(run, 10**6, questions(threshold=0.3)) is run
    assert models.for_pairs(run, 10**6, questions(threshold_at="eer")) is run
    copies = run._replace(known={"task": "copies"})
    assert models.for_pairs(copies, 10**6, questions()) is copies and capsys.readouterr().out == ""


def test_a_run_without_the_curve_keeps_its_threshold_and_says_so(run, tmp_path, capsys):
    # the curve is no threshold
    assert runs.read_thresholds(str(tmp_path)) == {"best_accuracy": 0.01, "eer": 0.01, "fpr1": 0.02}
    runs.write_json(str(tmp_path), runs.THRESHOLDS, {"best_accuracy": 0.01})
    assert models.for_pairs(run, 10**6, questions()).threshold == run.threshold
    assert "was not measured; python evaluate.py --model=" in capsys.readouterr().out


def test_a_similarity_says_how_many_different_pairs_reach_it(run, tmp_path):
    known = models.read_different(str(tmp_path))
    rates = [models.as_alike(run, similarity) for similarity in np.linspace(0, 1, 20)]
    assert rates == sorted(rates, reverse=True) and rates[0] == pytest.approx(0.5, abs=0.01)
    assert models.as_alike(run, known["similarities"][10]) == pytest.approx(known["rates"][10], rel=0.05)
    assert models.as_alike(run._replace(known={"task": "copies"}), 0.5) is None  # the proof decides
    runs.write_json(str(tmp_path), runs.THRESHOLDS, {"best_accuracy": 0.01})
    assert models.as_alike(run, 0.5) is None and models.worth(None) == ""


@pytest.mark.parametrize("rate, words", [(0.5, "half or more"), (0.0312, "about 31 of 1,000"),
                                         (0.00099, "fewer than 1 of 1,000")])
def test_what_a_similarity_is_worth_in_words(rate, words):
    assert models.worth(rate) == f"{words} different pairs are as alike"
    assert models.worth(rate, 12) == f"{words} different pairs of 12 classes are as alike"


@pytest.mark.parametrize("damage", [[], {"pairs": 0}, {"pairs": 10, "rates": [0.1]}, "text"])
def test_a_damaged_curve_is_one_line(damage, run, tmp_path):
    (tmp_path / runs.THRESHOLDS).write_text(json.dumps({"best_accuracy": 0.5, runs.DIFFERENT: damage}))
    with pytest.raises(ValueError, match="thresholds.json: cannot be read") as error:
        models.for_pairs(run, 1000, questions())
    assert "\n" not in str(error.value)
