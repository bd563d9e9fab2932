"""Pictures that look natural: generators that learn by the distance of deep features, a discriminator, and pixels."""

import os
from typing import NamedTuple

import numpy as np

from nets import comparator as comparing
from nets.generators import GENERATORS
from nets.losses.deepsim import DeepDistance
from nets.models import perceptual
from tasks import about
from tasks.models import load_model
from tasks.optimizers import ForEach, pausing
from tasks.perceptual import figures, seeing
from tasks.perceptual.learning.batches import PhotoBatches, crops
from tasks.perceptual.learning.watching import Watch
from tasks.perceptual.measuring import comparators, report
from utils.data import photos
from utils.flags import passed
from utils.run import devices, folder as runs
from utils.run.fitting import Validation
from utils.saying import counted

KIND = perceptual.KIND
NEXT = ("python predict.py --task=perceptual --reconstruct PHOTO, or python evaluate.py --task=perceptual "
        "--dataset_path=PHOTOS")
FIGURES = {}
CURVES = [("the ratio r: D stops below .1, goes on above .5", ["ratio"]),
          ("share of steps of D and G", ["judging", "generating"]),
          ("held-out photos: 1 is another photo", ["val_distance", "val_error"])]
VALIDATED, TESTED = 64, 200  # crops at most that are made after each epoch, and when training ends
STEPS, DECAY = 250, 4e-4
MEASURED = 64  # crops of training photos whose mean distance is the unit


class Data(NamedTuple):
    """Photos by part, and what is held out, for split.json."""

    root: str
    photos: photos.Photos
    side: int
    held_out: dict
    made_by: dict

    def crops(self, part: str, most: int) -> np.ndarray:
        """Crops of the photos of a part, always the same ones."""
        return crops(self.photos.full(part), self.side, most)


def settle(options) -> None:
    """Backbone, rates and sizes, where they were left open."""
    options.backbone = "deepsim_compact" if options.backbone == "auto" else options.backbone
    options.weights = "" if options.weights == "auto" else options.weights
    options.test_share = 0.1 if options.test_share is None else options.test_share
    options.steps_per_epoch = options.steps_per_epoch or STEPS
    options.learning_rate = options.learning_rate or GENERATORS[options.backbone].rate
    if not options.resume:
        for name, value in (("optimizer", "adam"), ("weight_decay", DECAY), ("schedule", "constant"),
                            ("batch_size", GENERATORS[options.backbone].batch)):
            if not passed(name):
                setattr(options, name, value)


def build_model(options, start=None):
    """The generator that the flags describe, with its first weights, and the distance by which it learns."""
    if start:
        raise ValueError(f"--weights={options.weights}: perceptual starts from random weights: leave it out, or "
                         "continue a run with --resume")
    distance, sees = comparators.opened(options), None
    if options.generator == "inversion":
        tower = comparators.network(*inverted(options))
        options.inverted_layer = options.inverted_layer or comparing.deepest_maps(tower)
        sees = comparing.comparator(tower, [options.inverted_layer])
    side = GENERATORS[options.backbone].input_shape[options.generator][0]
    return perceptual.perceptual(options.generator, options.backbone, distance, side, sees)


def inverted(options) -> tuple[str, str]:
    """The network whose features are inverted, and the file of its weights."""
    return ((options.inverted, "") if options.inverted not in ("", options.comparator)
            else (options.comparator, options.comparator_weights))


def find_data(options, model) -> Data:
    """Finds and splits the photos; says what was found."""
    side = perceptual.maker(model).side
    found = photos.find_photos(options.dataset_path, side, options.val_share, options.test_share, options.seed,
                               options.skip_broken)
    print(found.how)
    held_out = {"root": os.path.abspath(found.root), "how": found.how, "train": found.train,
                "validation": found.validation, "test": found.test}
    made_by = {"generator": options.generator, "terms": list(options.terms), "comparator": options.comparator}
    if options.generator == "inversion":
        made_by |= {"inverts": seeing.network_file(inverted(options)[0]), "layer": options.inverted_layer}
    return Data(found.root, found, side, held_out, made_by)


def prepare(options, model, data: Data) -> None:
    """Makes the mean distance of crops of training photos the unit of the distance."""
    distance: DeepDistance = perceptual.maker(model).distance
    distance.measure(data.crops("train", MEASURED).astype("float32"))


def make_batches(options, data: Data, model) -> PhotoBatches:
    """Batches of crops; says what one holds."""
    size, replicas = options.batch_size, devices.replicas()
    if size % replicas:
        raise ValueError(f"a batch of {size} crops does not divide among {replicas} devices; pass another --batch_size")
    made = PhotoBatches(data.photos.full("train"), data.side, size, options.steps_per_epoch, options.seed,
                        options.workers)
    print(f"a batch: {size} crops of {data.side} x {data.side} pixels; {counted(len(made), 'batch', 'batches')} an "
          f"epoch; terms {', '.join(options.terms)}")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained: the generator, and a discriminator where there is that term."""
    names = [*options.terms, *(["kl"] if options.generator == "vae" else [])]
    weights = {name: getattr(options, f"{name}_weight") for name in names}
    judged = "adversarial" in options.terms
    judge = perceptual.make_discriminator(model, options.backbone) if judged else None
    made = perceptual.trainer(model, judge, weights, options.weight_decay if judged else 0.0)
    networks = [network for network in (model, judge) if network]
    shown = ["feature", "pixel", "variety", *(["kl"] if "kl" in names else []),
             *(["adversarial", "real", "made", "ratio", "judging", "generating"] if judged else [])]
    made.compile(ForEach({network: pausing(make_optimizer(network)) for network in networks}),
                 perceptual.precomputed_loss, metrics=perceptual.metrics(shown))
    return made


def preview(trainer, batch, data: Data):
    """Crops of a batch."""
    images = batch[0]["image"][:16]
    return images, np.arange(len(images)) // 8, {}


def callbacks(options, batches) -> list:
    """Says so where all that is made is alike, or where the discriminator tells nothing apart."""
    return [Watch("adversarial" in options.terms)]


def validation(options, model, data: Data) -> Validation | None:
    """Errors of pixels and of features on held-out photos; None where there are none."""
    if not data.photos.validation:
        print("no photos to validate on: the best epoch is that of the lowest training loss")
        return None
    held, used = data.crops("validation", VALIDATED), perceptual.maker(model)
    monitor = "val_distance" if "feature" in options.terms else "val_error"

    def measure() -> dict[str, float]:
        found = report.errors(used, held)
        return {"val_error": found["error"], "val_distance": found["distance"]}

    return Validation(measure, monitor, "min")


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch on test photos, shows what it makes, and writes what it knows."""
    path = runs.model_file(folder)
    used = perceptual.maker(load_model(path, KIND))
    part = next(part for part in ("test", "validation", "train") if getattr(data.photos, part))
    tested = data.crops(part, TESTED)
    result = report.errors(used, tested) | {"crops": len(tested), "part": part}
    runs.write_json(folder, runs.EVALUATION, result)
    report.draw(os.path.join(folder, "made.png"), tested, {"made": used})
    if used.draw:
        noise = np.random.default_rng(options.seed).normal(size=(16, used.code)).astype("float32")
        figures.sheet([("", used.draw(noise).astype("uint8"))], os.path.join(folder, "sampled.png"), "made of nothing",
                      columns=4)
    about.write_photos(folder, "perceptual", data.photos.full("train"), (data.side, data.side, 3),
                       measured_on={"crops": len(tested)}, **data.made_by,
                       **{name: result[name] for name in ("error", "distance")})
    return [f"{counted(len(tested), 'crop')} of the {part} part; 1 is the mean distance of different ones:",
            f"  error of pixels {result['error']:.3f}, of the comparator's features {result['distance']:.3f}; model "
            f"{os.path.getsize(path) / 1e6:.2f} MB"]
