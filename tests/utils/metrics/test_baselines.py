"""Pixels, Fisherfaces and the perceptual hash."""

import numpy as np
import pytest
from PIL import Image
from scipy import fft

from utils.metrics.baselines import fisherfaces, grey_pixels, perceptual_hash


def test_pixels_give_the_correlation_of_two_pictures(rng):
    images = rng.integers(0, 256, (3, 48, 48, 3)).astype("uint8")
    features = grey_pixels(images)
    plain = images.mean(axis=-1).astype("uint8").reshape(3, -1)
    assert features @ features.T == pytest.approx(np.corrcoef(plain), abs=1e-5)


def test_a_plain_picture_gives_no_nan():
    assert np.isfinite(grey_pixels(np.zeros((2, 20, 30, 1), "uint8"))).all()


def test_fisherfaces_tell_classes_apart_whose_pixels_vary_more_than_they_differ(rng):
    classes, images = 12, 8
    centres, nuisance = rng.normal(0, 1, (classes, 100)), rng.normal(0, 6, (1, 100))
    labels = np.repeat(np.arange(classes), images)
    rows = centres[labels] + rng.normal(0, 1, (len(labels), 1)) * nuisance + rng.normal(0, 0.3, (len(labels), 100))
    test_labels = np.repeat(np.arange(4), 5)
    unseen = rng.normal(0, 1, (4, 100))[test_labels] + rng.normal(0, 1, (20, 1)) * nuisance
    features = fisherfaces(rows, labels, unseen)
    same = (test_labels[:, None] == test_labels) & ~np.eye(20, dtype=bool)
    cosines = features @ features.T
    assert cosines[same].mean() > cosines[test_labels[:, None] != test_labels].mean() + 0.3


@pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2]])
def test_too_few_images_give_no_discriminants(labels, rng):
    assert fisherfaces(rng.normal(size=(3, 20)), np.array(labels), rng.normal(size=(2, 20))) is None


def test_the_hash_is_the_sign_of_the_lowest_frequencies(rng):
    picture = Image.fromarray(rng.integers(0, 256, (32, 32)).astype("uint8"))
    low = fft.dct(fft.dct(np.asarray(picture, float), axis=0), axis=1)[:8, :8]
    found = perceptual_hash(picture)
    assert np.array_equal(found, (low > np.median(low)).ravel()) and found.sum() == 32
    assert np.array_equal(found, perceptual_hash(picture.convert("RGB")))
