"""The mean average precisions of HPatches, against plain loops."""

import numpy as np
import pytest

from tasks.patches.measuring import metrics as patches


def loop_ap(distances, right, total):
    """Walks down the answers, the nearest first, and adds up trapezoids from recall 0, precision 1."""
    order = sorted(range(len(distances)), key=lambda row: distances[row])  # stable
    area, hits, recall, precision = 0.0, 0, 0.0, 1.0
    for index, row in enumerate(order, start=1):
        hits += bool(right[row])
        area += (hits / total - recall) * (hits / index + precision) / 2
        recall, precision = hits / total, hits / index
    return area


def descriptors(rng, *shape):
    made = rng.normal(size=(*shape, 8))
    return made / np.linalg.norm(made, axis=-1, keepdims=True)


def test_average_precision_equals_a_loop(rng):
    for count in (1, 5, 50):
        distances, right = rng.integers(0, 9, count), rng.random(count) < 0.4
        assert patches.average_precision(distances, right, count) == pytest.approx(loop_ap(distances, right, count))
    assert patches.average_precision(np.array([1.0, 2.0]), np.array([True, True]), 2) == 1
    assert patches.average_precision(np.array([1.0, 2.0]), np.array([False, True]), 1) == pytest.approx(0.25)


def test_verification_takes_a_fifth_as_many_true_pairs(rng):
    true, false = rng.random(60), rng.random(100) + 0.2
    expected = loop_ap([*true[:20], *false], [True] * 20 + [False] * 100, 20)
    assert patches.verification(true, false) == pytest.approx(expected)
    assert (patches.verification(true[:5], false)
            == pytest.approx(loop_ap([*true[:5], *false], [True] * 5 + [False] * 100, 5)))


def test_matching_looks_for_each_reference_patch(rng):
    reference = descriptors(rng, 40)
    target = reference + rng.normal(0, 0.25, (40, 8))
    target /= np.linalg.norm(target, axis=1, keepdims=True)
    gaps = [[np.sum((a - b) ** 2) for b in target] for a in reference]
    right = [min(range(40), key=row.__getitem__) == number for number, row in enumerate(gaps)]
    assert 0 < sum(right) < 40
    assert patches.matching(reference, target) == pytest.approx(loop_ap([min(row) for row in gaps], right, 40))
    assert patches.matching(reference, reference) == 1


def test_retrieval_is_the_mean_over_queries(rng):
    queries, distractors = descriptors(rng, 6), descriptors(rng, 30)
    true = queries[:, None] + rng.normal(0, 0.5, (6, 5, 8))
    true /= np.linalg.norm(true, axis=-1, keepdims=True)
    found = [loop_ap([np.sum((query - other) ** 2) for other in [*own, *distractors]], [True] * 5 + [False] * 30, 5)
             for query, own in zip(queries, true)]
    assert 0 < np.mean(found) < 1 and patches.retrieval(queries, true, distractors) == pytest.approx(np.mean(found))


def test_false_pairs_lie_in_the_same_scene_or_in_another():
    scenes = np.repeat([0, 1, 2], [5, 1, 9])
    inside, outside = patches.false_pairs(scenes, 0, True), patches.false_pairs(scenes, 0, False)
    assert inside[5] == -1 and (np.delete(inside, 5) >= 0).all()
    rows = np.flatnonzero(inside >= 0)
    assert (scenes[inside[rows]] == scenes[rows]).all() and (inside[rows] != rows).all()
    assert (scenes[outside] != scenes).all()
    assert (patches.false_pairs([0, 0], 0, False) == -1).all()
