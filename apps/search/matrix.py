"""The similarity of each picture of a folder to each other one, block by block, and what of one folder is in
another."""

import csv
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from utils import gallery
from utils.data.files import save_aside
from utils.gallery import Gallery
from utils.run.console import progress_bar
from utils.saying import shown

if TYPE_CHECKING:
    from nets.models.siamese import Comparer

PAIRS = 1 << 20  # compared at once: 8 MB for the distances of them
HIDDEN = 512  # numbers that a head needs for a pair, at least


def similarities(left: np.ndarray, right: np.ndarray, comparer: "Comparer") -> np.ndarray:
    """Similarities (L, R) float32 of features (L, F) and (R, F): those of `comparer.score`, but for rounding in the
    last digit.

    Where a similarity falls with the distance, a product of matrices in float64 gives the distances, and the head
    gets each as the one number by which two features differ.
    """
    if not comparer.by_distance:
        return comparer.score(left[:, None], right[None])
    left, right = left.astype("float64"), right.astype("float64")
    squares = (left**2).sum(1)[:, None] + (right**2).sum(1) - 2 * (left @ right.T)
    return comparer.score(np.sqrt(np.maximum(squares, 0)).astype("float32")[..., None], np.zeros((1, 1, 1), "float32"))


def rows_of(opened: Gallery, comparer: "Comparer") -> Iterator[tuple[int, np.ndarray]]:
    """The rows of the matrix (N, N), block by block: the first row, and similarities (B, N). Shows how far it is."""
    count, bar = len(opened.paths), progress_bar("row")
    gallery.check_pairs(count**2, comparer, opened.root)
    most = PAIRS if comparer.by_distance else max(1, 8 * PAIRS // max(HIDDEN, opened.features.shape[1]))
    height, width = max(1, most // count), min(count, most)
    for start in range(0, count, height):
        block = opened.features[start : start + height]
        parts = [similarities(block, opened.features[first : first + width], comparer)
                 for first in range(0, count, width)]
        yield start, np.concatenate(parts, axis=1)
        bar(min(start + height, count), count)


def write(opened: Gallery, comparer: "Comparer", path: str) -> None:
    """Writes the matrix, whole or not at all: float32 as NumPy's file where the name ends with .npy, otherwise a CSV
    with names.

    The rows and columns of an .npy stand in the order of the paths, which stand beside it, one a line, in a file that
    ends with .txt.
    """
    path = os.path.expanduser(path)
    if not path.lower().endswith(".npy"):
        save_aside(lambda aside: write_csv(opened, comparer, aside), path)
        return
    save_aside(lambda aside: write_npy(opened, comparer, aside), path, ".npy")
    save_aside(lambda aside: write_names(opened.paths, aside), names_beside(path))


def check_names(path: str) -> None:
    """Raises ValueError where the names of the rows would be written over a file that holds something else, before the
    work for it is done."""
    path = os.path.expanduser(path)
    names = names_beside(path)
    if not path.lower().endswith(".npy") or not os.path.exists(names):
        return
    try:
        rows = len(np.load(path, mmap_mode="r"))
        with open(names, encoding="utf-8", errors="surrogateescape") as file:
            ours = sum(1 for _ in file) == rows
    except (OSError, ValueError, TypeError):  # no matrix is there, or it is none
        ours = False
    if not ours:
        raise ValueError(f"{names}: the names of the rows of {path} are written there, and it holds something else; "
                         "pass another --csv")


def names_beside(path: str) -> str:
    """The file with the names of the rows of an .npy."""
    return os.path.splitext(path)[0] + ".txt"


def write_names(paths: list[str], path: str) -> None:
    """Writes the names, one a line; of a name that has line breaks, these are written as the program shows them."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.writelines(f"{shown(name) if len(name.splitlines()) > 1 else name}\n" for name in paths)


def write_npy(opened: Gallery, comparer: "Comparer", path: str) -> None:
    """Writes the matrix (N, N) float32, never more than a block of it in memory."""
    with open(path, "wb") as file:
        shape = (len(opened.paths), len(opened.paths))
        np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for _, block in rows_of(opened, comparer):
            file.write(block.astype("<f4").tobytes())


def write_csv(opened: Gallery, comparer: "Comparer", path: str) -> None:
    """Writes the matrix with the names above and at the left; nine digits keep a float32."""
    with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", *opened.paths])
        for start, block in rows_of(opened, comparer):
            writer.writerows([opened.paths[start + row], *(f"{value:.9g}" for value in values)]
                             for row, values in enumerate(block.tolist()))


def between(a: Gallery, b: Gallery, comparer: "Comparer", threshold: float) -> list[dict[str, Any]]:
    """What of folder a is in folder b: each picture of a that has the contents of one of b, or is like one from the
    threshold on.

    Returns:
        Rows of file (in a), found (in b: the same contents, otherwise the most alike), similarity and identical; the
        most alike first.
    """
    twins, rows, bar = dict(zip(reversed(b.keys), reversed(b.paths))), [], progress_bar("picture")
    for start in range(0, len(a.paths), gallery.BLOCK):
        rows_of_a = slice(start, start + gallery.BLOCK)
        nearest = gallery.search(b, comparer, a.features[rows_of_a], 1)
        for path, key, ((match, similarity),) in zip(a.paths[rows_of_a], a.keys[rows_of_a], nearest):
            if key in twins or similarity >= threshold:
                rows.append({"file": path, "found": twins.get(key, match),
                             "similarity": 1.0 if key in twins else similarity,
                             "identical": key in twins})
        bar(min(start + gallery.BLOCK, len(a.paths)), len(a.paths))
    return sorted(rows, key=lambda row: (-row["identical"], -row["similarity"], row["file"]))
