"""Lake's 20-way one-shot task, the official twenty runs (Lake, Salakhutdinov & Tenenbaum 2015).

Each run shows 20 characters of one alphabet by one drawer, then 20 drawings of the same characters
by another; each is to be matched with its own. 400 trials; guessing gives 5 %.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from utils.archives import open_zip
from utils.data.images import read_image
from utils.saying import counted

EXPECTED = "Omniglot's all_runs.zip"
MOST = 10**8  # bytes that it may unpack to; it has a quarter of a million
LABELS, WAYS, OFFICIAL = "class_labels.txt", 20, 20  # characters of a run; runs of the official archive


class Run(NamedTuple):
    """queries (20, H, W, C) and supports (20, H, W, C) uint8; truth (20,): support of each query."""

    queries: np.ndarray
    supports: np.ndarray
    truth: np.ndarray


def read_runs(archive: str, shape: tuple[int, int, int]) -> list[Run]:
    """Reads `all_runs.zip` without unpacking it; images as `utils.data.images.read_image` reads them.

    Raises:
        ValueError: not that archive.
    """
    with open_zip(archive, EXPECTED, MOST) as file:
        return [read_run(file, *pairs, shape) for pairs in pairs_of_names(archive, file)]


def check_runs(archive: str) -> int:
    """How many runs an archive holds; ValueError where it is none, or not whole. Pictures are not decoded."""
    with open_zip(archive, EXPECTED, MOST) as file:
        runs = pairs_of_names(archive, file)
        for pairs in runs:
            for name in sum(pairs, []):
                file.read(name)
    return len(runs)


def called(runs: int) -> str:
    """What so many runs are called: only the twenty are the official ones."""
    return "official runs" if runs == OFFICIAL else f"{counted(runs, 'run')}, not the official {OFFICIAL}"


def pairs_of_names(archive: str, file: zipfile.ZipFile) -> list[tuple[list[str], list[str]]]:
    """For each run the names of its test images, and of the true training image of each; ValueError where they are not
    20 different ones."""
    lists = sorted({name for name in file.namelist() if PurePosixPath(name).name == LABELS})
    if not lists:
        raise ValueError(f"{archive}: no {LABELS} inside; expected {EXPECTED}")
    of_runs = []
    for label_list in lists:
        lines = [line.split() for line in file.read(label_list).decode().splitlines() if line.strip()]
        if len(lines) != WAYS or {len(line) for line in lines} != {2} or len({line[1] for line in lines}) != WAYS:
            raise ValueError(f"{archive}: {label_list!r} in it has {len(lines)} lines; expected {WAYS}, each of a "
                             f"test image and its training image, all different, as in {EXPECTED}")
        folder = PurePosixPath(label_list).parent.parent  # the names start from above the run's folder
        of_runs.append(tuple([str(folder / name) for name in names] for names in zip(*lines)))
    return of_runs


class Member(io.BytesIO):
    """A file of an archive, in memory; messages call it by its name."""

    def __init__(self, file: zipfile.ZipFile, name: str):
        super().__init__(file.read(name))
        self.name = name

    def __str__(self) -> str:
        return self.name


def read_run(file: zipfile.ZipFile, queries: list[str], truth: list[str], shape: tuple[int, int, int]) -> Run:
    """One run, of the names of its test images and of the true training image of each."""
    supports = sorted(truth)

    def images(names: list[str]) -> np.ndarray:
        return np.stack([read_image(Member(file, name), shape) for name in names])

    return Run(images(queries), images(supports), np.array([supports.index(name) for name in truth]))


def one_shot_accuracy(runs: list[Run], similarity: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> float:
    """Share of queries whose most similar support is the true one.

    Args:
        similarity: (Q, H, W, C) and (S, H, W, C) uint8 -> (Q, S), higher is more alike.
    """
    right = [similarity(run.queries, run.supports).argmax(axis=1) == run.truth for run in runs]
    return float(np.mean(np.concatenate(right)))


def hausdorff_similarity(queries: np.ndarray, supports: np.ndarray) -> np.ndarray:
    """Minus the modified Hausdorff distance of the ink (Dubuisson & Jain 1994): no network at all.

    Ink is every pixel below 128, its coordinates counted from their mean. On the official runs this
    must give 61.2 %; if not, the images or the runs are read wrongly.
    """
    left, right = [ink(image) for image in queries], [ink(image) for image in supports]
    return -np.array([[modified_hausdorff(a, b) for b in right] for a in left])


def ink(image: np.ndarray) -> np.ndarray:
    """Coordinates (n, 2) of the dark pixels, about their mean."""
    points = np.argwhere(image[..., 0] < 128).astype(float)
    return points - points.mean(axis=0) if len(points) else np.zeros((1, 2))


def modified_hausdorff(a: np.ndarray, b: np.ndarray) -> float:
    """The larger of the two mean distances from a point of one set to the nearest of the other."""
    distance = cdist(a, b)
    return max(distance.min(axis=1).mean(), distance.min(axis=0).mean())
