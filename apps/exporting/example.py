"""Asks an exported model about pictures, without Keras; where it makes a picture, this is written to made_1.png and so
on, and many numbers to made_1.npy, never over a file that is there:

    python example.py pair.json a.png b.png
"""

import itertools
import json
import os
import sys

import numpy as np
from PIL import Image, ImageOps

from apps.exporting.formats import onnx as opened

MOST = 10_000  # numbers that are printed; an embedding has fewer


def read(path, taken, zoom):
    """A picture as the model takes it, (height, width, channels) in 0..255, and its own width and height. It is upright
    and on white paper; it is resized where the model has a size, and otherwise its border is repeated at the right and
    below up to a size that the model takes; exits with a line where that cannot be done."""
    _, height, width, channels = taken["shape"]
    try:
        picture = ImageOps.exif_transpose(Image.open(path))
        picture = of_8_bits(picture) if picture.mode[0] in "IF" else picture
        if picture.has_transparency_data:
            picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
        picture = picture.convert("RGB") if picture.mode == "LAB" else picture  # from which Pillow knows no other way
        picture = picture.convert("L" if channels == 1 else "RGB")
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        sys.exit(f"{path}: cannot be read as a picture: {error}")
    own = picture.size
    if isinstance(height, int):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    elif zoom != 1:
        picture = picture.resize([max(1, round(zoom * side)) for side in own], Image.Resampling.BILINEAR)
    pixels = np.asarray(picture, "float32").reshape(picture.height, picture.width, channels)
    if min(pixels.shape[:2]) < taken.get("minimum", 1):
        sys.exit(f"{path}: {own[0]} x {own[1]} pixels, expected {taken['minimum']} or more a side: pass a larger one")
    more = [(0, -side % taken.get("multiple", 1)) for side in pixels.shape[:2]]
    return np.pad(pixels, [*more, (0, 0)], mode="edge"), own


def of_8_bits(picture):
    """Grey values of more than 8 bits as predict.py reads them where it need not guess what is white: 0..65535;
    ValueError for others."""
    values = np.asarray(picture)
    low, high = values.min(), values.max()
    narrow = 0 < low < high < 65535 and high - low < 65535 / 8
    if picture.mode == "F" or low < 0 or not 16383 < high <= 65535 or narrow:
        raise ValueError(f"mode {picture.mode} with values from {low:g} to {high:g}, expected 8 bits, or 16 bits of "
                         "which white is 65535: save it with 8 bits a channel")
    return Image.fromarray(np.rint(values * (255 / 65535)).astype("uint8"))


def in_picture(rows, size, zoom):
    """Rows of the model that begin with a box, with the box in pixels of a picture of (width, height)."""
    return np.concatenate([np.clip(rows[:, :4] / zoom, 0, np.array([*size, *size], "float32")), rows[:, 4:]], axis=1)


with open(sys.argv[1], encoding="utf-8") as file:
    card = json.load(file)
run = opened(os.path.join(os.path.dirname(sys.argv[1]), card["file"]))
names, files = [each["name"] for each in card["inputs"]], sys.argv[2:]
zoom = card.get("output", {}).get("zoom")  # of boxes alone: how many times larger a picture becomes before
if not files or len(files) % len(names):
    sys.exit(f"received {len(files)} pictures, expected {len(names)} for each answer: {', '.join(names)}")
for start in range(0, len(files), len(names)):  # one at a time; a batch of pictures, np.stack([...]), is faster
    asked = files[start : start + len(names)]
    pictures, sizes = zip(*(read(path, card["inputs"][0], zoom or 1) for path in asked))
    result = run({name: picture[None] for name, picture in zip(names, pictures)})[0]
    result = in_picture(result, sizes[0], zoom) if zoom else result
    ending = "png" if np.ndim(result) == 3 else "npy"
    made = next(name for name in (f"made_{n}.{ending}" for n in itertools.count(1)) if not os.path.exists(name))
    if np.ndim(result) == 3:
        Image.fromarray(np.clip(np.rint(result), 0, 255).astype("uint8")).save(made)
        print(*asked, made)
    elif np.size(result) > MOST:
        np.save(made, result)
        print(*asked, f"{np.shape(result)} numbers, in {made}")
    else:
        print(*asked, json.dumps(result.tolist()))
