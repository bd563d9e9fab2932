"""Filters as products of matrices, beside those of scipy.ndimage."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, uniform_filter

from utils.keypoints.filters import blurred, means

SHAPES = [(5, 7), (40, 31), (3, 65, 96), (1, 1)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", [0.3, 1.6, 4.0])
def test_a_blur_is_that_of_scipy(shape, sigma):
    values = np.random.default_rng(0).random(shape).astype("float32") * 255
    expected = gaussian_filter(values, sigma, truncate=3.5, mode="reflect", axes=(-2, -1))
    assert np.abs(blurred(values, sigma, 3.5) - expected).max() < 1e-3


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("side", [1, 7, 41])
def test_means_are_those_of_scipy(shape, side):
    values = np.random.default_rng(0).random(shape).astype("float32") * 255
    expected = uniform_filter(values, side, mode="constant", axes=(-2, -1))
    assert np.abs(means(values, side) - expected).max() < 1e-3
