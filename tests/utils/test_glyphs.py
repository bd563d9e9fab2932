"""Letters drawn on the spot."""

import os

import numpy as np
from PIL import Image

from utils import glyphs
from utils.data.classes import read_samples


def test_glyphs_have_omniglots_layout(alphabets):
    samples = read_samples(str(alphabets), own_data=False)
    assert len(samples.classes) == 8 * 4 and (np.bincount(samples.labels) == 6).all()
    with Image.open(samples.full_paths()[0]) as image:
        assert image.size == (105, 105) and image.mode == "1"


def test_drawings_differ_and_repeat_from_the_seed(alphabets, tmp_path, monkeypatch):
    folder = alphabets / "images_background" / "Latin" / "character01"
    drawings = [np.asarray(Image.open(folder / name)) for name in sorted(os.listdir(folder))]
    assert len({d.tobytes() for d in drawings}) == 6
    assert all(0.01 < np.mean(~d) < 0.5 for d in drawings)
    letter = glyphs.letters(0x41, 0x43, 1, [])[0]
    for place in ("a", "b"):
        glyphs.save_drawings(str(tmp_path / place), letter, np.random.default_rng(5))
    assert (tmp_path / "a" / "07.png").read_bytes() == (tmp_path / "b" / "07.png").read_bytes()


def test_look_alikes_are_one_letter():
    """Latin A, Greek Alpha and Cyrillic A must not be three classes."""
    seen = []
    assert [glyphs.letters(code, code + 1, 1, seen) != [] for code in (0x41, 0x391, 0x410, 0x42)] == [
        True, False, False, True
    ]


def test_a_letter_in_another_handwriting_is_the_same_letter():
    """K of Latin, Greek, Cyrillic and Old Italic; X and B of two alphabets. But strokes and dots tell letters of one
    alphabet apart, and other letters are others."""
    for first, *others in ("K\u03ba\u041a\U0001030a", "X\U00010317", "B\U00010301", "\u0444\u03a6", "\u03b3Y"):
        for other in others:
            assert glyphs.letters(ord(other), ord(other) + 1, 1, seen_of(first)) == [], (first, other)
    for first, other in ("KX", "\u03a8\u03a6", "A\u0394", "RP"):
        assert glyphs.letters(ord(other), ord(other) + 1, 1, seen_of(first)), (first, other)
    ogham = glyphs.letters(0x1681, 0x168B, 20, [])
    assert len(ogham) == 10  # one to five strokes, below and above the line
    assert sum("LETTER TSE" in letter.name for letter in glyphs.letters(0x426, 0x447, 99, [])) == 1  # of both cases


def seen_of(character):
    """What `letters` has seen after one letter."""
    seen = []
    assert glyphs.letters(ord(character), ord(character) + 1, 1, seen)
    return seen


def test_the_whole_set_has_many_writing_systems_and_letters():
    seen, counts = [], {}
    for name, block in {**glyphs.BACKGROUND, **glyphs.EVALUATION}.items():
        counts[name] = len(glyphs.letters(*block, seen if name in glyphs.BACKGROUND else []))
    assert len(counts) >= 10 and 300 <= sum(counts.values()) <= 1000
    assert min(counts.values()) >= 5
