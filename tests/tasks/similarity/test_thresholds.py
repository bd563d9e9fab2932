"""The threshold that predict.py decides by."""

import pytest

from tasks.similarity.model import decision_threshold
from utils.run import folder as runs


def test_fpr1_of_an_older_model_is_not_looser_than_the_others(tmp_path):
    cuts = {"best_accuracy": 0.6, "eer": 0.5, "fpr1": 0.4, "default": "eer"}
    for given, expected in ((cuts, 0.6), (cuts | {"fpr1": 0.7}, 0.7)):
        runs.write_json(str(tmp_path), runs.THRESHOLDS, given)
        assert decision_threshold(str(tmp_path), None, "fpr1")[0] == expected
    assert decision_threshold(str(tmp_path), None, "eer")[0] == 0.5


@pytest.mark.parametrize("measured, says", [
    ({"copies": 0.9, "default": "copies"}, "this model has copies; expected one of best_accuracy, eer"),
    ({}, "this model has none of them: run evaluate.py, or pass --threshold; expected one of"),
])
def test_a_threshold_that_a_model_lacks_is_said_with_those_that_it_has(measured, says, tmp_path):
    runs.write_json(str(tmp_path), runs.THRESHOLDS, measured)
    with pytest.raises(ValueError, match=f"--threshold_at=eer: {says}"):
        decision_threshold(str(tmp_path), None, "eer")
