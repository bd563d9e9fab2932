"""Same or different, and how near: Siamese and triplet networks on folders of classes."""

from typing import NamedTuple

import numpy as np

from nets import siamese, towers
from tasks.similarity import report
from utils.batches import augment, classes as batches
from utils.data import classes as folders
from utils.run import devices, fitting as training, folder as runs, weights
from utils.run.console import decode, find_samples
from utils.data.images import ImagesOnDisk
from utils.run.fitting import Validation

KIND = siamese.KIND
NEXT = "python predict.py, or python eval_similarity.py"


class Data(NamedTuple):
    """Samples, their images (N, H, W, C), their split, and what is held out, for split.json."""

    root: str
    samples: folders.Samples
    images: np.ndarray | ImagesOnDisk
    split: folders.Split
    held_out: dict


def build_model(options):
    """The Siamese model that the flags describe, with its first weights."""
    towers.check_name(options.backbone, towers.TOWERS)
    arrays = weights.read(options.weights)
    shape = tuple(int(n) for n in options.input_shape if n) or towers.INPUT_SHAPES[options.backbone]
    normalize = options.head == "distance" if options.normalize is None else options.normalize
    tower = towers.make_tower(options.backbone, shape, normalize, weights.pixels(arrays))
    model = siamese.siamese(tower, siamese.make_head(options.head))
    if arrays:
        siamese.assign(model, arrays)
    return model


def find_data(options, model) -> Data:
    """Finds, decodes and splits the images; says what was found."""
    loss_layer(options, model)  # refuses a loss that the model cannot have before the long reading
    augmentation(options)
    samples = find_samples(options.dataset_path, options.train_own_data)
    samples, images = decode(samples, model.input_shape[0][1:], options.cache_gb, options.skip_broken)
    split = folders.split_by_class(samples, options.val_share, options.test_share, options.seed)
    print(split.how)
    return Data(samples.root, samples, images, split, folders.held_out(samples, split))


def make_batches(options, data: Data, model) -> batches.ClassBatches:
    """Batches of the training rows; says the range of the first."""
    kind = augmentation(options)
    poses = (8 if options.mirrored else 4) if kind == "characters" else 1
    made = batches.ClassBatches(
        data.images, data.samples.labels, data.samples.groups, data.split.train, options.batch_size,
        options.images_per_class, augment.AUGMENTATIONS[kind], options.groups_per_batch,
        poses=poses, steps=options.steps_per_epoch, seed=options.seed, multiple_of=devices.replicas(),
    )
    first = made[0][0]["image"]
    print(f"a batch: {made.classes_per_batch} classes x {made.images_per_class} images, grey levels "
          f"{first.min()} to {first.max()}, mean {first.mean():.0f}; {len(made)} batches an epoch")
    return made


def augmentation(options) -> str:
    """The kind of small changes that the flags mean, of `utils.batches.augment.AUGMENTATIONS`."""
    kind = options.augment
    if kind == "auto":
        kind = "photos" if options.train_own_data else "characters"
    if options.mirrored and kind != "characters":
        raise ValueError("--mirrored makes further alphabets of characters: pass --augment=characters too, or --nomirrored")
    return kind


def trainer(options, model, optimizer):
    """The compiled model that is trained."""
    loss = loss_layer(options, model)
    made = siamese.trainer(model, loss)
    made.compile(optimizer, siamese.own_loss, metrics=siamese.signs_of_life(loss))
    return made


def seen(trainer, batch):
    """Images of a batch as the tower sees them, and their classes."""
    return siamese.augmented(trainer, batch)


def callbacks(options, batches) -> list:
    """Who watches the signs of life."""
    return [training.Collapse(siamese.idle_loss(loss_name(options), options.margin))]


def validation(options, model, data: Data) -> Validation | None:
    """Scores held-out pairs, drawn once; None where there are none."""
    labels, rows = data.samples.labels, data.split.validation
    if folders.comparable(labels[rows]):
        measure = report.validator(siamese.comparer(model), data.images, labels, rows, options.seed)
        return Validation(measure, "val_roc_auc", "max")
    print("no classes to validate on: the best epoch is that of the lowest training loss")
    return None


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch, its head fitted first where the loss did not train it."""
    path = runs.find_model(folder)
    model = runs.load_model(path, KIND)
    if loss_name(options) != "cross_entropy":
        fit_head(options, model, path, data)
    quality = report.write_report(
        siamese.comparer(model), data.images, data.samples, data.split.test, folder, options.seed
    )
    return report.lines(quality)


def fit_head(options, model, path: str, data: Data) -> None:
    """Calibrates the head on validation pairs, or for want of them on training pairs, and saves the model."""
    labels = data.samples.labels
    rows = next((r for r in (data.split.validation, data.split.train) if folders.comparable(labels[r])), None)
    if rows is None:
        return
    pairs = report.pairs_of_features(siamese.comparer(model), data.images, labels, rows, options.seed)
    if siamese.calibrate(model, *pairs):
        runs.save_aside(model.save, path, ".keras")
    else:
        print("same pairs lie no nearer than different ones: the embedding has learnt nothing yet")


def loss_layer(options, model):
    """The loss layer that the flags mean, on this model."""
    return siamese.make_loss(loss_name(options), model, options.margin, options.mining, options.squared)


def loss_name(options) -> str:
    """The loss that the flags mean."""
    default = {"siamese": "cross_entropy", "triplet": "triplet"}[options.task]
    return default if options.loss == "auto" else options.loss
