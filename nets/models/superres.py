"""Super-resolution: a photo -> the same photo, two, three or four times as large."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from keras import layers

from nets.inference import apply_often
from nets.towers import LargerTower, make_larger_tower, msffrn

KIND = "superres"  # name of the models that are kept
ANY_SIZE = True  # the inputs of its models may have any height and width
MINIMUM = 2  # pixels a side of what they take, at least


@keras.saving.register_keras_serializable("compare")
class Larger(layers.Layer):
    """Passes on what a tower made, in float32, and keeps with the model what is to be known of it.

    Args:
        scale: how many times larger the photo becomes.
        reach: how many pixels of the small photo away a pixel can still count.
    """

    def __init__(self, scale: int, reach: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.scale, self.reach = scale, reach

    def call(self, made):
        return made

    def get_config(self):
        return {**super().get_config(), "scale": self.scale, "reach": self.reach}


def superres(row: LargerTower, scale: int) -> keras.Model:
    """The model that is kept: photos (B, h, w, 3), 0..255, of any size -> (B, scale h, scale w, 3), about 0..255.

    Args:
        row: of `nets.towers.SUPERRES`, perhaps with other settings.
        scale: of `nets.towers.SCALES`.
    """
    tower = make_larger_tower(row, scale)
    image = keras.Input(tower.input_shape[1:], name="image")
    return keras.Model(image, Larger(scale, msffrn.reach(row), name="larger")(tower(image)), name=KIND)


def load_published(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Gives the tower the weights of MSFFRN's authors, see `nets.towers.msffrn.assign`."""
    msffrn.assign(model.get_layer("tower"), arrays)


def trainer(model: keras.Model) -> keras.Model:
    """The model that is trained: image (B, h, w, 3) uint8 -> the larger photo (B, s h, s w, 3), as its targets."""
    image = keras.Input(model.input_shape[1:], dtype="uint8", name="image")
    return keras.Model({"image": image}, model(layers.Rescaling(1.0)(image)))


class Enlarger(NamedTuple):
    """What a model is used for.

    Attributes:
        enlarge: photos (B, h, w, 3), 0..255, of one size, from `MINIMUM` pixels a side on -> (B, s h, s w, 3) float32,
            about 0..255.
        scale, reach: see `Larger`.
    """

    enlarge: Callable[[np.ndarray], np.ndarray]
    scale: int
    reach: int


def enlarger(model: keras.Model) -> Enlarger:
    """What a model made by `superres` is used for; ValueError where it has no layer "larger"."""
    kept = model.get_layer("larger")
    return Enlarger(partial(apply_often, model), kept.scale, kept.reach)


def in_eight_positions(enlarge: Callable[[np.ndarray], np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """A function that enlarges photos mirrored and turned by quarters as well, and takes the mean of what these become.

    Timofte et al., "Seven ways to improve example-based single image super resolution", 2016; EDSR's "+".
    """
    def mean(photos: np.ndarray) -> np.ndarray:
        """The mean of eight positions of photos (B, h, w, 3)."""
        total = 0.0
        for turns in range(4):
            for flip in (slice(None), slice(None, None, -1)):
                made = enlarge(np.rot90(photos, turns, (1, 2))[:, :, flip])
                total = total + np.rot90(made[:, :, flip], -turns, (1, 2))
        return total / 8

    return mean
