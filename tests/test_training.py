"""train.py as it stands trains, and resumes, a task with two networks that learn and one with a tree of targets."""

import importlib.util
import io
import os
import signal
import subprocess
import sys
import zipfile

import h5py
import numpy as np
import pytest

from utils.run import folder as runs

from helpers import ROOT, wait_for_epoch

EPOCHS = 8
FLAGS = (f"--epochs={EPOCHS}", "--steps_per_epoch=6", "--batch_size=8", "--patience=99")


def start(cwd, backend, *args):
    """Starts train.py with the made-up tasks."""
    return subprocess.Popen([sys.executable, str(ROOT / "tests" / "made_up.py"), *args], cwd=cwd, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                            env={"XLA_FLAGS": "--xla_backend_optimization_level=0", **os.environ, "MPLBACKEND": "agg",
                                 "KERAS_BACKEND": backend})


def arrays(path):
    """All that a state, or the weights in a .keras file, hold."""
    file = path if path.suffix == ".h5" else io.BytesIO(zipfile.ZipFile(path).read("model.weights.h5"))
    with h5py.File(file) as opened:
        found = {f"attribute {name}": np.array(value) for name, value in opened.attrs.items()}
        opened.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


def check_equal(one, two):
    """That two files hold the same, bit for bit."""
    first, second = arrays(one), arrays(two)
    assert first and first.keys() == second.keys()
    assert not [name for name in first if not np.array_equal(first[name], second[name])]


@pytest.mark.slow
@pytest.mark.parametrize("task, others, backend", [
    ("dream", [".discriminator"], "jax"), *(pytest.param(*each, marks=pytest.mark.rare) for each in (
        ("dream", [".discriminator"], "tensorflow"), ("dense", [], "tensorflow"), ("dense", [], "jax")))])
def test_killed_and_resumed_equals_uninterrupted(task, others, backend, tmp_path):
    """Bit for bit: the weights of all networks, the state of all optimizers, seeds, log and kept models."""
    if not importlib.util.find_spec(backend):
        pytest.skip(f"{backend} is not installed")
    whole, killed = (start(tmp_path, backend, f"--task={task}", *FLAGS, f"--run={run}") for run in ("whole", "killed"))
    wait_for_epoch(killed, tmp_path / "logs" / "killed" / "log.csv", 1)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert len((tmp_path / "logs" / "killed" / "log.csv").read_text().splitlines()) <= EPOCHS
    resumed = start(tmp_path, backend, "--resume", "--run=killed")
    for process in (whole, resumed):
        said = process.communicate()[0]
        assert process.returncode == 0 and "kept: " in said, said
    assert "continuing logs/killed after epoch " in said
    logs = [(tmp_path / "logs" / run / runs.LOG).read_text() for run in ("whole", "killed")]
    assert logs[0] == logs[1] and len(logs[0].splitlines()) == EPOCHS + 1
    for name in (runs.STATE, *(f"{kept}{other}.keras" for kept in ("best", "last") for other in ["", *others])):
        check_equal(*(tmp_path / "logs" / run / name for run in ("whole", "killed")))
    state = arrays(tmp_path / "logs" / "whole" / runs.STATE)
    assert len([name for name in state if "discriminator" in name]) == 4 * len(others)
