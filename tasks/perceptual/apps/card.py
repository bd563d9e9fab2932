"""What a person needs to know of an exported model of this room: what the distance means, and what is made."""

import keras

from nets.models import perceptual


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    side = perceptual.maker(model).side
    output = {
        "distance": {"lower_is_better": True,
                     "meaning": "how far two pictures are from each other, to the eye: 0 for equal ones, about 1 for "
                                "unrelated photos"},
        "made": {"range": [0, 255], "meaning": "what the generator makes of the picture, red, green, blue: cut it to "
                                               "0..255 and round it"},
    }[part.name]
    return {"output": output,
            "steps": [f"cut the middle square, or the square that matters, and resize it to {side} x {side} pixels: "
                      f"Pillow's image.resize(({side}, {side}), Image.Resampling.BICUBIC)"]}
