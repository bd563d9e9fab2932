"""Several hosts through TF_CONFIG: tf.distribute's MultiWorkerMirroredStrategy under Keras' fit, or JAX.

Keras 3.15 breaks off there (keras issue 20585): it reduces a batch that lies on several replicas, and
averages scalars along their first axis. `mend_keras` replaces these two functions, in the one version in
which that was tested; in any other Keras is left as it is.
"""

import json
import os

import keras
import numpy as np

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
        names = [(kind, place) for kind in hosts for place in range(len(hosts[kind]))]
        return names.index((config["task"]["type"], int(config["task"]["index"]))), [*hosts["chief"], *hosts["worker"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        example = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'
        raise ValueError(f"TF_CONFIG={text[:80]}: {type(error).__name__}; expected such as {example}") from None


def strategy():
    """The strategy over all workers; each must call this before it computes anything."""
    import tensorflow as tf

    mend_keras()
    return tf.distribute.MultiWorkerMirroredStrategy()


def join_jax() -> None:
    """Joins the workers of TF_CONFIG under JAX; the first of them is the coordinator."""
    worker, addresses = workers()
    keras.distribution.initialize(",".join(addresses), len(addresses), worker)


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
