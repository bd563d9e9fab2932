"""Photos, or sets of real patches -> batches of pairs of patches; repeatable from seed, epoch and step."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np

from tasks.patches.data.pairs import Views, mirrored, photo_pairs
from utils.batches.ahead import Ahead


class PatchSet(NamedTuple):
    """Real patches (N, P, P) uint8 with the number of the point that each shows (N,), and of the scene that the point
    lies in (N,)."""

    patches: np.ndarray
    points: np.ndarray
    scenes: np.ndarray

    def take(self, rows) -> "PatchSet":
        """Only these rows."""
        return PatchSet(*(values[rows] for values in self))


def drawn_pairs(patch_set: PatchSet, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Two patches of each of the points, drawn by chance: (n, 2, P, P, 1) uint8."""
    order = rng.permutation(len(patch_set.points))
    order = order[np.argsort(patch_set.points[order], kind="stable")]
    first = np.searchsorted(patch_set.points[order], points)
    return patch_set.patches[np.stack([order[first], order[first + 1]], axis=1)][..., None]


class SetBatches(keras.utils.PyDataset):
    """Batches of n pairs of real patches, of points that are shown twice or more, from a few scenes. A batch is as of
    `PatchBatches`.

    Args:
        patch_set: the patches, of the side that the model takes.
        batch_size: patches in a batch, at most.
        sources: scenes in a batch.
        steps, seed: as of `PatchBatches`.
        turned: whether both patches of a pair are transposed and mirrored alike, by chance.
    """

    def __init__(self, patch_set: PatchSet, batch_size: int, sources: int = 8, steps: int = 100, seed: int = 0,
                 turned: bool = True):
        super().__init__()
        points, counts = np.unique(patch_set.points, return_counts=True)
        self.patch_set = patch_set.take(np.isin(patch_set.points, points[counts > 1]))
        self.points, first = np.unique(self.patch_set.points, return_index=True)
        self.scenes = self.patch_set.scenes[first]  # of each point
        self.pairs, self.sources = min(batch_size // 2, len(self.points)), sources
        self.steps, self.seed, self.epoch, self.turned = steps, seed, 0, turned

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        rng = np.random.default_rng([self.seed, self.epoch * len(self) + step])
        order = rng.permutation(np.unique(self.scenes))
        turn = np.empty(order.max() + 1, int)
        turn[order] = np.arange(len(order)) // self.sources  # further scenes only where the first are too small
        rows = rng.permutation(len(self.points))
        rows = rows[np.argsort(turn[self.scenes[rows]], kind="stable")][: self.pairs]
        pairs = drawn_pairs(self.patch_set, self.points[rows], rng)
        pairs = mirrored(pairs, rng) if self.turned else pairs
        points = np.arange(len(pairs), dtype="int32").repeat(2)
        return {"image": pairs.reshape(-1, *pairs.shape[2:]), "point": points}, points


class PatchBatches(keras.utils.PyDataset):
    """Batches of n pairs of patches, in equal parts from a few photos. Each photo comes once before any comes twice.

    A batch is {"image": (2 n, P, P, C) uint8, "point": (2 n,) int32} and the points again; rows 2 i and 2 i + 1 show
    one point.

    Args:
        paths: photos.
        shape: (P, P, C) of a patch.
        batch_size: patches in a batch, about: 2 n is the largest number that divides among the photos.
        views: how the patches of a pair differ.
        sources: photos in a batch.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that cut patches; 0: none.
    """

    def __init__(
        self, paths: Sequence[str], shape: tuple[int, int, int], batch_size: int, views: Views, sources: int = 8,
        steps: int = 100,
        seed: int = 0, workers: int = 1,
    ):
        super().__init__()
        self.paths, self.shape, self.views = list(paths), shape, views
        self.sources = min(sources, len(self.paths), max(1, batch_size // 4))
        self.count = max(2, batch_size // 2 // self.sources)  # pairs of a photo
        self.steps, self.seed, self.epoch = steps, seed, 0
        self.made = Ahead(photo_pairs, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        pairs = np.concatenate(self.made(self.epoch * len(self) + step))  # (n, 2, P, P, C)
        points = np.arange(len(pairs), dtype="int32").repeat(2)
        return {"image": pairs.reshape(-1, *self.shape), "point": points}, points

    def rows(self, number: int) -> np.ndarray:
        """The photos of a batch, counted over all epochs."""
        turns = len(self.paths) // self.sources  # batches until the order is drawn again
        order = np.random.default_rng([self.seed, number // turns]).permutation(len(self.paths))
        first = number % turns * self.sources
        return order[first : first + self.sources]

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch: arguments of `photo_pairs`."""
        return [(self.paths[row], self.shape, self.count, [self.seed, number, int(row)], self.views)
                for row in self.rows(number)]
