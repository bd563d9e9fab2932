"""Signatures, faces, and the cards that carry them."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageOps

from docs.lookalikes import words
from docs.lookalikes.scene import SANS, Box, Rng, Scene, bold, house, pick, scanned, seed_of
from utils.faces import RANGES, Person, portrait


def scrawl(page: Image.Image, box: Box, rng: Rng) -> None:
    """A name written by hand, hardly to be read: a large beginning, loops that go on, a last stroke."""
    left, top, right, bottom = box
    count, width, height = int(rng.integers(5, 10)), right - left, bottom - top
    knots = [
        (0.02, rng.uniform(0.3, 0.9)),
        (rng.uniform(0.03, 0.16), rng.uniform(0, 0.2)),
        (rng.uniform(0.02, 0.12), rng.uniform(0.8, 1)),
        (rng.uniform(0.1, 0.24), rng.uniform(0.2, 0.5)),
    ][int(rng.integers(2)) :]
    for position in np.linspace(0.2, 0.8, count):
        tall, low = rng.choice([0.4, 0.5, 0.02], p=[0.5, 0.3, 0.2]), rng.choice([0.7, 0.76, 1.05], p=[0.5, 0.35, 0.15])
        round_ = rng.uniform(-0.05, 0.07)  # how far the stroke swings out: a loop or a point
        knots += [
            (position + round_, tall + rng.normal(0, 0.05)),
            (position - round_ / 2 + rng.normal(0, 0.015), (tall + low) / 2),
            (position + rng.normal(0.02, 0.015), low),
        ]
    knots += [(0.88, rng.uniform(0.4, 0.8)), (0.99, rng.uniform(0.2, 0.8))]
    if rng.random() < 0.5:
        knots.append((rng.uniform(0.2, 0.6), rng.uniform(0.8, 1)))
    points = np.array(knots) * [width, height] + [left, top]
    t = np.linspace(0, len(points) - 1.001, 150 * len(points))
    index, u = t.astype(int), (t % 1)[:, None]
    at = [points[np.clip(index + shift, 0, len(points) - 1)] for shift in (-1, 0, 1, 2)]
    path = 0.5 * (
        2 * at[1]
        + (at[2] - at[0]) * u
        + (2 * at[0] - 5 * at[1] + 4 * at[2] - at[3]) * u**2
        + (3 * at[1] - at[0] - 3 * at[2] + at[3]) * u**3
    )  # Catmull and Rom's spline
    speed = np.hypot(*np.gradient(path, axis=0).T)
    thick = np.clip(0.018 * height * (1.4 - speed / (speed.max() + 1e-9)), 0.8, None)
    pen, ink = ImageDraw.Draw(page), pick(rng, ((20, 25, 110), (15, 15, 20), (30, 60, 140)))
    ink = ink if page.mode in ("RGB", "RGBA") else sum(ink) // 3
    for (x, y), radius in zip(path, thick):
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


def signature(rng: Rng, number: int) -> Scene:
    """A signature, alone on white."""
    look = house("signature", number)
    size = pick(look, ((600, 240), (440, 220), (800, 400)))
    scene = Scene(
        size, fine=2, finish=scanned(seed_of(rng), 3, 255, look.random() < 0.5, 1.5) if look.random() < 0.5 else None
    )
    wide = rng.uniform(0.6, 0.85) * size[0]
    left = (size[0] - wide) * rng.uniform(0.3, 0.7)
    scene.part("stroke", (left, size[1] * 0.2, left + wide, size[1] * 0.8), scrawl, seed_of(rng))
    return scene


def passport(page: Image.Image, box: Box, rng: Rng) -> None:
    """A passport photo of somebody."""
    left, top, right, bottom = (round(value) for value in box)
    person = Person(*(rng.uniform(*span) for span in RANGES))
    person = person._replace(beard=max(0.0, person.beard - 0.6))
    grey = Image.fromarray(np.asarray(portrait(person, rng))).filter(ImageFilter.GaussianBlur(0.4))
    tone = rng.uniform(0.75, 1.1)
    middle = tuple(int(min(255, value * tone)) for value in (190, 145, 120))
    photo = ImageOps.colorize(grey, (25, 18, 15), (250, 238, 228), middle) if page.mode != "L" else grey
    page.paste(ImageOps.fit(photo, (right - left, bottom - top), Image.Resampling.BICUBIC), (left, top))


def card(rng: Rng, number: int) -> Scene:
    """A member's or identity card: the same card, another face and name."""
    look = house("card", number)
    size = pick(look, ((856, 540), (1012, 638), (640, 404)))
    unit, font = size[0] / 856, pick(look, SANS)
    colour, pale = (
        tuple(int(value) for value in look.integers(20, 150, 3)),
        tuple(int(value) for value in look.integers(215, 250, 3)),
    )
    scene = Scene(size, pale)
    for wave in range(26):  # the fine lines on the ground of such cards
        x = np.linspace(0, size[0], 60)
        y = size[1] * (wave / 22 - 0.1) + 24 * unit * np.sin(x / (70 * unit) + wave / 3)
        scene.line(np.stack([x, y], 1).tolist(), tuple(int(value * 0.93) for value in pale))
    scene.bar(0, 0, size[0], 96 * unit, colour)
    scene.text(
        (36 * unit, 26 * unit),
        pick(look, ("IDENTITY CARD", "MEMBER CARD", "LIBRARY CARD", "STAFF PASS")),
        38 * unit,
        (255, 255, 255),
        bold(font),
    )
    scene.text((size[0] - 36 * unit, 34 * unit), pick(look, words.FIRMS), 24 * unit, (255, 255, 255), font, "ra")
    scene.part("face", (40 * unit, 130 * unit, 266 * unit, 405 * unit), passport, seed_of(rng))
    answers = (
        ("Surname", pick(rng, words.LAST).upper()),
        ("Given name", pick(rng, words.FIRST).upper()),
        ("Date of birth", words.date(rng)),
        ("Place", pick(rng, words.TOWNS).upper()),
        ("Valid until", f"{rng.integers(1, 29):02d}.{rng.integers(1, 13):02d}.20{rng.integers(26, 36)}"),
    )
    for line, (label, answer) in enumerate(answers):
        scene.text((310 * unit, (128 + 62 * line) * unit), label, 15 * unit, (100, 100, 100), font)
        scene.text((310 * unit, (146 + 62 * line) * unit), answer, 26 * unit, (15, 15, 15), bold(font))
    scene.part("signature", (590 * unit, 350 * unit, 820 * unit, 430 * unit), scrawl, seed_of(rng))
    code = f"{pick(rng, words.LAST).upper()}<<{words.digits(rng, 9)}<{words.digits(rng, 7)}"
    scene.text((40 * unit, 462 * unit), code.ljust(34, "<"), 29 * unit, (20, 20, 20), "DejaVuSansMono")
    return scene
