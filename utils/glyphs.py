"""An embedded data set: letters of many writing systems, drawn from the fonts that come with matplotlib.

    python -m utils.glyphs [folder]

It has Omniglot's layout and size (105 x 105, black on white, 1 bit), so that everything can be tried
without a download: `images_background/` to train on, `images_evaluation/` with writing systems of
which training sees nothing.
"""

import os
import sys
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt, map_coordinates, zoom

from utils.data.files import save_aside

SIDE = 105  # pixels, as Omniglot
DRAWINGS = 20  # of each character
LETTER = 64  # pixels of the longer side of a letter, before it is moved
MOST_ALIKE = 0.72  # overlap of two letters' ink from which on they count as one (A, Alpha, Cyrillic A)
NEAR, FAR = 1 / 20, 1 / 8  # of the box around a letter: how far the ink of two letters of one shape lies apart
ONE, OTHER = 0.01, 0.11  # what may lie farther: within one alphabet, where a dot makes another letter, and in two
STRETCHED = 1.57  # ratio of two letters' proportions that the drawings still blur

# Unicode blocks; the number is the most letters taken from one.
BACKGROUND = {
    "Latin": (0x41, 0x250, 40),
    "Greek": (0x391, 0x3F0, 30),
    "Cyrillic": (0x402, 0x530, 40),
    "Arabic": (0x621, 0x64B, 24),
    "Georgian": (0x10A0, 0x10FD, 36),
    "Lisu": (0xA4D0, 0xA500, 40),
    "Old_Italic": (0x10300, 0x10330, 30),
    "Ogham": (0x1681, 0x169B, 20),
    "Canadian_Syllabics": (0x1401, 0x1677, 60),
    "Mathematical_Operators": (0x2200, 0x22FF, 40),
}
EVALUATION = {
    "Armenian": (0x531, 0x588, 30),
    "Hebrew": (0x5D0, 0x5EB, 26),
    "Tifinagh": (0x2D30, 0x2D66, 30),
    "Lao": (0xE81, 0xEAF, 28),
    "NKo": (0x7CA, 0x7EB, 26),
}
FACES = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSerif", "DejaVuSerif-Bold",
    "DejaVuSerif-Italic", "DejaVuSansMono", "STIXGeneral", "STIXGeneralItalic",
)


class Shape(NamedTuple):
    """What a character looks like, whatever its size.

    Attributes:
        coarse: the ink in the box around it (24, 24) bool.
        ink: the same (48, 48), and `near` and `far`: what lies within `NEAR` and `FAR` of it.
        wide: the width of the box by its height.
    """

    coarse: np.ndarray
    ink: np.ndarray
    near: np.ndarray
    far: np.ndarray
    wide: float


class Letter(NamedTuple):
    """One character and its ink (SIDE, SIDE) in 0..1, once for each face that has it."""

    name: str
    faces: list[np.ndarray]


def render_glyphs(folder: str, seed: int = 0, progress: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Renders the data set below `folder` and returns the number of images.

    Args:
        progress: called with the letters done and their number.
    """
    work = []
    for part, blocks in (("images_background", BACKGROUND), ("images_evaluation", EVALUATION)):
        seen: list[Shape] = []
        for script, block in blocks.items():
            for number, letter in enumerate(letters(*block, seen), start=1):
                work.append((os.path.join(folder, part, script, f"character{number:02d}"), letter))
    seeds = np.random.SeedSequence(seed).spawn(len(work))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        drawn = pool.map(lambda item: save_drawings(*item[0], np.random.default_rng(item[1])), zip(work, seeds))
        for done, _ in enumerate(drawn, start=1):
            progress(done, len(work))
    return len(work) * DRAWINGS


def letters(first: int, last: int, most: int, seen: list[Shape]) -> list[Letter]:
    """Letters of a Unicode range that look unlike each other and all in `seen`, which are of other ranges; `seen` grows
    by them."""
    kept, own = [], []
    for code in range(first, last):
        if unicodedata.category(chr(code)) not in ("Lu", "Ll", "Lo", "Sm") or len(kept) == most:
            continue
        faces = [ink for name in FACES if (ink := render(chr(code), name)) is not None]
        if not faces:
            continue
        shape = shape_of(faces[0])
        if any(alike(shape, other, ONE) for other in own) or any(alike(shape, other) for other in seen):
            continue
        own.append(shape)
        kept.append(Letter(unicodedata.name(chr(code)), faces))
    seen += own
    return kept


def shape_of(ink: np.ndarray) -> Shape:
    """The shape of a character's ink (H, W) in 0..1."""
    image = Image.fromarray((ink * 255).astype("uint8"))
    image = image.crop(image.getbbox())
    coarse, fine = (np.asarray(image.resize((side, side))) > 110 for side in (24, 48))
    away = distance_transform_edt(~fine) / 48
    return Shape(coarse, fine, away <= NEAR, away <= FAR, image.width / image.height)


def alike(a: Shape, b: Shape, apart: float = OTHER) -> bool:
    """Whether two letters would be drawn as one: their ink overlaps, or each lies on or beside the other.

    Args:
        apart: the share of the ink of one that may lie farther than `NEAR` from that of the other: `ONE` or `OTHER`.
    """
    if ink_overlap(a.coarse, b.coarse) > MOST_ALIKE:
        return True
    if not 1 / STRETCHED < a.wide / b.wide < STRETCHED:
        return False
    return all(np.sum(ink & ~near) <= apart * ink.sum() and np.sum(ink & ~far) <= 0.01 * ink.sum()
               for ink, near, far in ((a.ink, b.near, b.far), (b.ink, a.near, a.far)))


def render(character: str, face: str) -> np.ndarray | None:
    """Ink (SIDE, SIDE) in 0..1 of a character, centred, its longer side LETTER; None if not in the face."""
    if ord(character) not in coverage(face):
        return None
    font = ImageFont.truetype(font_path(face), LETTER)
    box = font.getbbox(character)
    width, height = box[2] - box[0], box[3] - box[1]
    if min(width, height) < 2:
        return None
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).text((-box[0], -box[1]), character, fill=255, font=font)
    scale = LETTER / max(width, height)
    image = image.resize((max(3, round(width * scale)), max(3, round(height * scale))))
    canvas = Image.new("L", (SIDE, SIDE))
    canvas.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    return np.asarray(canvas, "float32") / 255


def save_drawings(folder: str, letter: Letter, rng: np.random.Generator) -> None:
    """Writes DRAWINGS drawings of one letter as 1-bit PNG files."""
    os.makedirs(folder, exist_ok=True)
    for number in range(DRAWINGS):
        face = letter.faces[number % len(letter.faces)]
        image = Image.fromarray(np.where(drawing(face, rng), 0, 255).astype("uint8"))
        save_aside(image.convert("1").save, os.path.join(folder, f"{number + 1:02d}.png"), ".png")


def drawing(ink: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One drawing (SIDE, SIDE) bool of a letter: turned, sheared, stretched, bent, thicker or thinner."""
    angle, shear = rng.normal(0, 0.12), rng.normal(0, 0.12)
    size = rng.uniform(0.8, 1.2, 2)
    matrix = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    matrix = matrix @ np.array([[1, 0], [shear, 1]]) / size
    centre = (SIDE - 1) / 2
    grid = np.indices((SIDE, SIDE)).reshape(2, -1) - centre - rng.uniform(-6, 6, (2, 1))
    bend = np.stack([zoom(rng.normal(0, 2.2, (6, 6)), SIDE / 6, order=3).ravel() for _ in range(2)])
    moved = map_coordinates(ink, matrix @ grid + centre + bend, order=1)
    return moved.reshape(SIDE, SIDE) > rng.uniform(0.2, 0.7)  # the lower, the thicker


def ink_overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two bool arrays."""
    return float((a & b).sum() / max((a | b).sum(), 1))


_coverage: dict[str, frozenset[int]] = {}


def coverage(face: str) -> frozenset[int]:
    """Code points that a face has."""
    from matplotlib.ft2font import FT2Font

    if face not in _coverage:
        _coverage[face] = frozenset(FT2Font(font_path(face)).get_charmap())
    return _coverage[face]


def font_path(face: str) -> str:
    """The font file of a face that matplotlib brings."""
    from matplotlib import get_data_path

    return os.path.join(get_data_path(), "fonts", "ttf", f"{face}.ttf")


if __name__ == "__main__":
    if any(argument.startswith("-") for argument in sys.argv[1:]):
        sys.exit(__doc__)
    target = sys.argv[1] if len(sys.argv) > 1 else "datasets/glyphs"
    print(f"{render_glyphs(target)} images in {target}")
