"""Whether an exported file computes what Keras does: on real pictures, in batches of two sizes."""

import os

import keras
import numpy as np
from PIL import Image

from utils.data.files import evenly, walk
from utils.data.images import open_image
from utils.saying import counted, left_out

LIMIT = 1e-4  # largest difference that is allowed
COUNT = 6  # pictures in the larger batch; the smaller one has one
SIDE = 64  # pixels a side of the pictures where a model takes any size and its room names none
CROP = 160  # pixels a side of the crops of scikit-learn's photos


def batches(part: keras.Model, folder: str = "", side: int = 0) -> list[dict[str, np.ndarray]]:
    """A batch of one and a batch of `COUNT` of real pictures, as inputs of a part; a large one and oblong ones where it
    takes any size.

    Args:
        folder: of pictures; "": crops of the two photos that scikit-learn brings.
        side: of the pictures where the part takes any size, in pixels.

    Raises:
        ValueError: no picture in the folder, or one that cannot be read.
    """
    names, (_, height, width, channels) = list(part.input), next(iter(part.input.values())).shape
    made = []
    for count, tall, wide in ((1, 4 * side, 4 * side), (COUNT, side, side + side // 4)):
        images = pictures(folder, count * len(names), (height or tall, width or wide, channels))
        made.append({name: images[index :: len(names)] for index, name in enumerate(names)})
    return made


def pictures(folder: str, count: int, shape: tuple[int, int, int]) -> np.ndarray:
    """Pictures (count, H, W, C) float32, 0..255, of a folder, some of them twice where it has fewer; "": crops of
    scikit-learn's photos."""
    images = from_folder(folder, count) if folder else crops(count)
    return np.stack([resized(images[index % len(images)], shape) for index in range(count)])


def from_folder(folder: str, count: int) -> list[Image.Image]:
    """At most `count` pictures of a folder."""
    names = evenly(walk(folder)[0], count)
    if not names:
        raise ValueError(f"--pictures={folder}: there is no picture in it, expected photos or other pictures to try "
                         "the file on")
    read, problems = [], []
    for name in names:
        try:
            read.append(open_image(os.path.join(folder, name), "RGB"))
        except ValueError as error:
            problems.append(str(error))
    if not read:
        raise ValueError(f"--pictures={folder}: none of its pictures can be read: {problems[0]}")
    left_out(counted(len(problems), "picture"), problems)
    return read


def crops(count: int) -> list[Image.Image]:
    """Crops of the two photos that scikit-learn brings, the same ones every time."""
    from sklearn.datasets import load_sample_images

    rng, photos = np.random.default_rng(0), load_sample_images().images
    corners = [[rng.integers(0, side - CROP) for side in photos[0].shape[:2]] for _ in range(count)]
    return [Image.fromarray(photos[index % 2][y : y + CROP, x : x + CROP]) for index, (y, x) in enumerate(corners)]


def resized(image: Image.Image, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture (H, W, C) float32; grey is repeated where there are 2 or 4 channels."""
    height, width, channels = shape
    image = image.convert("RGB" if channels == 3 else "L").resize((width, height), Image.Resampling.BILINEAR)
    array = np.asarray(image, "float32").reshape(height, width, -1)
    return array if array.shape[2] == channels else np.repeat(array, channels, axis=2)


def difference(part: keras.Model, run, tried: list[dict[str, np.ndarray]]) -> float:
    """The largest difference between a part in Keras and the function `run` of its file; in shares of the largest
    number where that is above 1."""
    differences = []
    for inputs in tried:
        want = keras.ops.convert_to_numpy(next(iter(part(inputs, training=False).values())))
        got = np.asarray(run(inputs))
        if got.shape != want.shape:
            raise ValueError(f"it gives {got.shape} for {want.shape}")
        differences.append(float(np.abs(got - want).max() / max(1.0, np.abs(want).max())))
    return max(differences, key=lambda value: (np.isnan(value), value))  # NaN is the largest of all


def check(difference: float, path: str) -> None:
    """Raises ValueError where a file differs from Keras by more than `LIMIT`."""
    if not difference <= LIMIT:
        raise ValueError(f"{path}: differs from Keras by {difference:.2g}, expected at most {LIMIT:g}, so it is not "
                         "kept; pass another --format")
