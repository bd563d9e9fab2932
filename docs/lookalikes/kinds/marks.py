"""Pictures of little: logos, icons, a word on black, dark wallpapers, plain colours, gradients."""

import numpy as np
from PIL import Image, ImageDraw

from docs.lookalikes import words
from docs.lookalikes.scene import LAYOUT, SANS, SERIF, Box, Rng, Scene, bold, font_of, house, pick, seed_of


def mark(page: Image.Image, box: Box, rng: Rng, ink=(255, 255, 255, 255)) -> None:
    """A sign made of few shapes around a middle, as logos are."""
    pen, (left, top, right, bottom) = ImageDraw.Draw(page), box
    middle, radius = np.array([(left + right) / 2, (top + bottom) / 2]), min(right - left, bottom - top) / 2
    clear, count = (*ink[:3], 0) if page.mode == "RGBA" else page.getpixel((0, 0)), int(rng.integers(3, 9))
    kind, turn = int(rng.integers(5)), rng.uniform(0, np.pi)

    def disc(centre, size, fill) -> None:
        pen.ellipse((*(centre - size), *(centre + size)), fill=fill)

    around = [
        middle + radius * np.array([np.cos(turn + angle), np.sin(turn + angle)])
        for angle in np.arange(count) * 2 * np.pi / count
    ]
    if kind == 0:  # a ring with a piece cut out
        disc(middle, radius, ink)
        disc(middle, radius * rng.uniform(0.45, 0.8), clear)
        pen.pieslice(
            (*(middle - radius), *(middle + radius)),
            start := int(rng.integers(360)),
            start + int(rng.integers(20, 90)),
            fill=clear,
        )
    elif kind == 1:  # a flower of discs
        for point in around:
            disc(middle + 0.6 * (point - middle), radius * 0.35, ink)
        disc(middle, radius * 0.22, clear)
    elif kind == 2:  # a star
        inner = rng.uniform(0.35, 0.7)
        half = np.pi / count
        rim = [
            middle
            + radius
            * (1 if step % 2 == 0 else inner)
            * np.array([np.cos(turn + half * step), np.sin(turn + half * step)])
            for step in range(2 * count)
        ]
        pen.polygon([tuple(point) for point in rim], fill=ink)
    elif kind == 3:  # bars
        for bar in range(count):
            x = left + (right - left) * bar / count
            pen.rectangle((x, top + radius * rng.uniform(0, 1.2), x + (right - left) / count * 0.7, bottom), fill=ink)
    else:  # a polygon within another
        pen.regular_polygon((*middle, radius), count, rotation=int(np.rad2deg(turn)), fill=ink)
        pen.regular_polygon(
            (*middle, radius * rng.uniform(0.4, 0.7)),
            int(rng.integers(3, 8)),
            rotation=int(rng.integers(360)),
            fill=clear,
        )


def logo(rng: Rng, number: int) -> Scene:
    """A white logo on transparency: a sign, with or without a name."""
    look = house("logo", number)
    size, face = pick(look, ((400, 400), (600, 240), (512, 512), (320, 180))), bold(pick(look, SANS + SERIF))
    scene = Scene(size, (255, 255, 255, 0), "RGBA", 2)
    wide = size[0] > 1.2 * size[1]
    side = size[1] * (0.7 if wide else 0.56)
    left, top = (size[1] * 0.15, size[1] * 0.15) if wide else ((size[0] - side) / 2, size[1] * 0.1)
    scene.part("sign", (left, top, left + side, top + side), mark, seed_of(rng))
    name = pick(rng, words.NOUNS).upper()
    at, anchor = ((left + side * 1.2, size[1] / 2), "lm") if wide else ((size[0] / 2, size[1] * 0.82), "mm")
    room = size[0] - at[0] - 10 if wide else size[0] * 0.9
    letter = min(size[1] * 0.24, room / max(font_of(face, 100).getlength(name), 1) * 100)
    scene.text(at, name, letter, (255, 255, 255, 255), face, anchor)
    return scene


def icon(rng: Rng, number: int) -> Scene:
    """An icon of one style: a sign on a rounded square, or lines in one colour."""
    look = house("icon", number)
    side, ground = pick(look, (128, 192, 256)), look.random() < 0.6
    colour = tuple(int(value) for value in look.integers(20, 200, 3))
    scene = Scene((side, side), (255, 255, 255), fine=3)
    if ground:
        scene.bar(side * 0.06, side * 0.06, side * 0.94, side * 0.94, colour, side * 0.2)
    ink = (255, 255, 255) if ground else colour
    box, hole = (side * 0.26, side * 0.26, side * 0.74, side * 0.74), colour if ground else (255, 255, 255)

    def sign(page: Image.Image, where: Box, dice: Rng) -> None:
        patch = Image.new("RGB", [round(where[2] - where[0]) + 1, round(where[3] - where[1]) + 1], hole)
        mark(patch, (0, 0, patch.width - 1, patch.height - 1), dice, ink)
        page.paste(patch, (round(where[0]), round(where[1])))

    scene.part("sign", box, sign, seed_of(rng))
    return scene


def word(rng: Rng, number: int) -> Scene:
    """One word, hardly lighter than the black around it."""
    look = house("word", number)
    size, face, tone = (
        pick(look, ((640, 360), (500, 500), (800, 450))),
        pick(look, SANS + SERIF),
        int(look.integers(26, 60)),
    )
    scene = Scene(size, (0, 0, 0))
    known = look.permutation([*words.NOUNS, *words.ADJECTIVES, *words.VERBS])[number % LAYOUT :: LAYOUT]  # none twice
    scene.text(
        (size[0] / 2, size[1] / 2), str(pick(rng, known)), size[1] * 0.16, (tone, tone, int(tone * 1.1)), face, "mm"
    )
    return scene


def wallpaper(rng: Rng, number: int) -> Scene:
    """A dark wallpaper with a word or two on it."""
    look = house("wallpaper", number)
    size, face = pick(look, ((1280, 720), (1080, 1920), (1366, 768))), pick(look, SANS + SERIF)
    low, high, seed, slope = look.uniform(0, 30, 3), look.uniform(15, 75, 3), seed_of(look), look.normal(0, 1, 2)

    def ground(page: Image.Image, box: Box, dice: Rng) -> None:
        y, x = np.indices((page.height, page.width)) / np.array([page.height, page.width])[:, None, None]
        level = np.clip(0.5 + slope[0] * (y - 0.5) + slope[1] * (x - 0.5), 0, 1)[..., None]
        page.paste(Image.fromarray(np.rint(low + (high - low) * level).astype("uint8")))

    scene = Scene(size)
    scene.part("ground", (0, 0, *size), ground, seed)
    scene.text(
        (size[0] / 2, size[1] * 0.45),
        pick(rng, words.NOUNS).upper(),
        min(size) * 0.11,
        (235, 235, 235),
        bold(face),
        "mm",
    )
    scene.text((size[0] / 2, size[1] * 0.57), words.sentence(rng), min(size) * 0.026, (150, 150, 160), face, "mm")
    return scene


def plain(rng: Rng, number: int) -> Scene:
    """One colour, nothing else."""
    return Scene(
        pick(house("plain", number), ((320, 320), (640, 360), (200, 300))),
        tuple(int(value) for value in rng.integers(0, 256, 3)),
    )


def gradient(rng: Rng, number: int) -> Scene:
    """From one colour to another, across the picture or from its middle."""
    look = house("gradient", number)
    size, around = pick(look, ((640, 400), (512, 512), (360, 640))), look.random() < 0.4
    first, last, angle = rng.uniform(0, 255, 3), rng.uniform(0, 255, 3), rng.uniform(0, 2 * np.pi)

    def ground(page: Image.Image, box: Box, dice: Rng) -> None:
        y, x = np.indices((page.height, page.width)) / np.array([page.height, page.width])[:, None, None] - 0.5
        level = 1.4 * np.hypot(x, y) if around else 0.5 + np.cos(angle) * x + np.sin(angle) * y
        page.paste(Image.fromarray(np.rint(first + (last - first) * np.clip(level, 0, 1)[..., None]).astype("uint8")))

    scene = Scene(size)
    scene.part("ground", (0, 0, *size), ground, 0)
    return scene
