"""Boxes as YOLO's text files: a line for each box or polygon, in shares of the photo."""

import os
import re
from collections.abc import Sequence
from functools import partial

from tasks.detection.data.formats.parts import by_photo, word_of
from tasks.detection.data.formats.places import Places
from tasks.detection.data.formats.plain_yaml import read_yaml
from tasks.detection.data.samples import Annotations, Damaged, Thing, number_of
from utils.data.files import PARTS, reading

NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")  # files of names, the first counts
LISTS = {"train.txt", "val.txt", "valid.txt", "test.txt"}  # Darknet's lists of photos, which hold no boxes


def text_of(photo: str, texts: set[str]) -> str:
    """The text file of a photo: beside it, or below `labels` where the photo lies below `images`; "": there is none."""
    stem = os.path.splitext(photo)[0]
    parts = stem.split(os.sep)
    tried = [stem] + [os.sep.join([*parts[:row], "labels", *parts[row + 1 :]]) for row, part in enumerate(parts)
                      if part == "images"]
    return next((f"{each}.txt" for each in tried if f"{each}.txt" in texts), "")


def read(root: str, images: Sequence[str], others: Sequence[str]) -> Annotations:
    """The boxes of text files below a folder. A photo without one was not labelled, an empty file says that there is
    nothing on it.

    Args:
        images, others: files below `root`, as `utils.data.files.walk` gives them.
    """
    texts = {path for path in others if path.endswith(".txt") and os.path.basename(path) not in {*NAMES, *LISTS}}
    pairs = {photo: text for photo in images if (text := text_of(photo, texts))}
    lonely = sorted(texts - set(pairs.values()))
    problems = [f"{path}: there is no photo of this name, expected one beside it or below images/: put it back, or "
                "remove the file" for path in lonely if looks_like_boxes(os.path.join(root, path))]
    bare = [photo for photo in images if photo not in pairs]
    problems += [f"{photo}: was not labelled, expected a text file of its name, an empty one where nothing is on it"
                 for photo in bare]
    table, settings = settings_of(root, others)
    names, where = names_of(root, others, table, settings)
    rows = {text: rows_of(os.path.join(root, text)) for text in pairs.values()}
    if not names:
        highest = max((label for label, _ in rows.values()), default=-1)
        names, where = [f"class {number}" for number in range(highest + 1)], ""
    missing = f"no file of names ({', '.join(NAMES)}), so classes are called by numbers"
    said = f"names from {where}" if where else missing
    points = key_points(os.path.join(root, table), settings)
    if not points and any(length > 6 for _, length in rows.values()):
        said += ("; lines of 7 numbers or more are taken for polygons: if they are boxes with key points, write "
                 "kpt_shape: [points, numbers of each] into data.yaml")
    photos = {photo: partial(things, os.path.join(root, text), text, len(names), points)
              for photo, text in pairs.items()}
    told, told_by = listed(root, images, others, table, settings)
    return Annotations(names, photos, problems, said, by_photo(told), told_by)


def settings_of(root: str, others: Sequence[str]) -> tuple[str, dict]:
    """The first of the YAML files that describe a set, and what stands in it; "" and nothing where there is none."""
    for wanted in filter(is_yaml, NAMES):
        there = [each for each in others if os.path.basename(each) == wanted]
        if there:
            path = min(there, key=lambda each: (each.count(os.sep), each))
            return path, read_yaml(os.path.join(root, path))
    return "", {}


def is_yaml(path: str) -> bool:
    """Whether a file is one of YAML, by its name."""
    return path.endswith((".yaml", ".yml"))


def key_points(path: str, settings: dict) -> int:
    """How many numbers of key points follow each box, as `kpt_shape: [points, numbers of each]` tells; 0: none."""
    shape = settings.get("kpt_shape")
    if shape is None:
        return 0
    if not isinstance(shape, list) or len(shape) != 2 or not all(each.isdecimal() and int(each) for each in shape):
        raise ValueError(f"{path}: kpt_shape is {shape!r}, expected the number of key points and 2 or 3 numbers for "
                         "each, such as [17, 3]: mend it, or remove it where the lines hold no key points")
    return int(shape[0]) * int(shape[1])


def listed(root: str, images: Sequence[str], others: Sequence[str], table: str, settings: dict,
           ) -> tuple[list[tuple[str, str]], str]:
    """Pairs of a word for a part and a photo, and what tells them: the folders and lists of photos that data.yaml
    names, or else Darknet's lists, such as train.txt."""
    places, made, folder, begin = Places(images), [], os.path.dirname(table), settings.get("path", "")
    for word in PARTS:
        values = settings.get(word, [])
        for value in values if isinstance(values, list) else [values]:
            made += [(word, photo) for photo in named(root, f"{begin}/{value}", folder, images, others, places)
                     if value]
    if made:
        return made, table
    lists = [path for path in others
             if os.path.basename(path) in LISTS and not looks_like_boxes(os.path.join(root, path))]
    return [(word_of(path), photo) for path in lists for photo in photos_in(root, path, places)], " and ".join(lists)


def named(root: str, value: str, folder: str, images: Sequence[str], others: Sequence[str], places: Places,
          ) -> list[str]:
    """The photos of a folder or of a list that a data.yaml in `folder` names; [] where there is no such thing.

    Its path may begin on another computer, or beside the set: the longest end that is there counts.
    """
    parts = [part for part in value.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    for row in range(len(parts)):
        path = os.path.join(folder, *parts[row:])
        if path in others:
            return photos_in(root, path, places)
        if there := [photo for photo in images if photo.startswith(os.path.join(path, ""))]:
            return there
    return []


def photos_in(root: str, path: str, places: Places) -> list[str]:
    """The photos that a list names, a line each; those that are not there, or that several photos are called, lack."""
    found = [places.found(line, os.path.dirname(path))[0] for line in lines_of(os.path.join(root, path))]
    return [there[0] for there in found if len(there) == 1]


def lines_of(path: str) -> list[str]:
    """The lines of a text file, without empty ones."""
    with reading(path, "a text file of boxes"), open(path, encoding="utf-8-sig") as file:
        return [line.strip() for line in file if line.strip()]


def looks_like_boxes(path: str) -> bool:
    """Whether a text file holds boxes, by its first line."""
    try:
        first = next(iter(lines_of(path)), "").split()
        return len(first) >= 5 and all(re.fullmatch(r"[-+.\deE]+", part) for part in first)
    except ValueError:
        return False


def rows_of(path: str) -> tuple[int, int]:
    """The highest class of a file, and the numbers in its longest line; -1 and 0 where there is none, or where it is
    damaged, which is said later."""
    try:
        rows = [line.split() for line in lines_of(path)]
        return max((int(row[0]) for row in rows), default=-1), max(map(len, rows), default=0)
    except ValueError:
        return -1, 0


def things(path: str, name: str, classes: int, points: int, size: tuple[int, int]) -> list[Thing]:
    """The boxes of a text file, in pixels of a photo of (width, height); a polygon gives the box around it.

    Args:
        points: how many numbers of key points follow a box; 0: none, and longer lines are polygons.
    """
    made = []
    for number, line in enumerate(lines_of(path), start=1):
        try:
            made.append(thing(line.split(), classes, points, size))
        except Damaged as error:
            raise Damaged(f"{name}, line {number}: {error}") from None
    return made


def thing(parts: list[str], classes: int, points: int, size: tuple[int, int]) -> Thing:
    """The box of a line: class, then middle, width and height, with or without key points, or the points of a polygon,
    in shares of the photo."""
    if points and len(parts) not in (5, 5 + points):
        raise Damaged(f"{len(parts)} numbers, expected 5 for a box or {5 + points} for a box and its key points, as "
                      "kpt_shape of data.yaml tells: mend the line, or kpt_shape")
    parts = parts[:5] if points else parts
    numbers = [number_of(part, f"{part!r}") for part in parts]
    if len(numbers) == 6:
        raise Damaged("6 numbers, expected 5 for a box or 7, 9, ... for a polygon: a sixth is a confidence, so this is "
                      "an answer and no label; write the labels without it")
    if len(numbers) != 5 and (len(numbers) < 7 or len(numbers) % 2 == 0):
        raise Damaged(f"{len(numbers)} numbers, expected 5 for a box or 7, 9, ... for a polygon: mend the line")
    label = numbers[0]
    if label != int(label) or not 0 <= label < classes:
        raise Damaged(f"the class {parts[0]}, expected a whole number from 0 to {classes - 1}: mend it, or add its "
                      "name")
    if len(numbers) == 5:
        x, y, wide, tall = numbers[1:]
        if max(numbers[1:]) > 2:
            raise Damaged(f"the box {' '.join(parts[1:])} is in pixels, expected shares of the photo from 0 to 1: "
                          "divide by its width and height")
        box = [x - wide / 2, y - tall / 2, x + wide / 2, y + tall / 2]
    else:
        box = [min(numbers[1::2]), min(numbers[2::2]), max(numbers[1::2]), max(numbers[2::2])]
    return Thing([share * side for share, side in zip(box, (*size, *size))], int(label))


def names_of(root: str, others: Sequence[str], table: str, settings: dict) -> tuple[list[str], str]:
    """The names of the classes, and the file that they come from; none where there is no such file.

    Args:
        table, settings: as `settings_of` gives them.
    """
    if names := names_in(settings):
        return names, table
    for wanted in NAMES:
        there = [each for each in others if os.path.basename(each) == wanted]
        for path in sorted(there, key=lambda each: each.count(os.sep)):
            full = os.path.join(root, path)
            if names := names_in(read_yaml(full)) if is_yaml(wanted) else lines_of(full):
                return names, path
    return [], ""


def names_in(settings: dict) -> list[str]:
    """The names of the classes that a data.yaml holds, by their numbers; [] where there is none."""
    names = settings.get("names", [])
    if isinstance(names, str):
        return [bare for each in names.split(",") if (bare := each.strip())]
    if isinstance(names, list):
        return names
    numbered = {int(number): name for number, name in names.items() if number.isdecimal()}
    return [numbered.get(number, f"class {number}") for number in range(max(numbered, default=-1) + 1)]
