"""The tab of the perceptual distance on the page."""

import os
from typing import Any

import numpy as np
from PIL import Image

from tasks.page import Asked, Models, as_image, picture
from tasks.perceptual.figures import TOP, heat
from utils.data.images import read_photo, size_of
from utils.saying import shown

MEGAPIXELS = 12  # of an original, at most: others wait for the half minute that it takes


def near(models: Models, asked: Asked) -> dict[str, Any]:
    """How near a picture is to its original, to the eye, and where they differ."""
    from tasks.perceptual.model import READY  # and with it Keras, which the other tabs may not need

    first, second = asked.picture("original"), asked.picture("changed")
    width, height = size_of(first)
    if width * height > MEGAPIXELS * 1e6:
        raise ValueError(f"{shown(os.path.basename(first))}: {width} x {height} pixels, expected {MEGAPIXELS} "
                         "megapixels or fewer on the page; python predict.py --task=perceptual measures larger ones")
    with models.answering() as said:
        used = models.of_tab("near", asked.model or READY)
        original, other = read_photo(first), read_photo(second)
        resized = original.shape != other.shape
        if resized:
            other = np.asarray(Image.fromarray(other).resize(original.shape[1::-1], Image.Resampling.BICUBIC))
        found = used.model.figures(original, other, used.model.measure.scale(original))
        places = used.model.measure.map(original, other)
    return {"used": used, "said": said, **found, "resized": resized, "warning": used.model.warning(first),
            "pictures": [picture(first), picture(second)],
            "places": as_image(heat(places)), "top": f"{TOP:g}"}
