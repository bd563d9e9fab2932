"""Which devices train: one, or several GPUs of this host, or of several, through tf.distribute."""

import contextlib

import keras

from utils import multi_worker


def strategy(devices: str):
    """The strategy that `devices` and TF_CONFIG name, to be entered around building, fitting and predicting.

    Args:
        devices: "" (what the backend takes by itself), "cpu", "0,1" (GPUs by number), or "cpu:2"
            (two logical CPU devices, to try data parallelism without GPUs).

    Returns:
        A context manager: a tf.distribute strategy, or one that does nothing.

    Raises:
        ValueError: devices that this machine, or the backend, does not have.
    """
    several_hosts = multi_worker.cluster()[1] > 1
    if not devices and not several_hosts:
        return contextlib.nullcontext()
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"{f'--devices={devices}' if devices else 'TF_CONFIG'} needs the TensorFlow backend, "
                         f"not {keras.backend.backend()}")
    if several_hosts:
        return hosts(devices)
    kind, _, count = devices.partition(":")
    if kind == "cpu":
        return cpus(devices, count or "1")
    return gpus(devices)


def hosts(devices: str):
    """A strategy over all workers of TF_CONFIG, each with all its GPUs, or with its CPU where `devices` is cpu."""
    import tensorflow as tf

    if devices not in ("", "cpu"):
        raise ValueError(f"--devices={devices}: with TF_CONFIG each worker takes all its GPUs; expected nothing, or cpu")
    if devices == "cpu":
        tf.config.set_visible_devices([], "GPU")
    return multi_worker.strategy().scope()


def cpus(devices: str, count: str):
    """One CPU, or a strategy over `count` logical ones."""
    import tensorflow as tf

    if not count.isdigit() or int(count) < 1:
        raise ValueError(f"--devices={devices}: expected cpu or cpu:2")
    tf.config.set_visible_devices([], "GPU")
    if int(count) == 1:
        return contextlib.nullcontext()
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(int(count))]
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    names = [f"CPU:{number}" for number in range(int(count))]
    return tf.distribute.MirroredStrategy(
        names, cross_device_ops=tf.distribute.ReductionToOneDevice()
    ).scope()


def gpus(devices: str):
    """The GPUs whose numbers `devices` lists: a strategy over several, or one made the only visible one."""
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    numbers = devices.split(",")
    if not all(n.isdigit() and int(n) < len(found) for n in numbers) or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"--devices={devices}: found {len(found)} GPUs on this machine; expected their numbers "
            "from 0, each once, with commas between, or cpu"
        )
    tf.config.set_visible_devices([found[int(n)] for n in numbers], "GPU")
    names = [f"GPU:{position}" for position in range(len(numbers))]
    return tf.distribute.MirroredStrategy(names).scope() if len(numbers) > 1 else contextlib.nullcontext()


def replicas() -> int:
    """How many devices share a batch in the strategy that is entered."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
