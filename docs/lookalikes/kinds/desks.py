"""What larger screens show: code editors, web pages, spreadsheets, slides."""

import re

import numpy as np
from PIL import Image

from docs.lookalikes import words
from docs.lookalikes.scene import MONO, SANS, SERIF, Box, Rng, Scene, bold, clouds, house, pick, seed_of, width_of


def scenery(page: Image.Image, box: Box, rng: Rng) -> None:
    """A picture on a page: sky, hills, perhaps a sun."""
    left, top, right, bottom = (round(value) for value in box)
    width, height = right - left, bottom - top
    y = np.linspace(0, 1, height)[:, None, None]
    high, low = rng.uniform(60, 255, 3), rng.uniform(100, 255, 3)
    pixels = np.broadcast_to(high + (low - high) * y, (height, width, 3)).copy()
    if rng.random() < 0.5:
        sun_x, sun_y, radius = rng.uniform(0, width), rng.uniform(0.1, 0.4) * height, rng.uniform(0.05, 0.12) * height
        rows, columns = np.indices((height, width))
        pixels[(rows - sun_y) ** 2 + (columns - sun_x) ** 2 < radius**2] = (255, 240, 200)
    for layer in range(3):
        colour = rng.uniform(20, 160, 3) * (1 - 0.2 * layer)
        line = height * (0.45 + 0.18 * layer) + 0.08 * height * clouds(rng, 1, width, width / 3)[0]
        pixels[np.indices((height, width))[0] > line] = colour
    pixels += 6 * clouds(rng, height, width, 6, 2)[..., None]
    page.paste(Image.fromarray(np.clip(pixels, 0, 255).astype("uint8")), (left, top))


EDITORS = (  # page, side, ink, keyword, text, number, comment
    ((30, 30, 30), (37, 37, 38), (212, 212, 212), (86, 156, 214), (206, 145, 120), (181, 206, 168), (106, 153, 85)),
    ((255, 255, 255), (243, 243, 243), (0, 0, 0), (0, 0, 255), (163, 21, 21), (9, 134, 88), (0, 128, 0)),
    ((40, 42, 54), (33, 34, 44), (248, 248, 242), (255, 121, 198), (241, 250, 140), (189, 147, 249), (98, 114, 164)),
    ((253, 246, 227), (238, 232, 213), (101, 123, 131), (133, 153, 0), (42, 161, 152), (211, 54, 130), (147, 161, 161)),
)

KEYWORDS = set(
    "import from def return if is None or raise for in class while with open as assert print range self".split()
)


def code(rng: Rng, number: int) -> Scene:
    """An editor: files on the left, a program with its colours, a line of status."""
    look = house("code", number)
    page, side, ink, keyword, quoted, figure, comment = EDITORS[number // 6 % len(EDITORS)]
    size, letter, face = pick(look, ((1280, 800), (1100, 720), (1440, 900))), look.uniform(14, 18), pick(look, MONO)
    scene = Scene(size, page)
    step, left = letter * 1.45, 200 + 3.6 * letter
    scene.bar(0, 0, 200, size[1], side)
    scene.bar(0, 0, size[0], 34, side)
    names = [
        f"{words.pick(rng, words.NOUNS)}_{words.pick(rng, words.NOUNS)}.py" for _ in range(int(rng.integers(8, 20)))
    ]
    for line, name in enumerate(names):
        scene.text((24, 50 + 24 * line), name, 14, ink, "DejaVuSans")
    scene.bar(200, 0, 200 + 30 + width_of(names[0], 14, "DejaVuSans"), 34, page)
    scene.text((214, 9), names[0], 14, ink, "DejaVuSans")
    advance, y, first = width_of("x", letter, face), 46.0, int(rng.integers(1, 400))
    for line in range(int((size[1] - 80) / step)):
        scene.text((left - 1.2 * letter, y), str(first + line), letter, comment, face, "ra")
        written = words.code_line(rng)
        start = len(written) - len(written.lstrip())
        tokens = (
            [(0, written)]
            if "#" in written
            else [(hit.start(), hit[0]) for hit in re.finditer(r'"[^"]*"|\w+|[^\w\s]+', written)]
        )
        for at, token in tokens:
            colour = (
                comment
                if "#" in token
                else quoted
                if token[0] == '"'
                else figure
                if token.isdigit()
                else keyword
                if token in KEYWORDS
                else ink
            )
            scene.text((left + (start if "#" in token else at) * advance, y), token.strip(), letter, colour, face)
        y += step
    scene.bar(0, size[1] - 24, size[0], size[1], keyword)
    scene.text(
        (12, size[1] - 20),
        f"main   Ln {first + int(rng.integers(30))}, Col {rng.integers(1, 80)}",
        13,
        page,
        "DejaVuSans",
    )
    scene.text((size[0] - 14, size[1] - 20), "UTF-8   Python 3.11", 13, page, "DejaVuSans", "ra")
    return scene


def web(rng: Rng, number: int) -> Scene:
    """A page in a browser: address, menu, a large picture, an article, small pictures beside it."""
    look = house("web", number)
    size, face = pick(look, ((1280, 900), (1024, 768), (1366, 1000))), pick(look, SANS + SERIF[:2])
    colour, firm = tuple(int(value) for value in look.integers(10, 150, 3)), pick(look, words.FIRMS)
    scene = Scene(size, (255, 255, 255))
    scene.bar(0, 0, size[0], 40, (222, 225, 230))
    scene.bar(110, 7, size[0] - 120, 33, (255, 255, 255), 13)
    scene.text((24, 10), "←  →", 18, (90, 90, 90), "DejaVuSans")
    heading = words.title(rng)
    scene.text(
        (126, 12),
        f"{firm.split()[0].lower()}.example/{heading.lower().replace(' ', '-').replace(':', '')}",
        15,
        (60, 60, 60),
    )
    scene.bar(0, 40, size[0], 100, colour)
    scene.text((40, 52), firm, 30, (255, 255, 255), bold(face))
    for position, entry in enumerate(("Home", "News", "Shop", "About", "Contact")):
        scene.text((size[0] - 460 + 90 * position, 60), entry, 17, (255, 255, 255), face)
    left, side = 40, size[0] - 300
    hero = int(look.uniform(180, 300))
    scene.part("picture", (left, 124, side - 40, 124 + hero), scenery, seed_of(rng))
    y = scene.paragraph((left, 140 + hero), heading, side - 80, 34, (20, 20, 20), bold(face), 1.3)
    scene.text((left, y), f"By {words.person(rng)}, {words.date(rng)}", 15, (130, 130, 130), face)
    y = scene.paragraph((left, y + 30), words.prose(rng, 5), side - 80, 17, (50, 50, 50), face, 1.5) + 14
    while y < size[1] - 40:
        y = (
            scene.paragraph(
                (left, y), words.prose(rng, int(rng.integers(3, 6))), side - 80, 17, (50, 50, 50), face, 1.5
            )
            + 14
        )
    y = 124
    while y < size[1] - 120:
        scene.part("picture", (side, y, side + 260, y + 120), scenery, seed_of(rng))
        y = scene.paragraph((side, y + 126), words.title(rng), 260, 18, colour, bold(face)) + 14
    return scene


def spreadsheet(rng: Rng, number: int) -> Scene:
    """Cells with names and numbers under a header, one of them selected."""
    look = house("spreadsheet", number)
    size, face = pick(look, ((1200, 760), (1000, 640), (1366, 768))), pick(look, ("default", "DejaVuSans"))
    row, colour = int(look.integers(22, 30)), pick(look, ((33, 115, 70), (15, 157, 88), (70, 70, 120)))
    wide = [180, *look.integers(80, 140, 12)]
    scene = Scene(size, (255, 255, 255))
    scene.bar(0, 0, size[0], 56, colour)
    scene.text((20, 6), f"{words.title(rng)}.xlsx", 19, (255, 255, 255), face)
    scene.text((20, 32), "File   Edit   View   Insert   Format   Data", 15, (235, 245, 235), face)
    scene.text((14, 61), "fx", 17, (120, 120, 120), "STIXGeneralItalic")
    scene.bar(0, 86, size[0], 86 + row, (240, 240, 240))
    scene.bar(0, 86, 44, size[1], (240, 240, 240))
    rows, edges, kept = int((size[1] - 86) / row), 44 + np.cumsum([0, *wide]), int(rng.integers(8, 20))
    heads = [
        "Name",
        *rng.permutation("Price Units Total Tax Margin Stock Orders Returns Visits Cost Q1 Q2 Q3 Q4".split())[
            : len(wide) - 1
        ],
    ]
    columns = [column for column in range(len(wide)) if edges[column] < size[0]]
    for line in range(1, rows + 1):
        y = 86 + line * row
        scene.text((22, y + row / 2), str(line), 13, (90, 90, 90), face, "mm")
        scene.line([(0, y), (size[0], y)], (212, 212, 212))
        for column in columns:
            written = (
                heads[column]
                if line == 1
                else pick(rng, words.GOODS)
                if column == 0
                else f"{rng.integers(1, 99999) / pick(rng, (1, 100)):,g}"
            )
            if line > kept or rng.random() < 0.06:
                continue
            right, style = column and line > 1, bold(face) if line == 1 else face
            x = edges[column + 1] - 6 if right else edges[column] + 6
            scene.text((x, y + row / 2), written, 14, (20, 20, 20), style, "rm" if right else "lm")
    for column in columns:
        scene.text(
            ((edges[column] + edges[column + 1]) / 2, 86 + row / 2), chr(65 + column), 13, (90, 90, 90), face, "mm"
        )
        scene.line([(edges[column], 86), (edges[column], size[1])], (212, 212, 212))
    column, line = int(rng.integers(1, 5)), int(rng.integers(2, kept))
    scene.bar(edges[column], 86 + line * row, edges[column + 1], 86 + (line + 1) * row, None, outline=colour, width=2)
    scene.text((44, 62), f"=SUM({chr(65 + column)}2:{chr(65 + column)}{line})", 15, (30, 30, 30), face)
    return scene


def slide(rng: Rng, number: int) -> Scene:
    """A slide of one template: headline, points, now and then a picture, and its number."""
    look = house("slide", number)
    size, face = pick(look, ((1280, 720), (960, 720), (1600, 900))), pick(look, SANS + SERIF)
    colour, dark, unit = tuple(int(value) for value in look.integers(20, 170, 3)), look.random() < 0.3, size[1] / 720
    paper, ink = ((24, 28, 40), (240, 240, 240)) if dark else ((255, 255, 255), (30, 30, 30))
    scene = Scene(size, paper)
    firm, band, meeting = pick(look, words.FIRMS), look.random() < 0.5, words.title(look)
    scene.bar(0, 0, size[0] if band else 24 * unit, 110 * unit if band else size[1], colour)
    scene.text(
        (60 * unit, 34 * unit),
        words.title(rng),
        40 * unit,
        (255, 255, 255) if band else colour if not dark else ink,
        bold(face),
    )
    shown, y = rng.random() < 0.5, 150 * unit
    width = size[0] * (0.5 if shown else 0.88)
    if shown:
        scene.part("picture", (size[0] * 0.6, 160 * unit, size[0] * 0.95, 560 * unit), scenery, seed_of(rng))
    for _ in range(int(rng.integers(3, 6))):
        if y > 560 * unit:
            break
        scene.shape("ellipse", (64 * unit, y + 9 * unit, 76 * unit, y + 21 * unit), fill=colour)
        y = scene.paragraph((92 * unit, y), words.sentence(rng), width - 92 * unit, 27 * unit, ink, face) + 16 * unit
    scene.line([(60 * unit, 665 * unit), (size[0] - 60 * unit, 665 * unit)], colour, 2 * unit)
    scene.text((60 * unit, 678 * unit), f"{firm} | {meeting}", 17 * unit, (130, 130, 130), face)
    scene.text((size[0] - 60 * unit, 678 * unit), str(rng.integers(2, 80)), 17 * unit, (130, 130, 130), face, "ra")
    return scene
