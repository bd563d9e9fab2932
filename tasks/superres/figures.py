"""Figures of larger photos: bicubic interpolation beside the network, where there is most detail."""

from collections.abc import Sequence

import numpy as np

from utils.run import figures

PART, STEP = 96, 32  # pixels a side of the part of a small photo that a figure shows, and between those looked at


def busiest(photo: np.ndarray, side: int = PART) -> tuple[slice, slice]:
    """The rows and columns of the square of a photo (H, W, 3) in which neighbouring pixels differ most."""
    grey = photo.mean(axis=2, dtype="float32") if photo.size < 3e7 else photo[..., 1].astype("float32")
    height, width = (min(side, length) for length in grey.shape)
    steps = np.abs(np.diff(grey, axis=0, prepend=grey[:1])) + np.abs(np.diff(grey, axis=1, prepend=grey[:, :1]))
    total = np.pad(steps, ((1, 0), (1, 0))).cumsum(0, dtype="float64").cumsum(1)
    rows, columns = (np.arange(0, length - part + 1, STEP) for length, part in zip(grey.shape, (height, width)))
    sums = (total[np.ix_(rows + height, columns + width)] - total[np.ix_(rows, columns + width)]
            - total[np.ix_(rows + height, columns)] + total[np.ix_(rows, columns)])
    row, column = np.unravel_index(int(sums.argmax()), sums.shape)
    return slice(rows[row], rows[row] + height), slice(columns[column], columns[column] + width)


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
    figures.contact_sheet([picture for _, pictures in rows for picture in pictures],
                          [f"{columns[place]}\n{figures.short(name) if not place else ''}" for name, pictures in rows
                           for place in range(len(pictures))],
                          path, columns=len(columns), heading=heading)
