"""What lies where: learnt from photos with boxes, or from scenes that are drawn while training."""

import os
from typing import NamedTuple

import numpy as np

from nets.detectors import COARSEST, detector_row
from nets.models import detector
from tasks import about
from tasks.detection import figures
from tasks.detection.data import batches, splitting
from tasks.detection.data.samples import BoxSet, Sample
from tasks.detection.measuring import precision, report
from tasks.detection.scenes import drawing, things
from tasks.models import load_model, store_in_half
from utils.data import photos
from utils.data.files import evenly
from utils.data.splits import told
from utils.flags import passed
from utils.run import devices, folder as runs
from utils.run.fitting import Validation
from utils.saying import counted

KIND = detector.KIND
NEXT = "python predict.py --task=detect PHOTO, or python evaluate.py --task=detect"
FIGURES = {}
CURVES = [("AP and AP50 of held-out pictures", ["val_ap", "val_ap50"]),
          ("terms of the loss", ["class_loss", "box_loss", "centre_loss"])]
VALIDATED, TESTED = 48, 100  # pictures at most that are measured after each epoch, and when training ends
BATCH, STEPS = 16, 200  # pictures in a batch and batches in an epoch, where none are asked for
USUAL = 24.0  # pixels of the longer side of most boxes at most, for which photos are made smaller
SEEN = 200  # drawn scenes whose statistics are kept


class Data(NamedTuple):
    """Photos with boxes by part, or none where scenes are drawn; photos that these are drawn on, by part; and what is
    held out, for split.json."""

    root: str
    samples: dict[str, list[Sample]]
    grounds: dict[str, list[str]]
    side: int
    seed: int
    held_out: dict

    def seen(self, part: str, most: int) -> list:
        """Pictures of a part with their boxes, at most so many, which may still lie in their files."""
        if self.samples:
            return [sample.read(self.root) for sample in evenly(self.samples[part], most)]
        return report.drawn(part, most, max(256, self.side), self.grounds[part], self.seed)


def draws(options) -> bool:
    """Whether scenes are drawn, because no photos with boxes are named."""
    return os.path.normpath(options.dataset_path) == photos.DEFAULT


def settle(options) -> None:
    """Classes, zoom, backbone, sizes of batch and epoch, where they were left open."""
    options.backbone = "sodnet_compact" if options.backbone == "auto" else options.backbone
    options.weights = "" if options.weights == "auto" else options.weights
    options.test_share = 0.1 if options.test_share is None else options.test_share
    options.steps_per_epoch = options.steps_per_epoch or STEPS
    row = row_of(options)
    options.fmf = row.fmf
    options.learning_rate = options.learning_rate or row.rate
    if not passed("batch_size") and not options.resume:
        options.batch_size = BATCH
    if draws(options):
        options.classes, options.zoom = list(things.NAMES), options.zoom or 1.0
        return
    found = read_boxes(options)
    options.classes = list(options.classes or found.names)
    options.zoom = options.zoom or own_zoom(found.samples)


def read_boxes(options) -> BoxSet:
    """The photos with boxes that the flags name."""
    return splitting.read(options.dataset_path, options.box_format, options.classes, options.skip_broken)


def own_zoom(samples: list[Sample]) -> float:
    """The zoom with which half of the boxes have at most `USUAL` pixels, 1 at most; says where it is less."""
    longer = [side for sample in samples for side in (sample.boxes[:, 2:] - sample.boxes[:, :2]).max(axis=1)]
    median = float(np.median(longer)) if longer else 0.0
    zoom = round(min(1.0, USUAL / median), 3) if median else 1.0
    if zoom < 1:
        print(f"half of the boxes are {median:.0f} pixels or longer, so photos become {zoom:g} times as large for the "
              "network: --zoom=1 keeps their size")
    return zoom


def row_of(options):
    """The row of the backbone with the parts of the flags."""
    return detector_row(options.backbone, options.aspconv, options.fmf, options.p1)


def crop(options) -> int:
    """Pixels a side of the windows to learn from; ValueError where --input_shape asks for others than squares."""
    shape = [int(number) for number in options.input_shape if number] or list(row_of(options).input_shape)
    if shape[0] != shape[1] or shape[2] != 3 or shape[0] < 4 * COARSEST or shape[0] % COARSEST:
        raise ValueError(f"--input_shape={','.join(options.input_shape)}: expected squares in colour whose side is a "
                         f"multiple of {COARSEST} pixels, {4 * COARSEST} or more, such as 160,160,3")
    return shape[0]


def build_model(options, start=None):
    """The network that the flags describe, with random weights, or with those of a run but for other classes."""
    if options.weights and not start:
        raise ValueError(f"--weights={options.weights}: for detect expected nothing, a run folder or a .keras file")
    model = detector.detector(row_of(options), options.classes, options.zoom)
    if start:
        try:
            detector.take_weights(model, start)
        except ValueError as error:
            raise ValueError(f"--weights={options.weights}: {error}") from None
    return model


def find_data(options, model) -> Data:
    """Finds and splits the photos with boxes, or those to draw on; says what was found."""
    side = crop(options)
    if not draws(options):
        found = read_boxes(options)
        parts = splitting.split(found, options.val_share, options.test_share, options.seed)
        print(parts.how)
        names = {part: [sample.path for sample in samples] for part, samples in parts.samples.items()}
        boxes = [values for part in report.PARTS for sample in parts.samples[part] for values in sample[1:]]
        return Data(found.root, parts.samples, {}, side, options.seed,
                    {"root": os.path.abspath(found.root), "how": parts.how, "told": told(*boxes), **names})
    if options.backgrounds:
        found = photos.find_photos(options.backgrounds, 4 * COARSEST, options.val_share, options.test_share,
                                   options.seed, options.skip_broken)
        grounds = {part: found.full(part) or found.full("train") for part in report.PARTS}
        root, how = found.root, f"scenes are drawn on photos; {found.how}"
        names = {part: getattr(found, part) for part in report.PARTS}
    else:
        root, how = "", "scenes are drawn on textures, of other seeds to train on, to validate and to test"
        grounds, names = dict.fromkeys(report.PARTS, []), dict.fromkeys(report.PARTS, [])
    print(f"{how}; {len(things.NAMES)} classes, {drawing.SMALLEST:g} to {drawing.LARGEST:g} pixels")
    return Data(root, {}, grounds, side, options.seed, {"root": root and os.path.abspath(root), "how": how, **names})


def prepare(options, model, data: Data) -> None:
    """Keeps in the model how large the largest boxes are that it learns from."""
    kept = model.get_layer("boxes")
    sides = [sample.boxes[:, 2:] - sample.boxes[:, :2] for sample in data.samples.get("train", [])]
    longest = max((float(each.max()) for each in sides if len(each)), default=0.0) * kept.zoom
    kept.largest = min(longest, float(data.side)) if data.samples else drawing.LARGEST


def make_batches(options, data: Data, model) -> batches.BoxBatches:
    """Batches of scenes or windows; says what one holds."""
    size, replicas = options.batch_size, devices.replicas()
    if size % replicas:
        raise ValueError(f"a batch of {size} pictures does not divide among {replicas} devices; pass another "
                         "--batch_size")
    strides = model.get_layer("boxes").strides
    settings = {"batch_size": size, "steps": options.steps_per_epoch, "seed": options.seed, "workers": options.workers}
    if data.samples:
        made = batches.of_photos(data.root, data.samples["train"], data.side, strides, options.zoom, options.flip,
                                 **settings)
    else:
        made = batches.of_scenes(data.side, strides, data.grounds["train"], **settings)
    print(f"a batch: {size} {'windows of photos' if data.samples else 'drawn scenes'} of {data.side} x {data.side} "
          f"pixels; {counted(len(made), 'batch', 'batches')} an epoch")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    return detector.trainer(model, crop(options), make_optimizer(model))


def preview(trainer, batch, data: Data):
    """Pictures of a batch with what each map is asked to find, side by side; a row a picture."""
    (inputs, targets), side = batch, data.side
    strides = figures.strides_of(targets.shape[1], side)
    shown = [picture for image, target in zip(inputs["image"][:4], targets)
             for picture in figures.asked_of(image, target, strides)]
    names = ["boxes", *(f"map of {side // stride} x {side // stride}" for stride in strides)]
    rows = np.arange(len(shown)) // len(names)
    return np.stack(shown).repeat(2, axis=1).repeat(2, axis=2), rows, dict.fromkeys(range(4), ", ".join(names))


def callbacks(options, batches) -> list:
    """This task needs none of its own."""
    return []


def validation(options, model, data: Data) -> Validation | None:
    """AP of held-out pictures; None where there are none."""
    if data.samples and not data.samples["validation"]:
        print("no photos to validate on: the best epoch is that of the lowest training loss")
        return None
    held = data.seen("validation", VALIDATED)
    truths, classes = [report.truth_of(seen) for seen in held], len(options.classes)
    finder = detector.finder(model)

    def measure() -> dict[str, float]:
        answers = report.asked(finder, (seen.picture for seen in held))
        found = precision.curves(truths, answers, classes, {"all": precision.RANGES["all"]}).precision
        return {"val_ap": precision.mean(found) or 0.0, "val_ap50": precision.mean(found[0]) or 0.0}

    return Validation(measure, "val_ap", "max")


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch on test pictures, and writes what it knows."""
    path = runs.model_file(folder)
    if options.half:
        store_in_half(path)
    finder, part = detector.finder(load_model(path, KIND)), part_to_test(data)
    held = data.seen(part, TESTED)
    truths = [report.truth_of(seen) for seen in held]
    result = report.measured(truths, report.asked(finder, (seen.picture for seen in held)), len(finder.names))
    runs.write_json(folder, runs.EVALUATION, result | {"part": part})
    trained = ([os.path.join(data.root, sample.path) for sample in data.samples["train"]] if data.samples
               else [seen.picture for seen in data.seen("train", SEEN)])
    images = len(trained) if data.samples else options.epochs * options.steps_per_epoch * options.batch_size
    about.write_photos(folder, "detect", trained, (data.side, data.side, 3), images=images, names=finder.names,
                       classes=len(finder.names), drawn=not data.samples, threshold=result["threshold"],
                       measured_on={"pictures": len(held)}, ap50=result["ap50"], ap=result["ap"])
    return [f"{counted(len(held), 'photo' if data.samples else 'drawn scene')} of the {part} part, "
            f"{counted(result['objects'], 'object')}:", *report.table(result),
            f"best F1 {result['f1']:.3f} from the score {result['threshold']:.3f} on; model "
            f"{os.path.getsize(path) / 1e6:.2f} MB"]


def part_to_test(data: Data) -> str:
    """The first of test, validation and train that holds pictures."""
    return next(part for part in ("test", "validation", "train") if not data.samples or data.samples[part])
