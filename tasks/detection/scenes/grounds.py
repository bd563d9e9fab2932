"""What lies behind the things of a drawn scene: a part of a photograph or a drawn texture, and clutter on it."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from utils.batches.crops import at_least, window
from utils.data.images import read_photo

SMALLEST = 0.6  # a part of a photo shows so many times its own side at least


def ground(side: int, photos: Sequence[str], rng: np.random.Generator) -> np.ndarray:
    """The ground of a scene, (side, side, 3) uint8: of one of the photos, or drawn where there are none."""
    made = of_photo(photos[rng.integers(len(photos))], side, rng) if photos else texture(side, rng)
    return cluttered(made, rng)


def of_photo(path: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """A square of a photo, larger or smaller than it is there, turned or mirrored by chance."""
    photo = at_least(read_photo(path), side)
    seen = int(side * rng.uniform(SMALLEST, min(2.0, min(photo.shape[:2]) / side)))
    part = Image.fromarray(window(photo, seen, rng)).resize((side, side), Image.Resampling.BILINEAR)
    return np.rot90(np.asarray(part), rng.integers(4))[:, :: -1 if rng.random() < 0.5 else 1].copy()


def texture(side: int, rng: np.random.Generator) -> np.ndarray:
    """A texture of coloured noise in several sizes, sometimes with stripes."""
    made = np.full((side, side, 3), rng.uniform(40, 215, 3), "float32")
    for cells in (2, 5, 12, 30, side // 2):
        noise = rng.normal(0, 1, (cells, cells, 3)) * 0.6 + rng.normal(0, 1, (cells, cells, 1))
        planes = [Image.fromarray(noise[..., plane].astype("float32")).resize((side, side), Image.Resampling.BICUBIC)
                  for plane in range(3)]
        made += rng.uniform(0, 26) * np.stack([np.asarray(plane) for plane in planes], axis=-1)
    if rng.random() < 0.3:
        angle, wave = rng.uniform(0, np.pi), rng.uniform(4, 40)
        y, x = np.mgrid[:side, :side]
        bands = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / wave)
        made += rng.uniform(5, 30) * bands[..., None]
    return np.clip(made, 0, 255).astype("uint8")


def cluttered(picture: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture with strokes and irregular patches on it, which are nothing that is looked for."""
    image = Image.fromarray(picture)
    draw, side = ImageDraw.Draw(image), picture.shape[0]
    for _ in range(rng.integers(0, 2 + side // 20)):
        colour = tuple(int(value) for value in rng.integers(0, 256, 3))
        start, reach = rng.uniform(0, side, 2), rng.uniform(3, 40)
        if rng.random() < 0.6:
            steps = np.cumsum(rng.normal(0, reach / 3, (rng.integers(2, 6), 2)), axis=0)
            draw.line([tuple(point) for point in start + steps], fill=colour, width=int(rng.integers(1, 4)))
        else:
            turns = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(5, 10)))
            radii = reach / 2 * rng.uniform(0.3, 1, len(turns))
            draw.polygon([tuple(start + radius * np.array([np.cos(turn), np.sin(turn)]))
                          for radius, turn in zip(radii, turns)], fill=colour)
    return np.asarray(image)
