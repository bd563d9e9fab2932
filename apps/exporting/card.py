"""What a person needs to know who has only the exported file: the JSON beside it."""

import os
from importlib.metadata import version

import keras

from apps.exporting.formats import FORMATS
from apps.exporting.parts import precision_of
from nets import rankiqa, siamese
from tasks.quality.model import CROPS, WHOLE
from tasks.similarity.model import decision_threshold
from utils.keypoints.cut import MAGNIFICATION
from utils.run import folder as runs

GREY = "grey (Pillow's mode L: 0.299 red + 0.587 green + 0.114 blue)"
COLOURS = {1: GREY, 2: "grey and depth", 3: "red, green, blue", 4: "four channels, as the model learnt them"}
UPRIGHT = "turn the picture upright as its EXIF says; lay transparent pixels on white; 8 bits a channel"
NO_MORE = "pass it at that size: pixels 0..255 as float32, rows first and channels last; all other scaling is inside the file"


def card(model: keras.Model, part: keras.Model, file: str, name: str, path: str) -> dict:
    """The JSON of an exported part.

    Args:
        model: as it was trained; `part` is what of it is exported, into `file` in the format `name`.
        path: the .keras file, which has thresholds.json, about.json and split.json beside it where they are known.
    """
    output, tensor = next(iter(part.output.items()))
    about = runs.read_json(os.path.dirname(path), runs.ABOUT) or {}
    return {
        "file": file, "format": name, "what": part.name, "runtime": f"{FORMATS[name].runtime} {version(FORMATS[name].runtime)}",
        "inputs": [{"name": each, "shape": shape_in_words(image.shape), "type": "float32", "range": [0, 255],
                    "colour": COLOURS[image.shape[-1]]} for each, image in part.input.items()],
        "prepare": prepare(model, part),
        "output": {"name": output, "shape": ["batch", *tensor.shape[1:]], "type": "float32", **MEANINGS[part.name](model)},
        **(thresholds(path) if model.name == siamese.KIND else {}),
        "model": os.path.basename(os.path.dirname(os.path.abspath(path))), "trained_in": precision_of(model),
        "data_set": os.path.basename(os.path.normpath(str(runs.read_split(os.path.dirname(path)).get("root") or "not known"))),
        "licence_of_data": about.get("licence_of_data") or "not known: ask whoever trained the model",
        "trained_on": about or "not known: the model has no about.json",
    }


def shape_in_words(shape) -> list:
    """A shape with names for the sides that may be of any length, such as ["batch", 48, 48, 1]."""
    return [size or name for size, name in zip(shape, ("batch", "height", "width", "channels"))]


def prepare(model: keras.Model, part: keras.Model) -> list[str]:
    """How a picture becomes an input of the part, in steps."""
    _, height, width, channels = next(iter(part.input.values())).shape
    colour = f"convert it to {COLOURS[channels]}"
    if part.name == "descriptor":
        return [colour, f"cut a square of {height} x {width} pixels around the key point, whose side is {MAGNIFICATION:g} sigmas of the key point "
                "(a sigma is half its size), turned so that the key point's direction is to the right, without aliasing (utils/keypoints/cut.py)",
                NO_MORE]
    if part.name == "quality":
        side = rankiqa.side(model)
        crops = f"the score of the photo is the mean over {CROPS} random crops of {side} x {side} pixels"
        whole = (f"do not resize: the file takes photos of any size, and all photos of a batch have the same one; enlarge one whose shorter side has "
                 f"fewer than {side} pixels; predict.py scores photos of up to {WHOLE / 1e6:g} megapixels whole, and of larger ones {crops}")
        return [UPRIGHT, colour, whole if height is None else crops, NO_MORE]
    return [UPRIGHT, colour, f"resize it to a width of {width} and a height of {height} pixels without keeping its aspect, bilinear and antialiased: "
            f"Pillow's image.resize(({width}, {height}), Image.Resampling.BILINEAR), and not a plain bilinear filter, which gives other numbers",
            NO_MORE]


def of_pair(model: keras.Model) -> dict:
    """What the similarity of a pair means."""
    return {"range": [0, 1], "meaning": "similarity of left and right; 1: the same thing"}


def of_tower(model: keras.Model) -> dict:
    """What an embedding means, and how two of them are compared without the pair's file where the head allows it."""
    compare, head = siamese.comparer(model), model.get_layer("head")
    found = {"unit_length": any(layer.name == "unit_length" for layer in model.get_layer("tower").layers),
             "meaning": "embedding of the picture", "similarity": None}
    if compare.by_distance:
        found["meaning"] += "; alike pictures lie near each other"
        boundary, scale = (float(weight) for weight in head.get_weights())
        found["similarity"] = {"formula": "1 / (1 + exp(-scale * (boundary - distance))), distance: Euclidean, of two embeddings",
                               "boundary": boundary, "scale": scale}
    else:
        found["meaning"] += f"; how alike two are is told by the head {type(head).__name__}, which is in the file of the pair alone"
    return found


def of_quality(model: keras.Model) -> dict:
    """What a score means: its direction, and the range that it was fitted to."""
    scorer = rankiqa.scorer(model)
    return {"higher_is_better": scorer.higher_is_better, "low": scorer.low, "high": scorer.high,
            "meaning": "how good the photo looks; low and high are the range that the scores were fitted to, and others may lie outside"}


def of_descriptor(model: keras.Model) -> dict:
    """What a descriptor means."""
    return {"unit_length": True, "meaning": "descriptor of the patch; patches of one place have a small Euclidean distance"}


MEANINGS = {"pair": of_pair, "tower": of_tower, "quality": of_quality, "descriptor": of_descriptor}


def thresholds(path: str) -> dict:
    """The similarities from which on two pictures count as the same, as predict.py has them."""
    same_from, rule = decision_threshold(os.path.dirname(path), None, None)
    return {"same_from": same_from, "same_from_rule": rule, "thresholds": runs.read_thresholds(os.path.dirname(path))}
