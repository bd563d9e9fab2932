"""Draws docs/answers.jpg: a cell for each question, from the answers that `docs.answers` asked for."""

import base64
import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont, ImageOps

from tasks.copies import measure
from tasks.patches.figures import warped
from utils.glyphs import font_path

ROOT = Path(__file__).parents[1]
EDGE, GAP, CELL = 28, 40, (652, 326)  # pixels: the margin of the page, between cells, and a cell
TOP, HIGH, LINE_HIGH = 74, 195, 26  # pixels: where a cell's pictures begin, their height, that of a line of words
GOOD, BAD, CHANGED, INK, GREY, LINE = "#1a7f37", "#d1242f", "#9a6700", "#1f2328", "#59636e", "#d0d7de"
COLOURS = {"copy": GOOD, "copy with changes": CHANGED}  # of verdicts; others are BAD
# the photo whose changed copies are shown, what they are, and what is drawn by chance
COPIED, KINDS, SEED = "palace.jpg", ("mirrored", "quarter turn", "crop to half the area", "border", "JPEG 10"), 3
DETAIL, TIMES = (190, 110, 255, 175), 3  # the part of the enlarged photo that is shown, and how often larger
BLEED = 0.35  # of each side of a photo that is cut off, so that its blur shows on the scale of quality
Facts = dict[str, Any]


def sample(name: str) -> str:
    """The path of a picture of docs/samples, from the project's folder."""
    return f"docs/samples/{name}"


def opened(name: str) -> Image.Image:
    """A picture of docs/samples."""
    return Image.open(ROOT / sample(name)).convert("RGB")


def changed_copies() -> dict[str, Image.Image]:
    """Copies of a photo, each changed in one way that the test of copies has, by its name there."""
    made = measure.make_copies([str(ROOT / sample(COPIED))], 1, SEED)
    return {kind: made.copies[kind][0] for kind in KINDS}


def bicubic(size: tuple[int, int]) -> Image.Image:
    """The small photo, enlarged by bicubic interpolation."""
    return opened("flower_small.png").resize(size, Image.Resampling.BICUBIC)


def draw_copy(cell: Image.Image, facts: Facts) -> None:
    """Both pictures with frames around what differs."""
    left = 0
    for name, side in (("palace.jpg", "left"), ("palace_copy.jpg", "right")):
        left = show(cell, framed(opened(name), [place[side] for place in facts["places"]]), left) + 14
    write(cell, f"{facts['verdict']}:", COLOURS.get(facts["verdict"], BAD), facts["said"])


def draw_hash(cell: Image.Image, facts: Facts) -> None:
    """The copies side by side, and below each its name and both answers."""
    width, high, pictures = 120, 112, changed_copies()
    for column, row in enumerate(facts["copies"]):
        left = column * (width + 13)
        picture = ImageOps.contain(pictures[row["kind"]], (width, high), Image.Resampling.LANCZOS)
        place(cell, picture, (left + (width - picture.width) // 2, TOP + (high - picture.height) // 2))
        lines = [*textwrap.wrap(row["kind"], 13), ""][:2]
        near = row["bits"] <= measure.HASH_BITS
        words = [(lines[0], GREY), (lines[1], GREY), (row["verdict"], COLOURS.get(row["verdict"], BAD)),
                 (f"hash: {'yes' if near else 'no'}", GOOD if near else BAD)]
        for line, (text, colour) in enumerate(words):
            centred(cell, text, colour, left + width // 2, TOP + high + 4 + 25 * line)
    write(cell, "", INK, f"\nhash: 64 bits, yes where at most {measure.HASH_BITS} of them differ")


def draw_place(cell: Image.Image, facts: Facts) -> None:
    """The second photo, and how it lies on the first."""
    first, second = (np.asarray(opened(name)) for name in ("palace.jpg", "palace_place.jpg"))
    left = show(cell, Image.fromarray(second), 0) + 14
    show(cell, Image.fromarray(warped(first, second, np.array(facts["homography"]))), left)
    same, _, rest = facts["said"].partition(": ")
    write(cell, f"{same}:", GOOD if same == "the same scene" else BAD,
          f"{rest}. Right: the second photo, laid on the first one")


def draw_larger(cell: Image.Image, facts: Facts) -> None:
    """The small photo with a frame around the detail, and the detail enlarged in both ways."""
    small = opened("flower_small.png")
    scale = (CELL[0] - 2 * (HIGH + 14)) / small.width
    photo = small.resize([round(side * scale) for side in small.size], Image.Resampling.LANCZOS)
    ImageDraw.Draw(photo).rectangle([edge * scale / 2 for edge in DETAIL], outline=INK, width=2)
    place(cell, photo, (0, TOP))
    ways = {"bicubic": bicubic((2 * small.width, 2 * small.height)).crop(DETAIL),
            "ours": Image.open(io.BytesIO(base64.b64decode(facts["detail"])))}
    centred(cell, "flower_small.png", GREY, photo.width // 2, TOP + photo.height + 6)
    for number, (name, detail) in enumerate(ways.items()):
        left = photo.width + 14 + number * (HIGH + 14)
        place(cell, detail.resize([side * TIMES for side in detail.size], Image.Resampling.NEAREST), (left, TOP))
        colour = GOOD if facts["psnr"][name] == max(facts["psnr"].values()) else GREY
        centred(cell, f"{name}: {facts['psnr'][name]:.1f} dB", colour, left + HIGH // 2, TOP + HIGH + 6)
    write(cell, "", INK, "\nPSNR of the whole photo, against the one it was made from")


def draw_like(cell: Image.Image, facts: Facts) -> None:
    """The example, the scene with frames, and each thing that was found, enlarged."""
    example, signs = opened("sign.png"), opened("signs.jpg")
    show(cell, example, 0, 100)
    centred(cell, "example", GREY, 50, TOP + 106)
    boxes = [(row["box"], GOOD if row["right"] else BAD) for row in facts["found"]]
    boxes += [(box, BAD) for box in facts["missed"]]
    marked = signs.resize((HIGH, HIGH), Image.Resampling.LANCZOS)
    for box, colour in boxes:
        frame = np.multiply(box, HIGH / signs.width)
        outline(marked, frame + (-3, -3, 3, 3), "white", 3)
        outline(marked, frame, colour, 4)
    place(cell, marked, (118, TOP))
    words = [*(f"{row['score']:.3f}" for row in facts["found"]), *("missed" for _ in facts["missed"])]
    for number, ((box, colour), text) in enumerate(zip(boxes, words, strict=True)):
        left, top = 335 + number % 3 * 110, TOP + number // 3 * 100
        (start, stop), side = np.reshape(box, (2, 2)), 72
        middle, reach = (start + stop) / 2, max(14, *(stop - start) / 2 + 3)
        near = signs.crop([*(middle - reach).round(), *(middle + reach).round()]).resize((side, side))
        place(cell, near, (left, top), colour)
        centred(cell, text, colour, left + side // 2, top + side + 1)
    right = sum(row["right"] for row in facts["found"])
    write(cell, facts["said"], GOOD if right == len(facts["found"]) else BAD,
          f"like the example: {right} of the {facts['signs']} that were drawn there")


def draw_quality(cell: Image.Image, facts: Facts) -> None:
    """Both photos over the scale, on which their scores are marked, and what is said of them."""
    pen, ends, bar, size = ImageDraw.Draw(cell), facts["ends"], TOP + 186, (186, 124)
    low, high = ends["most_distorted"][0], ends["undistorted"][1]
    at = lambda score: (min(max(score, low), high) - low) / (high - low) * (CELL[0] - 1)  # noqa: E731
    pen.rectangle((0, bar, CELL[0] - 1, bar + 16), fill=LINE)
    for (name, (start, stop)), colour in zip(ends.items(), (GOOD, BAD)):
        pen.rectangle((at(start), bar, at(stop), bar + 16), fill=colour)
        words, left = name.replace("_", " "), name == "most_distorted"
        pen.text((0 if left else CELL[0] - 1, bar + 22), f"{words}: {start:.0f} to {stop:.0f}", colour, font("", 20),
                 "la" if left else "ra")
    for number, (name, score) in enumerate(sorted(facts["scores"].items(), key=lambda row: row[1])):
        left = CELL[0] - (len(facts["scores"]) - number) * (size[0] + 24) + 24
        place(cell, ImageOps.fit(opened(name), size, bleed=BLEED), (left, TOP))
        middle = left + size[0] // 2
        pen.line((middle, TOP + size[1], at(score), bar + 16), INK, 4)
        leans = at(score) >= middle  # to the right: the score stands on the other side of the line
        pen.text((middle - 12 if leans else middle + 12, TOP + size[1] + 8), f"{score:.1f}", INK, font("-Bold", 22),
                 "ra" if leans else "la")
    for line, text in enumerate(textwrap.wrap("; ".join(sorted(set(facts["said"].values()))), 20)):
        pen.text((0, TOP + line * LINE_HIGH), text, INK, font("", 20))
    pen.text((0, TOP + size[1] + 10), "a part of each photo", GREY, font("", 20))


class Cell(NamedTuple):
    """A question: the words, the command below them, and who draws the answer into a cell."""

    words: str
    command: str
    draw: Callable[[Image.Image, Facts], None]


CELLS = {
    "copy": Cell("Is this a copy, and what differs?", "predict.py palace.jpg palace_copy.jpg", draw_copy),
    "hash": Cell("Is it still a copy when it was changed?", f"predict.py {COPIED} COPY.png", draw_hash),
    "place": Cell("Do they show the same place?", "predict.py --task=patches palace.jpg palace_place.jpg", draw_place),
    "larger": Cell("What does it look like larger?", "predict.py --task=superres flower_small.png", draw_larger),
    "like": Cell("Where is something like this?", "predict.py --like=sign.png signs.jpg", draw_like),
    "quality": Cell("Which one looks better?", "predict.py --quality flower.jpg flower_worse.jpg", draw_quality),
}


def page(facts: Facts) -> Image.Image:
    """The page that shows these answers, by the names of `CELLS`."""
    width, height = CELL
    sheet = Image.new("RGB", (2 * (EDGE + width) + GAP, 2 * EDGE + 3 * height + 2 * GAP), "white")
    for number, (name, cell) in enumerate(CELLS.items()):
        drawn = Image.new("RGB", CELL, "white")
        pen = ImageDraw.Draw(drawn)
        pen.text((0, 0), cell.words, INK, font("-Bold", 29))
        pen.text((0, 41), cell.command, GREY, font("Mono", 19))
        cell.draw(drawn, facts[name])
        row, column = divmod(number, 2)
        sheet.paste(drawn, (EDGE + column * (width + GAP), EDGE + row * (height + GAP)))
        if row:
            line = EDGE + row * (height + GAP) - GAP // 2
            ImageDraw.Draw(sheet).line((EDGE, line, sheet.width - EDGE, line), LINE, 2)
    return sheet


def font(kind: str, size: int) -> ImageFont.FreeTypeFont:
    """DejaVu Sans of a kind: "", "-Bold" or "Mono"."""
    return ImageFont.truetype(font_path(f"DejaVuSans{kind}"), size)


def framed(picture: Image.Image, boxes: Sequence[Sequence[float]]) -> Image.Image:
    """The picture with a red frame around each box, in its pixels."""
    for box in boxes:
        outline(picture, box, BAD, max(3, picture.width // 110))
    return picture


def outline(picture: Image.Image, box: Sequence[float], colour: str, width: int) -> None:
    """Draws a frame around a box, in pixels, outside of it."""
    left, top, right, bottom = box
    ImageDraw.Draw(picture).rectangle((left - width, top - width, right + width, bottom + width), outline=colour,
                                      width=width)


def show(cell: Image.Image, picture: Image.Image, left: int, high: int = HIGH) -> int:
    """Puts a picture of a height into a cell; its right edge."""
    width = round(picture.width * high / picture.height)
    place(cell, picture.resize((width, high), Image.Resampling.LANCZOS), (left, TOP))
    return left + width


def place(cell: Image.Image, picture: Image.Image, corner: tuple[int, int], edge: str = LINE) -> None:
    """Puts a picture into a cell as it is, with a thin line around it."""
    cell.paste(picture, corner)
    right, bottom = corner[0] + picture.width - 1, corner[1] + picture.height - 1
    ImageDraw.Draw(cell).rectangle((*corner, right, bottom), outline=edge, width=1 if edge == LINE else 3)


def centred(cell: Image.Image, text: str, colour: str, middle: int, top: int) -> None:
    """Writes a short line around `middle`."""
    ImageDraw.Draw(cell).text((middle, top), text, colour, font("", 20), "ma")


def write(cell: Image.Image, answer: str, colour: str, rest: str) -> None:
    """Writes below the pictures: the answer, bold, and then the rest, in two lines; a newline begins the second one.

    Raises:
        ValueError: the words need a third line.
    """
    pen, plain, bold = ImageDraw.Draw(cell), font("", 20), font("-Bold", 20)
    first = bold.getlength(f"{answer} ") if answer else 0
    lines, left = [], CELL[0] - first
    for part in rest.split("\n"):
        lines.append("")
        for word in part.split():
            if plain.getlength(f"{lines[-1]} {word}") > (left if len(lines) == 1 else CELL[0]):
                lines.append("")
            lines[-1] = f"{lines[-1]} {word}".strip()
    if len(lines) > 2:
        raise ValueError(f"{answer} {rest!r} needs {len(lines)} lines below the pictures; expected two: make "
                         "CELL wider")
    pen.text((0, TOP + HIGH + 6), answer, colour, bold)
    for number, line in enumerate(lines):
        pen.text((0 if number else first, TOP + HIGH + 6 + number * LINE_HIGH), line, INK, plain)
