"""Scenes or photos with boxes -> batches of pictures and dense targets; repeatable from seed, epoch and step."""

from collections.abc import Callable, Sequence

import keras
import numpy as np

from tasks.detection.data.examples import drawn_example, photo_example
from tasks.detection.data.samples import Sample
from utils.batches.ahead import Ahead


class BoxBatches(keras.utils.PyDataset):
    """Batches {"image": (B, side, side, 3) uint8} and their targets (B, N, TARGET) float32.

    Args:
        function: makes one picture and its targets; see `tasks.detection.data.examples`.
        job: the arguments of `function`, by a random generator and the seed of a picture.
        batch_size: pictures in a batch.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that make pictures; 0: none.
    """

    def __init__(self, function: Callable, job: Callable[[np.random.Generator, list[int]], tuple], batch_size: int,
                 steps: int, seed: int = 0, workers: int = 1):
        super().__init__()
        self.job, self.batch_size, self.steps, self.seed, self.epoch = job, batch_size, steps, seed, 0
        self.made = Ahead(function, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        pictures, targets = zip(*self.made(self.epoch * len(self) + step))
        return {"image": np.stack(pictures)}, np.stack(targets)

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch, counted over all epochs."""
        rng = np.random.default_rng([self.seed, number])
        return [self.job(rng, [self.seed, number, place]) for place in range(self.batch_size)]


def of_scenes(side: int, strides: Sequence[int], photos: Sequence[str], **settings) -> BoxBatches:
    """Batches of drawn scenes on grounds of photos, or of drawn ones; `settings` as of `BoxBatches`."""
    photos, strides = tuple(photos), tuple(strides)
    return BoxBatches(drawn_example, lambda rng, seed: (seed, side, strides, photos), **settings)


def of_photos(root: str, samples: Sequence[Sample], side: int, strides: Sequence[int], zoom: float, mirrored: bool,
              **settings) -> BoxBatches:
    """Batches of windows of photos with boxes; `settings` as of `BoxBatches`."""
    samples, strides = list(samples), tuple(strides)

    def job(rng: np.random.Generator, seed: list[int]) -> tuple:
        return root, samples[rng.integers(len(samples))], side, strides, zoom, mirrored, seed

    return BoxBatches(photo_example, job, **settings)
