"""Views: parts and turns of a picture, near to the copies that show them, kept in the folder, found by a plain loop."""

import os

import numpy as np
import pytest
from PIL import Image

from apps.search import views
from utils import gallery


class Plain:
    """A comparer whose embedding is the mean grey value of each quarter of the picture."""

    by_distance = True

    def embed(self, images):
        quarters = [images[:, rows, columns].mean(axis=(1, 2, 3)) for rows in (slice(0, 4), slice(4, 8))
                    for columns in (slice(0, 4), slice(4, 8))]
        return np.stack(quarters, axis=1).astype("float32")


def test_views_are_the_turns_and_the_parts(rng):
    picture = rng.integers(0, 256, (16, 16, 3), "uint8")
    made = views.views_of(picture)
    assert made.shape == (3 + len(views.boxes()), 8, 8, 3) and made.dtype == "uint8"
    smaller = picture.reshape(8, 2, 8, 2, 3).mean(axis=(1, 3))
    assert np.abs(made[0] - np.rot90(smaller).astype(float)).max() <= 1
    assert np.array_equal(made[-1], picture[8:, 8:])  # the last part is the lower right quarter, pixel by pixel


def test_grey_pictures_keep_one_channel(rng):
    assert views.views_of(rng.integers(0, 256, (16, 16, 1), "uint8")).shape[1:] == (8, 8, 1)


def test_boxes_lie_in_the_picture_and_leave_no_gap():
    assert all(0 <= left < right <= 1 + 1e-9 and 0 <= top < bottom <= 1 + 1e-9 for left, top, right, bottom in
               views.boxes())
    for point in np.random.default_rng(0).random((200, 2)):
        assert any(left <= point[0] <= right and top <= point[1] <= bottom
                   for left, top, right, bottom in views.boxes() if right - left == pytest.approx(0.5))


@pytest.mark.parametrize("themselves", [False, True])
@pytest.mark.parametrize("most", [1, 3])
def test_nearest_equals_a_plain_loop(most, themselves, rng):
    features, seen = rng.normal(size=(9, 4)).astype("float32"), rng.normal(size=(9, 5, 4)).astype("float32")
    expected = set()
    for q in range(9):
        distances = {n: min(np.linalg.norm(features[q] - view) for view in seen[n])
                     for n in range(9) if not (themselves and n == q)}
        expected |= {(q, n) for n in sorted(distances, key=distances.get)[:most] if distances[n] <= 1.5}
    assert set(views.nearest(features, seen, most, 1.5, themselves)) == expected != set()


def test_views_are_kept_and_made_again_where_a_file_changed(tmp_path, rng):
    model = tmp_path / "model.keras"
    model.write_bytes(b"weights")
    root = tmp_path / "pictures"
    root.mkdir()
    for name in "ab":
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), "uint8")).save(root / f"{name}.png")
    opened = gallery.embedded(str(root), ["a.png", "b.png"], "plain", Plain().embed, (8, 8, 3))
    made = views.open_views(opened, str(model), Plain(), (8, 8, 3))
    assert made.shape == (2, 3 + len(views.boxes()), 4) and np.isfinite(made).all()
    asked = []

    class Counting(Plain):
        def embed(self, images):
            asked.append(len(images))
            return super().embed(images)

    again = views.open_views(opened, str(model), Counting(), (8, 8, 3))
    assert np.array_equal(made, again) and max(asked) == made.shape[1]  # one picture of zeros, to know the width
    os.remove(root / "b.png")
    gone = views.open_views(opened, str(model), Plain(), (8, 8, 3))
    assert np.array_equal(gone[0], made[0]) and np.array_equal(gone[1], np.tile(opened.features[1], (made.shape[1], 1)))
