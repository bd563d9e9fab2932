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


def read(path, height, width, channels):
    """A picture as the model takes it: upright, on white paper, resized where the model has a size; (height, width,
    channels), 0..255."""
    picture = ImageOps.exif_transpose(Image.open(path))
    if picture.has_transparency_data:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    picture = picture.convert("L" if channels == 1 else "RGB")
    if isinstance(height, int):
        picture = picture.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(picture, "float32").reshape(picture.height, picture.width, channels)


with open(sys.argv[1], encoding="utf-8") as file:
    card = json.load(file)
run = opened(os.path.join(os.path.dirname(sys.argv[1]), card["file"]))
names, files = [each["name"] for each in card["inputs"]], sys.argv[2:]
if not files or len(files) % len(names):
    sys.exit(f"received {len(files)} pictures, expected {len(names)} for each answer: {', '.join(names)}")
for start in range(0, len(files), len(names)):  # one at a time; a batch of pictures, np.stack([...]), is faster
    asked = files[start : start + len(names)]
    pictures = [read(path, *card["inputs"][0]["shape"][1:]) for path in asked]
    result = run({name: picture[None] for name, picture in zip(names, pictures)})[0]
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
