"""Callbacks, state and input of a training run, all of them Keras' own where Keras has them."""

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import NamedTuple

import h5py
import keras
import numpy as np

from utils.data.files import reading, save_aside
from utils.run import console, figures, folder as runs, multi_worker


class KeptModels(keras.callbacks.ModelCheckpoint):
    """ModelCheckpoint of the models that are kept for use, see `save_models`, in place of the one that is trained."""

    def __init__(self, kept: dict[str, keras.Model], path: str, **kwargs):
        super().__init__(path, **kwargs)
        self.kept = kept

    def set_model(self, model):
        super().set_model(self)  # ModelCheckpoint asks its model for nothing but `save`

    def save(self, path: str, overwrite: bool = True) -> None:
        save_models(self.kept, path)


def save_models(kept: dict[str, keras.Model], path: str) -> None:
    """Writes each model aside into its file: the one called "" into `path`, the others beside it, see `runs.beside`."""
    for name, model in kept.items():
        save_aside(model.save, runs.beside(path, name), ".keras")


class SavedState(keras.callbacks.Callback):
    """Saves the state of a run after each epoch, in one file that is whole or not there.

    The state is all that training changes: the weights of every network that learns, the state of every optimizer and
    schedule, and the seeds of random layers, which Keras leaves out of its files of weights.

    Keras' BackupAndRestore writes two files in place: killed between them, a run continues with the
    weights of one epoch and the number of another.
    """

    def __init__(self, path: str):
        super().__init__()
        self.path = path

    def on_epoch_end(self, epoch, logs=None):
        def save(path: str) -> None:
            self.model.save_weights(path)
            with h5py.File(path, "a") as file:
                file.attrs["epochs"], file.attrs["backend"] = epoch + 1, keras.backend.backend()
                file.attrs["seeds"] = [keras.ops.convert_to_numpy(seed) for seed in seeds_of(self.model)]

        save_aside(save, self.path, ".weights.h5")


def restore_state(trained: keras.Model, path: str) -> int:
    """Loads what `SavedState` saved, if anything, and returns the epochs that it has seen.

    Raises:
        ValueError: a damaged file, or one of another network, optimizer or backend.
    """
    if not os.path.isfile(path):
        return 0
    build_optimizer(trained)
    mend = runs.mend(os.path.dirname(path), runs.STATE)
    with reading(path, "weights and optimizer of this run", mend), h5py.File(path) as file:
        backend = file.attrs.get("backend", keras.backend.backend())  # runs of before have none
        if backend != keras.backend.backend():
            raise ValueError(f"{path}: was saved on {backend}, and this is {keras.backend.backend()}, which draws "
                             f"other numbers; pass --backend={backend}, or {mend}")
    with reading(path, "weights and optimizer of this run", mend), warnings.catch_warnings():
        warnings.filterwarnings("error", "Skipping variable loading")  # Keras would go on with a fresh optimizer
        trained.load_weights(path)
        with h5py.File(path) as file:
            epochs = int(file.attrs["epochs"])
            for seed, saved in zip(seeds_of(trained), file.attrs.get("seeds", [])):  # runs of before have none
                seed.assign(saved)
        if not finite(trained):
            raise ValueError("weights of NaN or infinity")
    return epochs


def build_optimizer(trained: keras.Model) -> None:
    """Makes the variables of the optimizer of a compiled model. Left to the first step, they make TensorFlow trace that
    step twice, which takes seconds."""
    trained.optimizer.build(trained.trainable_variables)


def seeds_of(trained: keras.Model) -> list[keras.Variable]:
    """The seeds of the random layers in a model, such as Dropout: they change with every batch."""
    weights = {id(weight) for weight in trained.weights}
    return [variable for variable in trained.variables if id(variable) not in weights]


def columns(trained: keras.Model) -> set[str]:
    """The columns of log.csv that training fills by itself: the loss, and the metrics that it was compiled with.

    Those of several outputs are left out: Keras names them when it sees the first batch.
    """
    metrics = getattr(trained._compile_metrics, "_user_metrics", None) or ()
    known = isinstance(metrics, list | tuple) and len(getattr(trained, "outputs", [trained])) == 1
    return {"loss", *(getattr(metric, "name", metric) for metric in keras.tree.flatten(metrics) if known)}


def finite(model: keras.Model) -> bool:
    """Whether all weights of a model are finite numbers."""
    return all(np.isfinite(weight).all() for weight in model.get_weights())


class StopAtNaN(keras.callbacks.Callback):
    """Ends the training with a ValueError when the loss, or a weight, is NaN or infinite; what was saved before stays
    as it is."""

    def __init__(self, folder: str):
        super().__init__()
        self.folder = folder

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss", 0.0)
        if not np.isfinite(loss):
            self.stop(f"the loss is {loss}")

    def on_epoch_end(self, epoch, logs=None):
        if not finite(self.model):
            self.stop("some weights are NaN or infinite")

    def stop(self, what: str) -> None:
        kept = next((name for name in (runs.BEST, runs.LAST) if os.path.isfile(os.path.join(self.folder, name))), None)
        lower = "Pass a --learning_rate ten times lower"
        raise ValueError(f"training diverged in epoch {self.epoch + 1}: {what}. "
                         + (f"{self.folder}/{kept} is that of an earlier epoch. {lower} with --resume to go on from "
                            "there" if kept else lower))


class Log(keras.callbacks.CSVLogger):
    """CSVLogger that writes under the columns that log.csv has already, and refuses others before it writes.

    Raises:
        ValueError: an epoch with figures for which the log of a resumed run has no column.
    """

    def __init__(self, folder: str):
        super().__init__(os.path.join(folder, runs.LOG), append=True)
        self.folder = folder

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.keys = runs.columns_of_log(self.folder)[1:] or None

    def on_epoch_end(self, epoch, logs=None):
        runs.check_columns(self.folder, set(logs))
        super().on_epoch_end(epoch, logs)


class CtrlC(keras.callbacks.Callback):
    """Makes sure that Ctrl-C ends the training: where other code swallowed its exception, it is raised again before the
    next batch.

    A `__del__`, for one, swallows every exception, and so may a callback of compiled code.
    """

    def on_train_begin(self, logs=None):
        self.pressed = False
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self.press)

    def press(self, number, frame):
        self.pressed = True
        raise KeyboardInterrupt

    def on_train_batch_begin(self, batch, logs=None):
        if self.pressed:
            raise KeyboardInterrupt

    def on_train_end(self, logs=None):
        if signal.getsignal(signal.SIGINT) == self.press:
            signal.signal(signal.SIGINT, signal.default_int_handler)


class Heartbeat(keras.callbacks.Callback):
    """Where the output is no terminal, prints a line in the middle of an epoch that takes long: Keras prints one at its
    end.

    As a context it also tells of a first batch that takes long, because the network is compiled for it.
    """

    def __init__(self):
        super().__init__()
        self.first = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.tell_of_the_first, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.first.set()

    def tell_of_the_first(self):
        begun = time.monotonic()
        while not self.first.wait(console.PAUSE):
            print(f"the network is being compiled for the first batch: {time.monotonic() - begun:.0f} s so far",
                  flush=True)

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.due = epoch + 1, console.Due()

    def on_train_batch_end(self, batch, logs=None):
        self.first.set()
        if not sys.stdout.isatty() and self.due():
            print(f"epoch {self.epoch}: batch {batch + 1} of {self.params['steps']}, loss {logs['loss']:.3g}",
                  flush=True)


class Validation(NamedTuple):
    """A function that measures the kept model, and which of its figures, "max" or "min", tells the best epoch.

    With the monitor "" its figures are logged and the last epoch is kept: too little was held out to choose by.
    """

    measure: Callable[[], dict[str, float]]
    monitor: str
    mode: str


def feed(batches):
    """What Keras' `fit` is given to train on `batches`, a PyDataset; each epoch takes every batch once, in their order.

    On TensorFlow it is the tf.data.Dataset that Keras would make of them, but without tf.data's tuning. Keras makes an
    iterator for each epoch, and an iterator with that tuning can take as long as the epoch to end: its thread sleeps
    for twice as long each time, and is waited for. On JAX with several workers it is this worker's part of each batch.

    Args:
        batches: of inputs and targets, each an array or a tree of arrays: dicts, tuples and lists, one in another.
    """
    if keras.backend.backend() != "tensorflow":
        return multi_worker.own_part(batches)
    import tensorflow as tf

    def whole():
        # tf.data takes a list for an array
        return (keras.tree.lists_to_tuples(batches[number]) for number in range(len(batches)))

    spec = keras.tree.map_structure(lambda rows: tf.TensorSpec((None, *rows.shape[1:]), rows.dtype), next(whole()))
    options = tf.data.Options()
    options.autotune.enabled = False
    data = tf.data.Dataset.from_generator(whole, output_signature=spec)
    data = data.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return data.prefetch(1).with_options(options)


def make_callbacks(
    folder: str, kept: dict[str, keras.Model], batches, validation: Validation | None, patience: int,
    curves: list[tuple[str, list[str]]],
) -> list[keras.callbacks.Callback]:
    """The callbacks of a run, in the order in which they must speak.

    A loss of NaN ends the training before anything is written. Validation comes before all that write, so that
    they see its figures; the saved state comes last, so that an epoch it knows is in the log.

    Args:
        kept: the models to write, see `save_models`.
        curves: panels of curves.png, see `figures.training_curves`.
    """
    monitor, mode = (validation.monitor, validation.mode) if validation and validation.monitor else ("loss", "min")
    keep_last = bool(validation) and not validation.monitor
    past = runs.read_log(folder)
    known = past if os.path.isfile(os.path.join(folder, runs.BEST)) else []  # the best model is gone: the next is kept
    best = (max if mode == "max" else min)((row[monitor] for row in known if monitor in row), default=None)
    Lambda = keras.callbacks.LambdaCallback
    callbacks = [
        StopAtNaN(folder),
        Lambda(on_epoch_begin=lambda epoch, logs: setattr(batches, "epoch", epoch)),
        Log(folder),
        KeptModels(kept, os.path.join(folder, runs.BEST), monitor=monitor, mode=mode,
                  save_best_only=not keep_last, initial_value_threshold=best),
        KeptModels(kept, os.path.join(folder, runs.LAST)),
        Lambda(on_epoch_end=lambda epoch, logs: figures.training_curves(folder, curves)),
    ]
    if validation:
        callbacks.insert(2, Lambda(on_epoch_end=lambda epoch, logs: logs.update(validation.measure())))
    if patience:
        stopping = keras.callbacks.EarlyStopping(monitor=monitor, mode=mode, patience=patience, verbose=1)
        replay = Lambda(on_train_begin=lambda logs: [stopping.on_epoch_end(int(r["epoch"]), r) for r in past])
        callbacks += [stopping, replay]
    if tensorboard_installed():
        callbacks.append(keras.callbacks.TensorBoard(os.path.join(folder, "tensorboard")))
    return [*callbacks, SavedState(os.path.join(folder, runs.STATE))]


def tensorboard_installed() -> bool:
    """Whether Keras' TensorBoard callback can run: it needs TensorFlow too."""
    import importlib.util

    return keras.backend.backend() == "tensorflow" and importlib.util.find_spec("tensorboard") is not None
