"""Photos -> batches of their levels of distortion, made while training; repeatable from seed, epoch and step."""

from collections import deque
from collections.abc import Callable, Sequence

import keras
import numpy as np

from utils.batches.ahead import Ahead
from utils.batches.crops import PRISTINE, Shown, photo_levels
from utils.distortions.catalogue import Distortion


class LevelBatches(keras.utils.PyDataset):
    """Batches of P photos, each pristine and at every level of some distortions, all crops of a photo at one position.

    A photo that was distorted serves `crops` steps, each with another position in it: a block of steps.
    With a cache a block is one step, because nothing needs to be distorted twice.
    A batch depends on the seed, the epoch and the step alone.

    A batch is {"image": (B, crop, crop, 3) uint8, "key": (B, 3) int32} and the key again. A key holds the
    number of the photo in the batch, the number of the distortion (-1: none) and the level.

    Args:
        paths: photos.
        kinds: distortions by name; their order numbers them.
        batch_size: images in a batch at most. Where a photo's share does not hold all distortions, they are dealt in
            turn.
        crop: side of the crops, in pixels.
        crops: positions, and so steps, for which a distorted photo is used.
        photos: P.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that distort; 0: none.
        cache: folder that keeps distorted photos, see `utils.batches.crops.photo_levels`; "": none.

    Raises:
        ValueError: a batch that does not hold all levels of one distortion of each photo.
    """

    def __init__(
        self, paths: Sequence[str], kinds: dict[str, Distortion], batch_size: int, crop: int, crops: int = 4,
        photos: int = 4, steps: int = 100, seed: int = 0, workers: int = 1, cache: str = "",
    ):
        super().__init__()
        self.paths, self.kinds, self.names = list(paths), kinds, list(kinds)
        self.batch_size, self.crop, self.crops, self.cache = batch_size, crop, 1 if cache else crops, cache
        self.photos = min(photos, len(self.paths))
        self.steps, self.seed, self.epoch = steps, seed, 0
        self.made = Ahead(photo_levels, self.jobs, workers)
        self.check()

    def check(self) -> None:
        """Raises ValueError where the batch is too small."""
        longest = 1 + max(len(kind.levels) for kind in self.kinds.values())
        if longest * self.photos > self.batch_size:
            raise ValueError(f"--batch_size={self.batch_size} does not hold {longest} levels of {self.photos} photos; "
                             f"pass --batch_size={longest * self.photos} or more, or fewer --photos_per_batch")

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        block, position = divmod(step, self.crops)
        number = self.epoch * -(-self.steps // self.crops) + block
        images = np.concatenate([levels[position] for levels in self.made(number)])  # (B, crop, crop, 3)
        images, keys = self.chosen(images, self.keys([shown for _, shown in self.plan(number)]))
        return {"image": images, "key": keys}, keys

    def jobs(self, number: int) -> list[tuple]:
        """The work of a block: arguments of `photo_levels`, photo by photo."""
        return [
            (self.paths[photo], {name: self.kinds[name] for name, level in shown if level}, shown, self.crop,
             self.crops,
             [self.seed, number, position], self.cache)
            for position, (photo, shown) in enumerate(self.plan(number))
        ]

    def plan(self, number: int) -> list[tuple[int, Shown]]:
        """Which photos a block shows, and each at which distortions and levels.

        The distortions are dealt like cards, as many to each photo as its share of the batch holds. So a
        batch shows as many distortions as it can, each about as often: batch normalisation needs
        batches that are alike.
        """
        rng = np.random.default_rng([self.seed, number])
        deck, room = deque(rng.permutation(self.names).tolist()), self.batch_size // self.photos
        hands = [[PRISTINE] for _ in range(self.photos)]
        for hand in hands:
            for _ in self.names:
                levels = len(self.kinds[deck[0]].levels)
                if len(hand) + levels > room:
                    break
                hand += [(deck[0], level) for level in range(1, levels + 1)]
                deck.rotate(-1)
        return list(zip(rng.choice(len(self.paths), self.photos, replace=False), hands, strict=True))

    def keys(self, plan: list[Shown]) -> np.ndarray:
        """Photo, distortion and level of each image of a batch: (B, 3) int32."""
        rows = [
            (photo, self.names.index(name) if level else -1, level)
            for photo, shown in enumerate(plan) for name, level in shown
        ]
        return np.array(rows, "int32")

    def chosen(self, images: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The images and keys that are trained on: all of them."""
        return images, keys


class PairBatches(LevelBatches):
    """Batches of pairs of levels, as for a network of two branches. They are what `LevelBatches` is measured against.

    A batch shows B/2 pairs, each of two levels of one distortion; the two stand side by side, the better first. In the
    keys the number of the pair stands in place of the photo's.

    Args:
        across_photos: every other pair, about, is of two photos, as those of a batch of two photos are.
        scores: images (B, crop, crop, 3) -> (B,) of the network as it is. If given, twice as many pairs are
            made, and the half is taken that these scores order worst; a batch then depends on the network too.
        others: as of `LevelBatches`.
    """

    def __init__(self, *others, across_photos: bool = False, scores: Callable[[np.ndarray], np.ndarray] | None = None,
                 **named):
        self.across_photos, self.scores = across_photos, scores
        super().__init__(*others, **named)

    def check(self) -> None:
        """A batch of pairs may have any size."""

    def plan(self, number: int) -> list[tuple[int, Shown]]:
        """As many pairs as the batch holds, or twice as many to choose from."""
        rng = np.random.default_rng([self.seed, number])
        count = self.batch_size // 2 * (2 if self.scores else 1)
        return [shown for _ in range(count) for shown in self.pair(rng)]

    def pair(self, rng: np.random.Generator) -> list[tuple[int, Shown]]:
        """Two levels of one distortion, the better first: of one photo, or one each of two."""
        photo, name = rng.integers(len(self.paths)), str(rng.choice(self.names))
        first, second = sorted(rng.choice(len(self.kinds[name].levels) + 1, 2, replace=False).tolist())
        shown = [(name, first) if first else PRISTINE, (name, second)]
        if self.across_photos and rng.random() < 0.5:
            return [(photo, shown[:1]), (rng.integers(len(self.paths)), shown[1:])]
        return [(photo, shown)]

    def keys(self, plan: list[Shown]) -> np.ndarray:
        """Pair, distortion and level of each image of a batch: (B, 3) int32."""
        keys = super().keys(plan)
        keys[:, 0] = np.arange(len(keys)) // 2
        return keys

    def chosen(self, images: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All pairs, or with `scores` the half whose better image leads least."""
        if self.scores is None:
            return images, keys
        scores = self.scores(images)
        order = np.argsort(scores[::2] - scores[1::2], kind="stable")[: len(images) // 4]
        rows = np.stack([2 * order, 2 * order + 1], axis=1).ravel()
        return images[rows], keys[rows]
