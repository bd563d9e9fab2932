"""Photos -> batches of pairs of patches; repeatable from seed, epoch and step."""

from collections.abc import Sequence

import keras
import numpy as np

from utils.batches.ahead import Ahead
from utils.patches.pairs import Views, photo_pairs


class PatchBatches(keras.utils.PyDataset):
    """Batches of n pairs of patches, in equal parts from a few photos. Each photo comes once before any comes twice.

    A batch is {"image": (2 n, P, P, C) uint8, "point": (2 n,) int32} and the points again; rows 2 i and 2 i + 1 show one point.

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
        self, paths: Sequence[str], shape: tuple[int, int, int], batch_size: int, views: Views, sources: int = 8, steps: int = 100,
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
        return [(self.paths[row], self.shape, self.count, [self.seed, number, int(row)], self.views) for row in self.rows(number)]
