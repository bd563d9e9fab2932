"""Figures of several photos together, and what the sheet shows of a photo."""

import numpy as np
import pytest
from PIL import Image

from tasks.superres import answer
from tasks.superres.data.pairs import Pair
from tasks.superres.measuring import report
from tasks.superres.pictures.reading import Photo


def row(psnr, ssim=0.9):
    figures = {"psnr": psnr, "ssim": ssim}
    return {"file": "a.png", "width": 8, "height": 8} | {
        f"{way}{name}": value for way in ("", "bicubic_", "lanczos_") for name, value in figures.items()}


def test_a_photo_of_one_colour_does_not_make_the_mean_infinite():
    rows = [row(30.0), row(np.inf, 1.0), row(34.0, np.nan)]
    mean = report.means(rows)
    assert mean["psnr"] == mean["bicubic_psnr"] == pytest.approx(32) and mean["ssim"] == pytest.approx(0.95)
    lines = report.table(rows, mean)
    assert lines[-1].startswith("the mean PSNR leaves out 1 photo, such as one of one colour")
    assert report.means([row(np.inf)])["psnr"] == np.inf
    assert "leaves out" not in report.table(rows[:1], mean)[-1]


def test_all_ways_are_averaged_over_the_same_photos():
    """A network may miss a blank photo by a little, which bicubic interpolation makes without error."""
    mean = report.means([row(30.0), row(np.inf) | {"psnr": 70.0}])
    assert mean["psnr"] == mean["bicubic_psnr"] == 30


def test_a_blank_photo_to_validate_chooses_no_epoch(tmp_path):
    rng = np.random.default_rng(0)
    Image.new("RGB", (32, 32), "white").save(tmp_path / "blank.png")
    Image.fromarray(rng.integers(0, 256, (32, 32, 3)).astype("uint8")).save(tmp_path / "noise.png")
    blank, noise = (Pair(str(tmp_path / f"{name}.png")) for name in ("blank", "noise"))
    assert report.Held([blank, noise], 2).bicubic == report.Held([noise], 2).bicubic < 40
    assert report.Held([blank], 2).bicubic == np.inf


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_what_is_hidden_by_transparency_is_not_shown(kind):
    """The place with most detail is one that is seen."""
    top, rng = np.iinfo(kind).max, np.random.default_rng(0)
    colours = np.full((400, 400, 3), top // 2, kind)
    colours[:200, :200] = rng.integers(0, top, (200, 200, 3), endpoint=True)  # hidden
    colours[250:260, 250:260] = 0
    alpha = np.full((400, 400), top, kind)
    alpha[:200, :200] = 0
    seen = answer.on_white(Photo(colours, alpha=alpha))
    assert (seen[:200, :200] == 255).all() and seen[300, 300] == pytest.approx(127.5, abs=0.6)
    assert (seen[255, 255] == 0).all()
    large = Photo(colours.repeat(2, 0).repeat(2, 1), alpha=alpha.repeat(2, 0).repeat(2, 1))
    bicubic, made = answer.beside_bicubic(Photo(colours, alpha=alpha), large, 2)
    assert bicubic.shape == made.shape and np.abs(bicubic.astype(int) - made).mean() < 6
    assert set(np.unique(made)) <= {0, 127, 128, 255}  # nothing of the noise
    assert np.array_equal(answer.on_white(Photo(colours)).round(), (colours * (255 / top)).round())
