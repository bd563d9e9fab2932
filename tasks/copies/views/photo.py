"""A photo file -> views of it, as its copies look. Runs in worker processes, which never import Keras."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from tasks.copies.views.changes import view
from utils.data.images import open_image

WORKED = 160  # pixels of the shorter side of the photo that views are made of
PLAIN = 0.4  # share of the first views that show the photo as it is


def photo_views(
    path: str, shape: tuple[int, int, int], views: int, seed: Sequence[int], without: Sequence[str] = (),
) -> np.ndarray:
    """Several views of a photo: (views, height, width, channels) uint8. The first is often the photo as it is.

    Args:
        without: kinds of changes that do not happen, see `tasks.copies.views.changes`.

    Raises:
        ValueError: the photo cannot be read.
    """
    rng = np.random.default_rng(seed)
    photo = small(path)
    plain = rng.random() < PLAIN
    made = [photo if plain and not number else view(photo, rng, without)
            for number in range(views)]
    return np.stack([as_shape(picture, shape) for picture in made])


@lru_cache(maxsize=4096)
def small(path: str) -> Image.Image:
    """The photo with a shorter side of `WORKED` pixels; those used last stay in memory, 0.1 MB each."""
    picture = open_image(path, "RGB")
    factor = WORKED / min(picture.size)
    if factor < 1:
        picture = picture.resize([max(WORKED, round(side * factor)) for side in picture.size],
                                 Image.Resampling.BILINEAR, reducing_gap=2)
    return picture


def as_shape(picture: Image.Image, shape: tuple[int, int, int]) -> np.ndarray:
    """A picture in (height, width, channels), as `utils.data.images.read_image` makes it."""
    height, width, channels = shape
    picture = picture.convert("L" if channels == 1 else "RGB").resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture).reshape(shape)
