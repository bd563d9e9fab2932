"""Generators of pictures and the discriminators that judge them: DeePSiM's, and compact ones. One row for each size.

A row names a file of this folder with the functions `autoencoder(side)`, `variational(side)` and
`inversion(shape, side)`, which build an encoder, or none, and a generator, and `discriminator(side, shape)`.
"""

from importlib import import_module
from typing import NamedTuple

TERMS = {
    "feature": "distance of a comparator's features",
    "adversarial": "a discriminator must take the picture for a real one",
    "pixel": "squared difference of pixels",
    "absolute": "absolute difference of pixels, to compare with",
}
KINDS = {
    "autoencoder": "a picture -> a small code -> the picture",
    "vae": "the same with codes that can be drawn by chance, so that pictures are made of nothing",
    "inversion": "features of a network -> the picture that they were taken from",
}


class GeneratorRow(NamedTuple):
    """One row of the table of generators.

    Attributes:
        build: the file in this folder.
        input_shape: (height, width, channels) of the pictures, by kind, where the user names none.
        batch: pictures in a batch where the user names none.
        rate: learning rate where the user names none.
    """

    build: str
    input_shape: dict[str, tuple[int, int, int]]
    batch: int
    rate: float


SMALL, LARGE = (64, 64, 3), (256, 256, 3)
GENERATORS = {
    "deepsim_compact": GeneratorRow("compact", dict.fromkeys(KINDS, SMALL), 16, 6e-4),
    "deepsim": GeneratorRow("deepsim", {"autoencoder": SMALL, "vae": LARGE, "inversion": LARGE}, 64, 2e-4),
}


def builder(backbone: str):
    """The module that builds the networks of a row; ValueError where there is none of that name."""
    if backbone not in GENERATORS:
        raise ValueError(f"--backbone={backbone} makes no pictures: expected {' or '.join(GENERATORS)}")
    return import_module(f"{__name__}.{GENERATORS[backbone].build}")
