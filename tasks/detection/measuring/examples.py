"""How well a sign that training never saw is found by one example, beside template matching."""

from collections.abc import Callable, Sequence

import numpy as np

from nets.models.detector import Finder
from tasks.detection.like import LEAST, examples_of, like
from tasks.detection.measuring import precision
from tasks.detection.measuring.precision import Answer, Truth
from tasks.detection.measuring.templates import Template, grey, matches
from tasks.detection.scenes.drawing import PLANTED, Planted, scene
from tasks.detection.scenes.things import mask_of, other_letter
from tasks.detection.tiles import find

COUNT = 2  # signs of the example in each scene
PART = 9  # what makes the seeds of these scenes
LOWEST = 0.3  # similarity from which on boxes are ranked, for AP


def measured(finder: Finder, count: int, side: int, photos: Sequence[str], seed: int = 0,
             threshold: float | None = None, progress: Callable[[int, int], None] = lambda done, of: None) -> dict:
    """Recall, precision and AP at an IoU of .5 of finding a sign by one drawing of it, in `count` scenes.

    Each scene holds `COUNT` signs of one letter of a writing system that training never drew, in some face, among the
    usual things; the example is the letter in its usual face, dark on white.

    Returns:
        "recall", "precision", "ap50" and "f1" by the model's threshold of similarity; "template_ap50" and, at the
        correlation at which its F1 is best on these very scenes, "template_recall", "template_precision".
    """
    truths, ranked, kept, templates, at = [], [], [], [], None
    for number in range(count):
        rng = np.random.default_rng([seed, PART, number])
        character = other_letter(rng, unseen=True)
        seen = scene([seed, PART, number, 1], side, photos, Planted(character, COUNT))
        example = example_of(character)
        examples = examples_of([example], threshold=threshold)
        at, found = examples.threshold, find(finder, seen.picture, LEAST)
        truths.append(Truth(seen.boxes[seen.labels == PLANTED], np.zeros(int((seen.labels == PLANTED).sum()), int)))
        ranked.append(like(seen.picture, found, examples._replace(threshold=LOWEST, fixed=True)))
        kept.append(like(seen.picture, found, examples))
        templates.append(matches(seen.picture, {0: Template(255 - grey(cut_out(example)))}))
        progress(number + 1, count)
    best = precision.best_threshold(truths, templates, 1)[0]
    own, other = at_threshold(truths, kept, 0), at_threshold(truths, templates, best)
    return {"scenes": count, "objects": sum(len(truth.labels) for truth in truths), "threshold": at, **own,
            "ap50": ap50(truths, ranked), "template_ap50": ap50(truths, templates),
            **{f"template_{name}": value for name, value in other.items()}}


def example_of(character: str) -> np.ndarray:
    """A letter, dark on white with a rim, (H, W, 3) uint8."""
    ink = np.pad(np.asarray(mask_of("", np.random.default_rng(0), character)), 12)
    return np.repeat((255 - ink)[..., None], 3, axis=2)


def cut_out(example: np.ndarray) -> np.ndarray:
    """An example without its rim."""
    return example[12:-12, 12:-12]


def ap50(truths: Sequence[Truth], answers: Sequence[Answer]) -> float | None:
    """AP at an IoU of .5 of one class."""
    return precision.mean(precision.curves(truths, answers, 1, {"all": precision.RANGES["all"]},
                                           np.array([0.5])).precision)


def at_threshold(truths: Sequence[Truth], answers: Sequence[Answer], threshold: float) -> dict[str, float]:
    """Recall, precision and F1 of the boxes from a score on."""
    parts = [precision.matched(truth, Answer(*(each[answer.scores >= threshold] for each in answer)), 0,
                               precision.RANGES["all"], np.array([0.5])) for truth, answer in zip(truths, answers)]
    right, said = sum(int(part.right.sum()) for part in parts), sum(len(part.scores) for part in parts)
    objects = sum(part.objects for part in parts)
    return {"recall": right / max(objects, 1), "precision": right / max(said, 1),
            "f1": 2 * right / max(said + objects, 1)}
