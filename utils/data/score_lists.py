"""Each format that human scores come in -> rows: tables, lines, TID2013, LIVE."""

import codecs
import contextlib
import csv
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from utils.data.files import reading
from utils.saying import say_once

# names of columns, as `plain` writes them
IMAGE_COLUMNS = ("image", "path", "file", "name", "filename", "imagename", "imgname", "img", "imagepath", "imgpath",
                 "filepath", "imagefile",
                 "distimg", "distimage", "distortedimage", "distname")
SCORE_COLUMNS = ("mos", "dmos", "score", "quality", "dmosrealigned", "mosscore", "qualityscore", "meanopinionscore",
                 "differencemeanopinionscore", "mosz", "zmos", "moszscore")
DIFFERENCES = ("dmos", "dmosrealigned", "differencemeanopinionscore")  # of these scores, lower ones are better
REFERENCE_COLUMNS = ("reference", "ref", "refimage", "refimg", "refname", "referenceimage", "referencename")
KIND_COLUMNS = ("kind", "distortion", "disttype", "distortiontype")
LEVEL_COLUMNS = ("level", "distlevel", "distortionlevel")
DELIMITERS = ";\t|,"  # in this order where two of them fit alike: a comma may stand in a name or in a number
LOOKED_AT = 30  # lines by which the delimiter is told
MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
         codecs.BOM_UTF16_BE: "utf-16"}  # with which a text begins; the longer ones first
HIGHEST = 1e9  # of a score, either way: what is computed with them in float32 stays exact enough
TEXT = "a text file of images and scores; save a spreadsheet as CSV"

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


def text_lines(path: str, expected: str = TEXT) -> list[str]:
    """The lines of a text file, in UTF-8, or in UTF-16 if it says so or looks so; bytes that are neither stay in the
    names, as Python keeps those of files."""
    with reading(path, expected):
        data = Path(path).read_bytes()
        code = coding_of(data)
        text = data.decode(code, "surrogateescape" if code == "utf-8-sig" else "strict")
    lines = list(io.StringIO(text, newline=None))
    for line_number, line in enumerate(lines, start=1):
        if "\0" in line:
            raise ValueError(f"{path}, line {line_number}: holds a NUL byte; expected {expected}, in UTF-8")
    return lines


def coding_of(data: bytes) -> str:
    """The code of a text: UTF-16 or UTF-32 by its mark; UTF-16 without a mark, as some programs save it, where every
    other byte is mostly NUL; otherwise UTF-8."""
    for mark, code in MARKS.items():
        if data.startswith(mark):
            return code
    first, second = (data[start:4096:2].count(0) for start in (0, 1))
    if max(first, second) > len(data[:4096]) // 4 and min(first, second) == 0:
        return "utf-16-be" if first else "utf-16-le"
    return "utf-8-sig"


def shown(value: object) -> str:
    """What was found, for an error: on one line, and not too long."""
    text = repr(value)
    return text if len(text) <= 100 else text[:97] + "..."


def number(text: str, where: str, decimal_comma: bool = False) -> float:
    """The score that a text holds; `where` (file and line) begins the error where that is no finite number.

    Args:
        decimal_comma: whether "3,5" is a number, as where commas part no fields.
    """
    if decimal_comma and re.fullmatch(r"[+-]?\d*,\d+", text):
        say_once(f"{where.rsplit(', line', 1)[0]}: scores with a decimal comma, such as 3,5, are read as 3.5")
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        raise ValueError(f"{where}: found {shown(text)} instead of a score; expected a number, such as 3.5") from None
    if not abs(value) <= HIGHEST:  # nor NaN
        raise ValueError(f"{where}: the score is {value:g}; expected a finite number of at most {HIGHEST:g}; correct "
                         "the line or leave it out")
    return value


def is_number(text: str, decimal_comma: bool = False) -> bool:
    """Whether a text looks like a score, be it finite or not."""
    try:
        float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return False
    return True


def whole(text: str, where: str) -> int:
    """The level that a text holds; 0 where it is empty."""
    if is_number(text or "0") and 0 <= (value := float(text or 0)) < 1e9 and value.is_integer():
        return int(value)
    raise ValueError(f"{where}: found {shown(text)} instead of a level; expected a whole number, such as 3, or nothing")


def plain(name: str) -> str:
    """The name of a column without capitals, blanks, `_`, `-` and dots: "Image Name" and "img_name" are imagename and
    imgname."""
    return re.sub(r"[\s_.\-]+", "", name.casefold())


def read_list(path: str, higher_is_better: bool, image_column: str = "", score_column: str = "") -> list[Row]:
    """Rows of a table, or of lines `path score`, told apart by what the file holds.

    Args:
        higher_is_better: which of the columns mos and dmos is meant.
        image_column, score_column: names of the columns, or their positions, 1 for the first; "": those with known
            names.

    Raises:
        ValueError: one line that names the file, and the line in it.
    """
    lines = text_lines(path)
    first, named = start(lines)
    delimiter = named or delimiter_of(path, lines[first : first + LOOKED_AT])
    if delimiter is None:
        return read_lines(path, lines)
    return read_table(path, lines, first, delimiter, higher_is_better, (image_column, score_column))


def start(lines: list[str]) -> tuple[int, str | None]:
    """Where a table begins, after empty lines and comments, and the delimiter that its first line names, as Excel
    writes it."""
    named = re.fullmatch(r'"?sep=([,;|:\t ])"?', lines[0].rstrip("\r\n"), re.IGNORECASE) if lines else None
    first = next((row for row, line in enumerate(lines) if row >= bool(named) and line.strip()
                  and not line.startswith("#")), len(lines))
    return first, named and named[1]


def delimiter_of(path: str, lines: list[str]) -> str | None:
    """What parts the fields of a table, by its first lines; None: they are lines `path score`."""
    ending = os.path.splitext(path)[1].lower()
    if ending == ".tsv":
        return "\t"
    name, _, score = " ".join((lines or [""])[0].split()).rpartition(" ")
    if ending != ".csv" and name and is_number(score) and name[-1] not in DELIMITERS:
        return None
    fits = {delimiter: fit(lines, delimiter) for delimiter in DELIMITERS}
    best = max(fits, key=fits.get)
    return best if fits[best][-1] > 1 else None


def fit(lines: list[str], delimiter: str) -> tuple[bool, bool, int]:
    """How well a delimiter parts lines: whether the first names known columns, whether all have as many fields, and how
    many the first has. Lines from one on that cannot be parted are left to whoever reads them all."""
    rows = []
    with contextlib.suppress(csv.Error):
        for fields in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
            rows += [fields] if fields else []
    names = {plain(field) for field in rows[0]} if rows else set()
    known = bool(names & {*IMAGE_COLUMNS}) + bool(names & {*SCORE_COLUMNS}) == 2
    widths = [len(fields) for fields in rows] or [0]
    return known, len(set(widths)) == 1 and widths[0] > 1, widths[0]


def read_lines(path: str, lines: list[str]) -> list[Row]:
    """Rows of lines `path score`; a first line such as `image mos` is skipped."""
    rows = []
    for line_number, line in enumerate(lines, start=1):
        fields = line.strip().rsplit(None, 1)
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) == 1:
            raise ValueError(f"{path}, line {line_number}: found {shown(fields[0])} alone; expected `path score`")
        if rows or plain(fields[0]) not in IMAGE_COLUMNS or plain(fields[1]) not in SCORE_COLUMNS:
            rows.append(Row(fields[0], number(fields[1], f"{path}, line {line_number}", decimal_comma=True)))
    return rows


def fields_of(path: str, lines: list[str], first: int, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    """The rows of a table that are not empty, from the line at `first` on: file and line of each, and its fields."""
    table = csv.reader(lines[first:], delimiter=delimiter, skipinitialspace=True)
    while True:
        begun = first + table.line_num + 1
        try:
            fields = next(table, None)
        except csv.Error as error:
            raise ValueError(f"{path}, line {begun}: {error}; expected fields parted by {shown(delimiter)}; look for "
                             "a quotation mark without its partner") from None
        if fields is None:
            return
        fields = [field.strip() for field in fields]
        if any(fields):
            yield f"{path}, line {begun}", fields  # which a quotation mark without its partner may carry on for pages


def read_table(path: str, lines: list[str], first: int, delimiter: str, higher_is_better: bool,
               asked: tuple[str, str]) -> list[Row]:
    """Rows of a table with a header; without one it may have two columns, one of them of numbers, or more, whose
    positions are asked for."""
    table = list(fields_of(path, lines, first, delimiter))
    names, comma = table[0][1] if table else [], delimiter != ","
    if header := without_header(names, asked, comma):
        names = header
    else:
        table = table[1:]
    image = column(path, names, IMAGE_COLUMNS, "image_column", asked[0])
    score = column(path, names, SCORE_COLUMNS, "score_column", asked[1], () if higher_is_better is None else
                   [name for name in SCORE_COLUMNS if (name in DIFFERENCES) != higher_is_better])
    others = [column(path, names, known) for known in (REFERENCE_COLUMNS, KIND_COLUMNS, LEVEL_COLUMNS)]
    rows = []
    for where, fields in table:
        fields = fields[: len(names)] + [field for field in fields[len(names) :] if field]
        if len(fields) != len(names) or not fields[image]:
            raise ValueError(f"{where}: found {shown(fields)}; expected {len(names)} fields, with a path in "
                             f"{names[image]!r}")
        reference, kind, level = ("" if position is None else fields[position] for position in others)
        rows.append(Row(fields[image], number(fields[score], where, comma), reference, kind, whole(level, where)))
    return rows


def without_header(fields: list[str], asked: tuple[str, str], decimal_comma: bool) -> list[str]:
    """Names of the columns of a table that begins with an image and not with names; [] where it begins with names."""
    numbers = [is_number(field, decimal_comma) for field in fields]
    if all(name.isdecimal() and name not in fields for name in asked) and any(numbers):
        return [f"column {position}" for position in range(1, len(fields) + 1)]
    if len(fields) != 2 or not any(numbers):
        return []
    return ["image", "score"] if numbers[1] else ["score", "image"]


def column(path: str, names: list[str], known: tuple[str, ...], flag: str = "", asked: str = "",
           preferred=()) -> int | None:
    """The position of the column of a header that is asked for, or of the one that is among the known ones.

    Args:
        known: names, as `plain` writes them.
        flag: names the column; "": it is not needed, and None where there is none.
        asked: the value of that flag.
        preferred: those of the known that go first where there are several.
    """
    header = shown(", ".join(names))
    if asked:
        matches = [i for i, name in enumerate(names) if name == asked] or [
            i for i, name in enumerate(names) if plain(name) == plain(asked)]
        matches = matches or [i for i in range(len(names)) if asked == str(i + 1)]
        if len(matches) != 1:
            raise ValueError(f"{path}: --{flag}={asked} names {'several' if matches else 'none'} of the columns "
                             f"{header}; expected one of them")
        return matches[0]
    matches = [i for i, name in enumerate(names) if plain(name) in known]
    if len(matches) > 1 and len(better := [i for i in matches if plain(names[i]) in preferred]) == 1:
        say_once(f"{path}: of the columns {', '.join(names[i] for i in matches)}, {names[better[0]]} is read, "
                 f"because of --{'no' * (plain(names[better[0]]) in DIFFERENCES)}higher_is_better; --{flag} names "
                 "another")
        matches = better
    elif (len(matches) == 1 and preferred
          and plain(names[matches[0]]) not in (*preferred, "score", "quality", "qualityscore")):
        higher = "mos" in preferred
        say_once(f"{path}: the scores are those of the column {names[matches[0]]}, of which mostly the "
                 f"{'lower' if higher else 'higher'} ones are better; they are read as "
                 f"--{'no' * (not higher)}higher_is_better says; --{flag} names another column")
    if len(matches) > 1 or flag and not matches:
        raise ValueError(
            f"{path}: {'several' if matches else 'none'} of the columns {', '.join(known[:5])} ... in the header "
            f"{header}; expected exactly one"
            + (f"; name it with --{flag}" if flag else "; rename the others")
        )
    return matches[0] if matches else None


def tid_rows(path: str) -> list[Row]:
    """Rows of TID2013's list: lines `MOS iNN_TT_L.bmp`, reference, distortion, level."""
    rows = []
    for line_number, line in enumerate(text_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}, line {line_number}"
        score, _, name = line.strip().partition(" ")
        parts = TID_NAME.fullmatch(name.strip())
        if not parts or not 1 <= int(parts[2]) <= len(TID_KINDS):
            raise ValueError(f"{where}: found {line.strip()!r}; expected `MOS iNN_TT_L.bmp`, as in 5.51429 "
                             "i01_01_1.bmp")
        if parts[1] != ARTIFICIAL:
            rows.append(Row(parts[0], number(score, where), parts[1], TID_KINDS[int(parts[2]) - 1], int(parts[3])))
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
        (f"{folder}/img{index}.bmp", kind)
        for folder, (kind, count) in LIVE_FOLDERS.items() for index in range(1, count + 1)
    ]
    return [
        Row(image, number(str(score), f"{path}/{file}, {image}"), str(np.squeeze(reference)), kind)
        for (image, kind), score, reference, original in zip(images, scores, references, undistorted) if not original
    ]


def live_variables(path: str, *names: str) -> list[np.ndarray]:
    """Variables of a MATLAB file, each (982,)."""
    from scipy.io import loadmat

    with reading(path, "a MATLAB file of LIVE as distributed"):
        stored = loadmat(path)
    count = sum(count for _, count in LIVE_FOLDERS.values())
    for name in names:
        size = np.size(stored.get(name, ()))
        if size != count:
            raise ValueError(f"{path}: {size} values of {name!r}; expected {count}, as LIVE release 2 is distributed")
    return [stored[name].ravel() for name in names]
