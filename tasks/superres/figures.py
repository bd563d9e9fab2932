"""Figures of larger photos: bicubic interpolation beside the network, where there is most detail."""

from collections.abc import Sequence

import numpy as np

from utils.run import figures
from utils.sheets.fonts import short

PART, LOOKED_AT = 96, 30  # pixels a side of the part of a small photo that a figure shows; places along a side


def busiest(photo: np.ndarray, side: int = PART) -> tuple[slice, slice]:
    """The rows and columns of the square of a photo (H, W, 3) in which neighbouring pixels differ most."""
    places = []
    for length in photo.shape[:2]:
        size = min(side, length)
        count = min(LOOKED_AT, 1 + 2 * (length - size) // size)
        places.append([slice(begin, begin + size) for begin in np.linspace(0, length - size, count).astype(int)])
    return max(((rows, columns) for rows in places[0] for columns in places[1]), key=lambda place: steps(photo[place]))


def steps(part: np.ndarray) -> float:
    """How much neighbouring pixels of a part (h, w, 3) differ, in the mean."""
    grey = part.mean(axis=2)
    return float(sum(np.abs(np.diff(grey, axis=axis)).sum() for axis in (0, 1)) / grey.size)


def part_of(place: tuple[slice, slice], scale: int) -> tuple[slice, slice]:
    """The same place in the larger photo."""
    rows, columns = (slice(scale * part.start, scale * part.stop) for part in place)
    return rows, columns


def sheet(
    rows: Sequence[tuple[str, Sequence[np.ndarray]]], columns: Sequence[str], path: str, heading: str = "",
) -> None:
    """Parts of photos side by side, a row a photo, at `path`.

    Args:
        rows: of each photo, its name and pictures (H, W, 3) uint8 of one size.
        columns: what the pictures are.
    """
    shown = [picture for _, pictures in rows for picture in pictures]
    figures.contact_sheet(shown,
                          [f"{columns[place]}\n{short(name) if not place else ''}" for name, pictures in rows
                           for place in range(len(pictures))],
                          path, columns=len(columns), heading=heading,
                          side=max(figures.SIDE, *(max(picture.shape) for picture in shown)))
