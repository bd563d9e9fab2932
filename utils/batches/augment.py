"""Small random changes that never change a class: drawn here in NumPy, done on the device.

A row of eight numbers is the projective transform from output to input pixels, a row of two the
gain and the offset of the grey levels; `nets.layers.Augment` applies them.
"""

from typing import NamedTuple

import numpy as np


class Changes(NamedTuple):
    """How far an image may change; each part happens with `probability`."""

    rotation: float  # degrees, either way
    shear: float  # share of the height by which the top moves against the bottom
    zoom: float  # .2: 0.8 to 1.2 times the size, each side by itself
    shift: float  # share of the side, either way
    gain: float  # .2: 0.8 to 1.2 times as bright
    offset: float  # grey levels, either way
    probability: float


AUGMENTATIONS = {
    "none": Changes(0, 0, 0, 0, 0, 0, 0),
    # Koch 2015 for 105 x 105 characters: 2 pixels are .02; strokes keep their grey.
    "characters": Changes(rotation=10, shear=0.3, zoom=0.2, shift=0.05, gain=0, offset=0, probability=0.5),
    # Photographs: what another camera, hand and lamp would do.
    "photos": Changes(rotation=8, shear=0.08, zoom=0.12, shift=0.06, gain=0.2, offset=16, probability=0.7),
}


def draw_changes(
    rng: np.random.Generator, count: int, size: tuple[int, int], changes: Changes
) -> tuple[np.ndarray, np.ndarray]:
    """Draws changes for `count` images of `size` (height, width).

    Returns:
        warps (count, 8) and lights (count, 2), float32.
    """

    def draw(limit):  # (count,) in -limit..limit, 0 where the part does not happen
        return rng.uniform(-limit, limit, count) * (rng.random(count) < changes.probability)

    angle, shear = np.deg2rad(draw(changes.rotation)), draw(changes.shear)
    zoom_x, zoom_y = 1 + draw(changes.zoom), 1 + draw(changes.zoom)
    height, width = size
    shift_x, shift_y = draw(changes.shift) * width, draw(changes.shift) * height
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = cos / zoom_x, (shear * cos - sin) / zoom_x
    c, d = sin / zoom_y, (shear * sin + cos) / zoom_y
    centre_x, centre_y = (width - 1) / 2, (height - 1) / 2
    right = centre_x - a * centre_x - b * centre_y + shift_x  # the centre stays where it is
    down = centre_y - c * centre_x - d * centre_y + shift_y
    zero = np.zeros(count)
    warps = np.stack([a, b, right, c, d, down, zero, zero], axis=1)
    lights = np.stack([1 + draw(changes.gain), draw(changes.offset)], axis=1)
    return warps.astype("float32"), lights.astype("float32")
