"""Sheets of pictures, drawn by Pillow: matplotlib takes longer to import than two pictures take to compare."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import groupby

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from utils.sheets.fonts import drawable, file_with

GAP, FRAME = 14, 4  # pixels around a picture, and of a frame around it
HEADING, TITLE = 15, 12  # height of the letters, in pixels
SIDE = 300  # pixels of the longer side of a picture beside another one
GREEN, RED = (44, 160, 44), (214, 39, 40)


def sheet(pictures: Sequence[np.ndarray], titles: Sequence[str], columns: int, heading: str = "",
          frames: Mapping[int, tuple[int, int, int]] = {}, side: int = SIDE) -> Image.Image:
    """Pictures (H, W, 1 or 3) of 0..255 row by row, each below its title, which may have several lines.

    Args:
        heading: over the whole sheet, in as many lines as it needs.
        frames: colours of the frames around some pictures, by number.
        side: pixels of the longer side of each picture.
    """
    columns = min(columns, len(pictures))
    width = columns * (side + GAP) + GAP
    shown = [fitted(Image.fromarray(without_channel(pixels).astype("uint8")).convert("RGB"), side)
             for pixels in pictures]
    lines = wrapped(drawable(heading), width - 2 * GAP, HEADING)
    over = [wrapped(drawable(title), side + GAP // 2, TITLE) for title in titles]
    rows = [range(start, min(start + columns, len(shown))) for start in range(0, len(shown), columns)]
    tops, height = [], GAP // 2 + len(lines) * (HEADING + 5)
    for row in rows:
        height += max(len(over[number]) for number in row) * (TITLE + 3) + GAP // 2 + FRAME
        tops.append(height)
        height += max(shown[number].height for number in row) + GAP
    page = Image.new("RGB", (width, height), "white")
    pen = ImageDraw.Draw(page)
    for number, line in enumerate(lines):
        write(pen, width / 2, GAP / 2 + number * (HEADING + 5), line, HEADING)
    for row, top in zip(rows, tops, strict=True):
        for number in row:
            picture, middle = shown[number], GAP + (number - row[0]) * (side + GAP) + side / 2
            left = round(middle - picture.width / 2)
            if number in frames:
                edges = (left - FRAME, top - FRAME, left + picture.width + FRAME - 1, top + picture.height + FRAME - 1)
                pen.rectangle(edges, fill=frames[number])
            page.paste(picture, (left, top))
            for place, line in enumerate(reversed(over[number]), start=1):
                write(pen, middle, top - place * (TITLE + 3) - FRAME, line, TITLE)
    return page


def without_channel(image: np.ndarray) -> np.ndarray:
    """An image (H, W) where it was (H, W, 1)."""
    return image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image


def fitted(picture: Image.Image, side: int) -> Image.Image:
    """A picture with `side` pixels on its longer side; those of one that is enlarged twice or more stay squares."""
    longest = max(picture.size)
    times = math.ceil(side / longest)
    if side >= 2 * longest:  # by a whole number, so that all squares are of one size
        picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
    return ImageOps.contain(picture, (side, side), Image.Resampling.LANCZOS)


def wrapped(text: str, width: float, size: int) -> list[str]:
    """The lines of a text, each no wider than about `width` pixels."""
    letters = max(8, int(width / length("n" * 20, size) * 20))
    return [line for part in text.split("\n") for line in textwrap.wrap(part, letters)]


def write(pen: ImageDraw.ImageDraw, middle: float, top: float, text: str, size: int, ink="black") -> None:
    """Draws a line around `middle`, each letter in a font that has it."""
    at = middle - length(text, size) / 2
    for file, letters in groupby(text, file_with):
        part = "".join(letters)
        pen.text((at, top + size), part, ink, font(file, size), "ls")
        at += font(file, size).getlength(part)


def length(text: str, size: int) -> float:
    """The width of a line, in pixels."""
    return sum(font(file, size).getlength("".join(letters)) for file, letters in groupby(text, file_with))


@cache
def font(file: str, size: int) -> ImageFont.FreeTypeFont:
    """The font in a file; "": the one that comes with Pillow."""
    return ImageFont.truetype(file, size) if file else ImageFont.load_default(size)
