"""Loads the models that the tasks keep; refuses files that are damaged, or that ask for more than they hold."""

import contextlib
import io
import math
import os
import random
import zipfile
from importlib import import_module

import h5py
import keras
import numpy as np
from keras.src.backend.common import global_state

from nets import named
from nets.heads import HEADS
from tasks import ROOMS
from utils.data.files import reading, save_aside
from utils.run import folder as runs

# to import them makes their layers known to Keras
NETWORKS = {row.kind: import_module(row.network) for row in ROOMS.values()}
HEAD_LAYERS = {named("nets.heads", row.layer) for row in HEADS.values()}  # known to Keras from here on too
READERS = {row.kind: getattr(NETWORKS[row.kind], row.reader) for row in ROOMS.values() if row.reader}
WEIGHTS = "model.weights.h5"  # in a .keras file
WIDEST = 8192  # pixels a side of an input
LARGEST = 2**28  # bytes that the values of a layer may take for one picture: 1024 x 1024 x 64 numbers
ANY_SIDE = 256  # pixels a side at which that is looked at where a model takes any size
RATIO, SPARE = 20, 2**24  # weights take at most so many times the bytes of their file, and so many more


def load_model(path: str, kind: str, flag: str = "model") -> keras.Model:
    """The model in a .keras file, which may be a stranger's: no code of his runs, and it takes no more memory than the
    file justifies.

    Args:
        kind: of a row in `ROOMS`, or the name of a further network that a run keeps, see `runs.beside`: what it takes
            is for the room to know.
        flag: the one that named the file, "model" or "weights", for the error.

    Raises:
        ValueError: not a Keras file, a damaged one, a model of another kind, or one whose weights are not all finite.
    """
    actual = runs.kind_of(path)
    if actual != kind:
        ready = " or ".join(name if flag == "model" else os.path.relpath(os.path.join(runs.READY, folder))
                            for row in ROOMS.values() if row.kind == kind for name, folder in row.ready.items())
        raise ValueError(f"{path}: {f'a {actual} model' if actual else 'not a Keras model'}, expected a {kind} model "
                         f"of this project: leave --{flag} out{f', or pass --{flag}={ready}' if ready else ''}")
    with reading(path, f"a {kind} model of this project", f"pass another --{flag}, or train one"):
        check_archive(path)
        with compiled_hastily():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        check_model(model)
    return model


def store_in_half(path: str) -> None:
    """Writes the weights of a .keras file in half precision, compressed: half as many bytes. Keras reads them as
    float32.

    Raises:
        ValueError: a weight is too large for half precision.
    """
    def save(aside: str) -> None:
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr(name, halved(old.read(name), path) if name == WEIGHTS else old.read(name))

    save_aside(save, path, ".keras")


def halved(weights: bytes, path: str) -> bytes:
    """A file of weights whose arrays of float32 are float16."""
    made = io.BytesIO()
    with h5py.File(io.BytesIO(weights)) as old, h5py.File(made, "w") as new:
        def visit(name: str, item) -> None:
            if isinstance(item, h5py.Group):
                new.require_group(name).attrs.update(item.attrs)
            else:
                values = item[()]
                with np.errstate(over="ignore"):  # told below
                    values = values.astype("float16") if values.dtype == "float32" else values
                if not np.isfinite(values).all():
                    raise ValueError(f"{path}: the weight {name} is too large for half precision: pass --nohalf")
                new.create_dataset(name, data=values).attrs.update(item.attrs)

        new.attrs.update(old.attrs)
        old.visititems(visit)
    return made.getvalue()


def check_archive(path: str) -> None:
    """Raises ValueError where a .keras file asks for far more memory than it has bytes, refers to other files, or holds
    code."""
    most = RATIO * os.path.getsize(path) + SPARE
    with zipfile.ZipFile(path) as archive:
        largest = max(member.file_size for member in archive.infolist())
        if largest > most:
            raise ValueError(f"a part of it unpacks to {largest:,} bytes")
        weights = io.BytesIO(archive.read(WEIGHTS))
    config = runs.config_of(path) | {"compile_config": None}
    if holds_code(config):
        raise ValueError("it holds a Lambda layer, which runs code")
    with h5py.File(weights) as file:
        links, held = [], []
        file.visititems_links(lambda name, link: links.append(name) if not isinstance(link, h5py.HardLink) else None)
        file.visititems(lambda name, item: held.append(item) if isinstance(item, h5py.Dataset) else None)
        if links or any(item.external or item.is_virtual for item in held):
            raise ValueError("its weights refer to other files")
        taken, largest = bytes_of(config)
        for size, what in ((sum(item.size * item.dtype.itemsize for item in held), "its weights claim"),
                           (taken, "its layers take")):
            if size > most:
                raise ValueError(f"{what} {size:,} bytes, but the file has only {os.path.getsize(path):,}")
        if largest[0] > LARGEST:
            raise ValueError(f"for one picture the layer {largest[1][:60]} takes {largest[0]:,} bytes, {LARGEST:,} at "
                             "most are taken: a model of a smaller --input_shape is needed")


def holds_code(config) -> bool:
    """Whether a description of a model, of dicts and lists, has a Lambda layer in it."""
    if isinstance(config, dict):
        return config.get("class_name") in ("Lambda", "__lambda__") or any(map(holds_code, config.values()))
    return isinstance(config, list) and any(map(holds_code, config))


def bytes_of(config: dict) -> tuple[int, tuple[int, str]]:
    """Bytes of the weights of a model; and, for one picture, of the values of the layer that has most, with its name.
    By the model's description: it is built without weights. No random number is drawn from the streams in use."""
    before = random.getstate()
    waiting = list(global_state.get_global_attribute("uninitialized_variables") or [])
    try:
        with keras.StatelessScope(initialize_variables=False):  # in it a variable knows its shape and has no value
            model = keras.saving.deserialize_keras_object(config, safe_mode=True)
        return sum(4 * math.prod(weight.shape) for weight in model.weights), max(values_of(model)[0], default=(0, ""))
    finally:
        global_state.set_global_attribute("uninitialized_variables", waiting)
        random.setstate(before)


def values_of(model: keras.Model, side: int = ANY_SIDE) -> tuple[list[tuple[int, str]], list[int]]:
    """Bytes of the values that the layers of a model, and of the models in it, make of one picture, with name and
    shape; the input is one of them. And the sides of its outputs.

    Args:
        side: what stands for the sides of an input of any size, and for those of what is made larger; steps of
            convolutions and pooling make it smaller.
    """
    found, sides = [], {}
    for layer in model.layers:
        for node in layer._inbound_nodes:
            own = max((sides.get(id(tensor), side) for tensor in node.input_tensors), default=side)
            made = [min(side, math.ceil(own / step_of(layer)))] * len(node.output_tensors)
            if hasattr(layer, "layers"):
                inside, made = values_of(layer, own)
                found += inside
            for tensor, after in zip(node.output_tensors, made):
                sides[id(tensor)] = after
                sizes = [size or after for size in tensor.shape[1:]]
                found.append((4 * math.prod(sizes), f"{layer.name} of {tensor.shape[1:]}"))
    return found, [sides.get(id(tensor), side) for tensor in model.outputs]


def step_of(layer: keras.layers.Layer) -> float:
    """How many times smaller the sides of a layer's output are than those of its input."""
    if isinstance(layer, keras.layers.Conv2DTranspose):
        return 1 / max(layer.strides)
    if isinstance(layer, keras.layers.UpSampling2D):
        return 1 / max(layer.size)
    step = getattr(layer, "strides", 1)
    return min(step) if isinstance(step, tuple | list) else step


def check_model(model: keras.Model) -> None:
    """Raises ValueError where a model is not built as those of its kind, or has weights that are NaN or infinite."""
    if model.name in NETWORKS:
        READERS.get(model.name, lambda model: None)(model)
        check_inputs(model)
    broken = [weight.path for weight in model.weights if not np.isfinite(keras.ops.convert_to_numpy(weight)).all()]
    if broken:
        raise ValueError(f"{len(broken)} of its {len(model.weights)} arrays of weights hold NaN or infinity, such as "
                         f"{broken[0]}: training diverged")


def check_inputs(model: keras.Model) -> None:
    """Raises ValueError where a model of a kind in `ROOMS` takes no images, or any size where its kind has one size."""
    shapes = {tuple(tensor.shape) for tensor in model.inputs}
    sizes = [size for shape in shapes for size in shape[1:3] if size
             or not getattr(NETWORKS[model.name], "ANY_SIZE", False)]
    fitting = len(shapes) == 1 and all(len(shape) == 4 and shape[3] in range(1, 5) for shape in shapes)
    if not fitting or not all(size and size <= WIDEST for size in sizes):
        raise ValueError(f"it takes {shapes}, expected images of 1 to 4 channels")


@contextlib.contextmanager
def compiled_hastily():
    """On JAX: without optimisation, which costs seconds for the random weights that Keras draws before it reads the
    saved ones."""
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
