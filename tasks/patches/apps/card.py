"""What a person needs to know of an exported model of patches: what a descriptor means, and how a patch is cut."""

import keras

from utils.keypoints.cut import MAGNIFICATION


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    height, width = part.inputs[0].shape[1:3]
    return {"output": {"unit_length": True, "meaning": "descriptor of the patch; patches of one place have a small "
                                                       "Euclidean distance"},
            "turned": True, "more": {"use": {"length": model.output_shape[-1]}},
            "steps": [f"cut a square of {height} x {width} pixels around the key point, whose side is "
                      f"{MAGNIFICATION:g} sigmas of the key point (a sigma is half its size), turned so that the key "
                      "point's direction is to the right, without aliasing (utils/keypoints/cut.py)"]}
