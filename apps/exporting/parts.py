"""What of a model can be used alone: its parts as Keras models with named inputs and one named output, in float32."""

from collections.abc import Iterator

import keras

from tasks import ROOMS

PARTS = {row.kind: row.parts for row in ROOMS.values()}  # of each kind of model, by their names


def parts_of(model: keras.Model, what: str | None = None) -> dict[str, keras.Model]:
    """The parts of a model by their names; their inputs take pixels in 0..255.

    Args:
        what: the one that is wanted; None: all.

    Raises:
        ValueError: a part that this model does not have.
    """
    fix_numbers(model)
    parts = PARTS[model.name]
    if what and what not in parts:
        raise ValueError(f"--what={what}: this is a {model.name} model, whose parts are {' and '.join(parts)}: "
                         "leave --what out")
    return {name: part(model, name) for name in parts if what in (None, name)}


def part(model: keras.Model, name: str) -> keras.Model:
    """A part of a model: {name of each input: (B, H, W, C)} -> {name of the output: (B, ...)}."""
    row = PARTS[model.name][name]
    inputs = {side: keras.Input(model.inputs[0].shape[1:], name=side) for side in row.inputs}
    images, used = list(inputs.values()), model.get_layer(row.layer) if row.layer else model
    return keras.Model(inputs, {row.output: used(images if len(images) > 1 else images[0])}, name=name)


def fix_numbers(model: keras.Model) -> None:
    """Makes what `Normalization` computed of its weights plain numbers of the file; as they are, tf2onnx takes them for
    inputs of the model."""
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.Normalization):
            layer.mean = keras.ops.convert_to_numpy(layer.mean)
            layer.variance = keras.ops.convert_to_numpy(layer.variance)


def layers_of(model: keras.Model) -> Iterator[keras.layers.Layer]:
    """The layers of a model, and those of the models in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from layers_of(layer)
