"""A model of quality, opened and asked: photos -> scores, whole or by crops, as they are or at every level of
distortion."""

import itertools
import math
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from nets.uses import Scorer
from tasks import about, choosing
from tasks.choosing import checked, ready_model
from utils.batches.crops import at_least, central_crop, enlarged_size, random_crop, window
from utils.data.images import read_photo
from utils.distortions.catalogue import Distortion, distort, own_seed
from utils.pictures import Picture, several

CROPS = 30  # random crops whose mean is the score of a photo, as in the article
TESTED_WINDOW = 1024  # pixels a side of a photo that is distorted; of a larger one, a window of it
CENTRE = 256  # pixels a side of the middle of a photo that tells its quality, where many are compared
WHOLE = 4_000_000  # pixels of a photo that is scored at once; of a larger one, crops


def score_levels(
    score: Callable[[np.ndarray], float], paths: list[str], kinds: dict[str, Distortion], seed: int = 0,
    progress=lambda done, of: None,
) -> dict[str, np.ndarray]:
    """Scores of photos at every level, distorted as a whole, or a window of those larger than `TESTED_WINDOW`.

    Args:
        score: photo (H, W, 3) uint8 -> a number, higher is better.
        progress: called with the pictures that were scored, distorted ones too, and their number.

    Returns:
        For each distortion (photos, levels + 1); column 0 is the pristine photo.
    """
    scores = {name: np.empty((len(paths), len(kind.levels) + 1)) for name, kind in kinds.items()}
    each = 1 + sum(len(kind.levels) for kind in kinds.values())  # pictures of a photo
    count = itertools.count(1)

    def counted(picture: np.ndarray) -> float:
        progress(next(count), each * len(paths))
        return score(picture)

    for row, path in enumerate(paths):
        photo = window(read_photo(path), TESTED_WINDOW, np.random.default_rng([seed, row]))
        pristine = counted(photo)
        for name, kind in kinds.items():
            worse = (distort(photo, kind, level, own_seed(name, seed + row))
                     for level in range(1, len(kind.levels) + 1))
            scores[name][row] = [pristine, *map(counted, worse)]
    return scores


def photo_score(scorer, photo: np.ndarray, crops: int, seed: int = 0) -> float:
    """The score of a photo, see `over_photo`; scorer: see `nets.uses.Scorer`."""
    return float(over_photo(scorer.score, photo, crops, scorer.side, scorer.whole, seed))


def over_photo(compute: Callable[[np.ndarray], np.ndarray], photo: np.ndarray, crops: int, side: int, whole: bool,
               seed: int = 0) -> np.ndarray:
    """What is computed of a photo: of the whole where `crops` is 0, else the mean over that many random crops.

    Where `crops` is 0, `CROPS` of them stand for a photo above `WHOLE` pixels, and for any where the
    network takes crops only. So do they for a strip, such as 1 x 65000 pixels, that would be larger than that once it
    is enlarged: a crop is cut first and enlarged then.

    Args:
        compute: photos (N, H, W, 3) of one size -> a number or a row of each, (N, ...).
        photo: (H, W, 3) uint8 of any size; one smaller than a crop is enlarged.
        side: of a crop, in pixels.
        whole: whether photos of any size can be computed, and not only crops.
    """
    photo = at_least(photo, side)
    if not crops and whole and math.prod(enlarged_size(photo, side)) <= WHOLE:
        return np.asarray(compute(photo[None]))[0]
    rng = np.random.default_rng(seed)
    return np.mean(compute(np.stack([random_crop(photo, side, rng) for _ in range(crops or CROPS)])), axis=0)


def predict(scorer, paths: list[str], crops: int, seed: int = 0, progress=lambda done, of: None) -> np.ndarray:
    """Quality (N,) of photos, higher is better: the model's scores, negated where lower ones are better."""
    scores = []
    for path in paths:
        scores.append(photo_score(scorer, read_photo(path), crops, seed))
        progress(len(scores), len(paths))
    return np.array(scores) * (1 if scorer.higher_is_better else -1)


def quality_of_centres(paths: list[str]) -> np.ndarray:
    """Quality (N,) of the middle of photos by the ready model, higher is better; lowest for files that cannot be
    read."""
    scores = []
    for path in paths:
        try:
            part = central_crop(read_photo(path), CENTRE)
        except ValueError:
            scores.append(-np.inf)
            continue
        scores.append(float(ready_scorer().score(part[None])[0]))
    return np.array(scores) * (1 if ready_scorer().higher_is_better else -1)


def open_scorer(path: str) -> Scorer:
    """The model of a .keras file, whose scores are numbers, or else a ValueError."""
    scorer, _, runtime = choosing.open_model(path, "quality")
    return scorer._replace(score=checked(scorer.score, path), runtime=runtime)


@lru_cache(maxsize=1)
def ready_scorer() -> Scorer:
    """The ready model of quality, loaded once."""
    return open_scorer(ready_model("quality"))


def ready_score(photo: np.ndarray) -> float:
    """The score of a photo (H, W, 3) uint8 by the ready model of quality."""
    return float(photo_score(ready_scorer(), photo, 0))


class Quality:
    """How good photos look: what `compare.load` returns for models of `rank` and `finetune`.

    Args:
        path: the .keras file.
        threshold, threshold_at: of models of similarity; without effect here.

    Attributes:
        path: the .keras file.
        higher_is_better: the direction of the scores.
        low, high: range of the scores that the model was fitted to; others may lie outside. None where it is unknown.
        known: what the model learnt from, its about.json; None where it has none.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        self.path, self.scorer, self.known = path, open_scorer(path), about.read(path)
        self.higher_is_better, self.low, self.high = self.scorer.higher_is_better, self.scorer.low, self.scorer.high

    def quality(self, pictures: Sequence[Picture], crops: int = 0) -> np.ndarray:
        """Scores (N,) float64 of N photos.

        Args:
            crops: the score is the mean over so many random crops; 0: of the whole photo, or of 30 crops where it is
                large.
        """
        return np.array([photo_score(self.scorer, read_photo(picture), crops) for picture in several(pictures)])

    def warning(self, pictures: Sequence[Picture]) -> str:
        """Why the scores of these photos may mean nothing; "" where they look like those of the training."""
        return about.doubt_about(self.known, several(pictures))
