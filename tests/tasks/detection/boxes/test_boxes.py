"""Boxes: overlap, pictures that move with their boxes, dense targets and suppression, beside plain loops."""

import keras
import numpy as np
import pytest

from nets.losses import detection
from tasks.detection.boxes import assignment, geometry, suppression
from tasks.detection.boxes.geometry import Annotated


def boxes_of(rng, count, side=100.0):
    corner = rng.uniform(0, side, (count, 2))
    return np.concatenate([corner, corner + rng.uniform(1, 40, (count, 2))], axis=1).astype("float32")


def test_overlap_is_that_of_keras_and_of_a_crowd_the_share_of_the_box(rng):
    one, two = boxes_of(rng, 6), boxes_of(rng, 5)
    want = keras.ops.convert_to_numpy(keras.utils.bounding_boxes.compute_iou(one, two, "xyxy"))
    np.testing.assert_allclose(geometry.overlap(one, two), want, atol=1e-5)
    crowd = geometry.overlap(one, two, np.ones(5, bool))
    np.testing.assert_allclose(crowd, geometry.shared_area(one, two) / geometry.areas(one)[:, None], atol=1e-6)
    assert geometry.overlap(one[:0], two).shape == (0, 5)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("window", [(10, 6, 58, 38), (-16, -8, 80, 56), (40, 20, 72, 52)])
def test_picture_and_boxes_move_together(window, mirrored):
    """A lit rectangle is where its box is, after a cut, a resize and a mirror."""
    picture = np.full((48, 64, 3), 30, "uint8")
    box = np.array([[44, 24, 56, 34]], "float32")
    picture[24:34, 44:56] = 255
    made = geometry.windowed(Annotated(picture, box, np.array([2], "int32")), window, (96, 144), mirrored)
    lit = np.argwhere(made.picture[..., 0] > 150)
    (top, left), (bottom, right) = lit.min(axis=0), lit.max(axis=0) + 1
    np.testing.assert_allclose(made.boxes[0], [left, top, right, bottom], atol=2.1)
    assert made.picture.shape == (96, 144, 3) and made.labels.tolist() == [2]


def test_boxes_outside_go_and_those_cut_too_far_count_neither_way():
    picture = np.zeros((40, 40, 3), "uint8")
    boxes = np.array([[0, 0, 8, 8], [18, 0, 28, 8], [25, 0, 35, 8], [12, 12, 20, 20]], "float32")
    made = geometry.windowed(Annotated(picture, boxes, np.arange(4, dtype="int32")), (10, 0, 30, 20), (20, 20))
    assert made.labels.tolist() == [1, 2, 3]
    assert made.boxes[1].tolist() == [15, 0, 20, 8]  # half of it is left
    made = geometry.windowed(Annotated(picture, boxes, np.arange(4, dtype="int32")), (10, 0, 27, 17), (17, 17))
    assert made.labels.tolist() == [1, -1, 3]


def targets_loop(boxes, labels, size, strides):
    """The same targets, location by location."""
    made = []
    for number, stride in enumerate(strides):
        for y in range(size[0] // stride):
            for x in range(size[1] // stride):
                px, py = (x + 0.5) * stride, (y + 0.5) * stride
                best, value = None, [0, 0, 0, 0, 0, assignment.NOTHING]
                for box, label in zip(boxes, labels):
                    inside = box[0] <= px <= box[2] and box[1] <= py <= box[3]
                    if label < 0:
                        if inside and best is None:
                            value = [0, 0, 0, 0, 0, assignment.IGNORED]
                        continue
                    longer = max(box[2] - box[0], box[3] - box[1])
                    level = next((row for row, each in enumerate(strides[:-1]) if longer < assignment.LARGEST[each]),
                                 len(strides) - 1)
                    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
                    near = max(abs(px - middle[0]), abs(py - middle[1])) <= assignment.RADIUS * stride
                    area = (box[2] - box[0]) * (box[3] - box[1])
                    if level == number and inside and near and (best is None or area < best):
                        best = area
                        sides = [max(each, assignment.NEAREST * stride)
                                 for each in (px - box[0], py - box[1], box[2] - px, box[3] - py)]
                        centre = (min(sides[::2]) / max(sides[::2]) * min(sides[1::2]) / max(sides[1::2])) ** 0.5
                        value = [*sides, centre, label]
                made.append(value)
    return np.array(made, "float32")


@pytest.mark.parametrize("strides", [(2, 4, 8), (4, 8)])
def test_targets_are_those_of_a_plain_loop(strides, rng):
    boxes, labels = boxes_of(rng, 12, 50)[:, :4], rng.integers(-1, 5, 12)
    boxes = np.clip(boxes, 0, 64)
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2] + 9)  # each covers a location of its map
    order = np.argsort(labels >= 0, kind="stable")  # what counts neither way comes first in the loop
    found = assignment.targets(boxes, labels, (96, 80), strides)
    np.testing.assert_allclose(found, targets_loop(boxes[order], labels[order], (96, 80), strides), atol=1e-4)
    assert found.shape == (sum(96 // s * (80 // s) for s in strides), assignment.TARGET)


def test_a_box_smaller_than_its_map_s_pixels_is_asked_somewhere_and_one_on_the_border_too():
    for box in ([10.1, 10.1, 11.0, 10.9], [62.5, 62.5, 64, 64], [0, 0, 1, 1]):
        found = assignment.targets(np.array([box], "float32"), np.array([3]), (64, 64), (2, 4, 8))
        rows = np.flatnonzero(found[:, 5] == 3)
        assert len(rows) == 1 and rows[0] < 32 * 32 and (found[rows, :4] > 0).all()
    assert not (assignment.targets(np.empty((0, 4)), np.empty(0, int), (32, 32), (2, 4, 8))[:, 5] >= 0).any()


def test_nets_and_workers_mean_the_same_numbers():
    names = ("TARGET", "NOTHING", "IGNORED")
    assert [getattr(assignment, name) for name in names] == [getattr(detection, name) for name in names]


def nms_loop(boxes, scores, labels, most_overlap):
    kept = []
    for row in sorted(range(len(scores)), key=lambda row: (-scores[row], row)):
        if all(labels[row] != labels[other] or geometry.overlap(boxes[[row]], boxes[[other]])[0, 0] <= most_overlap
               for other in kept):
            kept.append(row)
    return kept


def test_suppression_is_that_of_a_plain_loop_with_ties(rng):
    boxes = boxes_of(rng, 60, 60)
    scores, labels = rng.integers(0, 8, 60) / 8, rng.integers(0, 3, 60)
    for most_overlap in (0.1, 0.5):
        assert suppression.suppressed(boxes, scores, labels, most_overlap).tolist() == nms_loop(boxes, scores, labels,
                                                                                                most_overlap)
    assert len(suppression.suppressed(boxes[:0], scores[:0], labels[:0])) == 0


def test_a_location_may_give_several_classes():
    values = np.array([[0, 0, 9, 9, 0.9, 0.8, 0.1], [0, 0, 9, 8, 0.7, 0.2, 0.1]])
    boxes, scores, labels = suppression.found_in(values, 0.5)
    assert labels.tolist() == [0, 1] and scores.tolist() == [0.9, 0.8] and len(boxes) == 2
