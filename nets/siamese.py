"""The Siamese network: the model that is trained, and the model that is kept for use."""

import math
from functools import partial
from typing import Callable, NamedTuple

import keras
import numpy as np
from keras import layers

from nets import towers
from nets.heads import HEADS, DifferenceHead, DistanceHead
from nets.layers import Augment, ask
from nets.losses.pairs import SIGNS_OF_LIFE, Contrastive, PairCrossEntropy
from nets.losses.triplets import MultiSimilarity, TripletLoss, active_triplets

KIND = "siamese"  # name of the models that are kept
MARGINS = {"contrastive": 1.0, "triplet": 0.2, "ratio": 0.0}  # of distances between unit vectors


def siamese(tower: keras.Model, head: keras.layers.Layer) -> keras.Model:
    """The model that is kept: two images -> similarity in 0..1, 1 meaning the same thing.

    Inputs "left" and "right", each (batch, height, width, channels) in 0..255; output
    "similarity" (batch,). Its layers "tower" and "head" serve `embed` and `score`.
    """
    left = keras.Input(tower.input_shape[1:], name="left")
    right = keras.Input(tower.input_shape[1:], name="right")
    logit = head(tower(left), tower(right))
    similarity = layers.Activation("sigmoid", dtype="float32", name="similarity")(logit)
    return keras.Model([left, right], similarity, name=KIND)


def trainer(model: keras.Model, loss: keras.layers.Layer) -> keras.Model:
    """The model that is trained: a batch with labels and its augmentation -> the loss over the batch.

    It shares tower and head with `model`. Inputs as `utils.batches.classes.ClassBatches` delivers them:
    image (B, H, W, C) uint8, label (B,), warp (B, 8), light (B, 2). A row of its output (B, 1 + F) is
    an image's share of the loss, then its features: compile it with `own_loss` and `signs_of_life()`.
    """
    tower = model.get_layer("tower")
    image = keras.Input(tower.input_shape[1:], dtype="uint8", name="image")
    label = keras.Input((), dtype="int32", name="label")
    warp = keras.Input((8,), name="warp")
    light = keras.Input((2,), name="light")
    features = tower(Augment(name="augment")(image, warp, light))
    share = layers.Reshape((1,), dtype="float32")(loss(features, label))
    rows = layers.Concatenate(dtype="float32")([share, layers.Flatten()(features)])
    return keras.Model({"image": image, "label": label, "warp": warp, "light": light}, rows)


def make_loss(
    name: str, model: keras.Model, margin: float | None = None, mining: str = "semi_hard", squared: bool = False
) -> keras.layers.Layer:
    """A loss layer for the tower and head of `model`.

    Args:
        name: "cross_entropy", "contrastive", "triplet", "ratio" or "multi_similarity".
        margin: of the losses in `MARGINS`; None: as there.
        mining, squared: see `nets.losses.triplets.TripletLoss`.

    Raises:
        ValueError: a loss of distances for a head that is not made of them.
    """
    if name != "cross_entropy" and not isinstance(model.get_layer("head"), DistanceHead):
        raise ValueError(f"--loss={name} trains distances; this model's head is none: pass --head=distance")
    if name == "multi_similarity" and "unit_length" not in [layer.name for layer in model.get_layer("tower").layers]:
        raise ValueError("--loss=multi_similarity compares cosines: pass --normalize")
    margin = MARGINS.get(name) if margin is None else margin
    if name == "cross_entropy":
        return PairCrossEntropy(model.get_layer("head"), name=name)
    if name == "contrastive":
        return Contrastive(margin, name=name)
    if name == "multi_similarity":
        return MultiSimilarity(name=name)
    return TripletLoss(name, margin, mining, squared, name=name)


def idle_loss(name: str, margin: float | None = None) -> float:
    """The loss that stays when all embeddings are alike; no number where it tells nothing.

    Args:
        name, margin: as of `make_loss`.
    """
    margin = MARGINS.get(name) if margin is None else margin
    known = {"cross_entropy": math.log(2), "contrastive": 0.25 * (margin or 0) ** 2, "triplet": margin, "ratio": 0.25}
    return known.get(name, math.nan)


def own_loss(labels, rows):
    """The loss that a trainer's rows hold already: (B,), (B, 1 + F) -> (B,)."""
    return rows[:, 0]


def signs_of_life(loss: keras.layers.Layer) -> list[keras.metrics.Metric]:
    """Whether the embeddings live, as metrics of a trainer of this loss.

    `same_distance`, `different_distance` and `spread`; for triplets also the share of
    `active_triplets`.
    """

    def metric(sign, *args):
        return keras.metrics.MeanMetricWrapper(lambda labels, rows: sign(labels, rows[:, 1:], *args), name=sign.__name__)

    signs = [metric(sign) for sign in SIGNS_OF_LIFE]
    if isinstance(loss, TripletLoss):
        signs.append(metric(active_triplets, loss.margin, loss.squared))
    return signs


def calibrate(model: keras.Model, left: np.ndarray, right: np.ndarray, same: np.ndarray) -> bool:
    """Fits a distance head to features of pairs, by logistic regression: its similarity becomes a probability.

    For models whose loss does not train the head. The tower stays as it is.

    Args:
        left, right: (M, F).
        same: (M,) bool.

    Returns:
        False, and nothing is changed, where same pairs lie no nearer than different ones.
    """
    from sklearn.linear_model import LogisticRegression

    distance = np.linalg.norm(left - right, axis=1)[:, None]
    fitted = LogisticRegression(C=1e6, class_weight="balanced").fit(distance, same)
    slope, offset = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope >= 0:
        return False
    model.get_layer("head").set_weights([np.float32(-offset / slope), np.float32(-slope)])
    return True


def make_head(name: str) -> keras.layers.Layer:
    """A head by its name in `HEADS`."""
    return HEADS[name](name="head")


def assign(model: keras.Model, arrays: dict[str, list[np.ndarray]]) -> None:
    """Loads weights by layer name: VGG16's "block1_conv1" ... and the plain head's "hidden", "logit".

    Args:
        model: `siamese` of a vgg16 tower.
        arrays: kernel and bias of each layer; all layers of the tower must be there.

    Raises:
        ValueError: a layer that the model lacks, shapes that do not fit, or a load that changed
            nothing.
    """
    targets = towers.vgg16_layers(model.get_layer("tower"))
    head = model.get_layer("head")
    if "logit" in arrays:
        if not isinstance(head, DifferenceHead) or not head.hidden:
            raise ValueError("these weights hold the article's head: pass --head=plain or --head=difference")
        targets |= {"hidden": head.hidden, "logit": head.logit}
    towers.set_arrays(targets, arrays)


def embed(model: keras.Model, images, batch_size: int = 64, progress=lambda done, of: None) -> np.ndarray:
    """Features (N, F) float32 of images (N, H, W, C); each image passes the tower once.

    Args:
        images: array, or anything that a slice of rows turns into one.
        progress: called with the images done and their number.
    """
    tower = model.get_layer("tower")
    block = batch_size * 16
    features = []
    for start in range(0, len(images), block):
        features.append(forward(tower, images[start : start + block], batch_size))
        progress(min(start + block, len(images)), len(images))
    return np.concatenate(features)


def forward(tower: keras.Model, images: np.ndarray, batch_size: int) -> np.ndarray:
    """Features of images, by `predict`, which starts too slowly for a few and on JAX fails across hosts."""
    if len(images) <= batch_size or keras.backend.backend() == "jax":
        return np.concatenate([ask(tower, images[s : s + batch_size]) for s in range(0, len(images), batch_size)])
    short = -len(images) % batch_size  # a last batch below the number of replicas would crash
    padded = np.concatenate([images, np.repeat(images[:1], short, axis=0)])
    return tower.predict(padded, batch_size=batch_size, verbose=0)[: len(images)]


class Comparer(NamedTuple):
    """What a model is used for.

    Attributes:
        embed: images (N, H, W, C) -> features (N, F), as `embed`.
        score: features that broadcast -> similarities, as `score`.
        by_distance: whether similarity falls with the Euclidean distance of the features, so that the
            most similar are the nearest.
        distance_of: if so, similarity in 0..1 -> the distance at which it is reached; negative where
            no distance reaches it.
    """

    embed: Callable[..., np.ndarray]
    score: Callable[[np.ndarray, np.ndarray], np.ndarray]
    by_distance: bool
    distance_of: Callable[[float], float]


def comparer(model: keras.Model) -> Comparer:
    """What a model made by `siamese` is used for."""
    head = model.get_layer("head")

    def distance_of(similarity: float) -> float:
        boundary, scale = (float(weight) for weight in head.get_weights())
        return boundary - float(np.log(similarity) - np.log1p(-similarity)) / scale

    return Comparer(partial(embed, model), partial(score, model), isinstance(head, DistanceHead), distance_of)


def augmented(trained: keras.Model, batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A batch's images (B, H, W, C) as the tower sees them, and their labels (B,)."""
    images = trained.get_layer("augment")(batch["image"], batch["warp"], batch["light"])
    return keras.ops.convert_to_numpy(images), batch["label"]


def score(model: keras.Model, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Similarities in 0..1 of features that broadcast: (..., F), (..., F) -> (...)."""
    logits = ask(model.get_layer("head"), left[None], right[None])  # (1, ...)
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))[0]
