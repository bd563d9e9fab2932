"""What tests of several folders share: pictures, losses and gradients, scripts that run on their own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
from keras import ops
from PIL import Image

ROOT = Path(__file__).parent.parent
DATA = Path(os.environ.get("SIAMESE_DATA", ROOT.parent / "shared" / "data"))
SMALL = ("--input_shape=32,32,1", "--batch_size=8", "--images_per_class=2")  # flags of a training that takes seconds
LABELS = np.array([0, 0, 0, 1, 1, 2, 5, 5], "int32")  # of eight images whose loss is checked


def picture(path, colour=(200, 30, 30), size=(20, 16), seed=0):
    """Saves a noisy picture of one colour."""
    noise = np.random.default_rng(seed).integers(-20, 20, (size[1], size[0], 3))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype("uint8")).save(path)


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def start(cwd, *args):
    """Starts train.py as from a terminal: where the tests run in the background, Ctrl-C is ignored by inheritance."""
    return subprocess.Popen([sys.executable, str(ROOT / "train.py"), *args], cwd=cwd, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def wait_for_epoch(process, log, epoch):
    """Waits until the log knows `epoch`."""
    for _ in range(1200):
        if log.is_file() and log.read_text().count("\n") > epoch + 1:
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    raise AssertionError("no epoch ended in two minutes")


def write_h5(path, head=True, wrong=None, nested=""):
    """A weight file in Keras 2's layout, of VGG16 and perhaps Siamese-tf2's head."""
    import h5py

    rng = np.random.default_rng(1)
    widths = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    with h5py.File(path, "w") as file:
        below = 3
        for block, (width, convs) in enumerate(widths, start=1):
            for conv in range(1, convs + 1):
                name = f"block{block}_conv{conv}"
                shape = (3, 3, below + (1 if name == wrong else 0), width)
                file[f"{nested}{name}/{name}/bias:0"] = np.zeros(width, "float32")
                file[f"{nested}{name}/{name}/kernel:0"] = rng.normal(0, 0.01, shape).astype("float32")
                below = width
        if head:
            file["dense/dense/kernel:0"] = rng.normal(0, 0.01, (4608, 512)).astype("float32")
            file["dense/dense/bias:0"] = np.zeros(512, "float32")
            file["dense_1/dense_1/kernel:0"] = rng.normal(0, 0.01, (512, 1)).astype("float32")
            file["dense_1/dense_1/bias:0"] = np.array([0.25], "float32")
    return str(path)


def loss_of(layer, x, labels=LABELS):
    return float(ops.convert_to_numpy(ops.mean(layer(ops.convert_to_tensor(x), ops.convert_to_tensor(labels)))))


def gradient(layer, x, labels=LABELS):
    """Gradient of the layer's loss by its features, on whichever backend runs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        value = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(value)
            loss = ops.mean(layer(value, labels))
        return tape.gradient(loss, value).numpy()
    if backend == "jax":
        import jax

        layer(x, labels)  # builds
        return np.asarray(jax.grad(lambda value: ops.mean(layer(value, labels)))(x))
    import torch

    value = torch.tensor(x, requires_grad=True)
    ops.mean(layer(value, ops.convert_to_tensor(labels))).backward()
    return value.grad.numpy()


def plain_float64(plain, x):
    class Exact(np.ndarray):
        def astype(self, dtype, **kwargs):
            return np.asarray(self)

    return plain(x.view(Exact), LABELS)
