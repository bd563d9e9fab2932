"""Samples -> batches of P classes x K images, class by class; repeatable from seed, epoch and step."""

import keras
import numpy as np

from utils.batches.augment import Changes, draw_changes


class ClassBatches(keras.utils.PyDataset):
    """Batches that hold several images of each of several classes, for losses over all pairs.

    Batch `step` of epoch `epoch` depends on the seed and these two numbers alone, so that a
    resumed run continues with the batches that the killed one would have seen.

    Args:
        images: (N, H, W, C) uint8, an array or `utils.data.images.ImagesOnDisk`; or features (N, F) float32, which no
            pose and no change applies to.
        labels: (N,) class of each image, 0 to classes - 1.
        groups: (classes,) group of each class, such as the alphabet of a character.
        rows: the images to draw from.
        batch_size: images in a batch, about: P x K is the largest that fits.
        images_per_class: K. A class with fewer images repeats some, each time with other random changes.
        groups_per_batch: draw a batch from that many groups, for negatives that are hard to tell
            apart; 0 draws from all classes.
        poses: in how many ways each group of a batch may be shown: 1, as it is; 4, turned by quarters;
            8, mirrored too. A turned alphabet is one more alphabet. Square images only.
        changes: augmentation, see `utils.batches.augment`.
        steps: batches in an epoch; 0: as many as show each image once, 40 or more.
        seed: 0 or above.
        multiple_of: the number of devices that share a batch; P x K is made to divide among them.
    """

    def __init__(
        self,
        images,
        labels: np.ndarray,
        groups: np.ndarray,
        rows: np.ndarray,
        batch_size: int,
        images_per_class: int,
        changes: Changes,
        groups_per_batch: int = 0,
        poses: int = 1,
        steps: int = 0,
        seed: int = 0,
        multiple_of: int = 1,
    ):
        super().__init__()
        self.images, self.labels = images, labels
        classes = np.unique(labels[rows])
        self.members = [rows[labels[rows] == c] for c in classes]  # rows of each class
        self.groups = np.unique(groups[classes], return_inverse=True)[1]  # (classes,) from 0
        most = min(len(self.members), max(2, batch_size // images_per_class))
        self.classes_per_batch, self.images_per_class = shape_of_batch(most, max(4, batch_size), multiple_of)
        self.groups_per_batch = groups_per_batch
        self.poses = poses if len(images.shape) == 4 and images.shape[1] == images.shape[2] else 1
        self.changes, self.seed = changes, seed
        self.steps = steps or max(40, len(rows) // self.batch_size)
        self.epoch = 0

    @property
    def batch_size(self) -> int:
        """Images in a batch: P x K."""
        return self.classes_per_batch * self.images_per_class

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int):
        rng = np.random.default_rng([self.seed, self.epoch, step])
        classes = self.draw_classes(rng)  # (P,)
        rows = np.concatenate([self.draw_images(rng, c) for c in classes])  # (B,)
        images = self.images[rows]  # (B, H, W, C)
        if self.poses > 1:
            images = posed(images, self.draw_poses(rng, classes).repeat(self.images_per_class))
        labels = self.labels[rows].astype("int32")
        if images.ndim == 2:
            return {"image": images, "label": labels}, labels
        warps, lights = draw_changes(rng, len(rows), images.shape[1:3], self.changes)
        return {"image": images, "label": labels, "warp": warps, "light": lights}, labels

    def draw_classes(self, rng: np.random.Generator) -> np.ndarray:
        """P classes, out of `groups_per_batch` groups or, where these hold too few, some more."""
        candidates = np.arange(len(self.members))
        if self.groups_per_batch:
            order = rng.permutation(self.groups.max() + 1)
            for count in range(self.groups_per_batch, len(order) + 1):
                candidates = np.flatnonzero(np.isin(self.groups, order[:count]))
                if len(candidates) >= self.classes_per_batch:
                    break
        return rng.choice(candidates, self.classes_per_batch, replace=False)

    def draw_images(self, rng: np.random.Generator, label: int) -> np.ndarray:
        """K images of a class: each once before any comes twice."""
        members = self.members[label]
        rounds = -(-self.images_per_class // len(members))
        return np.concatenate([rng.permutation(members) for _ in range(rounds)])[: self.images_per_class]

    def draw_poses(self, rng: np.random.Generator, classes: np.ndarray) -> np.ndarray:
        """The pose of each class: one for all classes of a group."""
        return rng.integers(0, self.poses, self.groups.max() + 1)[self.groups[classes]]


def shape_of_batch(most_classes: int, batch_size: int, multiple_of: int) -> tuple[int, int]:
    """P classes and K images, each 2 or more, that divide among `multiple_of` devices: the most classes first."""
    for classes in range(most_classes, 1, -1):
        for images in range(batch_size // classes, 1, -1):
            if classes * images % multiple_of == 0:
                return classes, images
    raise ValueError(
        f"a batch of {batch_size} images does not divide among {multiple_of} devices; pass "
        f"--batch_size={4 * multiple_of} or more"
    )


def posed(images: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Images (B, S, S, C), each turned counter-clockwise by its number of quarters; from 4 on mirrored before."""
    return np.stack([np.rot90(image[:, ::-1] if pose > 3 else image, pose) for image, pose in zip(images, poses)])
