"""Each format that human scores come in -> rows: tables, lines, TID2013, LIVE."""

import csv
import os
import re
from typing import NamedTuple

import numpy as np
from scipy.io import loadmat

IMAGE_COLUMNS = ("image", "path", "file", "name", "filename", "image_name", "dist_img")
SCORE_COLUMNS = ("mos", "dmos", "score", "quality", "dmos_realigned")
REFERENCE_COLUMNS = ("reference", "ref", "ref_image", "ref_img", "ref_name")
KIND_COLUMNS = ("kind", "distortion", "dist_type")
LEVEL_COLUMNS = ("level", "dist_level")

TID_LIST = "mos_with_names.txt"
TID_NAME = re.compile(r"i(\d\d)_(\d\d)_(\d)\.bmp", re.IGNORECASE)
TID_KINDS = (  # Ponomarenko et al. 2015, table 1, in its order
    "GN GNC SCN MN HFN IN QN GB ID JPEG JP2K JPEGTE JP2KTE NEPN BW MS CC CS MGN CN LCNI CQD CA SSR".split()
)
ARTIFICIAL = "25"  # the reference of TID2013 that is no photograph

LIVE_REFERENCES = "refnames_all.mat"
LIVE_SCORES = {"dmos_realigned.mat": "dmos_new", "dmos.mat": "dmos"}  # file: variable; the first that is there
LIVE_FOLDERS = {  # folder: (kind, images in it); the variables run through them in this order
    "jp2k": ("JP2K", 227), "jpeg": ("JPEG", 233), "wn": ("GN", 174), "gblur": ("GB", 174), "fastfading": ("FF", 174),
}


class Row(NamedTuple):
    """One image of a list, as it is written there."""

    path: str
    score: float
    reference: str = ""
    kind: str = ""
    level: int = 0


def text_lines(path: str) -> list[str]:
    """The lines of a text file."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return list(file)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: byte {error.start} is not UTF-8; expected a text file of images and scores") from None


def number(text: str, where: str) -> float:
    """The score that a text holds; `where` (file and line) begins the error where that is no finite number."""
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: found {text!r} instead of a score; expected a number, such as 3.5") from None
    if not np.isfinite(value):
        raise ValueError(f"{where}: the score is {value}; expected a finite number; correct the line or leave it out")
    return value


def whole(text: str, where: str) -> int:
    """The level that a text holds; 0 where it is empty."""
    if not (text or "0").isdecimal():
        raise ValueError(f"{where}: found {text!r} instead of a level; expected a whole number, such as 3, or nothing")
    return int(text or 0)


def read_lines(path: str) -> list[Row]:
    """Rows of a file of lines `path score`."""
    rows = []
    for place, line in enumerate(text_lines(path), start=1):
        fields = line.strip().rsplit(None, 1)
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) == 1:
            raise ValueError(f"{path}, line {place}: found {fields[0]!r} alone; expected `path score`")
        rows.append(Row(fields[0], number(fields[1], f"{path}, line {place}")))
    return rows


def read_table(path: str) -> list[Row]:
    """Rows of a CSV file with a header; fields are parted by commas, semicolons or tabs."""
    lines = text_lines(path)
    header = lines[0] if lines else ""
    table = csv.reader(lines, delimiter=max(",;\t", key=header.count))
    names = [name.strip().lower() for name in next(table, ())]
    image, score = (column(path, names, known, needed=True) for known in (IMAGE_COLUMNS, SCORE_COLUMNS))
    others = [column(path, names, known) for known in (REFERENCE_COLUMNS, KIND_COLUMNS, LEVEL_COLUMNS)]
    rows = []
    for fields in table:
        fields = [field.strip() for field in fields]
        if not any(fields):
            continue
        where = f"{path}, line {table.line_num}"
        if len(fields) != len(names) or not fields[image]:
            raise ValueError(f"{where}: found {fields}; expected {len(names)} fields, with a path in {names[image]!r}")
        reference, kind, level = ("" if place is None else fields[place] for place in others)
        rows.append(Row(fields[image], number(fields[score], where), reference, kind, whole(level, where)))
    return rows


def column(path: str, names: list[str], known: tuple[str, ...], needed: bool = False) -> int | None:
    """The place of the one column of a header that is among the known ones; None where there is none and none needed."""
    places = [place for place, name in enumerate(names) if name in known]
    if len(places) > 1 or needed and not places:
        found = "several" if places else "none"
        raise ValueError(
            f"{path}: {found} of the columns {', '.join(known)} in the header {', '.join(names)!r}; expected exactly one"
        )
    return places[0] if places else None


def tid_rows(path: str, root: str) -> list[Row]:
    """Rows of TID2013's list: lines `MOS iNN_TT_L.bmp`, reference, distortion, level.

    The list and the files differ in upper and lower case.
    """
    there = {name.lower(): name for name in (os.listdir(root) if os.path.isdir(root) else [])}
    rows = []
    for place, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {place}"
        score, _, name = line.strip().partition(" ")
        parts = TID_NAME.fullmatch(name.strip())
        if not parts or not 1 <= int(parts[2]) <= len(TID_KINDS):
            raise ValueError(f"{where}: found {line.strip()!r}; expected `MOS iNN_TT_L.bmp`, as in 5.51429 i01_01_1.bmp")
        if parts[1] != ARTIFICIAL:
            file, kind = there.get(parts[0].lower(), parts[0]), TID_KINDS[int(parts[2]) - 1]
            rows.append(Row(file, number(score, where), parts[1], kind, int(parts[3])))
    return rows


def live_rows(path: str) -> list[Row]:
    """Rows of LIVE release 2, without the undistorted images that stand among the distorted."""
    file = next((file for file in LIVE_SCORES if os.path.isfile(os.path.join(path, file))), None)
    if file is None:
        expected = " or ".join(LIVE_SCORES)
        raise ValueError(f"{path}: LIVE release 2 without scores; expected {expected} beside {LIVE_REFERENCES}")
    scores, undistorted = live_variables(os.path.join(path, file), LIVE_SCORES[file], "orgs")
    (references,) = live_variables(os.path.join(path, LIVE_REFERENCES), "refnames_all")
    images = [
        (f"{folder}/img{place}.bmp", kind)
        for folder, (kind, count) in LIVE_FOLDERS.items() for place in range(1, count + 1)
    ]
    return [
        Row(image, number(str(score), f"{path}/{file}, {image}"), str(np.squeeze(reference)), kind)
        for (image, kind), score, reference, original in zip(images, scores, references, undistorted) if not original
    ]


def live_variables(path: str, *names: str) -> list[np.ndarray]:
    """Variables of a MATLAB file, each (982,)."""
    try:
        stored = loadmat(path)
    except Exception as error:  # scipy raises several kinds
        raise ValueError(f"{path}: not readable as a MATLAB file ({error}); expected LIVE's as distributed") from None
    count = sum(count for _, count in LIVE_FOLDERS.values())
    for name in names:
        found = np.size(stored.get(name, ()))
        if found != count:
            raise ValueError(f"{path}: {found} values of {name!r}; expected {count}, as LIVE release 2 is distributed")
    return [stored[name].ravel() for name in names]
