"""Figures of the perceptual distance: originals, copies and where they differ; and what generators made."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from utils.run import figures
from utils.sheets.fonts import short

LARGEST = 320  # pixels a side of a picture on a sheet
TOP = 0.5  # of the distance, from which on a place has the brightest colour: about that of JPEG quality 5
BAR, GAP = 12, 4  # pixels of the height of the bar of colours, and between it and the map


def heat(places: np.ndarray) -> np.ndarray:
    """Where pictures differ, (H, W) on the scale of the distance, as a picture (h, w, 3) uint8 of at most `LARGEST`
    pixels a side: black for 0, the brightest from `TOP` on, for all pictures alike. A bar of these colours, from 0 at
    the left to `TOP` at the right, lies below it."""
    coloured = small(in_colours(places))
    width = coloured.shape[1]
    gap = np.full((GAP, width, 3), 255, "uint8")
    return np.concatenate([coloured, gap, in_colours(np.tile(np.linspace(0, TOP, width), (BAR, 1)))])


def in_colours(places: np.ndarray) -> np.ndarray:
    """Values (H, W) as colours (H, W, 3) uint8."""
    import matplotlib

    return np.rint(255 * matplotlib.colormaps["inferno"](np.clip(places / TOP, 0.0, 1.0))[..., :3]).astype("uint8")


def small(photo: np.ndarray) -> np.ndarray:
    """A photo, at most `LARGEST` pixels a side."""
    image = Image.fromarray(photo)
    image.thumbnail((LARGEST, LARGEST))
    return np.asarray(image)


def differences(original: np.ndarray, name: str, rows: Sequence[tuple[str, str, np.ndarray, np.ndarray]], path: str
                ) -> None:
    """Each picture beside its original, and where it differs, at `path`.

    Args:
        rows: of each picture its name, what is said of it, its pixels, and the map.
    """
    pictures, titles = [], []
    for other, words, photo, places in rows:
        pictures += [small(original), small(photo), heat(places)]
        titles += [short(name), short(other), words]
    figures.contact_sheet(pictures, titles, path, columns=3, side=LARGEST,
                          heading="original, other, and where they differ, on the scale of the distance: the bar goes "
                                  f"from 0 to {TOP:g} or more")


def sheet(rows: Sequence[tuple[str, np.ndarray]], path: str, heading: str, columns: int = 0) -> None:
    """Rows of pictures under their names.

    Args:
        rows: of each its name and its pictures (N, s, s, 3) uint8, N the same for all.
        columns: of the sheet; 0: N.
    """
    count = len(rows[0][1])
    figures.contact_sheet([picture for _, pictures in rows for picture in pictures],
                          [name if not number else "" for name, pictures in rows for number in range(count)],
                          path, columns=columns or count, heading=heading)


def agreement(values: dict[str, np.ndarray], path: str) -> None:
    """Human scores, the last of the values, against each of the others: a panel each, a point for each picture.

    Args:
        values: by name, (N,) each.
    """
    *ways, people = values
    page, axes = figures.figure(len(ways), 1, 4.0, 3.6)
    for axis, way in zip(axes[0], ways):
        axis.plot(values[way], values[people], ".", markersize=3, alpha=0.5)
        axis.set_xlabel(way)
        axis.set_ylabel(people)
    figures.save(page, *os.path.split(path))
