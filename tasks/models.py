"""Finds and loads the models that the tasks keep."""

import contextlib

import keras

from nets import descriptor, rankiqa, siamese
from utils.run import folder as runs

KINDS = (siamese.KIND, descriptor.KIND, rankiqa.KIND)  # to import their modules makes their layers known to Keras


def load_model(path: str, kind: str) -> keras.Model:
    """The model in a .keras file.

    Args:
        kind: one of `KINDS`.

    Raises:
        ValueError: not a Keras file, or a model of another kind.
    """
    found = runs.kind_of(path)
    if found != kind:
        raise ValueError(f"{path}: {f'a {found} model' if found else 'not a Keras model'}, expected a {kind} model of this project")
    try:
        with compiled_hastily():
            return keras.saving.load_model(path, compile=False)
    except (ValueError, TypeError, OSError, KeyError) as error:
        raise ValueError(f"{path}: not a model of this project ({str(error)[:120]})") from error


@contextlib.contextmanager
def compiled_hastily():
    """On JAX: without optimisation, which costs seconds for the random weights that Keras draws before it reads the saved ones."""
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
