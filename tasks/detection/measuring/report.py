"""A detector measured: what it finds in scenes or photos, figures of that, and the table of them."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from nets.models.detector import Finder
from tasks.detection.boxes.geometry import Annotated
from tasks.detection.measuring import precision
from tasks.detection.measuring.precision import Answer, Truth
from tasks.detection.scenes.drawing import scene
from tasks.detection.tiles import find

LEAST = 0.02  # score from which on boxes are measured
NAMES = {"ap": "AP", "ap50": "AP50", "ap75": "AP75", "ap_small": "AP small", "ap_medium": "AP medium",
         "ap_large": "AP large", "ar": "AR"}
PARTS = {"train": 1, "validation": 2, "test": 3}  # what makes the seeds of the scenes of a part


def drawn(part: str, count: int, side: int, photos: Sequence[str], seed: int = 0) -> list[Annotated]:
    """Scenes to measure on, always the same ones for a part and a seed; none of them is trained on."""
    return [scene([seed, 10**6, PARTS[part], number], side, photos) for number in range(count)]


def truth_of(seen: Annotated) -> Truth:
    """What is to be found in a picture."""
    return Truth(seen.boxes, np.maximum(seen.labels, 0), seen.labels < 0)


def asked(finder: Finder, pictures: Iterable[np.ndarray], progress: Callable[[int], None] = lambda done: None,
          ) -> list[Answer]:
    """What a detector finds in pictures (H, W, 3) uint8; `progress` is called with the pictures done."""
    answers = []
    for done, picture in enumerate(pictures, start=1):
        answers.append(find(finder, picture, LEAST))
        progress(done)
    return answers


def measured(truths: Sequence[Truth], answers: Sequence[Answer], classes: int) -> dict:
    """COCO's figures, those of TinyPerson's bins under "tiny", the best threshold and its F1."""
    threshold, f1 = precision.best_threshold(truths, answers, classes)
    return precision.figures(truths, answers, classes) | {
        "tiny": precision.tiny_figures(truths, answers, classes), "threshold": threshold, "f1": f1,
        "objects": sum(len(objects(truth)) for truth in truths),
        "pictures": len(truths)}


def objects(truth: Truth) -> np.ndarray:
    """The labels of what is to be found; crowds are not."""
    return truth.labels[~truth.crowd] if len(truth.crowd) else truth.labels


def number(value: float | None) -> str:
    """A figure as a table shows it."""
    return "-" if value is None else f"{value:.3f}"


def table(figures: dict, others: dict[str, dict] | None = None) -> list[str]:
    """Figures of the model, and of others beside it by their names, in lines."""
    columns = {"model": figures} | (others or {})
    lines = [f"{'':22}" + "".join(f"{name:>12}" for name in columns)]
    lines += [f"{text:22}" + "".join(f"{number(each.get(name)):>12}" for each in columns.values())
              for name, text in NAMES.items()]
    for name in precision.TINY:
        low, high = (round(area**0.5) for area in precision.TINY[name])
        text = f"AP50 {name}, {low} to {high} px" if high < 10**4 else f"AP50 {name}, from {low} px"
        lines.append(f"{text:22}" + "".join(f"{number(each['tiny'].get(name)):>12}" for each in columns.values()))
    return lines


def classes_table(truths: Sequence[Truth], answers: Sequence[Answer], names: Sequence[str]) -> list[dict]:
    """A row for each class: its objects, AP and AP50."""
    found = precision.curves(truths, answers, len(names), {"all": precision.RANGES["all"]}).precision[..., 0]
    return [{"class": name, "objects": int(sum((objects(truth) == k).sum() for truth in truths)),
             "ap": precision.mean(found[:, :, k]), "ap50": precision.mean(found[0, :, k])}
            for k, name in enumerate(names)]
