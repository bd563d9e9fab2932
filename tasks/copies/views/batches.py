"""Photos -> batches of several views of each, as copies of it look; repeatable from seed, epoch and step."""

from collections.abc import Sequence

import keras
import numpy as np

from tasks.copies.views.photo import photo_views
from utils.batches.ahead import Ahead


class ViewBatches(keras.utils.PyDataset):
    """Batches of P photos, each in K views that `tasks.copies.views.changes` draws: every photo is a class of its own.

    Each photo comes once before any comes twice, in a new random order each time.

    A batch is {"image": (B, H, W, C) uint8, "label": (B,) int32} and the labels again; a label is the row of the photo.

    Args:
        paths: photos.
        shape: (height, width, channels) of a view.
        batch_size: images in a batch, about: P is the largest that fits, and no photo comes twice in a batch.
        views: K, two or more.
        steps: batches in an epoch; 0: as many as show each photo once, 40 or more.
        seed: 0 or above.
        workers: processes that make views; 0: none.
        without: kinds of changes after which a photo is no copy any more.
    """

    def __init__(
        self, paths: Sequence[str], shape: tuple[int, int, int], batch_size: int, views: int = 2, steps: int = 0,
        seed: int = 0, workers: int = 1, without: Sequence[str] = (),
    ):
        super().__init__()
        self.paths, self.shape, self.views = list(paths), shape, views
        self.photos = min(max(2, batch_size // views), len(self.paths))
        self.steps = steps or max(40, len(self.paths) // self.photos)
        self.seed, self.epoch = seed, 0
        self.without = tuple(without)
        self.made = Ahead(photo_views, self.jobs, workers)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        number = self.epoch * len(self) + step
        images = np.concatenate(self.made(number))  # (B, H, W, C)
        labels = self.rows(number).repeat(self.views).astype("int32")
        return {"image": images, "label": labels}, labels

    def rows(self, number: int) -> np.ndarray:
        """The photos of a batch, counted over all epochs."""
        turns = len(self.paths) // self.photos  # batches until the order is drawn again
        order = np.random.default_rng([self.seed, number // turns]).permutation(len(self.paths))
        first = number % turns * self.photos
        return order[first : first + self.photos]

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch: arguments of `photo_views`."""
        return [
            (self.paths[row], self.shape, self.views, [self.seed, number, int(row)], self.without)
            for row in self.rows(number)
        ]
