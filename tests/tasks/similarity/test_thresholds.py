"""The threshold that predict.py decides by."""

from tasks.similarity.model import decision_threshold
from utils.run import folder as runs


def test_fpr1_of_an_older_model_is_not_looser_than_the_others(tmp_path):
    cuts = {"best_accuracy": 0.6, "eer": 0.5, "fpr1": 0.4, "default": "eer"}
    for given, expected in ((cuts, 0.6), (cuts | {"fpr1": 0.7}, 0.7)):
        runs.write_json(str(tmp_path), runs.THRESHOLDS, given)
        assert decision_threshold(str(tmp_path), None, "fpr1")[0] == expected
    assert decision_threshold(str(tmp_path), None, "eer")[0] == 0.5
