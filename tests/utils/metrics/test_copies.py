"""Recall at a precision, and what a threshold is worth, against loops."""

import numpy as np
import pytest

from utils.metrics.copies import precision_recall, threshold_at


def loop_threshold(scores, truth, precision):
    """The recall of the lowest cut between two scores that is precise enough."""
    best = 0.0
    for cut in np.unique(scores):
        said = scores >= cut
        if truth[said].mean() >= precision:
            best = max(best, truth[said].sum() / truth.sum())
    return best


@pytest.mark.parametrize("precision", [0.5, 0.9, 0.99])
def test_threshold_equals_a_loop(precision, rng):
    truth = rng.random(300) < 0.3
    scores = np.where(truth, rng.normal(1, 1, 300), rng.normal(-1, 1, 300)).astype("float32")
    found = precision_recall(scores, truth, threshold_at(scores, truth, precision))
    assert found["recall"] == pytest.approx(loop_threshold(scores, truth, precision))
    assert found["precision"] >= precision


def test_no_threshold_that_is_precise_enough_accepts_nothing():
    scores, truth = np.array([[0.9, 0.5], [0.2, 0.1]]), np.array([[False, True], [False, True]])
    cut = threshold_at(scores, truth, 0.99)
    assert cut > 0.9 and precision_recall(scores, truth, cut) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_perfect_scores():
    scores, truth = np.array([0.9, 0.8, 0.3]), np.array([True, True, False])
    cut = threshold_at(scores, truth, 0.99)
    assert 0.3 < cut <= 0.8 and precision_recall(scores, truth, cut)["f1"] == pytest.approx(1)
