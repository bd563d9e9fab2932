"""What drawn scenes show: shapes and letters, as masks of any size."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from utils.glyphs import BACKGROUND, EVALUATION, FACES, Shape, alike, render, shape_of

SIDE = 64  # pixels of the masks that are made small
LETTERS = {"letter A": "A", "letter E": "E", "letter K": "K", "letter R": "R", "digit 2": "2", "digit 4": "4",
           "digit 8": "8", "question mark": "?"}
OTHER = "other sign"  # any letter of `utils.glyphs.BACKGROUND` that looks like no other class
SHAPES = ("disc", "ring", "square", "triangle", "diamond", "star", "plus", "arrow", "crescent", "heart", "hourglass",
          "bolt")
NAMES = (*SHAPES, *LETTERS, OTHER)  # the classes


def polygon(*points: tuple[float, float]) -> Image.Image:
    """A mask of a polygon whose points are in 0..1."""
    image = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(image).polygon([(x * (SIDE - 1), y * (SIDE - 1)) for x, y in points], fill=255)
    return image


def round_shape(name: str) -> Image.Image:
    """A mask of a disc, or what is left of one."""
    image = Image.new("L", (SIDE, SIDE))
    draw = ImageDraw.Draw(image)
    draw.ellipse((0, 0, SIDE - 1, SIDE - 1), fill=255)
    if name == "ring":
        draw.ellipse((14, 14, SIDE - 15, SIDE - 15), fill=0)
    if name == "crescent":
        draw.ellipse((20, 2, SIDE + 12, SIDE - 6), fill=0)
    return image


def star(points: int = 5, inner: float = 0.4) -> Image.Image:
    """A mask of a star."""
    turns = np.arange(2 * points) * np.pi / points
    reach = np.where(np.arange(2 * points) % 2, inner, 1.0) / 2
    return polygon(*zip(0.5 + reach * np.sin(turns), 0.5 - reach * np.cos(turns)))


def heart() -> Image.Image:
    """A mask of a heart."""
    turn = np.linspace(0, 2 * np.pi, 60)
    x = 16 * np.sin(turn) ** 3
    y = 13 * np.cos(turn) - 5 * np.cos(2 * turn) - 2 * np.cos(3 * turn) - np.cos(4 * turn)
    return polygon(*zip(0.5 + x / 34, 0.46 - y / 34))


POLYGONS = {
    "square": ((0, 0), (1, 0), (1, 1), (0, 1)),
    "triangle": ((0.5, 0), (1, 1), (0, 1)),
    "diamond": ((0.5, 0), (0.95, 0.5), (0.5, 1), (0.05, 0.5)),
    "plus": ((0.35, 0), (0.65, 0), (0.65, 0.35), (1, 0.35), (1, 0.65), (0.65, 0.65), (0.65, 1), (0.35, 1), (0.35, 0.65),
             (0, 0.65), (0, 0.35), (0.35, 0.35)),
    "arrow": ((0, 0.35), (0.5, 0.35), (0.5, 0.08), (1, 0.5), (0.5, 0.92), (0.5, 0.65), (0, 0.65)),
    "hourglass": ((0.05, 0), (0.95, 0), (0.58, 0.5), (0.95, 1), (0.05, 1), (0.42, 0.5)),
    "bolt": ((0.62, 0), (0.1, 0.58), (0.45, 0.58), (0.3, 1), (0.9, 0.38), (0.53, 0.38)),
}


@cache
def shape(name: str) -> Image.Image:
    """The mask of a shape, cut to its bounds."""
    made = {"star": star, "heart": heart}.get(name)
    image = made() if made else polygon(*POLYGONS[name]) if name in POLYGONS else round_shape(name)
    return image.crop(image.getbbox())


@cache
def letter(character: str, face: str) -> Image.Image | None:
    """The mask of a letter, cut to its bounds; None where the face does not have it."""
    ink = render(character, face)
    if ink is None:
        return None
    image = Image.fromarray((ink * 255).astype("uint8"))
    return image.crop(image.getbbox())


@cache
def is_other(character: str) -> bool:
    """Whether a letter looks like none of `LETTERS` and `SHAPES`, and can be drawn."""
    ink = render(character, FACES[0])
    if ink is None:
        return False
    own = shape_of(ink)
    return not any(alike(own, known) for known in known_shapes())


@cache
def known_shapes() -> list[Shape]:
    """What the classes look like that are drawn in one way."""
    masks = [np.asarray(shape(name), "float32") / 255 for name in SHAPES]
    return [shape_of(ink) for ink in (*masks, *(render(letter, FACES[0]) for letter in LETTERS.values()))]


def other_letter(rng: np.random.Generator, unseen: bool = False) -> str:
    """A letter for `OTHER`; of writing systems that training never draws, where `unseen`."""
    blocks = list((EVALUATION if unseen else BACKGROUND).values())
    while True:
        first, last, _ = blocks[rng.integers(len(blocks))]
        character = chr(int(rng.integers(first, last)))
        if character.isalpha() and is_other(character):
            return character


def mask_of(name: str, rng: np.random.Generator, character: str = "") -> Image.Image:
    """A mask (mode L) of a class, in a face by chance where it is a letter.

    Args:
        character: the letter to draw in place of that of the class.
    """
    if name in SHAPES:
        return shape(name)
    character = character or LETTERS.get(name) or other_letter(rng)
    faces = [FACES[number] for number in rng.permutation(len(FACES))]
    return next(mask for face in faces if (mask := letter(character, face)) is not None)
