"""The tab of the perceptual distance on the page."""

from typing import Any

import numpy as np
from PIL import Image

from tasks.page import Asked, Models, as_image, picture
from tasks.perceptual.figures import heat, small
from utils.data.images import read_photo


def near(models: Models, asked: Asked) -> dict[str, Any]:
    """How near a picture is to its original, to the eye, and where they differ."""
    from tasks.perceptual.model import READY  # and with it Keras, which the other tabs may not need

    first, second = asked.picture("original"), asked.picture("changed")
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
            "places": as_image(small(heat(places, float(places.max()))))}
