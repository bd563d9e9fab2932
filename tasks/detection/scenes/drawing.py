"""Draws scenes: small shapes and letters on a ground, with their boxes. Repeatable from a seed; runs in workers."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from tasks.detection.boxes.geometry import Annotated, shared_area
from tasks.detection.scenes.grounds import ground
from tasks.detection.scenes.things import NAMES, OTHER, mask_of, other_letter

SMALLEST, LARGEST = 6.0, 32.0  # pixels of the longer side of a thing
EACH = 1500  # square pixels of the picture that a thing has on average
TRIES = 12  # places tried for a thing
TURN = 12.0  # degrees that a thing is turned at most
INK = 64  # of 255: from which on a pixel of a mask belongs to the box
PLANTED = len(NAMES)  # the label of a sign that a scene was asked to hold
LEAST_CONTRAST = 45.0  # grey levels between a thing and the ground around it


class Planted(NamedTuple):
    """A sign that scenes are given besides the usual things: its letter, and how often in each."""

    character: str
    count: int


def scene(seed: Sequence[int], side: int, photos: Sequence[str] = (), planted: Planted | None = None,
          unseen: bool = False) -> Annotated:
    """A scene (side, side, 3) with about one thing each `EACH` square pixels; classes are indices into `NAMES`.

    Args:
        seed: the same seed gives the same scene.
        photos: files of which a ground is cut; (): grounds are drawn.
        planted: a sign of a letter of one's choice, whose label is `PLANTED`; its boxes come first.
        unseen: whether other signs are letters of writing systems that training never draws.
    """
    rng = np.random.default_rng(list(seed))
    picture = ground(side, photos, rng).astype("float32")
    boxes, labels = np.empty((0, 4), "float32"), []
    count = max(1, rng.poisson(side * side / EACH))
    wished = [(OTHER, planted.character, PLANTED)] * planted.count if planted else []
    for name in rng.choice(NAMES, count).tolist():
        wished.append((name, other_letter(rng, True) if unseen and name == OTHER else "", NAMES.index(name)))
    for name, character, label in wished:
        mask = placed_mask(mask_of(name, rng, character), rng)
        box = free_place(mask.shape, side, boxes, rng)
        if box is not None:
            paint(picture, mask, box, rng)
            boxes = np.concatenate([boxes, tight(mask, box)[None]])
            labels.append(label)
    picture += rng.normal(0, rng.uniform(0, 6), picture.shape)
    return Annotated(np.clip(np.rint(picture), 0, 255).astype("uint8"), boxes, np.array(labels, "int32"))


def placed_mask(mask: Image.Image, rng: np.random.Generator) -> np.ndarray:
    """A mask (h, w) float32 in 0..1 at a size, a shape and an angle by chance."""
    longest = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
    stretch = np.array(mask.size) * np.exp(rng.normal(0, 0.1, 2))
    large = mask.resize(tuple(np.maximum(8, np.rint(stretch * 96 / stretch.max())).astype(int).tolist()))
    large = large.rotate(rng.uniform(-TURN, TURN), Image.Resampling.BILINEAR, expand=True)
    large = large.crop(large.getbbox())
    size = np.maximum(3, np.rint(np.array(large.size) * longest / max(large.size))).astype(int)
    return np.asarray(large.resize(tuple(size.tolist()), Image.Resampling.BOX), "float32") / 255


def free_place(shape: tuple[int, int], side: int, boxes: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
    """A place for a mask that covers none of the things that are there; None where none was found."""
    height, width = shape
    for _ in range(TRIES):
        left, top = rng.integers(0, side - width + 1), rng.integers(0, side - height + 1)
        box = np.array([left, top, left + width, top + height], "float32")
        if not len(boxes) or shared_area(box[None], boxes).max() <= 0:
            return box
    return None


def paint(picture: np.ndarray, mask: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """Paints a thing in a colour that differs from the ground."""
    left, top, right, bottom = box.astype(int)
    under = picture[top:bottom, left:right]
    around = under.mean(axis=(0, 1))
    colour = rng.uniform(0, 255, 3)
    while abs(colour.mean() - around.mean()) < LEAST_CONTRAST:
        colour = rng.uniform(0, 255, 3)
    share = (mask * rng.uniform(0.8, 1.0))[..., None]
    under[:] = under * (1 - share) + colour * share


def tight(mask: np.ndarray, box: np.ndarray) -> np.ndarray:
    """The box of what shows of a mask: (4,) float32."""
    rows, columns = (np.flatnonzero((mask * 255 >= INK).any(axis=axis)) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return box
    return box[[0, 1, 0, 1]] + np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], "float32")
