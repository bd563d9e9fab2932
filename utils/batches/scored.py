"""Photos -> batches of crops with a target each, such as a human score; repeatable from seed, epoch and step."""

from collections.abc import Sequence

import keras
import numpy as np

from utils.batches.ahead import Ahead
from utils.batches.crops import photo_crop


class CropBatches(keras.utils.PyDataset):
    """Batches of one random crop of each of some photos, with what the tower should say of them.

    Each photo comes once before any comes twice, in a new random order each time.

    Args:
        paths: photos.
        targets: (N,) float.
        batch_size: photos in a batch.
        crop: side of the crops, in pixels.
        steps: batches in an epoch; 0: as many as show each photo once, 40 or more.
        seed: 0 or above.
        workers: processes that read; 0: none.
    """

    def __init__(
        self, paths: Sequence[str], targets: np.ndarray, batch_size: int, crop: int, steps: int = 0,
        seed: int = 0, workers: int = 1,
    ):
        super().__init__()
        self.paths, self.targets = list(paths), np.asarray(targets, "float32")
        self.batch_size, self.crop = min(batch_size, len(self.paths)), crop
        self.steps = steps or max(40, len(self.paths) // self.batch_size)
        self.seed, self.epoch = seed, 0
        self.made = Ahead(photo_crop, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        number = self.epoch * len(self) + step
        return {"image": np.stack(self.made(number))}, self.targets[self.rows(number)][:, None]

    def rows(self, number: int) -> np.ndarray:
        """The photos of a batch, counted over all epochs."""
        steps = np.arange(number * self.batch_size, (number + 1) * self.batch_size)
        turns, positions = np.divmod(steps, len(self.paths))
        orders = {turn: np.random.default_rng([self.seed, turn]).permutation(len(self.paths))
                  for turn in set(turns.tolist())}
        return np.array([orders[turn][position] for turn, position in zip(turns.tolist(), positions)])

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch: arguments of `photo_crop`."""
        return [(self.paths[row], self.crop, [self.seed, number, int(row)]) for row in self.rows(number)]
