"""Optimizers of a training run: one for each network that learns, each with its schedule."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import keras
from keras import ops

SMALL = 2_000_000  # parameters of a network that takes the first of these rates, a larger one takes the second
RATES = {"sgd": (2e-2, 1e-2), "adam": (2e-3, 1e-4), "adamw": (2e-3, 1e-4), "muon": (3e-3, 3e-4)}


def default_rate(optimizer: str, model: keras.Model) -> float:
    """The learning rate when none is given, by optimizer and size of the network."""
    return RATES[optimizer][model.count_params() > SMALL]


def make_optimizer(name: str, rate: float, schedule: str, weight_decay: float, steps: int, warmup: int):
    """An optimizer with its schedule.

    Args:
        name: "sgd" (Nesterov momentum .9), "adam", "adamw" or "muon", see `Muon`.
        rate: highest learning rate.
        schedule: "cosine" (to a hundredth), "step" (ten steps, each 0.63 of the last) or "constant".
        weight_decay: decoupled; 0 for none.
        steps: of the whole run.
        warmup: steps from a tenth of the rate up to it.
    """
    rate = make_schedule(schedule, rate, steps, min(warmup, steps // 2))
    decay = weight_decay or None
    if name == "sgd":
        return keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=decay)
    if name == "muon":
        return Muon(rate, weight_decay=decay, adam_weight_decay=decay)
    if name == "adam":
        return keras.optimizers.Adam(rate, weight_decay=decay)
    return keras.optimizers.AdamW(rate, weight_decay=weight_decay)


def make_schedule(name: str, rate: float, steps: int, warmup: int):
    """A schedule as `make_optimizer` names them, or the rate itself; `warmup` of the `steps` climb."""
    schedules = keras.optimizers.schedules
    if name == "cosine":
        return schedules.CosineDecay(
            rate / 10, max(1, steps - warmup), alpha=0.01, warmup_target=rate, warmup_steps=max(1, warmup)
        )
    if name == "step":
        climb = [warmup // 3, 2 * warmup // 3, warmup] if warmup >= 3 else []
        falls = [warmup + (steps - warmup) * part // 10 for part in range(1, 10)]
        values = [rate * part for part in (0.1, 0.4, 0.7)[: len(climb)]] + [rate * 0.63**n for n in range(10)]
        return schedules.PiecewiseConstantDecay(climb + falls, values)
    return rate


class Factory(NamedTuple):
    """Makes the optimizers of a run; a task calls it once for each network that learns.

    Attributes:
        name, schedule, weight_decay, steps, warmup: as of `make_optimizer`.
        rate: highest learning rate; 0: what suits the optimizer and the network.
        networks: those that it was called for, by their names.
    """

    name: str
    rate: float
    schedule: str
    weight_decay: float
    steps: int
    warmup: int
    networks: dict[str, keras.Model]

    def __call__(self, network: keras.Model) -> keras.Optimizer:
        """An optimizer of its own for a network; ValueError where it has made one for a network of the same name."""
        if network.name in self.networks:
            raise ValueError(f"two networks that learn are called {network.name}: each needs a name of its own, "
                             "which names its files")
        self.networks[network.name] = network
        rate = self.rate or default_rate(self.name, network)
        return make_optimizer(self.name, rate, self.schedule, self.weight_decay, self.steps, self.warmup)

    def beside(self, kept: keras.Model) -> dict[str, keras.Model]:
        """The networks that learn and are no part of the model `kept`, by their names, such as a discriminator."""
        own = {id(weight) for weight in kept.weights}
        return {name: network for name, network in self.networks.items()
                if any(id(weight) not in own for weight in network.weights)}


class ForEach(keras.optimizers.MultiOptimizer):
    """An optimizer for each of several networks, to compile the one trainer with that holds them all.

        trainer.compile(ForEach({network: make_optimizer(network) for network in (generator, discriminator)}), ...)

    All of them step at once, after each batch, so every network needs a gradient from every batch. Where a term of the
    loss is left out, TensorFlow raises "No gradients provided"; where it is multiplied by zero, the momentum still
    moves the network.

    Args:
        optimizers: by network. Networks must be built, share no variable that learns, and hold all that learn in the
            trainer.

    Raises:
        ValueError: a variable that learns belongs to two networks; when the trainer is built, to none.
    """

    def __init__(self, optimizers: Mapping[keras.Model, keras.Optimizer]):
        owners: dict[int, keras.Optimizer] = {}  # by variable: its path does not tell the network that it is used in
        for network, optimizer in optimizers.items():
            optimizer.name = network.name  # TensorBoard shows the learning rate under this name
            for variable in network.trainable_variables:
                if owners.setdefault(id(variable), optimizer) is not optimizer:
                    raise ValueError(f"the variable {variable.path} belongs to two networks that learn")

        def owner(variable: keras.Variable) -> keras.Optimizer:
            if id(variable) not in owners:
                names = ", ".join(network.name for network in optimizers)
                raise ValueError(f"the variable {variable.path} learns and belongs to none of {names}")
            return owners[id(variable)]

        super().__init__(owner)


@keras.saving.register_keras_serializable("compare")
class Muon(keras.optimizers.Muon):
    """Muon (Jordan et al. 2024; Liu et al. 2025): the momentum of a matrix, made orthogonal, is its step, so that all
    directions learn alike.

    Keras's own class takes matrices alone, and steps the kernels of convolutions by AdamW; here such a kernel is the
    matrix of its filters, (height * width * channels, filters), as Jordan et al. do it. What is no such matrix, or one
    with a side below `LEAST`, is stepped by AdamW.
    """

    LEAST = 16

    def _should_use_adamw(self, variable):
        return len(variable.shape) < 2 or min(filters_of(variable.shape)) < self.LEAST

    def zeropower_via_newtonschulz5(self, x, steps: int):
        made = super().zeropower_via_newtonschulz5(ops.reshape(x, filters_of(x.shape)), steps)
        return ops.reshape(made, x.shape)

    def lr_adjust(self, x):
        return ops.reshape(super().lr_adjust(ops.reshape(x, filters_of(x.shape))), x.shape)


def filters_of(shape: tuple[int, ...]) -> tuple[int, int]:
    """The sides of the matrix that a kernel is: numbers of a filter, and filters."""
    return math.prod(shape[:-1]), shape[-1]


@keras.saving.register_keras_serializable("compare")
class Pausing(keras.optimizers.Adam):
    """Adam that leaves a variable and its momentum as they are where the whole gradient is exactly 0.

    So one of two networks can stop for some steps: its loss has gradients of 0 then. Adam itself would move it on by
    its momentum, and weight decay, which this optimizer does not have, would shrink it.
    """

    def update_step(self, gradient, variable, learning_rate):
        number = self._get_variable_index(variable)
        kept = [variable, self._momentums[number], self._velocities[number]]
        before = [ops.copy(ops.convert_to_tensor(each)) for each in kept]
        moves = ops.any(ops.not_equal(gradient, 0))
        super().update_step(gradient, variable, learning_rate)
        for each, value in zip(kept, before):
            self.assign(each, ops.where(moves, ops.convert_to_tensor(each), value))


def pausing(optimizer: keras.Optimizer) -> Pausing:
    """The pausing form of an Adam, with its rate and schedule, without its weight decay."""
    return Pausing.from_config(optimizer.get_config() | {"weight_decay": None})
