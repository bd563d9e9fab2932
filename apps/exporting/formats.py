"""The formats that a model can be written in: one row each. What writes them is Keras; what opens them is each format's
own runtime.

The functions that open a file are written beside each export as a part of its example, so they import nothing of this
project.
"""

import contextlib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import NamedTuple


def onnx(path):
    """A function that runs the file: {name of input: array} -> array."""
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return lambda inputs: session.run(None, inputs)[0]


def litert(path):
    """A function that runs the file: {name of input: array} -> array."""
    from ai_edge_litert.interpreter import Interpreter

    run = Interpreter(path).get_signature_runner()
    return lambda inputs: next(iter(run(**inputs).values()))


def savedmodel(path):
    """A function that runs the folder: {name of input: array} -> array."""
    import tensorflow as tf

    loaded = tf.saved_model.load(path)  # its functions live as long as it does
    return lambda inputs: next(iter(
        loaded.signatures["serving_default"](**{name: tf.constant(inputs[name]) for name in inputs}).values())).numpy()


class Format(NamedTuple):
    """One value of --format.

    Attributes:
        keras: its name in `keras.Model.export`.
        ending: of the file; "": it is a folder.
        packages: what writes and runs it, beside the packages of requirements.txt: the name to import, and the name of
            pip.
        runtime: pip's name of the package that runs it.
        opened: a path -> a function that runs the file, see above.
    """

    keras: str
    ending: str
    packages: dict[str, str]
    runtime: str
    opened: Callable


FORMATS = {
    "onnx": Format("onnx", ".onnx", {"onnx": "onnx", "tf2onnx": "tf2onnx", "onnxruntime": "onnxruntime"}, "onnxruntime",
                   onnx),
    "litert": Format("litert", ".tflite", {"ai_edge_litert": "ai-edge-litert"}, "ai-edge-litert", litert),
    "savedmodel": Format("tf_saved_model", "", {}, "tensorflow", savedmodel),
}


def missing(name: str) -> list[str]:
    """The packages of a format that are not installed, by pip's names."""
    return [package for module, package in FORMATS[name].packages.items() if find_spec(module) is None]


def check(name: str) -> None:
    """Raises ValueError where packages of a format are not installed."""
    if absent := missing(name):
        raise ValueError(f"--format={name} needs {', '.join(absent)}, not installed: pip install {' '.join(absent)}")


def write(model, name: str, path: str) -> None:
    """Writes a model that computes in float32 and has named inputs, for batches of any size; the inputs of the file
    have the same names.

    Args:
        model: inputs {name: (batch, height, width, channels)}, one output {name: (batch, ...)}.
        path: ends as the format does.

    Raises:
        ValueError: the converter cannot write this model.
    """
    import keras

    signature = [{name: keras.InputSpec(shape=tensor.shape, dtype="float32", name=name)
                  for name, tensor in model.input.items()}]
    try:
        model.export(path, format=FORMATS[name].keras, verbose=False, input_signature=signature)
    except OSError:
        raise  # the disk, and not the model
    except Exception as error:  # each converter has its own
        raise ValueError(
            f"--format={name}: this model cannot be written ({short(error)}); pass another --format") from error


def opened(name: str, path: str) -> Callable:
    """A function that runs a file by its own runtime: {name of input: array} -> array; ValueError where the runtime
    cannot open it."""
    with running(name):
        return FORMATS[name].opened(path)


@contextlib.contextmanager
def running(name: str) -> Iterator[None]:
    """While the runtime of a format works, whatever it raises becomes one ValueError."""
    try:
        yield
    except Exception as error:  # each runtime has its own
        raise ValueError(f"--format={name}: the file was written, but {FORMATS[name].runtime} cannot run it "
                         f"({short(error)}), so it is not kept; pass another --format") from error


def short(error: Exception) -> str:
    """The first words of an error."""
    return " ".join(str(error).split())[:200] or type(error).__name__
