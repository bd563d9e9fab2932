"""The tab of super-resolution on the page."""

import base64
import io
from typing import Any

import numpy as np

from tasks.page import Asked, Models
from tasks.superres.data.resizing import resized
from tasks.superres.pictures.doubts import doubts
from tasks.superres.pictures.reading import Photo, read
from tasks.superres.pictures.writing import as_image
from utils.metrics.pictures import rounded
from utils.saying import say_once

MOST = 1_000_000  # pixels of a photo that the page makes larger; of a larger photo the middle


def larger(models: Models, asked: Asked) -> dict[str, Any]:
    """A photo made larger, beside bicubic interpolation of the same size, to be compared by a slider."""
    file = asked.picture("photo")
    with models.answering() as said:
        used = models.of_tab("larger", asked.model)
        photo, cut = middle(read(file))
        for line in photo.said:
            say_once(line)
        made = used.model.photo(photo)
    height, width = made.colours.shape[:2]
    bicubic = photo._replace(colours=rounded(resized(photo.colours, height, width), np.iinfo(photo.colours.dtype).max),
                             alpha=made.alpha)
    return {"used": used, "said": said, "scale": used.model.scale, "cut": cut, "width": width, "height": height,
            "before": as_png(bicubic), "after": as_png(made), "warning": "; ".join(doubts(photo))}


def middle(photo: Photo) -> tuple[Photo, bool]:
    """The middle of a photo, at most `MOST` pixels, and whether it is less than the whole."""
    height, width = photo.colours.shape[:2]
    share = (MOST / (height * width)) ** 0.5
    if share >= 1:
        return photo, False
    sizes = [max(1, int(share * side)) for side in (height, width)]
    rows, columns = (slice((side - size) // 2, (side - size) // 2 + size) for side, size in zip((height, width), sizes))
    alpha = None if photo.alpha is None else photo.alpha[rows, columns]
    return photo._replace(colours=photo.colours[rows, columns], alpha=alpha), True


def as_png(photo: Photo) -> str:
    """A photo as the address of an image that lies in the page, without loss."""
    image, file = as_image(photo), io.BytesIO()
    image.save(file, "PNG", compress_level=3, icc_profile=photo.profile)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
