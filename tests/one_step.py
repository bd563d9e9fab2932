"""One step of gradient descent on the devices named, for each loss and for heads that compare places; saves what it
gives. Run by a test.

The tower runs in float64: in float32 a rounding may flip a ReLU, and the gradients of one device and
of two then differ by a percent although both are right.
"""

import os
import sys
from pathlib import Path

os.environ["JAX_ENABLE_X64"] = "1"

sys.path.insert(0, str(Path(__file__).parent.parent))

import keras
import numpy as np

from nets import towers
from nets.heads import HEADS, make_head
from nets.inference import embed
from nets.losses import LOSSES
from nets.models import siamese
from utils.run import devices

CHANGELESS = {"warp": np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32"), (12, 1)),
              "light": np.tile(np.array([1, 0], "float32"), (12, 1))}


class OneBatch(keras.utils.PyDataset):
    """Twelve noisy images of four classes."""

    def __len__(self):
        return 1

    def __getitem__(self, step):
        rng = np.random.default_rng(0)
        labels = np.repeat(np.arange(4, dtype="int32"), 3)
        images = rng.integers(0, 256, (4, 32, 32, 1))[labels] * rng.uniform(0.5, 1, (12, 32, 32, 1))
        return {"image": images.astype("uint8"), "label": labels, **CHANGELESS}, labels


def main(names: str, path: str) -> None:
    keras.config.set_floatx("float64")
    found = {}
    with devices.strategy(names):
        for name in (*LOSSES, "attention_before", "cross_attention"):
            head = name if name in HEADS else "distance"
            keras.utils.set_random_seed(0)
            tower = towers.make_tower("compact", (32, 32, 1), normalize=True, maps=HEADS[head].locations)
            model = siamese.siamese(tower, make_head(head, tower))
            layer = siamese.make_loss("cross_entropy" if name == head else name, model, mining="all")
            trainer = siamese.trainer(model, layer)
            trainer.compile(keras.optimizers.SGD(0.05), siamese.precomputed_loss,
                            metrics=siamese.embedding_metrics(layer))
            found[f"{name} loss"] = trainer.fit(OneBatch(), shuffle=False, verbose=0).history["loss"]
            found[f"{name} features"] = embed(model, OneBatch()[0][0]["image"], batch_size=8)
            found |= {f"{name} {number}": weight for number, weight in enumerate(model.get_weights())}
        np.savez(path, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
