"""What a person needs to know of an exported detector: what comes out, and how photos go in."""

import keras

from nets.detectors import COARSEST
from nets.models import detector
from tasks.detection.boxes.suppression import MOST_OVERLAP

SIDE = 128  # pixels a side of the pictures that an exported model is tried on, as are 160 and 512


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    finder = detector.finder(model)
    meaning = ("a row for each location: left, top, right and bottom side of a box in pixels, then a score in 0..1 for "
               "each class; keep the rows above a score, and of boxes of a class whose IoU is above "
               f"{MOST_OVERLAP:g} the one with the highest score")
    return {"output": {"classes": finder.names, "largest": finder.largest, "zoom": finder.zoom, "meaning": meaning},
            "steps": ["do not resize, unless zoom is not 1: the file takes photos whose height and width are multiples "
                      f"of {COARSEST}; pad others at the right and below by their border",
                      "of a large photo pass overlapping tiles, as tasks/detection/tiles.py does"]}


def side(model: keras.Model) -> int:
    """Pixels a side of the pictures that a model of any size is tried on."""
    return SIDE
