"""Lake's 20-way one-shot task, the official twenty runs (Lake, Salakhutdinov & Tenenbaum 2015).

Each run shows 20 characters of one alphabet by one drawer, then 20 drawings of the same characters
by another; each is to be matched with its own. 400 trials; guessing gives 5 %.
"""

import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from utils.data.images import read_image


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
    try:
        with zipfile.ZipFile(archive) as file:
            lists = sorted(name for name in file.namelist() if name.endswith("class_labels.txt"))
            runs = [read_run(file, name, shape) for name in lists]
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{archive}: {error}; expected Omniglot's all_runs.zip") from None
    if not runs:
        raise ValueError(f"{archive}: no class_labels.txt inside; expected Omniglot's all_runs.zip")
    return runs


def read_run(file: zipfile.ZipFile, label_list: str, shape: tuple[int, int, int]) -> Run:
    """One run; each line of its label list names a test image and its true training image."""
    lines = [line.split() for line in file.read(label_list).decode().splitlines() if line.strip()]
    folder = PurePosixPath(label_list).parent.parent  # the names start from above the run's folder
    supports = sorted({support for _, support in lines})

    def images(names):
        return np.stack([read_image(file.open(str(folder / name)), shape) for name in names])

    truth = np.array([supports.index(support) for _, support in lines])
    return Run(images([query for query, _ in lines]), images(supports), truth)


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
