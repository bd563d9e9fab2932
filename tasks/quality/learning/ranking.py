"""Which one looks better: learning to rank the levels of distortion of pristine photos (RankIQA, step one)."""

import os
import time
from typing import NamedTuple

import keras
import numpy as np

from nets import towers
from nets.losses.ranking import RankingHinge, better
from nets.models import rankiqa
from tasks import about
from tasks.models import load_model
from tasks.quality import model as scoring, report
from tasks.quality.metrics import ordering
from utils.batches.levels import LevelBatches, PairBatches
from utils.data import photos
from utils.data.files import evenly, save_aside
from utils.distortions.catalogue import Distortion, chosen, with_levels
from utils.run import devices, folder as runs, weights
from utils.run.console import progress_bar
from utils.run.fitting import Validation
from utils.saying import counted
from utils.seen.learnt import before

KIND = rankiqa.KIND
NEXT = "python predict.py --quality FILE_OR_FOLDER, or python evaluate.py"
FIGURES = {}
CURVES = [
    ("levels in the right order", ["order", "val_order", "val_adjacent", "val_across"]),
    ("hinge of a pair of levels", ["val_hinge"]),
]
VALIDATED = 24  # photos at most whose levels are scored after each epoch
TESTED = 20  # photos at most that are scored when training ends; evaluate.py takes all


class Data(NamedTuple):
    """Photos by part, the distortions, and what is held out, for split.json."""

    root: str
    photos: photos.Photos
    kinds: dict[str, Distortion]
    held_out: dict


def settle(options) -> None:
    """Backbone, weights and test share where they were left open."""
    options.backbone = "compact" if options.backbone == "auto" else options.backbone
    options.weights = weights.named(options.weights, options.backbone)
    options.test_share = 0.1 if options.test_share is None else options.test_share


def build_model(options, start=None):
    """The quality model that the flags describe, with its first weights."""
    if start:
        return start
    row = towers.row_of(options.backbone, towers.QUALITY)
    arrays = weights.read(options.weights, options.backbone, row.network and row.network.function)
    side = crop(options) or row.input_shape[0]
    tower = towers.make_quality_tower(options.backbone, side, weights.are_imagenets(arrays))
    if arrays:
        towers.set_arrays(towers.backbone_layers(tower), arrays)
    return rankiqa.rankiqa(tower, side)


def crop(options) -> int:
    """Side of the crops that --input_shape asks for, in pixels; 0: it asks for none."""
    shape, least = [int(n) for n in options.input_shape if n], towers.row_of(options.backbone, towers.QUALITY).least
    if shape and (shape[0] != shape[1] or shape[2] != 3 or shape[0] < least):
        raise ValueError(f"--input_shape={','.join(options.input_shape)}: {options.backbone} expected square crops in "
                         f"colour of {least} or more pixels a side, such as {max(128, least)},{max(128, least)},3")
    return shape[0] if shape else 0


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found and how they will be distorted."""
    split = photos.find_photos(options.dataset_path, rankiqa.side_of(model, crop(options)), options.val_share,
                               options.test_share,
                               options.seed, options.skip_broken, before(options))
    print(split.how)
    kinds = with_levels(chosen(options.distortions), options.levels)
    print("\n".join(f"  {name}: {', '.join(f'{level:.4g}' for level in kind.levels)} ({kind.unit})"
                    for name, kind in kinds.items()))
    held_out = {"root": os.path.abspath(split.root), "how": split.how, "train": split.train,
                "validation": split.validation, "test": split.test}
    return Data(split.root, split, kinds, held_out)


def prepare(options, model, data: Data) -> None:
    """Sets the crops to train on, and forgets the range that an earlier run gave the scores."""
    rankiqa.set_side(model, rankiqa.side_of(model, crop(options)))
    rankiqa.forget_range(model)


def make_batches(options, data: Data, model) -> LevelBatches:
    """Batches of levels; says what one holds."""
    if options.pairs == "hard" and keras.backend.backend() == "jax":
        raise ValueError("--pairs=hard asks the network while it is trained, which JAX does not allow: pass another "
                         "--backend")
    common = dict(photos=options.photos_per_batch, steps=options.steps_per_epoch or 100, seed=options.seed,
                  workers=options.workers, cache=os.path.expanduser(options.cache_distorted))
    what = data.photos.full("train"), data.kinds, options.batch_size, rankiqa.side(model)
    if options.pairs == "all":
        made = LevelBatches(*what, **common)
    else:
        scores = rankiqa.scorer(model).score if options.pairs == "hard" else None
        made = PairBatches(*what, **common, across_photos=options.across_photos, scores=scores)
    keys = made[0][1]
    if len(keys) % devices.replicas():
        raise ValueError(f"a batch of {len(keys)} crops does not divide among {devices.replicas()} devices; pass "
                         "another --photos_per_batch or, with --pairs=random or hard, --batch_size")
    shown = "photos" if options.pairs == "all" else "pairs"
    print(f"a batch: {len(np.unique(keys[:, 0]))} {shown}, {counted(len(keys), 'crop')} of {made.crop} x {made.crop} "
          f"pixels, {counted(len(np.unique(keys[:, 1])) - 1, 'distortion')}; {counted(len(made), 'batch', 'batches')} "
          "an epoch")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    made = rankiqa.ranker(model, hinge(options, options.across_photos and options.pairs == "all"))
    made.compile(make_optimizer(model), rankiqa.precomputed_loss, metrics=rankiqa.ranking_metrics())
    return made


def hinge(options, across_photos: bool = False) -> RankingHinge:
    """The loss layer with the margin that the flags mean."""
    return RankingHinge(options.hinge_margin, across_photos, name="hinge")


def preview(trainer, batch, data: Data):
    """Crops of a batch, a row a photo and distortion."""
    inputs = batch[0]
    labels = inputs["key"][:, 0] * 1000 + inputs["key"][:, 1]
    rows = np.argsort(labels, kind="stable")
    names = {int(label): row_name(inputs["key"][labels == label], data.kinds) for label in np.unique(labels)}
    return inputs["image"][rows].astype("float32"), labels[rows], names


def row_name(keys: np.ndarray, kinds: dict[str, Distortion]) -> str:
    """Photo, distortion and levels that the keys (N, 3) of some crops name, such as "photo 2: jpeg (quality) 43 12 7 4
    0"."""
    photo, number = keys[0, :2]
    if number < 0:
        return f"photo {photo + 1} as it is"
    name, kind = list(kinds.items())[number]
    shown = " ".join(f"{kind.levels[level - 1]:.3g}" if level else "none" for level in keys[:, 2])
    return f"photo {photo + 1}: {name} ({kind.unit}) {shown}"


def callbacks(options, batches) -> list:
    """Logs how long training waits for its input."""
    return [Waiting(batches.made)]


def validation(options, model, data: Data) -> Validation | None:
    """Orders the levels of crops of held-out photos, made once; `val_hinge` is the mean hinge of a pair of them."""
    names = evenly(data.photos.full("validation"), VALIDATED)
    if not names:
        print("no photos to validate on: the best epoch is that of the lowest training loss")
        return None
    made = LevelBatches(names, data.kinds, 10**9, rankiqa.side(model), crops=1, photos=len(names), steps=1,
                        seed=options.seed + 1, workers=0)
    batch, keys = made[0]
    scorer, loss = rankiqa.scorer(model), hinge(options, options.across_photos)
    pairs = float(keras.ops.sum(better(keys, options.across_photos)))

    def measure() -> dict[str, float]:
        scores = scorer.score(batch["image"])
        orders = [ordering.pair_order(of_kind) for of_kind in ordering.by_kind(scores, keys)]
        figures = {f"val_{name}": float(np.mean([order[name] for order in orders]))
                   for name in ("order", "adjacent", "across") if name in orders[0]}
        figures["val_hinge"] = float(keras.ops.sum(loss(scores, keys))) / pairs
        return figures if np.isfinite(scores).all() else dict.fromkeys(figures, float("nan"))

    return Validation(measure, "val_order", "max")


def finish(options, folder: str, data: Data) -> list[str]:
    """Gives the model of the best epoch its range and orders the levels of some test photos; writes what the model
    knows."""
    path = runs.model_file(folder)
    model = load_model(path, KIND)
    rankiqa.forget_range(model)  # where a finished run was continued
    part = next(part for part in ("test", "validation", "train") if getattr(data.photos, part))
    tested = evenly(data.photos.full(part), TESTED)
    scorer = rankiqa.scorer(model)
    scores = scoring.score_levels(
        lambda photo: scoring.photo_score(scorer, photo, 0), tested, data.kinds, options.seed, progress_bar("picture")
    )
    best = np.mean([of_kind[:, 0].mean() for of_kind in scores.values()])
    worst = np.mean([of_kind[:, -1].mean() for of_kind in scores.values()])
    if best > worst:
        model.get_layer("score").fit(float(worst), float(best), 0.0, 100.0)
        save_aside(model.save, path, ".keras")
        scores = {kind: (of_kind - worst) / (best - worst) * 100 for kind, of_kind in scores.items()}
    else:
        print("undistorted photos score no higher than the worst ones: the network has learnt nothing yet")
    measured = report.write_order(scores, data.kinds, folder)
    about.write_photos(folder, "rank", data.photos.full("train"), (scorer.side, scorer.side, 3))
    scale = [report.spread(len(tested), report.four_fifths(scores))] if best > worst else []
    return [f"{counted(len(tested), 'photo')} of the {part} part", *report.order_table(measured), *scale]


class Waiting(keras.callbacks.Callback):
    """Logs `seconds` of an epoch's training, and `waited`: the share in which batches waited to be made.

    Args:
        work: `utils.batches.ahead.Ahead` of the batches.
    """

    def __init__(self, work):
        super().__init__()
        self.work = work

    def on_epoch_begin(self, epoch, logs=None):
        self.began, self.before = time.perf_counter(), self.work.waited

    def on_epoch_end(self, epoch, logs=None):
        logs["seconds"] = time.perf_counter() - self.began
        logs["waited"] = (self.work.waited - self.before) / logs["seconds"]
