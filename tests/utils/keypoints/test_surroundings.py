"""Photos look alike where the right map lays one onto the other, and not under a wrong map, nor do other photos."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from utils.keypoints.geometry import transfer
from utils.keypoints.surroundings import matching_cells

MATRIX = np.array([[1.1, -0.2, 30], [0.15, 0.95, -10], [2e-4, -1e-4, 1]])


def photo(seed=0, height=240, width=320):
    """Smooth noise (H, W), 0..255."""
    found = gaussian_filter(np.random.default_rng(seed).normal(size=(height, width)), 2)
    return np.clip(128 + 50 * found / found.std(), 0, 255)


def seen(image, matrix):
    """The picture as a homography moves it."""
    x, y = np.meshgrid(np.arange(image.shape[1]), np.arange(image.shape[0]))
    points = transfer(np.linalg.inv(matrix), np.stack([x, y], -1).reshape(-1, 2)).reshape(*x.shape, 2)
    return map_coordinates(image, (points[..., 1], points[..., 0]), order=1, mode="constant")


@pytest.mark.parametrize("matrix", [np.eye(3), MATRIX, np.diag([0.5, 0.5, 1])])
def test_the_same_photo_is_found_again_under_its_map_alone(matrix):
    a = photo()
    moved = seen(gaussian_filter(a, 0.5), matrix)[: int(240 * matrix[1, 1]), : int(320 * matrix[0, 0])]
    assert matching_cells(a, 0.6 * moved + 20, matrix).mean() > 0.9
    assert matching_cells(a, moved, matrix @ np.array([[1, 0, 25], [0, 1, 10], [0, 0, 1.0]])).mean() < 0.2
    assert matching_cells(np.stack([a] * 3, -1).astype("uint8"), photo(1), np.eye(3)).mean() < 0.1


def test_nothing_to_look_for():
    assert not len(matching_cells(np.full((100, 100), 255), np.full((80, 90), 255), np.eye(3)))  # blank
    # beside each other
    assert not len(matching_cells(photo(), photo(), np.array([[1, 0, 5000], [0, 1, 0], [0, 0, 1.0]])))
    # a rim of two pixels
    assert not len(matching_cells(photo(), photo(), np.array([[1, 0, 317.0], [0, 1, 0], [0, 0, 1.0]])))
    assert not len(matching_cells(photo(), photo(), np.diag([1, 1, -1.0])))  # beyond the horizon
