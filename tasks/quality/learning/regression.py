"""Ridge regression on what ready networks see in a photo, in place of the network that was trained, or beside it, where
that agrees better with people."""

import os
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
TRAINED = "trained.keras"  # the network, where another model is kept in its place
LITE0 = "efficientnet_lite0"
NETWORK, BESIDE = "network", " + the network"
RANKED, IMAGENET = "the ready ranked tower", "EfficientNet-Lite0"
PENALTIES = np.logspace(0, 6, 13)  # of ridge regression; leaving one photo out at a time chooses


class Choice(NamedTuple):
    """What is kept, `NETWORK` or what sees, in words; a line about it; SROCC on the photos to validate by name."""

    name: str
    words: str
    validated: dict[str, float]

    def as_numbers(self) -> dict:
        """For evaluation.json."""
        return {"kept": self.name, "validated": self.validated}


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
        network = load_model(os.path.join(folder, TRAINED), KIND)
    scale = network.get_layer("score")
    parts, rows = backbones(pretrained), np.concatenate([train, validation])
    side = rankiqa.side(network)
    bar, seen = progress_bar("photo"), []
    for row in rows:
        photo = read_photo(paths[row])
        seen.append(np.concatenate([scoring.over_photo(partial(apply, part), photo, 0, side, whole=True)
                                    for part in parts.values()]))
        bar(len(seen), len(rows))
    edges = np.cumsum([0, *(part.output_shape[-1] for part in parts.values())])
    columns = {name: np.arange(*edges[number : number + 2]) for number, name in enumerate(parts)}
    if len(parts) > 1:
        columns[" + ".join(parts)] = np.arange(edges[-1])
    seen, known = np.array(seen), quality[rows]
    fitted = {name: fit(seen[: len(train), which], known[: len(train)]) for name, which in columns.items()}
    # 0 to 1 as the others are, by the range of the score
    worst, best = scale.get_weights()[0][2:]
    own = (np.array([scoring.photo_score(rankiqa.scorer(network), read_photo(paths[row]), 0) for row in validation])
           - worst) / (best - worst)
    told = {NETWORK: own} | {name: seen[len(train) :, which] @ fitted[name][0] + fitted[name][1]
                             for name, which in columns.items()}
    if network.input_shape[1] is None:
        told |= {name + BESIDE: (told[name] + own) / 2 for name in columns}
    measured = {name: correlations(values, known[len(train) :], True)["srocc"] for name, values in told.items()}
    kept = max(measured, key=measured.get)
    if kept == NETWORK and made:
        save_aside(network.save, path, ".keras")
    elif kept != NETWORK:
        save_aside(network.save, os.path.join(folder, TRAINED), ".keras")
        name = kept.removesuffix(BESIDE)
        used = [part for each, part in parts.items() if each in name]
        model = rankiqa.regression(used, *fit(seen[:, columns[name]], known), side)
        model = rankiqa.mean_of(network, model) if kept.endswith(BESIDE) else model
        model.get_layer("score").fit(0.0, 1.0, worst, best)
        save_aside(model.save, path, ".keras")
    return Choice(kept, in_words(measured, kept, len(validation)), measured)


def backbones(pretrained: bool) -> dict[str, keras.Model]:
    """What describes photos, by its name in words: the ready ranked tower, and EfficientNet-Lite0 where it is asked for
    and its weights are on this machine; it looks at photos at half their size, which takes a quarter of the time."""
    made = {RANKED: rankiqa.seen(load_model(ready_model("quality"), KIND).get_layer("tower"))}
    if pretrained and (path := weights.installed_lite0()):
        tower = towers.make_quality_tower(LITE0)
        towers.set_arrays(towers.backbone_layers(tower), weights.read_lite0(path))
        made[IMAGENET] = rankiqa.at_half_size(rankiqa.seen(tower))
    return made


def fit(seen: np.ndarray, quality: np.ndarray) -> tuple[np.ndarray, float]:
    """Ridge regression of quality (N,) on standardised features (N, F): kernel (F,) and bias for features as they
    are."""
    made = make_pipeline(StandardScaler(), RidgeCV(PENALTIES)).fit(seen, quality)
    scaler, ridge = (step for _, step in made.steps)
    kernel = ridge.coef_ / scaler.scale_
    return kernel, float(ridge.intercept_ - scaler.mean_ @ kernel)


def in_words(measured: dict[str, float], kept: str, photos: int) -> str:
    """What was kept, by how much, in a line."""
    said = {name: "the network" if name == NETWORK else f"ridge regression on {name}" for name in measured}
    figures = ", ".join(f"{said[name]} {srocc:.3f}" for name, srocc in measured.items())
    return f"kept: {said[kept]}. SROCC on the {photos} photos to validate: {figures}"
