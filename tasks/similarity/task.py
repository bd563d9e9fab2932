"""Same or different, and how near: Siamese and triplet networks on folders of classes."""

import os
from typing import NamedTuple

import numpy as np

from nets import frozen, losses, towers
from nets.heads import HEADS, make_head
from nets.inference import forward
from nets.models import siamese
from tasks import about
from tasks.choosing import ready_model
from tasks.collapse import Collapse
from tasks.models import load_model
from tasks.similarity import report
from tasks.similarity.choosing import imagenet, keep
from tasks.similarity.flags import augmentation, check, loss_name
from utils import gallery
from utils.batches.augment import AUGMENTATIONS
from utils.batches.classes import ClassBatches
from utils.data.classes import Samples, find_samples, read_pictures, read_samples
from utils.data.files import save_aside
from utils.data.images import ImagesOnDisk
from utils.data.splits import Split, comparable, held_out, seen_in_training, split_by_class
from utils.data.survey import Survey, input_for, survey
from utils.flags import passed
from utils.run import devices, folder as runs, weights
from utils.run.fitting import Validation
from utils.saying import counted
from utils.seen.learnt import before
from utils.sheets.fonts import short

KIND = siamese.KIND
NEXT = "python predict.py, or python evaluate.py"
CURVES = [
    ("cross-entropy of validation pairs, whatever the loss", ["val_loss"]),
    ("validation pairs", ["val_accuracy", "val_roc_auc"]),
    ("distance of embeddings", ["same_distance", "different_distance"]),
    ("share of triplets that violate the margin", ["active_triplets"]),
]
FIGURES = {"roc_auc": "ROC-AUC", "accuracy": "accuracy", "pixels_roc_auc": "ROC-AUC of pixels",
           "fisherfaces_roc_auc": "of Fisherfaces"}

ADVICE = "; another --loss; for triplets --mining=semi_hard or all; weaker --augment"
PHOTOS, THINGS = "photos", "things"  # the backbone for photographs, and the ready model that own ones start from
FROZEN_RATE = 2e-3  # learning rate of a projection behind a frozen backbone
FINE_RATE = 5e-4  # learning rate where a small data set starts from the ready model
FEW = 20  # classes below which one split says little
FEW_SHARE = 0.15  # of few classes that are held out to choose the better model by
ENOUGH = 8  # classes held out for validation from which on they may choose the best epoch


class OwnPictures(NamedTuple):
    """What a user's own pictures are like, and how many classes they show."""

    survey: Survey
    classes: int


class Data(NamedTuple):
    """Samples, their images (N, H, W, C), their split, and what is held out, for split.json; with --freeze their
    features (N, F)."""

    root: str
    samples: Samples
    images: np.ndarray | ImagesOnDisk
    split: Split
    held_out: dict
    features: np.ndarray | None


def settle(options) -> None:
    """Backbone, input, loss and batches where they were left open. If the pictures are a user's own photographs, their
    size and colour decide."""
    starts = options.weights not in ("", "auto", "imagenet")  # from another model, which brings its input
    own = options.train_own_data and options.backbone in ("auto", PHOTOS) and not starts and look_at_own(options)
    options.backbone = (PHOTOS if own else "compact") if options.backbone == "auto" else options.backbone
    if (own and options.task == "siamese" and options.loss == "auto" and options.head == "distance"
        and options.normalize is not False):
        options.loss = "supcon"
    options.loss = loss_name(options)
    if options.backbone != PHOTOS:
        options.weights = weights.named(options.weights, options.backbone)
    if own and not any(options.input_shape):
        options.input_shape = [str(number) for number in input_for(own.survey)]
    few = options.train_own_data and own and own.classes < 100
    if few and not passed("val_share"):
        options.val_share = FEW_SHARE
    options.test_share = (0.2 if few else 0.1) if options.test_share is None else options.test_share
    options.splits = options.splits or (3 if own and own.classes < FEW and "TF_CONFIG" not in os.environ else 1)
    options.images_per_class = options.images_per_class or (4 if own else 3)
    if options.freeze:
        options.learning_rate = options.learning_rate or FROZEN_RATE
    elif own and options.weights == "auto":
        options.learning_rate = options.learning_rate or FINE_RATE
    check(options)
    if options.teacher:
        imagenet.check_teacher()
    if own:
        pictures = own.survey
        print(f"your pictures: {pictures.count} photographs in {'colour' if pictures.colour else 'grey'}, "
              f"{pictures.width} x {pictures.height} pixels. Chosen: --input_shape={','.join(options.input_shape)} "
              f"--backbone={options.backbone} --loss={options.loss} --images_per_class={options.images_per_class} "
              f"--val_share={options.val_share:g} --test_share={options.test_share:g} --splits={options.splits}")


def look_at_own(options) -> "OwnPictures | None":
    """What the user's own pictures are like; None where they are characters."""
    samples = read_samples(os.path.expanduser(options.dataset_path), True)
    pictures = survey(samples.full_paths())
    return None if pictures.characters else OwnPictures(pictures, len(samples.classes))


def build_model(options, start=None):
    """The Siamese model that the flags describe, with its first weights; with --freeze its tower is a backbone,
    followed by a projection."""
    model = start or first_model(options)
    head = model.get_layer("head")
    if options.freeze and getattr(head, "compares_locations", False):
        raise ValueError("--freeze keeps one vector of each picture, and this head compares places of its maps: pass "
                         "--head=distance, or --nofreeze")
    return frozen.freeze(model) if options.freeze else model


def first_model(options):
    """The Siamese model of the backbone and head that the flags name."""
    row = towers.row_of(options.backbone, towers.SIMILARITY)
    ready = options.weights == "auto" and options.backbone == PHOTOS
    arrays = weights.read("" if ready else options.weights, options.backbone, row.network and row.network.function)
    shape = tuple(int(n) for n in options.input_shape if n) or row.input_shape
    normalize = options.head == "distance" if options.normalize is None else options.normalize
    tower = towers.make_tower(options.backbone, shape, normalize, weights.are_imagenets(arrays),
                              HEADS[options.head].locations)
    model = siamese.siamese(tower, make_head(options.head, tower))
    if arrays:
        siamese.assign(model, arrays)
    if ready:
        start_from_ready(model.get_layer("tower"))
        if not options.resume:
            print(f"starting from the ready model {THINGS} (--weights={options.weights}; --weights= starts from random "
                  "weights)")
    return model


def start_from_ready(tower, name: str = THINGS) -> None:
    """Gives a tower of the backbone `PHOTOS` the weights of a ready model, whatever the input size; one that ends in
    maps gets those that it has. ValueError where it has none of them."""
    ready = load_model(ready_model(name), KIND).get_layer("tower")
    names = {layer.name for layer in ready.layers}
    shared = [layer for layer in tower.layers if layer.weights and layer.name in names]
    if not shared:
        raise ValueError(f"{tower.name}: no layer of the ready model {name} is in it; expected a tower of {PHOTOS}")
    for layer in shared:
        layer.set_weights(ready.get_layer(layer.name).get_weights())


def find_data(options, model) -> Data:
    """Finds, decodes and splits the images; says what was found."""
    loss_layer(options, model)  # refuses a loss that the model cannot have before the long reading
    samples = find_samples(options.dataset_path, options.train_own_data)
    samples, images = read_pictures(samples, model.input_shape[0][1:], options.cache_gb, options.skip_broken)
    split = split_by_class(samples, options.val_share, options.test_share, options.seed, before(options))
    print(split.how)
    features = features_of(model, samples) if options.freeze else None
    return Data(samples.root, samples, images, split, held_out(samples, split), features)


def features_of(model, samples: Samples) -> np.ndarray:
    """What the frozen backbone makes of each image, (N, F); kept in the folder of the images for the next run."""
    backbone = frozen.backbone_of(model)
    opened = gallery.embedded(samples.root, samples.paths, frozen.fingerprint(backbone),
                              lambda images: forward(backbone, images, 64),
                              model.input_shape[0][1:])
    print(f"features of the backbone: {counted(len(opened.paths), 'image')}, {opened.embedded} of them computed now")
    row_of = {path: row for row, path in enumerate(opened.paths)}
    return opened.features[[row_of[path] for path in samples.paths]]


def tower_inputs(data: Data):
    """What the part that learns takes as input of each image: the image, or with --freeze its features."""
    return data.images if data.features is None else data.features


def learner(model, data: Data):
    """The part of the model that learns, which with --freeze is its end, and what it takes of each image."""
    return (model if data.features is None else frozen.on_features(model)), tower_inputs(data)


def prepare(options, model, data: Data) -> None:
    """Freezes the batch normalisation of the tower, or frees it, as --normalization says; measures the features of a
    frozen backbone."""
    if data.features is not None:
        return frozen.standardize(model, data.features[data.split.train])
    ready = (options.backbone, options.weights) in ((PHOTOS, "auto"), (towers.LITE0, "imagenet"))
    siamese.freeze_normalization(model, options.normalization == "frozen" or options.normalization == "auto" and ready)


def make_batches(options, data: Data, model) -> ClassBatches:
    """Batches of the training rows; says what one holds, and the range of the first."""
    kind = augmentation(options)
    poses = (8 if options.mirrored else 4) if kind == "characters" else 1
    made = ClassBatches(
        tower_inputs(data), data.samples.labels, data.samples.groups, data.split.train, options.batch_size,
        options.images_per_class, AUGMENTATIONS[kind], options.groups_per_batch,
        poses=poses, steps=options.steps_per_epoch, seed=options.seed, multiple_of=devices.replicas(),
    )
    first = made[0][0]["image"]
    levels = (f"grey levels {first.min()} to {first.max()}, mean {first.mean():.0f}" if data.features is None
              else f"{first.shape[1]} features each")
    print(f"a batch: {made.classes_per_batch} classes x {counted(made.images_per_class, 'image')}, {levels}; "
          f"{counted(len(made), 'batch', 'batches')} an epoch")
    return made


def trainer(options, model, make_optimizer):
    """The compiled model that is trained."""
    learnt = frozen.on_features(model) if options.freeze else model
    loss = loss_layer(options, learnt)
    taught = imagenet.teaching(learnt.input_shape[0][1:]) if options.teacher else None
    made = siamese.trainer(learnt, loss, augment=not options.freeze, taught=taught)
    made.compile(make_optimizer(model), siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
    return made


def preview(trainer, batch, data: Data):
    """Images of a batch as the tower sees them, a row a class; None where they are features."""
    inputs = batch[0]
    if "warp" not in inputs:
        return None
    names = {label: short(name) for label, name in enumerate(data.samples.classes)}
    return *siamese.augmented(trainer, inputs), names


def callbacks(options, batches) -> list:
    """Watches whether the embeddings stay apart."""
    name = loss_name(options)
    return [Collapse(losses.idle_loss(name, settings(options)), advice=ADVICE)]


def validation(options, model, data: Data) -> Validation | None:
    """Scores held-out pairs, drawn once; None where there are none."""
    labels, rows = data.samples.labels, data.split.validation
    if comparable(labels[rows]):
        learnt, shown = learner(model, data)
        measure = report.validator(siamese.comparer(learnt), shown, labels, rows, options.seed)
        classes = len(np.unique(labels[rows]))
        if options.train_own_data and classes < ENOUGH and not options.patience:
            print(f"{classes} classes to validate on are too few to choose an epoch by: the last epoch is kept")
            return Validation(measure, "", "max")
        return Validation(measure, "val_roc_auc", "max")
    print("no classes to validate on: the best epoch is that of the lowest training loss")
    return None


def finish(options, folder: str, data: Data) -> list[str]:
    """Measures the model of the best epoch; first makes its similarity a probability."""
    path = runs.model_file(folder)
    choice, images = choose_simple(options, folder, data)
    model = load_model(path, KIND)
    if choice is None or choice.name == keep.NETWORK:
        fit_head(options, model, path, data)
        images = data.images
    compare = siamese.comparer(model)
    measured = report.write_verification(
        compare, images, data.samples, data.split.test, folder, options.seed, data.split.train,
        seen_in_training(data.split.how),
    )
    about.write(folder, options.task, data, measured, model.input_shape[0][1:])
    lines = report.in_words(measured) + report.disagreement(compare, images, data.samples.labels,
                                                            data.split.validation, options.seed, measured)
    if choice is None:
        return lines
    runs.write_json(folder, runs.EVALUATION, measured | {"choice": choice.as_numbers()})
    return [choice.words, *lines]


def choose_simple(options, folder: str, data: Data) -> tuple["keep.Choice | None", np.ndarray | ImagesOnDisk]:
    """Keeps a simple method in place of the network where it does better on a user's own photographs.

    Returns:
        What is kept, None where that is not asked; and the images as a simple method takes them.
    """
    asked = (options.simple and options.train_own_data and options.backbone == PHOTOS and options.weights == "auto"
             and options.head == "distance" and not options.freeze and "TF_CONFIG" not in os.environ)
    if not asked or seen_in_training(data.split.how):
        return None, data.images
    tower = towers.make_tower(PHOTOS, data.images.shape[1:], normalize=True)
    start_from_ready(tower)
    tower_of_imagenet, images = imagenet.of_own(options, data.samples.full_paths(), data.images)
    return keep.choose(folder, tower, images, data.samples.labels, data.split.train, data.split.validation,
                       options.seed, tower_of_imagenet), images


def fit_head(options, model, path: str, data: Data) -> None:
    """Calibrates the head on validation pairs, or on training pairs where there are none, and saves the model."""
    labels = data.samples.labels
    rows = next((r for r in (data.split.validation, data.split.train) if comparable(labels[r])), None)
    if rows is None:
        return
    learnt, shown = learner(model, data)
    pairs = report.pairs_of_features(siamese.comparer(learnt), shown, labels, rows, options.seed)
    if siamese.calibrate(model, *pairs):
        save_aside(model.save, os.fspath(path), ".keras")
    else:
        print("same pairs lie no nearer than different ones: the embedding has learnt nothing yet")


def loss_layer(options, model):
    """The loss layer that the flags mean, on this model."""
    return siamese.make_loss(loss_name(options), model, **settings(options))


def settings(options) -> dict:
    """The settings of the loss that the flags mean."""
    name = loss_name(options)
    return losses.settings_of(name, {key: getattr(options, key) for key in losses.LOSSES[name].settings})
