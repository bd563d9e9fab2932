"""Towers: their sizes, the shapes that they take, and what they tell."""

import pytest

from nets import towers

from helpers import small_siamese


def test_article_has_17_075_009_parameters():
    model = small_siamese("plain", "vgg16", (105, 105, 3))
    assert model.get_layer("tower").count_params() == 14_714_688
    assert model.count_params() == 17_075_009


def test_koch_has_38_951_745_parameters():
    assert small_siamese("weighted", "koch", (105, 105, 1)).count_params() == 38_951_745


@pytest.mark.parametrize("shape", [(32, 32, 1), (48, 48, 1), (33, 64, 3), (105, 105, 3), (224, 224, 3)])
def test_compact_tower_is_small_at_any_shape(shape):
    tower = towers.make_tower("compact", shape, normalize=True)
    assert tower.count_params() < 1_000_000
    assert tower.output_shape == (None, 128)


@pytest.mark.parametrize("shape", [(20, 48, 1), (48, 48, 2), (48, 48, 4)])
def test_input_shapes_that_cannot_work_are_refused(shape):
    with pytest.raises(ValueError, match="expected 32 or more pixels"):
        towers.make_tower("compact", shape, normalize=True)


def test_vgg16_has_134_million_parameters():
    assert towers.make_quality_tower("vgg16").count_params() == 134_264_641


@pytest.mark.parametrize("backbone, side", [("alexnet", 227), ("shallow", 227), ("compact", None)])
def test_towers_tell_one_number(backbone, side):
    tower = towers.make_quality_tower(backbone, side or 0)
    assert tower.input_shape == (None, side, side, 3)
    assert tower.output_shape == (None, 1)
    assert tower.count_params() < {"alexnet": 6e7, "shallow": 2e5, "compact": 3e5}[backbone]
