"""Pictures as programs of one's own pass them: files, arrays and PIL images."""

import hashlib
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from utils.data.images import called

BLOCK = 1 << 22  # pixels at once
Picture = str | os.PathLike | np.ndarray | Image.Image


def several(pictures: Sequence[Picture]) -> Sequence[Picture]:
    """The pictures; ValueError where it is a single one, which is easily passed in place of several."""
    shape = getattr(pictures, "shape", ())
    if (isinstance(pictures, str | bytes | os.PathLike) or not hasattr(pictures, "__len__") or len(shape) == 2
        or len(shape) == 3 and shape[2] <= 4 or isinstance(pictures, dict | set | frozenset)):
        raise ValueError(f"received {called(pictures)}, expected several pictures: put a single one into a list")
    return pictures


def pixel_digest(picture: Image.Image) -> str:
    """What tells apart pictures whose pixels or sizes differ, whatever else their files hold: hexadecimal sha1."""
    found, rows = hashlib.sha1(repr(picture.size).encode()), max(1, BLOCK // max(1, picture.width))
    for top in range(0, picture.height, rows):  # so that no second copy of a large one is made
        found.update(picture.crop((0, top, picture.width, min(top + rows, picture.height))).tobytes())
    return found.hexdigest()
