"""What lies under a scanner: forms, letters, receipts, sheets of music, blank pages."""

import numpy as np
from PIL import Image, ImageDraw

from docs.lookalikes import words
from docs.lookalikes.kinds.cards import scrawl
from docs.lookalikes.scene import MONO, SANS, SERIF, Box, Rng, Scene, bold, house, pick, scanned, seed_of, width_of

FIELDS = (
    ("Last name", lambda rng: pick(rng, words.LAST)),
    ("First name", lambda rng: pick(rng, words.FIRST)),
    ("Date of birth", words.date),
    ("Place of birth", lambda rng: pick(rng, words.TOWNS)),
    ("Street", words.address),
    ("Town", lambda rng: pick(rng, words.TOWNS)),
    ("Postal code", lambda rng: words.digits(rng, 5)),
    ("Telephone", words.phone),
    ("E-mail", words.mail),
    ("Account number", lambda rng: " ".join(words.digits(rng, 4) for _ in range(5))),
    ("Amount", lambda rng: f"{words.amount(rng, 10, 5000):.2f}"),
    ("Employer", lambda rng: pick(rng, words.FIRMS)),
    ("Member since", words.date),
    ("Reference", lambda rng: f"{words.digits(rng, 3)}/{words.digits(rng, 6)}"),
    ("Reason", lambda rng: words.title(rng).lower()),
    ("Contact person", words.person),
)


def cross(page: Image.Image, box: Box, rng: Rng) -> None:
    """A box to tick, ticked or not."""
    pen, (left, top, right, bottom) = ImageDraw.Draw(page), box
    pen.rectangle(box, outline=0 if page.mode == "L" else (0, 0, 0), width=2)
    if rng.random() < 0.5:
        for start, end in (((left, top), (right, bottom)), ((left, bottom), (right, top))):
            a, b = (np.array(point) + rng.normal(0, 2, 2) for point in (start, end))
            pen.line([*a, *b], fill=(20, 30, 120), width=3)


def form(rng: Rng, number: int) -> Scene:
    """A printed form, filled in by hand or by machine; same questions, other answers."""
    look = house("form", number)
    size, face = pick(look, ((850, 1100), (827, 1169), (1000, 1300))), pick(look, SANS + SERIF)
    hand, boxed, unit = (
        pick(look, ("STIXGeneralItalic", "STIXGeneralBolIta", "cmtt10", "DejaVuSansMono")),
        look.random() < 0.5,
        size[0] / 850,
    )
    fields = [FIELDS[index] for index in look.permutation(len(FIELDS))[: int(look.integers(9, 15))]]
    scene = Scene(size, finish=scanned(seed_of(rng), 1.0, 242, grey=look.random() < 0.5))
    scene.text((70 * unit, 60 * unit), pick(look, words.FIRMS).upper(), 20 * unit, face=bold(face))
    scene.text(
        (70 * unit, 96 * unit),
        pick(look, ("Application form", "Claim form", "Registration", "Change of address")),
        32 * unit,
        face=bold(face),
    )
    scene.text(
        (size[0] - 70 * unit, 66 * unit), f"No. {words.digits(rng, 7)}", 20 * unit, face=pick(look, MONO), anchor="ra"
    )
    scene.line([(70 * unit, 150 * unit), (size[0] - 70 * unit, 150 * unit)], (0, 0, 0), 2 * unit)
    y, step = 180 * unit, (size[1] - 420 * unit) / len(fields)
    for label, answer in fields:
        if boxed:
            scene.bar(
                70 * unit,
                y - 6 * unit,
                size[0] - 70 * unit,
                y + step - 8 * unit,
                None,
                outline=(0, 0, 0),
                width=max(1, unit),
            )
            scene.text((78 * unit, y), label, 13 * unit, face=face)
        else:
            scene.text((70 * unit, y + step * 0.45), label, 17 * unit, face=face)
            scene.line([(280 * unit, y + step * 0.85), (size[0] - 70 * unit, y + step * 0.85)], (60, 60, 60))
        at = rng.uniform(0, 40) * unit + (100 if boxed else 290) * unit, y + step * rng.uniform(0.36, 0.42)
        scene.text(at, answer(rng), 23 * unit, (25, 35, 120), hand)
        y += step
    for index, option in enumerate(("single", "married", "new", "renewal")):
        left = (70 + 180 * index) * unit
        scene.part("box", (left, size[1] - 220 * unit, left + 20 * unit, size[1] - 200 * unit), cross, seed_of(rng))
        scene.text((left + 30 * unit, size[1] - 220 * unit), option, 17 * unit, face=face)
    scene.line([(480 * unit, size[1] - 100 * unit), (size[0] - 70 * unit, size[1] - 100 * unit)], (0, 0, 0))
    scene.text((480 * unit, size[1] - 94 * unit), "Signature", 13 * unit, face=face)
    scene.part("signature", (500 * unit, size[1] - 160 * unit, 760 * unit, size[1] - 90 * unit), scrawl, seed_of(rng))
    return scene


def letter(rng: Rng, number: int) -> Scene:
    """A typed letter on headed paper, scanned."""
    look = house("letter", number)
    size, face = pick(look, ((850, 1100), (827, 1169))), pick(look, SERIF + MONO)
    firm, body = pick(look, words.FIRMS), look.uniform(16, 20)
    scene = Scene(size, finish=scanned(seed_of(rng), 1.6, look.uniform(222, 245)))
    scene.text((size[0] / 2, 70), firm.upper(), 30, face=bold(face), anchor="ma")
    scene.text(
        (size[0] / 2, 108),
        f"{words.address(look)}, {pick(look, words.TOWNS)}   Tel. {words.phone(look)}",
        14,
        face=face,
        anchor="ma",
    )
    scene.line([(90, 136), (size[0] - 90, 136)], (0, 0, 0))
    who = words.person(rng)
    for line, written in enumerate((who, words.address(rng), f"{words.digits(rng, 5)} {pick(rng, words.TOWNS)}")):
        scene.text((90, 180 + 1.35 * body * line), written, body, face=face)
    dated = f"{pick(rng, words.MONTHS)} {rng.integers(1, 29)}, {rng.integers(1985, 2026)}"
    scene.text((size[0] - 90, 270), dated, body, face=face, anchor="ra")
    scene.text((90, 310), f"Subject: {words.title(rng)}", body, face=bold(face))
    scene.text((90, 356), f"Dear {who.split()[1]},", body, face=face)
    y = 356 + 2 * body
    for _ in range(int(rng.integers(2, 5))):
        if y < size[1] - 330:
            y = (
                scene.paragraph((90, y), words.prose(rng, int(rng.integers(3, 5))), size[0] - 180, body, face=face)
                + body * 0.7
            )
    scene.text((90, y + 10), "Yours sincerely,", body, face=face)
    scene.part("signature", (90, y + 40, 330, y + 110), scrawl, seed_of(rng))
    scene.text((90, y + 124), words.person(rng), body, face=face)
    return scene


def receipt(rng: Rng, number: int) -> Scene:
    """What the till prints: shop, goods and prices, total, date."""
    look = house("receipt", number)
    face, width, size = pick(look, MONO), int(look.integers(380, 560)), look.uniform(16, 20)
    firm, street, town, thanks = (
        pick(look, words.FIRMS),
        words.address(look),
        pick(look, words.TOWNS),
        "THANK YOU FOR SHOPPING",
    )
    goods = [
        (pick(rng, words.GOODS), int(pick(rng, (1, 1, 1, 2, 3))), words.amount(rng))
        for _ in range(int(rng.integers(4, 17)))
    ]
    scene = Scene((width, int(size * 1.4 * (20 + len(goods)) + 60)), (250, 250, 250))
    y, left, right, step = 30.0, 24, width - 24, size * 1.4

    def row(first: str, last: str = "", style: str = face, big: float = 1.0) -> None:
        nonlocal y
        scene.text((left, y), first, size * big, (40, 40, 40), style)
        scene.text((right, y), last, size * big, (40, 40, 40), style, "ra")
        y += step * big

    for line, (written, big) in enumerate(
        ((firm.upper(), 1.5), (street, 1), (town, 1), (f"Tel {words.phone(look)}", 1))
    ):
        scene.text(
            (width / 2, y), written, size * big, (40, 40, 40), bold("DejaVuSansMono") if not line else face, "ma"
        )
        y += step * big
    row(f"Receipt {words.digits(rng, 6)}", f"Till {rng.integers(1, 9)}")
    row(words.date(rng)[:6] + "2025", words.clock(rng))
    row("-" * int((right - left) / width_of("-", size, face)))
    for name, count, price in goods:
        row(f"{count} {name}"[:22], f"{count * price:.2f}")
    row("-" * int((right - left) / width_of("-", size, face)))
    total = sum(count * price for _, count, price in goods)
    row("TOTAL", f"{total:.2f}", "DejaVuSansMono-Bold", 1.2)
    given = float(np.ceil(total / 10) * 10)
    row("CASH", f"{given:.2f}")
    row("CHANGE", f"{given - total:.2f}")
    row(f"VAT {look.integers(5, 22)} %", f"{total * 0.1:.2f}")
    scene.text((width / 2, y + step), thanks, size, (40, 40, 40), face, "ma")
    scene.text((width / 2, y + 2 * step), words.digits(rng, 13), size, (40, 40, 40), face, "ma")
    scene.finish = scanned(seed_of(rng), 1.0, 236, grain=4)
    return scene


def blank(rng: Rng, number: int) -> Scene:
    """A page with nothing on it, or its number only."""
    look = house("blank", number)
    size = pick(look, ((850, 1100), (600, 800), (827, 1169)))
    scene = Scene(size, finish=scanned(seed_of(rng), 0.8, look.uniform(225, 250), look.random() < 0.6))
    scene.text(
        (size[0] / 2, size[1] - 60),
        f"- {rng.integers(2, 400)} -" if rng.random() < 0.5 else "",
        17,
        face=pick(look, SERIF),
        anchor="mm",
    )
    return scene


def note(page: Image.Image, box: Box, rng: Rng) -> None:
    """A note on a staff whose lines are a quarter of the box's height apart."""
    left, top, right, bottom = box
    gap, pen = (bottom - top) / 4, ImageDraw.Draw(page)
    note_step, kind = int(rng.integers(-2, 10)), rng.random()  # steps of half a gap above the lowest line
    x, y, wide = (left + right) / 2, bottom - note_step * gap / 2, gap * 0.66
    pen.ellipse(
        (x - wide, y - gap * 0.45, x + wide, y + gap * 0.45),
        fill=0 if kind > 0.25 else 255,
        outline=0,
        width=max(2, round(gap / 6)),
    )
    up = note_step < 4
    stem = (x + wide, y, x + wide, y - 3.2 * gap) if up else (x - wide, y, x - wide, y + 3.2 * gap)
    pen.line(stem, fill=0, width=max(2, round(gap / 7)))
    if kind > 0.65:
        end, way = stem[3], 1 if up else -1
        pen.line(
            [(stem[2], end), (stem[2] + gap, end + way * gap), (stem[2] + gap * 0.8, end + way * 1.8 * gap)],
            fill=0,
            width=max(2, round(gap / 4)),
        )
    # lines for notes above and below the staff
    for step in (*range(-2, note_step - 1, -2), *range(10, note_step + 1, 2)):
        pen.line(
            (x - 2 * wide, bottom - step * gap / 2, x + 2 * wide, bottom - step * gap / 2),
            fill=0,
            width=max(1, round(gap / 10)),
        )


def music(rng: Rng, number: int) -> Scene:
    """A sheet of music: staves, bars, other notes."""
    look = house("music", number)
    size, serif = pick(look, ((850, 1100), (800, 1000), (900, 600))), pick(look, SERIF)
    gap, bars, signs = look.uniform(9, 12), int(look.integers(3, 5)), int(look.integers(0, 4))
    scene = Scene(size, 255, "L", 2, scanned(seed_of(rng), 0.7, 245))
    scene.text((size[0] / 2, 50), words.title(rng), 34, 0, serif, "ma")
    scene.text((size[0] - 70, 104), words.person(rng), 18, 0, serif, "ra")
    y = 160.0
    while y + 9 * gap < size[1]:
        for line in range(5):
            scene.line([(60, y + line * gap), (size[0] - 60, y + line * gap)], 0)
        scene.shape("arc", (66, y + 0.4 * gap, 66 + 2.6 * gap, y + 3.6 * gap), start=40, end=330, fill=0, width=2.5)
        scene.line([(66 + 1.4 * gap, y - 1.2 * gap), (66 + 1.4 * gap, y + 5 * gap)], 0, 2.5)
        scene.shape(
            "arc", (66 + 0.9 * gap, y - 1.8 * gap, 66 + 2.2 * gap, y + 1.6 * gap), start=150, end=420, fill=0, width=2
        )
        for sign in range(signs):
            scene.text(
                (66 + 3.4 * gap + sign * gap, y + (sign * 3 % 4) * gap / 2), "♯", 2.4 * gap, 0, "DejaVuSans", "lm"
            )
        start = 66 + (4.4 + signs) * gap
        wide = (size[0] - 60 - start) / bars
        for bar in range(bars):
            count = int(rng.integers(3, 6))
            for index in range(count):
                x = start + wide * (bar + (index + 0.6) / (count + 0.4))
                scene.part("note", (x - gap, y, x + gap, y + 4 * gap), note, seed_of(rng))
            scene.line([(start + wide * (bar + 1), y), (start + wide * (bar + 1), y + 4 * gap)], 0, 1.5)
        y += 11 * gap
    return scene
