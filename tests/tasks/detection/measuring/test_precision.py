"""AP beside a plain loop and beside pycocotools; thresholds; template matching."""

import contextlib
import io

import numpy as np
import pytest

from tasks.detection.boxes.geometry import Annotated
from tasks.detection.measuring import precision, report, templates
from tasks.detection.measuring.precision import Answer, Truth


def random_set(rng, pictures=12, classes=4, crowded=True, most=14):
    """Objects and answers: ties in scores, crowds, boxes near objects, and a class that nobody holds."""
    truths, answers = [], []
    for _ in range(pictures):
        count = rng.integers(0, most)
        corner, size = rng.uniform(0, 300, (count, 2)), np.exp(rng.uniform(np.log(6), np.log(140), (count, 2)))
        boxes = np.concatenate([corner, corner + size], axis=1)
        labels = rng.integers(0, classes - 1, count)
        crowd = rng.random(count) < (0.2 if crowded else 0)
        area = np.prod(size, axis=1) * rng.uniform(0.5, 1, count)
        near = np.repeat(np.arange(count), 3)
        found = np.concatenate([boxes[near] + rng.normal(0, 4, (len(near), 4)), rng.uniform(0, 100, (9, 4))
                                + [0, 0, 120, 120]])
        found[:, 2:] = np.maximum(found[:, 2:], found[:, :2] + 1)
        kinds = np.where(rng.random(len(near)) < 0.8, labels[near], rng.integers(0, classes, len(near)))
        kinds = np.concatenate([kinds, rng.integers(0, classes, 9)])
        truths.append(Truth(boxes, labels, crowd, area))
        answers.append(Answer(found, rng.integers(1, 12, len(found)) / 12, kinds))
    return truths, answers


def ap_loop(truths, answers, label, threshold):
    """AP of a class at a threshold, without crowds or ranges: each box in turn, then 101 recalls."""
    rows = sorted(((-score, number, place) for number, answer in enumerate(answers) for place, (score, kind)
                   in enumerate(zip(answer.scores, answer.labels)) if kind == label), key=lambda row: row[0])
    taken, hits, curve = set(), 0, []
    total = sum(int((truth.labels == label).sum()) for truth in truths)
    for done, (_, number, place) in enumerate(rows, start=1):
        best, which = threshold, None
        for row in np.flatnonzero(truths[number].labels == label):
            a, b = answers[number].boxes[place], truths[number].boxes[row]
            wide, tall = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            both = max(wide, 0) * max(tall, 0)
            iou = both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)
            if iou >= best and (number, row) not in taken:
                best, which = iou, (number, row)
        hits += which is not None
        taken.add(which)
        curve.append((hits / total, hits / done))
    return np.mean([max([p for r, p in curve if r >= recall], default=0) for recall in np.linspace(0, 1, 101)])


def test_ap_is_that_of_a_plain_loop(rng):
    truths, answers = random_set(rng, crowded=False)
    found = precision.curves(truths, answers, 4, {"all": precision.RANGES["all"]}, np.array([0.5, 0.75])).precision
    for label in range(3):
        for row, threshold in enumerate((0.5, 0.75)):
            assert found[row, :, label, 0].mean() == pytest.approx(ap_loop(truths, answers, label, threshold), abs=1e-9)
    assert (found[:, :, 3] == -1).all() and precision.mean(found[:, :, 3]) is None


def by_pycocotools(truths, answers, classes):
    """pycocotools' twelve figures; annotations are numbered from 1 on."""
    coco = pytest.importorskip("pycocotools.coco")
    from pycocotools.cocoeval import COCOeval

    corner = lambda box: [*map(float, box[:2]), *map(float, box[2:] - box[:2])]  # noqa: E731
    rows = [{"image_id": number, "category_id": int(label), "bbox": corner(box), "iscrowd": int(crowd),
             "area": float(area)}
            for number, truth in enumerate(truths) for box, label, crowd, area in zip(*truth)]
    data = {"images": [{"id": number} for number in range(len(truths))],
            "categories": [{"id": label} for label in range(classes)],
            "annotations": [row | {"id": number} for number, row in enumerate(rows, start=1)]}
    results = [{"image_id": number, "category_id": int(label), "bbox": corner(box), "score": float(score)}
               for number, answer in enumerate(answers) for box, score, label in zip(*answer)]
    with contextlib.redirect_stdout(io.StringIO()):
        own = coco.COCO()
        own.dataset = data
        own.createIndex()
        judge = COCOeval(own, own.loadRes(results), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge.stats


@pytest.mark.parametrize("seed", range(4))
def test_every_figure_is_that_of_pycocotools(seed):
    """Ties, crowds, areas of their own, classes without objects, and more than 100 boxes of a class in a picture."""
    rng = np.random.default_rng(seed)
    truths, answers = random_set(rng, pictures=8, most=14 if seed < 3 else 90)
    if seed == 2:  # 300 boxes in a picture
        answers[0] = Answer(np.tile(answers[0].boxes, (20, 1)), np.tile(answers[0].scores, 20),
                            np.tile(answers[0].labels, 20) % 2)
    want = by_pycocotools(truths, answers, 4)
    found = precision.figures(truths, answers, 4)
    for name, place in (("ap", 0), ("ap50", 1), ("ap75", 2), ("ap_small", 3), ("ap_medium", 4), ("ap_large", 5),
                        ("ar", 8)):
        assert (-1 if found[name] is None else found[name]) == pytest.approx(want[place], abs=1e-6), name


def test_perfect_answers_have_ap_1_and_none_at_all_0(rng):
    truths, _ = random_set(rng, crowded=False)
    perfect = [Answer(truth.boxes, np.ones(len(truth.labels)), truth.labels) for truth in truths]
    assert precision.figures(truths, perfect, 4)["ap"] == pytest.approx(1, abs=1e-9)
    nothing = [Answer(np.empty((0, 4)), np.empty(0), np.empty(0, int)) for _ in truths]
    figures = precision.figures(truths, nothing, 4)
    assert figures["ap"] == figures["ar"] == 0 and precision.best_threshold(truths, nothing, 4) == (0.5, 0.0)
    assert set(report.measured(truths, perfect, 4)["tiny"]) == set(precision.TINY)
    assert any("AP50 tiny1, 2 to 8 px" in line for line in report.table(report.measured(truths, perfect, 4)))


def test_the_best_threshold_separates_right_from_wrong():
    truth = Truth(np.array([[0.0, 0, 10, 10], [20, 20, 30, 30]]), np.array([0, 0]))
    answer = Answer(np.array([[0.0, 0, 10, 10], [20, 20, 30, 30], [50, 50, 60, 60]]), np.array([0.9, 0.6, 0.4]),
                    np.zeros(3, int))
    assert precision.best_threshold([truth], [answer], 1) == (0.6, 1.0)
    found = precision.matched(truth, answer, 0, precision.RANGES["all"], np.array([0.5]))
    assert found.right.tolist() == [[True, True, False]] and found.found.all() and found.objects == 2


def test_templates_find_what_they_were_made_of_at_other_sizes_and_inverted(rng):
    from tasks.detection.scenes.things import shape

    def placed(size, ink, at):
        picture = np.full((90, 90, 3), 128, "uint8")
        mask = np.asarray(shape("star").resize((size, size)))[..., None] / 255
        part = picture[at : at + size, at : at + size]
        part[:] = part * (1 - mask) + ink * mask
        return Annotated(picture, np.array([[at, at, at + size, at + size]], "float32"), np.array([0], "int32"))

    made = templates.mean_templates([placed(30, 250, 20), placed(24, 10, 30)], 1)
    for size, ink, at in ((12, 240, 40), (16, 20, 11), (28, 255, 50)):
        seen = placed(size, ink, at)
        found = templates.matches(seen.picture, made)
        assert precision.matched(report.truth_of(seen), found, 0, precision.RANGES["all"], np.array([0.5])).right[0, 0]
    flat = templates.matches(np.full((60, 60, 3), 99, "uint8"), made)
    assert len(flat.scores) == 0


def test_correlation_is_that_of_a_plain_loop(rng):
    picture, template = rng.normal(0, 30, (14, 17)), rng.normal(0, 1, (4, 5))
    template = (template - template.mean()) / np.linalg.norm(template - template.mean())
    shape = (24, 24)
    made = templates.correlation(picture, template, np.fft.rfft2(picture, shape), shape)
    for y, x in ((0, 0), (3, 7), (10, 12)):
        part = picture[y : y + 4, x : x + 5]
        part = part - part.mean()
        assert made[y, x] == pytest.approx(abs((part * template).sum()) / np.linalg.norm(part), abs=1e-6)


def test_crowds_are_no_objects_of_their_class():
    boxes = np.array([[0, 0, 10, 10], [20, 20, 60, 60], [5, 5, 9, 9]], "float32")
    truth = Truth(boxes, np.array([0, 0, 1]), np.array([False, True, False]), np.full(3, 50, "float32"))
    nothing = Answer(np.empty((0, 4), "float32"), np.empty(0), np.empty(0, int))
    rows = report.classes_table([truth], [nothing], ["a", "b"])
    assert [row["objects"] for row in rows] == [1, 1]
    assert report.measured([truth], [nothing], 2)["objects"] == 2
