"""Agreement with human scores, against plain loops."""

import warnings

import numpy as np
import pytest

from tasks.quality import report
from tasks.quality.metrics import correlation
from tasks.quality.metrics.correlation import (
    FIGURES,
    correlations,
    logistic,
    logistic_fit,
    over_splits,
    per_kind,
)


@pytest.fixture(autouse=True)
def silent():
    """Every warning is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def mean_ranks(values):
    """1 for the smallest; equal values share the mean of their places."""
    return np.array([np.sum(values < v) + (np.sum(values == v) + 1) / 2 for v in values])


def pearson(x, y):
    return np.sum((x - x.mean()) * (y - y.mean())) / np.sqrt(np.sum((x - x.mean()) ** 2) * np.sum((y - y.mean()) ** 2))


def tau_b(x, y):
    agree = tied_x = tied_y = pairs = 0
    for i in range(len(x)):
        for j in range(i):
            agree += np.sign(x[i] - x[j]) * np.sign(y[i] - y[j])
            tied_x, tied_y, pairs = tied_x + (x[i] == x[j]), tied_y + (y[i] == y[j]), pairs + 1
    return agree / np.sqrt((pairs - tied_x) * (pairs - tied_y))


@pytest.mark.parametrize("higher", [True, False])
@pytest.mark.parametrize("levels", [3, 8, 1000])
@pytest.mark.parametrize("slope", [1, 0, -1])
def test_equal_loops_with_ties(higher, levels, slope, rng):
    x = rng.integers(0, levels, 60).astype(float)
    y = np.round(slope * x / levels * 5 + rng.normal(size=60), 1)
    figures = correlations(x, y, higher)
    sign = 1 if higher else -1
    assert figures["srocc"] == pytest.approx(sign * pearson(mean_ranks(x), mean_ranks(y)))
    assert figures["lcc"] == pytest.approx(sign * pearson(x, y))
    assert figures["krocc"] == pytest.approx(sign * tau_b(x, y))
    curve = logistic_fit(x, y)(x)
    assert figures["rmse"] == pytest.approx(np.sqrt(np.mean((curve - y) ** 2)), rel=1e-3)
    assert abs(figures["lcc_logistic"]) >= abs(figures["lcc"]) - 1e-9


def test_full_agreement_is_one_whichever_score_is_better():
    quality = np.linspace(-3, 3, 20)
    for human, higher in ((quality * 2 + 5, True), (50 - quality * 7, False)):
        figures = correlations(quality, human, higher)
        assert [figures[name] for name in FIGURES[:4]] == pytest.approx([1, 1, 1, 1], abs=1e-6)
        assert figures["rmse"] < 0.1
        turned = correlations(-quality, human, higher)
        assert [turned[name] for name in FIGURES[:4]] == pytest.approx([-1, -1, -1, -1], abs=1e-6)
        assert turned["rmse"] == pytest.approx(figures["rmse"], abs=1e-3)


def test_turning_the_scores_turns_nothing_else(rng):
    x = rng.normal(size=200)
    y = np.tanh(x) + rng.normal(size=200) * 0.2
    assert correlations(x, y, True) == pytest.approx(correlations(x, 100 - y, False), rel=1e-4)


@pytest.mark.parametrize("mapping", [np.exp, np.arctan, lambda x: x**3, lambda x: 1e6 * x - 5])
def test_ranks_do_not_see_monotone_maps(mapping, rng):
    x, y = rng.normal(size=(2, 80))
    plain, mapped = correlations(x, x + y, True), correlations(mapping(x), x + y, True)
    assert (mapped["srocc"], mapped["krocc"]) == pytest.approx((plain["srocc"], plain["krocc"]))


@pytest.mark.parametrize("shift, scale", [(0, 1), (1e4, 1e-2), (-3, 500)])
@pytest.mark.parametrize("top, bottom", [(9, 0), (2, 80)])
def test_logistic_recovers_what_made_the_data(shift, scale, top, bottom, rng):
    x = rng.uniform(-4, 5, 150)
    y = logistic(x, top, bottom, 0.7, 0.8)
    fitted = logistic_fit(x * scale + shift, y)(x * scale + shift)
    assert fitted == pytest.approx(y, abs=1e-3)
    figures = correlations(x * scale + shift, y, top > bottom)
    assert figures["lcc_logistic"] == pytest.approx(1) and figures["lcc"] < 0.99 and figures["rmse"] < 1e-3


def test_logistic_with_noise_beats_the_line_and_stays_monotone(rng):
    x = rng.uniform(-4, 5, 400)
    y = logistic(x, 9, 0, 0.7, 0.5) + rng.normal(size=400) * 0.3
    figures = correlations(x, y, True)
    assert figures["lcc_logistic"] > figures["lcc"] + 0.02 and figures["rmse"] == pytest.approx(0.3, abs=0.04)
    assert np.all(np.diff(logistic_fit(x, y)(np.linspace(-9, 9, 500))) >= 0)


def test_failed_fit_falls_back_to_the_line(rng, monkeypatch):
    def fail(*args, **kwargs):
        raise RuntimeError("Optimal parameters not found")

    x = rng.normal(size=30)
    y = 3 * x + rng.normal(size=30)
    monkeypatch.setattr(correlation, "curve_fit", fail)
    figures = correlations(x, y, True)
    assert figures["lcc_logistic"] == pytest.approx(figures["lcc"])
    assert figures["rmse"] == pytest.approx(np.std(y) * np.sqrt(1 - figures["lcc"] ** 2))
    monkeypatch.setattr(correlation, "curve_fit", lambda *a, **k: (np.full(4, np.nan), None))
    assert correlations(x, y, True) == figures


@pytest.mark.parametrize("count", [2, 3])
def test_fewer_images_than_parameters(count):
    figures = correlations(np.arange(count), np.arange(count) * 2.0, True)
    assert [figures[name] for name in FIGURES] == pytest.approx([1, 1, 1, 1, 0], abs=1e-9)


@pytest.mark.parametrize("x, y", [(np.zeros(9), np.arange(9)), (np.arange(9), np.ones(9)), ([], []), ([1], [2])])
def test_constant_or_none_is_nan_in_silence(x, y):
    figures = correlations(x, y, False)
    assert set(figures) == set(FIGURES) and np.isnan(list(figures.values())).all()


def test_nearly_constant_and_huge_values_are_silent(rng):
    y = rng.normal(size=40)
    for x in (1 + y * 1e-15, y.astype("float32") * 1e30, (1e8 + y * 100).astype("float32")):
        assert np.isfinite(list(correlations(x, y, True).values())).all()


@pytest.mark.parametrize("x, y, message", [
    (np.zeros(3), np.zeros(4), r"shape \(3,\) and human scores of shape \(4,\)"),
    (np.zeros((3, 1)), np.zeros(3), r"expected \(N,\) and \(N,\)"),
    ([1, np.nan, np.inf], [1, 2, 3], "2 of 3 predictions are not finite"),
    ([1, 2, 3], [1, np.nan, 3], "1 of 3 human scores are not finite"),
])
def test_bad_input(x, y, message):
    with pytest.raises(ValueError, match=message):
        correlations(x, y, True)


def test_of_few_images_no_curve_is_fitted_and_the_interval_is_wide(rng):
    x = rng.normal(size=26)
    rows = per_kind(x, x + rng.normal(size=26), ["noise"] * 20 + ["blur"] * 6, True)
    assert [np.isnan([row["lcc_logistic"], row["rmse"]]).all() for row in rows] == [False, True, False]
    assert all(np.isfinite([row["srocc"], row["lcc"], row["krocc"]]).all() for row in rows)
    low, high = correlation.interval(0.9429, 6)
    assert low == pytest.approx(np.tanh(np.arctanh(0.9429) - 1.96 * np.sqrt((1 + 0.9429**2 / 2) / 3)))
    assert low < 0.5 and 0.99 < high <= 1
    assert correlation.interval(1.0, 3) == (-1, 1) and correlation.interval(1.0, 6)[1] <= 1
    assert correlation.interval(0.5, 400) == pytest.approx((0.41, 0.58), abs=0.01)


def test_a_table_of_few_photos_says_so(rng):
    x = rng.normal(size=40)
    y = x + 0.3 * rng.normal(size=40)
    lines = report.agreement_table(per_kind(x[:6], y[:6], [""] * 6, True))
    assert lines[1].split()[4] == lines[1].split()[6] == "-"
    assert lines[2].startswith("6 photos are too few to say how well it agrees: the 95 % interval of the SROCC is ")
    assert "interval" not in report.agreement_table(per_kind(x[:4], y[:4], [""] * 4, True))[2]
    assert len(report.agreement_table(per_kind(x, y, [""] * 40, True))) == 2


def test_rows_per_kind(rng):
    x = rng.normal(size=90)
    y = x + rng.normal(size=90)
    kinds = np.array(["noise", "blur", ""])[np.arange(90) % 3]
    rows = per_kind(x, y, kinds, False)
    assert [(row["kind"], row["images"]) for row in rows] == [("noise", 30), ("blur", 30), ("all", 90)]
    assert rows[1] == {"kind": "blur", "images": 30} | correlations(x[1::3], y[1::3], False)
    assert rows[2] == {"kind": "all", "images": 90} | correlations(x, y, False)
    assert [row["kind"] for row in per_kind(x, y, [""] * 90, True)] == ["all"]


def test_mean_and_std_over_splits(rng):
    x = rng.normal(size=100)
    y = x + rng.normal(size=100)
    splits = [rng.choice(100, 20, replace=False) for _ in range(5)]
    figures = over_splits(x, y, splits, True)
    each = [correlations(x[rows], y[rows], True)["srocc"] for rows in splits]
    assert figures["srocc"] == pytest.approx({"mean": np.mean(each), "std": np.std(each, ddof=1)})
    assert set(figures) == set(FIGURES)


def test_only_the_test_rows_of_a_split_count(rng):
    y = rng.normal(size=40)
    splits = [np.arange(15), np.arange(15, 30)]
    net = np.concatenate([y[:15], -y[15:30], np.full(10, np.nan)])
    figures = over_splits(net, y, splits, True)["srocc"]
    assert figures == pytest.approx({"mean": 0, "std": np.sqrt(2)})
    y = y[:30]
    one = over_splits(y, y, splits[:1], True)["srocc"]
    assert one["mean"] == pytest.approx(1) and np.isnan(one["std"])
    assert np.isnan(over_splits(np.zeros(30), y, splits, True)["srocc"]["mean"])
    for predicted, rows in ((y, []), (np.stack([y, y]), splits), (y[:5], splits)):
        with pytest.raises(ValueError, match="splits of 30 images"):
            over_splits(predicted, y, rows, True)


def test_splits_of_few_photos_have_no_correlation(rng):
    """Of two photos any order is perfect."""
    x, y = rng.normal(size=(2, 20))
    few = over_splits(x, y, [np.array([0, 1]), np.array([2, 3])], True)
    enough = over_splits(x, y, [np.arange(5), np.arange(5, 10)], True)
    assert all(np.isnan(row["mean"]) for row in few.values()) and np.isfinite(enough["srocc"]["mean"])
