"""Rounding and luma as MATLAB has them, PSNR of equal pictures and of whole numbers."""

import numpy as np
import pytest

from utils.metrics import pictures


def test_halves_are_rounded_upwards_and_what_lies_outside_is_cut():
    assert pictures.rounded([-3, 0.49, 0.5, 1.5, 2.5, 254.5, 300]).tolist() == [0, 0, 1, 2, 3, 255, 255]
    assert pictures.rounded([65535.4, 70000, -1], 65535).tolist() == [65535, 65535, 0]


def test_luma_is_that_of_rgb2ycbcr():
    """Black 16, white 235; MATLAB gives 81, 145 and 41 for red, green and blue."""
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [0, 255, 0], [0, 0, 255]]], "uint8")
    assert pictures.luma(colours).tolist() == [[16, 235, 81, 145, 41]]


def test_ssim_of_light_pictures_of_one_colour_is_that_of_the_equation():
    """Where nothing varies, the equation has the means alone."""
    one, other, constant = 235.0, 230.0, (0.01 * 255) ** 2
    right = (2 * one * other + constant) / (one**2 + other**2 + constant)
    assert pictures.ssim(np.full((40, 40), one), np.full((40, 40), other)) == pytest.approx(right, abs=1e-6)


def test_psnr_of_whole_numbers_is_that_of_the_equation(rng):
    """Not kept modulo 256, as a difference of uint8 would be; infinite for equal pictures."""
    one, other = rng.integers(0, 256, (2, 20, 30, 3), dtype="uint8")
    error = ((one.astype("float64") - other) ** 2).mean()
    assert pictures.psnr(one, other) == pytest.approx(10 * np.log10(255**2 / error), abs=1e-4)
    assert pictures.psnr(one, one) == np.inf and np.isnan(pictures.ssim(one[:9, :, 0], one[:9, :, 0]))
