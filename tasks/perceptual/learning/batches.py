"""Photos -> batches of crops, which are their own targets; repeatable from seed, epoch and step."""

from collections.abc import Sequence

import keras
import numpy as np
from PIL import Image

from utils.batches.ahead import Ahead
from utils.batches.crops import random_crop, window
from utils.data.images import read_photo

WIDEST = 3  # a crop shows a square of the photo of 1 to so many times its own side, if the photo is large enough


def scaled_crop(path: str, side: int, seed: Sequence[int]) -> np.ndarray:
    """A random square of a photo, perhaps larger than `side` and made small, mirrored or not: (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    photo = read_photo(path)
    seen = int(side * rng.uniform(1, max(1.0, min(WIDEST, min(photo.shape[:2]) / side))))
    part = window(photo, seen, rng) if min(photo.shape[:2]) >= side else random_crop(photo, side, rng)
    image = Image.fromarray(part).resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(image)[:, :: -1 if rng.random() < 0.5 else 1]


class PhotoBatches(keras.utils.PyDataset):
    """Batches {"image": (B, s, s, 3) uint8} of crops of photos, with themselves as targets.

    Args:
        paths: photos.
        side: of the crops, in pixels.
        batch_size: crops in a batch.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that cut crops; 0: none.
    """

    def __init__(self, paths: Sequence[str], side: int, batch_size: int, steps: int, seed: int = 0, workers: int = 1):
        super().__init__()
        self.paths, self.side, self.batch_size = list(paths), side, batch_size
        self.steps, self.seed, self.epoch = steps, seed, 0
        self.made = Ahead(scaled_crop, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        images = np.stack(self.made(self.epoch * len(self) + step))
        return {"image": images}, images

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch, counted over all epochs: arguments of `scaled_crop`."""
        rng = np.random.default_rng([self.seed, number])
        rows = rng.integers(len(self.paths), size=self.batch_size)
        return [(self.paths[row], self.side, [self.seed, number, place]) for place, row in enumerate(rows.tolist())]


def crops(paths: Sequence[str], side: int, most: int, seed: int = 0) -> np.ndarray:
    """One crop each of photos, or several where there are few: (N, side, side, 3) uint8, always the same ones."""
    count = min(most, 4 * len(paths))
    return np.stack([scaled_crop(paths[number % len(paths)], side, [seed, number]) for number in range(count)])
