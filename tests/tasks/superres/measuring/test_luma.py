"""PSNR and SSIM on luma, against plain formulas and SciPy's Gaussian."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tasks.superres.data.pairs import Pair
from tasks.superres.measuring import luma, report
from utils.metrics import pictures


def plain_ssim(one, other):
    """Wang et al. 2004: windows 11 x 11 of a Gaussian of 1.5 pixels, at full size."""
    def mean(values):
        return gaussian_filter(values, 1.5, radius=5)[5:-5, 5:-5]

    a, b = mean(one), mean(other)
    spread_a, spread_b, both = mean(one * one) - a * a, mean(other * other) - b * b, mean(one * other) - a * b
    first, second = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * a * b + first) * (2 * both + second)
    return float((alike / ((a * a + b * b + first) * (spread_a + spread_b + second))).mean())


def test_psnr_and_ssim_without_the_border(photo, rng):
    worse = np.clip(photo + rng.normal(0, 6, photo.shape), 0, 255).astype("uint8")
    worse[:2], worse[:, -2:] = 0, 255  # the border does not count
    found = luma.scores(worse, photo, 2)
    one, other = (pictures.luma(each)[2:-2, 2:-2].astype("float64") for each in (worse, photo))
    assert found["psnr"] == pytest.approx(10 * np.log10(255**2 / ((one - other) ** 2).mean()), abs=1e-3)
    assert found["ssim"] == pytest.approx(plain_ssim(one, other), abs=1e-4)
    assert luma.scores(photo, photo, 2)["psnr"] == np.inf and luma.scores(photo, photo, 2)["ssim"] == pytest.approx(1)


def test_a_photo_too_small_for_ssim_counts_for_psnr_alone(rng):
    small = rng.integers(0, 256, (13, 40, 3), dtype="uint8")
    found = luma.scores(255 - small, small, 2)
    assert found["psnr"] > 0 and np.isnan(found["ssim"])
    rows = [{"file": "a", "width": 1, "height": 1, "psnr": 30.0, "ssim": 0.5},
            {"file": "b", "width": 1, "height": 1, **found, "psnr": 40.0}]
    assert report.means(rows) == {"psnr": 35.0, "ssim": 0.5}


def test_bicubic_beats_nothing_and_a_perfect_network_beats_both(photo, tmp_path):
    """A network that knows the original reads infinity; the interpolations read the same whatever the network is."""
    from PIL import Image

    from nets.models.superres import Enlarger

    Image.fromarray(photo).save(tmp_path / "a.png")
    knows = Enlarger(lambda small: photo[None].astype("float32"), 2, 4)
    judges = {"quality": lambda made, large: float(made.mean()),
              "distance": lambda made, large: float(np.abs(made.astype(float) - large).mean())}
    (row,) = report.measured(knows, [Pair(str(tmp_path / "a.png"))], 2, judges)
    (alone,) = report.measured(None, [Pair(str(tmp_path / "a.png"))], 2)
    assert row["psnr"] == np.inf and row["ssim"] == pytest.approx(1) and row["quality"] == row["original_quality"]
    assert row["distance"] == 0 < row["bicubic_distance"] and "original_distance" not in row
    assert {name: row[name] for name in alone} == alone and 15 < alone["bicubic_psnr"] < 60
    heads = [report.table([each], report.means([each]))[0] for each in (row, alone)]
    assert "model: PSNR" in heads[0] and "model" not in heads[1] and "bicubic: PSNR" in heads[1]
