"""Heads: features of two images -> logit of "the same", the last step before the sigmoid. One row for each.

A head takes two arrays of features that broadcast against each other, so the same call compares
two images, (1, F) with (1, F), or a batch with itself, (B, 1, F) with (1, B, F). Its method `rescale(slope,
offset)` makes slope * logit + offset the logit, which is how `nets.siamese.calibrate` makes a probability of any.
"""

from typing import Any, NamedTuple

from nets import named


class Head(NamedTuple):
    """A head: its layer, by "file.Class", the arguments of that, and what it does, for --help."""

    layer: str
    arguments: dict[str, Any]
    text: str


HEADS = {
    "distance": Head("distance.DistanceHead", {}, "the Euclidean distance"),
    "difference": Head("difference.DifferenceHead", {}, "Dense layers on |f1 - f2|, capped so that an image scores highest with itself"),
    "plain": Head("difference.DifferenceHead", {"plain": True}, "the same without the cap, as in the Siamese-tf2 article"),
    "add": Head("fusion.FusionHead", {"fusion": "add"}, "Dense layers on f1 + f2, capped by the scores of both images with themselves"),
    "product": Head("fusion.FusionHead", {"fusion": "product"}, "the same on f1 * f2"),
    "concat": Head("fusion.FusionHead", {"fusion": "concat"}, "the same on f1 and f2 one after the other, in both orders"),
    "weighted": Head("difference.DifferenceHead", {"units": 0, "plain": True}, "a weighted sum of |f1 - f2|, as in Koch 2015"),
}


def make_head(name: str):
    """The head layer of a name in `HEADS`, called "head" in a model."""
    row = HEADS[name]
    return named("nets.heads", row.layer)(**row.arguments, name="head")
