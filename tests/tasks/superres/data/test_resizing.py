"""Resizing as MATLAB's imresize does it: against its definition in loops, and by the published figures of Set5."""

import numpy as np
import pytest
from PIL import Image

from tasks.superres.data import resizing
from tasks.superres.data.pairs import large_photos, paired
from tasks.superres.measuring.luma import scores
from tasks.superres.measuring.report import means, measured

from helpers import DATA


def imresize(row, count):
    """A row of numbers at another length, by MATLAB's definition: a cubic as wide as the scale asks, mirrored ends."""
    scale = count / len(row)
    wide = max(1.0, 1 / scale)
    made = []
    for place in range(count):
        middle = (place + 0.5) / scale - 0.5
        total = weight = 0.0
        for old in range(int(middle - 2 * wide) - 2, int(middle + 2 * wide) + 3):
            x = abs(middle - old) / wide
            share = 1.5 * x**3 - 2.5 * x**2 + 1 if x <= 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0
            mirrored = old % (2 * len(row))
            total += share * row[mirrored if mirrored < len(row) else 2 * len(row) - 1 - mirrored]
            weight += share
        made.append(total / weight)
    return made


@pytest.mark.parametrize("before, after", [(24, 12), (24, 8), (24, 6), (9, 18), (7, 21), (1, 4), (2, 6), (24, 13)])
def test_a_row_and_a_column_are_resized_as_the_definition_says(before, after, rng):
    row = rng.uniform(0, 255, before)
    want = imresize(row, after)
    across, down = np.tile(row, (5, 1)), np.tile(row[:, None, None], (1, 5, 3))
    np.testing.assert_allclose(resizing.resized(across, 5, after)[2], want, atol=2e-4)
    np.testing.assert_allclose(resizing.resized(down, after, 5)[:, 2, 1], want, atol=2e-4)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_a_part_of_the_small_photo_is_made_without_the_rest(scale, rng):
    photo = rng.integers(0, 256, (17 * scale, 23 * scale, 3), dtype="uint8")
    small = resizing.smaller(photo, scale)
    for top, left in ((0, 0), (3, 11), (7, 13), (1, 12)):
        part = resizing.smaller_part(photo, scale, top, left, 10)
        np.testing.assert_array_equal(part, small[top : top + 10, left : left + 10])


@pytest.mark.parametrize("scale, psnr, ssim", [(2, 33.66, 0.9299), (3, 30.39, 0.8682), (4, 28.42, 0.8104)])
def test_bicubic_interpolation_of_set5_has_the_published_figures(scale, psnr, ssim):
    folder = DATA / "super_resolution" / "Set5"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    found = means(measured(None, paired(str(folder), large_photos(str(folder), scale), "", scale), scale))
    assert abs(found["bicubic_psnr"] - psnr) <= 0.02 and abs(found["bicubic_ssim"] - ssim) <= 0.0005
    assert found["lanczos_psnr"] > found["bicubic_psnr"]


def test_other_filters_do_not_give_the_published_figure():
    """Pillow's own bicubic filter, which leaves out what lies beyond the border, and one without antialiasing."""
    folder = DATA / "super_resolution" / "Set5"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    found = []
    for name in large_photos(str(folder), 2):
        large = np.asarray(Image.open(folder / name))
        found.append(scores(resizing.larger(np.ascontiguousarray(large[::2, ::2]), 2), large, 2)["psnr"])
    assert abs(np.mean(found) - 33.66) > 1
