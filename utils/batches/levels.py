"""Photos -> batches, distorted or cropped while training; repeatable from seed, epoch and step."""

from collections import deque
from typing import Callable, Sequence

import keras
import numpy as np

from utils.batches.ahead import Ahead
from utils.distortions.catalogue import Distortion
from utils.batches.crops import Wanted, photo_crop, photo_levels


class RankedBatches(keras.utils.PyDataset):
    """Batches of P photos, each pristine and at every level of some distortions, all crops of a photo at one place.

    A photo that was distorted serves `crops` steps, each with another place of it: a block of steps.
    With a cache a block is one step, for nothing need be distorted twice.
    A batch depends on the seed, the epoch and the step alone; with "hard" on the network too.

    Args:
        paths: photos.
        kinds: distortions by name; their order numbers them.
        batch_size: images in a batch at most. Where a photo's share does not hold all distortions, they are dealt in turn.
        crop: side of the crops, in pixels.
        crops: places, and so steps, for which a distorted photo is used.
        photos: P.
        pairs: "all": as above. To measure against, batches of B/2 pairs of levels of one distortion,
            as for a network of two branches: "random", or "hard", of twice as many those that
            `scores` orders worst. Their keys hold the number of the pair in place of the photo's.
        across_photos: every other of such pairs, about, is of two photos, as those of a batch of two photos are.
        steps: batches in an epoch.
        seed: 0 or above.
        workers: processes that distort; 0: none.
        cache: folder that keeps distorted photos, see `utils.batches.crops.photo_levels`; "": none.
        scores: images (B, crop, crop, 3) -> (B,) of the network as it is, for "hard".
    """

    def __init__(
        self, paths: Sequence[str], kinds: dict[str, Distortion], batch_size: int, crop: int, crops: int = 4,
        photos: int = 4, pairs: str = "all", across_photos: bool = False, steps: int = 100, seed: int = 0, workers: int = 1,
        cache: str = "", scores: Callable[[np.ndarray], np.ndarray] | None = None,
    ):
        super().__init__()
        self.paths, self.kinds, self.names = list(paths), kinds, list(kinds)
        self.batch_size, self.crop, self.crops, self.cache = batch_size, crop, 1 if cache else crops, cache
        self.pairs, self.across_photos = pairs, across_photos
        self.photos = min(photos, len(self.paths))
        self.steps, self.seed, self.epoch = steps, seed, 0
        self.scores = scores
        self.made = Ahead(photo_levels, self.jobs, workers)
        longest = 1 + max(len(kind.levels) for kind in kinds.values())
        if pairs == "all" and longest * self.photos > batch_size:
            raise ValueError(f"--batch_size={batch_size} does not hold {longest} levels of {self.photos} photos; pass "
                             f"--batch_size={longest * self.photos} or more, or fewer --photos_per_batch")

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        block, place = divmod(step, self.crops)
        number = self.epoch * -(-self.steps // self.crops) + block
        images = np.concatenate([levels[place] for levels in self.made(number)])  # (B, crop, crop, 3)
        keys = self.keys([wanted for _, wanted in self.plan(number)])  # (B, 3)
        if self.pairs == "hard":
            images, keys = self.hardest(images, keys)
        return {"image": images, "key": keys}, keys

    def jobs(self, number: int) -> list[tuple]:
        """The work of a block: arguments of `photo_levels`, photo by photo."""
        return [
            (self.paths[photo], {name: self.kinds[name] for name, _ in wanted if name}, wanted, self.crop, self.crops,
             [self.seed, number, place], self.cache)
            for place, (photo, wanted) in enumerate(self.plan(number))
        ]

    def plan(self, number: int) -> list[tuple[int, Wanted]]:
        """Which photos a block shows, and which levels of each."""
        rng = np.random.default_rng([self.seed, number])
        if self.pairs == "all":
            hands = self.dealt(rng)
            return list(zip(rng.choice(len(self.paths), self.photos, replace=False), hands))
        count = self.batch_size // 2 * (2 if self.pairs == "hard" else 1)
        return [shown for _ in range(count) for shown in self.pair(rng)]

    def dealt(self, rng: np.random.Generator) -> list[Wanted]:
        """For each photo the pristine one and all levels of as many distortions as its share of the batch holds.

        They are dealt like cards, so that a batch shows as many distortions as it can, each about as
        often: batch normalisation needs batches that are alike.
        """
        deck, room = deque(rng.permutation(self.names).tolist()), self.batch_size // self.photos
        hands = [[("", 0)] for _ in range(self.photos)]
        for hand in hands:
            for _ in self.names:
                levels = len(self.kinds[deck[0]].levels)
                if len(hand) + levels > room:
                    break
                hand += [(deck[0], level) for level in range(1, levels + 1)]
                deck.rotate(-1)
        return hands

    def pair(self, rng: np.random.Generator) -> list[tuple[int, Wanted]]:
        """Two levels of one distortion, the better first: of one photo, or one each of two."""
        photo, name = rng.integers(len(self.paths)), str(rng.choice(self.names))
        first, second = sorted(rng.choice(len(self.kinds[name].levels) + 1, 2, replace=False).tolist())
        wanted = [(name if first else "", first), (name, second)]
        if self.across_photos and rng.random() < 0.5:
            return [(photo, wanted[:1]), (rng.integers(len(self.paths)), wanted[1:])]
        return [(photo, wanted)]

    def keys(self, plan: list[Wanted]) -> np.ndarray:
        """Photo or pair, distortion (-1: none) and level of each image of a batch: (B, 3) int32."""
        rows = [
            (photo, self.names.index(name) if name else -1, level)
            for photo, wanted in enumerate(plan) for name, level in wanted
        ]
        keys = np.array(rows, "int32")
        if self.pairs != "all":
            keys[:, 0] = np.arange(len(keys)) // 2
        return keys

    def hardest(self, images: np.ndarray, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of pairs that stand side by side, the half whose better image leads least."""
        scores = self.scores(images)
        order = np.argsort(scores[::2] - scores[1::2], kind="stable")[: len(images) // 4]
        rows = np.stack([2 * order, 2 * order + 1], axis=1).ravel()
        return images[rows], keys[rows]


class ScoredBatches(keras.utils.PyDataset):
    """Batches of one random crop of each of some photos, with what the tower should say of them.

    Each photo comes once before any comes twice, in an order drawn anew each time.

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
        turns, places = np.divmod(np.arange(number * self.batch_size, (number + 1) * self.batch_size), len(self.paths))
        orders = {turn: np.random.default_rng([self.seed, turn]).permutation(len(self.paths)) for turn in set(turns.tolist())}
        return np.array([orders[turn][place] for turn, place in zip(turns.tolist(), places)])

    def jobs(self, number: int) -> list[tuple]:
        """The work of a batch: arguments of `photo_crop`."""
        return [(self.paths[row], self.crop, [self.seed, number, int(row)]) for row in self.rows(number)]
