"""What the scores of photos are worth: reports, figures and tables of order and of agreement with people."""

import math

import numpy as np

from tasks.quality import figures
from tasks.quality.metrics.ordering import pair_order
from utils.data.scores import Scored
from utils.distortions.catalogue import Distortion
from utils.run import folder as runs
from utils.saying import counted

DIVERGED = "the scores are NaN or infinite: training diverged. Try a learning rate ten times lower"


def write_order(scores: dict[str, np.ndarray], kinds: dict[str, Distortion], folder: str,
                higher_is_better: bool = True) -> dict:
    """Writes order.json and order.png: the order of levels by distortion, and "mean" over them; and where the scores
    lie.

    Args:
        scores: of each distortion (photos, levels + 1), as the model gives them; column 0 is that of the undistorted
            photos.

    Raises:
        ValueError: scores that are NaN or infinite.
    """
    if not all(np.isfinite(of_kind).all() for of_kind in scores.values()):
        raise ValueError(DIVERGED)
    quality = {kind: of_kind if higher_is_better else -of_kind for kind, of_kind in scores.items()}
    result = {kind: pair_order(of_kind) for kind, of_kind in quality.items()}
    shared = set.intersection(*(set(row) for row in result.values()))
    result["mean"] = {key: float(np.mean([row[key] for row in result.values()])) for key in next(iter(result.values()))
                      if key in shared}
    runs.write_json(folder, runs.ORDER, {"photos": len(next(iter(scores.values()))), "four_fifths": four_fifths(scores),
                                         "distortions": result})
    figures.level_scores(folder, quality, kinds)
    return result


def four_fifths(scores: dict[str, np.ndarray]) -> dict[str, list[float]]:
    """Where the middle four fifths of the scores lie, as of `write_order`: the 10th and the 90th percentile."""
    ends = {"undistorted": 0, "most_distorted": -1}
    return {name: np.percentile(np.concatenate([of_kind[:, column] for of_kind in scores.values()]), (10, 90)).tolist()
            for name, column in ends.items()}


def order_table(result: dict) -> list[str]:
    """The report as a table."""
    columns = [key for key in result["mean"] if not key.startswith("gap_")]
    head = f"{'pairs of levels in the right order':36}" + "".join(f"{key:>17}" for key in columns)
    rows = [f"  {name:34}" + "".join(f"{row[key]:17.4f}" for key in columns) for name, row in result.items()]
    return [head, *rows]


def spread(photos: int, ends: dict[str, list[float]]) -> str:
    """Where the scores of so many photos lie, in words; `ends` as of `four_fifths`."""
    good, bad = (f"{low:.4g} to {high:.4g}" for low, high in (ends[name] for name in ("undistorted", "most_distorted")))
    return (f"of {counted(photos, 'photo')}, four of five score {good} undistorted, and {bad} at the highest levels "
            "of distortion")


def write_agreement(folder: str, quality: np.ndarray, scored: Scored, rows: np.ndarray) -> list[dict]:
    """Writes agreement.json and predicted.png of the quality (R,) of the images at `rows`; a row a distortion, then
    all."""
    if not np.isfinite(quality).all():
        raise ValueError(DIVERGED)
    human = scored.scores[rows]
    from tasks.quality.metrics import correlation

    table = correlation.per_kind(quality, human, scored.kinds[rows], scored.higher_is_better)
    runs.write_json(folder, "agreement.json", table)
    figures.predicted(folder, human, quality if scored.higher_is_better else -quality,
                      f"{counted(len(rows), 'photo')}: SROCC {table[-1]['srocc']:.3f}, LCC {table[-1]['lcc']:.3f}")
    return table


def agreement_table(table: list[dict]) -> list[str]:
    """The agreement as a table, and what to think of it where the photos are few."""
    from tasks.quality.metrics.correlation import CURVED, FEWEST, interval

    columns = ("srocc", "lcc", "lcc_logistic", "krocc", "rmse")
    head = f"{'agreement with people':26}{'images':>8}" + "".join(f"{column:>14}" for column in columns)
    lines = [head, *(f"  {row['kind']:24}{row['images']:8}" + "".join(
        f"{row[c]:14.4f}" if math.isfinite(row[c]) else f"{'-':>14}" for c in columns) for row in table)]
    images, srocc = table[-1]["images"], table[-1]["srocc"]
    if images < CURVED:
        low, high = interval(srocc, images)
        sure = "" if images < FEWEST or not math.isfinite(srocc) else (
            f": the 95 % interval of the SROCC is {low:.2f} to {high:.2f}")
        lines.append(f"{images} photos are too few to say how well it agrees{sure}; with {CURVED} or more a logistic "
                     "curve is fitted too")
    return lines


def learnt(known: dict) -> str:
    """What a model knows that learnt from photos, by its about.json, in a line."""
    how = "with scores of people" if known["task"] == "finetune" else "and distorted copies of them"
    return f"learnt from {known['images']} {known['shows']} {how}"
