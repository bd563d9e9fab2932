"""Finds objects in photos: files and the photos of folders; writes boxes as a table, COCO's results and YOLO's text."""

import json
import os
import time
from collections.abc import Sequence

import numpy as np

from tasks import about
from tasks.choosing import find_model
from tasks.detection import figures
from tasks.detection.like import Examples, examples_of
from tasks.detection.measuring.precision import Answer
from tasks.detection.model import LIKE, Objects, doubt as doubt_of
from tasks.superres.answer import photo_files
from utils.data.files import save_aside
from utils.data.images import read_photo
from utils.data.survey import THUMBNAIL
from utils.run import figures as drawing
from utils.run.console import progress_bar, write_answer
from utils.saying import counted, left_out, shown
from utils.sheets.fonts import short

SHOWN = 6  # photos at most on the figure
FIGURE, ALONE, BESIDE = "objects.png", 800, 500  # and pixels of a photo's longer side there, by itself or beside others
COLUMNS = ["file", "class", "score", "left", "top", "right", "bottom"]
LISTED = 12  # objects of a photo that are printed


def answer(options, files: list[str]) -> None:
    """Says what lies where in each photo, or where something lies that is like an example."""
    jobs = photo_files(files, " ".join(["--task=detect", *(f"--like={example}" for example in options.like)]))
    model = Objects(find_model(options.model, "detection"), options.score_threshold)
    from_on = "" if options.like else f", boxes from the score {model.threshold:.3f} on"
    print(f"model {model.path}{from_on}\n{about.in_words(model.known)}")
    examples = asked_like(options)
    names = [LIKE] if examples else model.names
    check_free(options, [below for _, below in jobs], names)
    answers, problems, thumbnails, seen, numbered = {}, [], [], [], []
    side = ALONE if len(jobs) == 1 else BESIDE
    for file, below in jobs:
        try:
            photo = read_photo(file)
        except ValueError as error:
            if len(jobs) == 1:
                raise
            problems.append(str(error))
            continue
        answers[file] = (below, photo.shape[1], photo.shape[0], found_in(model, photo, examples, file, names))
        thumbnails.append(figures.cut_to(photo, THUMBNAIL[1::-1]))
        if len(jobs) > 1 and (unlike := about.warning(model.known, thumbnails[-1][None])):
            print(f"  warning: {unlike}")
        if options.figure and len(seen) < SHOWN:
            seen.append((short(file), figures.with_found(photo, answers[file][3], names, side)))
            numbered += answers[file][3].labels.tolist() if figures.needs_key(answers[file][3], names) else []
    if not answers:
        raise ValueError(f"none of {counted(len(jobs), 'photo')} could be read: {problems[0]}")
    left_out(counted(len(problems), "photo"), problems)
    doubts = [doubt_of(model.known, np.stack(thumbnails), bool(examples)), examples.doubt if examples else ""]
    doubt = "; ".join(filter(None, doubts))
    if doubt:
        print(f"warning: {doubt}")
    if seen:
        columns = min(2, len(seen))
        seen += [(figures.KEY, figures.key(numbered, names, side))] if numbered else []
        drawing.contact_sheet([picture for _, picture in seen], [title for title, _ in seen], FIGURE, columns=columns,
                              side=side)
    write(options, answers, names, doubt, problems)


def asked_like(options) -> Examples | None:
    """The examples of --like; says which model compares. ValueError where its flags are passed without it."""
    if not options.like:
        if options.like_model or options.like_threshold is not None:
            raise ValueError("--like_model and --like_threshold have no effect without --like: name an example")
        return None
    if options.score_threshold is not None:
        raise ValueError("--score_threshold has no effect with --like, whose scores are similarities: pass "
                         "--like_threshold")
    examples = examples_of(options.like, options.like_model, options.like_threshold)
    print(f"like {counted(len(examples.features), 'example')}, by the model {examples.model.path}: the same from the "
          f"similarity {examples.threshold:.3f} on" + ("" if examples.fixed else ", and from more where many boxes "
                                                       "are compared: in each photo about one wrong box is expected"))
    return examples


def found_in(model: Objects, photo: np.ndarray, examples: Examples | None, file: str, names: Sequence[str]) -> Answer:
    """What lies in a photo; says it in lines."""
    began = time.perf_counter()
    found = model.like(photo, examples) if examples else model.answer(photo, progress=progress_bar("tile"))
    print(f"{shown(file)}: {counted(len(found.scores), 'object')}, {time.perf_counter() - began:.1f} s")
    for box, score, label in list(zip(*found))[:LISTED]:
        print(f"  {names[label]:20} {score:.3f}  {', '.join(f'{side:.1f}' for side in box)}")
    if len(found.scores) > LISTED:
        print(f"  and {len(found.scores) - LISTED} more")
    return found


def write(options, answers: dict[str, tuple], names: Sequence[str], doubt: str, problems: Sequence[str]) -> None:
    """Writes what was found where the flags ask for it."""
    rows = [{"file": file, "class": names[label], "score": round(float(score), 6)}
            | dict(zip(COLUMNS[3:], (round(float(side), 2) for side in box)))
            for file, (_, _, _, found) in answers.items() for box, score, label in zip(*found)]
    results = coco_results([found for _, _, _, found in answers.values()])
    if options.coco:
        save_aside(lambda path: write_text(path, json.dumps(results) + "\n"), os.path.expanduser(options.coco))
    if options.yolo:
        write_yolo(os.path.expanduser(options.yolo), answers, names)
    images = [{"id": number, "file_name": file, "width": width, "height": height}
              for number, (file, (_, width, height, _)) in enumerate(answers.items(), start=1)]
    categories = [{"id": number, "name": name} for number, name in enumerate(names, start=1)]
    write_answer(options, rows, {"images": images, "categories": categories, "results": results,
                                 "warning": doubt or None, "problems": list(problems)}, COLUMNS)


def coco_results(answers: Sequence[Answer]) -> list[dict]:
    """Boxes as COCO's list of results; photos and classes are numbered from 1 on."""
    return [{"image_id": number, "category_id": int(label) + 1, "score": round(float(score), 6),
             "bbox": [round(float(side), 2) for side in (*box[:2], *(box[2:] - box[:2]))]}
            for number, found in enumerate(answers, start=1) for box, score, label in zip(*found)]


def check_free(options, photos: Sequence[str], names: Sequence[str]) -> None:
    """Raises ValueError where --yolo or --coco would be written over something else, before the work for it is done.

    Args:
        photos: their names below what was asked about.
    """
    if options.coco and os.path.exists(path := os.path.expanduser(options.coco)):
        with open(path, encoding="utf-8", errors="replace") as file:
            if not file.read(1).startswith("["):  # as results do
                raise ValueError(f"--coco={options.coco}: exists, and holds no list of results: pass another file")
    taken: dict[str, str] = {"classes.txt": "the names of the classes"}
    for photo in photos if options.yolo else ():
        name = yolo_name(photo)
        if name in taken:
            raise ValueError(f"--yolo={options.yolo}: {shown(photo)} and {shown(taken[name])} would both be written to "
                             f"{shown(name)}: ask about them one by one, into two folders")
        taken[name] = photo
        if os.path.exists(path := os.path.join(os.path.expanduser(options.yolo), name)):
            raise ValueError(f"{shown(path)} exists: pass another folder to --yolo, so that no boxes are lost")
    classes = os.path.join(os.path.expanduser(options.yolo), "classes.txt")
    if options.yolo and os.path.exists(classes):
        with open(classes, encoding="utf-8", errors="replace") as file:
            if file.read().splitlines() != list(names):
                raise ValueError(f"{shown(classes)} exists and names other classes: pass another folder to --yolo")


def yolo_name(photo: str) -> str:
    """The text file of a photo."""
    return f"{os.path.splitext(photo)[0]}.txt"


def write_yolo(folder: str, answers: dict[str, tuple], names: Sequence[str]) -> None:
    """Writes a text file for each photo into a folder, by the photo's name, and classes.txt; they can be trained on."""
    for below, width, height, found in answers.values():
        lines = []
        for box, label in zip(found.boxes, found.labels):
            middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
            shares = np.concatenate([middle, size]) / (width, height, width, height)
            lines.append(f"{label} " + " ".join(f"{share:.6f}" for share in shares))
        path = os.path.join(folder, yolo_name(below))
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save_aside(lambda aside, lines=lines: write_text(aside, "".join(f"{line}\n" for line in lines)), path)
    save_aside(lambda aside: write_text(aside, "".join(f"{name}\n" for name in names)),
               os.path.join(folder, "classes.txt"))


def write_text(path: str, text: str) -> None:
    """Writes a text file."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
