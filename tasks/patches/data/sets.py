"""Patch sets as they are distributed: HPatches, UBC PhotoTour, photos with homographies; and key points from a file.

A scene holds views of the same points: row i of each view shows point i.
"""

import csv
import os
import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from utils.data.files import folders_in, reading
from utils.data.formats.kinds import is_picture
from utils.data.images import open_image
from utils.keypoints.detector import Keypoints

REFERENCE = "ref"  # the view of a scene that the others are compared with
STRIP = 65  # pixels a side of a patch of HPatches
GRID, TILE = 16, 64  # patches each way in a file of PhotoTour, and pixels a side of one
MODEL = "_model.txt"  # of a pair of photos with a homography: NAME_model.txt, NAMEA.*, NAMEB.*
# of a sequence of whole photos, in the names of Oxford's set and of HPatches: H1to3p beside img1.*, H_1_3 beside 1.*
SEQUENCE = re.compile(r"H_?(\d+)(?:to|_)(\d+)p?(?:\.txt)?", re.IGNORECASE)
EXPECTED = ("expected folders that hold ref.png and other strips as HPatches, the files info.txt and patches*.bmp of "
            f"PhotoTour, NAME{MODEL} with photos NAMEA and NAMEB, or sequences of photos: img1.png, img2.png and H1to2p"
            " as in Oxford's set, or 1.ppm, 2.ppm and H_1_2 as in that of HPatches")


class Scene(NamedTuple):
    """Views of N points: name -> patches (N, P, P[, C]) uint8, the first called "ref"."""

    name: str
    views: dict[str, np.ndarray]


class PhotoTour(NamedTuple):
    """A folder of PhotoTour: patches (N, 64, 64) uint8, the number of the point of each (N,), and lists of pairs by
    file name.

    A list holds rows (M, 2) of patches, and whether both show the same point (M,) bool.
    """

    patches: np.ndarray
    points: np.ndarray
    lists: dict[str, tuple[np.ndarray, np.ndarray]]


class PhotoPair(NamedTuple):
    """Two photos, and the matrix (3, 3) that maps pixels of b to pixels of a. Pairs of one sequence share their a."""

    name: str
    a: str
    b: str
    b_to_a: np.ndarray


def kind_of(root: str) -> str:
    """What a folder holds: "hpatches", "phototour", "homographies"; ValueError for anything else."""
    folders = folders_in(root)
    names = os.listdir(root)
    if "info.txt" in names and tiles(root):
        return "phototour"
    if any(name.endswith(MODEL) for name in names) or any(matrices(folder) for _, folder in sequences(root)):
        return "homographies"
    if any(os.path.isfile(os.path.join(root, folder, f"{REFERENCE}.png")) for folder in folders):
        return "hpatches"
    raise ValueError(f"{root}: {EXPECTED}")


def hpatches(root: str) -> Iterator[Scene]:
    """The scenes of HPatches, one at a time: folders of strips, each a column of patches of 65 x 65 pixels.

    Raises:
        ValueError: a strip of another shape, or one with fewer or more patches than ref.png, naming the file.
    """
    for name in sorted(folders_in(root)):
        folder = os.path.join(root, name)
        if not os.path.isfile(os.path.join(folder, f"{REFERENCE}.png")):
            continue
        others = sorted(os.path.splitext(file)[0] for file in os.listdir(folder)
                        if re.fullmatch(r"[eht]\d+\.png", file))
        views = {view: strip(os.path.join(folder, f"{view}.png")) for view in [REFERENCE, *others]}
        for view, patches in views.items():
            if len(patches) != len(views[REFERENCE]):
                raise ValueError(f"{os.path.join(folder, view)}.png: {len(patches)} patches, expected "
                                 f"{len(views[REFERENCE])} as in {REFERENCE}.png")
        yield Scene(name, views)


def strip(path: str) -> np.ndarray:
    """The patches (N, 65, 65) uint8 of a strip of HPatches."""
    image = np.asarray(open_image(path, "L"))
    if image.shape[1] != STRIP or image.shape[0] % STRIP:
        raise ValueError(f"{path}: {image.shape[1]} x {image.shape[0]} pixels, expected a column of patches of "
                         f"{STRIP} x {STRIP}")
    return image.reshape(-1, STRIP, STRIP)


def phototour(root: str) -> PhotoTour:
    """A folder of PhotoTour: patches*.bmp with 16 x 16 patches each, info.txt with the point of each patch, and
    m50_*.txt with pairs.

    Raises:
        ValueError: naming the file that is missing, damaged, or does not fit the others.
    """
    info = os.path.join(root, "info.txt")
    points = numbers(info, 1, "a line for each patch that begins with the number of its point")[:, 0]
    sheets = [np.asarray(open_image(os.path.join(root, name), "L")) for name in tiles(root)]
    for name, sheet in zip(tiles(root), sheets):
        if sheet.shape != (GRID * TILE, GRID * TILE):
            raise ValueError(f"{os.path.join(root, name)}: {sheet.shape[1]} x {sheet.shape[0]} pixels, expected "
                             f"{GRID * TILE} each way")
    patches = np.concatenate([sheet.reshape(GRID, TILE, GRID, TILE).swapaxes(1, 2).reshape(-1, TILE, TILE)
                              for sheet in sheets])
    if len(patches) < len(points):
        raise ValueError(f"{info}: {len(points)} patches, and the files patches*.bmp hold {len(patches)}: some of them "
                         "are missing")
    lists = {name: pairs_of(os.path.join(root, name), len(points)) for name in sorted(os.listdir(root))
             if re.fullmatch(r"m50_.*\.txt", name)}
    return PhotoTour(patches[: len(points)], points, lists)


def tiles(root: str) -> list[str]:
    """The files patches*.bmp of a folder, in order."""
    return sorted(name for name in os.listdir(root) if re.fullmatch(r"patches\d*\.bmp", name))


def pairs_of(path: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The pairs of a list of PhotoTour, whose lines are patch, point, -, patch, point, -, ...: rows (M, 2), and whether
    they are the same point."""
    table = numbers(path, 5, "lines of patch, point, 0, patch, point")
    rows = table[:, [0, 3]]
    if len(rows) and not (0 <= rows.min() and rows.max() < count):
        raise ValueError(f"{path}: names patch {rows.max() if rows.max() >= count else rows.min()}, expected 0 to "
                         f"{count - 1} as in info.txt")
    return rows, table[:, 1] == table[:, 4]


def numbers(path: str, least: int, expected: str) -> np.ndarray:
    """The whole numbers of a text file, (lines, columns) int; ValueError where a line has fewer than `least`."""
    with reading(path, expected):
        table = np.loadtxt(path, dtype=np.int64, ndmin=2)
    if table.shape[1] < least:
        raise ValueError(f"{path}: {table.shape[1]} numbers a line, expected {expected}")
    return table


def photo_pairs(root: str) -> list[PhotoPair]:
    """The pairs of photos of a folder, and those of sequences in it or in its folders, each with its homography.

    The matrix of a pair maps pixels of b to pixels of a, and that of a sequence pixels of its first photo to pixels of
    the other.

    Raises:
        ValueError: a photo is missing, or the matrix is none, naming the file.
    """
    pairs = []
    for model in sorted(name for name in os.listdir(root) if name.endswith(MODEL)):
        name, path = model.removesuffix(MODEL), os.path.join(root, model)
        photos = [photo(path, name + side) for side in "AB"]
        pairs.append(PhotoPair(name, *photos, homography(path, "pixels of B to pixels of A")))
    for sequence, folder in sequences(root):
        for first, other, file in matrices(folder):
            path = os.path.join(folder, file)
            a, b = (photo(path, f"img{number}", f"{number}") for number in (first, other))
            matrix = homography(path, f"pixels of photo {first} to pixels of photo {other}")
            pairs.append(PhotoPair(f"{sequence} {first}-{other}", a, b, np.linalg.inv(matrix)))
    return pairs


def sequences(root: str) -> list[tuple[str, str]]:
    """A folder and the folders in it, by name: each may hold a sequence of photos."""
    below = [(name, os.path.join(root, name)) for name in sorted(folders_in(root))]
    return [(os.path.basename(os.path.abspath(root)), root), *below]


def matrices(folder: str) -> list[tuple[int, int, str]]:
    """The homographies of a sequence: the numbers of both photos, and the file."""
    found = ((SEQUENCE.fullmatch(name), name) for name in os.listdir(folder))
    return sorted((int(match[1]), int(match[2]), name) for match, name in found if match)


def photo(path: str, *stems: str) -> str:
    """The photo beside a matrix that has one of these names, whatever its ending; ValueError where there is none."""
    folder = os.path.dirname(path)
    for name in sorted(os.listdir(folder)):
        if os.path.splitext(name)[0] in stems and is_picture(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise ValueError(f"{path}: there is no photo {' or '.join(stems)} beside it; expected one such as {stems[0]}.png")


def homography(path: str, maps: str) -> np.ndarray:
    """The matrix (3, 3) of a text file; ValueError where it is none."""
    expected = f"three lines of three numbers, which map {maps}"
    with reading(path, expected):
        matrix = np.loadtxt(path)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-12:
        raise ValueError(f"{path}: not a homography, expected {expected}")
    return matrix


def read_keypoints(path: str, photo: str) -> Keypoints:
    """Key points from a CSV with the columns x, y, size and, if there are, angle, response and file, in the coordinates
    of `Keypoints`.

    Args:
        photo: where the CSV has a column file, only rows that name this photo count, by its path or by its name.

    Raises:
        ValueError: a column is missing, or a value is not a number; the message names file and line.
    """
    with reading(path, "a CSV with the columns x, y, size and perhaps angle, response, file"):
        with open(path, encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = [{(name or "").strip().lower(): value for name, value in row.items()}
                    for row in csv.DictReader(file)]
    kept = []
    for line, row in enumerate(rows, start=2):
        if row.get("file") and row["file"] not in (photo, os.path.basename(photo)):
            continue
        try:
            values = ([float(row[name] or "nan") for name in ("x", "y", "size")]
                      + [float(row.get(name) or 0) for name in ("angle", "response")])
        except (KeyError, ValueError, TypeError):
            values = [np.nan]
        if not np.isfinite(values).all() or values[2] <= 0:
            raise ValueError(f"{path}, line {line}: expected numbers x, y, size above 0, and perhaps angle, response, "
                             "under a line of these names")
        kept.append(values)
    if not kept:
        raise ValueError(f"{path}: no key points of {photo}; expected rows x, y, size, angle, with a column file "
                         "where it is about several photos")
    table = np.array(kept, "float32")
    return Keypoints(table[:, :2], table[:, 2], table[:, 3] % 360, table[:, 4])
