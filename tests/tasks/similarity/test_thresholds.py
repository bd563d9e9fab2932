"""The threshold that predict.py decides by."""

from types import SimpleNamespace

from tasks.similarity.answer import decision_threshold


def test_fpr1_of_an_older_model_is_not_looser_than_the_others():
    options, cuts = SimpleNamespace(threshold=None, threshold_at="fpr1"), {"best_accuracy": 0.6, "eer": 0.5, "fpr1": 0.4, "default": "eer"}
    assert decision_threshold(options, cuts)[0] == 0.6 and decision_threshold(options, cuts | {"fpr1": 0.7})[0] == 0.7
    options.threshold_at = "eer"
    assert decision_threshold(options, cuts)[0] == 0.5
