"""Several hosts through TF_CONFIG: tf.distribute's MultiWorkerMirroredStrategy under Keras' fit, or JAX.

Keras 3.15 breaks off there (keras issue 20585): it reduces a batch that lies on several replicas, and
averages scalars along their first axis. `mend_keras` replaces these two functions, in the one version in
which that was tested; in any other Keras is left as it is.

Before either begins, the workers meet: those libraries wait for a missing worker in code that hears no Ctrl-C and says
nothing.
"""

import contextlib
import json
import logging
import os
import signal
import socket
import time
from collections.abc import Iterator

import keras
import numpy as np

from utils.run import console

ROUND = 0.5  # seconds between two looks at the others
WAIT, GO = "wait for ", "begin"  # what the first worker tells the others
MENDED = "3.15."  # the versions of Keras that need it, and for which it was tested


def cluster() -> tuple[int, int]:
    """This worker's number and how many there are, from TF_CONFIG: (0, 1) without it."""
    worker, addresses = workers()
    return worker, len(addresses)


def workers() -> tuple[int, list[str]]:
    """This worker's number and the addresses of all, from TF_CONFIG: (0, [""]) without it.

    Raises:
        ValueError: a TF_CONFIG that is not of this kind.
    """
    text = os.environ.get("TF_CONFIG", "")
    if not text:
        return 0, [""]
    try:
        config = json.loads(text)
        hosts = {kind: config["cluster"].get(kind, []) for kind in ("chief", "worker")}
        names = [(kind, index) for kind in hosts for index in range(len(hosts[kind]))]
        addresses = [*hosts["chief"], *hosts["worker"]]
        for address in addresses:
            host_and_port(address)
        return names.index((config["task"]["type"], int(config["task"]["index"]))), addresses
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        example = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
        raise ValueError(f"TF_CONFIG={text[:80]}: {type(error).__name__}; expected such as {example}") from None


def host_and_port(address: str) -> tuple[str, int]:
    """The parts of an address such as host0:2222 or [::1]:2222; ValueError where it has none."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def strategy(minutes: float):
    """The strategy over all workers; each must call this before it computes anything.

    Args:
        minutes: to wait for the others, see `meet`.
    """
    import tensorflow as tf

    tf.get_logger().setLevel(logging.WARNING)  # it tells of every exchange between the workers
    mend_keras()
    meet(minutes)
    with ended_by_signals(minutes):
        return tf.distribute.MultiWorkerMirroredStrategy()


def join_jax(minutes: float) -> None:
    """Joins the workers of TF_CONFIG under JAX; the first of them is the coordinator. `minutes` as of `strategy`."""
    worker, addresses = workers()
    meet(minutes)
    with ended_by_signals(minutes):
        keras.distribution.initialize(",".join(addresses), len(addresses), worker)


@contextlib.contextmanager
def ended_by_signals(minutes: float):
    """Lets Ctrl-C end the process inside of a call that runs no Python, and afterwards SIGTERM, which TensorFlow takes
    for itself.

    A worker that dies in this call lets the others wait in it for ever, so an alarm ends them after so many minutes,
    where the system has one. No thread of Python could: the call keeps them all from running.
    """
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    if before[signal.SIGINT] is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    alarm = getattr(signal, "setitimer", None)
    if alarm:
        print(f"all workers are there and start together; if one stops now, the others end after {minutes:g} minutes",
              flush=True)
        before[signal.SIGALRM] = signal.signal(signal.SIGALRM, signal.SIG_DFL)
        alarm(signal.ITIMER_REAL, 60 * minutes)
    try:
        yield
    finally:
        if alarm:
            alarm(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)


def meet(minutes: float) -> None:
    """Returns when all workers of TF_CONFIG are there; says every few seconds for whom it waits.

    The first worker listens at its address, where the others connect and tell their number. It tells them for whom it
    waits, and at last to begin. Nobody listens then, so that TensorFlow or JAX can take the ports.

    Args:
        minutes: to wait.

    Raises:
        ValueError: a worker is missing after that time, or the port of this one is in use.
    """
    worker, addresses = workers()
    end, name = time.monotonic() + 60 * minutes, f"worker {worker} of {len(addresses)}"
    said, last = "", -console.PAUSE
    with held(addresses[worker]) as door:
        seen = gathered(door, addresses) if worker == 0 else reported(addresses[0], worker)
        for missing in seen:
            if time.monotonic() > end:
                raise ValueError(f"{name} waited {minutes:g} minutes for {missing}; start the same command there, "
                                 "look at the addresses in TF_CONFIG and at the firewall, or pass more --wait_minutes")
            if missing != said or time.monotonic() - last >= console.PAUSE:
                print(f"{name} waits for {missing}", flush=True)
                said, last = missing, time.monotonic()


def held(address: str) -> socket.socket:
    """A socket that holds this worker's port; ValueError where another program has it."""
    port, dual = host_and_port(address)[1], socket.has_dualstack_ipv6()
    try:
        return socket.create_server(("", port), family=socket.AF_INET6 if dual else socket.AF_INET, dualstack_ipv6=dual)
    except OSError as error:
        raise ValueError(f"TF_CONFIG: this worker cannot listen at {address} ({os.strerror(error.errno)}); end the "
                         "program that uses the port, or give the worker another port, on every host") from None


def gathered(door: socket.socket, addresses: list[str]) -> Iterator[str]:
    """What the first worker does: hears who is there until all are, then sends them off. Yields the addresses that are
    missing."""
    there: dict[int, socket.socket] = {}
    door.settimeout(ROUND)
    with contextlib.ExitStack() as opened:
        while missing := [address for number, address in enumerate(addresses) if number and number not in there]:
            yield " ".join(missing)
            there = {number: guest for number, guest in there.items() if told(guest, WAIT + " ".join(missing))}
            with contextlib.suppress(OSError, ValueError):  # nobody came, or somebody else
                guest = opened.enter_context(door.accept()[0])
                guest.settimeout(ROUND)
                there[int(guest.recv(16))] = guest
        for guest in there.values():
            told(guest, GO)


def told(guest: socket.socket, text: str) -> bool:
    """Tells a worker a line; False where it is gone."""
    try:
        guest.sendall(f"{text}\n".encode())
    except OSError:
        return False
    return True


def reported(first: str, worker: int) -> Iterator[str]:
    """What every other worker does: tells the first its number until that sends it off. Yields the addresses that are
    missing."""
    missing = first
    while True:
        yield missing
        try:
            with socket.create_connection(host_and_port(first), ROUND) as guest, guest.makefile("rb") as lines:
                guest.settimeout(20 * ROUND)
                guest.sendall(str(worker).encode())
                while line := lines.readline(4096):
                    if line == f"{GO}\n".encode():
                        return
                    if not line.startswith(WAIT.encode()):
                        raise ValueError("another program answers there")
                    yield line.decode().strip().removeprefix(WAIT)
            missing = first
        except (socket.gaierror, ValueError) as error:
            missing = f"{first} ({getattr(error, 'strerror', None) or error})"
        except OSError:  # nobody answers yet
            missing = first
        time.sleep(ROUND)


class OwnPart(keras.utils.PyDataset):
    """This worker's part of every batch, as JAX wants it; tf.distribute takes whole batches and parts them itself.

    Args:
        batches: of all workers together; their rows divide among them.
    """

    def __init__(self, batches):
        super().__init__()
        self.batches = batches
        self.part, self.parts = cluster()

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, step: int):
        return keras.tree.map_structure(lambda rows: np.split(rows, self.parts)[self.part], self.batches[step])


def own_part(batches):
    """`batches`, or on JAX with several workers this one's part of each."""
    return OwnPart(batches) if keras.backend.backend() == "jax" and cluster()[1] > 1 else batches


def mend_keras() -> bool:
    """Replaces the two functions where the version is one that needs it; says whether it did."""
    if not keras.__version__.startswith(MENDED):
        print(f"Keras {keras.__version__}: several workers were tested with {MENDED}x only")
        return False
    from keras.src.backend.tensorflow import trainer

    unmended = trainer.reduce_per_replica
    if not hasattr(unmended, "unmended"):
        reduce_per_replica.unmended = unmended
        trainer.reduce_per_replica = reduce_per_replica
        trainer.TensorFlowTrainer._maybe_symbolic_build = maybe_symbolic_build
    return True


def reduce_per_replica(values, strategy, reduction):
    """Keras' function of that name, for scalars on several workers: their mean over all replicas."""
    import tensorflow as tf

    several = isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)
    if not several or reduction not in ("auto", "mean"):
        return reduce_per_replica.unmended(values, strategy, reduction)
    return keras.tree.map_structure(lambda value: strategy.reduce("MEAN", value, axis=None), values)


def maybe_symbolic_build(self, iterator=None, data_batch=None):
    """Keras' method of that name, that builds from the first replica's batch instead of the mean of all."""
    strategy = self._distribute_strategy
    if strategy is None:
        return
    if iterator is not None:
        data_batch = next(next(iter(iterator))[2])
    first = keras.tree.map_structure(lambda value: strategy.experimental_local_results(value)[0], data_batch)
    with strategy.scope():
        self._symbolic_build(data_batch=first)
