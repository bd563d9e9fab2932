"""Images with human scores: lists, TID2013 and LIVE as distributed -> files, scores, references; and their split."""

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from utils.data.files import identical, save_aside
from utils.data.score_lists import HIGHEST, LIVE_REFERENCES, TID_LIST, Row, live_rows, read_list, tid_rows
from utils.saying import counted, say_once, some

TID_IMAGES = "distorted_images"
TID_RANGE = (0.0, 9.0)


@dataclass(frozen=True)
class Scored:
    """Image files and what people thought of them.

    Attributes:
        root: the folder that the relative `paths` start from.
        paths: (N,) files, in the order of the list.
        scores: (N,) float64.
        references: (N,) int, the photograph that each image was made from, 0 to photographs - 1.
        originals: (N,) str, what the list calls that photograph, "" where it names none.
        kinds: (N,) str, name of the distortion, "" where unknown.
        levels: (N,) int, strength of the distortion, 0 where unknown.
        higher_is_better: whether higher scores mean better images (MOS) or worse (DMOS).
        low, high: range of the scores.
    """

    root: str
    paths: list[str]
    scores: np.ndarray
    references: np.ndarray
    originals: np.ndarray
    kinds: np.ndarray
    levels: np.ndarray
    higher_is_better: bool
    low: float
    high: float

    def full_paths(self) -> list[str]:
        """The files as paths that can be opened."""
        return [os.path.join(self.root, path) for path in self.paths]

    def take(self, rows: np.ndarray) -> "Scored":
        """Only these rows; references and range stay as they are."""
        parts = {name: getattr(self, name)[rows] for name in ("scores", "references", "originals", "kinds", "levels")}
        return replace(self, paths=[self.paths[row] for row in rows], **parts)


def read_scores(
    path: str,
    higher_is_better: bool | None = None,
    image_root: str = "",
    score_range: tuple[float, float] | None = None,
    skip_missing: bool = True,
    image_column: str = "",
    score_column: str = "",
) -> Scored:
    r"""Reads images and their human scores.

    `path` is one of
        a table    with a header: an image column (image, path, file, name ...) and a score column (mos, dmos,
                   score, quality ...), in capitals or not, "Image Name" as image_name; columns for the reference
                   photograph (ref_image ...), the distortion (dist_type ...) and its level are read where they
                   are; others ignored. Fields are parted by commas, semicolons, tabs or |. A table of names and
                   scores alone needs no header
        a list     lines `path score`; the path may hold spaces; blank lines and lines that begin with # are skipped
        a folder   of TID2013 (Ponomarenko et al. 2015): `mos_with_names.txt`, `distorted_images/`; MOS;
                   the images of reference 25, which is not a photograph, are left out
        a folder   of LIVE release 2 (Sheikh et al. 2006): `refnames_all.mat`, `dmos_realigned.mat` or else
                   `dmos.mat`, `jp2k/` ...; DMOS; the undistorted images in it are left out
    An image without a known reference is its own. A path may be listed twice with one score, which
    makes two images of one reference; files of the same contents are one image, with the mean of their
    scores. A path is tried as it is written, then with / for \, then regardless of case; images that are not there are
    left out and named. Paths stay below the folder that they start from.

    Args:
        higher_is_better: to be declared for a list, whatever its columns are called; known for the folders.
        image_root: the folder that the paths start from, in which links may lead elsewhere; "" for that of the list, or
            the data set's own.
        score_range: lowest and highest score possible. Without it: 0 to 9 for TID2013, otherwise what was found.
        skip_missing: leave out images that are not there, unless that is all of them.
        image_column, score_column: of a table, names or positions (1 is the first) of columns; "": those with known
            names.

    Raises:
        ValueError: one line on what was found, what was expected and how to mend it.
    """
    path = os.fspath(path)
    if os.path.isdir(path):
        return read_folder(path, higher_is_better, image_root, score_range, skip_missing)
    if not os.path.isfile(path):
        raise ValueError(f"{path}: no such file or folder; expected a list of images and scores, or TID2013 or LIVE")
    if higher_is_better is None:
        raise ValueError(
            f"{path}: a list does not tell which scores are better; pass --higher_is_better (as MOS) or "
            "--nohigher_is_better (as DMOS)"
        )
    rows = read_list(path, higher_is_better, image_column, score_column)
    root = image_root or os.path.dirname(path)
    return scored(path, root, rows, higher_is_better, score_range, skip_missing, links=bool(image_root))


def read_folder(path: str, declared: bool | None, image_root: str, score_range, skip_missing: bool) -> Scored:
    """Reads TID2013 or LIVE release 2, told apart by the files that they come with."""
    if os.path.isfile(os.path.join(path, TID_LIST)):
        root, known = image_root or os.path.join(path, TID_IMAGES), True
        rows, score_range = tid_rows(os.path.join(path, TID_LIST)), score_range or TID_RANGE
    elif os.path.isfile(os.path.join(path, LIVE_REFERENCES)):
        root, known = image_root or path, False
        rows = live_rows(path)
    else:
        raise ValueError(
            f"{path}: neither TID2013 (no {TID_LIST} in it) nor LIVE release 2 (no {LIVE_REFERENCES}); expected one "
            "of them as distributed, or a list file of lines `path score`"
        )
    if declared is not None and declared != known:
        kind, flag = ("MOS, higher", "--higher_is_better") if known else ("DMOS, lower", "--nohigher_is_better")
        raise ValueError(f"{path}: its scores are {kind} is better; the opposite was passed; pass {flag} or neither")
    return scored(path, root, rows, known, score_range, skip_missing)


def scored(path: str, root: str, rows: list[Row], higher_is_better: bool, score_range, skip_missing: bool,
           links: bool = True) -> Scored:
    """The rows of the list `path` as arrays, checked; `links`: whether those in the folder `root` may lead out of
    it."""
    if not rows:
        raise ValueError(f"{path}: lists no image; expected lines `path score`, or a header and rows")
    check_paths(path, root, rows, links=True)
    check_scores(path, rows)
    rows = find_files(path, root, rows, skip_missing)
    check_paths(path, root, rows, links)
    check_scores(path, rows)  # two names may have turned out to be one file
    rows = once(path, root, rows)
    scores = np.array([row.score for row in rows], "float64")
    low, high = score_range or (scores.min(), scores.max())
    if scores.min() < low or scores.max() > high:
        raise ValueError(
            f"{path}: scores from {scores.min():g} to {scores.max():g}; expected {low:g} to {high:g}; correct the "
            "range or the list"
        )
    return Scored(
        root, [row.path for row in rows], scores,
        references=numbered([row.reference or os.path.normpath(row.path) for row in rows]),
        originals=np.array([row.reference for row in rows]), kinds=np.array([row.kind for row in rows]),
        levels=np.array([row.level for row in rows], int),
        higher_is_better=higher_is_better, low=float(low), high=float(high),
    )


def numbered(names: Sequence[str]) -> np.ndarray:
    """(N,) int: equal names get equal numbers, 0, 1 ... as they first appear."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], int)


def check_scores(path: str, rows: list[Row]) -> None:
    """Raises ValueError where one image has two scores."""
    first = {}
    for row in rows:
        other = first.setdefault(os.path.normpath(row.path), row.score)
        if other != row.score:
            raise ValueError(
                f"{path}: {row.path} is listed with the scores {other:g} and {row.score:g}; expected one, such as "
                "their mean"
            )


def once(path: str, root: str, rows: list[Row]) -> list[Row]:
    """The rows without files that have the contents of an earlier one, be they copies or links; that one has the mean
    of their scores. It is said, because such an image might be trained on and tested on."""
    names = list(dict.fromkeys(os.path.normpath(row.path) for row in rows))
    first = {}
    for same in identical([os.path.join(root, name) for name in names]):
        if os.path.getsize(os.path.join(root, names[same[0]])):  # whoever opens an empty file says so
            first |= {names[index]: names[same[0]] for index in same[1:]}
    told: dict[str, dict[str, float]] = {}
    for row in rows:
        name = os.path.normpath(row.path)
        told.setdefault(first.get(name, name), {})[name] = row.score
    if first:
        say_once(f"{path}: {counted(len(first), 'image')} with the contents of another, so each image counts once, "
                 f"with the mean of its scores: {some([f'{name} is {other}' for name, other in first.items()])}")
    return [row._replace(score=float(np.mean([*told[name].values()]))) for row in rows
            if (name := os.path.normpath(row.path)) not in first]


def spellings(name: str) -> list[str]:
    """A name as it is written, with / for a backslash, and, if it is not UTF-8, in the code page of Western Windows."""
    names = list(dict.fromkeys([name, name.replace("\\", "/")]))
    if any("\udc80" <= letter <= "\udcff" for letter in name):
        names += [each.encode("utf-8", "surrogateescape").decode("cp1252", "replace") for each in names]
    return names


def is_below(root: str, path: str) -> bool:
    """Whether a path lies in the folder `root`, or in one below it; both absolute."""
    return Path(path).is_relative_to(root)


def check_paths(path: str, root: str, rows: list[Row], links: bool) -> None:
    """Raises ValueError where a list, which may be a stranger's, names a file outside of the folder `root`.

    Args:
        links: whether links in that folder may lead out of it.
    """
    top = os.path.abspath(root)
    for row in rows:
        for name in spellings(row.path):
            full = os.path.abspath(os.path.join(top, name))
            if not is_below(top, full):
                raise ValueError(f"{path}: {row.path} lies outside of {root or '.'}; expected paths in that folder; "
                                 "if you trust the list, pass --image_root=FOLDER, a folder that holds all its images")
            if not links and not is_below(os.path.realpath(top), os.path.realpath(full)):
                raise ValueError(f"{path}: {row.path} is a link out of {root or '.'}; if you trust it, pass "
                                 f"--image_root={root or '.'}")


def find_files(path: str, root: str, rows: list[Row], skip_missing: bool) -> list[Row]:
    """The rows with their files as they are called below `root`; those that are not there are left out and named.

    Raises:
        ValueError: none is there, or one is not and `skip_missing` is off.
    """
    known: dict[str, dict[str, list[str]]] = {}
    names = [next(filter(None, (find_file(root, name, known) for name in spellings(row.path))), None) for row in rows]
    missing = [row.path for row, name in zip(rows, names) if name is None]
    kept = [row._replace(path=name) for row, name in zip(rows, names) if name is not None]
    if missing:
        what = f"{len(missing)} of {len(rows)} images are not below {root or '.'}: {some(missing)}"
        if not kept:
            raise ValueError(f"{path}: {what}; pass the folder that the paths start from as --image_root (tried: the "
                             "names as they are written, with / for \\, regardless of case, and without their endings)")
        if not skip_missing:
            raise ValueError(f"{path}: {what}; put them there, or pass --skip_broken to leave them out")
        say_once(f"{path}: left out: {what}")
    other = [f"{row.path} as {name}" for row, name in zip(rows, names) if name not in (None, row.path)]
    if other:
        say_once(f"{path}: {len(other)} images are read by another spelling: {some(other)}")
    return kept


def find_file(root: str, name: str, known: dict[str, dict[str, list[str]]]) -> str | None:
    """The name of a file below `root` as it is written, or else regardless of case and of how accents are coded; None
    where it is not there.

    A name without its ending, such as "I01", is found too where one file only is called so.

    Args:
        known: names in each folder, by what they have in common, with their endings and after a "." without; filled
            here.
    """
    if os.path.isfile(os.path.join(root, name)):
        return os.path.normpath(name) if ".." in name.split("/") else name
    written = ""
    for part in os.path.relpath(os.path.join(root, name), root or ".").split(os.sep):
        folder = os.path.join(root, written)
        if folder not in known:
            known[folder] = {}
            for entry in os.listdir(folder or ".") if os.path.isdir(folder or ".") else ():
                known[folder].setdefault(alike(entry), []).append(entry)
                known[folder].setdefault("." + alike(os.path.splitext(entry)[0]), []).append(entry)
        entries = known[folder].get(alike(part)) or known[folder].get("." + alike(part), [])
        if part not in entries and len(entries) != 1:
            return None
        written = os.path.join(written, part if part in entries else entries[0])
    return written if os.path.isfile(os.path.join(root, written)) else None


def alike(name: str) -> str:
    """What names have in common that differ in case, or in how accents are coded."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def describe(images: Scored) -> str:
    """What was read, in a line to print."""
    kinds = len(set(images.kinds) - {""})
    return (
        f"{counted(len(images.paths), 'image')} of {len(np.unique(images.references))} reference photos"
        + (f", {counted(kinds, 'distortion')}" if kinds else "")
        + f", scores {images.low:g} to {images.high:g}, {'higher' if images.higher_is_better else 'lower'} is better"
    )


def write_list(path: str, files: Sequence[str], scores: Sequence[float]) -> None:
    """Writes lines `path score`, which `read_scores` reads to the same values; the file is written whole or not at all.

    Raises:
        ValueError: no files, not one finite score for each, or a name that such a line cannot hold.
    """
    if not len(files) or len(files) != len(scores):
        raise ValueError(f"{path}: {len(files)} files and {len(scores)} scores; expected one score for each file")
    if not np.all(np.abs(scores) <= HIGHEST):  # nor NaN
        raise ValueError(f"{path}: scores that are not finite; expected numbers of at most {HIGHEST:g}")
    for file in map(os.fspath, files):
        if not file or file != file.strip() or file.startswith("#") or "\n" in file or "\r" in file:
            raise ValueError(
                f"{path}: {file!r} cannot stand in a list; expected a name without # or blanks at its ends, on one line"
            )
    lines = [f"{os.fspath(file)} {repr(float(score)).removesuffix('.0')}\n" for file, score in zip(files, scores)]
    save_aside(lambda aside: Path(aside).write_text("".join(lines), encoding="utf-8", errors="surrogateescape"), path)


def write_rank_lists(path: str, files: Mapping[str, Sequence[Sequence[str]]]) -> None:
    """Writes lines `path level`: for each distortion a block, level by level, photos in the same order.

    Args:
        files: for each distortion, files[kind][level][photo]; level 0 is the pristine photo.

    Raises:
        ValueError: levels of a distortion that differ in their number of photos.
    """
    for kind, levels in files.items():
        counts = [len(photos) for photos in levels]
        if len(set(counts)) != 1:
            raise ValueError(f"{path}: {kind} has levels of {counts} photos; expected the same photos at each level")
    rows = [(file, level) for levels in files.values() for level, photos in enumerate(levels) for file in photos]
    write_list(path, [file for file, _ in rows], [level for _, level in rows])


def split_by_reference(references: np.ndarray, test_share: float, seed: int,
                       name: str = "test_share") -> tuple[np.ndarray, np.ndarray]:
    """Holds whole reference photos out, so that no photo is seen in training and in test.

    Args:
        references: (N,) int.
        test_share: share of the photos to test on, 0 to 1; at least one where it is not 0.
        name: of that share, for the error.

    Returns:
        Rows to train on and rows to test on, each sorted; together every row once.

    Raises:
        ValueError: a share outside of 0 to 1, or one that leaves no photo to train on.
    """
    photos = np.unique(references)
    held = max(1, round(test_share * len(photos))) if test_share else 0
    if not 0 <= test_share < 1 or held >= len(photos):
        raise ValueError(
            f"--{name}={test_share:g} of {len(photos)} reference photos leaves none to train on or is not a share; "
            f"expected 0 <= {name} < 1, and two photos or more"
        )
    tested = np.isin(references, np.random.default_rng(seed).permutation(photos)[:held])
    return np.flatnonzero(~tested), np.flatnonzero(tested)
