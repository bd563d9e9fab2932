"""One picture to learn from, and its dense targets. Runs in worker processes, which never import Keras."""

from collections.abc import Sequence

import numpy as np

from tasks.detection.boxes.assignment import targets
from tasks.detection.boxes.geometry import Annotated, windowed
from tasks.detection.data.samples import Sample
from tasks.detection.scenes.drawing import scene

NEARER = 1.35  # times that a photo is made larger or smaller by chance
AT_A_BOX = 0.7  # share of windows that are laid around a box
LIGHT = 0.2  # spread of the gain of the grey levels


def drawn_example(seed: Sequence[int], side: int, strides: Sequence[int], photos: Sequence[str],
                  ) -> tuple[np.ndarray, np.ndarray]:
    """A drawn scene (side, side, 3) uint8 and its targets (N, TARGET)."""
    seen = scene(seed, side, photos)
    return seen.picture, targets(seen.boxes, seen.labels, (side, side), strides)


def photo_example(root: str, sample: Sample, side: int, strides: Sequence[int], zoom: float, mirrored: bool,
                  seed: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """A window of a photo, moved, scaled, lit and perhaps mirrored by chance, and its targets.

    Args:
        zoom: times that photos are made larger for the network.
        mirrored: whether half of the windows are mirrored left to right.
    """
    rng = np.random.default_rng(list(seed))
    seen = a_window(sample.read(root), side, zoom, mirrored, rng)
    lit = seen.picture * np.exp(rng.normal(0, LIGHT)) + rng.normal(0, 10)
    return np.clip(lit, 0, 255).astype("uint8"), targets(seen.boxes, seen.labels, (side, side), strides)


def a_window(seen: Annotated, side: int, zoom: float, mirrored: bool, rng: np.random.Generator) -> Annotated:
    """A window by chance, mostly around a box, brought to (side, side)."""
    shown = side / (zoom * np.exp(rng.uniform(-np.log(NEARER), np.log(NEARER))))
    height, width = seen.picture.shape[:2]
    if len(seen.boxes) and rng.random() < AT_A_BOX:
        box = seen.boxes[rng.integers(len(seen.boxes))]
        corner = [(box[axis] + box[axis + 2]) / 2 - shown * rng.uniform(0.1, 0.9) for axis in (0, 1)]
    else:
        corner = [rng.uniform(min(0, length - shown), max(0, length - shown)) for length in (width, height)]
    corner = [min(max(place, min(0, length - shown)), max(0, length - shown))
              for place, length in zip(corner, (width, height))]
    window = (*corner, corner[0] + shown, corner[1] + shown)
    return windowed(seen, window, (side, side), mirrored and rng.random() < 0.5)
