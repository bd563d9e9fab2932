"""Copies of photos: an embedding learnt without labels, in which every photo is a class and its views are the pictures
of it."""

import os
from typing import NamedTuple

import numpy as np

from nets import losses, towers
from nets.heads import make_head
from nets.inference import embed
from nets.models import siamese
from tasks import about
from tasks.choosing import ready_model
from tasks.collapse import Collapse
from tasks.copies import report
from tasks.copies.measure import as_inputs, left_out, make_copies, recall_by_kind
from tasks.copies.views.batches import ViewBatches
from tasks.copies.views.changes import unwanted
from tasks.models import load_model
from utils.data import photos
from utils.data.files import evenly, save_aside
from utils.run import devices, folder as runs
from utils.run.console import progress_bar
from utils.run.fitting import Validation
from utils.saying import counted
from utils.seen.learnt import before
from utils.sheets.fonts import short

KIND = siamese.KIND
NEXT = "python predict.py --duplicates=FOLDER, or python evaluate.py"
FIGURES = {}
CURVES = [
    ("copies found", ["val_recall"]),
    ("distance of embeddings", ["same_distance", "different_distance"]),
]
LOSS = "supcon"
LEAST = 32  # pixels a side of a photo
VALIDATED, COPIED = 200, 20  # validation photos at most, and those of them that are copied in every way


class Data(NamedTuple):
    """Photos by part, and what is held out, for split.json."""

    root: str
    photos: photos.Photos
    held_out: dict


def settle(options) -> None:
    """Backbone, input and test share where they were left open; `--weights=auto` starts from the ready model."""
    options.backbone = "photos" if options.backbone == "auto" else options.backbone
    options.test_share = 0.1 if options.test_share is None else options.test_share


def build_model(options, start=None):
    """The Siamese model that the flags describe, with its first weights."""
    if start:
        return start
    row = towers.row_of(options.backbone, towers.SIMILARITY)
    shape = tuple(int(number) for number in options.input_shape if number) or row.input_shape
    model = siamese.siamese(towers.make_tower(options.backbone, shape, normalize=True), make_head("distance"))
    if options.weights == "auto" and options.backbone == "photos":
        ready = load_model(ready_model("photos"), KIND)
        model.get_layer("tower").set_weights(ready.get_layer("tower").get_weights())
        if not options.resume:
            print("starting from the ready model for photographs (--weights=auto; --weights= starts from random "
                  "weights)")
    elif options.weights not in ("", "auto"):
        raise ValueError(f"--weights={options.weights}: for copies expected auto, nothing, or a run folder or .keras "
                         "file")
    return model


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found."""
    split = photos.find_photos(options.dataset_path, LEAST, options.val_share, options.test_share, options.seed,
                               options.skip_broken, before(options))
    print(split.how)
    held_out = {"root": os.path.abspath(split.root), "how": split.how, "train": split.train,
                "validation": split.validation, "test": split.test}
    return Data(split.root, split, held_out)


def prepare(options, model, data: Data) -> None:
    """Nothing of the model depends on the data."""


def make_batches(options, data: Data, model) -> ViewBatches:
    """Batches of views; says what one holds."""
    made = ViewBatches(
        data.photos.full("train"), model.input_shape[0][1:], options.batch_size, options.views, options.steps_per_epoch,
        options.seed, options.workers, unwanted(options),
    )
    if made.photos * made.views % devices.replicas():
        raise ValueError(f"a batch of {made.photos * made.views} views does not divide among {devices.replicas()} "
                         "devices; pass another --batch_size")
    print(f"a batch: {counted(made.photos, 'photo')} x {counted(made.views, 'view')}; "
          f"{counted(len(made), 'batch', 'batches')} an epoch")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    loss = siamese.make_loss(LOSS, model, temperature=options.temperature)
    made = siamese.trainer(model, loss, augment=False)
    made.compile(make_optimizer(model), siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
    return made


def preview(trainer, batch, data: Data):
    """Views of a batch, a row a photo."""
    inputs = batch[0]
    names = {label: short(path) for label, path in enumerate(data.photos.train)}
    return inputs["image"], inputs["label"], names


def callbacks(options, batches) -> list:
    """Watches whether the embeddings stay apart."""
    return [Collapse(losses.idle_loss(LOSS, losses.settings_of(LOSS, {"temperature": options.temperature})),
                     advice="; a higher --temperature")]


def validation(options, model, data: Data) -> Validation | None:
    """Recall of copies of held-out photos, which are made once; None where there are no such photos.

    The last epoch is kept, unless `--patience` asks for the best. While the learning rate is high the recall goes up
    and down by several hundredths from epoch to epoch, so the best of many epochs is mostly a lucky one
    (docs/results.md).
    """
    paths = evenly(data.photos.full("validation"), VALIDATED)
    if len(paths) < 2:
        print(f"{counted(len(paths), 'photo')} to validate on, two are needed: the best epoch is that of the "
              "lowest training loss")
        return None
    made = make_copies(paths, COPIED, options.seed, False, left_out(options), progress_bar("picture"))
    shape = model.input_shape[0][1:]
    kinds = {name: as_inputs(pictures, shape) for name, pictures in made.copies.items()}
    made = made._replace(photos=as_inputs(made.photos, shape), copies=kinds)

    def measure() -> dict[str, float]:
        recalls = recall_by_kind(made, lambda pictures: embed(model, pictures))
        return {"val_recall": float(np.mean(list(recalls.values())))}

    return Validation(measure, "val_recall" if options.patience else "", "max")


def finish(options, folder: str, data: Data) -> list[str]:
    """Fits head and thresholds to copies of the validation photos, and measures the kept model on the test photos."""
    path = runs.model_file(folder)
    model = load_model(path, KIND)
    compare, shape = siamese.comparer(model), model.input_shape[0][1:]
    kinds = left_out(options)
    fitted = data.photos.full("validation" if len(data.photos.validation) > 1 else "train")
    cuts = report.fit_thresholds(model, evenly(fitted, VALIDATED), options.seed, kinds)
    if cuts:
        save_aside(model.save, path, ".keras")
        runs.write_json(folder, runs.THRESHOLDS, cuts)
    tested = data.photos.full("test") or fitted
    measured = report.write_copies(compare, shape, tested, folder, cuts, options.seed,
                                   left_out=kinds) if len(tested) > 1 and cuts else {}
    about.write_photos(folder, "copies", data.photos.full("train"), shape, distorted=False, left_out=kinds,
                       measured_on={"photos": measured["photos"]} if measured else {},
                       recall=measured["recall"]["mean"]["model"] if measured else None)
    return report.in_words(measured)
