"""train.py with two made-up tasks: `dream` has two networks that learn, `dense` a tree of targets. Run by tests.

    python tests/made_up.py --task=dream --run=NAME

They read no files: each batch is noise of its seed, epoch and step.
"""

import os
import sys
import types
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

import tasks

KINDS = {"dream": "generator", "dense": "boxes_by_trees"}
SIDE = 8  # pixels


class Data(NamedTuple):
    """No data: only what the contract asks for."""

    root: str
    held_out: dict


def blurred_and_sharp(options, epoch: int, step: int):
    """Inputs of `dream`, pictures (B, SIDE, SIDE, 1) in 0..1 of half the size, and as targets those of full size."""
    rng = np.random.default_rng([options.seed, epoch, step])
    sharp = rng.random((options.batch_size, SIDE, SIDE, 1)).astype("float32")
    small = sharp.reshape(len(sharp), SIDE // 2, 2, SIDE // 2, 2, 1).mean((2, 4))
    return {"image": small, "sharp": sharp}, sharp


def picture_and_boxes(options, epoch: int, step: int):
    """Inputs of `dense`, pictures (B, SIDE, SIDE, 1), and its targets at two scales.

    "there": whether a thing is there (B, s, s, 1), "size": its size (B, s, s, 2), each a list over the sides s.
    """
    image = blurred_and_sharp(options, epoch, step)[0]["sharp"]
    scales = [image[:, ::2, ::2], image[:, ::4, ::4]]
    there = [(part > 0.5).astype("float32") for part in scales]
    return {"image": image}, {"there": there, "size": [part.repeat(2, -1) for part in scales]}


def small_generator():
    """A picture (B, h, w, 1) -> one of twice the size. Its Dropout leaves out other values in each batch."""
    import keras

    layers = [keras.Input((SIDE // 2, SIDE // 2, 1)), keras.layers.Conv2D(4, 3, padding="same"),
              keras.layers.BatchNormalization(), keras.layers.ReLU(), keras.layers.Dropout(0.2),
              keras.layers.UpSampling2D(2),
              keras.layers.Conv2D(1, 3, padding="same", dtype="float32")]
    return keras.Sequential(layers, name="generator")


def small_detector():
    """A picture (B, SIDE, SIDE, 1) -> the tree of `picture_and_boxes`; its last layers name the columns of log.csv."""
    import keras

    image = keras.Input((SIDE, SIDE, 1), name="image")
    scales = {size: keras.layers.AveragePooling2D(size)(image) for size in (2, 4)}
    there = [keras.layers.Conv2D(1, 1, activation="sigmoid", name=f"there{side}")(scales[side]) for side in scales]
    size = [keras.layers.Conv2D(2, 1, name=f"size{side}")(scales[side]) for side in scales]
    return keras.Model({"image": image}, {"there": there, "size": size}, name="boxes_by_trees")


def adversarial(generator, discriminator):
    """The trainer of `dream`: a layer that holds both networks -> rows (B, 2), the loss of each."""
    import keras
    from keras import ops

    class Adversarial(keras.layers.Layer):
        def __init__(self):
            super().__init__(dtype="float32")
            self.generator, self.discriminator = generator, discriminator

        def call(self, image, sharp):
            made = self.generator(image)
            fixed = [ops.stop_gradient(weight.value) for weight in self.discriminator.trainable_variables]
            others = [variable.value for variable in self.discriminator.non_trainable_variables]
            judged, _ = self.discriminator.stateless_call(fixed, others, made)  # passes the gradient on, does not move
            true, false = self.discriminator(sharp), self.discriminator(ops.stop_gradient(made))
            own = ops.mean(ops.abs(made - sharp), axis=(1, 2, 3)) + 0.1 * ops.softplus(-judged[:, 0])
            return ops.stack([own, ops.softplus(-true[:, 0]) + ops.softplus(false[:, 0])], axis=1)

    inputs = {"image": keras.Input((SIDE // 2, SIDE // 2, 1), name="image"),
              "sharp": keras.Input((SIDE, SIDE, 1), name="sharp")}
    return keras.Model(inputs, Adversarial()(inputs["image"], inputs["sharp"]))


def dream_trainer(options, model, make_optimizer):
    """Two networks, and an optimizer for each."""
    import keras
    from keras import ops

    from tasks.optimizers import ForEach

    layers = [keras.Input((SIDE, SIDE, 1)), keras.layers.Conv2D(4, 3, strides=2), keras.layers.Flatten(),
              keras.layers.Dense(1, dtype="float32")]
    discriminator = keras.Sequential(layers, name="discriminator")
    made = adversarial(model, discriminator)
    own, other = (keras.metrics.MeanMetricWrapper(lambda targets, rows, column=column: rows[:, column], name=name)
                  for column, name in enumerate(("generated", "judged")))
    made.compile(ForEach({network: make_optimizer(network) for network in (model, discriminator)}),
                 lambda targets, rows: ops.sum(rows, axis=1), metrics=[own, other])
    return made


def dense_trainer(options, model, make_optimizer):
    """A loss for each output of a tree."""
    model.compile(make_optimizer(model), {"there": ["binary_crossentropy"] * 2, "size": ["mae"] * 2})
    return model


def task_of(name: str) -> types.ModuleType:
    """The module of a made-up task, as the contract in tasks/__init__.py asks for it."""
    batch, network, trainer = {"dream": (blurred_and_sharp, small_generator, dream_trainer),
                               "dense": (picture_and_boxes, small_detector, dense_trainer)}[name]

    def make_batches(options, data, model):
        import keras

        class Batches(keras.utils.PyDataset):
            epoch = 0

            def __len__(self):
                return options.steps_per_epoch

            def __getitem__(self, step):
                return batch(options, self.epoch, step)

        return Batches()

    def preview(trainer, batch, data):
        pictures = batch[1] if name == "dream" else batch[0]["image"]
        return 255 * pictures, np.arange(len(pictures)) // 8, {0: "sharp"}

    def finish(options, folder, data):
        from tasks.models import load_model
        from utils.run import folder as runs

        path = runs.model_file(folder)
        others = {"discriminator"} if name == "dream" else set()
        read = [load_model(path, KINDS[name]), *(load_model(runs.beside(path, other), other) for other in others)]
        return [f"kept: {' '.join(model.name for model in read)}"]

    module = types.ModuleType(f"tasks.{name}.task")
    vars(module).update(
        KIND=KINDS[name], NEXT="", CURVES=[], FIGURES={}, settle=lambda options: None,
        build_model=lambda options, start=None: start or network(), find_data=lambda options, model: Data("", {}),
        prepare=lambda options, model, data: None, make_batches=make_batches, trainer=trainer, preview=preview,
        validation=lambda options, model, data: None, callbacks=lambda options, batches: [], finish=finish)
    return module


def add(name: str) -> None:
    """Adds the room of a made-up task to the tables."""
    flags = types.ModuleType(f"tasks.{name}.flags")
    vars(flags).update(for_training=lambda: None, for_answers=lambda: None, for_evaluation=lambda: None,
                       check=lambda options: None)
    network = types.ModuleType(f"nets.{name}")
    network.KIND = KINDS[name]
    room, task = types.ModuleType(f"tasks.{name}"), task_of(name)
    sys.modules |= {module.__name__: module for module in (room, flags, network, task)}
    tasks.TASKS[name] = tasks.TaskRow(name, "task", "a made-up question")
    tasks.ROOMS[name] = tasks.RoomRow(KINDS[name], f"nets.{name}", "", {}, "python train.py", "", {})


if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for each in KINDS:
        add(each)
    import train
    from utils.run import startup

    startup.run(train.main, train.check)
