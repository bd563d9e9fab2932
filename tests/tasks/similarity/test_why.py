"""Why two pictures are called the same: where the explanation points, and what it says of pictures without anything to
say."""

import numpy as np
import pytest
from keras import layers, ops
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont

from nets.models.siamese import KIND, comparer
from tasks.choosing import ready_model
from tasks.models import load_model
from tasks.similarity import figures, why

from helpers import scenery, small_siamese
from pointing import face, fall, on_object, pair

SHAPE = (32, 32, 1)


@pytest.fixture(scope="module")
def photos():
    model = load_model(ready_model("photos"), KIND)
    return comparer(model), model.input_shape[0][1:]


def faces_on_scenery(seed):
    """A face on two backgrounds that share nothing: the second has other colours, and stands on its side."""
    rng = np.random.default_rng(seed)
    return pair([scenery(256, 256, seed), np.rot90(255 - scenery(256, 256, seed + 50)).copy()], *face(rng), 0.25, rng)


@pytest.mark.parametrize("head", ["distance", "concat", "attention_after", "cross_attention"])
def test_swapped_pictures_are_explained_the_same(head):
    model = small_siamese(head)
    left, right = (scenery(40, 60, seed) for seed in (1, 2))
    one, other = (why.explain(comparer(model), SHAPE, *pictures) for pictures in ((left, right), (right, left)))
    np.testing.assert_allclose(one.left, other.right, atol=1e-3)
    np.testing.assert_allclose(one.right, other.left, atol=1e-3)
    assert {(a, b) for a, b in one.pairs.tolist()} == {(a, b) for b, a in other.pairs.tolist()}
    assert np.isfinite(np.concatenate([one.left, one.right, one.weights])).all()


def test_red_lies_on_what_two_photos_share(photos):
    shares = []
    for seed in range(2):
        (left, on_left), (right, on_right) = faces_on_scenery(seed)
        result = why.explain(*photos, left, right)
        shares += [on_object(result.windows, result.left, on_left), on_object(result.windows, result.right, on_right)]
        middles = why.centres(result.windows)[result.pairs[0]]  # the strongest pair lies on the object in both
        assert all(where[tuple((middle * where.shape).astype(int))]
                   for middle, where in zip(middles, (on_left, on_right)))
    assert np.mean(shares) > 0.6


def test_a_picture_speaks_for_itself(photos):
    photo = scenery(256, 256)
    result = why.explain(*photos, photo, photo)
    assert (result.pairs[:, 0] == result.pairs[:, 1]).all() and len(result.pairs) > 5
    assert (result.left >= 0).all() and result.left.max() > 0


@pytest.mark.parametrize("backbone, way", [("compact", "hiding"), ("photos", "windows")])
def test_parts_are_shown_by_themselves_where_the_tower_pools_locations_and_hidden_where_it_keeps_them(backbone, way):
    model = small_siamese(backbone=backbone)
    result = why.explain(comparer(model), SHAPE, scenery(32, 32, 1), scenery(32, 32, 2), sides=(0.5,))
    assert result.way == way and len(result.windows) == 9


def letter(stroke):
    """A page with a cross, and a stroke beside it that is not part of it."""
    page = np.full((100, 100, 1), 255, "uint8")
    page[30:70, 46:52] = page[46:52, 30:70] = 0
    page[stroke] = 0
    return page


def test_characters_the_shared_strokes_speak_for_and_the_others_against():
    model = load_model(ready_model("characters"), KIND)
    compare, shape = comparer(model), model.input_shape[0][1:]
    left, right = letter(np.s_[8:12, 5:30]), letter(np.s_[70:95, 88:92])
    result = why.explain(compare, shape, left, right)
    for said, stroke in ((result.left, np.s_[8:12, 5:30]), (result.right, np.s_[70:95, 88:92])):
        said = why.heat(result.windows, said, (100, 100))
        assert said[46:52, 46:52].mean() > 0 > said[stroke].mean()


def written(sign, face):
    """A letter in black on white, (105, 105, 1)."""
    page = Image.new("L", (105, 105), 255)
    font = ImageFont.truetype(font_manager.findfont(face), 70)
    ImageDraw.Draw(page).text((52, 52), sign, fill=0, font=font, anchor="mm")
    return np.array(page)[..., None]


def test_windows_of_a_letter_correspond_to_where_it_moved():
    model = load_model(ready_model("characters"), KIND)
    left, right = letter(np.s_[70:74, 30:66]), np.roll(letter(np.s_[70:74, 30:66]), (10, -10), (0, 1))
    result = why.explain(comparer(model), model.input_shape[0][1:], left, right)
    ends = why.centres(result.windows)[result.pairs[why.strongest(result)]]
    moved = ends[:, 1] - ends[:, 0]
    assert len(moved) >= 2 and np.abs(np.median(moved, axis=0) - [0.1, -0.1]).max() < 0.06


def test_hiding_the_strongest_windows_of_a_letter_lowers_the_similarity_most():
    model = load_model(ready_model("characters"), KIND)
    kind, falls = (comparer(model), model.input_shape[0][1:]), []
    for seed, sign in enumerate("RKG"):
        left, right = written(sign, "DejaVu Sans"), written(sign, "DejaVu Serif")
        falls.append(fall(*kind, left, right, why.explain(*kind, left, right), np.random.default_rng(seed), draws=4))
    strongest, others = np.mean(falls, axis=0)
    assert strongest > others > 0


def test_flat_pictures_say_nothing(photos):
    white, black = (np.full((50, 70, 3), tone, "uint8") for tone in (255, 0))
    for pictures in ((white, white), (white, black)):
        result = why.explain(*photos, *pictures)
        assert not len(result.pairs) and (result.left <= 0).all() and np.isfinite(result.left).all()
    assert "no place of either picture says anything" in why.in_words(why.explain(*photos, white, white))
    result = why.explain(comparer(small_siamese()), SHAPE, white, black)  # by hiding: nothing changes
    assert not result.left.any() and not result.right.any() and not len(result.pairs)


def test_hiding_the_strongest_windows_of_a_photo_lowers_the_similarity_most(photos):
    falls = []
    for seed in range(2):
        photo = scenery(256, 256, seed)
        copy = np.clip(photo[10:230, 20:240] * 0.9 + 15, 0, 255).astype("uint8")
        result = why.explain(*photos, photo, copy)
        falls.append(fall(*photos, photo, copy, result, np.random.default_rng(seed), draws=4))
    strongest, others = np.mean(falls, axis=0)
    assert strongest > others > 0


def test_what_is_alike_nowhere_speaks_against_and_what_is_alike_everywhere_says_nothing():
    between = np.array([[5.0, -1, -2], [-1, 4.5, 4], [-3, -1, -2]])
    left, right, pairs, weights = why.judged(between, np.array([1.0, 4.5, -9]), np.array([-9.0, 2, -9]))
    assert pairs.tolist() == [[0, 0]] and weights.tolist() == [4]
    assert left.tolist() == [4, 0, -1] and right.tolist() == [4, 0, 0]


class Attentive(layers.Layer):
    """A head that compares places: features are 2 x 3 places of two numbers."""

    def call(self, left, right):
        return ops.sum(left * right, axis=-1)

    def attention(self, left, right):
        locations = [ops.reshape(side, (*side.shape[:-1], 6, 2)) for side in (left, right)]
        return 1 / (1 + ops.norm(locations[0][..., :, None, :] - locations[1][..., None, :, :], axis=-1))


def test_a_head_with_attention_is_asked_for_what_it_saw():
    class Model:
        def get_layer(self, name):
            return Attentive() if name == "head" else None

    features = np.array([[0, 0, 0, 0, 0, 0, 9, 9, 0, 0, 0, 0], [9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 5, 5]], "float32")
    compare = comparer(Model())._replace(embed=lambda pictures: features)
    result = why.explain(compare, (20, 30, 1), *np.zeros((2, 20, 30, 1), "uint8"))
    assert result.pairs[0].tolist() == [3, 0] and result.windows[3].tolist() == [0.5, 0, 0.5, pytest.approx(1 / 3)]
    assert result.left.argmax() == 3 and result.right.argmax() == 0
    assert result.right.argmin() == 5 and result.right[5] < 0


def test_numbers_are_boxes_in_pixels_of_the_files():
    windows = np.array([(0, 0, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)])
    result = why.Why("windows", windows, np.array([2.0, -1]), np.array([0.0, 3]), np.array([[0, 1]]), np.array([2.0]))
    numbers = why.as_numbers(result, [(100, 60), (40, 20)])
    assert numbers["left"] == {"for": [{"box": [0, 0, 50, 30], "weight": 2}],
                               "against": [{"box": [50, 30, 50, 30], "weight": 1}]}
    assert numbers["pairs"] == [{"left": [0, 0, 50, 30], "right": [20, 10, 20, 10], "weight": 2}]


@pytest.mark.parametrize("said", [[0.0, 0.0], [2.0, -1.0]])
def test_the_figure_is_drawn_for_pictures_of_any_shape(said, tmp_path):
    windows = np.array([(0, 0, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5)])
    pairs, weights = (np.array([[0, 1]]), np.array([2.0])) if said[0] else (np.zeros((0, 2), int), np.zeros(0))
    result = why.Why("windows", windows, np.array(said), np.array(said), pairs, weights)
    figures.reasons(scenery(30, 90), scenery(80, 40)[..., :1], result, "different", str(tmp_path / "why.png"), False,
                    ["a", "b"])
    assert (tmp_path / "why.png").stat().st_size > 5000


@pytest.mark.parametrize("same, left, right, says", [
    (True, [1, -1, -1], [0, 0, -1], '"different"'), (False, [1, 1, 0], [0, 0, -1], '"the same"'),
    (True, [1, 1, 0], [0, 0, -1], ""), (False, [1, -1, -1], [0, 0, -1], ""), (None, [1, 1, 0], [0, 0, -1], ""),
    (True, [1, 0, 0], [-1, 0, 0], ""),
])
def test_places_that_contradict_the_verdict_are_said(same, left, right, says):
    windows = np.array([[0, 0, 1, 0.3], [0, 0.35, 1, 0.3], [0, 0.7, 1, 0.3]])
    said = why.in_words(why.Why("windows", windows, np.array(left, float), np.array(right, float),
                                np.zeros((0, 2), int), np.zeros(0)), same)
    assert ("contradict the verdict" in said) == bool(says) and (not says or f"speak for {says}" in said)
