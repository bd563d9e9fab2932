"""SODNet's parts: shapes, how far each group of ASPConv sees, what each switch takes away."""

import keras
import numpy as np
import pytest

from nets import detectors
from nets.detectors import BOX, sodnet

CLASSES = 4


def applied(net, *inputs):
    """What a network gives, as arrays; JAX compiles the whole at once, which takes less than each operation alone."""
    if keras.backend.backend() == "jax":
        made = net.predict_on_batch(list(inputs) if len(inputs) > 1 else inputs[0])
    else:
        made = net(list(inputs) if len(inputs) > 1 else inputs[0])
    return keras.tree.map_structure(keras.ops.convert_to_numpy, made)


def small(**parts):
    row = detectors.detector_row("sodnet_compact", **parts)
    return row._replace(widths=(8, 8, 8, 8), blocks=(1, 1, 1, 1), width=8, depth=1)


@pytest.mark.parametrize("parts, strides", [({}, (2, 4, 8)), ({"aspconv": False}, (2, 4, 8)),
                                            ({"fmf": False}, (2, 4, 8)), ({"p1": False}, (4, 8))])
def test_maps_have_the_sizes_of_their_strides_and_distances_are_positive(parts, strides, rng):
    row = small(**parts)
    net = detectors.make_detector(row, CLASSES)
    names = {layer.name for layer in net.layers}
    assert row.strides == strides
    assert ("c1_block1_asp_weights" in names) == row.aspconv and ("fmf_fuse" in names) == row.fmf
    maps = applied(net, rng.uniform(0, 255, (2, 32, 48, 3)).astype("float32"))
    assert [each.shape for each in maps] == [(2, 32 // s, 48 // s, BOX + CLASSES) for s in strides]
    for values in maps:
        assert (values[..., :4] > 0).all() and np.isfinite(values).all()


def test_the_groups_of_aspconv_see_growing_fields_and_have_the_weights_that_its_text_says():
    image = keras.Input((None, None, 8), name="image")
    block = keras.Model(image, sodnet.asp_conv(image, 4, "block"))
    convs = sum(int(np.prod(weight.shape)) for weight in block.trainable_weights if "norm" not in weight.path)
    assert convs == 9 * 8 * 3 // 4 + 2 * 8**2 + 8 * 3 // 4 + 8  # and the biases of the groups and of the weights
    groups = keras.Model(image, [block.get_layer(f"block_group{number}").output for number in range(2, 5)])
    plain, touched = np.zeros((1, 15, 15, 8), "float32"), np.zeros((1, 15, 15, 8), "float32")
    touched[0, 7, 7] = 1
    for weight in groups.trainable_weights:
        weight.assign(np.abs(keras.ops.convert_to_numpy(weight)) + 0.01)
    for number, (one, two) in enumerate(zip(applied(groups, plain), applied(groups, touched)), start=1):
        seen = np.argwhere(np.abs(two - one)[0].max(axis=2) > 1e-9)
        assert (np.ptp(seen, axis=0) + 1).tolist() == [2 * number + 1] * 2


def test_an_untrained_aspconv_gives_what_it_got_and_a_trained_one_does_not(rng):
    """What comes out of a ReLU is not negative."""
    image = keras.Input((None, None, 8), name="image")
    block = keras.Model(image, sodnet.asp_conv(image, 4, "block"))
    given = rng.uniform(0, 1, (1, 6, 7, 8)).astype("float32")
    assert np.allclose(applied(block, given), given)
    norm = block.get_layer("block_norm")
    norm.gamma.assign(np.ones(8))
    assert np.abs(applied(block, given) - given).max() > 0.01


def test_p1_sees_both_coarser_maps_in_both_ways(rng):
    """Nearest neighbours and sub-pixel convolution of P2 and P3 both change P1."""
    c1, p2, p3 = (keras.Input((side, side, 6)) for side in (16, 8, 4))
    fused = keras.Model([c1, p2, p3], sodnet.fmf(c1, p2, p3, 6))
    given = [rng.normal(0, 1, (1, side, side, 6)).astype("float32") for side in (16, 8, 4)]
    before = applied(fused, *given)
    assert before.shape == (1, 16, 16, 6)
    for number in range(3):
        other = [array + (1 if row == number else 0) for row, array in enumerate(given)]
        assert np.abs(applied(fused, *other) - before).max() > 1e-4
    for name in ("fmf_p2_subpixel", "fmf_p3_subpixel"):
        fused.get_layer(name).set_weights([np.zeros(weight.shape) for weight in fused.get_layer(name).get_weights()])
    assert np.abs(applied(fused, *given) - before).max() > 1e-4


def test_a_backbone_that_is_none_is_refused():
    with pytest.raises(ValueError, match="--backbone=vgg16 finds no objects: expected sodnet_compact or sodnet"):
        detectors.detector_row("vgg16")
    assert not detectors.detector_row("sodnet", p1=False).fmf
