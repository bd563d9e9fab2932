"""Ridge regression on what ready networks see in a photo, in place of the network that was trained, or beside it, where
that agrees better with people."""

import os
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from nets import towers
from nets.inference import apply
from nets.models import rankiqa
from tasks.choosing import ready_model
from tasks.models import load_model
from tasks.quality import model as scoring
from tasks.quality.metrics.correlation import correlations
from utils.data.files import save_aside
from utils.data.images import read_photo
from utils.run import folder as runs, weights
from utils.run.console import progress_bar

KIND = rankiqa.KIND
NETWORK, RANKED, IMAGENET = "the network", "the ready ranked tower", "EfficientNet-Lite0"  # what a model is made of
PENALTIES = np.logspace(0, 6, 13)  # of ridge regression; leaving one photo out at a time chooses

Names = tuple[str, ...]  # what a model is made of: a regression on networks that see photos, the network, or their mean


class Choice(NamedTuple):
    """What is kept; in words; and the SROCC on the photos to validate of all that was held against it."""

    names: Names
    words: str
    validated: dict[Names, float]

    def as_numbers(self) -> dict:
        """For evaluation.json."""
        return {"kept": " + ".join(self.names),
                "validated": {" + ".join(names): srocc for names, srocc in self.validated.items()}}


def choose(folder: str, paths: list[str], quality: np.ndarray, train: np.ndarray, validation: np.ndarray,
           pretrained: bool) -> Choice:
    """Keeps the model that agrees best with people on the photos to validate as the run's.

    Args:
        folder: of the run, whose best.keras is the network that was trained, of the range of human scores.
        paths: of all photos; quality: (N,), 0 (worst) to 1 (best).
        train, validation: rows.
        pretrained: whether EfficientNet-Lite0 takes part where its weights are on this machine.
    """
    path = os.path.join(folder, runs.BEST)
    network = load_model(path, KIND)
    if made := rankiqa.is_made(network):  # the run went on, and found no better epoch
        network = load_model(os.path.join(folder, runs.TRAINED), KIND)
    parts, side = backbones(pretrained), rankiqa.side(network)
    rows = np.concatenate([train, validation])
    seen, known = described([paths[row] for row in rows], parts, side), quality[rows]
    own = told_by(network, [paths[row] for row in validation])
    measured = held_against(seen, known, len(train), own, beside=network.input_shape[1] is None)
    kept = max(measured, key=measured.get)
    if kept == (NETWORK,) and made:
        save_aside(network.save, path, ".keras")
    elif kept != (NETWORK,):
        save_aside(network.save, os.path.join(folder, runs.TRAINED), ".keras")
        used = [name for name in kept if name != NETWORK]
        model = rankiqa.regression([parts[name] for name in used], *fit(beside_each_other(seen, used), known), side)
        model = rankiqa.mean_of(network, model) if NETWORK in kept else model
        model.get_layer("score").fit(0.0, 1.0, *ends(network))
        save_aside(model.save, path, ".keras")
    return Choice(kept, in_words(measured, kept, len(validation)), measured)


def backbones(pretrained: bool) -> dict[str, keras.Model]:
    """What describes photos: the ready ranked tower, and EfficientNet-Lite0 where it is asked for and its weights are
    on this machine; it looks at photos at half their size, which takes a quarter of the time."""
    made = {RANKED: rankiqa.seen(load_model(ready_model("quality"), KIND).get_layer("tower"))}
    if pretrained and (path := weights.local_file("imagenet", towers.LITE0)):
        tower = towers.make_quality_tower(towers.LITE0)
        towers.set_arrays(towers.backbone_layers(tower), weights.read_lite0(path))
        made[IMAGENET] = rankiqa.at_half_size(rankiqa.seen(tower))
    return made


def described(paths: list[str], parts: dict[str, keras.Model], side: int) -> dict[str, np.ndarray]:
    """What each network sees in the photos, (N, F); of those that are too large to be looked at whole, in crops of
    `side` pixels."""
    bar, rows = progress_bar("photo"), []
    for path in paths:
        photo = read_photo(path)
        rows.append([scoring.over_photo(partial(apply, part), photo, 0, side, whole=True) for part in parts.values()])
        bar(len(rows), len(paths))
    return {name: np.stack(of_part) for name, of_part in zip(parts, zip(*rows))}


def beside_each_other(seen: dict[str, np.ndarray], names: Sequence[str]) -> np.ndarray:
    """What several networks see, in a row of each photo: (N, F)."""
    return np.concatenate([seen[name] for name in names], axis=1)


def ends(network: keras.Model) -> tuple[float, float]:
    """The score of the worst and of the best photo that a fitted model knows."""
    return tuple(float(number) for number in network.get_layer("score").get_weights()[0][2:])


def told_by(network: keras.Model, paths: list[str]) -> np.ndarray:
    """Quality (N,) of photos by the network, 0 (worst) to 1 (best)."""
    scorer, (worst, best) = rankiqa.scorer(network), ends(network)
    return (np.array([scoring.photo_score(scorer, read_photo(path), 0) for path in paths]) - worst) / (best - worst)


def held_against(seen: dict[str, np.ndarray], known: np.ndarray, train: int, own: np.ndarray,
                 beside: bool) -> dict[Names, float]:
    """SROCC of the network, of regressions, and of their means with it, on the photos behind the first `train`.

    Args:
        seen: as of `described`; known: (N,), quality.
        own: what the network tells of the photos to validate, 0 to 1.
        beside: whether the network takes photos of any size, as the regressions do.
    """
    told: dict[Names, np.ndarray] = {(NETWORK,): own}
    for names in [(name,) for name in seen] + [tuple(seen)] * (len(seen) > 1):
        features = beside_each_other(seen, names)
        kernel, bias = fit(features[:train], known[:train])
        told[names] = features[train:] @ kernel + bias
        if beside:
            told[*names, NETWORK] = (told[names] + own) / 2
    return {names: correlations(values, known[train:], True)["srocc"] for names, values in told.items()}


def fit(seen: np.ndarray, quality: np.ndarray) -> tuple[np.ndarray, float]:
    """Ridge regression of quality (N,) on standardised features (N, F): kernel (F,) and bias for features as they
    are."""
    made = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(seen, quality)
    scaler, ridge = (step for _, step in made.steps)
    kernel = ridge.coef_ / scaler.scale_
    return kernel, float(ridge.intercept_ - scaler.mean_ @ kernel)


def in_words(measured: dict[Names, float], kept: Names, photos: int) -> str:
    """What was kept, by how much, in a line."""
    said = {names: ("" if names == (NETWORK,) else "ridge regression on ") + " + ".join(names) for names in measured}
    figures = ", ".join(f"{said[names]} {srocc:.3f}" for names, srocc in measured.items())
    return f"kept: {said[kept]}. SROCC on the {photos} photos to validate: {figures}"
