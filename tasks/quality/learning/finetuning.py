"""Which one looks better, to people: a tower, ranked first or not, fitted to human scores (RankIQA, step two)."""

import os
from typing import NamedTuple

import numpy as np

from nets.models import rankiqa
from tasks import about
from tasks.models import load_model
from tasks.quality import model as scoring, report
from tasks.quality.learning import ranking, regression
from tasks.quality.metrics import correlation
from utils.batches.scored import CropBatches
from utils.data import photos, scores
from utils.data.files import evenly
from utils.data.splits import kept_for_training, told
from utils.run import devices, folder as runs
from utils.run.console import progress_bar
from utils.run.fitting import Validation
from utils.saying import counted
from utils.seen.learnt import before

KIND = rankiqa.KIND
NEXT = "python predict.py --quality FILE_OR_FOLDER, or python evaluate.py --scores=LIST"
FIGURES = {}
CURVES = [("agreement with people", ["val_srocc", "val_lcc"])]
FEWEST = 20  # photos to validate by which a model is chosen
VALIDATED = 120  # photos at most that are scored after each epoch

build_model, callbacks = ranking.build_model, ranking.callbacks


class Data(NamedTuple):
    """Scored photos, rows to train on, to validate and to test, and what is held out, for split.json."""

    root: str
    scored: scores.Scored
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    held_out: dict


def settle(options) -> None:
    """As `ranking.settle`; first reads the list, so that what is wrong with it is said before a network is built."""
    read_list(options)
    ranking.settle(options)


def find_data(options, model) -> Data:
    """Reads the human scores and splits them by reference photo."""
    scored = read_scored(options)
    first = before(options)
    trained, seen = first.kept_apart(scored.full_paths())
    rest, test = split_apart(scored.references, seen, options.test_share, options.seed)
    parts = split_apart(scored.references[rest], trained[rest], options.val_share, options.seed + 1, "val_share")
    train, validation = (rest[rows] for rows in parts)
    apart = kept_for_training(first, 0 if seen[test].any() else seen.sum())
    how = (f"split by reference photo{apart}: {len(train)} images to train on, "
           f"{len(validation)} to validate, {len(test)} to test")
    print(how)
    parts = {"train": train, "validation": validation, "test": test}
    held_out = {"root": os.path.abspath(scored.root), "how": how, "told": told(scored.scores),
                "scored": True} | {part: scored.take(rows).paths for part, rows in parts.items()}
    return Data(scored.root, scored, train, validation, test, held_out)


def split_apart(references: np.ndarray, learnt: np.ndarray, share: float, seed: int,
                name: str = "test_share") -> tuple[np.ndarray, np.ndarray]:
    """As `scores.split_by_reference`, but that no reference of an image that the first weights `learnt` (N,) is held
    out, where enough others are there: weights that were ranked first have seen the photos, and no scores."""
    rest, held = scores.split_by_reference(references, share, seed, name)
    free, count = np.setdiff1d(references, references[learnt]), len(np.unique(references[held]))
    if not learnt.any() or len(free) < count:
        return rest, held
    chosen = np.random.default_rng(seed).permutation(free)[:count]
    held = np.isin(references, chosen)
    return np.flatnonzero(~held), np.flatnonzero(held)


def prepare(options, model, data: Data) -> None:
    """Sets the crops to train on, and gives the model's scores the direction and range of the human ones."""
    scored = data.scored
    rankiqa.set_side(model, rankiqa.side_of(model, ranking.crop(options)))
    rankiqa.unit_range(model)  # where it was ranked first
    worst, best = (scored.low, scored.high) if scored.higher_is_better else (scored.high, scored.low)
    model.get_layer("score").fit(0.0, 1.0, worst, best)


def read_list(options) -> scores.Scored:
    """The scored photos that the flags mean; none is opened."""
    span = tuple(float(number) for number in options.score_range) or None
    return scores.read_scores(os.path.expanduser(options.dataset_path), options.higher_is_better,
                              os.path.expanduser(options.image_root), span,
                              options.skip_broken, options.image_column, options.score_column)


def read_scored(options) -> scores.Scored:
    """The scored photos that can be read; says what was found."""
    scored = read_list(options)
    scored = scored.take(np.array(photos.usable(scored.root, scored.paths, skip_broken=options.skip_broken), int))
    print(scores.describe(scored))
    if scored.low == scored.high:
        raise ValueError(f"{options.dataset_path}: every score is {scored.low:g}; expected scores that differ")
    return scored


def make_batches(options, data: Data, model) -> CropBatches:
    """Batches of crops of the training photos, with their scores as 0 (worst) to 1 (best)."""
    scored, targets = data.scored, quality_of(data.scored)
    made = CropBatches(scored.take(data.train).full_paths(), targets[data.train], options.batch_size,
                                rankiqa.side(model), options.steps_per_epoch, options.seed, options.workers)
    if made.batch_size % devices.replicas():
        raise ValueError(f"a batch of {made.batch_size} photos does not divide among {devices.replicas()} devices")
    print(f"a batch: crops of {made.crop} x {made.crop} pixels of {counted(made.batch_size, 'photo')}; "
          f"{counted(len(made), 'batch', 'batches')} an epoch")
    return made


def quality_of(scored: scores.Scored) -> np.ndarray:
    """Human scores as 0 (worst) to 1 (best)."""
    quality = (scored.scores - scored.low) / (scored.high - scored.low)
    return quality if scored.higher_is_better else 1 - quality


def trainer(options, model, make_optimizer):
    """The compiled model that is trained: mean squared error."""
    made = rankiqa.regressor(model)
    made.compile(make_optimizer(model), "mse")
    return made


def preview(trainer, batch, data: Data):
    """The crops of a batch, eight a row."""
    images = batch[0]["image"].astype("float32")
    return images, np.arange(len(images)) // 8, {0: f"{len(images)} crops, each of a photo"}


def validation(options, model, data: Data) -> Validation | None:
    """Agreement with people on held-out photos, on three crops of each."""
    rows = np.array(evenly(data.validation, VALIDATED), int)
    if len(rows) < 3:
        print("fewer than three photos to validate on: the best epoch is that of the lowest training loss")
        return None
    scorer, paths = rankiqa.scorer(model), data.scored.take(rows).full_paths()

    def measure() -> dict[str, float]:
        predicted = scoring.predict(scorer, paths, crops=3)
        if not np.isfinite(predicted).all():
            return dict.fromkeys(("val_srocc", "val_lcc"), float("nan"))
        figures = correlation.correlations(predicted, data.scored.scores[rows], data.scored.higher_is_better)
        return {"val_srocc": figures["srocc"], "val_lcc": figures["lcc"]}

    return Validation(measure, "val_srocc", "max")


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch on the test photos, and writes what the model knows."""
    choice = choose_simple(options, folder, data)
    scorer = rankiqa.scorer(load_model(runs.model_file(folder), KIND))
    about.write_photos(folder, "finetune", data.scored.take(data.train).full_paths(), (scorer.side, scorer.side, 3))
    lines = [choice.words] if choice else []
    if len(data.test) < 3:
        return [*lines, "fewer than three photos were held out: agreement with people is unknown"]
    paths = data.scored.take(data.test).full_paths()
    predicted = scoring.predict(scorer, paths, 0, progress=progress_bar("photo"))
    table = report.write_agreement(folder, predicted, data.scored, data.test)
    if choice:
        runs.write_json(folder, runs.EVALUATION, {"agreement": table[-1], "choice": choice.as_numbers()})
    return lines + report.agreement_table(table)


def choose_simple(options, folder: str, data: Data) -> regression.Choice | None:
    """Keeps a regression on what ready networks see in place of the network where it agrees better with people; None
    where that is not asked, or the photos to validate are too few."""
    if not options.simple or len(data.validation) < FEWEST:
        return None
    return regression.choose(folder, data.scored.full_paths(), quality_of(data.scored), data.train, data.validation,
                             options.pretrained)
