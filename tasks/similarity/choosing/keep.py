"""Which model of a user's own photographs is kept: the network that was trained, a map in closed form, or both.

The maps are chosen among by cross-validation over whole classes. The best of them is then held against the network on
the classes that were held out to validate, which neither has seen.
"""

import os
from typing import NamedTuple

import keras
import numpy as np

from nets import linear
from nets.inference import forward
from nets.models import siamese
from tasks.models import load_model
from tasks.similarity.choosing import recipes
from tasks.similarity.choosing.recipes import MOST, Pairs, all_pairs, cross_validated, some
from utils.data.files import save_aside
from utils.data.splits import comparable
from utils.run import folder as runs

NETWORK, BOTH = "network", "both"  # names of choices: what was trained, and that beside the best recipe
EQUAL = 0.005  # of ROC-AUC by which one alone must be better than both together
FEW = 5  # classes to validate, below which the choice is named as unsure
FEWEST = 6  # classes among which a choice is made
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of what training changed in the weights, that may be kept
USED = 20_000  # pictures that a map is fitted to, at most
BLOCK = 1024  # pictures that are embedded at once


class Choice(NamedTuple):
    """What is kept, the name of a recipe, `NETWORK` or `BOTH`; in words; ROC-AUC of the recipes by cross-validation,
    and of the network, the best recipe and both on the classes to validate; and the share of what training changed in
    the network that is kept, see `nets.linear.between`."""

    name: str
    words: str
    cross_validated: dict[str, float]
    validated: dict[str, float]
    trained_share: float = 1.0

    def as_numbers(self) -> dict:
        """For evaluation.json."""
        return {"kept": self.name, "cross_validated": self.cross_validated, "validated": self.validated,
                "trained_share": self.trained_share}


class Seen(NamedTuple):
    """Pictures to fit maps to: labels (N,), what each backbone makes of them and of their mirror images (N, V, F), and
    the rows to train and to validate."""

    labels: np.ndarray
    features: dict[str, np.ndarray]
    train: np.ndarray
    validation: np.ndarray


def choose(folder: str, tower: keras.Model, images, labels: np.ndarray, train: np.ndarray, validation: np.ndarray,
           seed: int, imagenet: keras.Model | None = None) -> Choice | None:
    """Keeps the best model as the run's; None where there are too few classes to choose by.

    Args:
        folder: of the run, whose best.keras is the network that was trained.
        tower: the ready tower, before any training.
        images: of all samples, labels (N,), as `imagenet` takes them, or without it the network.
        train, validation: rows, of other classes each.
        imagenet: a tower with ImageNet's weights, which takes part in the choice.
    """
    if len(np.unique(labels[np.concatenate([train, validation])])) < FEWEST or not comparable(labels[validation]):
        return None
    path = os.path.join(folder, runs.BEST)
    network = load_model(path, siamese.KIND)
    if made := linear.is_made(network):  # the run went on, and found no better epoch
        network = load_model(os.path.join(folder, runs.TRAINED), siamese.KIND)
    trained, shape = network, images.shape[1:]
    network, share = partly_trained(tower, trained, images, labels, validation)
    backbones = {"tower": linear.sized(linear.pooled(tower), shape), "pixels": linear.grey_pixels(shape)}
    backbones |= {recipes.IMAGENET: imagenet} if imagenet else {}
    train, validation = (rows[some(labels[rows], USED)] for rows in (train, validation))
    rows = np.concatenate([train, validation])
    features = {name: seen_by(name, backbone, images, rows) for name, backbone in backbones.items()}
    seen = Seen(labels[rows], features, *np.split(np.arange(len(rows)), [len(train)]))
    pairs = cross_validated(seen.features, seen.labels, seed)
    areas = {name: each.roc_auc for name, each in pairs.items()}
    best = max(areas, key=areas.get)
    embedded = features_of(linear.sized(network.get_layer("tower"), shape), images, validation)
    compared = against(seen, best, embedded)
    measured = {name: each.roc_auc for name, each in zip((NETWORK, best, BOTH), compared)}
    kept = BOTH if measured[BOTH] >= max(measured.values()) - EQUAL else max(measured, key=measured.get)
    words = in_words(areas, best, measured, kept, len(np.unique(seen.labels)), len(np.unique(labels[validation])))
    if kept != NETWORK or network is not trained:
        save_aside(trained.save, os.path.join(folder, runs.TRAINED), ".keras")
    if kept != NETWORK:
        maps = recipes.fitted(features, seen.labels, np.arange(len(rows)))
        model = linear.projected(*((backbones[recipes.PARTS[part].of], maps[part]) for part in recipes.RECIPES[best]))
        model = linear.joined(network, model) if kept == BOTH else model
        (compared[-1] if kept == BOTH else pairs[best]).calibrate(model)
        save_aside(model.save, path, ".keras")
    elif made or network is not trained:
        save_aside(network.save, path, ".keras")
    return Choice(kept, words + in_part(share, kept), areas, measured, share)


def partly_trained(start: keras.Model, network: keras.Model, images, labels: np.ndarray,
                   validation: np.ndarray) -> tuple[keras.Model, float]:
    """The network, or one between it and the tower that its training began from, whichever tells the classes to
    validate best, and the share of the training that is in it; the network where it is another tower."""
    own = network.get_layer("tower")
    if [array.shape for array in start.get_weights()] != [array.shape for array in own.get_weights()]:
        return network, 1.0
    rows, found = validation[some(labels[validation], MOST)], {}
    for share in SHARES:
        model = network if share == 1 else linear.between(start, own, share)
        embedded = features_of(linear.sized(model.get_layer("tower"), images.shape[1:]), images, rows)
        found[share] = all_pairs(embedded, labels[rows]).roc_auc, model
    best = max(found, key=lambda share: found[share][0])
    return found[best][1], best


def seen_by(name: str, backbone: keras.Model, images, rows: np.ndarray) -> np.ndarray:
    """What a backbone makes of the images at `rows`, and of their mirror images where it is no map of pixels, (N, V,
    F)."""
    views = (False,) if name == "pixels" else (False, True)
    return np.stack([features_of(backbone, images, rows, mirrored) for mirrored in views], axis=1)


def features_of(backbone: keras.Model, images, rows: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """What a backbone makes of the images at `rows`, or of these mirrored: (N, F) float32."""
    step = -1 if mirrored else 1
    return np.concatenate([forward(backbone, images[rows[start : start + BLOCK]][:, :, ::step], 64)
                           for start in range(0, len(rows), BLOCK)])


def against(seen: Seen, recipe: str, embedded: np.ndarray) -> tuple[Pairs, Pairs, Pairs]:
    """Pairs of the pictures to validate as the network embeds them (N, F), as a recipe does that is fitted to the
    pictures to train on, and as both together do."""
    maps = recipes.fitted(seen.features, seen.labels, seen.train)
    simple = recipes.embedded(recipe, maps, seen.features, seen.validation)
    both = np.concatenate([embedded, simple], axis=1) / np.sqrt(2)
    return tuple(all_pairs(rows, seen.labels[seen.validation]) for rows in (embedded, simple, both))


def in_part(share: float, kept: str) -> str:
    """How much of the training is kept, where that is not all of it and the network is."""
    if share == 1 or kept not in (NETWORK, BOTH):
        return ""
    part = "as it was before the training" if share == 0 else f"with {share:.0%} of what training changed in it"
    return f". The network is kept {part}: so it tells the classes to validate best"


def in_words(areas: dict[str, float], best: str, measured: dict[str, float], kept: str, classes: int,
             validation: int) -> str:
    """What was chosen, by how much, in a line."""
    simple = recipes.in_words(best)
    words = {best: simple, NETWORK: "the network", BOTH: f"{simple} + the network"}
    others = ", ".join(f"{recipes.in_words(name)} {areas[name]:.3f}" for name in recipes.PARTS if name in areas)
    return (f"kept: {words[kept]}. ROC-AUC on the {validation} classes to validate: {simple} {measured[best]:.3f}, the "
            f"network {measured[NETWORK]:.3f}, both {measured[BOTH]:.3f}. By cross-validation over {classes} classes: "
            f"{simple} {areas[best]:.3f}; by themselves {others}"
            + (f". {validation} classes are few to choose by: another --seed may choose otherwise"
               if validation < FEW else ""))
