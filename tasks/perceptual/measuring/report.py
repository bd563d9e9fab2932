"""What a generator makes, beside its originals: the errors of the article's table 3, and sheets."""

from collections.abc import Callable

import numpy as np

from nets.models.perceptual import Maker
from tasks.perceptual import figures
from utils.metrics.pictures import rounded

AT_ONCE, SHOWN = 32, 8  # crops that are made at once; on a sheet


def made_of(used: Maker, originals: np.ndarray) -> np.ndarray:
    """What a generator makes of pictures (N, s, s, 3): as many, float32, in 0..255."""
    return np.concatenate([used.make(originals[start : start + AT_ONCE])
                           for start in range(0, len(originals), AT_ONCE)])


def errors(used: Maker, originals: np.ndarray) -> dict[str, float]:
    """Normalised errors of what is made of pictures (N, s, s, 3) uint8, N > 1, as in the article's table 3.

    "error": mean Euclidean distance of pixels to the original, divided by that between different originals; "distance":
    the same of the comparator's features. 0 is perfect, 1 no better than another picture.
    """
    originals = originals.astype("float32")
    made, others = made_of(used, originals), np.roll(originals, 1, axis=0)
    features = [features_of(used, pictures) for pictures in (made, originals)]
    return {"error": apart(made, originals) / apart(others, originals),
            "distance": apart(*features) / apart(np.roll(features[1], 1, axis=0), features[1])}


def mean_score(score: Callable[[np.ndarray], float], pictures: np.ndarray, progress=lambda done, of: None) -> float:
    """The mean of the scores of pictures (N, s, s, 3) in 0..255."""
    found = []
    for number, picture in enumerate(rounded(pictures), start=1):
        found.append(score(picture))
        progress(number, len(pictures))
    return float(np.mean(found))


def features_of(used: Maker, pictures: np.ndarray) -> np.ndarray:
    """The comparator's features of pictures, all layers in a row: (N, F); layers weigh alike, as in the distance."""
    rows = []
    for start in range(0, len(pictures), AT_ONCE):
        maps = [np.asarray(each) for each in used.distance.features(pictures[start : start + AT_ONCE])]
        rows.append(np.concatenate([each.reshape(len(each), -1) / np.sqrt(np.prod(each.shape[1:3])) for each in maps],
                                   axis=1))
    return np.concatenate(rows)


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """The mean Euclidean distance of the rows of two arrays (N, ...)."""
    return float(np.linalg.norm((one - other).reshape(len(one), -1), axis=1).mean())


def draw(path: str, originals: np.ndarray, makers: dict[str, Maker]) -> None:
    """The sheet of originals (N, s, s, 3) uint8, and what each of some generators makes of them."""
    shown = originals[:SHOWN]
    rows = [(name, rounded(made_of(used, shown))) for name, used in makers.items()]
    figures.sheet([("original", shown), *rows], path, "originals, and what is made of them")
