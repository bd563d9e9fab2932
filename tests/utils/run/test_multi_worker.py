"""Two devices, and two workers on this machine through TF_CONFIG, give what one gives; a worker that dies ends the other."""

import csv
import json
import os
import socket
import subprocess
import sys

import keras
import numpy as np
import pytest

from utils.run import multi_worker

from helpers import ROOT, SMALL, wait_for_epoch

BACKEND = keras.backend.backend()
pytestmark = pytest.mark.skipif(BACKEND == "torch", reason="one device and one worker only")


def free_ports(count):
    """Ports that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("localhost", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def start_workers(cwd, *args):
    """Two processes of train.py that train together."""
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    return [
        subprocess.Popen(
            [sys.executable, str(ROOT / "train.py"), *map(str, args)], cwd=cwd, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env={**os.environ, "MPLBACKEND": "agg",
                 "TF_CONFIG": json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": index}})},
        )
        for index in range(2)
    ]


def losses(log):
    with open(log, newline="") as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.mark.slow
def test_two_workers_give_the_losses_of_one_and_one_that_dies_ends_the_other(alphabets, tmp_path):
    # batch normalisation sums in another order on two workers: losses agree to rounding while training is short
    args = (f"--dataset_path={alphabets}", "--epochs=2", "--steps_per_epoch=3", "--devices=cpu", "--augment=none",
            "--learning_rate=1e-4", *SMALL)
    alone = subprocess.run([sys.executable, str(ROOT / "train.py"), *args, "--run=alone"], cwd=tmp_path, capture_output=True)
    assert alone.returncode == 0
    together = start_workers(tmp_path, *args, "--run=two")
    wait_for_epoch(together[0], tmp_path / "logs" / "two" / "log.csv", 0)
    together[1].kill()
    out = together[0].communicate(timeout=120)[0]
    assert together[0].returncode == 2 and "another worker stopped" in out, out
    assert "Traceback" not in out
    again = start_workers(tmp_path, *args[:1], "--devices=cpu", "--run=two", "--resume")
    outs = [worker.communicate(timeout=300)[0] for worker in again]
    assert [worker.returncode for worker in again] == [0, 0], "\n".join(outs)
    assert losses(tmp_path / "logs" / "two" / "log.csv") == pytest.approx(losses(tmp_path / "logs" / "alone" / "log.csv"), rel=2e-3)
    assert {"best.keras", "evaluation.json"} <= set(os.listdir(tmp_path / "logs" / "two"))


def test_workers_are_numbered(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert multi_worker.cluster() == (0, 1)
    hosts = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    for task, place in ((("chief", 0), 0), (("worker", 1), 2)):
        config = {"cluster": hosts, "task": {"type": task[0], "index": task[1]}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert multi_worker.cluster() == (place, 3)


@pytest.mark.parametrize("text", ["no json", "{}", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}'])
def test_a_wrong_tf_config_is_one_line(text, monkeypatch):
    monkeypatch.setenv("TF_CONFIG", text)
    with pytest.raises(ValueError, match="expected such as"):
        multi_worker.cluster()


@pytest.mark.skipif(BACKEND != "tensorflow", reason="tf.distribute")
def test_other_versions_of_keras_are_left_alone(monkeypatch, capsys):
    from keras.src.backend.tensorflow import trainer

    before = trainer.reduce_per_replica
    monkeypatch.setattr(keras, "__version__", "3.99.0")
    assert not multi_worker.mend_keras() and trainer.reduce_per_replica is before
    assert "3.99.0" in capsys.readouterr().out


@pytest.mark.slow
def test_two_devices_give_the_gradient_of_one(tmp_path):
    """One step of plain gradient descent on either leaves the same weights, to rounding; so do JAX's devices."""
    for devices in ("cpu", "cpu:2"):
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "one_step.py"), devices, str(tmp_path / f"{devices}.npz")],
            capture_output=True, text=True, cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
    one, two = (np.load(tmp_path / f"{devices}.npz") for devices in ("cpu", "cpu:2"))
    assert {name.split()[0] for name in one.files} == {"cross_entropy", "contrastive", "triplet", "multi_similarity", "supcon"}
    for name in one.files:
        rounding = 1e-6 if name.startswith("supcon") else 1e-7  # its temperature of .1 multiplies the float32 rounding of the loss by ten
        tolerance = {"rel": 1e-6} if name.endswith("loss") else {"abs": rounding}
        assert two[name] == pytest.approx(one[name], **tolerance), name
