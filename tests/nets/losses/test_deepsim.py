"""The perceptual distance and the terms of DeePSiM: against plain NumPy and finite differences."""

import keras
import numpy as np
import pytest
from keras import ops

from nets import comparator as comparing
from nets.losses import deepsim, make_picture_loss
from nets.losses.deepsim import Between, DeepDistance, Spatial


@pytest.fixture
def distance():
    """Two layers of a small network, with units of their own."""
    images = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="first")(images)
    x = keras.layers.Conv2D(5, 3, 2, padding="same", name="second")(keras.layers.Rescaling(1 / 255)(x))
    made = DeepDistance(comparing.comparator(keras.Model(images, x), ["first", "second"]), name="distance")
    made.units.assign(np.array([50.0, 0.3], "float32"))
    return made


@pytest.fixture
def pair(rng):
    return rng.uniform(0, 255, (2, 3, 16, 12, 3)).astype("float32")


def plain(distance, one, other):
    """The squared distances (B,) by the definition."""
    total = np.zeros(len(one))
    maps = [[np.asarray(each, "float64") for each in distance.comparator(pictures)] for pictures in (one, other)]
    for left, right, unit in zip(*maps, np.asarray(distance.units)):
        for row in range(len(total)):
            total[row] += np.mean([np.sum((left[row, y, x] - right[row, y, x]) ** 2) for y in range(left.shape[1])
                                   for x in range(left.shape[2])]) / unit**2 / 2
    return total


def test_the_distance_is_what_its_equation_says_of_any_size(distance, pair):
    squared = plain(distance, *pair)
    np.testing.assert_allclose(ops.convert_to_numpy(distance.squared(*pair)), squared, rtol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(distance(list(pair))), np.sqrt(squared), rtol=1e-4)


def test_equal_pictures_have_distance_0_without_a_gradient_of_nan_and_it_is_symmetric(distance, pair):
    one, other = pair
    assert (ops.convert_to_numpy(distance([one, one])) == 0).all()
    np.testing.assert_array_equal(ops.convert_to_numpy(distance([one, other])),
                                  ops.convert_to_numpy(distance([other, one])))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        value = tf.constant(one)
        with tf.GradientTape() as tape:
            tape.watch(value)
            found = distance([value, one])
        assert np.isfinite(tape.gradient(found, value).numpy()).all()


def test_the_map_has_the_distance_as_its_root_mean_square(distance, pair):
    """Only nearly, because maps of half the size are resized."""
    places = ops.convert_to_numpy(Spatial(distance)(*pair))
    assert places.shape == pair.shape[1:4]
    whole = ops.convert_to_numpy(Between(distance)(*pair))
    np.testing.assert_allclose(np.sqrt((places**2).mean((1, 2))), whole, rtol=0.05)
    changed = pair[0].copy()
    changed[:, 10:13, 2:5] = 0
    where = ops.convert_to_numpy(Spatial(distance)(pair[0], changed))[0]
    assert where[9:14, 1:6].mean() > 20 * where[:6].mean()


def test_different_pictures_have_distance_1_on_average_once_measured(distance, pair):
    pictures = np.concatenate(pair)
    distance.measure(pictures)
    each = ops.convert_to_numpy(distance([pictures, np.roll(pictures, 1, 0)]))
    assert each.mean() == pytest.approx(1, abs=0.05)


def test_it_is_saved_with_its_comparator_and_units(distance, pair, tmp_path):
    sides = [keras.Input((16, 12, 3), name=name) for name in ("a", "b")]
    keras.Model(sides, distance(sides)).save(tmp_path / "a.keras")
    read = keras.saving.load_model(tmp_path / "a.keras", compile=False)
    assert not read.trainable_variables
    np.testing.assert_array_equal(ops.convert_to_numpy(read(list(pair))), ops.convert_to_numpy(distance(list(pair))))


def difference(function, x, at, step):
    """A central difference of a function at one value of x."""
    moved = [x.copy(), x.copy()]
    moved[0][at] += step
    moved[1][at] -= step
    return (float(function(moved[0])) - float(function(moved[1]))) / (2 * step)


TERMS = {
    "feature": (lambda distance, x, y: distance.squared(x, y), 4.0),
    "pixel": (lambda distance, x, y: deepsim.pixel_term(x, y), 8.0),
    "absolute": (lambda distance, x, y: deepsim.absolute_term(x, y), 0.5),
}


@pytest.mark.parametrize("name", TERMS)
def test_gradients_of_the_terms_are_those_of_finite_differences(name, distance, pair):
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("the tape is TensorFlow's")
    term, step = TERMS[name]
    one, other = pair[0][:1], pair[1][:1]
    value = tf.constant(one)
    with tf.GradientTape() as tape:
        tape.watch(value)
        loss = term(distance, value, other)[0]
    gradient = tape.gradient(loss, value).numpy()
    for at in ((0, 3, 4, 1), (0, 9, 2, 0), (0, 15, 11, 2)):
        expected = difference(lambda x: term(distance, x, other)[0], one, at, step if name != "feature" else 0.5)
        assert gradient[at] == pytest.approx(expected, rel=0.03, abs=1e-5)


def test_the_unit_of_the_pixel_term_is_a_grey_level_of_0_to_255(pair):
    one, other = (side.astype("float64") for side in pair)
    expected = 0.5 * ((one - other) ** 2).reshape(3, -1).sum(1)
    np.testing.assert_allclose(ops.convert_to_numpy(deepsim.pixel_term(*pair)), expected, rtol=1e-4)
    small = ops.convert_to_numpy(deepsim.pixel_term(pair[0] / 127.5 - 1, pair[1] / 127.5 - 1))
    np.testing.assert_allclose(127.5**2 * small, expected, rtol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(deepsim.absolute_term(*pair)),
                               np.abs(one - other).reshape(3, -1).sum(1), rtol=1e-4)


def test_the_terms_of_the_discriminator_are_logarithms_of_a_softmax(rng):
    logits = rng.normal(0, 3, (6, 2)).astype("float32")
    chance = np.exp(logits[:, 1]) / np.exp(logits).sum(1)
    np.testing.assert_allclose(ops.convert_to_numpy(deepsim.says_real(logits)), -np.log(chance), rtol=1e-4)
    np.testing.assert_allclose(ops.convert_to_numpy(deepsim.says_made(logits)), -np.log(1 - chance), rtol=1e-4)


def test_the_term_of_codes_is_the_divergence_of_normal_distributions(rng):
    mean, log_variance = rng.normal(size=(2, 4, 5)).astype("float32")
    expected = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance).sum(1)
    np.testing.assert_allclose(ops.convert_to_numpy(deepsim.kl_term(mean, log_variance)), expected, rtol=1e-4)
    assert float(ops.convert_to_numpy(deepsim.kl_term(0 * mean, 0 * mean)).max()) == 0


def test_the_loss_for_other_tasks_adds_a_weak_difference_of_pixels(distance, pair):
    loss = make_picture_loss("deepsim", lambda: distance)
    expected = plain(distance, *pair) + 0.002 * np.abs(pair[0] - pair[1]).mean((1, 2, 3))
    assert float(loss(*pair)) == pytest.approx(expected.mean(), rel=1e-4)
    assert make_picture_loss("l1", None) == "mean_absolute_error"


def test_flat_grey_has_half_the_euclidean_error_of_stripes_moved_by_their_width():
    """The article's example; the perceptual distance of the ready comparator prefers the moved stripes."""
    from tasks.perceptual.measuring import comparators

    columns = np.where(np.arange(96) // 4 % 2, 255.0, 0.0).astype("float32")
    stripes = np.broadcast_to(columns[None, None, :, None], (1, 96, 96, 3)).copy()
    moved, grey = np.roll(stripes, 4, axis=2), np.full_like(stripes, 127.5)
    errors = [float(np.linalg.norm(other - stripes)) for other in (grey, moved)]
    assert errors[0] == pytest.approx(errors[1] / 2)
    near = [float(ops.convert_to_numpy(comparators.made()([stripes, other]))[0]) for other in (moved, grey)]
    assert near[0] < near[1]
