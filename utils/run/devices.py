"""Which devices train: one, several of this host, or those of several hosts; tf.distribute, or on JAX
keras.distribution."""

import contextlib

import keras

from utils.run import multi_worker


def strategy(devices: str, minutes: float = 10):
    """The strategy that `devices` and TF_CONFIG name, to be entered around building, fitting and predicting.

    Args:
        devices: "" (what the backend takes by itself), "cpu", "0,1" (GPUs by number), or "cpu:2"
            (two logical CPU devices, to try data parallelism without GPUs).
        minutes: to wait for the other workers of TF_CONFIG.

    Returns:
        A context manager: the scope of a tf.distribute strategy or of a keras.distribution, or one that does nothing.

    Raises:
        ValueError: devices that this machine, or the backend, does not have; a worker that is missing.
    """
    several_hosts = multi_worker.cluster()[1] > 1
    backend = keras.backend.backend()
    if not devices and not several_hosts:
        return contextlib.nullcontext()
    if backend == "jax":
        return jax_devices(devices, minutes)
    if backend != "tensorflow":
        raise ValueError(f"{f'--devices={devices}' if devices else 'TF_CONFIG'} needs the TensorFlow or JAX backend, "
                         f"not {backend}")
    if several_hosts:
        return hosts(devices, minutes)
    kind, _, count = devices.partition(":")
    if kind == "cpu":
        return cpus(devices, count or "1")
    return gpus(devices)


def jax_devices(devices: str, minutes: float):
    """JAX devices that share each batch, of this host or of all in TF_CONFIG; must come before anything is computed."""
    import jax

    several_hosts = multi_worker.cluster()[1] > 1
    if several_hosts:
        check_hosts(devices)
    kind, _, count = devices.partition(":")
    if kind == "cpu":
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_num_cpu_devices", cpu_count(devices, count or "1"))
    elif devices:
        jax.config.update("jax_cuda_visible_devices", devices)  # hides the others
    if several_hosts:
        multi_worker.join_jax(minutes)
    available = [name for name in keras.distribution.list_devices()
                 if kind in ("", "cpu") or not name.startswith("cpu")]
    if kind not in ("", "cpu") and len(available) != devices.count(",") + 1:
        raise ValueError(f"--devices={devices}: found {len(available)} of these GPUs on this machine; expected numbers "
                         "of its GPUs, or cpu")
    if len(available) == 1:
        return contextlib.nullcontext()
    return keras.distribution.DataParallel(devices=available, auto_shard_dataset=False).scope()


def hosts(devices: str, minutes: float):
    """A strategy over all workers of TF_CONFIG, each with all its GPUs, or with its CPU where `devices` is cpu."""
    import tensorflow as tf

    check_hosts(devices)
    if devices == "cpu":
        tf.config.set_visible_devices([], "GPU")
    return multi_worker.strategy(minutes).scope()


def cpus(devices: str, count: str):
    """One CPU, or a strategy over `count` logical ones."""
    import tensorflow as tf

    number = cpu_count(devices, count)
    tf.config.set_visible_devices([], "GPU")
    if number == 1:
        return contextlib.nullcontext()
    logical = [tf.config.LogicalDeviceConfiguration() for _ in range(number)]
    tf.config.set_logical_device_configuration(tf.config.list_physical_devices("CPU")[0], logical)
    names = [f"CPU:{position}" for position in range(number)]
    return tf.distribute.MirroredStrategy(
        names, cross_device_ops=tf.distribute.ReductionToOneDevice()
    ).scope()


def gpus(devices: str):
    """The GPUs whose numbers `devices` lists: a strategy over several, or one made the only visible one."""
    import tensorflow as tf

    available = tf.config.list_physical_devices("GPU")
    numbers = gpu_numbers(devices, len(available))
    tf.config.set_visible_devices([available[n] for n in numbers], "GPU")
    names = [f"GPU:{position}" for position in range(len(numbers))]
    return tf.distribute.MirroredStrategy(names).scope() if len(numbers) > 1 else contextlib.nullcontext()


def check_hosts(devices: str) -> None:
    """Raises ValueError where devices are chosen although several hosts take all that they have."""
    if devices not in ("", "cpu"):
        raise ValueError(f"--devices={devices}: with TF_CONFIG each worker takes all its GPUs; expected nothing, or "
                         "cpu")


def cpu_count(devices: str, count: str) -> int:
    """The number of CPU devices that `count` in `devices` means."""
    if not count.isdigit() or int(count) < 1:
        raise ValueError(f"--devices={devices}: expected cpu or cpu:2")
    return int(count)


def gpu_numbers(devices: str, available: int) -> list[int]:
    """The GPUs, by number, that `devices` lists, of as many as were found."""
    numbers = devices.split(",")
    if not all(n.isdigit() and int(n) < available for n in numbers) or len(set(numbers)) < len(numbers):
        raise ValueError(
            f"--devices={devices}: found {available} GPUs on this machine; expected their numbers from 0, each once, "
            "with commas between, or cpu"
        )
    return [int(n) for n in numbers]


def replicas() -> int:
    """How many devices share a batch in the strategy that is entered."""
    if keras.backend.backend() != "tensorflow":
        shared = keras.distribution.distribution()
        return shared.num_model_replicas if shared else 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
