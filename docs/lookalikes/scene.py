"""A picture as a list of what is on it, so that it can be drawn twice with one thing different.

A `Scene` holds texts, shapes and parts (a face, a chess piece, a cell) in the order in which they are drawn. Whatever
is random about a thing comes from a seed of its own, so that changing one leaves all others as they are, to the pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple
from zlib import crc32

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from utils.glyphs import font_path

Rng = np.random.Generator
Box = tuple[float, float, float, float]  # left, top, right, bottom
Ink = tuple[int, ...] | str | float
LAYOUT = 6  # so many pictures in a row of one kind share a layout

SANS = ("default", "DejaVuSans", "cmss10")
SERIF = ("STIXGeneral", "DejaVuSerif", "cmr10")
MONO = ("DejaVuSansMono", "cmtt10")
BOLD = {
    "cmtt10": "DejaVuSansMono-Bold",
    "default": "DejaVuSans-Bold",
    "cmss10": "DejaVuSans-Bold",
    "cmr10": "cmb10",
    "STIXGeneral": "STIXGeneralBol",
}


@cache
def font_of(face: str, size: float) -> ImageFont.FreeTypeFont:
    """A face of matplotlib's, or "default", Pillow's own."""
    return ImageFont.load_default(size) if face == "default" else ImageFont.truetype(font_path(face), size)


def bold(face: str) -> str:
    """The bold face that goes with one."""
    return BOLD.get(face, f"{face}-Bold")


def house(kind: str, number: int) -> Rng:
    """What draws the layout of picture `number`: the same for LAYOUT numbers in a row, whatever the seed."""
    return np.random.default_rng([crc32(kind.encode()), number // LAYOUT])


def pick(rng: Rng, things):
    """One of them."""
    return things[int(rng.integers(len(things)))]


def seed_of(rng: Rng) -> int:
    """A seed for one thing on a picture."""
    return int(rng.integers(1 << 30))


def times(value, fine: int):
    """Coordinates in finer pixels: numbers, or lists of them."""
    return value * fine if isinstance(value, int | float | np.number) else [times(each, fine) for each in value]


class Text(NamedTuple):
    """Words in one line."""

    position: tuple[float, float]
    words: str
    size: float
    ink: Ink
    face: str
    anchor: str

    def onto(self, page: Image.Image, fine: int) -> None:
        """Draws it."""
        font = font_of(self.face, self.size * fine)
        ImageDraw.Draw(page).text(times(self.position, fine), self.words, fill=self.ink, font=font, anchor=self.anchor)


class Shape(NamedTuple):
    """What a method of ImageDraw draws: its name, where, and its settings."""

    how: str
    where: tuple
    settings: dict

    def onto(self, page: Image.Image, fine: int) -> None:
        """Draws it."""
        lengths = {name: round(self.settings[name] * fine) for name in ("width", "radius") if name in self.settings}
        getattr(ImageDraw.Draw(page), self.how)(times(self.where, fine), **self.settings | lengths)


class Part(NamedTuple):
    """Something drawn from a seed within a box."""

    name: str
    box: Box
    draw: Callable[[Image.Image, Box, Rng], None]
    seed: int

    def onto(self, page: Image.Image, fine: int) -> None:
        """Draws it."""
        self.draw(page, tuple(times(self.box, fine)), np.random.default_rng(self.seed))


@dataclass
class Scene:
    """A page and what is drawn on it, `fine` times as finely, for smooth edges; `finish` has the last word."""

    size: tuple[int, int]
    paper: Ink = (255, 255, 255)
    mode: str = "RGB"
    fine: int = 1
    finish: Callable[[Image.Image], Image.Image] | None = None
    items: list[Text | Shape | Part] = field(default_factory=list)

    def text(
        self, position, words: str, size: float, ink: Ink = (0, 0, 0), face: str = "default", anchor: str = "la"
    ) -> None:
        """Words in one line; `anchor` as Pillow has it."""
        self.items.append(Text(tuple(position), words, size, ink, face, anchor))

    def paragraph(
        self,
        position,
        words: str,
        width: float,
        size: float,
        ink: Ink = (0, 0, 0),
        face: str = "default",
        leading: float = 1.35,
    ) -> float:
        """Words in as many lines as they need; returns where the next line would begin."""
        for line in wrapped(words, size, face, width):
            self.text(position, line, size, ink, face)
            position = position[0], position[1] + size * leading
        return position[1]

    def shape(self, how: str, where, **settings) -> None:
        """What ImageDraw's method `how` draws."""
        self.items.append(Shape(how, tuple(where), settings))

    def bar(
        self, left: float, top: float, right: float, bottom: float, fill: Ink, radius: float = 0, **settings
    ) -> None:
        """A filled rectangle, round at its corners."""
        how = "rounded_rectangle" if radius else "rectangle"
        self.shape(how, (left, top, right, bottom), fill=fill, **settings, **({"radius": radius} if radius else {}))

    def line(self, points, ink: Ink, width: float = 1, **settings) -> None:
        """A line through points."""
        self.shape("line", [tuple(point) for point in points], fill=ink, width=width, **settings)

    def part(self, name: str, box: Box, draw: Callable, seed: int) -> None:
        """Something drawn from a seed."""
        self.items.append(Part(name, tuple(box), draw, seed))

    def picture(self) -> Image.Image:
        """The scene, drawn."""
        page = Image.new(self.mode, times(self.size, self.fine), self.paper)
        for item in self.items:
            item.onto(page, self.fine)
        page = page.reduce(self.fine) if self.fine > 1 else page
        return self.finish(page) if self.finish else page


def width_of(words: str, size: float, face: str = "default") -> float:
    """How wide a line is."""
    return font_of(face, size).getlength(words)


def wrapped(words: str, size: float, face: str, width: float) -> list[str]:
    """Words in lines of at most `width`."""
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width_of(longer, size, face) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def clouds(rng: Rng, height: int, width: int, grain: float, octaves: int = 4) -> np.ndarray:
    """Soft noise (height, width) of mean 0 and deviation 1: blots of `grain` pixels, and finer ones on them."""
    total = np.zeros((height, width), "float32")
    for octave in range(octaves):
        step = max(1.0, grain / 2**octave)
        coarse = rng.normal(0, 1, (int(height / step) + 3, int(width / step) + 3)).astype("float32")
        fine = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(fine) / 2**octave
    return (total - total.mean()) / (total.std() + 1e-9)


def scanned(seed: int, degrees: float = 1.2, tone: float = 238, grey: bool = True, grain: float = 3) -> Callable:
    """A finish: the page slightly turned, softened, unevenly lit, with the grain of paper and of the scanner."""

    def finish(page: Image.Image) -> Image.Image:
        rng = np.random.default_rng(seed)
        page = page.convert("L" if grey else "RGB")
        edge = 255 if grey else (255, 255, 255)
        page = page.rotate(rng.uniform(-degrees, degrees), Image.Resampling.BICUBIC, fillcolor=edge)
        values = np.asarray(page, "float32") * (tone / 255) + 10
        shade = 3 * clouds(rng, page.height, page.width, page.width / 2, 2)
        noise = rng.normal(0, grain, shade.shape) + clouds(rng, page.height, page.width, 3, 1)
        light = (shade + noise)[(...,) + (None,) * (values.ndim - 2)]
        return Image.fromarray(np.clip(np.rint(values + light), 0, 255).astype("uint8"))

    return finish
