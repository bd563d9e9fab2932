"""Two devices, and two workers on this machine through TF_CONFIG, give what one gives; a worker that dies ends the
other."""

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import threading

import keras
import numpy as np
import pytest

from nets.losses import LOSSES
from utils.run import console, multi_worker

from forked import run_program
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


@pytest.mark.rare
def test_two_workers_give_the_losses_of_one_and_one_that_dies_ends_the_other(alphabets, tmp_path):
    # batch normalisation sums in another order on two workers: losses agree to rounding while training is short
    args = (f"--dataset_path={alphabets}", "--epochs=2", "--steps_per_epoch=3", "--devices=cpu", "--augment=none",
            "--learning_rate=1e-4", *SMALL)
    alone = subprocess.run([sys.executable, str(ROOT / "train.py"), *args, "--run=alone"], cwd=tmp_path,
                           capture_output=True)
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
    assert (losses(tmp_path / "logs" / "two" / "log.csv")
            == pytest.approx(losses(tmp_path / "logs" / "alone" / "log.csv"), rel=2e-3))
    assert {"best.keras", "evaluation.json"} <= set(os.listdir(tmp_path / "logs" / "two"))


def meet_together(monkeypatch, addresses, workers, minutes=0.1):
    """What the meeting of these workers, a thread each, ends with: None, or the text of the error."""
    monkeypatch.setattr(multi_worker, "workers", lambda: (int(threading.current_thread().name), addresses))
    monkeypatch.setattr(multi_worker, "ROUND", 0.05)
    ends = {}

    def meet():
        worker = int(threading.current_thread().name)
        try:
            ends[worker] = multi_worker.meet(minutes)
        except ValueError as error:
            ends[worker] = str(error)

    threads = [threading.Thread(target=meet, name=str(worker)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ends


def test_workers_meet_and_leave_their_ports(monkeypatch, capsys):
    """In whatever order they come; a stranger at the port of the first does not count."""
    addresses = [f"localhost:{port}" for port in free_ports(3)]
    stranger = threading.Thread(target=lambda: [knock(addresses[0]) for _ in range(5)])
    stranger.start()
    assert meet_together(monkeypatch, addresses, (2, 0, 1), minutes=1) == {0: None, 1: None, 2: None}
    stranger.join()
    assert f"worker 1 of 3 waits for {addresses[0]}" in capsys.readouterr().out
    for address in addresses:
        multi_worker.held(address).close()


def knock(address):
    """Connects and says what no worker says."""
    try:
        with socket.create_connection(multi_worker.host_and_port(address), 1) as guest:
            guest.sendall(b"GET / HTTP/1.1")
            guest.recv(10)
    except OSError:
        pass


@pytest.mark.parametrize("there, missing", [((0,), (1, 2)), ((1,), (0,)), ((0, 2), (1,))])
def test_a_worker_that_is_missing_is_named_and_waited_for_no_longer_than_asked(there, missing, monkeypatch, capsys):
    monkeypatch.setattr(console, "PAUSE", 0.1)
    addresses = [f"localhost:{port}" for port in free_ports(3)]
    ends = meet_together(monkeypatch, addresses, there, minutes=0.01)
    names = " ".join(addresses[worker] for worker in missing)
    first = ends[there[0]]
    assert first.startswith(f"worker {there[0]} of 3 waited 0.01 minutes for {names}; ") and "--wait_minutes" in first
    assert set(ends) == set(there) and None not in ends.values()
    assert capsys.readouterr().out.count(f"worker {there[0]} of 3 waits for {names}") > 1


def test_a_port_in_use_and_a_host_without_a_name_are_one_line(monkeypatch):
    with socket.create_server(("", 0)) as other:
        address = f"localhost:{other.getsockname()[1]}"
        with pytest.raises(ValueError, match=f"cannot listen at {address} .*; end the program that uses the port"):
            multi_worker.held(address)
    addresses = ["no-such-host.invalid:2222", f"localhost:{free_ports(1)[0]}"]
    assert "no-such-host.invalid:2222 (" in meet_together(monkeypatch, addresses, (1,), minutes=0.01)[1]


@pytest.mark.slow
def test_a_lone_worker_ends_on_sigterm(alphabets, tmp_path):
    worker, other = start_workers(tmp_path, f"--dataset_path={alphabets}", "--devices=cpu", "--run=two", *SMALL)
    other.kill()
    line = next(line for line in worker.stdout if "waits for" in line)
    worker.terminate()
    assert "worker 0 of 2 waits for localhost:" in line and worker.wait(10) == -15


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no alarm on this system")
def test_a_worker_whose_partner_died_after_they_met_ends_after_the_time_that_it_said():
    """The libraries would wait for ever, in code that runs no Python."""
    hosts = [f"localhost:{port}" for port in free_ports(2)]
    start = "strategy" if BACKEND == "tensorflow" else "join_jax"
    code = f"from utils.run import multi_worker as made; made.meet = lambda minutes: None; made.{start}(0.05)"
    code, out, err = run_program("-c", code, cwd=ROOT, env={
        "TF_CONFIG": json.dumps({"cluster": {"worker": hosts}, "task": {"type": "worker", "index": 0}})})
    assert code == -signal.SIGALRM and "the others end after 0.05 minutes" in out, err


def test_workers_are_numbered(monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    assert multi_worker.cluster() == (0, 1)
    hosts = {"chief": ["a:1"], "worker": ["b:1", "c:1"]}
    for task, index in ((("chief", 0), 0), (("worker", 1), 2)):
        config = {"cluster": hosts, "task": {"type": task[0], "index": task[1]}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert multi_worker.cluster() == (index, 3)


@pytest.mark.parametrize("text", ["no json", "{}",
                                  '{"cluster": {"worker": ["a", "b:1"]}, "task": {"type": "worker", "index": 0}}',
                                  '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 3}}'])
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


@pytest.mark.rare
def test_two_devices_give_the_gradient_of_one(tmp_path):
    """One step of plain gradient descent on either leaves the same weights, to rounding; so do JAX's devices."""
    for devices in ("cpu", "cpu:2"):
        done = subprocess.run(
            [sys.executable, str(ROOT / "tests" / "one_step.py"), devices, str(tmp_path / f"{devices}.npz")],
            capture_output=True, text=True, cwd=ROOT,
        )
        assert done.returncode == 0, done.stderr
    one, two = (np.load(tmp_path / f"{devices}.npz") for devices in ("cpu", "cpu:2"))
    assert {name.split()[0] for name in one.files} == {*LOSSES, "attention_before", "cross_attention"}
    for name in one.files:
        # a loss of cosines multiplies the float32 rounding, supcon by 1 / its temperature, which is ten
        row = LOSSES.get(name.split()[0])
        rounding = 1e-6 if row and row.unit_length else 1e-7
        tolerance = {"rel": 1e-6} if name.endswith("loss") else {"abs": 1e-5 if name.endswith("features") else rounding}
        assert two[name] == pytest.approx(one[name], **tolerance), name
