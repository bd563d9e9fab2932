"""Losses over pairs: each against a plain loop, its gradient against finite differences, and what must not change
it."""

import numpy as np
import pytest
from keras import ops

from nets.heads.difference import DifferenceHead
from nets.heads.distance import DistanceHead
from nets.losses.pairs import Contrastive, PairCrossEntropy, attraction, mean_distances, pair_masks, repulsion, spread

from helpers import LABELS, gradient, loss_of, plain_float64


def features(rng, count=8, width=5):
    return rng.normal(size=(count, width)).astype("float32")


def loop(x, labels, pair_loss):
    """Mean over same pairs and mean over different pairs, halved and added."""
    kinds = {True: [], False: []}
    for i in range(len(x)):
        for j in range(len(x)):
            if i != j:
                kinds[bool(labels[i] == labels[j])].append(pair_loss(x[i], x[j], labels[i] == labels[j]))
    return 0.5 * np.mean(kinds[True] or [0]) + 0.5 * np.mean(kinds[False] or [0])


def cross_entropy_loop(x, labels, boundary=0.7, scale=3.0):
    def pair(a, b, same):
        p = 1 / (1 + np.exp(-scale * (boundary - np.sqrt(np.sum((a - b) ** 2)))))
        return -np.log(p if same else 1 - p)

    return loop(x.astype("float64"), labels, pair)


def contrastive_loop(x, labels, margin=1.5):
    def pair(a, b, same):
        d = np.sqrt(np.sum((a - b) ** 2))
        return 0.5 * d**2 if same else 0.5 * max(0, margin - d) ** 2

    return loop(x.astype("float64"), labels, pair)


CASES = {
    "cross_entropy": (lambda: PairCrossEntropy(DistanceHead(0.7, 3.0)), cross_entropy_loop),
    "contrastive": (lambda: Contrastive(1.5), contrastive_loop),
}


@pytest.mark.parametrize("case", CASES)
def test_equals_a_plain_loop(case, rng):
    make, plain = CASES[case]
    for labels in (LABELS, np.zeros(8, "int32"), np.arange(8, dtype="int32")):
        x = features(rng)
        assert loss_of(make(), x, labels) == pytest.approx(plain(x, labels), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_order_of_the_batch_does_not_matter(case, rng):
    make, _ = CASES[case]
    x, order = features(rng), rng.permutation(8)
    assert loss_of(make(), x) == pytest.approx(loss_of(make(), x[order], LABELS[order]), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_finite_differences(case, rng):
    make, plain = CASES[case]
    x = features(rng)
    found, step = gradient(make(), x), 1e-5
    for i, j in [(0, 0), (3, 2), (5, 4), (7, 1)]:
        up, down = x.astype("float64"), x.astype("float64")
        up[i, j] += step
        down[i, j] -= step
        expected = (plain_float64(plain, up) - plain_float64(plain, down)) / (2 * step)
        assert found[i, j] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("case", CASES)
def test_equal_images_give_no_nan(case):
    make, _ = CASES[case]
    x = np.ones((8, 5), "float32")
    assert np.isfinite(gradient(make(), x)).all()
    assert np.isfinite(loss_of(make(), x))


def test_contrastive_at_both_ends():
    distance, margin = np.array([0.0, 2.0], "float32"), 1.5
    similar = ops.convert_to_numpy(attraction(ops.convert_to_tensor(distance)))
    dissimilar = ops.convert_to_numpy(repulsion(ops.convert_to_tensor(distance), margin))
    assert similar.tolist() == [0.0, 2.0]  # the same thing, far apart: pulled
    assert dissimilar.tolist() == [1.125, 0.0]  # different things, close: pushed; beyond the margin: left


def test_same_and_different_pairs_weigh_alike(rng):
    """A hundred more different pairs do not drown the same ones."""
    x = np.concatenate([[[0.0], [3.0]], np.full((20, 1), 50.0) * np.arange(1, 21)[:, None]]).astype("float32")
    labels = np.array([0, 0, *range(1, 21)], "int32")
    assert loss_of(Contrastive(1.0), x, labels) == pytest.approx(0.5 * 0.5 * 9.0, rel=1e-5)


def test_cross_entropy_of_guessing_is_ln_2(rng):
    head = DifferenceHead(units=4)
    layer = PairCrossEntropy(head)
    x = features(rng)
    loss_of(layer, x)
    head.logit.kernel.assign(np.zeros((4, 1)))
    assert loss_of(layer, x) == pytest.approx(np.log(2), rel=1e-6)


def test_no_image_is_paired_with_itself():
    same, different = (ops.convert_to_numpy(m) for m in pair_masks(ops.convert_to_tensor(LABELS)))
    assert np.trace(same) == np.trace(different) == 0
    assert (same + different + np.eye(8) == 1).all()
    assert same.sum() == 3 * 2 + 2 + 2


def test_embedding_metrics(rng):
    x = features(rng)
    expected = {True: [], False: []}
    for i in range(8):
        for j in range(8):
            if i != j:
                expected[LABELS[i] == LABELS[j]].append(np.linalg.norm(x[i] - x[j]))
    labels, tensor = ops.convert_to_tensor(LABELS), ops.convert_to_tensor(x)
    same, different = mean_distances(labels, tensor)
    assert float(same) == pytest.approx(np.mean(expected[True]), rel=1e-5)
    assert float(different) == pytest.approx(np.mean(expected[False]), rel=1e-5)
    assert float(spread(labels, tensor)) == pytest.approx(np.sqrt(np.mean(x.var(0)) / np.mean(x**2)), rel=1e-5)
    assert float(spread(labels, ops.ones((8, 5)))) == pytest.approx(0, abs=1e-6)
