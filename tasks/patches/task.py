"""Do these patches show the same place: a descriptor learnt from photos, whose patches are cut twice, as two photos would show them."""

import os
from typing import NamedTuple

import numpy as np

from nets import descriptor, towers
from nets.losses import make_patch_loss
from tasks.about import LOOKED_AT, read_thumbnails, shown_in
from tasks.models import load_model
from utils.data import photos
from utils.data.files import evenly, save_aside
from utils.flags import passed
from utils.metrics import domain
from utils.patches.batches import PatchBatches
from utils.patches.pairs import Views, photo_pairs
from utils.run import devices, folder as runs
from utils.run.fitting import Validation

KIND = descriptor.KIND
NEXT = "python predict.py --task=patches A.jpg B.jpg, or python evaluate.py --task=patches"
CURVES = [
    ("patches that find their partner", ["matched", "val_matching"]),
    ("false matches at 95 % of the true ones", ["val_fpr95"]),
    ("distance of descriptors", ["true_distance", "nearest_distance"]),
]
LEAST = 64  # pixels a side of a photo
VALIDATED, PAIRS = 24, 100  # photos at most that are validated on, and the points of each
FITTED = 64  # batches of patches that the principal components are fitted to
BATCH, STEPS = 512, 100  # patches in a batch and batches in an epoch, where none are asked for


class Data(NamedTuple):
    """Photos by part, and what is held out, for split.json."""

    root: str
    photos: photos.Photos
    held_out: dict


def settle(options) -> None:
    """Backbone, weights, sizes of batch and epoch, where they were left open."""
    options.backbone = "patches" if options.backbone == "auto" else options.backbone
    options.weights = "" if options.weights == "auto" else options.weights
    options.test_share = 0.1 if options.test_share is None else options.test_share
    options.steps_per_epoch = options.steps_per_epoch or STEPS
    if not options.resume and not passed("batch_size"):
        options.batch_size = BATCH
    if options.pca is None:
        options.pca = towers.PATCHES[options.backbone].pca if options.backbone in towers.PATCHES else 0


def build_model(options, start=None):
    """The descriptor that the flags describe, with its first weights."""
    if start:
        return descriptor.descriptor(start.get_layer("tower"))  # principal components are fitted when training ends
    shape = tuple(int(number) for number in options.input_shape if number)
    return descriptor.descriptor(towers.make_patch_tower(options.backbone, shape))


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found."""
    if model.input_shape[-1] not in (1, 3):
        raise ValueError(f"--input_shape: photos have 1 channel or 3, the model takes {model.input_shape[-1]}")
    found = photos.find_photos(options.dataset_path, LEAST, options.val_share, options.test_share, options.seed, options.skip_broken)
    print(found.how)
    if options.data_share < 1:
        kept = evenly(found.train, max(1, round(options.data_share * len(found.train))))
        found = photos.Photos(found.root, kept, found.validation, found.test, found.how)
        print(f"--data_share={options.data_share:g}: {len(kept)} of the photos to train on are used")
    held_out = {"root": found.root, "how": found.how, "train": found.train, "validation": found.validation, "test": found.test}
    return Data(found.root, found, held_out)


def prepare(options, model, data: Data) -> None:
    """Nothing of the model depends on the data."""


def make_batches(options, data: Data, model) -> PatchBatches:
    """Batches of pairs of patches; says what one holds."""
    made = PatchBatches(
        data.photos.full("train"), model.input_shape[1:], options.batch_size, views_of(options), options.sources, options.steps_per_epoch,
        options.seed, options.workers,
    )
    pairs = made.sources * made.count
    if pairs % devices.replicas():
        raise ValueError(f"a batch of {pairs} pairs does not divide among {devices.replicas()} devices; pass another --batch_size")
    print(f"a batch: {pairs} pairs of patches from {made.sources} photos; {len(made)} batches an epoch")
    return made


def views_of(options) -> Views:
    """How the two patches of a pair differ, by the flags."""
    return Views(options.jitter, options.light, options.turned_patches)


def trainer(options, model, optimizer):
    """The compiled model that is trained."""
    made = descriptor.trainer(model, make_patch_loss(options.patch_loss))
    made.compile(optimizer, descriptor.own_loss, metrics=descriptor.signs())
    return made


def preview(trainer, batch):
    """Pairs of patches of a batch, a row a pair, from all its photos."""
    rows = np.array(evenly(np.arange(len(batch["point"]) // 2), 8))
    rows = np.stack([2 * rows, 2 * rows + 1], axis=1).ravel()
    return batch["image"][rows], batch["point"][rows]


def callbacks(options, batches) -> list:
    """This task needs none of its own."""
    return []


def validation(options, model, data: Data) -> Validation | None:
    """Matching of patches of held-out photos, cut once; None where there are no such photos."""
    paths = evenly(data.photos.full("validation"), VALIDATED)
    if not paths:
        print("no photos to validate on: the best epoch is that of the lowest training loss")
        return None
    pairs = patches_of(paths, model.input_shape[1:], options.seed)
    return Validation(lambda: {f"val_{name}": value for name, value in measured(model, pairs).items()}, "val_matching", "max")


def patches_of(paths: list[str], shape: tuple[int, int, int], seed: int) -> np.ndarray:
    """Pairs of patches of each photo under hard jitter: (photos, `PAIRS`, 2, P, P, C) uint8."""
    return np.stack([photo_pairs(path, shape, PAIRS, [seed, 1, number], Views("hard", 1.0, False)) for number, path in enumerate(paths)])


def measured(model, pairs: np.ndarray) -> dict[str, float]:
    """Mean over photos of the average precision of matching, and FPR95 of the pairs against patches of other points of the photo."""
    count, points = pairs.shape[:2]
    features = descriptor.describe(model, pairs.reshape(-1, *pairs.shape[3:])).reshape(count, points, 2, -1)
    distances = np.stack([2 - 2 * found[:, 0] @ found[:, 1].T for found in features])  # (photos, n, n), squared
    if not np.isfinite(distances).all():
        return {"matching": float("nan"), "fpr95": float("nan")}
    own = np.diagonal(distances, axis1=1, axis2=2)
    wrong = distances[:, ~np.eye(points, dtype=bool)]
    matching = np.mean([average_precision(-square.min(axis=1), square.argmin(axis=1) == np.arange(points)) for square in distances])
    return {"matching": float(matching), "fpr95": float(np.mean(wrong <= np.quantile(own, 0.95)))}


def average_precision(scores: np.ndarray, right: np.ndarray) -> float:
    """Area under precision and recall of answers (N,), the surest first; each of the N queries should have had a right one."""
    hits = right[np.argsort(-scores, kind="stable")]
    precision = np.append(1.0, np.cumsum(hits) / np.arange(1, len(hits) + 1))
    recall = np.append(0.0, np.cumsum(hits) / len(hits))
    return float(np.trapezoid(precision, recall))


def finish(options, folder: str, data: Data) -> list[str]:
    """Fits the principal components, measures the model of the best epoch on the test photos, and writes what it knows."""
    path = runs.find_model(folder)
    model = load_model(path, KIND)
    shape = model.input_shape[1:]
    train = data.photos.full("train")
    if options.pca:
        made = PatchBatches(train, shape, options.batch_size, views_of(options), options.sources, FITTED, options.seed + 1, 0)
        steps = min(FITTED, -(-20_000 // options.batch_size))
        model = descriptor.with_pca(model, np.concatenate([made[step][0]["image"] for step in range(steps)]), options.pca)
        save_aside(model.save, path, ".keras")
    part = next(part for part in ("test", "validation", "train") if getattr(data.photos, part))
    tested = evenly(data.photos.full(part), 2 * VALIDATED)
    found = measured(model, patches_of(tested, shape, options.seed + 2))
    result = {"photos": len(tested), "part": part, "points": PAIRS, "jitter": "hard", "seed": options.seed,
              "numbers": model.output_shape[-1], **found}
    runs.write_json(folder, runs.EVALUATION, result)
    write_about(folder, evenly(train, LOOKED_AT), len(train), shape, result)
    return in_words(result, os.path.getsize(path))


def write_about(folder: str, paths: list[str], images: int, shape: tuple[int, int, int], result: dict) -> None:
    """Writes about.json: what the model learnt from and how it was measured."""
    thumbnails = read_thumbnails(paths)
    runs.write_json(folder, runs.ABOUT, {
        "task": "patches", "shows": shown_in(thumbnails), "ranges": domain.ranges(thumbnails), "classes": images, "images": images,
        "input": list(shape), "measured_on": {"photos": result["photos"], "points": result["points"]}, "roc_auc": None,
        "matching": result["matching"], "fpr95": result["fpr95"],
    })


def in_words(result: dict, size: int) -> list[str]:
    """The report in lines."""
    return [f"{result['photos']} photos of the {result['part']} part, {result['points']} points each, found again with HPatches' hard jitter and "
            "in another light:",
            f"  matching mAP {result['matching']:.3f}, FPR95 {result['fpr95']:.4f}; {result['numbers']} numbers a patch, model {size / 1e6:.2f} MB"]
