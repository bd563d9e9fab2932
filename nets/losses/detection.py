"""Losses of a detector without anchors: focal loss of classes, GIoU of boxes, centre-ness (FCOS, Tian et al. 2019).

Targets (B, N, TARGET) of N locations: distances to the left, top, right and bottom side of the location's box in
pixels, its centre-ness in 0..1, and its class from 0 on, `NOTHING` or `IGNORED`. Predictions (B, N, BOX + C): distances
in pixels, the logit of the centre-ness, a logit for each of C classes.
"""

import keras
from keras import ops

from nets.detectors import BOX
from nets.replicas import whole_batch

TARGET = 6  # numbers of a location's target
NOTHING, IGNORED = -1, -2  # in place of a class: there is no box; what is there counts neither way
ALPHA, GAMMA = 0.25, 2.0  # of the focal loss, as in RetinaNet and FCOS
TERMS = {"class_loss": "focal loss of the classes (Lin et al. 2017)",
         "box_loss": "1 - GIoU of the boxes, weighted by the centre-ness (Rezatofighi et al. 2019)",
         "centre_loss": "binary cross-entropy of the centre-ness (Tian et al. 2019, equation 3)"}


def giou(own, other):
    """GIoU of two boxes around one location, by its distances (..., 4) to their sides: -> (...), in -1..1.

    IoU minus the share of the smallest enclosing box that neither covers. Rezatofighi et al., "Generalized Intersection
    over Union", 2019, algorithm 1. Keras has IoU and CIoU of corners, and no GIoU.
    """
    def area(sides):
        return (sides[..., 0] + sides[..., 2]) * (sides[..., 1] + sides[..., 3])

    shared = area(ops.minimum(own, other))
    union = area(own) + area(other) - shared
    around = area(ops.maximum(own, other))
    small = 1e-6
    return shared / (union + small) - (around - union) / (around + small)


def terms(targets, predictions) -> dict:
    """The parts of the loss by the names of `TERMS`, each picture's share (B,): their means over the batch are the sums
    over all locations in shares of the locations with a box, or of their centre-ness."""
    predictions, targets = ops.cast(predictions, "float32"), ops.cast(targets, "float32")
    sides, centre, kinds = targets[..., :4], targets[..., 4], targets[..., 5]
    there = ops.cast(kinds >= 0, "float32")
    counts = ops.cast(kinds > IGNORED, "float32")
    classes = predictions.shape[-1] - BOX
    hot = ops.one_hot(ops.cast(ops.maximum(kinds, 0), "int32"), classes) * there[..., None]
    focal = keras.losses.BinaryFocalCrossentropy(True, ALPHA, GAMMA, from_logits=True, reduction=None)
    logits = predictions[..., 4]
    crossed = ops.maximum(logits, 0) - logits * centre + ops.log1p(ops.exp(-ops.abs(logits)))
    weight = there * centre
    boxes = weight * (1 - giou(predictions[..., :4], ops.where(there[..., None] > 0, sides, 1.0)))
    per_picture = ops.stack([ops.sum(there, axis=1), ops.sum(weight, axis=1)], axis=1)
    found, weights = ops.unstack(ops.maximum(ops.mean(whole_batch(per_picture), axis=0), 1e-3))
    return {"class_loss": classes * ops.sum(counts * focal(hot, predictions[..., BOX:]), axis=1) / found,
            "box_loss": ops.sum(boxes, axis=1) / weights,
            "centre_loss": ops.sum(there * crossed, axis=1) / found}


@keras.saving.register_keras_serializable("compare")
class DetectionLoss(keras.losses.Loss):
    """The sum of `terms`, each with weight 1, as FCOS has it."""

    def __init__(self, name: str = "detection", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, targets, predictions):
        return sum(terms(targets, predictions).values())


def metrics() -> list[keras.metrics.Metric]:
    """The means of the terms, as metrics of a trainer."""
    def metric(name: str):
        def term(targets, predictions):
            return terms(targets, predictions)[name]

        return keras.metrics.MeanMetricWrapper(term, name=name)

    return [metric(name) for name in TERMS]
