"""Triplet losses, each against a plain loop."""

import itertools

import numpy as np
import pytest
from keras import ops

from nets.losses import MININGS
from nets.losses.triplets import RatioLoss, TripletLoss, active_triplets

from helpers import LABELS, gradient, loss_of, mined, pairwise, plain_float64, unit


def loss_loop(x, labels, kind, mining, margin, squared):
    d = pairwise(x.astype("float64"))
    d = d**2 if squared else d
    values = [
        max(0, d[a][p] - d[a][n] + margin) if kind == "triplet"
        else (np.exp(d[a][p]) / (np.exp(d[a][p]) + np.exp(d[a][n]))) ** 2
        for a, p, n in mined(mining, pairwise(x.astype("float64")), labels)
    ]
    if mining == "all" and kind == "triplet":
        values = [v for v in values if v > 0]
    return np.mean(values) if values else 0.0


CASES = list(itertools.product(["triplet", "ratio"], MININGS, [False, True]))


def make(kind, mining, squared):
    own = {"mining": mining, "squared": squared}
    return TripletLoss(margin=0.3, **own) if kind == "triplet" else RatioLoss(**own)


@pytest.mark.parametrize("kind, mining, squared", CASES)
def test_loss_equals_a_loop(kind, mining, squared, rng):
    x = unit(rng)
    found = loss_of(make(kind, mining, squared), x)
    assert found == pytest.approx(loss_loop(x, LABELS, kind, mining, 0.3, squared), rel=1e-5)


@pytest.mark.parametrize("kind, mining, squared", CASES)
def test_gradient_equals_finite_differences(kind, mining, squared, rng):
    x, step = unit(rng), 1e-6
    found = gradient(make(kind, mining, squared), x)
    for i, j in [(0, 0), (3, 2), (7, 1)]:
        moved = [x.astype("float64") for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        up, down = (plain_float64(lambda v, labels: loss_loop(v, labels, kind, mining, 0.3, squared), m) for m in moved)
        assert found[i, j] == pytest.approx((up - down) / (2 * step), abs=2e-4)


@pytest.mark.parametrize("layer", [TripletLoss(mining=m) for m in MININGS] + [RatioLoss()])
def test_equal_images_give_no_nan(layer):
    x = np.full((8, 4), 0.5, "float32")
    assert np.isfinite(gradient(layer, x)).all() and np.isfinite(loss_of(layer, x))


@pytest.mark.parametrize("layer", [TripletLoss(mining=m) for m in ("all", "semi_hard", "hard")])
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
    assert (float(active_triplets(ops.convert_to_tensor(LABELS), ops.convert_to_tensor(x), 0.2, squared))
            == pytest.approx(np.mean(active)))
