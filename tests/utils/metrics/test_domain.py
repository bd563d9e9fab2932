"""Characters and photographs are told apart, and pictures unlike those of a training are noticed."""

import numpy as np
import pytest

from utils.data.images import read_image
from utils.metrics import domain

from helpers import DATA


def letters(count, seed=0):
    """Black strokes on white."""
    rng = np.random.default_rng(seed)
    images = np.full((count, 48, 48, 3), 255, "uint8")
    for image in images:
        for _ in range(3):
            row, column = rng.integers(4, 40, 2)
            image[row : row + 3, 5:40] = 0
            image[5:40, column : column + 3] = 0
    return images


def photos(count, seed=0):
    """Smooth colours."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((48, 48)) / 48
    return np.stack([
        np.clip(np.stack([60 + 120 * (a * x + (1 - a) * y) + rng.normal(0, 8, x.shape) for a in rng.random(3)], axis=2),
                0, 255) for _ in range(count)
    ]).astype("uint8")


def test_characters_and_photographs():
    assert domain.are_characters(letters(5)) and not domain.are_characters(photos(5))
    grey = np.repeat(photos(5).mean(axis=3, keepdims=True).astype("uint8"), 3, axis=3)
    assert not domain.are_characters(grey)


def test_ranges_hold_their_own_pictures_and_no_others():
    known = domain.ranges(letters(200))
    assert domain.unlike(letters(50, seed=1), known).mean() < 0.05 and domain.unlike(photos(50), known).all()


def test_statistics_of_plain_pictures_are_finite():
    assert domain.statistics(np.zeros((2, 48, 48, 1), "uint8")) == pytest.approx(np.array([[0, 0, 0, 0, 1, 0]] * 2))


def test_real_photographs_are_unlike_characters():
    folder = DATA / "photos" / "bsds500" / "test"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    shown = np.stack([read_image(path, (48, 48, 3)) for path in sorted(folder.glob("*.jpg"))[:40]])
    assert not domain.are_characters(shown) and domain.unlike(shown, domain.ranges(letters(100))).all()


def test_dark_photos_and_blank_pages_are_no_characters():
    grey = np.repeat(photos(20).mean(axis=3, keepdims=True), 3, axis=3)
    dark = (grey * 0.1).astype("uint8")
    assert not domain.are_characters(dark)
    for page in (0, 128, 255):
        blank = np.full((4, 48, 48, 3), page, "uint8")
        assert not domain.are_characters(blank)
    assert not domain.are_characters(np.concatenate([letters(5), photos(3)]))  # a mixed folder
    assert domain.are_characters(letters(4)) and domain.are_characters(255 - letters(4))


def test_every_range_has_a_lower_bound_that_something_falls_below():
    known = {name: ends for name, ends in domain.ranges(photos(200)).items() if name != domain.TOGETHER}
    flat = np.full((1, 48, 48, 3), 128, "uint8")
    for name in ("detail", "contrast", "light"):
        dark = flat * 0 if name == "light" else flat
        wide = dict.fromkeys(known, [0.0, 1.0])
        assert domain.unlike(dark, wide | {name: known[name]}).all() and not domain.unlike(dark, wide).any(), name


def test_pictures_that_lie_within_all_ranges_and_combine_them_as_none_does_are_unlike():
    """Half of the known pictures are coloured and smooth, half grey and rough: a grey and smooth one is of neither
    kind."""
    rng = np.random.default_rng(0)
    smooth, rough = photos(150, seed=3), rng.integers(60, 190, (150, 48, 48, 1)).repeat(3, 3).astype("uint8")
    known = domain.ranges(np.concatenate([smooth, rough]))
    odd = np.full((1, 48, 48, 3), 120, "uint8") + rng.integers(0, 3, (1, 48, 48, 1)).astype("uint8")
    assert domain.unlike(odd, known).all()
    assert domain.unlike(np.concatenate([photos(50, seed=4), rough[:50]]), known).mean() <= 0.04


def test_few_pictures_do_not_say_how_statistics_go_together():
    assert (domain.TOGETHER not in domain.ranges(photos(domain.ENOUGH - 1))
            and domain.TOGETHER in domain.ranges(photos(domain.ENOUGH)))
