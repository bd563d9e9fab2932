"""Weight files of VGG16 in the HDF5 layouts of Keras 2: name of the layer -> its arrays."""

import os
import re
import socket

import h5py
import keras
import numpy as np

from utils.run.folder import READY

NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
NOTOP_URL = f"https://storage.googleapis.com/tensorflow/keras-applications/vgg16/{NOTOP}"
NOTOP_MD5 = "6d6bbae143d832006294945121d1f1fc"


def weight_file(weights: str) -> str:
    """The file that `--weights` means: a path, or for "imagenet" the one in model_data/ or Keras' download.

    Raises:
        ValueError: no such file, or no network to fetch it.
    """
    weights = os.path.expanduser(weights)
    if weights != "imagenet":
        if not os.path.isfile(weights):
            raise ValueError(f"--weights={weights}: no such file; expected imagenet, an .h5 or a .keras file")
        return weights
    local = os.path.join(READY, NOTOP)
    if os.path.isfile(local):
        return local
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(8)  # seconds: where a firewall swallows what is sent
    try:
        return keras.utils.get_file(NOTOP, NOTOP_URL, cache_subdir="models", file_hash=NOTOP_MD5)
    except Exception as error:
        raise ValueError(
            f"--weights=imagenet: could not fetch {NOTOP_URL} ({error.__class__.__name__}); "
            f"put the file at {local}, or train without --weights"
        ) from None
    finally:
        socket.setdefaulttimeout(before)


def read_h5(path: str) -> dict[str, list[np.ndarray]]:
    """Reads VGG16's convolutions and, where the file has them, the two Dense layers of the old head.

    Returns:
        "block1_conv1" ... "block5_conv3", and "hidden" and "logit": kernel and bias of each.

    Raises:
        ValueError: not an HDF5 file, or one without VGG16's layers.
    """
    found: dict[str, list[np.ndarray]] = {}

    def visit(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and "optimizer" not in name:
            conv = re.search(r"block\d_conv\d", name)
            layer = conv.group() if conv else os.path.dirname(name)
            found.setdefault(layer, []).append(item[()])

    try:
        with h5py.File(path) as file:
            file.visititems(visit)
    except OSError as error:
        raise ValueError(f"{path}: not an HDF5 weight file ({error})") from None
    layers = {name: sorted(arrays, key=np.ndim, reverse=True) for name, arrays in found.items()}
    convolutions = {name: arrays for name, arrays in layers.items() if name.startswith("block")}
    if not convolutions:
        raise ValueError(f"{path}: found layers {sorted(layers)[:5]}, expected block1_conv1 ... block5_conv3")
    dense = {
        "logit" if arrays[0].shape[1] == 1 else "hidden": arrays
        for name, arrays in layers.items()
        if name not in convolutions and arrays[0].ndim == 2
    }
    return {**convolutions, **dense}


def read(weights: str) -> dict[str, list[np.ndarray]]:
    """The arrays of `--weights` by layer; none for "" and for our own .keras files."""
    return read_h5(weight_file(weights)) if weights and not weights.endswith(".keras") else {}


def pixels(arrays: dict[str, list[np.ndarray]]) -> str:
    """What these weights expect: a whole Siamese-tf2 network RGB / 255, VGG16 alone ImageNet's pixels."""
    return "imagenet" if arrays and "logit" not in arrays else "unit"
