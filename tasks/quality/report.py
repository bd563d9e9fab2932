"""Does a score fall as photos get worse, and does it agree with people? Photos scored, and what that is worth."""

from typing import Callable

import numpy as np

from utils.metrics import correlation
from utils.run import figures, folder as runs
from utils.distortions.catalogue import Distortion, distort, own_seed
from utils.data.images import read_photo
from utils.batches.crops import at_least, window
from utils.data.scores import Scored

CROPS = 30  # random crops whose mean is the score of a photo, as in the article
DIVERGED = "the scores are no numbers: training diverged; lower --learning_rate"
LARGEST = 1024  # pixels a side of a photo that is distorted; of a larger one, a window of it
WHOLE = 4_000_000  # pixels of a photo that is scored at once; of a larger one, crops


def score_levels(
    score: Callable[[np.ndarray], float], paths: list[str], kinds: dict[str, Distortion], seed: int = 0,
    progress=lambda done, of: None,
) -> dict[str, np.ndarray]:
    """Scores of photos at every level, distorted as a whole, or a window of those larger than `LARGEST`.

    Args:
        score: photo (H, W, 3) uint8 -> a number, higher is better.
        progress: called with the photos done and their number.

    Returns:
        For each distortion (photos, levels + 1); column 0 is the pristine photo.
    """
    found = {name: np.empty((len(paths), len(kind.levels) + 1)) for name, kind in kinds.items()}
    for row, path in enumerate(paths):
        photo = window(read_photo(path), LARGEST, np.random.default_rng([seed, row]))
        pristine = score(photo)
        for name, kind in kinds.items():
            worse = (distort(photo, kind, level, own_seed(name, seed + row)) for level in range(1, len(kind.levels) + 1))
            found[name][row] = [pristine, *map(score, worse)]
        progress(row + 1, len(paths))
    return found


def photo_score(scorer, photo: np.ndarray, crops: int, seed: int = 0) -> float:
    """The score of a photo: of the whole where `crops` is 0, else the mean over that many random crops.

    Where `crops` is 0, `CROPS` of them stand for a photo above `WHOLE` pixels, and for any where the
    model takes crops only.

    Args:
        scorer: see `nets.rankiqa.Scorer`.
        photo: (H, W, 3) uint8 of any size; one smaller than a crop is enlarged.
    """
    photo = at_least(photo, scorer.side)
    if not crops and scorer.whole and photo.shape[0] * photo.shape[1] <= WHOLE:
        return float(scorer.score(photo[None])[0])
    rng = np.random.default_rng(seed)
    return float(scorer.score(np.stack([window(photo, scorer.side, rng) for _ in range(crops or CROPS)])).mean())


def pair_order(scores: np.ndarray) -> dict[str, float]:
    """Share of level pairs whose better level scores higher; equal scores are half right.

    Args:
        scores: (photos, levels), level 0 the best.

    Returns:
        order: over all pairs of levels of one photo; adjacent: over neighbouring levels of one
        photo; gap_1, gap_2 ...: over levels so far apart; across, across_adjacent: a level of one
        photo against a worse level of any other photo.
    """
    levels = scores.shape[1]
    gaps = {gap: compare(scores[:, :-gap], scores[:, gap:]) for gap in range(1, levels)}
    across = {(i, j): across_photos(scores[:, i], scores[:, j]) for i in range(levels) for j in range(i + 1, levels)}
    result = {
        "order": float(np.concatenate([right.ravel() for right in gaps.values()]).mean()),
        "adjacent": float(gaps[1].mean()),
        **{f"gap_{gap}": float(right.mean()) for gap, right in gaps.items()},
    }
    if len(scores) > 1:
        result["across"] = float(np.mean(list(across.values())))
        result["across_adjacent"] = float(np.mean([value for (i, j), value in across.items() if j == i + 1]))
    return result


def by_kind(scores: np.ndarray, keys: np.ndarray) -> list[np.ndarray]:
    """Scores (B,) of images with keys (B, 3) of photo, distortion, level, as (photos, levels + 1) for each distortion."""
    pristine = scores[keys[:, 2] == 0][:, None]  # (photos, 1)
    kinds = [kind for kind in np.unique(keys[:, 1]) if kind >= 0]
    return [np.hstack([pristine, scores[keys[:, 1] == kind].reshape(len(pristine), -1)]) for kind in kinds]


def compare(better: np.ndarray, worse: np.ndarray) -> np.ndarray:
    """1 where the better scores higher, 1/2 where both score the same, else 0."""
    return (better > worse) + 0.5 * (better == worse)


def across_photos(better: np.ndarray, worse: np.ndarray) -> float:
    """Mean of `compare` over all pairs of different photos: (photos,), (photos,)."""
    right = compare(better[:, None], worse[None, :])
    return float((right.sum() - np.trace(right)) / max(1, right.size - len(right)))


def write_report(scores: dict[str, np.ndarray], kinds: dict[str, Distortion], folder: str) -> dict:
    """Writes order.json and order.png: the order of levels by distortion, and "mean" over them.

    Raises:
        ValueError: scores that are no numbers.
    """
    if not all(np.isfinite(found).all() for found in scores.values()):
        raise ValueError(DIVERGED)
    result = {kind: pair_order(found) for kind, found in scores.items()}
    shared = set.intersection(*(set(row) for row in result.values()))
    result["mean"] = {key: float(np.mean([row[key] for row in result.values()])) for key in next(iter(result.values())) if key in shared}
    runs.write_json(folder, "order.json", {"photos": len(next(iter(scores.values()))), "distortions": result})
    figures.level_scores(folder, scores, {key: kinds[key].levels for key in scores})
    return result


def lines(result: dict) -> list[str]:
    """The report as a table."""
    columns = [key for key in result["mean"] if not key.startswith("gap_")]
    head = f"{'pairs of levels in the right order':36}" + "".join(f"{key:>17}" for key in columns)
    rows = [f"  {name:34}" + "".join(f"{row[key]:17.4f}" for key in columns) for name, row in result.items()]
    return [head, *rows]


def predict(scorer, paths: list[str], crops: int, seed: int = 0, progress=lambda done, of: None) -> np.ndarray:
    """Quality (N,) of photos, higher is better: the model's scores, negated where lower ones are better."""
    found = []
    for path in paths:
        found.append(photo_score(scorer, read_photo(path), crops, seed))
        progress(len(found), len(paths))
    return np.array(found) * (1 if scorer.higher_is_better else -1)


def write_agreement(folder: str, quality: np.ndarray, scored: Scored, rows: np.ndarray) -> list[dict]:
    """Writes agreement.json and predicted.png of the quality (R,) of the images at `rows`; a row a distortion, then all."""
    if not np.isfinite(quality).all():
        raise ValueError(DIVERGED)
    human = scored.scores[rows]
    table = correlation.per_kind(quality, human, scored.kinds[rows], scored.higher_is_better)
    runs.write_json(folder, "agreement.json", table)
    figures.predicted(folder, human, quality if scored.higher_is_better else -quality,
                      f"{len(rows)} photos: SROCC {table[-1]['srocc']:.3f}, LCC {table[-1]['lcc']:.3f}")
    return table


def agreement_lines(table: list[dict]) -> list[str]:
    """The agreement as a table."""
    columns = ("srocc", "lcc", "lcc_logistic", "krocc", "rmse")
    head = f"{'agreement with people':26}{'images':>8}" + "".join(f"{column:>14}" for column in columns)
    return [head, *(f"  {row['kind']:24}{row['images']:8}" + "".join(f"{row[c]:14.4f}" for c in columns) for row in table)]
