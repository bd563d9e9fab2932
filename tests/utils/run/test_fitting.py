"""State, input and callbacks of a training."""

import contextlib
import signal
import time

import h5py
import keras
import numpy as np
import pytest

from utils.data.files import save_aside
from utils.run import console, fitting


def test_the_saved_state_is_one_whole_file(tmp_path):
    """Weights, optimizer and epoch come back together; a save that dies leaves the one before."""
    def make():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    model, path = make(), str(tmp_path / "state.weights.h5")
    x, y = np.ones((8, 3)), np.zeros((8, 2))
    model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[fitting.SavedState(path)])
    again = make()
    assert fitting.restore_state(again, path) == 3
    for trained in (model, again):
        trained.fit(x, y, batch_size=4, epochs=4, initial_epoch=3, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights()))

    def die(name):
        with open(name, "w") as file:
            file.write("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        save_aside(die, path, ".weights.h5")
    assert fitting.restore_state(make(), path) == 3
    assert fitting.restore_state(make(), str(tmp_path / "none")) == 0
    here = keras.backend.backend()
    with h5py.File(path, "a") as file:
        assert file.attrs["backend"] == here
        file.attrs["backend"] = "another"
    with pytest.raises(ValueError, match=f"was saved on another, and this is {here}.*pass --backend=another, or train"):
        fitting.restore_state(make(), path)
    skipping = fitting.SavedState(path)
    skipping.set_model(model)
    model.optimizer.iterations.assign(7)  # mixed precision skips steps that overflow
    skipping.on_epoch_end(3)
    assert fitting.restore_state(make(), path) == 4


def test_random_layers_go_on_where_they_were(tmp_path):
    """The seed of a Dropout comes back too, which Keras leaves out of its files; a state without seeds is read too."""
    def make():
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dropout(0.5), keras.layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    model, again, path = make(), make(), str(tmp_path / "state.weights.h5")
    x, y = np.ones((8, 3)), np.zeros((8, 2))
    model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0, callbacks=[fitting.SavedState(path)])
    fitting.restore_state(again, path)
    for trained in (model, again):
        trained.fit(x, y, batch_size=4, epochs=3, initial_epoch=2, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights()))
    with h5py.File(path, "a") as file:
        del file.attrs["seeds"]
    assert fitting.restore_state(make(), path) == 2


def test_no_ctrl_c_is_lost():
    """Pressed where the exception is swallowed, training stops before the next batch; elsewhere, at once."""
    # as in a terminal: in the background it is ignored by inheritance
    signal.signal(signal.SIGINT, signal.default_int_handler)
    batches = []

    def swallow(batch, logs):
        batches.append(batch)
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 3)), np.zeros((8, 2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=2, epochs=9, verbose=0,
                  callbacks=[fitting.CtrlC(), keras.callbacks.LambdaCallback(on_train_batch_end=swallow)])
    assert batches == [0]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[fitting.CtrlC()])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("pause, batches", [(0, [1, 2, 3, 4]), (1000, [])])
def test_a_long_epoch_tells_of_itself_without_a_terminal(pause, batches, capsys, monkeypatch):
    monkeypatch.setattr(console, "PAUSE", pause)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(np.ones((8, 3)), np.zeros((8, 2)), batch_size=2, verbose=0, callbacks=[fitting.Heartbeat()])
    lines = [line for line in capsys.readouterr().out.splitlines() if line]
    assert [line.split(", loss ")[0] for line in lines] == [f"epoch 1: batch {batch} of 4" for batch in batches]


def test_a_first_batch_that_takes_long_tells_of_itself(capsys, monkeypatch):
    monkeypatch.setattr(console, "PAUSE", 0.05)
    with fitting.Heartbeat() as heartbeat:
        time.sleep(0.5)
        heartbeat.on_epoch_begin(0)
        heartbeat.first.set()
    said = capsys.readouterr().out.splitlines()
    assert len(said) > 2 and all("is being compiled" in line for line in said)
    time.sleep(0.2)
    assert not capsys.readouterr().out


def small_trainer(width=2, optimizer="sgd"):
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(width)])
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


@pytest.mark.parametrize("spoil", ["cut", "empty", "another network", "another optimizer", "no epochs", "NaN"])
def test_a_state_that_does_not_fit_is_refused_by_name(spoil, tmp_path):
    path = tmp_path / "state.weights.h5"
    trained = small_trainer(*((3,) if spoil == "another network" else (2, "adam") if spoil == "another optimizer"
                              else ()))
    trained.optimizer.build(trained.trainable_variables)
    if spoil == "NaN":
        trained.set_weights([np.full_like(weight, np.nan) for weight in trained.get_weights()])
    saved = fitting.SavedState(str(path))
    saved.set_model(trained)
    saved.on_epoch_end(2)
    if spoil == "no epochs":
        trained.save_weights(path)
    path.write_bytes(path.read_bytes()[: {"cut": 3000, "empty": 0}.get(spoil)])
    with pytest.raises(ValueError) as error:
        fitting.restore_state(small_trainer(), str(path))
    said = str(error.value)
    assert (said.startswith(f"{path}: cannot be read (") and f"--weights={tmp_path} --run=NAME" in said
            and "\n" not in said)


def run_epochs(folder, rate, epochs=1, initial=0):
    """Trains in a folder as train.py does."""
    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, step):
            return np.ones((4, 3)), np.zeros((4, 2))

    trained = small_trainer(optimizer=keras.optimizers.SGD(rate))
    callbacks = fitting.make_callbacks(str(folder), {"": trained}, made := Batches(), None, 0, [])
    callbacks = [callback for callback in callbacks if not isinstance(callback, keras.callbacks.TensorBoard)]
    trained.fit(made, epochs=epochs, initial_epoch=initial, verbose=0, callbacks=callbacks)


@pytest.mark.parametrize("rate", [1e30, float("nan")])
def test_a_loss_of_nan_ends_the_training_and_leaves_what_was_good(rate, tmp_path):
    run_epochs(tmp_path, 1e-3)
    before = {name: (tmp_path / name).read_bytes()
              for name in ("best.keras", "last.keras", "state.weights.h5", "log.csv")}
    with pytest.raises(ValueError,
                       match="diverged in epoch 2: .*best.keras is that of an earlier epoch.*lower with --resume"):
        run_epochs(tmp_path, rate, epochs=2, initial=1)
    assert before == {name: (tmp_path / name).read_bytes() for name in before}
    assert fitting.restore_state(small_trainer(), str(tmp_path / "state.weights.h5")) == 1


def test_an_epoch_of_other_columns_is_not_written(tmp_path):
    run_epochs(tmp_path, 1e-3)
    log = tmp_path / "log.csv"
    log.write_text(log.read_text().replace("mae", "other"))
    before = log.read_text(), (tmp_path / "last.keras").read_bytes()
    assert fitting.columns(small_trainer()) == {"loss", "mae"}
    with pytest.raises(ValueError, match="log.csv: has no column for mae"):
        run_epochs(tmp_path, 1e-3, epochs=2, initial=1)
    assert before == (log.read_text(), (tmp_path / "last.keras").read_bytes())


class Numbers(keras.utils.PyDataset):
    """Seven batches that differ by epoch, place and row; the last is short."""

    epoch = 0

    def __len__(self):
        return 7

    def __getitem__(self, step):
        rng = np.random.default_rng([self.epoch, step])
        rows = 2 if step == 6 else 4
        return rng.normal(size=(rows, 3)).astype("float32"), rng.normal(size=(rows, 2)).astype("float32")


def test_training_is_fed_as_keras_would_feed_it():
    """The same weights bit for bit, so every batch of its epoch came once, whole and in order, though some are made
    ahead."""
    weights = []
    for through in (fitting.feed, lambda batches: batches):
        keras.utils.set_random_seed(0)
        model, batches = small_trainer(optimizer="adam"), Numbers()
        begin = keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs, batches=batches: setattr(batches, "epoch", epoch))
        model.fit(through(batches), epochs=3, shuffle=False, verbose=0, callbacks=[begin])
        weights.append(model.get_weights())
    assert all(np.array_equal(a, b) for a, b in zip(*weights))


def test_targets_may_be_a_tree_of_arrays():
    """Pictures, dicts and lists, one in another; the columns of several outputs are known at the first batch."""
    class Dense(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, step):
            x = np.random.default_rng(step).random((2, 8, 8, 1)).astype("float32")
            return {"image": x}, {"picture": 1 - x, "levels": [x[:, ::2, ::2], x[:, ::4, ::4]]}

    keras.utils.set_random_seed(0)
    image = keras.Input((8, 8, 1), name="image")
    halves = [keras.layers.Conv2D(1, 1)(keras.layers.AveragePooling2D(size)(image)) for size in (2, 4)]
    picture = keras.layers.Conv2D(1, 3, padding="same", name="picture")(image)
    model = keras.Model({"image": image}, {"picture": picture, "levels": halves})
    model.compile(keras.optimizers.SGD(0.1), {"picture": "mae", "levels": ["mse", "mse"]},
                  metrics={"picture": "mse", "levels": ["mae", "mae"]})
    seen = fitting.columns(model)
    fitting.build_optimizer(model)
    losses = model.fit(fitting.feed(Dense()), epochs=3, shuffle=False, verbose=0).history
    assert seen == {"loss"} and {"loss", "picture_loss"} < set(losses) and losses["loss"][2] < losses["loss"][0]


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="other backends take the batches as they are")
def test_tensorflow_is_fed_without_tuning():
    """The tuning is what the end of an epoch waited for; every epoch begins at the first batch and knows how many there
    are."""
    batches = Numbers()
    data = fitting.feed(batches)
    assert data.options().autotune.enabled is False and int(data.cardinality()) == 7
    for batches.epoch in (2, 5):
        for step, (x, y) in data.enumerate():
            expected = batches[int(step)]
            assert np.array_equal(x, expected[0]) and np.array_equal(y, expected[1])
        assert step == 6


def test_the_first_step_is_traced_once_where_the_optimizer_is_built():
    class Traced(keras.layers.Layer):
        def call(self, inputs):
            traced.append(len(inputs.shape))
            return inputs

    traced = []
    for built in (False, True):
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), Traced()])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        if built:
            fitting.build_optimizer(model)
        traced.append("fit")
        model.fit(np.ones((8, 3)), np.zeros((8, 2)), batch_size=4, verbose=0)
    first, second = (traced[start + 1 :].index("fit") if "fit" in traced[start + 1 :] else len(traced) - start - 1
                     for start, each in enumerate(traced) if each == "fit")
    if keras.backend.backend() == "tensorflow":
        assert second < first
    assert second >= 1
