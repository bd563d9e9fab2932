"""Photos -> batches of small crops and the large ones; repeatable from seed, epoch and step."""

from collections.abc import Sequence

import keras
import numpy as np

from tasks.superres.data.crops import crop_pair
from tasks.superres.data.pairs import Pair
from utils.batches.ahead import Ahead


class CropBatches(keras.utils.PyDataset):
    """Batches of crops. Each photo comes once before any comes twice.

    A batch is {"image": (B, h, h, 3) uint8} and its targets (B, s h, s h, 3) uint8.

    Args:
        pairs: photos.
        scale: how many times larger.
        side: of the small crops, in pixels.
        batch_size: crops in a batch.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that cut crops; 0: none.
    """

    def __init__(
        self, pairs: Sequence[Pair], scale: int, side: int, batch_size: int, steps: int, seed: int = 0,
        workers: int = 1,
    ):
        super().__init__()
        self.pairs, self.scale, self.side = list(pairs), scale, side
        self.batch_size, self.steps, self.seed, self.epoch = batch_size, steps, seed, 0
        self.made = Ahead(crop_pair, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        small, large = zip(*self.made(self.epoch * len(self) + step))
        return {"image": np.stack(small)}, np.stack(large)

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch, counted over all epochs: arguments of `crop_pair`."""
        crops = range(number * self.batch_size, (number + 1) * self.batch_size)
        return [(self.photo(crop), self.scale, self.side, [self.seed, 1, crop]) for crop in crops]

    def photo(self, crop: int) -> Pair:
        """The photo of a crop, counted over all batches: an order is drawn again when all have come."""
        turn, place = divmod(crop, len(self.pairs))
        return self.pairs[np.random.default_rng([self.seed, 0, turn]).permutation(len(self.pairs))[place]]
