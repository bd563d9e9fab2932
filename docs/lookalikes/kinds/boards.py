"""Pictures made by rules: barcodes, square codes, chess boards, charts, maps of streets."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from docs.lookalikes import words
from docs.lookalikes.scene import SANS, Box, Rng, Scene, bold, clouds, house, pick, seed_of
from utils.glyphs import font_path

LEFT = "0001101 0011001 0010011 0111101 0100011 0110001 0101111 0111011 0110111 0001011".split()

PARITY = "LLLLLL LLGLGG LLGGLG LLGGGL LGLLGG LGGLLG LGGGLL LGLGLG LGLGGL LGGLGL".split()


def barcode(rng: Rng, number: int) -> Scene:
    """An EAN-13 barcode with its digits, the last of which is the check digit."""
    look = house("barcode", number)
    unit, high, margin = int(look.integers(2, 5)), int(look.integers(90, 200)), int(look.integers(14, 40))
    digits = [int(digit) for digit in words.digits(rng, 12)]
    digits.append(-sum(digit * (3 if index % 2 else 1) for index, digit in enumerate(digits)) % 10)
    flip = str.maketrans("01", "10")
    left = [
        LEFT[digit] if way == "L" else LEFT[digit].translate(flip)[::-1]
        for digit, way in zip(digits[1:7], PARITY[digits[0]])
    ]
    bits = "101" + "".join(left) + "01010" + "".join(LEFT[digit].translate(flip) for digit in digits[7:]) + "101"
    scene = Scene((95 * unit + 2 * margin + 11 * unit, high + 2 * margin + 9 * unit))
    start = margin + 11 * unit
    for index, bit in enumerate(bits):
        if bit == "1":
            guard = index < 3 or 44 < index < 50 or index > 91
            scene.bar(
                start + index * unit,
                margin,
                start + (index + 1) * unit - 1,
                margin + high + 5 * unit * guard,
                (0, 0, 0),
            )
    for text, x in ((digits[:1], margin), (digits[1:7], start + 6 * unit), (digits[7:], start + 53 * unit)):
        scene.text((x, margin + high + unit), "".join(map(str, text)), 10.5 * unit, face="DejaVuSansMono")
    return scene


def square(page: Image.Image, box: Box, rng: Rng) -> None:
    """A black square, or none."""
    ImageDraw.Draw(page).rectangle(
        (box[0], box[1], box[2] - 1, box[3] - 1), fill=(0, 0, 0) if rng.random() < 0.5 else (255, 255, 255)
    )


def qr(rng: Rng, number: int) -> Scene:
    """A square code: three large marks in the corners, cells between them."""
    look = house("qr", number)
    count, unit = pick(look, (21, 25, 29, 33)), int(look.integers(6, 12))
    side = (count + 8) * unit
    scene = Scene((side, side))
    for y in range(count):
        for x in range(count):
            if not ((x < 8 or x > count - 9) and y < 8 or x < 8 and y > count - 9):
                box = ((x + 4) * unit, (y + 4) * unit, (x + 5) * unit, (y + 5) * unit)
                scene.part("cell", box, square, seed_of(rng))
    for x, y in ((0, 0), (count - 7, 0), (0, count - 7)):
        for inset, fill in ((0, (0, 0, 0)), (1, (255, 255, 255)), (2, (0, 0, 0))):
            low, high = 4 + inset, 4 + 7 - inset
            scene.bar((x + low) * unit, (y + low) * unit, (x + high) * unit - 1, (y + high) * unit - 1, fill)
    return scene


def piece(page: Image.Image, box: Box, rng: Rng) -> None:
    """A chess piece, or an empty square."""
    kind = int(rng.integers(-14, 12))
    kind = kind if kind >= 0 else None if kind < -5 else 5 if kind % 2 else 11  # half empty, many pawns
    if kind is not None:
        font = ImageFont.truetype(font_path("DejaVuSans"), (box[2] - box[0]) * 0.82)
        light = kind < 6
        ImageDraw.Draw(page).text(
            ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2),
            chr(0x265A + kind % 6),
            font=font,
            anchor="mm",
            fill=(250, 250, 250) if light else (20, 20, 20),
            stroke_width=2,
            stroke_fill=(20, 20, 20) if light else (90, 90, 90),
        )


def chess(rng: Rng, number: int) -> Scene:
    """A chess board, as programs show it, with another position."""
    look = house("chess", number)
    cell, edge = int(look.integers(40, 72)), pick(look, (0, 24))
    light, dark = pick(
        look, (((240, 217, 181), (181, 136, 99)), ((238, 238, 210), (118, 150, 86)), ((222, 227, 230), (140, 162, 173)))
    )
    scene = Scene((8 * cell + 2 * edge, 8 * cell + 2 * edge), (48, 46, 43), fine=2)
    for y in range(8):
        for x in range(8):
            box = (edge + x * cell, edge + y * cell, edge + (x + 1) * cell, edge + (y + 1) * cell)
            scene.bar(*box, dark if (x + y) % 2 else light)
            scene.part("piece", box, piece, seed_of(rng))
    for index in range(8 if edge else 0):
        scene.text(
            (edge + (index + 0.5) * cell, 8 * cell + 1.5 * edge), "abcdefgh"[index], 15, (220, 220, 220), anchor="mm"
        )
        scene.text((edge / 2, edge + (index + 0.5) * cell), str(8 - index), 15, (220, 220, 220), anchor="mm")
    return scene


CURVES = ((31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189))


def chart(rng: Rng, number: int) -> Scene:
    """A plot with axes: curves, bars or points."""
    look = house("chart", number)
    size, face, how = (
        pick(look, ((640, 480), (800, 500), (900, 420))),
        pick(look, SANS),
        pick(look, ("curves", "bars", "points")),
    )
    left, top, right, bottom = 70, 50, size[0] - 24, size[1] - 56
    scene, most = Scene(size, fine=2), float(pick(rng, (1, 10, 50, 100, 400)))
    scene.text((size[0] / 2, 14), words.title(rng), 19, (30, 30, 30), face, "ma")
    for tick in range(6):
        y = bottom - (bottom - top) * tick / 5
        scene.line([(left, y), (right, y)], (225, 225, 225))
        scene.text((left - 8, y), f"{most * tick / 5:g}", 14, (60, 60, 60), face, "rm")
    names = words.MONTHS[: int(look.integers(6, 12))]
    for index, name in enumerate(names):
        x = left + (right - left) * (index + 0.5) / len(names)
        scene.text((x, bottom + 8), name[:3], 14, (60, 60, 60), face, "ma")
        for row in range(2 if how == "bars" else 0):
            wide = (right - left) / len(names) * 0.36
            start = x + (row - 1) * wide
            scene.bar(start, bottom - (bottom - top) * rng.uniform(0.05, 0.95), start + wide, bottom, CURVES[row])
    for row in range(int(rng.integers(2, 4)) if how != "bars" else 0):
        x = np.linspace(left, right, 80)
        walk = np.cumsum(rng.normal(rng.normal(0, 0.3), 1, 80))
        y = bottom - (bottom - top) * (0.08 + 0.84 * rng.uniform(0.5, 1) * (walk - walk.min()) / np.ptp(walk))
        if how == "curves":
            scene.line(np.stack([x, y], 1).tolist(), CURVES[row], 2.2, joint="curve")
        else:
            for at in np.stack([rng.uniform(left, right, 40), np.clip(y[::2] + rng.normal(0, 20, 40), top, bottom)], 1):
                scene.shape("ellipse", (*(at - 4).tolist(), *(at + 4).tolist()), fill=CURVES[row])
    scene.bar(left, top, right, bottom, None, outline=(60, 60, 60))
    scene.text((size[0] / 2, size[1] - 12), pick(rng, words.NOUNS), 15, (60, 60, 60), face, "ms")
    return scene


def town_map(rng: Rng, number: int) -> Scene:
    """A map of streets: water, parks, roads with their names."""
    look = house("map", number)
    size, face = pick(look, ((800, 600), (512, 512), (640, 900))), pick(look, SANS)
    paper, park, water, major, minor = pick(
        look,
        (
            ((242, 239, 233), (200, 224, 185), (170, 211, 223), (252, 214, 164), (255, 255, 255)),
            ((232, 234, 237), (206, 234, 214), (156, 192, 249), (255, 235, 161), (255, 255, 255)),
            ((38, 43, 52), (40, 60, 50), (24, 40, 66), (110, 100, 80), (70, 76, 88)),
        ),
    )
    scene, diagonal = Scene(size, paper, fine=2), float(np.hypot(*size))
    for _ in range(int(rng.integers(3, 7))):
        middle, angles = rng.uniform(0, 1, 2) * size, np.sort(rng.uniform(0, 2 * np.pi, 9))
        rim = middle + (diagonal * rng.uniform(0.03, 0.1, 9))[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1)
        scene.shape("polygon", [tuple(point) for point in rim], fill=park)
    x = np.linspace(-20, size[0] + 20, 50)
    y = size[1] * rng.uniform(0.1, 0.9) + size[1] * 0.12 * clouds(rng, 1, 50, 25, 2)[0]
    scene.line(np.stack([x, y], 1).tolist(), water, rng.uniform(14, 40), joint="curve")
    turn, roads = rng.uniform(0, np.pi / 2), []
    for angle in (turn, turn + np.pi / 2 + rng.normal(0, 0.1)):
        along, aside = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        offset = -diagonal / 2
        while offset < diagonal / 2:
            offset += rng.uniform(0.04, 0.11) * diagonal
            middle = np.array(size) / 2 + aside * offset
            bend = rng.normal(0, 0.02) * diagonal
            roads.append(
                (
                    [
                        tuple(middle + along * s * diagonal / 2 + aside * bend * np.sin(3 * s))
                        for s in np.linspace(-1, 1, 25)
                    ],
                    rng.random() < 0.2,
                )
            )
    for wide in (1.35, 1):
        for points, large in sorted(roads, key=lambda road: road[1]):
            casing = tuple(int(value * 0.8) for value in paper)
            scene.line(
                points, casing if wide > 1 else major if large else minor, (13 if large else 7) * wide, joint="curve"
            )
    for points, _ in roads:
        x, y = points[int(rng.integers(6, 19))]
        if 60 < x < size[0] - 60 and 10 < y < size[1] - 10:
            scene.text(
                (x, y), pick(rng, words.STREETS), 13, (90, 90, 90) if paper[0] > 99 else (190, 190, 190), face, "mm"
            )
    scene.text(
        rng.uniform(0.3, 0.7, 2) * size,
        pick(rng, words.TOWNS),
        26,
        (60, 60, 60) if paper[0] > 99 else (225, 225, 225),
        bold(face),
        "mm",
    )
    return scene
