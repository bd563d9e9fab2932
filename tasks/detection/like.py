"""One example in place of a class: the boxes whose crops a model of similarity calls the same as the example."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from tasks import about
from tasks.choosing import find_model
from tasks.detection.boxes.suppression import suppressed
from tasks.detection.measuring.precision import Answer
from tasks.similarity import model as similarity
from utils.data.files import walk
from utils.data.images import called, read_photo
from utils.pictures import Picture
from utils.saying import shown

LEAST = 0.05  # score from which on a box may show an example, whatever its class
RIM = 0.15  # share of a box's longer side around it that its crop shows too
SIDE, LETTER = 105, 64  # pixels of a drawing of Omniglot, and of the longer side of what is drawn there
FAINT = 24.0  # grey levels that something must differ from its ground
MOST = 300  # boxes of a photo that are compared


class Examples(NamedTuple):
    """Examples that boxes are compared with.

    Attributes:
        model: of similarity.
        features: (n, F) of the examples.
        threshold: similarity from which on a box shows the same, where one box is compared.
        doubt: why the answer may mean nothing; "" where nothing speaks against it.
        fixed: whether the threshold stays, however many boxes are compared: where it was asked for, where looking at
            both pictures decides, and where it was not measured how often different pictures are alike.
    """

    model: similarity.Loaded
    features: np.ndarray
    threshold: float
    doubt: str
    fixed: bool = False

    def threshold_among(self, boxes: int) -> float:
        """The similarity from which on about one of so many boxes is wrongly called the same."""
        if self.fixed:
            return self.threshold
        return similarity.many_threshold(self.model, boxes * len(self.features), 1.0)[0]

    @property
    def drawn(self) -> bool:
        """Whether the model knows drawings, dark on white."""
        return (self.model.known or {}).get("shows") == about.CHARACTERS


def examples_of(pictures: Sequence[Picture], model: str = "", threshold: float | None = None) -> Examples:
    """Examples ready to be compared with.

    Args:
        pictures: of one thing each, or folders of such pictures.
        model: of similarity; "": the ready one that knows such pictures as the first example.

    Raises:
        ValueError: a picture that cannot be read or that shows nothing, or no such model.
    """
    pictures = [each for picture in pictures for each in files_of(picture)]
    if not pictures:
        raise ValueError("--like: received no example, expected a picture of what is looked for, or a folder of some")
    read = [read_photo(picture) for picture in pictures]
    inks = [ink_of(photo) for photo in read]
    for picture, ink in zip(pictures, inks):
        if ink is None:
            raise ValueError(f"{shown(called(picture))}: shows nothing that differs from its ground, expected an "
                             "example of what is looked for: pass another --like")
    kinds = [ready_for(about.read_thumbnails([photo])) for photo in read] if not model else []
    if (other := next((place for place, kind in enumerate(kinds) if kind != kinds[0]), 0)):
        raise ValueError(f"--like: {shown(called(pictures[0]))} and {shown(called(pictures[other]))} are of two kinds, "
                         "a sign on a ground and a photograph, which two models compare: ask one by one, or pass "
                         "--like_model")
    path = find_model(model or kinds[0], "similarity")
    loaded = similarity.open_model(path, threshold)[0]
    fixed = threshold is not None or loaded.proves or similarity.read_different(os.path.dirname(path)) is None
    made = Examples(loaded, np.empty(0), loaded.threshold, "", fixed)
    compared = inks if made.drawn else read
    return made._replace(features=similarity.embed(loaded, compared),
                         doubt="; ".join(filter(None, [
                             loaded.doubt, about.warning(loaded.known, about.read_thumbnails(compared))])))


def ready_for(thumbnails: np.ndarray) -> str:
    """The ready model for examples: that of characters, unless the example is a photograph that fills its frame."""
    return "photos" if len(thumbnails) and about.shown_in(thumbnails) == about.PHOTOGRAPHS and filled(thumbnails) else \
        "characters"


def filled(thumbnails: np.ndarray) -> bool:
    """Whether the rim of a picture differs within itself as what lies in the middle does, so there is no ground."""
    grey = thumbnails[0].mean(axis=2)
    rim = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return bool(rim.std() > 30)


def files_of(picture: Picture) -> list[Picture]:
    """A picture, or the pictures of a folder."""
    if isinstance(picture, str | os.PathLike):
        path = os.path.expanduser(os.fspath(picture))
        return [os.path.join(path, name) for name in walk(path)[0]] if os.path.isdir(path) else [path]
    return [picture]


def like(photo: np.ndarray, answer: Answer, examples: Examples) -> Answer:
    """The boxes whose crops show the same as an example, by falling similarity, which stands in place of the score; all
    have the label 0.

    Args:
        photo: (H, W, 3) uint8.
        answer: boxes of any class, as `tasks.detection.tiles.find` gives them.
    """
    none = Answer(np.empty((0, 4), "float32"), np.empty(0, "float32"), np.empty(0, "int32"))
    boxes = answer.boxes[suppressed(answer.boxes, answer.scores, np.zeros(len(answer.labels), int))][:MOST]
    crops = [crop(photo, box) for box in boxes]
    crops = [ink_of(each) for each in crops] if examples.drawn else crops
    there = [row for row, each in enumerate(crops) if each is not None]
    if not there:
        return none
    features = similarity.embed(examples.model, [crops[row] for row in there])
    score = examples.model.compare.score
    alike = np.max([np.asarray(score(features, example[None])).reshape(-1) for example in examples.features], axis=0)
    boxes, rows = boxes[there], np.flatnonzero(alike >= examples.threshold_among(len(there)))
    rows = rows[np.argsort(-alike[rows], kind="stable")]
    return Answer(boxes[rows], alike[rows].astype("float32"), np.zeros(len(rows), "int32"))


def crop(photo: np.ndarray, box: np.ndarray) -> np.ndarray:
    """A box and a rim around it, (h, w, 3) uint8; where the photo ends, its border is repeated."""
    rim = max(2.0, RIM * float((box[2:] - box[:2]).max()))
    left, top, right, bottom = (int(value) for value in np.rint(box + np.array([-rim, -rim, rim, rim])))
    rows, columns = (np.clip(np.arange(low, max(high, low + 1)), 0, side - 1)
                     for low, high, side in ((top, bottom, photo.shape[0]), (left, right, photo.shape[1])))
    return photo[rows][:, columns]


def ink_of(picture: np.ndarray) -> np.ndarray | None:
    """What a picture (h, w, 3) shows on its ground, as a drawing, dark on white: (SIDE, SIDE) uint8; None where nothing
    differs from the ground.

    The ground is the median colour of the outermost pixels; how far a pixel's colour lies from it, cut at the level
    that separates two groups best (Otsu 1979), is the ink.
    """
    values = picture.astype("float32")
    rim = np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])
    far = np.abs(values - np.median(rim, axis=0)).max(axis=2)
    level = otsu(far)
    if far.max() < FAINT or not (far > level).any():
        return None
    rows, columns = (np.flatnonzero((far > level).any(axis=axis)) for axis in (1, 0))
    part = far[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ink = np.clip((part - level / 2) / max(float(np.median(far[far > level])) - level / 2, 1.0), 0, 1)
    scale = LETTER / max(ink.shape)
    size = [max(3, round(scale * length)) for length in ink.shape[::-1]]
    image = Image.fromarray(255 - (255 * ink).astype("uint8")).resize(size, Image.Resampling.BICUBIC)
    drawing = Image.new("L", (SIDE, SIDE), 255)
    drawing.paste(image, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    return np.asarray(drawing)


def otsu(values: np.ndarray) -> float:
    """The level that separates values in 0..255 into the two groups whose means differ most (Otsu 1979)."""
    counts = np.bincount(np.clip(values, 0, 255).astype(int).ravel(), minlength=256).astype("float64")
    below, sums = np.cumsum(counts), np.cumsum(counts * np.arange(256))
    above = below[-1] - below
    between = (sums[-1] * below - sums * below[-1]) ** 2 / np.maximum(below * above, 1e-9)
    best = np.flatnonzero(between >= between.max() * (1 - 1e-9))
    return float(best.mean())
