"""Do these patches show the same place: a descriptor learnt from photos, whose patches are cut twice, as two photos
would show them."""

import contextlib
import os
from typing import NamedTuple

import numpy as np

from nets import towers
from nets.losses import make_patch_loss
from nets.models import descriptor
from tasks.about import LOOKED_AT, read_thumbnails, shown_in
from tasks.models import load_model
from tasks.patches.data import sets
from tasks.patches.data.batches import PatchBatches, PatchSet, SetBatches, drawn_pairs
from tasks.patches.data.pairs import Views, photo_pairs
from tasks.patches.describers import resized
from tasks.patches.measuring import metrics
from utils.data import photos
from utils.data.files import evenly, save_aside
from utils.data.survey import THUMBNAIL
from utils.flags import passed
from utils.metrics import domain
from utils.metrics.verification import fpr95
from utils.run import devices, folder as runs, weights
from utils.run.fitting import Validation
from utils.saying import counted
from utils.seen.learnt import before

KIND = descriptor.KIND
NEXT = "python predict.py --task=patches A.jpg B.jpg, or python evaluate.py --task=patches"
FIGURES = {}
CURVES = [
    ("patches that find their partner", ["matched", "val_matching"]),
    ("false matches at 95 % of the true ones", ["val_fpr95"]),
    ("distance of descriptors", ["true_distance", "nearest_distance"]),
]
LEAST = 64  # pixels a side of a photo
VALIDATED, PAIRS = 24, 100  # photos at most that are validated on, and the points of each
FITTED = 20_000  # patches, about, that the principal components are fitted to
TORCH = (".pth", ".pt")  # files of PyTorch: published weights
PARTS = {"train": "to train on", "validation": "to validate", "test": "to test"}
BATCH, STEPS = 512, 100  # patches in a batch and batches in an epoch, where none are asked for


class Data(NamedTuple):
    """Photos, or parts of a set of real patches, by part; and what is held out, for split.json."""

    root: str
    photos: photos.Photos | None
    sets: dict[str, PatchSet]
    held_out: dict


def settle(options) -> None:
    """Backbone, weights, sizes of batch and epoch, where they were left open."""
    options.weights = "" if options.weights == "auto" else options.weights
    if options.backbone == "auto":
        options.backbone = "hardnet" if options.weights.endswith(TORCH) else "patches"
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
    model = descriptor.descriptor(towers.make_patch_tower(options.backbone, shape))
    if options.weights.endswith(TORCH):
        descriptor.load_published(model, weights.read_torch(options.weights))
    elif options.weights:
        raise ValueError(f"--weights={options.weights}: for patches expected nothing, a run folder, a .keras file, or "
                         f"a file of PyTorch ({' or '.join(TORCH)})")
    return model


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found."""
    if model.input_shape[-1] not in (1, 3):
        raise ValueError(f"--input_shape: photos have 1 channel or 3, the model takes {model.input_shape[-1]}")
    root = os.path.expanduser(options.dataset_path)
    if set_kind(root):
        return find_set(options, root, model.input_shape[1:])
    split = photos.find_photos(options.dataset_path, LEAST, options.val_share, options.test_share, options.seed,
                               options.skip_broken, before(options))
    print(split.how)
    if options.data_share < 1:
        kept = evenly(split.train, max(1, round(options.data_share * len(split.train))))
        split = photos.Photos(split.root, kept, split.validation, split.test, split.how)
        print(f"--data_share={options.data_share:g}: {len(kept)} of the photos to train on are used")
    held_out = {"root": os.path.abspath(split.root), "how": split.how, "train": split.train,
                "validation": split.validation, "test": split.test}
    return Data(split.root, split, {}, held_out)


def set_kind(root: str) -> str:
    """"hpatches" or "phototour" where a folder holds such a set of patches, otherwise ""."""
    with contextlib.suppress(ValueError):
        kind = sets.kind_of(root)
        return kind if kind in ("hpatches", "phototour") else ""
    return ""


def find_set(options, root: str, shape: tuple[int, int, int]) -> Data:
    """Reads HPatches or PhotoTour, and holds scenes, or points where there is one scene, out by chance."""
    if shape[2] != 1:
        raise ValueError(f"--input_shape: the patches of {root} are grey, the model takes {shape[2]} channels: pass "
                         f"{shape[0]},{shape[1]},1")
    patch_set, names = read_set(root, shape[0])
    unit = patch_set.points if len(names) == 1 else patch_set.scenes
    order = np.random.default_rng(options.seed).permutation(np.unique(unit))
    ends = np.cumsum([max(1, round(share * len(order))) if share else 0
                      for share in (options.test_share, options.val_share)])
    held = {"test": order[: ends[0]], "validation": order[ends[0] : ends[1]], "train": order[ends[1] :]}
    held["train"] = held["train"][: max(1, round(options.data_share * len(held["train"])))]
    if len(held["train"]) < 1 or len(patch_set.points) < 2:
        raise ValueError(f"{root}: found {len(order)} scenes or points, too few to train on: lower --val_share and "
                         "--test_share")
    of = "points" if len(names) == 1 else "scenes"
    how = (f"{len(patch_set.points)} patches, {of}: "
           + ", ".join(f"{len(held[part])} {words}" for part, words in PARTS.items()))
    print(f"found {how}")
    kept = {part: patch_set.take(np.isin(unit, held[part])) for part in held}
    told = {part: sorted(names[row] for row in held[part]) if of == "scenes" else len(held[part]) for part in held}
    return Data(root, None, kept,
                {"root": os.path.abspath(root), "how": how, "patches": len(patch_set.points), "seed": options.seed,
                 **told})


def read_set(root: str, side: int) -> tuple[PatchSet, list[str]]:
    """The patches of HPatches or PhotoTour at a side of so many pixels, and the names of the scenes."""
    if set_kind(root) == "phototour":
        tour = sets.phototour(root)
        return PatchSet(smaller(tour.patches, side), tour.points,
                        np.zeros(len(tour.points), int)), [os.path.basename(root)]
    patches, points, scenes, names, before = [], [], [], [], 0
    for number, scene in enumerate(sets.hpatches(root)):
        for view in scene.views.values():
            patches.append(smaller(view, side))
            points.append(before + np.arange(len(view)))
            scenes.append(np.full(len(view), number))
        before += len(view)
        names.append(scene.name)
    return PatchSet(*(np.concatenate(values) for values in (patches, points, scenes))), names


def smaller(patches: np.ndarray, side: int) -> np.ndarray:
    """Patches (N, side, side) uint8, in blocks, so that memory stays small."""
    return np.concatenate([np.rint(resized(patches[start : start + 4096], side, 1)).astype("uint8")
                           for start in range(0, len(patches), 4096)])


def prepare(options, model, data: Data) -> None:
    """Nothing of the model depends on the data."""


def make_batches(options, data: Data, model) -> PatchBatches:
    """Batches of pairs of patches; says what one holds."""
    if data.sets:
        made = SetBatches(data.sets["train"], options.batch_size, options.sources, options.steps_per_epoch,
                          options.seed, options.turned_patches)
        if made.pairs < 2 or made.pairs % devices.replicas():
            raise ValueError(f"a batch of {made.pairs} pairs, expected two or more that divide among "
                             f"{devices.replicas()} devices; pass another --batch_size")
        print(f"a batch: {made.pairs} pairs of patches of {len(made.points)} points; "
              f"{counted(len(made), 'batch', 'batches')} an epoch")
        return made
    made = PatchBatches(
        data.photos.full("train"), model.input_shape[1:], options.batch_size, views_of(options), options.sources,
        options.steps_per_epoch,
        options.seed, options.workers,
    )
    pairs = made.sources * made.count
    if pairs % devices.replicas():
        raise ValueError(f"a batch of {pairs} pairs does not divide among {devices.replicas()} devices; pass another "
                         "--batch_size")
    print(f"a batch: {pairs} pairs of patches from {counted(made.sources, 'photo')}; "
          f"{counted(len(made), 'batch', 'batches')} an epoch")
    return made


def views_of(options) -> Views:
    """How the two patches of a pair differ, by the flags."""
    return Views(options.jitter, options.light, options.turned_patches)


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    made = descriptor.trainer(model, make_patch_loss(options.patch_loss))
    made.compile(make_optimizer(model), descriptor.precomputed_loss, metrics=descriptor.descriptor_metrics())
    return made


def preview(trainer, batch, data: Data):
    """Pairs of patches of a batch, a row a pair, from all its photos."""
    inputs = batch[0]
    rows = np.array(evenly(np.arange(len(inputs["point"]) // 2), 8))
    rows = np.stack([2 * rows, 2 * rows + 1], axis=1).ravel()
    points = inputs["point"][rows]
    return inputs["image"][rows], points, {int(point): f"point {point}" for point in points}


def callbacks(options, batches) -> list:
    """This task needs none of its own."""
    return []


def validation(options, model, data: Data) -> Validation | None:
    """Matching of patches of held-out photos, cut once; None where there are no such photos."""
    pairs = held_out_pairs(data, "validation", VALIDATED, model.input_shape[1:], options.seed)
    if not pairs:
        print("nothing to validate on: the best epoch is that of the lowest training loss")
        return None
    return Validation(lambda: {f"val_{name}": value for name, value in measured(model, pairs).items()}, "val_matching",
                      "max")


def held_out_pairs(data: Data, part: str, most: int, shape: tuple[int, int, int], seed: int) -> list[np.ndarray]:
    """Pairs of patches of each photo of a part under hard jitter, or of each scene of a set: up to `PAIRS` of (n, 2, P,
    P, C) uint8."""
    if data.photos:
        paths = evenly(data.photos.full(part), most)
        return [photo_pairs(path, shape, PAIRS, [seed, 1, number], Views("hard", 1.0, False))
                for number, path in enumerate(paths)]
    points, first, counts = np.unique(data.sets[part].points, return_index=True, return_counts=True)
    points, first = points[counts > 1], data.sets[part].scenes[first[counts > 1]]
    rng = np.random.default_rng([seed, 1])
    groups = []
    for scene in np.unique(first):
        own = rng.permutation(points[first == scene])
        groups += np.array_split(own, -(-len(own) // PAIRS))
    return [drawn_pairs(data.sets[part], group, rng) for group in evenly(groups, most) if len(group) > 1]


def measured(model, pairs: list[np.ndarray]) -> dict[str, float]:
    """Mean over photos of the average precision of matching, and FPR95 of the pairs against patches of other points of
    the photo.

    Args:
        pairs: of each photo (n, 2, P, P, C).
    """
    sizes = np.cumsum([2 * len(of_one) for of_one in pairs])[:-1]
    patches = np.concatenate([of_one.reshape(-1, *of_one.shape[2:]) for of_one in pairs])
    features = np.split(descriptor.describe(model, patches), sizes)
    if not all(np.isfinite(descriptors).all() for descriptors in features):
        return {"matching": float("nan"), "fpr95": float("nan")}
    squares = [metrics.squared(descriptors[0::2], descriptors[1::2]) for descriptors in features]
    own = np.concatenate([np.diagonal(square) for square in squares])
    wrong = np.concatenate([square[~np.eye(len(square), dtype=bool)] for square in squares])
    matching = np.mean([metrics.matching(descriptors[0::2], descriptors[1::2]) for descriptors in features])
    return {"matching": float(matching), "fpr95": float(fpr95(own, wrong))}


def finish(options, folder: str, data: Data) -> list[str]:
    """Fits the principal components, measures the model of the best epoch on the test photos, and writes what it
    knows."""
    path = runs.model_file(folder)
    model = load_model(path, KIND)
    shape = model.input_shape[1:]
    if options.pca:
        made = make_batches(options, data, model)
        steps = min(len(made), max(1, FITTED // options.batch_size))
        model = descriptor.with_pca(model, np.concatenate([made[step][0]["image"] for step in range(steps)]),
                                    options.pca)
        save_aside(model.save, path, ".keras")
    parts = {part: held_out_pairs(data, part, 2 * VALIDATED, shape, options.seed + 2)
             for part in ("test", "validation", "train")}
    part = next(part for part, pairs in parts.items() if pairs)
    result = {"photos": len(parts[part]), "part": part, "points": max(map(len, parts[part])),
              "jitter": "hard" if data.photos else "none",
              "seed": options.seed, "numbers": model.output_shape[-1], **measured(model, parts[part])}
    runs.write_json(folder, runs.EVALUATION, result)
    write_about(folder, data, shape, result)
    return in_words(result, os.path.getsize(path))


def write_about(folder: str, data: Data, shape: tuple[int, int, int], result: dict) -> None:
    """Writes about.json: what the model learnt from and how it was measured."""
    if data.photos:
        thumbnails, images = read_thumbnails(evenly(data.photos.full("train"), LOOKED_AT)), len(data.photos.train)
    else:
        patches = np.stack(evenly(data.sets["train"].patches, LOOKED_AT))
        thumbnails, images = resized(patches, THUMBNAIL[0], 3).astype("uint8"), len(data.sets["train"].points)
    runs.write_json(folder, runs.ABOUT, {
        "task": "patches", "shows": shown_in(thumbnails), "ranges": domain.ranges(thumbnails), "classes": images,
        "images": images,
        "input": list(shape), "measured_on": {"photos": result["photos"], "points": result["points"]}, "roc_auc": None,
        "matching": result["matching"], "fpr95": result["fpr95"],
    })


def in_words(result: dict, size: int) -> list[str]:
    """The report in lines."""
    again = ", found again with HPatches' hard jitter and in another light" if result["jitter"] == "hard" else ""
    return [f"{result['photos']} photos or scenes of the {result['part']} part, up to {result['points']} points "
            f"each{again}:",
            f"  matching mAP {result['matching']:.3f}, FPR95 {result['fpr95']:.4f}; {result['numbers']} numbers a "
            f"patch, model {size / 1e6:.2f} MB"]
