"""Which network compares, at which layers, and what distance counts as 1."""

import os

import keras
import numpy as np

from nets import comparator as nets, towers
from nets.losses.deepsim import DeepDistance
from tasks import ROOMS
from tasks.choosing import find_model, room_of_model
from tasks.models import load_model
from tasks.perceptual.flags import DEFAULT, DEFAULT_LAYER
from utils.data.files import reading
from utils.run import weights

CROPS, SIDE = 16, 128  # crops of scikit-learn's two photos whose mean distance is 1


def network(name: str, file: str = "") -> keras.Model:
    """The network that --comparator names, of which some layers compare.

    Args:
        name: alexnet, vgg16, a ready model, a run folder or a .keras file.
        file: weights of alexnet or vgg16; "": random ones.

    Raises:
        ValueError: no such model, one without a tower, or weights that do not fit.
    """
    if name in nets.BUILT:
        return given(nets.built(name, file == "imagenet"), name, file)
    if file:
        raise ValueError(f"--comparator_weights={file} has no effect with --comparator={name}: leave it out, or pass "
                         f"--comparator={' or '.join(nets.BUILT)}")
    path = find_model(name)
    model = load_model(path, ROOMS[room_of_model(path)].kind)
    if "tower" not in [layer.name for layer in model.layers]:
        raise ValueError(f"--comparator={name}: a {model.name} model, expected one that compares or judges pictures")
    return model.get_layer("tower")


def given(tower: keras.Model, name: str, file: str) -> keras.Model:
    """A built network with the weights of a file."""
    if not file:
        return tower
    if name == "vgg16":
        towers.set_arrays(towers.backbone_layers(tower), weights.read(file, name, "VGG16"))
    else:
        path = os.path.expanduser(file)
        weights.check_h5(path)
        with reading(path, "weights of alexnet that Keras wrote with save_weights"):
            tower.load_weights(path)
    return tower


def layers_of(name: str, tower: keras.Model, asked: list[str]) -> list[str]:
    """The layers that compare: those asked for, or those that suit the network."""
    if asked:
        return list(asked)
    suits = name == DEFAULT and set(DEFAULT_LAYER) <= set(nets.names_of(tower))
    return list(DEFAULT_LAYER) if suits else [nets.deepest_maps(tower)]


def opened(options) -> DeepDistance:
    """The perceptual distance that the flags describe, whose unit is the distance of scikit-learn's photos."""
    return made(options.comparator, options.layer, options.comparator_weights)


def made(name: str = DEFAULT, layers: list[str] = (), file: str = "") -> DeepDistance:
    """The same by the values of the flags."""
    tower = network(name, file)
    distance = DeepDistance(nets.comparator(tower, layers_of(name, tower, layers)), name="distance")
    side = distance.comparator.input_shape[1] or SIDE
    distance.measure(crops(side))
    return distance


def crops(side: int) -> np.ndarray:
    """Crops (N, side, side, 3) float32 of the photos that scikit-learn brings, always the same ones."""
    from sklearn.datasets import load_sample_images

    rng, photos = np.random.default_rng(0), load_sample_images().images
    corners = [[rng.integers(0, length - side) for length in photos[0].shape[:2]] for _ in range(CROPS)]
    return np.stack([photos[number % 2][y : y + side, x : x + side] for number, (y, x) in enumerate(corners)]
                    ).astype("float32")
