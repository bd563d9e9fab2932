"""A tower that stays as it is, and behind it a linear map that was found in closed form.

Where pictures are few, a discriminant of what a ready tower sees (Fisher 1936) is often better than any training.
"""

from typing import NamedTuple

import keras
import numpy as np

from nets.frozen import STANDARD
from nets.heads.distance import DistanceHead
from nets.layers import Resized, UnitLength
from nets.models.siamese import seen_by, siamese

BESIDE = "beside"  # the layer that joins towers
BETWEEN = "between"  # the layer at the end of a tower whose weights lie between two others


class Linear(NamedTuple):
    """A linear map of features that was found in closed form: standardised, projected, of unit length.

    Attributes:
        mean, deviation: (F,), of each feature.
        kernel: (F, P); None: the standardised features as they are.
    """

    mean: np.ndarray
    deviation: np.ndarray
    kernel: np.ndarray | None

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Features (N, F) -> embeddings (N, P) of unit length."""
        rows = (features - self.mean) / self.deviation
        rows = rows if self.kernel is None else rows @ self.kernel
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)


def pooled(tower: keras.Model) -> keras.Model:
    """The part of a tower that describes maps without regard to any class, see `nets.models.siamese.seen_by`. Images
    (N, H, W, C) in 0..255 -> (N, F)."""
    return keras.Model(tower.input, seen_by(tower), name="backbone")


def sized(tower: keras.Model, shape: tuple[int, int, int]) -> keras.Model:
    """A tower that takes images of another shape (height, width, channels), and looks at them in its own."""
    own = tower.input_shape[1:]
    if own == tuple(shape):
        return tower
    images = keras.Input(shape, name="image")
    x = Resized(*own[:2], name="smaller")(images)
    return keras.Model(images, tower(x), name=tower.name)


def grey_pixels(shape: tuple[int, int, int], side: int = 48) -> keras.Model:
    """Images (N, H, W, C) in 0..255 -> their grey pixels (N, side * side), each picture of mean 0 and deviation 1. Of
    one colour all are 0."""
    images = keras.Input(shape, name="image")
    x = keras.ops.mean(images, axis=-1, keepdims=True)
    x = Resized(side, side, name="smaller")(x)
    x = keras.layers.Flatten(name="pixels")(x)
    # a variance that is the mean of squares less the square of the mean, as in LiteRT, may round below 0 where the mean
    # is large
    x = x - keras.ops.mean(x, axis=-1, keepdims=True)
    return keras.Model(images, keras.layers.LayerNormalization(center=False, scale=False, name="contrast")(x),
                       name="grey")


def projected(*parts: tuple[keras.Model, Linear]) -> keras.Model:
    """The Siamese model of backbones with linear maps behind them, whose embeddings, of unit length each, stand side by
    side: its squared distance is the mean of theirs. A backbone that several maps share is passed once."""
    images = keras.Input(parts[0][0].input_shape[1:], name="image")
    seen, embeddings = {}, []
    for number, (backbone, linear) in enumerate(parts):
        if id(backbone) not in seen:
            backbone.trainable = False
            seen[id(backbone)] = backbone(images)
        embeddings.append(embedding(seen[id(backbone)], linear, str(number or "")))
    x = keras.layers.Concatenate(dtype="float32", name="side_by_side")(embeddings) if len(parts) > 1 else embeddings[0]
    x = UnitLength(dtype="float32", name="unit_length")(x)
    return siamese(keras.Model(images, x, name="tower"), DistanceHead(name="head"))


def embedding(features, linear: Linear, number: str):
    """Features (B, F) through a linear map: (B, P) of unit length."""
    standard = keras.layers.Normalization(name=f"{STANDARD}{number}", dtype="float32")
    x = standard(features)
    standard.adapt(np.stack([linear.mean - linear.deviation, linear.mean + linear.deviation]).astype("float32"))
    if linear.kernel is not None:
        dense = keras.layers.Dense(linear.kernel.shape[1], use_bias=False, dtype="float32", name=f"projection{number}")
        x = dense(x)
        dense.set_weights([linear.kernel.astype("float32")])
    return UnitLength(dtype="float32", name=f"embedding{number}")(x)


def joined(one: keras.Model, other: keras.Model) -> keras.Model:
    """The Siamese model whose embedding is those of two models that share no layers, of unit length each, side by
    side; images come as the other one takes them."""
    images = keras.Input(other.get_layer("tower").input_shape[1:], name="image")
    towers = [keras.Model(tower.input, tower.output, name=f"tower{number}")
              for number, tower in enumerate((model.get_layer("tower") for model in (one, other)), start=1)]
    x = [sized(tower, images.shape[1:])(images) for tower in towers]
    x = keras.layers.Concatenate(dtype="float32", name=BESIDE)(x)
    x = UnitLength(dtype="float32", name="unit_length")(x)
    return siamese(keras.Model(images, x, name="tower"), DistanceHead(name="head"))


def between(start: keras.Model, trained: keras.Model, share: float) -> keras.Model:
    """The Siamese model of a tower of which every weight lies between what it was and what training made of it.

    Where a network learns from few pictures it forgets some of what it knew, and a mean of both weights knows more of
    what it was not shown than either (Wortsman et al. 2022, WiSE-FT).

    Args:
        start, trained: towers of the same layers.
        share: of the change that is kept; 0: `start`.
    """
    tower = keras.models.clone_model(start)
    tower.set_weights([(1 - share) * old + share * new
                       for old, new in zip(start.get_weights(), trained.get_weights(), strict=True)])
    features = keras.layers.Identity(dtype="float32", name=BETWEEN)(tower.output)
    return siamese(keras.Model(tower.input, features, name="tower"), DistanceHead(name="head"))


def is_made(model: keras.Model) -> bool:
    """Whether the tower of a Siamese model was made by `projected`, `joined`, `between` or `nets.frozen.freeze`."""
    return bool({STANDARD, BESIDE, BETWEEN} & {layer.name for layer in model.get_layer("tower").layers})
