"""Losses: a batch compared with itself. One row for each loss, each loss over pairs of patches or between
pictures, and each way of mining triplets.

Every loss is a layer that takes the features (b, F) and the class labels (b,) of a batch and returns
each image's share (b,) of the loss, so that the mean over the batch is the loss. Under tf.distribute
a replica holds b of the batch's B images and compares these with all B.

To add a loss: write the layer in a file of this folder, and add a row below. Its settings become
flags of train.py by themselves where a flag of that name exists.
"""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nets import named

if TYPE_CHECKING:
    import keras


class Loss(NamedTuple):
    """One row of the table of losses.

    Attributes:
        layer: "file.Class" in this folder.
        text: what it does, for --help.
        settings: arguments of the class that a user may set, with their defaults; flags have the same names.
        idle: settings -> the loss that stays when all embeddings are alike; nan where it depends on the batch.
        unit_length: whether it compares cosines, so that features must have unit length.
        trains_head: whether the head is trained with the tower; otherwise it is fitted afterwards.
    """

    layer: str
    text: str
    settings: dict[str, Any]
    idle: Callable[[dict[str, Any]], float]
    unit_length: bool = False
    trains_head: bool = False


LOSSES = {
    "cross_entropy": Loss(
        "pairs.PairCrossEntropy", "binary cross-entropy of the head over all pairs of the batch", {},
        lambda settings: math.log(2), trains_head=True),
    "contrastive": Loss(
        "pairs.Contrastive", "pulls same pairs together, pushes different ones apart up to a margin (Hadsell 2006)",
        {"margin": 1.0}, lambda settings: 0.25 * settings["margin"] ** 2),
    "triplet": Loss(
        "triplets.TripletLoss", "a positive must be nearer than a negative by a margin (FaceNet 2015)",
        {"margin": 0.2, "mining": "semi_hard", "squared": False}, lambda settings: settings["margin"]),
    "ratio": Loss(
        "triplets.RatioLoss", "softmax of the two distances of a triplet (Hoffer & Ailon 2015)",
        {"mining": "semi_hard", "squared": False}, lambda settings: 0.25),
    "multi_similarity": Loss(
        "cosines.MultiSimilarity", "weighted pairs with mining of its own (Wang 2019)",
        {}, lambda settings: math.nan, unit_length=True),
    "supcon": Loss(
        "cosines.SupCon", "each image picks its class out of the batch (supervised contrastive, Khosla 2020)",
        {"temperature": 0.1}, lambda settings: math.nan, unit_length=True),
}

# over points that are seen twice; the layers take features and points, rows 2 i and 2 i + 1 are one point
PATCH_LOSSES = {
    "hardnet": Loss(
        "patches.HardNet", "a pair must be nearer than the hardest wrong pair of the batch by a margin (HardNet 2017)",
        {"margin": 1.0}, lambda settings: settings["margin"], unit_length=True),
    "l2net": Loss(
        "patches.L2Net", "each patch picks its partner out of the batch, and outputs are decorrelated (L2-Net 2017)",
        {}, lambda settings: math.nan, unit_length=True),
    "sosnet": Loss(
        "patches.SOSNet", "HardNet's hinge squared, and neighbours at the same distance in both views (SOSNet 2019)",
        {"margin": 1.0}, lambda settings: settings["margin"] ** 2, unit_length=True),
}


class PictureLoss(NamedTuple):
    """One row of the table of losses between a picture that was made and its original.

    Attributes:
        keras: Keras' name of it; "": it has none.
        text: what it does, for --help.
        made: "file.Class" in this folder, a Keras loss made of a `nets.losses.deepsim.DeepDistance`; "": none.
    """

    keras: str
    text: str
    made: str = ""


PICTURE_LOSSES = {
    "l1": PictureLoss("mean_absolute_error",
                      "mean absolute difference of pixels of a larger photo and its original"),
    "l2": PictureLoss("mean_squared_error", "mean squared difference of these"),
    "deepsim": PictureLoss("", "distance of the deep features of these, and a weak l1: DeePSiM without its "
                               "discriminator (Dosovitskiy & Brox 2016)", "deepsim.PerceptualLoss"),
}

MININGS = {  # which triplets of a batch count
    "semi_hard": "mining.semi_hard_triplets",
    "all": "mining.all_triplets",
    "hard": "mining.hard_triplets",
    "random": "mining.random_triplets",
}


def settings_of(name: str, given: dict[str, Any]) -> dict[str, Any]:
    """The settings of a loss: those given, where not None, and the defaults of its row; others are left out."""
    return {key: default if given.get(key) is None else given[key] for key, default in LOSSES[name].settings.items()}


def make_loss(name: str, head: "keras.layers.Layer", settings: dict[str, Any]) -> "keras.layers.Layer":
    """The loss layer of a name in `LOSSES`.

    Args:
        head: of the model; a loss that trains the head takes it.
        settings: as `settings_of` returns them.
    """
    row = LOSSES[name]
    own = {"head": head} if row.trains_head else {}
    return named(__name__, row.layer)(**own, **settings, name=name)


def make_picture_loss(name: str, distance: "Callable[[], keras.layers.Layer]") -> "str | keras.losses.Loss":
    """What a trainer is compiled with for a name in `PICTURE_LOSSES`.

    Args:
        distance: gives the perceptual distance, for the losses that need it.
    """
    row = PICTURE_LOSSES[name]
    return named(__name__, row.made)(distance()) if row.made else row.keras


def make_patch_loss(name: str) -> "keras.layers.Layer":
    """The loss layer of a name in `PATCH_LOSSES`."""
    row = PATCH_LOSSES[name]
    return named(__name__, row.layer)(**row.settings, name=name)


def idle_loss(name: str, settings: dict[str, Any]) -> float:
    """The loss that stays when all embeddings are alike; nan where that depends on the batch."""
    return LOSSES[name].idle(settings)
