"""Networks that were exported, run by ONNX Runtime: the same answers as Keras gives, without the wait for it.

The functions make of an exported part what the readers in `nets.models` make of a Keras model. Each takes `run`, see
`network`; `shape`, the (height, width, channels) that it takes; and `use`, what the part alone does not tell, which
`export.py` wrote beside it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from nets.uses import Comparer, Scorer, as_patches, batch_of_photos

Shape = tuple[int | None, int | None, int]
EPSILON = 1e-12  # floor of squared distances, see `nets.heads.distance`


def network(path: str) -> Callable[[np.ndarray], np.ndarray]:
    """A function that runs a file of one input and one output: (B, ...) -> (B, ...) float32.

    Raises:
        ModuleNotFoundError: ONNX Runtime is not installed.
        Exception: of ONNX Runtime, where the file is damaged.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: np.ascontiguousarray(images, "float32")})[0]


def comparer(run: Callable, shape: Shape, use: dict[str, Any]) -> Comparer:
    """What a model of similarity is used for, of its tower and the two numbers of its head on distances."""
    boundary, scale = use["boundary"], use["scale"]

    def score(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        squares = np.square(np.asarray(left, "float32") - np.asarray(right, "float32")).sum(-1)
        logits = scale * (boundary - np.sqrt(np.maximum(squares, EPSILON)))
        return np.exp(-np.logaddexp(0, -logits)).astype("float32")

    def distance_of(similarity: float) -> float:
        return boundary - float(np.log(similarity) - np.log1p(-similarity)) / scale

    def embed(images, batch_size: int = 64, progress=lambda done, of: None) -> np.ndarray:
        return in_batches(run, images, batch_size, progress)

    return Comparer(embed, score, True, distance_of, keeps_locations=use["keeps_locations"])


def scorer(run: Callable, shape: Shape, use: dict[str, Any]) -> Scorer:
    """What a model of quality is used for."""
    def score(images: np.ndarray, batch_size: int = 32) -> np.ndarray:
        return in_batches(run, images, batch_of_photos(images, use["side"], batch_size))

    return Scorer(score, shape[0] is None, use["side"], use["higher_is_better"], use["low"], use["high"])


def describer(run: Callable, shape: Shape, use: dict[str, Any]) -> Callable[..., np.ndarray]:
    """What a model of patches is used for: patches (N, P, P) or (N, P, P, C) -> descriptors (N, F) of unit length."""
    def describe(patches: np.ndarray, batch_size: int = 256) -> np.ndarray:
        patches = as_patches(patches, shape)
        return in_batches(run, patches, batch_size) if len(patches) else np.zeros((0, use["length"]), "float32")

    return describe


def in_batches(run: Callable, images, size: int, progress=lambda done, of: None) -> np.ndarray:
    """What `run` makes of images, so many at once."""
    made = []
    for start in range(0, len(images), size):
        made.append(run(images[start : start + size]))
        progress(min(start + size, len(images)), len(images))
    return np.concatenate(made)
