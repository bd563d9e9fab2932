"""Which descriptors of two photos belong together: mutual nearest neighbours that stand out."""

from typing import NamedTuple

import numpy as np

RATIO = 0.8  # greatest distance of the nearest neighbour, as a share of that of the second nearest (Lowe 2004)
BLOCK = 1024  # descriptors of a that are compared with all of b at once


class Nearest(NamedTuple):
    """For each of N descriptors, the nearest among others, its distance, and the distance of the second nearest,
    infinite where there is none."""

    index: np.ndarray  # (N,) int
    distance: np.ndarray  # (N,) float32
    second: np.ndarray  # (N,) float32


class Matches(NamedTuple):
    """K matches: rows of a and of b, their distances, and the ratio of nearest to second nearest; the most certain
    first."""

    rows: np.ndarray  # (K, 2) int
    distance: np.ndarray  # (K,) float32
    ratio: np.ndarray  # (K,) float32

    def take(self, chosen) -> "Matches":
        """Only these matches."""
        return Matches(*(values[chosen] for values in self))


def nearest(a: np.ndarray, b: np.ndarray, block: int = BLOCK) -> tuple[Nearest, Nearest]:
    """The nearest neighbours of a (N, D) among b (M, D), and of b among a, by Euclidean distance; in blocks, so that
    memory stays small."""
    a, b = np.asarray(a, "float32"), np.asarray(b, "float32")
    squares_a, squares_b = (a**2).sum(1), (b**2).sum(1)
    forth = Nearest(np.zeros(len(a), int), *np.full((2, len(a)), np.inf, "float32"))
    back = Nearest(np.zeros(len(b), int), *np.full((2, len(b)), np.inf, "float32"))
    for start in range(0, len(a) if len(b) else 0, block):
        part = slice(start, start + block)
        gaps = squares_a[part, None] + squares_b - 2 * a[part] @ b.T
        for values_of, values in zip(forth, two_least(gaps)):
            values_of[part] = values
        index, first, second = two_least(gaps.T)
        better = first < back.distance
        back.second[:] = np.where(better, np.minimum(back.distance, second), np.minimum(back.second, first))
        back.index[better], back.distance[better] = index[better] + start, first[better]
    return tuple(Nearest(side.index, *(np.sqrt(np.maximum(gaps, 0)) for gaps in side[1:])) for side in (forth, back))


def two_least(gaps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Place and value of the least of each row of (N, M), and the second least value; the array is the same
    afterwards."""
    rows = np.arange(len(gaps))
    index = gaps.argmin(1)
    first = gaps[rows, index].copy()
    gaps[rows, index] = np.inf
    second = gaps.min(1)
    gaps[rows, index] = first
    return index, first, second


def ratios(found: Nearest) -> np.ndarray:
    """How far the nearest is, as a share of the second nearest: (N,) float32; 1 where both are the same."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(found.second > 0, found.distance / found.second, 1).astype("float32")


def chosen(found: Nearest, ratio: float = RATIO) -> np.ndarray:
    """Rows (K, 2) of descriptors and of the nearest of each, where that is nearer than `ratio` times the second."""
    rows = np.flatnonzero((ratios(found) <= ratio) & np.isfinite(found.distance))
    return np.stack([rows, found.index[rows]], axis=1)


def match(a: np.ndarray, b: np.ndarray, ratio: float = RATIO, mutual: bool = True) -> Matches:
    """The matches between descriptors a (N, D) and b (M, D).

    Args:
        ratio: the nearest neighbour must be nearer than `ratio` times the second nearest; 1: no such test.
        mutual: whether each must be the nearest of the other.
    """
    forth, back = nearest(a, b)
    rows = chosen(forth, ratio)
    if mutual and len(back.index):
        rows = rows[back.index[rows[:, 1]] == rows[:, 0]]
    shares = ratios(forth)[rows[:, 0]]
    order = np.argsort(shares, kind="stable")
    return Matches(rows[order], forth.distance[rows[order, 0]], shares[order])
