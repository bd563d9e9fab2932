"""How a model is used outside training: a layer applied to arrays, images embedded batch by batch."""

import re
import weakref
from functools import lru_cache

import keras
import numpy as np
from keras import ops


def apply(layer: keras.layers.Layer, *inputs: np.ndarray) -> np.ndarray:
    """What a layer, or a model of one output, makes of a batch outside training: (B, ...) each -> (B, ...).

    JAX would compile each operation by itself where a model is simply called; here it compiles the whole at once.
    """
    inputs = [np.asarray(array, "float32") for array in inputs]
    if keras.backend.backend() != "jax" or not layer.built:
        return ops.convert_to_numpy(layer(*inputs))
    values = [[v.value for v in kept] for kept in (layer.trainable_variables, layer.non_trainable_variables)]
    return np.asarray(compiled(layer)(*values, *inputs))


sound = weakref.WeakSet()  # what has given numbers by `apply_again`


def apply_again(layer: keras.layers.Layer, *inputs: np.ndarray) -> np.ndarray:
    """As `apply` for the first batch of a layer, which starts at once, and as `apply_often` from the second batch on.

    A layer that gives NaN is never compiled: TensorFlow's compiled convolutions with ReLU turn NaN into 0, and a
    network whose training diverged would seem to give numbers.
    """
    if layer in sound:
        return apply_often(layer, *inputs)
    made = apply(layer, *inputs)
    if np.isfinite(made).all():
        sound.add(layer)
    return made


def apply_often(layer: keras.layers.Layer, *inputs: np.ndarray) -> np.ndarray:
    """As `apply`, for many batches: TensorFlow compiles at once, which is faster and frees what it needs no more.

    After the second shape it compiles once for all shapes.
    """
    if keras.backend.backend() != "tensorflow":
        return apply(layer, *inputs)
    inputs = [np.asarray(array, "float32") for array in inputs]
    return compiled_graph(layer, tuple(array.ndim for array in inputs))(*inputs).numpy()


@lru_cache(maxsize=16)
def compiled_graph(layer: keras.layers.Layer, axes: tuple[int, ...]):
    """TensorFlow's compiled form of a layer: inputs -> output; it follows the layer's weights.

    Args:
        axes: how many each input has; a form for all shapes would know no number of axes, if that changed too.
    """
    import tensorflow as tf

    return tf.function(lambda *inputs: layer(*inputs), reduce_retracing=True)


@lru_cache(maxsize=8)
def compiled(layer: keras.layers.Layer):
    """JAX's compiled form of a layer: values of its variables, inputs -> output."""
    import jax

    return jax.jit(lambda trained, others, *inputs: layer.stateless_call(trained, others, *inputs)[0])


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
    """Features of images, batch by batch.

    Few images, or JAX: the tower is called, see `apply_again`. More: it is compiled first. Only where several devices
    share a batch does `predict` do this, because it alone gives each its part; on JAX it fails across hosts, and
    elsewhere it starts slowly and on TensorFlow ends slowly.
    """
    if len(images) <= batch_size or keras.backend.backend() == "jax":
        return np.concatenate([apply_again(tower, images[start : start + batch_size])
                               for start in range(0, len(images), batch_size)])
    if tower not in sound and not np.isfinite(first := apply_again(tower, images[:1])).all():
        return np.repeat(first, len(images), axis=0)
    count, short = len(images), -len(images) % batch_size
    if short:  # one size of batch is compiled once, and a last batch below the number of replicas would crash
        images = np.concatenate([images, np.repeat(images[:1], short, axis=0)])
    strategy = getattr(tower, "distribute_strategy", None)
    if strategy and strategy.num_replicas_in_sync > 1:
        return tower.predict(images, batch_size=batch_size, verbose=0)[:count]
    return np.concatenate([tower.predict_on_batch(images[s : s + batch_size])
                           for s in range(0, len(images), batch_size)])[:count]


def precision_of(model: keras.Model) -> str:
    """What a model computes in: "float32", or Keras' name of a mixed precision."""
    return next(iter(re.findall(r'"(mixed_\w+|bfloat16|float16)"', model.to_json())), "float32")


def in_float32(model: keras.Model) -> keras.Model:
    """The model, or the same one computing in float32 where it computes in another precision."""
    precision = precision_of(model)
    if precision == "float32":
        return model
    made = keras.models.model_from_json(model.to_json().replace(f'"{precision}"', '"float32"'))
    made.set_weights(model.get_weights())
    return made
