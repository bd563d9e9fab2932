"""When a larger photo means little: said of hard JPEG compression and of enlarged photos, and not of others."""

import io

import numpy as np
import pytest
from PIL import Image

from tasks.superres.data.resizing import divisible, larger, smaller
from tasks.superres.pictures.doubts import doubts
from tasks.superres.pictures.reading import Photo, read

from helpers import DATA


def saved(photo, quality):
    file = io.BytesIO()
    Image.fromarray(photo).save(file, "JPEG", quality=quality)
    return read(Image.open(file))


@pytest.fixture(scope="module")
def photos():
    """Test photos of BSDS500, none of which the limits were set on."""
    folder = DATA / "photos" / "bsds500" / "test"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return [np.asarray(Image.open(path)) for path in sorted(folder.glob("*.jpg"))[::10]]


def said_of(photos):
    return ["; ".join(doubts(photo)) for photo in photos]


def test_good_photos_are_hardly_ever_doubted(photos):
    assert sum(map(bool, said_of(Photo(photo) for photo in photos))) <= 1
    assert not any(said_of(saved(photo, 90) for photo in photos[::4]))


def test_enlarged_photos_are_named(photos):
    said = said_of(Photo(larger(smaller(divisible(photo, 2), 2), 2)) for photo in photos)
    assert sum("holds no fine detail" in text for text in said) >= 0.9 * len(said)


def test_hard_compression_is_named_by_the_file_and_by_its_pixels(photos):
    hard = [saved(photo, 20) for photo in photos]
    assert all("a JPEG of quality 20" in text for text in said_of(hard))
    said = said_of(photo._replace(jpeg=None) for photo in hard)  # as after it was saved as PNG
    assert sum("blocks" in text for text in said) >= 0.9 * len(said)


@pytest.mark.parametrize("photo", [np.full((80, 80, 3), 7, "uint8"), np.zeros((1, 1, 3), "uint8"),
                                   np.full((70, 90, 3), 40000, "uint16")])
def test_nothing_is_said_of_flat_and_tiny_photos(photo):
    assert doubts(Photo(photo)) == []


def test_edges_at_every_eighth_pixel_of_one_direction_are_no_compression(rng):
    """As in an icon, a table or a bar chart; JPEG leaves them in both."""
    rows = np.repeat(rng.integers(60, 200, 12), 8)[:, None, None] + rng.normal(0, 3, (96, 96, 1))
    table = np.repeat(np.clip(rows, 0, 255).astype("uint8"), 3, axis=2)
    assert doubts(Photo(table)) == [] and doubts(Photo(table.transpose(1, 0, 2))) == []
