"""Figures of what was found: texts that can be read, and colours that are explained."""

import numpy as np
import pytest

from tasks.detection import figures
from tasks.detection.measuring.precision import Answer

NAMES = [f"class {number}" for number in range(20)]


def found_of(count, rng, size=(300, 200)):
    """So many objects of the classes in turn, anywhere in a photo of this width and height."""
    corners = rng.uniform(0, 1, (count, 2)) * np.subtract(size, 20)
    return Answer(np.hstack([corners, corners + 20]), np.linspace(0.9, 0.5, count), np.arange(count) % len(NAMES))


def test_colours_of_classes_do_not_repeat():
    colours = np.array([figures.colour_of(label) for label in range(24)], float)
    apart = np.linalg.norm(colours[:, None] - colours, axis=2) + 1000 * np.eye(24)
    assert apart.min() > 30


@pytest.mark.parametrize("count, keyed", [(5, False), (figures.NAMED, False), (figures.NAMED + 1, True)])
def test_names_or_numbers_stand_over_objects(count, keyed, rng, monkeypatch):
    written = []
    monkeypatch.setattr(figures, "write", lambda pen, middle, top, text, *more: written.append(text))
    found = found_of(count, rng)
    assert figures.needs_key(found, NAMES) is keyed
    figures.with_found(np.zeros((200, 300, 3), "uint8"), found, NAMES, 600)
    texts = [str(label + 1) if keyed else f"class {label} {score:.2f}" for score, label in zip(*found[1:])]
    assert sorted(written) == sorted(texts)


def test_a_text_lies_whole_in_the_picture_and_off_the_others():
    wide, high = 90, figures.LETTERS + 2 * figures.RIM
    for box in ([280, 5, 299, 25], [-3, 180, 10, 199], [0, 0, 300, 200], [295, 195, 300, 200], [100, 50, 120, 70]):
        first = figures.place_of(np.array(box, float), 2, wide, (300, 200), [])
        assert first[2] - first[0] == wide and first[3] - first[1] == high
        assert first[0] >= 0 and first[1] >= 0 and first[2] <= 300 and first[3] <= 200
    second = figures.place_of(np.array([100, 50, 120, 70.0]), 2, wide, (300, 200), [first])
    assert first[3] <= 50 and second[1] >= 70


def test_a_text_stands_on_the_colour_of_its_class():
    picture = np.full((100, 200, 3), 128, "uint8")
    drawn = figures.boxed(picture, np.array([[150.0, 40, 190, 90]]), np.array([3]), ["a long name 0.87"], width=2)
    rows, columns = np.nonzero((drawn[:38] == figures.colour_of(3)).all(-1))
    assert rows.max() - rows.min() >= figures.LETTERS and columns.max() == 199 and columns.min() > 60


def test_the_key_has_the_colour_number_and_name_of_each_class(monkeypatch):
    written = []
    draw = figures.write
    monkeypatch.setattr(figures, "write", lambda *given: written.append(given[3]) or draw(*given))
    key = figures.key([0, 7, 7, 2], [*NAMES[:7], "two\nlines \udce9 and a long name"], 300)
    assert written[:4] == ["1", "class 0 (1)", "3", "class 2 (1)"] and written[4] == "8"
    assert written[5].startswith("two\\nlines \\udce9") and written[5].endswith("\u2026 (2)")
    assert key.shape[1] == 300 >= key.shape[0]
    assert all((key == figures.colour_of(label)).all(-1).any() for label in (0, 2, 7))
    many = figures.key(list(range(500)), [f"class {number}" for number in range(500)], 200)
    assert many.shape[0] <= 200
