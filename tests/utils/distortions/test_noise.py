"""Each kind of noise is what its name says."""

import numpy as np
import pytest

from utils.distortions import noise
from utils.distortions.catalogue import TID2013, distort

from helpers import added, psnr, scenery


@pytest.mark.parametrize("variance", [0.001, 0.01])
@pytest.mark.parametrize("name", ["white_noise", "correlated_noise", "high_frequency_noise", "masked_noise"])
def test_noise_has_the_variance_asked_for(name, variance, even):
    worse = TID2013[name].function(even, variance, np.random.default_rng(0))
    assert ((worse / 255.0) - even / 255.0).var() == pytest.approx(variance, rel=0.03)
    assert worse.mean() == pytest.approx(128, abs=1)


def test_levels_share_their_noise(even):
    weak, strong = (added("white_noise", even, level) for level in (1, 3))
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99


def test_colour_noise_is_stronger_in_colour(even):
    change = added("colour_noise", even)
    luma = change @ [0.299, 0.587, 0.114]
    blue, red = (change[..., 2] - luma) / 1.772, (change[..., 0] - luma) / 1.402
    assert (blue / 255).var() == pytest.approx(0.014, rel=0.1) and (red / 255).var() == pytest.approx(0.014, rel=0.1)
    assert luma.var() < 0.3 * min(blue.var(), red.var())


def power_below(change, frequency):
    """The share of the power at frequencies below so many cycles a pixel."""
    power = np.abs(np.fft.fft2(change, axes=(0, 1))) ** 2
    radius = np.hypot(np.fft.fftfreq(change.shape[0])[:, None], np.fft.fftfreq(change.shape[1])[None, :])
    return power[radius < frequency].sum() / power.sum()


def test_high_frequency_noise_is_high_and_correlated_noise_low(even):
    assert power_below(added("high_frequency_noise", even, 3), 0.24) < 0.01
    assert power_below(added("correlated_noise", even, 3), 0.24) > 0.85
    assert power_below(added("white_noise", even, 3), 0.24) == pytest.approx(np.pi * 0.24**2, abs=0.02)


def test_masked_noise_hides_in_texture(even):
    half = even.copy()
    half[:, 96:] = scenery()[:, 96:]
    change = added("masked_noise", half)
    assert change[:, :90].var() < 0.01 * change[:, 100:].var()


def test_impulses_are_as_many_as_asked_for_and_black_or_white(even):
    worse = distort(even, TID2013["impulse_noise"], 4, 0)
    assert set(np.unique(worse)) == {0, 128, 255}
    assert (worse != 128).mean() == pytest.approx(0.1, rel=0.05)
    assert (worse == 0).sum() == pytest.approx((worse == 255).sum(), rel=0.1)


def test_multiplicative_noise_grows_with_the_light():
    dark, light = (added("multiplicative_noise", np.full((99, 99, 3), grey, "uint8"), 1).std() for grey in (40, 160))
    assert dark == pytest.approx(0.05 * 40, rel=0.1) and light == pytest.approx(0.05 * 160, rel=0.05)


def test_denoising_adds_its_noise_once_and_takes_most_of_it_away(even):
    for level, variance in enumerate(TID2013["denoising"].levels, start=1):
        assert (added("denoising", even, level) / 255).var() < 0.1 * variance
    assert abs(noise.denoising(even, 0.01, np.random.default_rng(0)).mean() - 128) < 1


def test_comfort_noise_keeps_the_strength_of_texture(photo):
    textured = scenery()[80:, :96]
    worse = distort(textured, TID2013["comfort_noise"], 2, 0)
    rough = [np.abs(np.diff(one.astype(float), axis=1)).mean() for one in (textured, worse)]
    assert rough[1] == pytest.approx(rough[0], rel=0.15) and psnr(worse, textured) < 35
