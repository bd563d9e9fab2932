"""Boxes as YOLO's text files: a line for each box or polygon, with coordinates in shares of the photo."""

import os
import re
from collections.abc import Sequence
from functools import partial

from tasks.detection.data.samples import Annotations, Damaged, Thing, number_of
from utils.data.files import reading

NAMES = ("data.yaml", "data.yml", "dataset.yaml", "classes.txt", "obj.names")  # files of names, the first counts
LISTS = {"train.txt", "val.txt", "valid.txt", "test.txt"}  # Darknet's lists of photos, which hold no boxes
KEY = re.compile(r"^([A-Za-z_]\w*)\s*:\s*(.*)$")


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
    names, where = names_of(root, others)
    if not names:
        highest = max((highest_class(os.path.join(root, text)) for text in pairs.values()), default=-1)
        names, where = [f"class {number}" for number in range(highest + 1)], ""
    missing = f"no file of names ({', '.join(NAMES)}), so classes are called by numbers"
    said = f"names from {where}" if where else missing
    photos = {photo: partial(things, os.path.join(root, text), text, len(names)) for photo, text in pairs.items()}
    return Annotations(names, photos, problems, said)


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


def highest_class(path: str) -> int:
    """The highest class of a file; -1 where there is none, or where it is damaged, which is said later."""
    try:
        return max((int(line.split()[0]) for line in lines_of(path)), default=-1)
    except ValueError:
        return -1


def things(path: str, name: str, classes: int, size: tuple[int, int]) -> list[Thing]:
    """The boxes of a text file, in pixels of a photo of (width, height); a polygon gives the box around it."""
    made = []
    for number, line in enumerate(lines_of(path), start=1):
        try:
            made.append(thing(line.split(), classes, size))
        except Damaged as error:
            raise Damaged(f"{name}, line {number}: {error}") from None
    return made


def thing(parts: list[str], classes: int, size: tuple[int, int]) -> Thing:
    """The box of a line: class, then middle, width and height, or the points of a polygon, in shares of the photo."""
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


def names_of(root: str, others: Sequence[str]) -> tuple[list[str], str]:
    """The names of the classes, and the file that they come from; none where there is no such file."""
    for wanted in NAMES:
        there = [each for each in others if os.path.basename(each) == wanted]
        for path in sorted(there, key=lambda each: each.count(os.sep)):
            full = os.path.join(root, path)
            names = yaml_names(full) if wanted.endswith(("yaml", "yml")) else lines_of(full)
            if names:
                return names, path
    return [], ""


def yaml_names(path: str) -> list[str]:
    """The list or the numbered names under `names:` of a YAML file, as the tools write it; [] where there is none.

    Read here are `names: [a, 'b']`, a line `- a` for each, and a line `0: a` for each; no other YAML.
    """
    with reading(path, "names of classes"), open(path, encoding="utf-8-sig") as file:
        lines = [line.rstrip() for line in file]
    keys = [KEY.match(line) for line in lines]
    start = next((row for row, key in enumerate(keys) if key and key.group(1) == "names"), None)
    if start is None:
        return []
    inline = lines[start].split(":", 1)[1].split(" #")[0].strip()
    below = []
    for line in lines[start + 1 :]:
        if KEY.match(line):
            break
        below.append(line)
    if inline:
        whole = " ".join([inline, *map(str.strip, below)])
        return listed(whole)
    numbered = [re.match(r"""^\s*['"]?(\d+)['"]?\s*:\s*(.+)$""", line) for line in below]
    if any(numbered):
        by_number = {int(match.group(1)): unquoted(match.group(2)) for match in numbered if match}
        return [by_number.get(number, f"class {number}") for number in range(max(by_number) + 1)]
    return [unquoted(line.strip()[1:]) for line in below if line.strip().startswith("-")]


def listed(text: str) -> list[str]:
    """The names of `[a, "b, c"]` or of `{0: a, 1: b}`."""
    inner = text[1 : text.rindex("]" if text[0] == "[" else "}")] if text[0] in "[{" else text
    parts = re.findall(r"""\s*((?:"[^"]*"|'[^']*'|[^,"']+)+)""", inner)
    names = [part for part in parts if part.strip()]
    if text[0] == "{":
        pairs = sorted((int(part.split(":", 1)[0].strip(" '\"")), part.split(":", 1)[1]) for part in names)
        names = [name for _, name in pairs]
    return [unquoted(name) for name in names]


def unquoted(text: str) -> str:
    """A scalar of YAML without its quotes and its comment."""
    text = text.strip()
    if text[:1] in ("'", '"') and text.rfind(text[0]) > 0:
        return text[1 : text.rindex(text[0])]
    return text.split(" #")[0].strip()
