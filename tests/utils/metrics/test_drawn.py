"""Pages, screens and logos are told from photos, however bad the photos are."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw
from sklearn.datasets import load_sample_images

from utils.data.images import read_photo
from utils.distortions.catalogue import TID2013, distort
from utils.metrics import drawn
from utils.metrics.drawn import is_drawn

from helpers import DATA


def page(ink, paper, seed=0):
    """Rows of words."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (500, 400), paper)
    draw = ImageDraw.Draw(image)
    for top in range(20, 380, 12):
        draw.text((20, top), " ".join("abcdefgh"[: rng.integers(2, 8)] for _ in range(12)), fill=ink)
    return image


def jpeg(image, quality=60):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


@pytest.mark.parametrize("ink, paper", [("black", "white"), ("white", "black"), ((20, 40, 120), (250, 240, 220))])
def test_pages_and_screens_are_drawn_also_as_jpeg_and_with_the_noise_of_a_scan(ink, paper):
    image = page(ink, paper)
    noise = np.random.default_rng(1).normal(0, 2, (400, 500, 3))
    scan = np.clip(np.asarray(image) + noise, 0, 255).astype("uint8")
    for shown in (image, jpeg(image), Image.fromarray(scan)):
        assert is_drawn(np.asarray(shown))


def test_hardly_a_distortion_makes_a_drawing_of_a_photo():
    """Few levels a channel can: a sky of one colour."""
    found = {(name, level, number): is_drawn(distort(photo[:200, :300], kind, level, 0))
             for number, photo in enumerate(load_sample_images().images)
             for name, kind in TID2013.items() for level in (1, len(kind.levels))}
    drawn_ones = {name for (name, level, _), is_one in found.items() if is_one}
    assert drawn_ones <= {"quantisation", "dithering", "noisy_jpeg"} and sum(found.values()) <= 0.02 * len(found)


def test_a_dark_photo_with_lights_and_one_colour_are_not_drawn():
    night = load_sample_images().images[0] // 12
    assert not is_drawn(night) and not is_drawn(np.full((50, 60, 3), 255, "uint8"))


def test_a_chat_whose_words_stand_on_bubbles_and_not_on_the_ground_is_drawn():
    chat = Image.new("RGB", (400, 600), (200, 215, 225))
    draw = ImageDraw.Draw(chat)
    for number, top in enumerate(range(10, 600, 50)):
        draw.rectangle((20, top, 280, top + 40), fill=[(255, 255, 255), (220, 248, 198)][number % 2])
        for line in range(2, 36, 9):
            draw.text((26, top + line), "a few words of somebody, and more of them", fill="black")
    values = np.asarray(chat).astype(int)
    grounds = np.abs(values - (200, 215, 225)).max(axis=-1) < drawn.NEAR
    assert sum(drawn.hard_edges(values, grounds, axis)[1] for axis in (0, 1)) < drawn.FEW  # by its ground it is none
    assert is_drawn(np.asarray(chat))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (2, 2, 3), (900, 1, 3)])
def test_pictures_of_any_size(shape):
    assert is_drawn(np.zeros(shape, "uint8")) is False


def test_the_middle_of_a_large_picture_is_looked_at():
    large = np.full((2000, 2000, 3), 255, "uint8")
    large[800:1200, 750:1250] = np.asarray(page("black", "white"))
    assert is_drawn(large)
    large[:] = np.roll(large, drawn.SIDE, axis=(0, 1))
    assert not is_drawn(large)


def test_hard_edges_as_a_plain_loop_counts_them():
    part = np.random.default_rng(0).integers(0, 256, (9, 7, 3)).astype("int16")
    ground = part[..., 0] > 100
    for axis in (0, 1):
        rows, ways = (part, ground) if axis == 0 else (part.swapaxes(0, 1), ground.T)
        found = [(hard := abs(rows[i + 2, j] - rows[i, j]).max() > drawn.HARD, hard and ways[i + 2, j] != ways[i, j])
                 for i in range(len(rows) - 2) for j in range(rows.shape[1])]
        assert drawn.hard_edges(part, ground, axis) == pytest.approx(np.mean(found, axis=0)) and np.any(found)


def test_of_real_photos_hardly_one_is_drawn():
    folder = DATA / "photos" / "bsds500" / "test"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    assert np.mean([is_drawn(read_photo(path)) for path in sorted(folder.glob("*.jpg"))]) <= 0.01
