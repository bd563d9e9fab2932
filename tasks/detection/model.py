"""A detector, as programs of one's own use it: a photo -> boxes, and what is in them."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from nets.models import detector
from tasks import about
from tasks.detection import tiles
from tasks.detection.boxes.suppression import suppressed
from tasks.detection.like import LEAST, Examples, examples_of, like
from tasks.detection.measuring.precision import Answer
from tasks.models import load_model
from utils.data.images import read_photo
from utils.pictures import Picture

LIKE = "like the example"  # what a box is called that was found by an example
ONE_PLACE = 0.7  # IoU from which on boxes of two classes are one object
DRAWN = ("the model learnt from drawn shapes and letters alone, and takes other things for these: train one on "
         "photos of your own with boxes")
UNMEASURED = 0.3  # score from which on boxes are shown where nothing was measured


class Found(NamedTuple):
    """An object: its box (left, top, right, bottom) in pixels from the photo's corner, its class, and its score in
    0..1; or "like the example" and the similarity."""

    box: tuple[float, float, float, float]
    name: str
    score: float


class Objects:
    """Objects in photos: what `compare.load` returns for models of `detect`.

    Args:
        path: the .keras file.
        threshold: boxes count from this score on, 0..1; None: where F1 was best when the model was measured.
        threshold_at: of models of similarity; without effect here.

    Attributes:
        path: the .keras file.
        names: the classes.
        threshold: boxes count from this score on.
        known: what the model learnt from, its about.json; None where it has none.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        self.path, self.known = path, about.read(path)
        self.finder = detector.finder(load_model(path, detector.KIND))
        self.names = self.finder.names
        measured = (self.known or {}).get("threshold", UNMEASURED)
        self.threshold = measured if threshold is None else threshold

    def find(self, picture: Picture, like: Picture | Sequence[Picture] | None = None, threshold: float | None = None,
             model: str = "") -> list[Found]:
        """What lies in a photo of any size, by falling score.

        Args:
            like: a picture of what is looked for, or several, or a folder; None: the classes are looked for.
            threshold: least score, or least similarity; None: as measured.
            model: of similarity, for `like`; "": the ready one that knows such pictures.

        Raises:
            ValueError: a picture that cannot be read, or an example that shows nothing.
        """
        photo = read_photo(picture)
        if like is None:
            return self.named(self.answer(photo, threshold))
        several = isinstance(like, Sequence) and not isinstance(like, str)
        return self.named(self.like(photo, examples_of(like if several else [like], model, threshold)), LIKE)

    def answer(self, photo: np.ndarray, threshold: float | None = None,
               progress: Callable[[int, int], None] = lambda done, of: None) -> Answer:
        """Boxes, scores and classes in a photo (H, W, 3) uint8, by falling score; see `tasks.detection.tiles.find`.

        What lies at one place is one object: of boxes of several classes that hardly differ, the surest one stays.
        """
        found = tiles.find(self.finder, photo, self.threshold if threshold is None else threshold, progress=progress)
        kept = suppressed(found.boxes, found.scores, np.zeros(len(found.scores), int), ONE_PLACE)
        return Answer(*(values[kept] for values in found))

    def like(self, photo: np.ndarray, examples: Examples) -> Answer:
        """Boxes like the examples, with similarities as scores."""
        return like(photo, self.answer(photo, LEAST), examples)

    def named(self, answer: Answer, name: str = "") -> list[Found]:
        """An answer as a list of objects."""
        return [Found(tuple(float(side) for side in box), name or self.names[label], float(score))
                for box, score, label in zip(*answer)]

    def warning(self, picture: Picture, like: bool = False) -> str:
        """Why the answer may mean nothing; "" where nothing speaks against it.

        Args:
            like: whether boxes are found by an example, so that the names of the classes do not matter.
        """
        return doubt(self.known, about.read_thumbnails([picture]), like)


def doubt(known: dict | None, thumbnails: np.ndarray, like: bool = False) -> str:
    """Why the answer about photos may mean nothing, by thumbnails (N, 48, 48, 3) of them; "" where nothing speaks
    against it."""
    drawn = bool(known and known.get("drawn")) and not like
    return "; ".join(filter(None, [about.warning(known, thumbnails), DRAWN if drawn else ""]))


def learnt(known: dict) -> str:
    """What a model knows that learnt to find objects, by its about.json, in a line."""
    what = "drawn scenes" if known.get("drawn") else f"{known['shows']} with boxes"
    text = f"learnt from {known['images']} {what} to find {known['classes']} classes"
    if known.get("ap50") is not None:
        text += f"; AP50 {known['ap50']:.3f} on {known['measured_on']['pictures']} others"
    return text
