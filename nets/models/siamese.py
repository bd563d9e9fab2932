"""The Siamese network: the model that is trained, and the model that is kept for use."""

import math
from functools import partial

import keras
import numpy as np
from keras import layers

from nets import losses, towers
from nets.heads.difference import DifferenceHead
from nets.heads.distance import DistanceHead
from nets.inference import apply, embed
from nets.layers import Augment
from nets.losses.pairs import EMBEDDING_METRICS
from nets.losses.triplets import MinedTriplets, active_triplets
from nets.uses import Comparer

KIND = "siamese"  # name of the models that are kept


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


def trainer(model: keras.Model, loss: keras.layers.Layer, augment: bool = True,
            taught: keras.layers.Layer | None = None) -> keras.Model:
    """The model that is trained: a batch with labels and its augmentation -> the loss over the batch.

    It shares tower and head with `model`. Inputs as `utils.batches.classes.ClassBatches` delivers them:
    image (B, H, W, C) uint8, label (B,), and with `augment` warp (B, 8) and light (B, 2). Output: rows (B, 1 + F).
    Column 0 is each image's share of the loss, the others are its features. A tower of features in place of images
    takes image (B, F) float32.

    The loss is a layer of the model because it compares images of the whole batch, also where several
    devices share it. Keras averages one number for each image, scales that for several devices and
    shows it in its log; so the layer's shares leave the model as column 0, `precomputed_loss` hands them to
    Keras, and the metrics of `embedding_metrics` read the features beside them.
    """
    tower = model.get_layer("tower")
    image = keras.Input(tower.input_shape[1:], dtype="uint8" if len(tower.input_shape) == 4 else "float32",
                        name="image")
    label = keras.Input((), dtype="int32", name="label")
    inputs = {"image": image, "label": label}
    if augment:
        inputs |= {"warp": keras.Input((8,), name="warp"), "light": keras.Input((2,), name="light")}
        shown = Augment(name="augment")(image, inputs["warp"], inputs["light"])
    else:
        shown = layers.Rescaling(1.0)(image)
    if taught:
        seen, features = keras.Model(tower.input, [seen_by(tower), tower.output])(shown)
        shares = loss(features, label) + taught(seen, shown)
    else:
        features = tower(shown)
        shares = loss(features, label)
    share = layers.Reshape((1,), dtype="float32")(shares)
    rows = layers.Concatenate(dtype="float32")([share, layers.Flatten()(features)])
    return keras.Model(inputs, rows)


def seen_by(tower: keras.Model):
    """What a tower sees without regard to any class: what its last layer "features" takes, or, where it has none, what
    is scaled to unit length; a Keras tensor (B, F)."""
    last = {layer.name: layer for layer in tower.layers}
    cut = last.get("features") or last.get("unit_length")
    return cut.input if cut else tower.output


def make_loss(name: str, model: keras.Model, **given) -> keras.layers.Layer:
    """A loss layer for the tower and head of `model`.

    Args:
        name: one of `nets.losses.LOSSES`.
        given: its settings; those that are missing or None are as in its row.

    Raises:
        ValueError: a loss of distances for a head that does not compare distances, or one of cosines for
            features that do not have unit length.
    """
    row, head = losses.LOSSES[name], model.get_layer("head")
    if not row.trains_head and not isinstance(head, DistanceHead):
        raise ValueError(f"--loss={name} trains distances, and the head of this model does not compare distances: "
                         "pass --head=distance")
    if row.unit_length and "unit_length" not in [layer.name for layer in model.get_layer("tower").layers]:
        raise ValueError(f"--loss={name} compares cosines: pass --normalize")
    return losses.make_loss(name, head, losses.settings_of(name, given))


def freeze_normalization(model: keras.Model, frozen: bool) -> None:
    """Whether batch normalisation of the tower keeps its statistics, its scales and its offsets in training."""
    def visit(tower: keras.Model) -> None:
        for layer in tower.layers:
            if isinstance(layer, layers.BatchNormalization):
                layer.trainable = not frozen
            elif isinstance(layer, keras.Model):  # a published network inside the tower
                visit(layer)

    visit(model.get_layer("tower"))


def precomputed_loss(labels, rows):
    """The loss that a trainer's rows hold already: (B,), (B, 1 + F) -> (B,)."""
    return rows[:, 0]


def embedding_metrics(loss: keras.layers.Layer) -> list[keras.metrics.Metric]:
    """Whether the embeddings are still different from each other, as metrics of a trainer of this loss.

    `same_distance`, `different_distance` and `spread`; for triplets also the share of
    `active_triplets`.
    """

    def metric(measure, *args):
        return keras.metrics.MeanMetricWrapper(lambda labels, rows: measure(labels, rows[:, 1:],
                                                                            *args), name=measure.__name__)

    metrics = [metric(measure) for measure in EMBEDDING_METRICS]
    if isinstance(loss, MinedTriplets):
        metrics.append(metric(active_triplets, getattr(loss, "margin", 0.0), loss.squared))
    return metrics


def calibrate(model: keras.Model, left: np.ndarray, right: np.ndarray, same: np.ndarray) -> bool:
    """Fits the head to features of pairs, by logistic regression on its logit (Platt 1999): its similarity becomes a
    probability.

    As Platt does, nothing is taken as certain: of P same pairs (P + 1) / (P + 2) count as the same, so that
    similarities do not become 1 to the last digit where few pairs are easily told apart. Same and different pairs weigh
    alike. The tower, and the order of similarities, stay as they are.

    Args:
        left, right: (M, F).
        same: (M,) bool.

    Returns:
        False, and nothing is changed, where same pairs lie no nearer than different ones.
    """
    from sklearn.linear_model import LogisticRegression

    head = model.get_layer("head")
    logits = np.concatenate([logits_of(head, left[start : start + 1024], right[start : start + 1024])
                             for start in range(0, len(left), 1024)])
    centre, width = logits.mean(), logits.std() + 1e-9  # the fit converges badly on numbers far from 0
    counts = np.where(same, same.sum(), (~same).sum())
    sure = (counts + 1) / (counts + 2)  # (M,) the share of a pair that is what it is said to be
    weights = np.concatenate([sure, 1 - sure]) * len(same) / (2 * np.tile(counts, 2))
    inputs = np.tile((logits - centre) / width, 2)[:, None]
    fitted = LogisticRegression(C=1e6).fit(inputs, np.concatenate([same, ~same]), weights)
    slope = float(fitted.coef_[0, 0]) / width
    if slope <= 0:
        return False
    head.rescale(slope, float(fitted.intercept_[0]) - slope * centre)
    return True


def assign(model: keras.Model, arrays: dict[str, list[np.ndarray]]) -> None:
    """Loads the weights of a published network into the tower, and those of the article's head where there are some.

    Args:
        model: `siamese` of a tower that is, or holds, a network of keras.applications.
        arrays: weights of each layer by its name; "hidden" and "logit" are those of the article's head.

    Raises:
        ValueError: a layer that the model lacks, shapes that do not fit, or weights that changed nothing.
    """
    targets = towers.backbone_layers(model.get_layer("tower"))
    head = model.get_layer("head")
    if "logit" in arrays:
        if not isinstance(head, DifferenceHead) or not head.hidden:
            raise ValueError("these weights hold the article's head: pass --head=plain or --head=difference")
        targets |= {"hidden": head.hidden, "logit": head.logit}
    towers.set_arrays(targets, arrays)


def comparer(model: keras.Model) -> Comparer:
    """What a model made by `siamese` is used for."""
    head = model.get_layer("head")

    def distance_of(similarity: float) -> float:
        boundary, scale = (float(weight) for weight in head.get_weights())
        return boundary - float(np.log(similarity) - np.log1p(-similarity)) / scale

    by_locations = getattr(head, "compares_locations", False)
    return Comparer(partial(embed, model), partial(score, model), isinstance(head, DistanceHead), distance_of,
                    attention=partial(attention, head) if hasattr(head, "attention") else None,
                    global_embedding=partial(global_embedding, head) if by_locations else None,
                    keeps_locations=flattens(model.get_layer("tower")))


def augmented(trained: keras.Model, batch: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """A batch's images (B, H, W, C) as the tower sees them, and their labels (B,)."""
    images = trained.get_layer("augment")(batch["image"], batch["warp"], batch["light"])
    return keras.ops.convert_to_numpy(images), batch["label"]


def score(model: keras.Model, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Similarities in 0..1 of features that broadcast: (..., F), (..., F) -> (...)."""
    logits = logits_of(model.get_layer("head"), left[None], right[None])  # (1, ...)
    return keras.ops.convert_to_numpy(keras.ops.sigmoid(logits))[0]


def flattens(tower: keras.layers.Layer) -> bool:
    """Whether a tower, or a network in it, puts maps of more than one location in a row."""
    return any(isinstance(layer, layers.Flatten) and len(shape := layer.input.shape) == 4 and max(shape[1:3]) > 1
               or flattens(layer)
               for layer in getattr(tower, "layers", ()))


def attention(head: keras.layers.Layer, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How much location i of one image corresponds to location j of the other, as a head sees it that compares
    locations: (F,), (F,) -> (n, n)."""
    return keras.ops.convert_to_numpy(head.attention(left[None], right[None]))[0]


def logits_of(head: keras.layers.Layer, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """A head applied to features that broadcast, (..., F), (..., F) -> (...); one that compares locations takes few
    enough pairs at once for memory."""
    shape = np.broadcast_shapes(left.shape[:-1], right.shape[:-1])
    pairs, most = math.prod(shape), getattr(head, "pairs_at_once", math.inf)
    if pairs <= most:
        return apply(head, left, right)
    left, right = (np.broadcast_to(side, (*shape, side.shape[-1])) for side in (left, right))  # which copies nothing
    blocks = [np.unravel_index(np.arange(start, min(start + most, pairs)), shape) for start in range(0, pairs, most)]
    return np.concatenate([apply(head, left[block], right[block]) for block in blocks]).reshape(shape)


def global_embedding(head: keras.layers.Layer, features: np.ndarray) -> np.ndarray:
    """What a head that compares locations makes of each picture beside itself, (N, F) -> (N, V), block by block."""
    most = head.pairs_at_once
    blocks = [head.global_embedding(np.asarray(features[start : start + most], "float32"))
              for start in range(0, len(features), most)]
    return np.concatenate([keras.ops.convert_to_numpy(vectors) for vectors in blocks])
