"""What copies of a photo go through: every kind, at its tested amounts, on photos of any size."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tasks.copies.views import changes
from tasks.copies.views.changes import CHANGES, view


def scene(width=96, height=64, seed=0):
    """A picture with colour, edges and texture."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((height, width))
    pixels = np.stack([80 + x, 60 + 2 * y, 128 + 60 * np.sin(x / 5)], axis=2) + rng.normal(0, 12, (height, width, 3))
    return changes.pixels_as_picture(pixels)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("size", [(96, 64), (30, 70), (5, 4)])
def test_every_change_gives_an_rgb_picture_of_any_size_and_leaves_its_photo_alone(name, size):
    change, photo = CHANGES[name], scene(*size)
    before = np.asarray(photo).copy()
    for amount in {*change.amounts, *change.tested.values()}:
        made = change.function(photo, amount, np.random.default_rng(1))
        assert made.mode == "RGB" and min(made.size) >= 1
    assert np.array_equal(before, np.asarray(photo))


@pytest.mark.parametrize("name", CHANGES)
def test_the_same_seed_gives_the_same_copy(name):
    change = CHANGES[name]
    amount = next(iter(change.tested.values()))
    one, two = (np.asarray(change.function(scene(), amount, np.random.default_rng(5))) for _ in range(2))
    assert np.array_equal(one, two)


def test_amounts_mean_what_they_say():
    photo, rng = scene(200, 100), np.random.default_rng(0)
    part = changes.crop(photo, 0.5, rng)
    assert part.width * part.height == pytest.approx(0.5 * 200 * 100, rel=0.2)
    assert changes.scale(photo, 0.5, rng).size == (100, 50)
    assert changes.aspect(photo, 1.3, rng).size in {(260, 100), (154, 100)}
    assert np.array_equal(np.asarray(changes.mirror(photo, 0, rng)), np.asarray(photo)[:, ::-1])
    tones = np.asarray(changes.grey(photo, 0, rng))
    assert (tones == tones[..., :1]).all()
    noisy = np.asarray(changes.noise(Image.new("RGB", (200, 200), (128,) * 3), 15, rng), "float32")
    assert noisy.std() == pytest.approx(15, rel=0.05)
    page = changes.screenshot(photo, 0.3, rng)
    assert photo.width / page.width == pytest.approx(0.7, abs=0.02)
    assert changes.border(photo, 0.1, rng).size in {(240, 120), (200, 120), (240, 100)}


def test_the_tested_amounts_lie_within_those_trained_on_but_for_grid_ends():
    for name, change in CHANGES.items():
        low, high = change.amounts
        assert all(low * 0.8 <= amount <= high * 1.05 or low == high for amount in change.tested.values()), name


def test_views_differ_and_repeat_and_keep_what_is_no_copy_out(monkeypatch):
    photo = scene()
    one, again, other = (np.asarray(view(photo, np.random.default_rng(seed)).resize((32, 32))) for seed in (1, 1, 2))
    assert np.array_equal(one, again) and not np.array_equal(one, other)
    used = []
    spied = {name: change._replace(function=lambda p, a, r, name=name: used.append(name) or p)
             for name, change in CHANGES.items()}
    monkeypatch.setattr(changes, "CHANGES", spied)
    every = dict.fromkeys(changes.BY_FLAGS, True)
    for flags, without in [((), set()), (("mirrored_copies", "turned_copies"), {"mirror", "quarter_turn"}),
                           (("recoloured_copies",), {"colour_cast", "grey"}),
                           (("framed_copies",), {"text", "logo", "border", "screenshot"})]:
        used.clear()
        left_out = changes.unwanted(SimpleNamespace(**every | dict.fromkeys(flags, False)))
        for seed in range(300):
            view(photo, np.random.default_rng(seed), left_out)
        assert set(used) == set(CHANGES) - without == set(CHANGES) - set(left_out)
