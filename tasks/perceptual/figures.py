"""Figures of the perceptual distance: originals, copies and where they differ; and what generators made."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image

from utils.run import figures
from utils.sheets.fonts import short

LARGEST = 320  # pixels a side of a picture on a sheet


def heat(places: np.ndarray, top: float) -> np.ndarray:
    """Where pictures differ, (H, W), as a picture (H, W, 3) uint8: black for 0, white from `top` on."""
    import matplotlib

    return np.rint(255 * matplotlib.colormaps["inferno"](places / max(top, 1e-9))[..., :3]).astype("uint8")


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
    top = max(float(places.max()) for *_, places in rows)
    pictures, titles = [], []
    for other, words, photo, places in rows:
        pictures += [small(original), small(photo), small(heat(places, top))]
        titles += [short(name), short(other), words]
    figures.contact_sheet(pictures, titles, path, columns=3, side=LARGEST,
                          heading="original, other, and where they differ: the brighter, the more")


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
