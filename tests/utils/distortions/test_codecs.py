"""Compression, quantisation and errors on the way."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from utils.distortions import codecs
from utils.distortions.catalogue import TID2013, distort

from helpers import psnr, scenery


@pytest.mark.parametrize("thresholds", [9, 7, 5, 3])
def test_quantisation_keeps_few_values(thresholds, photo):
    worse = codecs.quantisation(photo, thresholds, None)
    assert all(len(np.unique(worse[..., channel])) <= thresholds + 1 for channel in range(3))
    assert len(np.unique(worse)) == thresholds + 1


def test_quantisation_finds_the_best_thresholds(rng):
    counts = np.zeros(256, int)
    values = np.sort(rng.choice(256, 12, replace=False))
    counts[values] = rng.integers(1, 50, 12)
    table = codecs.multi_otsu(counts, 3)

    def error(parts):
        return sum(np.sum(counts[part] * (part - np.average(part, weights=counts[part])) ** 2) for part in parts)

    every = [np.split(values, [a, b]) for a in range(1, 11) for b in range(a + 1, 12)]
    found = [values[table[values] == value] for value in np.unique(table[values])]
    assert error(found) == pytest.approx(min(map(error, every)))
    assert len(np.unique(codecs.multi_otsu(np.eye(1, 256, 9, dtype=int)[0], 4)[9:10])) == 1


@pytest.mark.parametrize("colours", [64, 32, 16, 8])
def test_dithering_dithers_with_few_colours(colours):
    y, x = np.mgrid[:128, :192]
    ramp = np.stack([60 + x, 40 + y, 200 - x], axis=2).astype("uint8")
    worse = codecs.dithering(ramp, colours, None)
    assert len(np.unique(worse.reshape(-1, 3), axis=0)) <= colours
    plain = np.asarray(Image.fromarray(ramp).quantize(colours, dither=Image.Dither.NONE).convert("RGB"))
    near, flat = (np.abs(ndimage.gaussian_filter(one - ramp.astype(float), (3, 3, 0))).mean() for one in (worse, plain))
    assert near < 0.7 * flat  # from a distance, dithered colours are nearer to the photo
    assert psnr(worse, ramp) < psnr(plain, ramp)  # though pixel by pixel they are farther


def test_quality_zero_is_the_worst_jpeg(photo):
    assert psnr(codecs.jpeg(photo, 0, None), photo) <= psnr(codecs.jpeg(photo, 2, None), photo) < 30


def test_jpeg2000_keeps_to_its_rate():
    large = scenery(384, 512)
    for bits in (2.0, 0.46, 0.16, 0.07):
        size = len(codecs.encode_jpeg2000(large, bits)) - codecs.JP2_MARKERS
        assert size == pytest.approx(large.shape[0] * large.shape[1] * bits / 8, rel=0.05, abs=40)


def test_jpeg_errors_stay_in_their_segments(photo):
    clean = codecs.decoded(codecs.encoded(photo, format="JPEG", quality=75, restart_marker_blocks=codecs.SEGMENT))
    worse = distort(photo, TID2013["jpeg_errors"], 2, 0)
    hit = (worse != clean).any(axis=2).reshape(10, 16, 12, 16).any(axis=(1, 3))  # 16 x 16 units
    assert 0 < hit.sum() <= 2 * codecs.SEGMENT * np.ceil(0.1 * 30)


def test_no_error_on_the_way_breaks_the_reader(rng):
    """Streams damaged far beyond the levels are still photos."""
    for seed in range(60):
        small = scenery(64, 80, seed)
        assert codecs.jpeg_errors(small, 1.0, np.random.default_rng(seed)).shape == small.shape
        assert codecs.jpeg2000_errors(small, 1.0, np.random.default_rng(seed)).shape == small.shape


def test_sparse_sampling_keeps_its_samples_and_beats_their_mean(photo):
    worse = codecs.sparse_sampling(photo, 0.2, np.random.default_rng(0))
    kept = (worse == photo).all(axis=2).mean()
    assert 0.2 <= kept < 0.3
    assert psnr(worse, photo) > psnr(np.broadcast_to(photo.mean(axis=(0, 1)), photo.shape), photo) + 3
