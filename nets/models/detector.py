"""Detection: a photo -> boxes, and what is in them."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from nets.detectors import (  # to import sodnet makes its layers known to Keras
    BOX,
    COARSEST,
    Detector,
    make_detector,
    sodnet,  # noqa: F401
)
from nets.inference import apply_often
from nets.losses.detection import DetectionLoss, metrics

KIND = "detector"  # name of the models that are kept
ANY_SIZE = True  # the inputs of its models may have any height and width, if it is a multiple of
MULTIPLE = COARSEST  # pixels


@keras.saving.register_keras_serializable("compare")
class Boxes(layers.Layer):
    """Maps of several scales -> boxes and their scores; keeps with the model what is to be known of it.

    Inputs: a list of maps (B, h, w, BOX + C), see `nets.detectors.make_detector`. Output (B, N, 4 + C) float32, a row
    for each location of each map, the finest map first, row by row: left, top, right and bottom side of a box in pixels
    from the corner of the photo, and a score in 0..1 for each class: the geometric mean of the class's probability and
    of the centre-ness.

    Args:
        names: of the classes.
        strides: pixels of the photo from one location to the next, of each map.
        largest: pixels of the longer side of the largest boxes trained on; 0: not known.
        zoom: how many times larger photos become before the network sees them.
    """

    def __init__(self, names: Sequence[str], strides: Sequence[int], largest: float = 0.0, zoom: float = 1.0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.names, self.strides = list(names), list(strides)
        self.largest, self.zoom = float(largest), float(zoom)

    def call(self, maps):
        return ops.concatenate([boxes_of(ops.cast(each, "float32"), stride)
                                for each, stride in zip(maps, self.strides)], axis=1)

    def compute_output_shape(self, shapes):
        return shapes[0][0], None, 4 + len(self.names)

    def get_config(self):
        own = {name: getattr(self, name) for name in ("names", "strides", "largest", "zoom")}
        return {**super().get_config(), **own}


def boxes_of(values, stride: int):
    """Corners and scores of a map: (B, h, w, BOX + C) -> (B, h w, 4 + C). A location lies in the middle of its
    pixels."""
    ones = ops.ones_like(values[..., :1])
    x, y = (stride * (ops.cumsum(ones, axis=axis) - 0.5) for axis in (2, 1))
    left, top, right, bottom = ops.split(values[..., :4], 4, axis=-1)
    scores = ops.sqrt(ops.sigmoid(values[..., BOX:]) * ops.sigmoid(values[..., 4:BOX]))
    made = ops.concatenate([x - left, y - top, x + right, y + bottom, scores], axis=-1)
    return ops.reshape(made, (ops.shape(made)[0], -1, made.shape[-1]))


def detector(row: Detector, names: Sequence[str], zoom: float = 1.0) -> keras.Model:
    """The model that is kept: photos (B, H, W, 3), 0..255, H and W multiples of `COARSEST` -> (B, N, 4 + C), see
    `Boxes`.

    Args:
        row: of `nets.detectors.DETECTORS`, perhaps with parts switched off.
        names: of the C classes.
        zoom: see `Boxes`.
    """
    tower = make_detector(row, len(names))
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, Boxes(names, row.strides, zoom=zoom, name="boxes")(tower(image)), name=KIND)


def trainer(model: keras.Model, side: int, optimizer: keras.Optimizer) -> keras.Model:
    """The compiled model that is trained: image (B, side, side, 3) uint8 -> (B, N, BOX + C), of which
    `nets.losses.detection` computes the loss."""
    image = keras.Input((side, side, 3), dtype="uint8", name="image")
    maps = model.get_layer("tower")(layers.Rescaling(1.0)(image))
    flat = [layers.Reshape((-1, each.shape[-1]), dtype="float32")(each) for each in maps]
    made = keras.Model({"image": image}, layers.Concatenate(axis=1, name="locations", dtype="float32")(flat))
    made.compile(optimizer, DetectionLoss(), metrics=metrics())
    return made


class Finder(NamedTuple):
    """What a model is used for.

    Attributes:
        find: photos (B, H, W, 3) in 0..255, H and W multiples of `COARSEST` -> (B, N, 4 + C) float32, see `Boxes`.
        names: of the C classes.
        strides, largest, zoom: see `Boxes`.
    """

    find: Callable[[np.ndarray], np.ndarray]
    names: list[str]
    strides: list[int]
    largest: float
    zoom: float


def finder(model: keras.Model) -> Finder:
    """What a model made by `detector` is used for; ValueError where it has no layer "boxes"."""
    kept = model.get_layer("boxes")
    return Finder(partial(apply_often, model), kept.names, kept.strides, kept.largest, kept.zoom)


def take_weights(model: keras.Model, start: keras.Model) -> int:
    """Gives a model the weights of another one, but for those of the classes where these differ; returns how many
    arrays it took.

    Raises:
        ValueError: the networks differ.
    """
    own, other = model.get_layer("tower").weights, start.get_layer("tower").weights
    same = len(own) == len(other) and [weight.path for weight in own] == [weight.path for weight in other]
    differ = [weight.path for weight, given in zip(own, other) if weight.shape != given.shape]
    if not same or any("classes" not in path for path in differ):
        raise ValueError("its network is another one: pass the --backbone, --aspconv, --fmf and --p1 it was trained "
                         "with, or leave --weights out")
    alike = model.get_layer("boxes").names == start.get_layer("boxes").names
    taken = [(weight, given) for weight, given in zip(own, other) if alike or "classes" not in weight.path]
    for weight, given in taken:
        weight.assign(given)
    return len(taken)


def padded(photos: np.ndarray) -> np.ndarray:
    """Photos (B, H, W, 3) whose sides are multiples of `COARSEST`: the border is repeated at the right and below."""
    more = [(0, -length % COARSEST) for length in photos.shape[1:3]]
    return np.pad(photos, [(0, 0), *more, (0, 0)], mode="edge") if any(map(any, more)) else photos
