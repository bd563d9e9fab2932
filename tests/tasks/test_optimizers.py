"""Schedules, and the optimizers of one network or of several."""

import keras
import numpy as np
import pytest

from tasks import optimizers


@pytest.mark.parametrize("name", ["cosine", "step", "constant"])
@pytest.mark.parametrize("steps, warmup", [(1000, 100), (2, 1), (1, 1), (40, 40)])
def test_schedules_rise_then_fall(name, steps, warmup):
    schedule = optimizers.make_schedule(name, 0.5, steps, min(warmup, steps // 2))
    rates = [float(schedule(step)) if callable(schedule) else schedule for step in range(steps + 1)]
    assert all(0 < rate <= 0.5 + 1e-6 for rate in rates)
    if steps == 1000 and name != "constant":
        top = int(np.argmax(rates))
        assert rates[top] == pytest.approx(0.5) and 60 <= top <= 110
        assert all(a >= b for a, b in zip(rates[top:], rates[top + 1 :]))
        assert rates[0] == pytest.approx(0.05) and rates[-1] < 0.01


@pytest.mark.parametrize("name", optimizers.RATES)
def test_optimizers_take_their_schedule_and_decay(name):
    optimizer = optimizers.make_optimizer(name, 0.1, "cosine", 1e-3, 100, 10)
    assert optimizer.weight_decay == pytest.approx(1e-3)
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer.build([variable])
    optimizer.apply([keras.ops.ones(3)])
    assert (keras.ops.convert_to_numpy(variable) < 1).all()


def test_muon_makes_the_step_of_a_convolution_orthogonal(rng):
    """All singular values of a kernel's step are about equal, by NumPy's own decomposition; a bias takes Adam's."""
    kernel, bias = (keras.Variable(np.zeros(shape, "float32")) for shape in ((3, 3, 8, 16), (16,)))
    optimizer = optimizers.make_optimizer("muon", 0.01, "constant", 0, 1, 0)
    optimizer.build([kernel, bias])
    gradient = rng.normal(size=(3, 3, 8, 16)).astype("float32") * np.geomspace(1, 50, 16, dtype="float32")
    optimizer.apply([keras.ops.convert_to_tensor(gradient), keras.ops.ones(16)])
    step = -keras.ops.convert_to_numpy(kernel).reshape(72, 16) / (0.01 * 0.2 * np.sqrt(72))
    left, _, right = np.linalg.svd(gradient.reshape(72, 16), full_matrices=False)
    values = np.diag(left.T @ step @ right.T)
    assert 0.6 < values.min() and values.max() < 1.3
    assert np.abs(step - (left * values) @ right).max() < 1e-4  # the gradient's own directions
    assert np.allclose(keras.ops.convert_to_numpy(bias), -0.01, rtol=1e-3)


def test_muon_leaves_narrow_and_channelwise_kernels_to_adam():
    optimizer = optimizers.make_optimizer("muon", 0.01, "constant", 0, 1, 0)
    for shape, adam in (((3, 3, 40, 12), True), ((5, 5, 96, 1), True), ((40,), True), ((3, 3, 3, 40), False),
                        ((1, 1, 64, 32), False), ((128, 64), False)):
        assert optimizer._should_use_adamw(keras.Variable(np.zeros(shape, "float32"))) is adam, shape


def two_networks():
    """Two networks of one layer, and a trainer whose rows of loss hold a term of each."""
    one, two = (keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)], name=name) for name in ("one", "two"))
    x = keras.Input((3,))
    return one, two, keras.Model(x, keras.layers.Concatenate()([one(x), two(x)]))


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_each_network_has_its_own_optimizer(precision):
    """The rates are those of the networks, also below the scaled loss of mixed precision."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        one, two, trainer = two_networks()
        made = {one: keras.optimizers.SGD(0.0), two: keras.optimizers.SGD(0.1)}
        trainer.compile(optimizers.ForEach(made), lambda targets, rows: rows)
        before = [network.get_weights() for network in (one, two)]
        trainer.fit(np.ones((8, 3), "float32"), np.zeros((8, 2), "float32"), batch_size=4, verbose=0)
        assert np.array_equal(before[0][0], one.get_weights()[0]) and (before[1][0] > two.get_weights()[0]).all()
        assert [optimizer.name for optimizer in made.values()] == ["one", "two"]
    finally:
        keras.config.set_dtype_policy(policy)


def test_a_variable_of_two_networks_or_of_none_is_refused():
    one, two, trainer = two_networks()
    with pytest.raises(ValueError, match="kernel belongs to two networks that learn"):
        optimizers.ForEach({one: keras.optimizers.SGD(), trainer: keras.optimizers.SGD()})
    with pytest.raises(ValueError, match="kernel learns and belongs to none of one"):
        optimizers.ForEach({one: keras.optimizers.SGD()}).build(trainer.trainable_variables)


def test_the_factory_makes_an_optimizer_of_its_own_for_each_network():
    """The rate fits the size of each; what is no part of the kept model is kept beside it."""
    one, two, trainer = two_networks()
    factory = optimizers.Factory("sgd", 0, "constant", 0.0, 10, 2, {})
    made = [factory(network) for network in (one, two)]
    assert made[0] is not made[1]
    assert [float(optimizer.learning_rate) for optimizer in made] == pytest.approx([2e-2, 2e-2])
    assert factory.beside(one) == {"two": two} and factory.beside(trainer) == {}
    with pytest.raises(ValueError, match="two networks that learn are called one"):
        factory(one)
