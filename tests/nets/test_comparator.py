"""Comparators: the same maps as the network they are cut from, for any size, grey ones too."""

import keras
import numpy as np
import pytest

from nets import comparator as comparing, towers


@pytest.mark.parametrize("backbone, shape, layer", [("photos", (80, 80, 3), "stage2_conv1_relu"),
                                                    ("compact", (48, 48, 1), "stage1_conv2_relu")])
def test_a_comparator_gives_the_maps_of_its_network_and_takes_any_size(backbone, shape, layer, rng):
    tower = towers.make_tower(backbone, shape, normalize=True)
    made = comparing.comparator(tower, [layer])
    colour = rng.uniform(0, 255, (2, *shape[:2], 3)).astype("float32")
    seen = colour if shape[2] == 3 else (colour @ np.array(comparing.LUMA, "float32"))[..., None]
    expected = keras.Model(tower.input, tower.get_layer(layer).output)(seen)
    np.testing.assert_allclose(np.asarray(comparing.given_by(made, colour)[0]), np.asarray(expected), atol=1e-3)
    assert comparing.given_by(made, colour[:, :33, :41])[0].shape[0] == 2 and not made.trainable_variables
    assert comparing.deepest_maps(tower) in comparing.names_of(tower)


def test_layers_of_a_network_in_a_network_stand_in_a_row_with_its_own(rng):
    inner_image, image = keras.Input((64, 64, 3)), keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(4, 3, 2, "same", name="deep")(inner_image)
    inner = keras.Model(inner_image, keras.layers.GlobalAveragePooling2D(name="seen")(x), name="inner")
    tower = keras.Model(image, inner(keras.layers.Rescaling(1 / 255, name="scaled")(image)))
    assert comparing.names_of(tower) == ["scaled", "deep", "seen"] and comparing.deepest_maps(tower) == "deep"
    made = comparing.comparator(tower, ["deep"])
    maps = comparing.given_by(made, rng.uniform(0, 255, (1, 96, 64, 3)).astype("float32"))
    assert maps[0].shape[1:3] == (48, 32)


def test_a_layer_that_is_not_there_is_refused_with_those_that_are():
    tower = towers.make_tower("compact", (32, 32, 1), normalize=True)
    with pytest.raises(ValueError, match="--layer=conv9: this network has no such layer, expected .*stage1_conv1"):
        comparing.comparator(tower, ["conv9"])


def test_layers_behind_a_row_of_numbers_keep_the_size():
    tower = towers.make_tower("compact", (32, 32, 1), normalize=True)
    assert comparing.comparator(tower, ["features"]).input_shape[1:] == (32, 32, 3)
