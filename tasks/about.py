"""What a model knows: the pictures it learnt from and how it was measured, kept in about.json beside the model and said
in one line."""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from tasks import DEFAULT_ROOM, ROOMS, TASKS, imported
from utils.data.files import evenly, reading
from utils.data.images import read_image, read_photo
from utils.data.survey import THUMBNAIL
from utils.metrics import domain, verification
from utils.metrics.drawn import is_drawn
from utils.run import folder as runs

LOOKED_AT = 500  # training pictures whose statistics are kept
LOOKED_THROUGH = 40  # pictures that are looked at in full size
KNOWS_DRAWN = 0.1  # share of drawn pictures from which on a model learnt from such ones too
DISTRUST = "do not trust its answer"  # the end of a warning with which there is no verdict
BLANK = 4  # grey levels by which the thumbnail of a picture varies that shows nothing
CHARACTERS, PHOTOGRAPHS = "characters", "photographs"


def write(folder: str, task: str, data, measured: dict[str, float], shape: tuple[int, int, int]) -> None:
    """Writes about.json of a run on folders of classes.

    Args:
        data: `tasks.similarity.task.Data`.
        measured: as `report.write_verification` returns it.
        shape: (height, width, channels) that the model takes.
    """
    rows = data.split.train
    paths = data.samples.full_paths()
    thumbnails = read_thumbnails([paths[row] for row in evenly(rows, LOOKED_AT)])
    runs.write_json(folder, runs.ABOUT, {
        "task": task, "shows": shown_in(thumbnails), "ranges": domain.ranges(thumbnails),
        "drawn_share": share_drawn([paths[row] for row in rows]),
        "classes": len(np.unique(data.samples.labels[rows])), "images": len(rows), "input": list(shape),
        **in_test(measured),
    })


def in_test(measured: dict[str, float]) -> dict[str, Any]:
    """What about.json says of how the model was measured, as `report.write_verification` returns it."""
    return {"measured_on": {name: measured[name] for name in ("classes", "images", "pairs", "seen_classes")
                            if name in measured},
            "roc_auc": measured.get("roc_auc"),
            "roc_auc_interval": [measured.get("roc_auc_low"), measured.get("roc_auc_high")],
            runs.DOUBT: measured.get(runs.DOUBT, "")}


def measured_again(folder: str, measured: dict[str, float]) -> None:
    """Writes into the about.json of a run, where there is one, by what its thresholds were measured now."""
    if known := runs.read_json(folder, runs.ABOUT):
        runs.write_json(folder, runs.ABOUT, known | in_test(measured))


def write_doubt(folder: str, doubt: str, names: tuple[str, ...] = (runs.EVALUATION, runs.ABOUT)) -> None:
    """Writes beside the figures of a run, where there are some, why they are doubtful, see `utils.seen.learnt`."""
    for name in names:
        if known := runs.read_json(folder, name):
            runs.write_json(folder, name, known | {runs.DOUBT: doubt})


def write_photos(folder: str, task: str, paths: list[str], shape: tuple[int, int, int], distorted: bool = True,
                 **more) -> None:
    """Writes about.json of a run on photos without classes.

    Args:
        paths: the photos trained on; the statistics are those of `LOOKED_AT` of them.
        shape: (height, width, channels) that the model takes.
        distorted: see `utils.metrics.domain.ranges`.
        more: what else the task keeps there, such as how the model was measured.
    """
    thumbnails = read_thumbnails(evenly(paths, LOOKED_AT))
    runs.write_json(folder, runs.ABOUT, {
        "task": task, "shows": shown_in(thumbnails), "ranges": domain.ranges(thumbnails, distorted),
        "drawn_share": share_drawn(paths), "classes": len(paths), "images": len(paths), "input": list(shape),
        "measured_on": {}, "roc_auc": None, **more,
    })


def share_drawn(paths: Sequence[str]) -> float:
    """The share of pictures that are drawn or printed; `KNOWS_DRAWN` where none can be read."""
    found = are_drawn(paths)
    return round(float(np.mean(found)), 3) if found else KNOWS_DRAWN


def are_drawn(pictures: Sequence) -> list[bool]:
    """Whether pictures are drawn or printed, of `LOOKED_THROUGH` of them at their full size; those that cannot be read
    any more are skipped."""
    found = []
    for picture in evenly(pictures, LOOKED_THROUGH):
        with suppress(ValueError):
            found.append(is_drawn(read_photo(picture)))
    return found


def read_thumbnails(paths: Sequence) -> np.ndarray:
    """Thumbnails (N, 48, 48, 3) uint8 of pictures; those that cannot be read any more are skipped."""
    thumbnails = []
    for path in paths:
        try:
            thumbnails.append(read_image(path, THUMBNAIL))
        except ValueError:
            continue
    return np.stack(thumbnails) if thumbnails else np.empty((0, *THUMBNAIL), "uint8")


def shown_in(thumbnails: np.ndarray) -> str:
    """What the pictures show: characters or photographs."""
    return CHARACTERS if domain.are_characters(thumbnails) else PHOTOGRAPHS


def in_words(about: dict | None) -> str:
    """What the model knows, in a line, as its room says it; where nothing is known, it says so."""
    if not about:
        return "what the model learnt from is not known: it has no about.json"
    room = TASKS[about["task"]].room if about["task"] in TASKS else DEFAULT_ROOM
    return imported(ROOMS[room].learnt)(about) + (f"; but {about[runs.DOUBT]}" if about.get(runs.DOUBT) else "")


def of_classes(about: dict) -> str:
    """What a model knows that learnt from classes."""
    text = f"learnt from {about['images']} {about['shows']} of {about['classes']} classes"
    measured = about["measured_on"]
    if measured:
        of = "other images of these classes" if measured.get("seen_classes") else f"{measured['classes']} other classes"
        text += f"; threshold measured on {of}"
    if about["roc_auc"] is not None:
        text += f", ROC-AUC {about['roc_auc']:.3f}"
    return text


def warning(about: dict | None, thumbnails: np.ndarray, drawn: Sequence[bool] = ()) -> str:
    """Why the answer about these pictures (N, 48, 48, 3) may mean nothing; "" where they look like those of the
    training.

    Of two pictures one is enough to doubt; of more than two, more than half must look unlike.

    Args:
        drawn: whether each of them is, or some of them are, as `are_drawn` tells; none: not looked at.
    """
    if not about or not len(thumbnails):
        return ""
    if nothing_seen(about, thumbnails):
        return f"nothing is to be seen in {'one of them' if len(thumbnails) == 2 else 'them'}: {DISTRUST}"
    if shown_in(thumbnails) != about["shows"]:
        return f"these pictures are {shown_in(thumbnails)}, the model learnt from {about['shows']}: {DISTRUST}"
    enough = 0 if len(thumbnails) <= 2 else 0.5
    looks = ""
    if domain.unlike(thumbnails, about["ranges"]).mean() > enough:
        looks = "these pictures look unlike those that the model learnt from: check its answers"
    elif len(drawn) and np.mean(drawn) > enough and doubts_drawn(about):
        looks = ("these pictures look drawn or printed, such as pages, screens and logos, and the model learnt from "
                 "what was photographed: check its answers")
    return "; ".join(filter(None, [looks, near_chance(about)]))


def doubt_about(about: dict | None, pictures: Sequence) -> str:
    """As `warning`, of pictures or their files, which are read, at their full size where that may matter."""
    return warning(about, read_thumbnails(pictures), are_drawn(pictures) if doubts_drawn(about) else ())


def doubts_drawn(about: dict | None) -> bool:
    """Whether a model learnt from what was photographed alone, and no proof decides after it."""
    return bool(about) and about.get("drawn_share", KNOWS_DRAWN) < KNOWS_DRAWN and not proves(about)


def nothing_seen(about: dict, thumbnails: np.ndarray) -> bool:
    """Whether pictures of one colour are to be compared, by a model that would find them like others that are light or
    dark, where no proof follows. Of two pictures one is enough; of more than two, all must be such."""
    task = TASKS.get(about["task"])
    if not task or not ROOMS[task.room].embeds or proves(about):
        return False
    blank = np.ptp(thumbnails.astype(int), axis=(1, 2)).max(axis=-1) <= BLANK
    return bool(blank.any() if len(thumbnails) <= 2 else blank.all())


def proves(about: dict) -> bool:
    """Whether a proof decides after the model, which needs to know no such pictures."""
    task = TASKS.get(about["task"])
    return bool(task and ROOMS[task.room].proves)


def near_chance(about: dict) -> str:
    """That the model's own test found it hardly better than chance; "" where it is better, or was not measured."""
    reached, (low, _) = about.get("roc_auc"), about.get("roc_auc_interval") or (None, None)
    if reached is None or not verification.hardly_better(reached, low, about["measured_on"].get("classes", 0)):
        return ""
    return (f"in its own test the model was hardly better than chance (ROC-AUC {reached:.3f}): do not rely on its "
            "answers")


def trusted(warning: str) -> bool:
    """Whether there is an answer at all behind a warning."""
    return DISTRUST not in warning


def read(model: str) -> dict | None:
    """The about.json beside a .keras file; None where there is none, ValueError where it is damaged."""
    folder = os.path.dirname(model)
    known = runs.read_json(folder, runs.ABOUT)
    with reading(os.path.join(folder, runs.ABOUT), "what training wrote", runs.mend(folder, runs.ABOUT)):
        if known:
            in_words(known)
            # are no characters: the ranges are read too
            warning(known | {"shows": PHOTOGRAPHS}, np.zeros((1, *THUMBNAIL), "uint8"))
    return known
