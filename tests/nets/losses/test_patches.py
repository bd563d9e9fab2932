"""Losses over pairs of patches, each against a plain loop and finite differences."""

import keras
import numpy as np
import pytest

from nets.losses import LOSSES, PATCH_LOSSES, make_patch_loss
from nets.losses.patches import DUPLICATE, HardNet, L2Net, SOSNet, matched

from helpers import gradient, loss_of, plain_float64, unit

POINTS = np.repeat(np.arange(6, dtype="int32"), 2)  # of twelve rows: two patches of each of six points


def d(x, y):
    return np.sqrt(max(np.sum((x - y) ** 2), 1e-12))


def hinges(a, p):
    found = []
    for i in range(len(a)):
        wrong = [D for j in range(len(a)) if j != i for D in (d(a[i], p[j]), d(a[j], p[i])) if D >= DUPLICATE]
        found.append(max(0.0, 1 + d(a[i], p[i]) - min(wrong)))
    return found


def hardnet_loop(x, labels):
    x = x.astype("float64")
    return np.mean(hinges(x[0::2], x[1::2]))


def l2net_loop(x, labels):
    x = x.astype("float64")
    a, p = x[0::2], x[1::2]
    n, total = len(a), 0.0
    for i in range(n):
        for row in ([2 - d(a[i], p[j]) for j in range(n)], [2 - d(a[j], p[i]) for j in range(n)]):
            total -= 0.5 * np.log(np.exp(row[i]) / np.sum(np.exp(row)))
    for features in (a, p):
        r = np.corrcoef(features.T)
        total += 0.5 * sum(r[s, t] ** 2 for s in range(len(r)) for t in range(len(r)) if s != t)
    return total / n


def sosnet_loop(x, labels, nearest=3):
    x = x.astype("float64")
    a, p = x[0::2], x[1::2]
    n, total = len(a), 0.0
    for i, cost in enumerate(hinges(a, p)):
        others = [j for j in range(n) if j != i]
        near = {j for f in (a, p) for j in sorted(others, key=lambda j: d(f[i], f[j]))[:nearest]}
        total += cost**2 + np.sqrt(sum((d(a[i], a[j]) - d(p[i], p[j])) ** 2 for j in near))
    return total / n


CASES = {"hardnet": (HardNet(), hardnet_loop), "l2net": (L2Net(), l2net_loop),
         "sosnet": (SOSNet(nearest=3), sosnet_loop)}


def test_every_row_has_a_case_and_none_is_a_loss_of_classes():
    assert set(CASES) == set(PATCH_LOSSES) and not set(PATCH_LOSSES) & set(LOSSES)
    for name, (layer, _) in CASES.items():
        assert type(make_patch_loss(name)) is type(layer)


@pytest.mark.parametrize("case", CASES)
def test_loss_and_gradient_are_those_of_the_loop(case, rng):
    layer, plain = CASES[case]
    x = unit(rng, 12, 5)
    assert loss_of(layer, x, POINTS) == pytest.approx(plain(x, POINTS), rel=1e-5)
    found = gradient(layer, x, POINTS)
    exact = x.astype("float64")
    for row, column in ((0, 0), (3, 2), (7, 4), (11, 1)):
        step = np.zeros_like(exact)
        step[row, column] = 1e-5
        expected = (plain_float64(plain, exact + step) - plain_float64(plain, exact - step)) / 2e-5
        assert found[row, column] == pytest.approx(expected, rel=2e-3, abs=2e-5)


@pytest.mark.parametrize("case", CASES)
def test_alike_features_give_finite_losses_and_gradients(case):
    layer, x = CASES[case][0], np.full((12, 4), 0.5, "float32")
    assert np.isfinite(loss_of(layer, x, POINTS)) and np.isfinite(gradient(layer, x, POINTS)).all()


def test_duplicates_do_not_count(rng):
    x = unit(rng, 12, 5)
    x[5] = x[1]  # p_2 is p_0, so a_0 lies on it as soon as it lies on p_0
    x[0] = x[1]
    assert loss_of(HardNet(), x, POINTS) == pytest.approx(hardnet_loop(x, POINTS), rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_layers_are_saved_with_their_settings(case):
    layer = CASES[case][0]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.get_config() == layer.get_config()


def test_share_of_patches_that_find_their_partner(rng):
    x = unit(rng, 12, 6)
    x[1::2] = x[0::2]
    x[[1, 3]] = x[[3, 1]]
    assert float(matched(POINTS, x)) == pytest.approx(4 / 6)
