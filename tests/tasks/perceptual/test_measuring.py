"""What evaluate.py measures of the perceptual distance: agreement with human scores, and what codes tell of classes."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from scipy.stats import spearmanr

from tasks.perceptual import evaluation, flags
from tasks.perceptual.measuring import codes, comparators, measure, people, shifts
from tasks.perceptual.model import UNLIKE, Perceptual
from utils.distortions.codecs import jpeg
from utils.metrics.pictures import psnr

from helpers import scenery

QUALITIES = (80, 40, 20, 8, 3)


def distance(one, other):
    """A distance that is quick: the mean difference of grey levels."""
    return float(np.abs(one.astype(float) - other).mean())


@pytest.fixture
def photos(tmp_path):
    """Two originals and five copies of each, saved as JPEG, worse and worse."""
    photo = scenery(96, 120)
    originals = {"I01": photo, "I02": photo[::-1]}
    for name, original in originals.items():
        Image.fromarray(original).save(tmp_path / f"{name}.png")
        for level, quality in enumerate(QUALITIES, start=1):
            Image.fromarray(original).save(tmp_path / f"{name}_10_{level}.jpg", quality=quality)
    return tmp_path


def asked(path, **others):
    usual = {"pair_scores": str(path), "image_root": "", "reference_root": "", "higher_is_better": True,
             "image_column": "", "score_column": "", "skip_broken": True, "out": str(path.parent)}
    return SimpleNamespace(**usual | others)


def kadid(photos, references=True):
    """A list as KADID-10k has it, whose scores fall with each level."""
    rows = [(f"{name}_10_{level}.jpg", f"{name}.png", 5 - level + 0.1 * (name == "I02"))
            for name in ("I01", "I02") for level in range(1, 6)]
    head = "dist_img,ref_img,dmos\n" if references else "dist_img,dmos\n"
    path = photos / "dmos.csv"
    path.write_text(head + "".join(f"{a},{b},{c}\n" if references else f"{a},{c}\n" for a, b, c in rows))
    return path, rows


def test_agreement_with_people_is_the_correlation_of_all_pairs(photos, capsys):
    path, rows = kadid(photos)
    found = people.agreement(asked(path), distance)
    opened = {name: np.asarray(Image.open(photos / name).convert("RGB")) for row in rows for name in row[:2]}
    for way, function in (("distance", lambda one, other: -distance(one, other)), ("psnr", psnr)):
        values = [function(opened[original], opened[name]) for name, original, _ in rows]
        assert found[way]["srocc"] == pytest.approx(spearmanr(values, [row[2] for row in rows]).statistic)
    assert found["pictures"] == 10 and found["originals"] == 2 and found["distance"]["srocc"] > 0.9
    assert json.loads((photos / people.TABLE).read_text())["distance"] == found["distance"]
    assert Image.open(photos / people.FIGURE).width > 600
    assert "agreement with people" in capsys.readouterr().out


def test_the_lists_of_tid2013_and_pipal_are_read_with_their_originals(tmp_path, photos):
    tid, pipal = tmp_path / "tid", tmp_path / "pipal"
    for folder in (tid / "distorted_images", tid / "reference_images", pipal / "Train_Dist" / "1", pipal / "Train_Ref",
                   pipal / people.PIPAL):
        folder.mkdir(parents=True)
    lines, labels = [], []
    for name in ("I01", "I02"):
        original = Image.open(photos / f"{name}.png")
        original.save(tid / "reference_images" / f"{name}.BMP")
        original.save(pipal / "Train_Ref" / f"A00{name[1:]}.bmp")
        for level in range(1, 6):
            copy = Image.open(photos / f"{name}_10_{level}.jpg")
            copy.save(tid / "distorted_images" / f"{name.lower()}_10_{level}.bmp")
            copy.save(pipal / "Train_Dist" / "1" / f"A00{name[1:]}_03_0{level}.bmp")
            lines.append(f"{6 - level}.5 {name}_10_{level}.bmp\n")
            labels.append((f"A00{name[1:]}", f"A00{name[1:]}_03_0{level}.bmp,{1500 - 50 * level}.25\n"))
    (tid / "mos_with_names.txt").write_text("".join(lines))
    for label in {label for label, _ in labels}:
        (pipal / people.PIPAL / f"{label}.txt").write_text("".join(line for each, line in labels if each == label))
    for path, kind in ((tid, "JPEG"), (pipal, "03")):
        found = people.agreement(asked(path, higher_is_better=None, out=str(tmp_path)), distance)
        assert found["pictures"] == 10 and found["originals"] == 2 and found["distance"]["srocc"] > 0.9
        assert found["by_distortion"][kind]["distance"] > 0.9
    with pytest.raises(ValueError, match="leave out --nohigher_is_better"):
        people.read(asked(pipal, higher_is_better=False))


def test_lists_without_originals_and_originals_that_do_not_fit_are_refused(photos):
    with pytest.raises(ValueError, match="names no originals, expected a column such as ref_img"):
        people.agreement(asked(kadid(photos, references=False)[0]), distance)
    path, _ = kadid(photos)
    Image.open(photos / "I02.png").resize((60, 48)).save(photos / "I02.png")
    with pytest.raises(ValueError, match=r"I02_10_1.jpg: 120 x 96 pixels, expected 60 x 48"):
        people.agreement(asked(path), distance)
    (photos / "I02.png").unlink()
    with pytest.raises(ValueError, match="1 of 2 originals were not found, such as I02.png: pass their folder as"):
        people.agreement(asked(path), distance)


def test_codes_that_know_the_class_are_told_from_noise(rng):
    labels = np.repeat(np.arange(3), 30)
    noise = rng.normal(size=(90, 8))
    telling = noise + 4 * np.eye(3)[labels] @ rng.normal(size=(3, 8))
    found, chance = (codes.accuracies(features, labels, 10, 0) for features in (telling, noise))
    assert found.shape == (codes.FOLDS,) and found.mean() > 0.9 > 0.6 > chance.mean()
    with pytest.raises(ValueError, match="--fitted=30: the smallest of 3 classes has 30 pictures"):
        codes.accuracies(noise, labels, 30, 0)


def test_only_generators_need_a_model():
    for chosen, needed in (("pair_scores", False), ("distortions_too", False), ("codes", True)):
        options = SimpleNamespace(**{"pair_scores": "", "distortions_too": False, "codes": False, chosen: "x"})
        assert flags.needs_model(options) == needed


def test_codes_need_folders_of_classes():
    with pytest.raises(ValueError, match="--codes needs pictures of classes: pass --dataset_path"):
        evaluation.of_codes(SimpleNamespace(dataset_path=""), "", {})


def test_pictures_made_small_are_means_of_squares(rng):
    pictures = rng.integers(0, 256, (2, 64, 64, 3), dtype="uint8")
    np.testing.assert_allclose(evaluation.reduced(pictures)[1, :3], pictures[1, :4, :4].mean(axis=(0, 1)))


@pytest.mark.parametrize("shift", [(1, 0), (0, -1), (-3, 2), (4, 4), (0, 0)])
def test_a_copy_that_lies_aside_is_found_and_laid_on_its_original(shift):
    photo = scenery(120, 140)
    (down, right), window = shift, np.s_[8:104, 8:128]
    one, other = photo[window], photo[8 - down : 104 - down, 8 - right : 128 - right]
    assert shifts.aside(one, other) == shift and shifts.aside(other, one) == (-down, -right)
    first, second = shifts.overlap(one, other, shift)
    assert first.shape == (96 - abs(down), 120 - abs(right), 3) and np.array_equal(first, second)


def test_a_shift_costs_less_than_jpeg_50_and_more_is_seen_where_nothing_is_laid_back():
    from sklearn.datasets import load_sample_images

    used = measure.Measure(comparators.made())
    for photo in load_sample_images().images:
        one = photo[100:292, 200:392]
        saved = used.distance(one, jpeg(one, 50, np.random.default_rng(0)))
        for count in (1, 2, 4):
            other = photo[100 + count : 292 + count, 200:392]
            distance, shift = used.laid(one, other)
            assert distance < saved < used.as_they_lie(one, other) and shift == (-count, 0)
            assert used.distance(other, one) == pytest.approx(distance, rel=1e-5)
            assert shifts.aside(one, jpeg(other, 50, np.random.default_rng(0))) == (-count, 0)
            places = used.map(one, other)
            assert places.shape == (192, 192) and not places[:count].any() and places.max() < 0.1
    worse = jpeg(one, 5, np.random.default_rng(0))
    assert used.laid(one, worse)[1] == (0, 0) and used.laid(one, one) == (0, (0, 0))


def test_what_was_laid_back_is_said():
    assert shifts.in_words((-2, 1)) == "shifted 1 pixel to the right and 2 pixels up, and laid back"
    assert shifts.in_words((0, -3)) == "shifted 3 pixels to the left, and laid back"


def test_other_pictures_of_one_grid_are_not_said_to_be_shifted(rng):
    """Forms of one layout and pages with other bars have much in common, and none is the other one shifted."""
    page = np.full((128, 160, 3), 255, "uint8")
    page[::16], page[:, ::20] = 120, 120
    for _ in range(6):
        one, other = page.copy(), page.copy()
        for picture in (one, other):
            filled = np.kron(rng.random((8, 8)) < 0.5, np.ones((16, 20))) > 0
            picture[filled] = picture[filled] // 3
        assert shifts.aside(one, other) == (0, 0)


def test_a_blank_page_gives_no_scale_and_what_is_no_photograph_is_said():
    from sklearn.datasets import load_sample_images

    used, blank = Perceptual(), np.full((96, 96, 3), 255, "uint8")
    found = used.compare(blank, blank - 5)
    assert found["jpeg_quality"] is None and found["words"].startswith("JPEG hardly changes such a picture")
    same = used.compare(blank, blank)
    assert (same["distance"], same["jpeg_quality"], same["words"]) == (0, None, "the same pixels")
    screen = np.full((300, 200, 3), (250, 250, 255), "uint8")
    screen[np.indices((300, 200)).sum(axis=0) % 9 < 4] = (40, 90, 200)
    assert used.warning(blank) == used.warning(screen) == UNLIKE
    assert not any(map(used.warning, load_sample_images().images))


@pytest.mark.parametrize("size", [(1, 1), (10, 40), (40, 10)])
def test_pictures_smaller_than_a_window_of_ssim_are_refused_in_a_line(size):
    small = np.zeros((*size, 3), "uint8")
    model = Perceptual("deepsim")
    for ask in (model.distance, model.map, model.compare):
        with pytest.raises(ValueError, match=f"^the picture has {size[1]} x {size[0]} pixels, expected 11 or more a"):
            ask(small, small)
    least = np.random.default_rng(0).integers(0, 256, (11, 11, 3)).astype("uint8")
    assert np.isfinite(model.compare(least, 255 - least)["ssim"])
