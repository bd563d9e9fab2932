"""Filters of rows and columns as products of matrices: of one core they take a half to a third of what scipy.ndimage
takes, and differ from it by rounding alone."""

from functools import lru_cache

import numpy as np

BLOCK = 32  # pixels of a row that one product makes: fewer are more calls, more are more zeros


def blurred(values: np.ndarray, sigma: float, truncate: float) -> np.ndarray:
    """Planes (..., H, W) with a Gaussian blur; the rim is mirrored, with the outermost pixel.

    Args:
        truncate: sigmas at which the bell is cut off.
    """
    reach = int(truncate * sigma + 0.5)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return filtered(values, tuple((bell / bell.sum()).tolist()), mirrored=True)


def means(values: np.ndarray, side: int) -> np.ndarray:
    """Means of planes (..., H, W) over windows of `side` pixels, an odd number; what lies outside counts as 0."""
    return filtered(values, (1 / side,) * side, mirrored=False)


def filtered(values: np.ndarray, kernel: tuple[float, ...], mirrored: bool) -> np.ndarray:
    """Planes (..., H, W) with their rows and then their columns weighted by a kernel of an odd length: float32.

    Args:
        mirrored: whether pictures go on beyond their rim as in a mirror; otherwise with zeros.
    """
    values = np.asarray(values, "float32")
    across, down = np.empty_like(values), np.empty_like(values)
    for start, first, matrix in products(kernel, values.shape[-1], mirrored):
        made, seen = matrix.shape
        np.matmul(values[..., first : first + seen], matrix.T, out=across[..., start : start + made])
    for start, first, matrix in products(kernel, values.shape[-2], mirrored):
        made, seen = matrix.shape
        np.matmul(matrix, across[..., first : first + seen, :], out=down[..., start : start + made, :])
    return down


@lru_cache(256)
def products(kernel: tuple[float, ...], length: int, mirrored: bool) -> list[tuple[int, int, np.ndarray]]:
    """How a row of `length` pixels is filtered, `BLOCK` pixels at a time: the first pixel that is made, the first that
    is needed for it, and the matrix (made, needed)."""
    reach = len(kernel) // 2
    # each row holds the kernel, each time a column further
    band = np.zeros((BLOCK, BLOCK + 2 * reach + 1), "float32")
    band[:, : len(kernel)] = kernel
    band = band.ravel()[: BLOCK * (BLOCK + 2 * reach)].reshape(BLOCK, -1)
    pixels = np.pad(np.arange(length), reach, mode="symmetric")  # that a place in or beside the row shows
    found = []
    for start in range(0, length, BLOCK):
        made = min(BLOCK, length - start)
        first, end = max(0, start - reach), min(length, start + made + reach)
        matrix = band[:made, first - start + reach : end - start + reach]
        outside = [at for at in range(made + 2 * reach) if not first <= start - reach + at < end]
        if mirrored and outside:
            matrix = matrix.copy()
            for at in outside:
                matrix[:, pixels[start + at] - first] += band[:made, at]
        found.append((start, first, matrix))
    return found
