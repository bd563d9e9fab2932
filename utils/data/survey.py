"""What kind of pictures lie in a folder: grey or colour, how large, photographs or characters. A sample of them is
looked at."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from utils.data.files import evenly
from utils.data.images import open_image, read_image, size_of
from utils.metrics.domain import are_characters, statistics

LOOKED_AT = 200  # pictures at most
COLOURFUL = 0.02  # mean difference of the channels, on 0..1, from which on a picture counts as coloured
THUMBNAIL = (48, 48, 3)


class Survey(NamedTuple):
    """Number of pictures, whether some have colour, whether they are characters, and median height and width in
    pixels."""

    count: int
    colour: bool
    characters: bool
    height: int
    width: int


def survey(paths: Sequence[str]) -> Survey:
    """Looks at a sample of the pictures; those that cannot be read are skipped.

    Raises:
        ValueError: none of the sample can be read.
    """
    sizes, thumbnails, problem = [], [], ""
    for path in evenly(paths, LOOKED_AT):
        try:
            size, thumbnail = open_image(path, "RGB").size, read_image(path, THUMBNAIL)
            sizes.append(size)
            thumbnails.append(thumbnail)
        except ValueError as error:
            problem = str(error)
    if not thumbnails:
        raise ValueError(f"none of the pictures can be read, for example {problem or 'there is none'}")
    shown = np.stack(thumbnails)
    width, height = np.median(sizes, axis=0).astype(int)
    colour = bool(np.mean(statistics(shown)[:, 0] > COLOURFUL) > 0.05)
    return Survey(len(paths), colour, are_characters(shown), int(height), int(width))


def input_for(pictures: Survey, least: int = 48, most: int = 80, usual: int = 64) -> tuple[int, int, int]:
    """(height, width, channels) that suits the pictures: their shape, about `usual` x `usual` pixels in all, in steps
    of 8, and no side outside `least` and `most`."""
    shape = float(np.clip(pictures.height / pictures.width, 0.5, 2))
    side = float(np.clip(np.sqrt(pictures.height * pictures.width), least, usual))
    height, width = (int(np.clip(8 * round(length / 8), least, most))
                     for length in (side * np.sqrt(shape), side / np.sqrt(shape)))
    return height, width, 3 if pictures.colour else 1


def size_range(paths: Sequence[str], most: int = 500) -> str:
    """The sizes of pictures, smallest to largest by area, from a sample of at most `most` files."""
    step = max(1, len(paths) // most)
    sizes = set()
    for path in paths[::step]:
        sizes.add(size_of(path))
    small, large = (f(sizes, key=lambda size: size[0] * size[1]) for f in (min, max))
    return " x ".join(map(str, small)) + ("" if small == large else " to " + " x ".join(map(str, large))) + " pixels"
