"""A tower that learns only its last layer: a pretrained backbone that stays as it is, and behind it a projection that
is trained.

The features of the backbone do not change while the projection learns, so they are computed once; training then
takes seconds. This is the linear probe of self-supervised learning, with a loss over pairs in place of classes.
"""

import hashlib

import keras
import numpy as np

from nets.models.siamese import siamese

UNITS = 128  # of the projection
STANDARD = "standard"  # the layer that scales each feature of the backbone to mean 0 and deviation 1


def freeze(model: keras.Model, units: int = UNITS) -> keras.Model:
    """A Siamese model with the tower of `model` frozen as its "backbone", and a "projection" to `units` features behind
    it.

    The head is that of `model`. Features have unit length where those of `model` have.
    """
    tower = model.get_layer("tower")
    backbone = keras.Model(tower.input, tower.output, name="backbone")
    backbone.trainable = False
    images = keras.Input(tower.input_shape[1:], name="image")
    x = keras.layers.Normalization(name=STANDARD, dtype="float32")(backbone(images))
    x = keras.layers.Dense(units, use_bias=False, kernel_initializer="orthogonal", dtype="float32",
                           name="projection")(x)
    if any(layer.name == "unit_length" for layer in tower.layers):
        x = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(x)
    return siamese(keras.Model(images, x, name="tower"), model.get_layer("head"))


def backbone_of(model: keras.Model) -> keras.Model:
    """The frozen part of a model that `freeze` made: images (N, H, W, C) in 0..255 -> features (N, F)."""
    return model.get_layer("tower").get_layer("backbone")


def standardize(model: keras.Model, features: np.ndarray) -> None:
    """Measures mean and deviation of the backbone's features (N, F) on images to train on."""
    model.get_layer("tower").get_layer(STANDARD).adapt(np.asarray(features, "float32"))


def on_features(model: keras.Model) -> keras.Model:
    """The part of a model that `freeze` made that is trained, as a Siamese model of features (N, F) in place of images;
    it shares all layers."""
    tower = model.get_layer("tower")
    x = features = keras.Input(backbone_of(model).output_shape[1:], name="image")
    for layer in tower.layers[2:]:  # after the images and the backbone
        x = layer(x)
    return siamese(keras.Model(features, x, name="tower"), model.get_layer("head"))


def fingerprint(backbone: keras.Model) -> str:
    """What tells features of this backbone from those of others: its input and its weights, as 12 hexadecimal
    digits."""
    digest = hashlib.sha1(repr(backbone.input_shape).encode())
    for weight in backbone.get_weights():
        digest.update(np.ascontiguousarray(weight))
    return digest.hexdigest()[:12]
