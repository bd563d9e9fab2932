"""Comparators: the first layers of a network that stays as it is, whose maps tell how alike two pictures look."""

import keras
from keras import layers, ops

from nets import named

LUMA = (0.299, 0.587, 0.114)  # of red, green and blue, as Pillow's mode L has them
BUILT = {"alexnet": "classic.alexnet", "vgg16": "vgg16.vgg16"}  # comparators that are built: file.function of a tower
SIDE = 227  # pixels a side at which they are built


@keras.saving.register_keras_serializable("compare")
class Grey(layers.Layer):
    """Colour as grey, as Pillow's mode L: (B, h, w, 3) -> (B, h, w, 1)."""

    def call(self, pictures):
        return ops.sum(pictures * ops.convert_to_tensor(LUMA, pictures.dtype), axis=-1, keepdims=True)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], 1)


def built(name: str, imagenet: bool = False) -> keras.Model:
    """A network of `BUILT` with random weights, to be given others.

    Args:
        imagenet: whether ImageNet's weights follow, which want their own pixels.
    """
    images = keras.Input((SIDE, SIDE, 3), name="image")
    return keras.Model(images, named("nets.towers", BUILT[name])(images, None, imagenet), name="tower")


def names_of(network: keras.Model) -> list[str]:
    """The layers of a network, and of those in it, at which a comparator may end, in order."""
    names = []
    for layer in network.layers:
        inner = names_of(layer) if isinstance(layer, keras.Model) else [layer.name]
        names += [] if isinstance(layer, layers.InputLayer) else inner
    return names


def given_by(network: keras.Model, pictures) -> list:
    """What a network of `comparator` gives: a list, though Keras unpacks one of one."""
    made = network(pictures, training=False)
    return list(made) if isinstance(made, list | tuple) else [made]


def deepest_maps(network: keras.Model) -> str:
    """The last layer that still gives maps (B, h, w, C), at which a comparator ends where nobody names another."""
    maps = ""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            maps = deepest_maps(layer) or maps
        elif len(layer.output.shape) == 4 and not isinstance(layer, layers.InputLayer):
            maps = layer.name
    return maps


def comparator(network: keras.Model, names: list[str]) -> keras.Model:
    """The part of a network up to some of its layers, copied, frozen, for pictures of any size where all layers are.

    Args:
        network: pictures (B, H, W, 1 or 3) in 0..255 -> anything; networks in it stand in a row with its layers.
        names: of layers, see `names_of`.

    Returns:
        Model named "comparator": pictures (B, h, w, 3) in 0..255 -> a list of what these layers give.

    Raises:
        ValueError: a layer that the network does not have.
    """
    for name in names:
        if name not in (known := names_of(network)):
            raise ValueError(f"--layer={name}: this network has no such layer, expected {', '.join(known)}")
    whole = keras.Model(network.input, cut(network, network.input, names), name="whole")
    size = (None, None) if takes_any_size(whole) else network.input_shape[1:3]
    image = keras.Input((*size, 3), name="image")
    x = image if network.input_shape[-1] == 3 else Grey(name="grey")(image)
    made = keras.Model(image, cut(network, x, names), name="comparator")
    made.trainable = False
    return made


def takes_any_size(network: keras.Model) -> bool:
    """Whether no layer of a network needs a certain height and width."""
    return all(takes_any_size(layer) if isinstance(layer, keras.Model) else not isinstance(layer, layers.Flatten
               | layers.Dense | layers.Reshape) for layer in network.layers)


def cut(network: keras.Model, images, names: list[str]) -> list:
    """What the named layers of a copy of a network make of `images`, a symbolic tensor, in the order of the names."""
    found = {}
    own = [layer.name for layer in network.layers if layer.name in names]
    if own:
        outputs = [network.get_layer(name).output for name in own]
        found |= dict(zip(own, given_by(copied(network.input, outputs), images)))
    for before, layer in zip(network.layers, network.layers[1:]):
        inner = [name for name in names if isinstance(layer, keras.Model) and name in names_of(layer)]
        if inner:
            x = given_by(copied(network.input, [before.output]), images)[0]
            found |= dict(zip(inner, cut(layer, x, inner)))
    return [found[name] for name in names]


def copied(image, outputs: list) -> keras.Model:
    """A copy of the layers between two tensors of a network, with their weights, for any height and width."""
    part = keras.Model(image, outputs)
    if takes_any_size(part):
        free = keras.Input((None, None, image.shape[-1]))
        made = keras.models.clone_model(part, input_tensors=free)
    else:
        made = keras.models.clone_model(part)
    made.set_weights(part.get_weights())
    return made
