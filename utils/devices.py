"""Which devices train: one, or several GPUs of this host through tf.distribute."""

import contextlib

import keras


def strategy(devices: str):
    """The strategy that `devices` names, to be entered around building, fitting and predicting.

    Args:
        devices: "" (what the backend takes by itself), "cpu", "0,1" (GPUs by number), or "cpu:2"
            (two logical CPU devices, to try data parallelism without GPUs).

    Returns:
        A context manager: a tf.distribute strategy, or one that does nothing.

    Raises:
        ValueError: devices that this machine, or the backend, does not have.
    """
    if not devices:
        return contextlib.nullcontext()
    if keras.backend.backend() != "tensorflow":
        raise ValueError(f"--devices={devices} needs the TensorFlow backend, not {keras.backend.backend()}")
    kind, _, count = devices.partition(":")
    if kind == "cpu":
        return cpus(devices, count or "1")
    return gpus(devices)


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
