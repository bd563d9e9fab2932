"""Schedules, callbacks, run folders and figures."""

import contextlib
import csv
import json
import os
import signal
import zipfile

import keras
import numpy as np
import pytest

from utils.run import figures
from utils.run import fitting as training
from utils.run import folder as runs


@pytest.mark.parametrize("name", ["cosine", "step", "constant"])
@pytest.mark.parametrize("steps, warmup", [(1000, 100), (2, 1), (1, 1), (40, 40)])
def test_schedules_rise_then_fall(name, steps, warmup):
    schedule = training.make_schedule(name, 0.5, steps, min(warmup, steps // 2))
    rates = [float(schedule(step)) if callable(schedule) else schedule for step in range(steps + 1)]
    assert all(0 < rate <= 0.5 + 1e-6 for rate in rates)
    if steps == 1000 and name != "constant":
        top = int(np.argmax(rates))
        assert rates[top] == pytest.approx(0.5) and 60 <= top <= 110
        assert all(a >= b for a, b in zip(rates[top:], rates[top + 1 :]))
        assert rates[0] == pytest.approx(0.05) and rates[-1] < 0.01


@pytest.mark.parametrize("name", training.RATES)
def test_optimizers_take_their_schedule_and_decay(name):
    optimizer = training.make_optimizer(name, 0.1, "cosine", 1e-3, 100, 10)
    assert optimizer.weight_decay == pytest.approx(1e-3)
    variable = keras.Variable(np.ones(3, "float32"))
    optimizer.build([variable])
    optimizer.apply([keras.ops.ones(3)])
    assert (keras.ops.convert_to_numpy(variable) < 1).all()


@pytest.mark.parametrize("spread, gap, speaks", [(0.0, 1.0, True), (0.8, 1.0, True), (0.8, 1.5, False)])
def test_a_collapse_is_said_once_with_what_to_change(spread, gap, speaks, capsys):
    callback = training.Collapse(np.log(2))
    for epoch in range(6):
        callback.on_epoch_end(epoch, {"spread": spread, "loss": 0.5, "same_distance": 1.0, "different_distance": gap})
    out = capsys.readouterr().out
    assert out.count("collapsed") == int(speaks)
    assert not speaks or "--learning_rate" in out


def test_the_log_forgets_what_a_resumed_run_writes_again(tmp_path):
    rows = [{"epoch": n, "loss": 1 / (n + 1)} for n in range(4)]
    with open(tmp_path / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["epoch", "loss"])
        writer.writeheader()
        writer.writerows(rows)
    runs.forget_epochs(str(tmp_path), 3)
    assert [row["epoch"] for row in runs.read_log(str(tmp_path))] == [0, 1, 2]
    runs.forget_epochs(str(tmp_path), 0)
    assert runs.read_log(str(tmp_path)) == []


def write_model(path, kind):
    """As much of a .keras file as tells its kind."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("config.json", json.dumps({"config": {"name": kind}}))


def test_models_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runs, "READY", "model_data")
    with pytest.raises(ValueError, match="python train.py"):
        runs.find_model("")
    for folder in ("model_data/ready", "logs/old", "logs/new"):
        os.makedirs(folder)
    write_model("model_data/ready/best.keras", "siamese")
    assert runs.find_model("") == os.path.join("model_data", "ready", "best.keras")
    for age, name in ((2000, "old"), (1000, "new")):
        path = f"logs/{name}/best.keras"
        write_model(path, "siamese")
        os.utime(path, (os.path.getmtime(path) - age,) * 2)
    assert runs.find_model("") == os.path.join("logs", "new", "best.keras")
    os.makedirs("logs/rank")
    write_model("logs/rank/best.keras", "rankiqa")  # the newest, but of another kind
    assert runs.find_model("") == os.path.join("logs", "new", "best.keras")
    assert runs.find_model("", "rankiqa") == os.path.join("logs", "rank", "best.keras")
    assert runs.find_model("logs/old") == os.path.join("logs/old", "best.keras")
    assert runs.find_model("logs/old/best.keras") == "logs/old/best.keras"
    with pytest.raises(ValueError, match="found no model at logs/none"):
        runs.find_model("logs/none")


def test_a_loss_that_is_no_number_is_said(capsys):
    training.Collapse(np.log(2)).on_epoch_end(0, {"loss": float("nan"), "spread": 1, "same_distance": 1, "different_distance": 2})
    assert "diverged" in capsys.readouterr().out


@pytest.mark.parametrize("idle", [np.log(2), 0.2])
def test_a_loss_that_idles_is_a_collapse_too(idle, capsys):
    callback = training.Collapse(idle)
    for epoch in range(2):
        callback.on_epoch_end(epoch, {"loss": idle + 1e-4, "spread": 1, "same_distance": 1, "different_distance": 2})
    assert "collapsed" in capsys.readouterr().out


def test_the_saved_state_is_one_whole_file(tmp_path):
    """Weights, optimizer and epoch come back together; a save that dies leaves the one before."""
    def make():
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile(keras.optimizers.Adam(0.1), "mse")
        return model

    model, path = make(), str(tmp_path / "state.weights.h5")
    x, y = np.ones((8, 3)), np.zeros((8, 2))
    model.fit(x, y, batch_size=4, epochs=3, verbose=0, callbacks=[training.SavedState(path)])
    again = make()
    assert training.restore_state(again, path) == 3
    for trained in (model, again):
        trained.fit(x, y, batch_size=4, epochs=4, initial_epoch=3, shuffle=False, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(model.get_weights(), again.get_weights()))

    def die(name):
        with open(name, "w") as file:
            file.write("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        runs.save_aside(die, path, ".weights.h5")
    assert training.restore_state(make(), path) == 3
    assert training.restore_state(make(), str(tmp_path / "none")) == 0
    skipping = training.SavedState(path)
    skipping.set_model(model)
    model.optimizer.iterations.assign(7)  # mixed precision skips steps that overflow
    skipping.on_epoch_end(3)
    assert training.restore_state(make(), path) == 4


def test_no_ctrl_c_is_lost():
    """Pressed where the exception is swallowed, training stops before the next batch; elsewhere, at once."""
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
                  callbacks=[training.CtrlC(), keras.callbacks.LambdaCallback(on_train_batch_end=swallow)])
    assert batches == [0]
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[training.CtrlC()])
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_json_is_written_whole(tmp_path):
    runs.write_json(str(tmp_path), "a.json", {"é": 1})
    with pytest.raises(TypeError):
        runs.write_json(str(tmp_path), "a.json", {"bad": object()})
    assert runs.read_json(str(tmp_path), "a.json") == {"é": 1}
    assert runs.read_json(str(tmp_path), "none.json") is None


def test_a_run_is_not_written_over(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = runs.new_run("one", "siamese")
    open(os.path.join(folder, "flags.txt"), "w").close()
    with pytest.raises(ValueError, match="pass --resume"):
        runs.new_run("one", "siamese")
    assert runs.run_to_resume("one") == folder
    with pytest.raises(ValueError, match="found no run"):
        runs.run_to_resume("two")


def test_figures_are_written(tmp_path, rng):
    with open(tmp_path / "log.csv", "w") as file:
        file.write("epoch,loss,val_loss,val_accuracy,val_roc_auc,same_distance,different_distance\n0,1,1,.5,.5,1,1\n")
    figures.training_curves(str(tmp_path))
    figures.batch(str(tmp_path), rng.uniform(0, 255, (6, 8, 8, 1)), np.repeat([3, 1], 3))
    figures.compared(rng.uniform(0, 255, (8, 8, 3)), rng.uniform(0, 255, (8, 8, 3)), "same", str(tmp_path / "p.png"))
    for name in ("curves.png", "batch.png", "p.png"):
        assert (tmp_path / name).stat().st_size > 1000
