"""The losses of a detector beside plain loops, and their gradients beside finite differences."""

import math

import keras
import numpy as np
import pytest

from nets.detectors import BOX
from nets.losses import detection
from nets.losses.detection import IGNORED, NOTHING, TARGET

CLASSES = 3


@pytest.fixture
def batch(rng):
    """Targets (2, 7, TARGET) and predictions (2, 7, BOX + CLASSES): boxes, nothing, and what is ignored."""
    targets = np.zeros((2, 7, TARGET), "float32")
    targets[..., :4] = rng.uniform(1, 9, (2, 7, 4))
    targets[..., 4] = rng.uniform(0.1, 1, (2, 7))
    targets[..., 5] = [[0, 2, NOTHING, IGNORED, 1, NOTHING, NOTHING],
                       [2, NOTHING, NOTHING, 0, IGNORED, NOTHING, NOTHING]]
    predictions = rng.normal(0, 1, (2, 7, BOX + CLASSES)).astype("float32")
    predictions[..., :4] = rng.uniform(1, 9, (2, 7, 4))
    return targets, predictions


def corners(x, y, sides):
    return x - sides[0], y - sides[1], x + sides[2], y + sides[3]


def giou_loop(own, other):
    """GIoU by corners, as the article's algorithm 1 has it."""
    a, b = corners(50, 60, own), corners(50, 60, other)
    area = lambda box: max(0, box[2] - box[0]) * max(0, box[3] - box[1])  # noqa: E731
    both = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    union = area(a) + area(b) - both
    hull = area((min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])))
    return both / union - (hull - union) / hull


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def terms_loop(targets, predictions):
    """The three terms, location by location: sums over the batch in shares of all boxes, divided by the pictures."""
    focal = box = centre = there = weights = 0.0
    for target, answer in zip(targets.reshape(-1, TARGET).tolist(), predictions.reshape(-1, BOX + CLASSES).tolist()):
        kind = int(target[5])
        for label in range(CLASSES if kind != IGNORED else 0):
            p = sigmoid(answer[BOX + label])
            right = p if label == kind else 1 - p
            alpha = 0.25 if label == kind else 0.75
            focal -= alpha * (1 - right) ** 2 * math.log(right)
        if kind >= 0:
            p = sigmoid(answer[4])
            box += target[4] * (1 - giou_loop(answer[:4], target[:4]))
            centre -= target[4] * math.log(p) + (1 - target[4]) * math.log(1 - p)
            there, weights = there + 1, weights + target[4]
    return {"class_loss": focal / there, "box_loss": box / weights, "centre_loss": centre / there}


def test_the_terms_are_those_of_a_plain_loop(batch):
    found = {name: float(keras.ops.mean(value)) for name, value in detection.terms(*batch).items()}
    assert found == pytest.approx(terms_loop(*batch), rel=1e-4)
    total = float(keras.ops.convert_to_numpy(detection.DetectionLoss()(*batch)))
    assert total == pytest.approx(sum(found.values()), rel=1e-4)
    for metric in detection.metrics():
        metric.update_state(*batch)
        assert float(metric.result()) == pytest.approx(found[metric.name], rel=1e-4)


def test_giou_is_1_for_equal_boxes_and_falls_with_distance():
    sides = np.array([[2.0, 2, 2, 2], [2, 2, 2, 2], [2, 2, 2, 2]], "float32")
    others = np.array([[2.0, 2, 2, 2], [1, 1, 1, 1], [30, 30, -25, -25]], "float32")
    values = keras.ops.convert_to_numpy(detection.giou(sides, others))
    assert values[0] == pytest.approx(1, abs=1e-5) and values[1] == pytest.approx(0.25, abs=1e-5) and values[2] < 0


def gradient_of(targets, predictions):
    """The gradient of the loss by the predictions, on whichever backend runs."""
    loss = detection.DetectionLoss()
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        value = tf.constant(predictions)
        with tf.GradientTape() as tape:
            tape.watch(value)
            total = loss(targets, value)
        return tape.gradient(total, value).numpy()
    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(lambda value: loss(targets, value))(predictions))
    pytest.skip("torch is tried by hand")


def test_the_gradient_is_that_of_finite_differences(batch):
    targets, predictions = batch
    made = gradient_of(targets, predictions)
    loss, step = detection.DetectionLoss(), 1e-2
    for place in [(0, 0, 0), (0, 0, 4), (0, 0, 5), (0, 1, 3), (0, 2, 6), (0, 3, 6), (1, 0, 7), (1, 3, 2), (1, 6, 1)]:
        up, down = predictions.copy(), predictions.copy()
        up[place] += step
        down[place] -= step
        want = (float(loss(targets, up)) - float(loss(targets, down))) / (2 * step)
        assert made[place] == pytest.approx(want, abs=2e-3), place
    assert not made[0, 3].any() and not made[0, 2, :5].any()  # ignored: nothing; nothing there: only its classes


def test_gradients_stay_finite_for_the_worst_that_a_network_can_say(batch):
    targets, predictions = batch
    for size in (1e-3, 80.0, 1e4):
        wild = predictions.copy()
        wild[..., 4:] *= size
        wild[..., :4] = size
        assert np.isfinite(gradient_of(targets, wild)).all()
    targets[..., 5] = NOTHING  # a batch without a box
    assert np.isfinite(gradient_of(targets, predictions)).all()
