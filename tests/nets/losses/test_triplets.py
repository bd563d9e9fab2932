"""Triplet losses and mining, each against a plain loop."""

import itertools

import numpy as np
import pytest
from helpers import LABELS, gradient, loss_of, plain_float64
from keras import ops

from nets.losses.mining import MINING
from nets.losses.pairs import pair_masks
from nets.losses.triplets import MultiSimilarity, TripletLoss, active_triplets


def unit(rng, count=8, width=4):
    x = rng.normal(size=(count, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")


def pairwise(x):
    return np.array([[np.sqrt(max(np.sum((a - b) ** 2), 1e-12)) for b in x] for a in x])


def mined(mining, d, labels):
    """The triplets (a, p, n) that count, by loops and definitions."""
    count = len(labels)
    for a in range(count):
        positives = [p for p in range(count) if p != a and labels[p] == labels[a]]
        negatives = [n for n in range(count) if labels[n] != labels[a]]
        if not positives or not negatives:
            continue
        if mining == "all":
            yield from ((a, p, n) for p in positives for n in negatives)
        elif mining == "hard":
            yield a, max(positives, key=lambda p: d[a][p]), min(negatives, key=lambda n: d[a][n])
        elif mining == "semi_hard":
            for p in positives:
                beyond = [n for n in negatives if d[a][n] > d[a][p]]
                yield a, p, min(beyond, key=lambda n: d[a][n]) if beyond else max(negatives, key=lambda n: d[a][n])
        else:
            for p in positives:
                yield a, p, negatives[(7 * (a + 1) + 13 * (p + 1)) % len(negatives)]


def mask_of(mining, x, labels):
    distance = ops.convert_to_tensor(pairwise(x).astype("float32"))
    return ops.convert_to_numpy(MINING[mining](distance, *pair_masks(ops.convert_to_tensor(labels))))


@pytest.mark.parametrize("labels", [LABELS, np.array([3, 3, 3, 3, 1, 1, 1, 1], "int32"), np.zeros(8, "int32")])
@pytest.mark.parametrize("mining", MINING)
def test_mining_equals_a_loop(mining, labels, rng):
    for _ in range(5):
        x = unit(rng)
        expected = np.zeros((8, 8, 8))
        for triplet in mined(mining, pairwise(x), labels):
            expected[triplet] = 1
        assert np.array_equal(mask_of(mining, x, labels), expected)


def test_random_mining_spreads_over_the_negatives():
    labels = np.repeat(np.arange(10, dtype="int32"), 3)
    mask = mask_of("random", np.random.default_rng(0).normal(size=(30, 4)), labels)
    assert np.mean(mask.sum(axis=(0, 1)) > 0) > 0.75 and mask.sum() == 30 * 2


def loss_loop(x, labels, kind, mining, margin, squared):
    d = pairwise(x.astype("float64"))
    d = d**2 if squared else d
    values = [
        max(0, d[a][p] - d[a][n] + margin) if kind == "triplet" else (np.exp(d[a][p]) / (np.exp(d[a][p]) + np.exp(d[a][n]))) ** 2
        for a, p, n in mined(mining, pairwise(x.astype("float64")), labels)
    ]
    if mining == "all" and kind == "triplet":
        values = [v for v in values if v > 0]
    return np.mean(values) if values else 0.0


CASES = list(itertools.product(["triplet", "ratio"], MINING, [False, True]))


@pytest.mark.parametrize("kind, mining, squared", CASES)
def test_loss_equals_a_loop(kind, mining, squared, rng):
    x = unit(rng)
    found = loss_of(TripletLoss(kind, 0.3, mining, squared), x)
    assert found == pytest.approx(loss_loop(x, LABELS, kind, mining, 0.3, squared), rel=1e-5)


@pytest.mark.parametrize("kind, mining, squared", CASES)
def test_gradient_equals_finite_differences(kind, mining, squared, rng):
    x, step = unit(rng), 1e-6
    found = gradient(TripletLoss(kind, 0.3, mining, squared), x)
    for i, j in [(0, 0), (3, 2), (7, 1)]:
        moved = [x.astype("float64") for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        up, down = (plain_float64(lambda v, labels: loss_loop(v, labels, kind, mining, 0.3, squared), m) for m in moved)
        assert found[i, j] == pytest.approx((up - down) / (2 * step), abs=2e-4)


def multi_similarity_loop(x, labels, alpha=2.0, beta=40.0, base=0.5, slack=0.1):
    s, losses = x.astype("float64") @ x.astype("float64").T, []
    for a in range(len(x)):
        positives = [s[a][p] for p in range(len(x)) if p != a and labels[p] == labels[a]]
        negatives = [s[a][n] for n in range(len(x)) if labels[n] != labels[a]]
        hard_p = [v for v in positives if v - slack < max(negatives, default=-2)]
        hard_n = [v for v in negatives if v + slack > min(positives, default=2)]
        losses.append(np.log1p(sum(np.exp(-alpha * (v - base)) for v in hard_p)) / alpha
                      + np.log1p(sum(np.exp(beta * (v - base)) for v in hard_n)) / beta)
    return np.mean(losses)


@pytest.mark.parametrize("labels", [LABELS, np.zeros(8, "int32"), np.arange(8, dtype="int32")])
def test_multi_similarity_equals_a_loop(labels, rng):
    x = unit(rng)
    assert loss_of(MultiSimilarity(), x, labels) == pytest.approx(multi_similarity_loop(x, labels), rel=1e-5, abs=1e-7)


def test_multi_similarity_gradient(rng):
    x, step = unit(rng), 1e-6
    found = gradient(MultiSimilarity(), x)
    for i, j in [(0, 0), (4, 3)]:
        moved = [x.astype("float64") for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        up, down = (plain_float64(multi_similarity_loop, m) for m in moved)
        assert found[i, j] == pytest.approx((up - down) / (2 * step), abs=1e-3)


@pytest.mark.parametrize("layer", [TripletLoss(mining=m) for m in MINING] + [TripletLoss("ratio"), MultiSimilarity()])
def test_equal_images_give_no_nan(layer):
    x = np.full((8, 4), 0.5, "float32")
    assert np.isfinite(gradient(layer, x)).all() and np.isfinite(loss_of(layer, x))


@pytest.mark.parametrize("layer", [TripletLoss(mining=m) for m in ("all", "semi_hard", "hard")] + [MultiSimilarity()])
def test_order_of_the_batch_does_not_matter(layer, rng):
    x, order = unit(rng), rng.permutation(8)
    assert loss_of(layer, x) == pytest.approx(loss_of(layer, x[order], LABELS[order]), rel=1e-5)


def test_all_embeddings_alike_leave_the_loss_at_the_margin():
    assert loss_of(TripletLoss(margin=0.37, mining="hard"), np.full((8, 4), 0.5, "float32")) == pytest.approx(0.37)


@pytest.mark.parametrize("squared", [False, True])
def test_share_of_active_triplets(squared, rng):
    x = unit(rng)
    d = pairwise(x) ** (2 if squared else 1)
    active = [d[a][p] - d[a][n] + 0.2 > 0 for a, p, n in mined("all", d, LABELS)]
    assert float(active_triplets(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(x), 0.2, squared)) == pytest.approx(np.mean(active))
