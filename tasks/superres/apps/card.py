"""What a person needs to know of an exported model of super-resolution: what comes out, and how photos go in."""

import keras

from nets.models import superres

SIDE = 48  # pixels a side of the pictures that an exported model is tried on


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    scale = superres.enlarger(model).scale
    return {"output": {"scale": scale, "range": [0, 255],
                       "meaning": f"the photo {scale} times as large, red, green, blue: cut it to 0..255 and round it"},
            "steps": ["do not resize: the file takes photos of any size from 2 pixels a side on, and all photos of a "
                      "batch have the same one; of a large photo pass overlapping tiles, as tasks/superres/tiles.py "
                      "does"]}


def side(model: keras.Model) -> int:
    """Pixels a side of the pictures that a model of any size is tried on."""
    return SIDE
