"""Photos -> batches of small crops and the large ones; repeatable from seed, epoch and step."""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from tasks.superres.data.crops import STEP, crop_pair, errors
from tasks.superres.data.pairs import Pair
from tasks.superres.flags import SAMPLING
from utils.batches.ahead import Ahead
from utils.run.console import progress_bar

FLAT = 4.0  # squared grey levels that are added to each error, so that smooth places come too


class CropBatches(keras.utils.PyDataset):
    """Batches of crops, cut wherever they fit or rather where bicubic interpolation errs.

    A batch is {"image": (B, h, h, 3) uint8} and its targets (B, s h, s h, 3) uint8.

    Args:
        pairs: photos.
        scale: how many times larger.
        side: of the small crops, in pixels.
        batch_size: crops in a batch.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that cut crops; 0: none.
        sampling: of `tasks.superres.flags.SAMPLING`.
    """

    def __init__(
        self, pairs: Sequence[Pair], scale: int, side: int, batch_size: int, steps: int, seed: int = 0,
        workers: int = 1, sampling: str = "errors",
    ):
        super().__init__()
        self.pairs, self.scale, self.side = list(pairs), scale, side
        self.batch_size, self.steps, self.seed, self.epoch = batch_size, steps, seed, 0
        chances, self.places = chances_of(self.pairs, scale, side, SAMPLING[sampling])
        self.shapes = [chance.shape for chance in chances]
        self.ends = [np.cumsum(chance, dtype="float64") for chance in chances]
        self.photo_ends = np.cumsum([ends[-1] for ends in self.ends])
        self.made = Ahead(crop_pair, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        small, large = zip(*self.made(self.epoch * len(self) + step))
        return {"image": np.stack(small)}, np.stack(large)

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch, counted over all epochs: arguments of `crop_pair`."""
        rng = np.random.default_rng([self.seed, number])
        return [self.job(rng) for _ in range(self.batch_size)]

    def job(self, rng: np.random.Generator) -> tuple:
        """A crop by chance."""
        photo = drawn(self.photo_ends, rng)
        cell = np.unravel_index(drawn(self.ends[photo], rng), self.shapes[photo])
        place = [STEP * int(at) + int(rng.integers(STEP)) for at in cell]
        place = tuple(min(at, most - 1) for at, most in zip(place, self.places[photo]))
        return self.pairs[photo], self.scale, self.side, place, int(rng.integers(4)), bool(rng.random() < 0.5)


def drawn(ends: np.ndarray, rng: np.random.Generator) -> int:
    """A row by chance, by the sums (N,) of the chances of all rows up to it."""
    return int(min(np.searchsorted(ends, rng.random() * ends[-1], side="right"), len(ends) - 1))


def chances_of(
    pairs: Sequence[Pair], scale: int, side: int, power: float,
) -> tuple[list[np.ndarray], list[tuple[int, int]]]:
    """The chance of each place of each photo, in no certain unit, and how many places it has; see `errors`."""
    bar, chances, places = progress_bar("photo"), [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for error, most in pool.map(lambda pair: errors(pair, scale, side), pairs):
            chances.append((error + FLAT) ** power)
            places.append(most)
            bar(len(chances), len(pairs))
    return chances, places
