"""Descriptors: a patch -> numbers of unit length, near for the same place and far for others."""

from collections.abc import Callable
from functools import partial

import keras
import numpy as np
from keras import layers, ops

from nets.inference import forward
from nets.losses.patches import DESCRIPTOR_METRICS
from nets.towers import hardnet, siftnet
from nets.uses import as_patches

KIND = "descriptor"  # name of the models that are kept
ANY_SIZE = True  # the inputs of its models may have any height and width


@keras.saving.register_keras_serializable("compare")
class Projection(keras.layers.Dense):
    """The principal directions of features less their mean, scaled to unit length: (B, F) -> (B, units), float32.
    Fitted by `with_pca`."""

    def __init__(self, units: int, **kwargs):
        super().__init__(units, **{"dtype": "float32", **kwargs})

    def call(self, features):
        return ops.normalize(super().call(features))

    def load_own_variables(self, store):
        if store["0"].ndim == 2:
            return super().load_own_variables(store)
        mean, directions = store["0"][:], store["1"][:]  # as models kept them before this was a Dense layer
        self.set_weights([directions, -mean @ directions])

    @classmethod
    def from_config(cls, config):
        return cls(config.pop("count", config.pop("units", None)), **config)


def descriptor(tower: keras.Model) -> keras.Model:
    """The model that is kept: patches (B, P, P, C), 0..255 -> descriptors (B, F) of unit length."""
    image = keras.Input(tower.input_shape[1:], name="image")
    return keras.Model(image, tower(image), name=KIND)


def sift(side: int = 65, mode: str = "vlfeat", rootsift: bool = True) -> keras.Model:
    """A descriptor that needs no training: SIFT, see `nets.towers.siftnet`."""
    return descriptor(siftnet.siftnet(side, mode, rootsift))


def load_published(model: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Gives the tower published weights of HardNet or SOSNet, see `nets.towers.hardnet.assign`."""
    hardnet.assign(model.get_layer("tower"), arrays)


def with_pca(model: keras.Model, patches: np.ndarray, count: int) -> keras.Model:
    """A model that keeps the `count` directions in which the descriptors of training patches differ most.

    Args:
        model: of `descriptor`; a projection that it holds already is fitted again.
        patches: (N, P, P, C), 0..255; more than `count` of them.

    Raises:
        ValueError: more directions than the tower has outputs, or too few patches.
    """
    from sklearn.decomposition import PCA

    tower = model.get_layer("tower")
    if not 0 < count <= min(tower.output_shape[-1], len(patches) - 1):
        raise ValueError(f"--pca={count}: expected at most {tower.output_shape[-1]} numbers, those of the network, "
                         "and more training patches")
    fitted = PCA(count, svd_solver="full").fit(forward(tower, patches, 256))
    image = keras.Input(tower.input_shape[1:], name="image")
    made = keras.Model(image, Projection(count, name="pca")(tower(image)), name=KIND)
    made.get_layer("pca").set_weights([fitted.components_.T, -fitted.components_ @ fitted.mean_])
    return made


def describer(model: keras.Model) -> Callable[..., np.ndarray]:
    """What a model made by `descriptor` is used for: `describe`; ValueError where it has no layer "tower"."""
    model.get_layer("tower")
    return partial(describe, model)


def describe(model: keras.Model, patches: np.ndarray, batch_size: int = 256) -> np.ndarray:
    """Descriptors (N, F) float32 of unit length.

    Args:
        patches: (N, P, P) or (N, P, P, C), 0..255, of the model's side and channels.

    Raises:
        ValueError: patches of another shape.
    """
    patches = as_patches(patches, model.input_shape[1:])
    if not len(patches):
        return np.zeros((0, model.output_shape[-1]), "float32")
    return forward(model, patches, batch_size)


def trainer(model: keras.Model, loss: keras.layers.Layer) -> keras.Model:
    """The model that is trained: image (2 n, P, P, C) uint8, point (2 n,) -> rows (2 n, 1 + F) of loss share and
    features.

    It shares its tower with `model`; compile it with `precomputed_loss` and `descriptor_metrics()`.

    Args:
        loss: of `nets.losses.PATCH_LOSSES`.
    """
    tower = model.get_layer("tower")
    image = keras.Input(tower.input_shape[1:], dtype="uint8", name="image")
    point = keras.Input((), dtype="int32", name="point")
    features = layers.Identity(dtype="float32")(tower(layers.Rescaling(1.0)(image)))
    rows = layers.Concatenate(dtype="float32")([layers.Reshape((1,))(loss(features, point)), features])
    return keras.Model({"image": image, "point": point}, rows)


def precomputed_loss(points, rows):
    """The loss that a trainer's rows hold already: (B,), (B, 1 + F) -> (B,)."""
    return rows[:, 0]


def descriptor_metrics() -> list[keras.metrics.Metric]:
    """Whether the patches of a batch find their partners, and the distances to the partner and to the nearest other, as
    metrics."""

    def metric(measure):
        return keras.metrics.MeanMetricWrapper(lambda points, rows: measure(points, rows[:, 1:]), name=measure.__name__)

    return [metric(measure) for measure in DESCRIPTOR_METRICS]
