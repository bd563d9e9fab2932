"""Photos with boxes as the formats give them, and what is checked of a box."""

import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from tasks.detection.boxes.geometry import Annotated
from tasks.detection.measuring.precision import Truth
from utils.data.images import read_photo

SPILL = 2.0  # pixels, or hundredths of a side where that is more, by which a box may stick out: it is cut there


class Sample(NamedTuple):
    """A photo and what lies in it.

    Attributes:
        path: below the root of its set.
        boxes: (n, 4) float32 in pixels of the photo.
        labels: (n,) int32, indices into the names of the set.
        crowd: (n,) bool, see `Truth`.
        area: (n,) float32, square pixels as the file gives them, or those of the boxes.
    """

    path: str
    boxes: np.ndarray
    labels: np.ndarray
    crowd: np.ndarray
    area: np.ndarray

    def truth(self) -> Truth:
        """What is to be found."""
        return Truth(self.boxes, self.labels, self.crowd, self.area)

    def read(self, root: str) -> Annotated:
        """The photo with its boxes; crowds have the label -1."""
        return Annotated(read_photo(os.path.join(root, self.path)), self.boxes, np.where(self.crowd, -1, self.labels))


class BoxSet(NamedTuple):
    """Photos with boxes below a folder.

    Attributes:
        root: the folder.
        form: of `tasks.detection.data.reading.FORMATS`.
        names: of the classes.
        samples: the photos that could be read.
        problems: of those that could not, what is wrong, a line each.
        how: what was found, in a line.
        parts: of `utils.data.files.PARTS` the part of each photo of which lists tell one.
        told_by: what these lists are, in words.
    """

    root: str
    form: str
    names: list[str]
    samples: list[Sample]
    problems: list[str]
    how: str
    parts: dict[str, str]
    told_by: str


class Damaged(ValueError):
    """An annotation that cannot be right: what was received, what was expected, and how to mend it."""


def checked(box: Sequence[float], size: tuple[int, int]) -> list[float]:
    """A box in a photo of (width, height), cut where it sticks out a little.

    Raises:
        Damaged: numbers that are not finite, corners that are swapped, a box without area, or one outside of the photo.
    """
    left, top, right, bottom = box
    text = f"the box {left:g}, {top:g}, {right:g}, {bottom:g}"
    if not np.isfinite(box).all():
        raise Damaged(f"{text} is not finite, expected left, top, right and bottom in pixels: draw it again")
    if right < left or bottom < top:
        raise Damaged(f"{text} has its corners swapped, expected left < right and top < bottom: swap them in the file")
    if right - left <= 0 or bottom - top <= 0:
        raise Damaged(f"{text} is empty, expected a width and a height above 0: draw or remove it")
    width, height = size
    spill = [max(SPILL, 0.01 * side) for side in (width, height)]
    beyond = max(-left - spill[0], right - width - spill[0], -top - spill[1], bottom - height - spill[1])
    cut = [min(max(left, 0), width), min(max(top, 0), height), min(max(right, 0), width), min(max(bottom, 0), height)]
    if beyond > 0 or cut[2] - cut[0] <= 0 or cut[3] - cut[1] <= 0:
        raise Damaged(f"{text} lies outside of the photo of {width} x {height} pixels, expected it inside: draw it "
                      "again, or put the photo back that it was drawn on")
    return cut


def sample(path: str, boxes: Sequence[Sequence[float]], labels: Sequence[int], crowd: Sequence[bool] = (),
           area: Sequence[float] = ()) -> Sample:
    """A sample of lists."""
    made = np.array(boxes, "float32").reshape(-1, 4)
    own = np.prod(made[:, 2:] - made[:, :2], axis=1)
    return Sample(path, made, np.array(labels, "int32"), np.array(crowd if len(crowd) else [False] * len(made), bool),
                  np.array(area, "float32") if len(area) else own)


class Thing(NamedTuple):
    """A box as a file gives it: left, top, right and bottom in pixels, the index of its class, whether it is a crowd,
    and its area where the file tells one."""

    box: Sequence[float]
    label: int
    crowd: bool = False
    area: float | None = None


class Annotations(NamedTuple):
    """What the files of one format hold.

    Attributes:
        names: of the classes.
        photos: of each photo, a function that gives its things for its (width, height), or raises `Damaged`.
        problems: files that say nothing of any photo, and why, a line each.
        how: where the names come from and what was guessed, in words.
        parts, told_by: as of `BoxSet`.
    """

    names: list[str]
    photos: dict[str, Callable[[tuple[int, int]], list[Thing]]]
    problems: list[str]
    how: str
    parts: dict[str, str]
    told_by: str


def number_of(text, what: str) -> float:
    """A number of a file; Damaged where it is none."""
    try:
        return float(text)
    except (TypeError, ValueError):
        raise Damaged(f"{what} is {str(text)[:40]!r}, expected a number: mend it in the file") from None


def check_size(told: tuple, size: tuple[int, int]) -> None:
    """Raises Damaged where a file tells another size (width, height) of a photo than the photo has; one that it does
    not tell is taken as right."""
    told = tuple(int(number_of(side, "the size of the photo")) if side not in (None, "") else 0 for side in told)
    if all(told) and told != size:
        turned = told == size[::-1]
        raise Damaged(f"the file tells {told[0]} x {told[1]} pixels, the photo has {size[0]} x {size[1]}, expected the "
                      f"same: {'it was turned' if turned else 'it was resized'} after it was labelled; put the former "
                      "photo back, or label it again")
