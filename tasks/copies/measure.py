"""Copies of photos, made in every way that is tested, and how well features find them, beside a perceptual hash."""

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from tasks.copies.views.changes import CHANGES, unwanted
from tasks.copies.views.photo import as_shape, small
from utils.data.images import open_image
from utils.metrics.baselines import perceptual_hash
from utils.metrics.verification import precision_recall, threshold_at

PRECISION = 0.99  # over all pairs of a copy and a photo, at which the recall of each kind is told
HASH_BITS = 10  # of the 64 bits of the perceptual hash: up to which two pictures usually count as alike
EASY = ("half size", "JPEG 40", "crop to 90 %", "brightness 1.4")  # the copies that are mixed with their photos
KINDS = {label: (change.function, amount) for change in CHANGES.values() for label, amount in change.tested.items()}

Progress = Callable[[int, int], None]  # how much is done, and of how much
# pictures -> features (N, F) whose scalar product tells how alike they are
Embed = Callable[[list[Image.Image]], np.ndarray]


def silent(done: int, of: int) -> None:
    """A progress that nobody is told of."""


class Copies(NamedTuple):
    """Pictures: photos (N), and of the first M copies of each kind."""

    photos: list[Image.Image]
    copies: dict[str, list[Image.Image]]


def left_out(options) -> list[str]:
    """The kinds of changes after which a photo is no copy any more, by the flags of training."""
    return [label for name in unwanted(options) for label in CHANGES[name].tested]


def make_copies(paths: list[str], copied: int, seed: int = 0, whole: bool = True, left_out: Sequence[str] = (),
                progress: Progress = silent) -> Copies:
    """Reads the photos and copies the first `copied` of them in each way.

    Args:
        left_out: kinds of `KINDS` after which a photo is no copy any more.
        whole: whether photos are taken at their own size; otherwise small ones, which is faster.
        progress: called with the photos that were read and the copies that were made, and the number of both.
    """
    kinds = [(number, label) for number, label in enumerate(KINDS) if label not in left_out]
    count = itertools.count(1)

    def told(made: Image.Image) -> Image.Image:
        progress(next(count), len(paths) + len(kinds) * min(copied, len(paths)))
        return made

    photos = [told(open_image(path, "RGB") if whole else small(path)) for path in paths]
    copies = {}
    for number, label in kinds:
        function, amount = KINDS[label]
        rng = np.random.default_rng([seed, number])
        copies[label] = [told(function(photo, amount, rng)) for photo in photos[:copied]]
    return Copies(photos, copies)


def recall_by_kind(made: Copies, embed: Embed, progress: Progress = silent) -> dict[str, float]:
    """For each kind the share of copies that are found, at `PRECISION` over all copies and photos at once.

    Args:
        progress: called with the kinds that were embedded and their number.
    """
    photos, scores = embed(made.photos), {}  # (N, F)
    for label, pictures in made.copies.items():
        scores[label] = embed(pictures) @ photos.T  # (M, N)
        progress(len(scores), len(made.copies))
    count = len(next(iter(scores.values())))
    truth = np.eye(count, len(photos), dtype=bool)
    everything = np.stack(list(scores.values()))  # (kinds, M, N)
    threshold = threshold_at(everything, np.broadcast_to(truth, everything.shape), PRECISION)
    return {label: float((np.diagonal(similarities) >= threshold).mean()) for label, similarities in scores.items()}


def easy_pairs(made: Copies, embed: Embed) -> tuple[np.ndarray, np.ndarray]:
    """Scalar products of all pairs of photos and their easy copies, and which pairs belong together: (P,), (P,)
    bool."""
    count = len(next(iter(made.copies.values())))
    pictures = [*made.photos, *(picture for label in EASY for picture in made.copies[label])]
    belongs = np.concatenate([np.arange(len(made.photos)), np.tile(np.arange(count), len(EASY))])
    features = embed(pictures)
    left, right = np.triu_indices(len(features), 1)
    scores = np.concatenate([features[a] @ features[a + 1 :].T for a in range(len(features) - 1)])
    return scores, belongs[left] == belongs[right]


def at_threshold(pairs: tuple[np.ndarray, np.ndarray], threshold: float) -> dict[str, float]:
    """Precision, recall and F1 of the easy pairs at one threshold, and the best F1 at any."""
    scores, truth = pairs
    candidates = np.unique([threshold, *np.quantile(scores[truth], np.linspace(0, 1, 200))])
    return precision_recall(scores, truth, threshold) | {"best_f1": max(precision_recall(scores, truth, cut)["f1"]
                                                                        for cut in candidates)}


def by_hash(pictures: list[Image.Image]) -> np.ndarray:
    """Perceptual hashes as features whose scalar product falls with their distance: 1 where equal, -1 where every bit
    differs."""
    return np.stack([perceptual_hash(picture) for picture in pictures]).astype("float32") / 4 - 0.125


def as_inputs(pictures: list[Image.Image], shape: tuple[int, int, int]) -> np.ndarray:
    """Pictures as a model takes them: (N, height, width, channels) uint8."""
    return np.stack([as_shape(picture, shape) for picture in pictures])
