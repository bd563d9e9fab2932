"""What a detector says to people: one object at one place."""

import numpy as np

from tasks.detection import tiles
from tasks.detection.measuring.precision import Answer
from tasks.detection.model import Objects


def test_one_place_is_one_object(monkeypatch):
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10.5], [0, 0, 10, 5], [40, 40, 50, 50]], "float32")
    found = Answer(boxes, np.array([0.6, 0.8, 0.5, 0.7], "float32"), np.array([0, 1, 2, 1], "int32"))
    monkeypatch.setattr(tiles, "find", lambda *args, **kwargs: found)
    objects = Objects.__new__(Objects)
    objects.finder, objects.threshold = None, 0.4
    said = objects.answer(np.zeros((64, 64, 3), "uint8"))
    np.testing.assert_array_equal(said.scores, np.array([0.8, 0.7, 0.5], "float32"))  # half as high is another object
    np.testing.assert_array_equal(said.labels, [1, 1, 2])
    np.testing.assert_array_equal(said.boxes, boxes[[1, 3, 2]])


def test_a_model_of_drawn_scenes_doubts_the_names_of_its_classes():
    """On a form it finds dozens of letters and shapes, and the form looks like no other kind of picture to it."""
    from tasks.detection.model import DRAWN, doubt

    photo = np.zeros((1, 48, 48, 3), "uint8")
    assert doubt({"drawn": True} | KNOWN, photo) == DRAWN
    assert doubt({"drawn": True} | KNOWN, photo, like=True) == ""  # which names no class
    assert doubt(KNOWN, photo) == "" == doubt(None, photo)


KNOWN = {"task": "detect", "shows": "photographs", "roc_auc": None, "measured_on": {},
         "ranges": {name: [0.0, 1.0] for name in ("colour", "midtones", "detail", "contrast", "even", "light")}}
