"""Ways to compare pictures that are found in closed form, and how well each does on classes it was not fitted to."""

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import pdist
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from nets.linear import Linear
from nets.models import siamese
from utils.data.files import evenly
from utils.metrics import baselines

IMAGENET = "imagenet"  # the features of EfficientNet-Lite0, where its weights are at hand
FOLDS = 5  # of the classes, at most
MOST = 600  # images of which all pairs are compared


class Part(NamedTuple):
    """A map: in words, whose features it takes ("tower", "pixels" or `IMAGENET`), and (features (N, F), labels (N,)) ->
    the map, or None where these classes do not give one."""

    words: str
    of: str
    fit: Callable[[np.ndarray, np.ndarray], Linear | None]


class Pairs(NamedTuple):
    """Pairs that a map was not fitted to: distances of their embeddings (M,), and whether they are the same (M,)."""

    distances: np.ndarray
    same: np.ndarray

    @property
    def roc_auc(self) -> float:
        """How well the distances tell same from different pairs."""
        return float(roc_auc_score(self.same, -self.distances))

    def calibrate(self, model) -> None:
        """Fits the head of a Siamese model to these distances."""
        siamese.calibrate(model, np.zeros((len(self.distances), 1)), self.distances[:, None], self.same)


def standardised(features: np.ndarray, labels: np.ndarray) -> Linear:
    """Each feature with mean 0 and deviation 1 on the pictures to learn from, so that all of them count alike."""
    return Linear(features.mean(0), features.std(0) + 1e-6, None)


def discriminant(features: np.ndarray, labels: np.ndarray, shrinkages: tuple = ("auto", 0.5)) -> Linear | None:
    """Fisher's linear discriminants of the standardised features, with the shrinkage of Ledoit and Wolf (2004), or,
    where the pictures of a class are too few for it, with one half."""
    classes = len(np.unique(labels))
    if not 1 < classes < len(labels):
        return None
    mean, deviation, _ = standardised(features, labels)
    for shrinkage in shrinkages:
        with suppress(np.linalg.LinAlgError):
            learnt = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage).fit((features - mean) / deviation,
                                                                                         labels)
            return Linear(mean, deviation, learnt.scalings_[:, : classes - 1])
    return None


def pixels(features: np.ndarray, labels: np.ndarray) -> Linear:
    """The grey pixels as they are."""
    return Linear(np.zeros(features.shape[1]), np.ones(features.shape[1]), None)


def fisherfaces(features: np.ndarray, labels: np.ndarray) -> Linear | None:
    """Fisherfaces of the grey pixels, see `utils.metrics.baselines.fisherfaces`."""
    found = baselines.fisher_map(features, labels)
    return None if found is None else Linear(found[0], np.ones(features.shape[1]), found[1])


PARTS = {
    "discriminant": Part("Fisher's discriminant", "tower", discriminant),
    "standardised": Part("standardised features", "tower", standardised),
    "fisherfaces": Part("Fisherfaces", "pixels", fisherfaces),
    "pixels": Part("pixels", "pixels", pixels),
    "imagenet discriminant": Part("Fisher's discriminant of EfficientNet-Lite0", IMAGENET,
                                  partial(discriminant, shrinkages=(0.9,))),
    "imagenet standardised": Part("standardised features of EfficientNet-Lite0", IMAGENET, standardised),
}
# maps by themselves, and several whose embeddings stand side by side
RECIPES = {name: (name,) for name in PARTS} | {
    "discriminant, fisherfaces": ("discriminant", "fisherfaces"),
    "discriminant, standardised, fisherfaces": ("discriminant", "standardised", "fisherfaces"),
    "imagenet both": ("imagenet discriminant", "imagenet standardised"),
    "discriminant, imagenet discriminant": ("discriminant", "imagenet discriminant"),
    "discriminant, imagenet discriminant, fisherfaces": ("discriminant", "imagenet discriminant", "fisherfaces"),
}


def in_words(recipe: str) -> str:
    """A recipe, by its name in `RECIPES`."""
    return " + ".join(PARTS[part].words for part in RECIPES[recipe])


def fitted(features: dict[str, np.ndarray], labels: np.ndarray, rows: np.ndarray) -> dict[str, Linear]:
    """The parts, fitted to all views of the pictures at `rows`, see `cross_validated`; without those that these do not
    give."""
    made = {name: part.fit(features[part.of][rows].reshape(-1, features[part.of].shape[-1]),
                           labels[rows].repeat(features[part.of].shape[1]))
            for name, part in PARTS.items() if part.of in features}
    return {name: linear for name, linear in made.items() if linear is not None}


def embedded(recipe: str, maps: dict[str, Linear], features: dict[str, np.ndarray], rows: np.ndarray) -> np.ndarray:
    """The pictures at `rows` by a recipe whose parts are fitted: (N, P), of unit length."""
    made = [maps[part](features[PARTS[part].of][rows, 0]) for part in RECIPES[recipe]]
    return np.concatenate(made, axis=1) / np.sqrt(len(made))


def cross_validated(features: dict[str, np.ndarray], labels: np.ndarray, seed: int = 0) -> dict[str, Pairs]:
    """Pairs of classes that each recipe was not fitted to, for the recipes that these classes give.

    The classes are parted into folds; a recipe is fitted to all folds but one, and pairs of that one are compared.

    Args:
        features: what "tower", "pixels" and, where it is at hand, `IMAGENET` give of each picture, and of changed views
            of it, (N, V, F).
        labels: (N,).
    """
    folds = min(FOLDS, len(np.unique(labels)) // 2)
    found: dict[str, list[Pairs]] = {}
    for rows, held in GroupKFold(folds, shuffle=True, random_state=seed).split(labels, groups=labels):
        maps = fitted(features, labels, rows)
        for name, parts in RECIPES.items():
            if all(part in maps for part in parts):
                found.setdefault(name, []).append(all_pairs(embedded(name, maps, features, held), labels[held]))
    return {name: Pairs(*map(np.concatenate, zip(*pairs))) for name, pairs in found.items() if len(pairs) == folds}


def all_pairs(embedded: np.ndarray, labels: np.ndarray) -> Pairs:
    """All pairs of embeddings (N, P), or of `MOST` of them."""
    rows = some(labels, MOST)
    left, right = np.triu_indices(len(rows), 1)
    return Pairs(pdist(embedded[rows]), labels[rows[left]] == labels[rows[right]])


def some(labels: np.ndarray, most: int) -> np.ndarray:
    """Rows of at most so many pictures, from all classes evenly; of many small classes, two pictures each."""
    if len(labels) <= most:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    same = np.flatnonzero(labels[order[1:]] == labels[order[:-1]])  # each beside the next of its class
    first = np.array(evenly(same, most // 2))
    return np.unique(order[np.concatenate([first, first + 1])])
