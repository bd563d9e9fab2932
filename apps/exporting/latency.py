"""What benchmark.py measures of exported files."""

import os
from collections.abc import Callable
from functools import partial

import keras
import numpy as np

from apps.exporting import checking, formats, parts
from nets.models import siamese


def works(model: keras.Model, folder: str, times: int = 10) -> dict[str, Callable[[], None]]:
    """Functions that compare a pair of pictures `times` times: in Keras as predict.py does, and in a file of each
    format.

    A format whose packages are not installed is left out, and that is said.

    Args:
        model: of `nets.models.siamese.siamese`.
        folder: for the files; it is made.
    """
    os.makedirs(folder)
    part = next(part for part in parts.parts_of(model).values() if len(part.inputs) > 1)
    compare = siamese.comparer(model)
    pair = {name: images[:1] for name, images in checking.batches(part)[0].items()}
    both = np.concatenate([*pair.values()])

    def in_keras():
        for _ in range(times):
            features = compare.embed(both)
            compare.score(features[0], features[1])

    def in_file(run):
        for _ in range(times):
            run(pair)

    functions = {"Keras": in_keras}
    for name, row in formats.FORMATS.items():
        if absent := formats.missing(name):
            print(f"left out {name}: pip install {' '.join(absent)}")
            continue
        path = os.path.join(folder, f"{part.name}{row.ending}")
        formats.write(part, name, path)
        functions[f"{name} ({row.runtime})"] = partial(in_file, formats.opened(name, path))
    return functions
