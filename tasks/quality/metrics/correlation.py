"""How well predicted quality agrees with people's: rank and linear correlation, per distortion and over splits."""

import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import curve_fit
from scipy.special import expit

FEWEST = 5  # photos of a split: the curve has four parameters, and of two photos any order is perfect
CURVED = 20  # photos below which a curve of four parameters says nothing, and an order little
FIGURES = ("srocc", "lcc", "lcc_logistic", "krocc", "rmse")


def correlations(predicted: np.ndarray, human: np.ndarray, higher_is_better: bool) -> dict[str, float]:
    """Agreement of predicted quality with human scores.

    `predicted` is a quality: higher is better, whatever the human scores are. Where lower human
    scores are better (DMOS), they are negated first, so that 1 is full agreement and -1 full
    disagreement in both cases. A net that predicts DMOS itself has its output negated by the caller.

    Args:
        predicted: (N,), any unit.
        human: (N,).
        higher_is_better: whether higher human scores are better.

    Returns:
        srocc: Spearman's rank correlation, ties by their mean rank.
        lcc: Pearson's linear correlation of the predictions as they are.
        lcc_logistic: the same after the curve of `logistic_fit`; negative where the curve falls.
        krocc: Kendall's tau-b.
        rmse: root mean square error after that curve, in units of the human scores.
        The curve is fitted to the images that it is then measured on, as VQEG does. All are nan
        for fewer than two images and where predictions or scores are constant.

    Raises:
        ValueError: lengths that differ, or values that are not finite.

    >>> round(correlations(np.array([1, 2, 3, 5]), np.array([80, 60, 70, 10]), False)["srocc"], 3)
    0.8
    """
    x, y = checked(predicted, human)
    y = y if higher_is_better else -y
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return dict.fromkeys(FIGURES, float("nan"))
    curve = logistic_fit(x, y)(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns of nearly constant values
        lcc = stats.pearsonr(x, y).statistic
        values = (
            stats.spearmanr(x, y).statistic,
            lcc,
            np.copysign(stats.pearsonr(curve, y).statistic, rise(x, curve)) if np.ptp(curve) else 0.0,
            stats.kendalltau(x, y).statistic,
            np.sqrt(np.mean((curve - y) ** 2)),
        )
    return {name: float(value) for name, value in zip(FIGURES, values)}


def checked(predicted: np.ndarray, human: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both as (N,) float64."""
    x, y = np.asarray(predicted, "float64"), np.asarray(human, "float64")
    if x.shape != y.shape or x.ndim != 1:
        raise ValueError(f"predictions of shape {x.shape} and human scores of shape {y.shape}; expected (N,) and (N,)")
    for name, values in (("predictions", x), ("human scores", y)):
        wrong = int(np.sum(~np.isfinite(values)))
        if wrong:
            raise ValueError(f"{wrong} of {len(values)} {name} are not finite; expected numbers only")
    return x, y


def rise(x: np.ndarray, curve: np.ndarray) -> float:
    """How much a monotone curve (N,) rises over x (N,); negative where it falls."""
    return curve[x.argmax()] - curve[x.argmin()]


def logistic(x: np.ndarray, top: float, bottom: float, middle: float, width: float) -> np.ndarray:
    """The monotone curve of VQEG (2000), annex: bottom + (top - bottom) / (1 + exp(-(x - middle) / |width|))."""
    return bottom + (top - bottom) * expit((x - middle) / max(abs(width), 1e-12))


def logistic_fit(predicted: np.ndarray, human: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """The logistic curve of four parameters from predictions to human scores, by least squares.

    Where the fit fails, or ends worse than the straight line (too few images, a poor optimum), it is
    the straight line.

    Args:
        predicted: (N,), not constant.
        human: (N,).

    Returns:
        A function of predictions (M,) to scores (M,), monotone.
    """
    centre, spread = predicted.mean(), predicted.std()
    line = np.polynomial.Polynomial.fit(predicted, human, 1)
    z, start = (predicted - centre) / spread, (human.max(), human.min(), 0.0, 1.0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit without covariance is good enough, overflow a poor step
            parameters, _ = curve_fit(logistic, z, human, p0=start, maxfev=4000)
    except (RuntimeError, TypeError, ValueError):  # no convergence; fewer images than parameters
        return line
    if not np.sum((logistic(z, *parameters) - human) ** 2) <= np.sum((line(predicted) - human) ** 2):
        return line
    return lambda x: logistic((np.asarray(x, "float64") - centre) / spread, *parameters)


def per_kind(
    predicted: np.ndarray, human: np.ndarray, kinds: Sequence[str], higher_is_better: bool
) -> list[dict[str, Any]]:
    """A row for each distortion, as they first appear, and one for all images.

    Args:
        predicted, human, higher_is_better: as in `correlations`.
        kinds: (N,) names; images of the name "" count in "all" only.

    Returns:
        Rows of kind, images, and what `correlations` returns; each row has a logistic curve of its own. Of fewer than
        `CURVED` images no curve is fitted, and what it gives is nan.
    """
    predicted, human, kinds = np.asarray(predicted), np.asarray(human), np.asarray(kinds, str)
    masks = {str(kind): kinds == kind for kind in dict.fromkeys(kinds) if kind}
    masks["all"] = np.ones(len(kinds), bool)
    rows = [
        {"kind": kind, "images": int(mask.sum())} | correlations(predicted[mask], human[mask], higher_is_better)
        for kind, mask in masks.items()
    ]
    return [row if row["images"] >= CURVED else row | {"lcc_logistic": float("nan"), "rmse": float("nan")}
            for row in rows]


def interval(srocc: float, images: int) -> tuple[float, float]:
    """The 95 % interval of a rank correlation of so many images, by Fisher's z with the variance of Bonett & Wright
    (2000), (1 + srocc^2 / 2) / (images - 3); -1 to 1 for three images or fewer."""
    if images <= 3 or not np.isfinite(srocc):
        return -1.0, 1.0
    z, width = np.arctanh(np.clip(srocc, -1 + 1e-9, 1 - 1e-9)), 1.96 * np.sqrt((1 + srocc**2 / 2) / (images - 3))
    return float(np.tanh(z - width)), float(np.tanh(z + width))


def over_splits(
    predicted: np.ndarray, human: np.ndarray, splits: Sequence[np.ndarray], higher_is_better: bool
) -> dict[str, dict[str, float]]:
    """Mean and standard deviation of the correlations over the test rows of several splits.

    Args:
        predicted, human, higher_is_better: as in `correlations`.
        splits: S arrays of test rows.

    Returns:
        For each figure of `correlations`: mean, std (of the sample, S - 1; nan for one split).
        A split whose figure is nan makes them nan, and so does one of fewer than `FEWEST` rows.

    Raises:
        ValueError: no splits, or predictions of another shape.
    """
    human, predicted = np.asarray(human), np.asarray(predicted)
    if not len(splits) or predicted.shape != human.shape:
        raise ValueError(
            f"predictions of shape {predicted.shape} for {len(splits)} splits of {len(human)} images; expected at "
            "least one split, and (N,)"
        )
    of_splits = [correlations(predicted[rows], human[rows], higher_is_better) if len(rows) >= FEWEST
                 else dict.fromkeys(FIGURES, float("nan")) for rows in splits]
    table = {name: np.array([figures[name] for figures in of_splits]) for name in FIGURES}  # (S,) each
    return {
        name: {
            "mean": float(np.mean(values)),
            "std": float(np.std(values, ddof=1)) if len(values) > 1 else float("nan"),
        }
        for name, values in table.items()
    }
