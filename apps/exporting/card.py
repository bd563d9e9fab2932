"""What a person needs to know who has only the exported file: the JSON beside it."""

import os
from importlib import import_module
from importlib.metadata import version

import keras

from apps.exporting.formats import FORMATS
from nets.inference import precision_of
from tasks import ROOMS, module_of
from tasks.choosing import digest
from utils.run import folder as runs

GREY = "grey (Pillow's mode L: 0.299 red + 0.587 green + 0.114 blue)"
COLOURS = {1: GREY, 2: "grey and depth", 3: "red, green, blue", 4: "four channels, as the model learnt them"}
UPRIGHT = "turn the picture upright as its EXIF says; lay transparent pixels on white; 8 bits a channel"
NO_MORE = ("pass it at that size: pixels 0..255 as float32, rows first and channels last; all other scaling is inside "
           "the file")


def card(model: keras.Model, part: keras.Model, file: str, name: str, path: str, room: str) -> dict:
    """The JSON of an exported part.

    The room's own `card(model, part, path)` gives a dict: "output", what the numbers mean; "steps" of how a picture is
    prepared, otherwise it is resized; "turned", whether the steps turn it; and "more" of the card's entries.

    Args:
        model: as it was trained; `part` is what of it is exported, into `file` in the format `name`.
        path: the .keras file, which has thresholds.json, about.json and split.json beside it where they are known.
    """
    output, tensor = next(iter(part.output.items()))
    about = runs.read_json(os.path.dirname(path), runs.ABOUT) or {}
    own = module_of(room, "apps.card").card(model, part, path)
    root = runs.read_split(os.path.dirname(path)).get("root") or "not known"
    runtime = FORMATS[name].runtime
    return {
        "file": file, "format": name, "what": part.name, "runtime": f"{runtime} {version(runtime)}",
        "inputs": [{"name": each, "shape": shape_in_words(image.shape), "type": "float32", "range": [0, 255],
                    "colour": COLOURS[image.shape[-1]], **sides(image.shape, room)}
                   for each, image in part.input.items()],
        "prepare": prepare(part, own.get("steps"), own.get("turned", False)),
        "output": {"name": output, "shape": ["batch", *tensor.shape[1:]], "type": "float32", **own["output"]},
        **own.get("more", {}),
        "model": os.path.basename(os.path.dirname(os.path.abspath(path))), "trained_in": precision_of(model),
        "made_of": digest(path),  # by which `tasks.choosing` knows whether the export is still that of the model
        "data_set": os.path.basename(os.path.normpath(str(root))),
        "licence_of_data": about.get("licence_of_data") or "not known: ask whoever trained the model",
        "trained_on": about or "not known: the model has no about.json",
    }


def shape_in_words(shape) -> list:
    """A shape with names for the sides that may be of any length, such as ["batch", 48, 48, 1]."""
    return [size or name for size, name in zip(shape, ("batch", "height", "width", "channels"))]


def sides(shape, room: str) -> dict[str, int]:
    """What heights and widths an input takes that may have any: at least "minimum" pixels, and multiples of "multiple"
    pixels; {} where both are fixed."""
    made_by = import_module(ROOMS[room].network)
    known = {"minimum": getattr(made_by, "MINIMUM", 1), "multiple": getattr(made_by, "MULTIPLE", 1)}
    return known if shape[1] is None else {}


def prepare(part: keras.Model, steps: list[str] | None, turned: bool) -> list[str]:
    """How a picture becomes an input of the part, in steps; `steps` of the room's own, None: the picture is resized."""
    _, height, width, channels = next(iter(part.input.values())).shape
    resize = (f"resize it to a width of {width} and a height of {height} pixels without keeping its aspect, bilinear "
              f"and antialiased: Pillow's image.resize(({width}, {height}), Image.Resampling.BILINEAR), and not a "
              "plain bilinear filter, which gives other numbers")
    first = [] if turned else [UPRIGHT]
    return [*first, f"convert it to {COLOURS[channels]}", *([resize] if steps is None else steps), NO_MORE]
