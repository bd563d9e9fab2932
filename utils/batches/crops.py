"""A photo file -> crops of its levels, all of one place. Runs in worker processes, which never import Keras."""

import contextlib
import hashlib
import math
import os
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from PIL import Image

from utils.data.files import save_aside
from utils.data.images import read_photo, settings
from utils.distortions.catalogue import Distortion, distort, own_seed

WINDOW = 512  # pixels a side of a photo that are distorted; of a larger one, a window of it
TRIES = 8  # positions looked at for a crop with texture
ENLARGED = 1_000_000  # pixels of a photo that is enlarged as a whole, at most
RIM = 4  # pixels around a part that its enlargement looks at, at most
TEXTURE = 6.0  # grey levels: least mean step between neighbouring pixels of a crop that can show order

Shown = Sequence[tuple[str, int]]  # distortion and level of each image
PRISTINE = ("", 0)  # the photo itself, at level 0 of every distortion


def photo_levels(
    path: str, kinds: dict[str, Distortion], shown: Shown, crop: int, crops: int, seed: Sequence[int], cache: str = ""
) -> np.ndarray:
    """Distorts a photo and cuts the same positions out of all its levels.

    Args:
        crop: side of a crop, in pixels.
        crops: positions.
        seed: of the window, the positions, the mirroring and the distortions.
        cache: folder where the distorted photo is kept, and found the next time; "": it is distorted again each time.

    Returns:
        (crops, len(shown), crop, crop, 3) uint8.

    Raises:
        ValueError: the photo cannot be read, or is smaller than a crop.
    """
    rng = np.random.default_rng(seed)
    if cache:
        photo, worse = kept_levels(path, kinds, shown, max(WINDOW, crop), cache)
    else:
        photo = window(read_photo(path), max(WINDOW, crop), rng)
        own = {name: rng.integers(2**31) for name in kinds}  # levels of one distortion share their draws
        worse = [distort(photo, kinds[name], level, own[name]) if level else photo for name, level in shown]
    if min(photo.shape[:2]) < crop:
        raise ValueError(f"{path}: {photo.shape[1]} x {photo.shape[0]} pixels, expected {crop} or more a side")
    positions = [textured_position(photo, crop, rng) for _ in range(crops)]
    cut = [np.stack([image[y : y + crop, x : x + crop] for image in worse]) for y, x in positions]
    return np.stack([images[:, :, ::-1] if rng.random() < 0.5 else images for images in cut])


def kept_levels(
    path: str, kinds: dict[str, Distortion], shown: Shown, largest: int, cache: str
) -> tuple[np.ndarray, list[np.ndarray]]:
    """A photo and the images `shown` of it, from a cache, which is given what it lacks.

    There is a file for the photo and one for each distortion with all its levels, (levels, H, W, 3)
    uint8, named after all that they are made from. Only what is cut out of one is read.
    """
    seen = os.stat(path)
    made_of = (os.path.abspath(path), seen.st_mtime_ns, seen.st_size, largest, *filter(None, [settings()]))
    seed = int(sha1(os.path.basename(path))[:8], 16)  # the same wherever the photo lies

    def pristine() -> np.ndarray:
        return window(read_photo(path), largest, np.random.default_rng(seed))

    def distorted(name: str) -> np.ndarray:
        photo, kind = pristine(), kinds[name]
        return np.stack([distort(photo, kind, level, own_seed(name, seed)) for level in range(1, len(kind.levels) + 1)])

    def kept(make: Callable[[], np.ndarray], *of) -> np.ndarray:
        file = os.path.join(cache, sha1((made_of, *of)) + ".npy")
        with contextlib.suppress(OSError, ValueError, EOFError):  # not there, or broken: it is made
            return np.load(file, mmap_mode="r")
        os.makedirs(cache, exist_ok=True)
        images = make()
        save_aside(lambda aside: np.save(aside, images), file, ".npy")
        return np.load(file, mmap_mode="r")

    photo = kept(pristine, "pristine")
    levels = {name: kept(partial(distorted, name), name, kind.levels) for name, kind in kinds.items()}
    return photo, [levels[name][level - 1] if level else photo for name, level in shown]


def sha1(of) -> str:
    """A name for anything that `repr` tells from all else."""
    return hashlib.sha1(repr(of).encode()).hexdigest()


def window(photo: np.ndarray, largest: int, rng: np.random.Generator) -> np.ndarray:
    """A random part of a photo (H, W, 3) of at most `largest` pixels a side."""
    height, width = (min(side, largest) for side in photo.shape[:2])
    y, x = (rng.integers(side - part + 1) for side, part in zip(photo.shape[:2], (height, width)))
    return photo[y : y + height, x : x + width]


def textured_position(photo: np.ndarray, crop: int, rng: np.random.Generator) -> tuple[int, int]:
    """Top and left of a random crop with texture, or of the richest of `TRIES`: plain sky shows no order."""
    positions = []
    for _ in range(TRIES):
        y, x = (int(rng.integers(side - crop + 1)) for side in photo.shape[:2])
        grey = photo[y : y + crop, x : x + crop].mean(axis=2)
        positions.append((np.abs(np.diff(grey, axis=0)).mean() + np.abs(np.diff(grey, axis=1)).mean(), (y, x)))
        if positions[-1][0] >= TEXTURE:
            break
    return max(positions)[1]


def photo_crop(path: str, crop: int, seed: Sequence[int]) -> np.ndarray:
    """A random crop of a photo, mirrored or not: (crop, crop, 3) uint8. A smaller photo is enlarged to fit."""
    rng = np.random.default_rng(seed)
    part = random_crop(read_photo(path), crop, rng)
    return part[:, ::-1] if rng.random() < 0.5 else part


def middle(photo: np.ndarray, side: int) -> np.ndarray:
    """The middle of a photo (H, W, ...), at most `side` pixels a side."""
    top, left = (max(0, (length - side) // 2) for length in photo.shape[:2])
    return photo[top : top + side, left : left + side]


def enlarged_size(photo: np.ndarray, side: int) -> tuple[int, int]:
    """Height and width that a photo (H, W, ...) has once none of its sides is shorter than `side` pixels."""
    factor = side / min(photo.shape[:2])
    height, width = photo.shape[:2]
    return (height, width) if factor <= 1 else (max(side, round(height * factor)), max(side, round(width * factor)))


def at_least(photo: np.ndarray, side: int) -> np.ndarray:
    """The photo, enlarged where a side of it is shorter than `side` pixels.

    One that would have more than `ENLARGED` pixels then, such as a strip of 1 x 65000, stays as it is: `random_crop`
    and `central_crop` cut it first.
    """
    height, width = enlarged_size(photo, side)
    if (height, width) == photo.shape[:2] or height * width > ENLARGED:
        return photo
    return np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BICUBIC))


def crop_at(photo: np.ndarray, side: int, y: int, x: int) -> np.ndarray:
    """The crop (side, side, 3) at a position of a photo that has the size `enlarged_size`, once it is enlarged."""
    height, width = enlarged_size(photo, side)
    photo = at_least(photo, side)
    if (height, width) == photo.shape[:2]:
        return photo[y : y + side, x : x + side]
    box, parts = [], []
    for first, length, larger in zip((y, x), photo.shape, (height, width)):
        low, high = first * length / larger, min((first + side) * length / larger, length)
        start, end = max(0, int(low) - RIM), min(length, math.ceil(high) + RIM)  # the rest need not be copied
        parts.append(slice(start, end))
        box.append((low - start, high - start))
    (top, bottom), (left, right) = box
    part = Image.fromarray(np.ascontiguousarray(photo[tuple(parts)]))
    return np.asarray(part.resize((side, side), Image.Resampling.BICUBIC, (left, top, right, bottom)))


def random_crop(photo: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """A random crop (side, side, 3) of a photo, which is enlarged where it is smaller."""
    y, x = (int(rng.integers(length - side + 1)) for length in enlarged_size(photo, side))
    return crop_at(photo, side, y, x)


def central_crop(photo: np.ndarray, side: int) -> np.ndarray:
    """The middle (side, side, 3) of a photo, which is enlarged where it is smaller."""
    y, x = ((length - side) // 2 for length in enlarged_size(photo, side))
    return crop_at(photo, side, y, x)
