"""Pictures that can be seen through, laid on paper."""

from collections.abc import Iterator

import numpy as np
from PIL import Image

PAPER, DARK_PAPER = 255, 40  # what shows through transparent pixels; dark where all would be lost on white
LIGHT, LOST = 230, 0.01  # grey from which on a mark is lost on white, and share of what shows that may be darker
BLOCK = 1 << 22  # pixels at once


def on_paper(image: Image.Image) -> Image.Image:
    """A picture in RGB without transparency: on white paper, or light marks on dark paper."""
    colour = (*[DARK_PAPER if is_lost_on_white(image) else PAPER] * 3, 255)
    made = Image.new("RGB", image.size)
    for box, part in strips(image):
        made.paste(Image.alpha_composite(Image.new("RGBA", part.size, colour), part).convert("RGB"), box)
    return made


def is_lost_on_white(image: Image.Image) -> bool:
    """Whether what is visible of a picture, each pixel counted by its alpha, is as light as white paper."""
    visible = darker = 0
    for _, part in strips(image):
        alpha, dark = part.getchannel("A"), part.convert("L").point(lambda value: 255 * (value < LIGHT))
        of_part = [int(np.dot(alpha.histogram(mask), np.arange(256))) for mask in (None, dark)]
        visible, darker = visible + of_part[0], darker + of_part[1]
    return bool(visible and darker < LOST * visible)


def strips(image: Image.Image) -> Iterator[tuple[tuple[int, int, int, int], Image.Image]]:
    """A picture in strips of rows, in RGBA, and their boxes: of a large one no second copy is made."""
    rows = max(1, BLOCK // max(1, image.width))
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        yield box, image.crop(box).convert("RGBA")
