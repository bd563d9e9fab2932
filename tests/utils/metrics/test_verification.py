"""Pairs and what their scores are worth, against plain loops."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from utils.metrics import verification
from utils.metrics.verification import (
    auc_interval,
    calibration_error,
    draw_pairs,
    fpr95,
    precision_recall,
    threshold_at,
    thresholds,
    verify,
)


def test_pairs_are_what_they_say():
    labels = np.repeat(np.arange(10), [1, 2, 5, 9, 4, 3, 8, 2, 2, 7])
    pairs = draw_pairs(labels, 1001, seed=3)
    assert (labels[pairs.left] == labels[pairs.right]).tolist() == pairs.same.tolist()
    assert (pairs.left != pairs.right).all() and pairs.same.sum() == 500
    again = draw_pairs(labels, 1001, seed=3)
    assert all(np.array_equal(a, b) for a, b in zip(pairs, again))
    assert not np.array_equal(pairs.left, draw_pairs(labels, 1001, seed=4).left)
    assert set(labels[pairs.left]) | set(labels[pairs.right]) == set(range(10))


def test_hard_pairs_stay_within_a_group():
    labels, groups = np.repeat(np.arange(9), 3), np.repeat([0, 0, 0, 1, 1, 1, 1, 1, 2], 3)
    pairs = draw_pairs(labels, 400, 0, groups)
    assert (groups[pairs.left] == groups[pairs.right]).all()
    assert (labels[pairs.left] == labels[pairs.right]).tolist() == pairs.same.tolist()


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0]])
def test_labels_without_both_kinds_of_pairs_are_refused(labels):
    with pytest.raises(ValueError, match="verification needs two classes"):
        draw_pairs(np.array(labels), 10)


def scores_and_same(rng, count=400):
    same = rng.random(count) < 0.4
    return np.round(rng.normal(same * 1.2, 1), 1), same  # rounded: with ties


def test_roc_auc_equals_counting_pairs(rng):
    scores, same = scores_and_same(rng)
    wins = [(s > d) + 0.5 * (s == d) for s in scores[same] for d in scores[~same]]
    assert verify(scores, same)["roc_auc"] == pytest.approx(np.mean(wins))


def loop_fpr95(true, false):
    """The least distance among the true ones that accepts 95 % of them."""
    for cut in sorted(true):
        if sum(distance <= cut for distance in true) >= 0.95 * len(true):
            return sum(distance <= cut for distance in false) / len(false)


def test_fpr95_is_the_share_of_false_pairs_and_not_of_the_accepted_ones(rng):
    for count in (1, 7, 19, 20, 40, 100):
        true, false = rng.integers(0, 30, count) / 10, rng.integers(10, 60, 3 * count) / 10  # with ties
        assert fpr95(true, false) == pytest.approx(loop_fpr95(true, false))
    assert fpr95(np.arange(100.0), np.array([94.0, 94.5, 200, 300])) == 0.25
    assert np.isnan(fpr95(np.zeros(0), np.ones(3)))
    scores, same = scores_and_same(rng)
    assert verify(scores, same)["fpr95"] == pytest.approx(loop_fpr95(-scores[same], -scores[~same]))


def test_equal_error_lies_between_the_errors_around_it(rng):
    scores, same = scores_and_same(rng)
    errors = [(np.mean(scores[~same] >= c), np.mean(scores[same] < c)) for c in np.unique(scores)]
    below = max(f for f, m in errors if f <= m)
    above = min(f for f, m in errors if f >= m)
    assert below <= verify(scores, same)["eer"] <= above


def test_accuracy_is_near_the_best_there_is(rng):
    scores, same = scores_and_same(rng, 4000)
    best = max(np.mean((scores >= c) == same) for c in np.unique(scores))
    assert best - 0.03 < verify(scores, same)["accuracy"] <= best


@pytest.mark.parametrize("flip, accuracy, auc", [(1, 1.0, 1.0), (-1, None, 0.0)])
def test_perfect_and_perfectly_wrong(flip, accuracy, auc):
    same = np.arange(40) < 20
    result = verify(flip * np.where(same, 0.9, 0.1) + np.linspace(0, 0.01, 40), same)
    assert result["roc_auc"] == auc
    if accuracy:
        assert result == {"accuracy": 1.0, "roc_auc": 1.0, "eer": 0.0, "fpr95": 0.0}


def test_order_of_the_pairs_does_not_matter(rng):
    scores, same = scores_and_same(rng)
    order = rng.permutation(len(same))
    one, two = verify(scores, same), verify(scores[order], same[order])
    for name in ("roc_auc", "eer", "fpr95"):
        assert one[name] == pytest.approx(two[name])
    assert thresholds(scores, same) == pytest.approx(thresholds(scores[order], same[order]))


def test_thresholds_do_what_they_are_named_for(rng):
    scores, same = scores_and_same(rng, 5000)
    scores = scores + rng.normal(0, 1e-3, 5000)
    cuts = thresholds(scores, same)
    balanced = lambda c: np.mean(scores[same] >= c) + np.mean(scores[~same] < c)  # noqa: E731
    assert balanced(cuts["best_accuracy"]) == pytest.approx(max(balanced(c) for c in scores), abs=1e-9)
    assert np.mean(scores[~same] >= cuts["eer"]) == pytest.approx(np.mean(scores[same] < cuts["eer"]), abs=2e-3)
    assert 0.009 <= np.mean(scores[~same] >= cuts["fpr1"]) <= 0.01


@pytest.mark.parametrize("count", [30, 60, 199, 2000])
@pytest.mark.parametrize("apart", [0.0, 1.0, 2.0, 4.0, 9.0])
def test_fpr1_keeps_what_it_promises_and_is_the_strictest(count, apart, rng):
    """Scores as a model gives them: float32, and many of them alike."""
    same = np.arange(count) < count // 2
    scores = np.round(rng.normal(apart * same, 1), 1).astype("float32")
    cuts = thresholds(scores, same)
    accepted = np.sum(scores[~same] >= cuts["fpr1"])
    assert accepted <= 0.01 * np.sum(~same) and cuts["fpr1"] >= max(cuts["best_accuracy"], cuts["eer"])
    if np.sum(~same) < 100:
        assert cuts["fpr1"] > scores[~same].max()


def test_thresholds_of_scores_that_are_all_equal():
    cuts = thresholds(np.full(10, 0.5), np.arange(10) < 5)
    assert all(np.isfinite(cut) for cut in cuts.values())
    assert cuts["fpr1"] > 0.5


def test_scores_in_blocks_equal_scores_at_once(rng):
    features = rng.normal(size=(50, 4))
    pairs = draw_pairs(np.repeat(np.arange(10), 5), 333)
    score = lambda a, b: -np.linalg.norm(a - b, axis=1)  # noqa: E731
    whole = score(features[pairs.left], features[pairs.right])
    assert np.array_equal(verification.score_pairs(score, features, pairs, block=7), whole)


def test_calibration_error_equals_a_loop(rng):
    same = rng.random(500) < 0.3
    scores = np.clip(rng.normal(0.5 + 0.2 * same, 0.2), 0, 1)
    weights = np.where(same, 0.5 / same.sum(), 0.5 / (~same).sum())
    expected = 0.0
    for low in range(10):
        inside = [i for i in range(500) if min(int(scores[i] * 10), 9) == low]
        if inside:
            weight = sum(weights[i] for i in inside)
            predicted = sum(weights[i] * scores[i] for i in inside) / weight
            observed = sum(weights[i] for i in inside if same[i]) / weight
            expected += weight * abs(predicted - observed)
    assert calibration_error(scores, same) == pytest.approx(expected)


def test_probabilities_are_calibrated_and_certainties_are_not(rng):
    probability = rng.random(200_000)
    same = rng.random(200_000) < probability
    assert calibration_error(probability, same) < 0.01
    assert calibration_error(np.full(1000, 0.99), np.arange(1000) < 500) == pytest.approx(0.49)


def pairs_of_classes(rng, classes, separation):
    """Scores of pairs whose classes differ in how easy they are."""
    left, right = rng.integers(0, classes, (2, 4000))
    right = np.where(np.arange(4000) % 2, left, right)
    ease = rng.normal(0, 1, classes)
    return rng.normal(separation * (left == right) + ease[left] * (left == right)), left == right, left, right


def test_the_interval_holds_the_figure_and_narrows_with_the_classes(rng):
    widths = []
    for classes in (5, 100):
        scores, same, left, right = pairs_of_classes(rng, classes, 2.0)
        low, high = auc_interval(scores, same, left, right)
        assert low <= roc_auc_score(same, scores) <= high
        widths.append(high - low)
    assert widths[1] < widths[0]


def test_at_chance_the_interval_holds_a_half(rng):
    scores, same, left, right = pairs_of_classes(rng, 10, 0.0)
    low, high = auc_interval(rng.normal(size=len(scores)), same, left, right)
    assert low < 0.5 < high


def test_two_classes_say_nothing_about_others(rng):
    scores, same, left, right = pairs_of_classes(rng, 2, 2.0)
    assert auc_interval(scores, same, left, right) == (0.0, 1.0)


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
