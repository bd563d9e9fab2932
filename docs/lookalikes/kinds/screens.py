"""What telephones show: chats, and settings or apps in a list."""

from typing import NamedTuple

from PIL import Image, ImageDraw

from docs.lookalikes import words
from docs.lookalikes.scene import Box, Ink, Rng, Scene, bold, house, pick, seed_of, width_of, wrapped


class Chat(NamedTuple):
    """The colours of a messenger."""

    head: Ink
    head_ink: Ink
    page: Ink
    theirs: Ink
    mine: Ink
    ink: Ink
    mine_ink: Ink


CHATS = (
    Chat((7, 94, 84), (255, 255, 255), (236, 229, 221), (255, 255, 255), (220, 248, 198), (20, 20, 20), (20, 20, 20)),
    Chat((247, 247, 247), (10, 10, 10), (255, 255, 255), (233, 233, 235), (10, 132, 255), (0, 0, 0), (255, 255, 255)),
    Chat((31, 44, 52), (233, 237, 239), (11, 20, 26), (32, 44, 51), (0, 92, 75), (233, 237, 239), (233, 237, 239)),
    Chat(
        (86, 130, 163), (255, 255, 255), (213, 227, 238), (255, 255, 255), (238, 254, 222), (10, 10, 10), (10, 10, 10)
    ),
    Chat((54, 57, 63), (255, 255, 255), (47, 49, 54), (64, 68, 75), (88, 101, 242), (220, 221, 222), (255, 255, 255)),
)


def avatar(page: Image.Image, box: Box, rng: Rng) -> None:
    """A round picture of somebody, as simple as those without a photo."""
    pen = ImageDraw.Draw(page)
    left, top, right, bottom = box
    side = right - left
    pen.ellipse(box, fill=tuple(int(value) for value in rng.integers(60, 220, 3)))
    pen.ellipse((left + side * 0.34, top + side * 0.2, right - side * 0.34, top + side * 0.52), fill="white")
    pen.pieslice(
        (left + side * 0.2, top + side * 0.58, right - side * 0.2, bottom + side * 0.3), 180, 360, fill="white"
    )


def status(scene: Scene, ink: Ink, paper: Ink, rng: Rng) -> None:
    """The topmost line of a telephone: time, network, battery."""
    width, unit = scene.size[0], scene.size[0] / 540
    scene.bar(0, 0, width, 30 * unit, paper)
    scene.text((18 * unit, 6 * unit), words.clock(rng), 17 * unit, ink)
    charge = int(rng.integers(5, 100))
    right = width - 18 * unit
    scene.text((right - 34 * unit, 6 * unit), f"{charge}%", 16 * unit, ink, anchor="ra")
    scene.bar(right - 28 * unit, 8 * unit, right, 22 * unit, None, 3 * unit, outline=ink, width=max(1, unit))
    scene.bar(right - 26 * unit, 10 * unit, right - 26 * unit + 24 * unit * charge / 100, 20 * unit, ink)
    for step in range(4):
        left = right - 100 * unit + step * 6 * unit
        scene.bar(left, (20 - 3 * step) * unit, left + 4 * unit, 22 * unit, ink)


def chat(rng: Rng, number: int) -> Scene:
    """A talk in a messenger: bubbles on both sides, each with its time."""
    look = house("chat", number)
    style, size = CHATS[number // 6 % len(CHATS)], pick(look, ((540, 1170), (720, 1280), (480, 1040), (750, 1334)))
    language = pick(look, ("en", "en", "de", "es", "ru", "el"))
    face = "DejaVuSans" if language in ("ru", "el") else pick(look, ("default", "DejaVuSans"))
    letter, radius, unit = look.uniform(18, 23) * size[0] / 540, pick(look, (4, 10, 18)), size[0] / 540
    scene = Scene(size, style.page)
    foot = size[1] - 64 * unit
    y, minute = 116 * unit, int(rng.integers(500, 1100))
    while y < foot:
        mine = rng.random() < 0.5
        said = " ".join(words.message(rng, language) for _ in range(int(pick(rng, (1, 1, 1, 2, 3)))))
        lines = wrapped(said, letter, face, 0.66 * size[0])
        wide = max([width_of(line, letter, face) for line in lines] + [70 * unit]) + 28 * unit
        high = len(lines) * letter * 1.3 + 30 * unit
        left = size[0] - wide - 14 * unit if mine else 14 * unit
        scene.bar(left, y, left + wide, y + high, style.mine if mine else style.theirs, radius * unit)
        ink = style.mine_ink if mine else style.ink
        scene.paragraph((left + 14 * unit, y + 8 * unit), said, 0.66 * size[0], letter, ink, face, 1.3)
        minute += int(rng.integers(0, 9))
        soft = tuple(int(0.55 * a + 0.45 * b) for a, b in zip(ink, style.mine if mine else style.theirs))
        at = f"{minute // 60}:{minute % 60:02d}" + (" ✓✓" if mine else "")
        scene.text((left + wide - 10 * unit, y + high - 6 * unit), at, 13 * unit, soft, "DejaVuSans", "rs")
        y += high + pick(rng, (5, 12)) * unit
    scene.bar(0, 0, size[0], 98 * unit, style.head)
    status(scene, style.head_ink, style.head, rng)
    scene.text((18 * unit, 50 * unit), "←", 26 * unit, style.head_ink, "DejaVuSans")
    scene.part("avatar", (58 * unit, 42 * unit, 102 * unit, 86 * unit), avatar, seed_of(rng))
    scene.text((116 * unit, 42 * unit), words.person(rng), 22 * unit, style.head_ink)
    scene.text(
        (116 * unit, 68 * unit),
        pick(rng, ("online", "last seen today at " + words.clock(rng))),
        15 * unit,
        style.head_ink,
    )
    scene.bar(0, foot, size[0], size[1], style.page)
    scene.bar(12 * unit, foot + 8 * unit, size[0] - 72 * unit, size[1] - 10 * unit, style.theirs, 22 * unit)
    scene.text((34 * unit, foot + 20 * unit), "Message", 20 * unit, (140, 140, 140))
    scene.shape(
        "ellipse", (size[0] - 60 * unit, foot + 8 * unit, size[0] - 14 * unit, foot + 54 * unit), fill=style.mine
    )
    return scene


ENTRIES = (
    "Network & internet|Connected devices|Apps|Notifications|Battery|Storage|Sound|Display|Wallpaper|Accessibility|"
    "Security|Privacy|Location|Passwords|Accounts|System|About phone|Calendar|Camera|Clock|Contacts|Gallery|Maps|Music|"
    "News|Notes|Weather|Wallet|Recorder|Calculator|Files|Health|Translate|Podcasts"
).split("|")


def switch(page: Image.Image, box: Box, rng: Rng) -> None:
    """On or off."""
    pen, on = ImageDraw.Draw(page), rng.random() < 0.5
    left, top, right, bottom = box
    high = bottom - top
    pen.rounded_rectangle(box, high / 2, fill=(52, 168, 83) if on else (170, 170, 176))
    x = right - high if on else left
    pen.ellipse((x + high * 0.12, top + high * 0.12, x + high * 0.88, bottom - high * 0.12), fill="white")


def tile(page: Image.Image, box: Box, rng: Rng) -> None:
    """A small icon: a mark on a coloured ground."""
    pen, (left, top, right, bottom) = ImageDraw.Draw(page), box
    side = right - left
    pen.rounded_rectangle(box, side * 0.25, fill=tuple(int(value) for value in rng.integers(30, 230, 3)))
    inner = (left + side * 0.28, top + side * 0.28, right - side * 0.28, bottom - side * 0.28)
    how = int(rng.integers(4))
    if how == 0:
        pen.ellipse(inner, fill="white")
    elif how == 1:
        pen.rectangle(inner, outline="white", width=max(2, round(side * 0.08)))
    elif how == 2:
        pen.regular_polygon((left + side / 2, top + side / 2, side * 0.27), int(rng.integers(3, 7)), fill="white")
    else:
        for bar in range(3):
            pen.rectangle(
                (
                    left + side * (0.26 + 0.18 * bar),
                    top + side * rng.uniform(0.25, 0.6),
                    left + side * (0.36 + 0.18 * bar),
                    bottom - side * 0.26,
                ),
                fill="white",
            )


def settings(rng: Rng, number: int) -> Scene:
    """A list of settings or apps: icon, name, a word about it, a switch or a number."""
    look = house("settings", number)
    dark, size, face = (
        look.random() < 0.4,
        pick(look, ((540, 1170), (720, 1440), (640, 1136))),
        pick(look, ("default", "DejaVuSans")),
    )
    paper, card, ink, soft = (
        ((18, 18, 20), (32, 33, 36), (232, 234, 237), (154, 160, 166))
        if dark
        else ((242, 242, 247), (255, 255, 255), (20, 20, 20), (120, 120, 125))
    )
    unit, switches = size[0] / 540, look.random() < 0.6
    scene = Scene(size, paper)
    status(scene, ink, paper, rng)
    scene.text(
        (24 * unit, 52 * unit), pick(look, ("Settings", "Apps", "Storage", "Permissions")), 38 * unit, ink, bold(face)
    )
    y, row = 120 * unit, look.uniform(72, 96) * unit
    for name in rng.permutation(ENTRIES):
        if y + row > size[1]:
            break
        scene.bar(12 * unit, y, size[0] - 12 * unit, y + row - 3 * unit, card, 14 * unit)
        middle = y + row / 2
        scene.part("icon", (30 * unit, middle - 22 * unit, 74 * unit, middle + 22 * unit), tile, seed_of(rng))
        scene.text((96 * unit, middle - 24 * unit), str(name), 21 * unit, ink, face)
        about = pick(
            rng,
            (
                f"{rng.integers(2, 990)} MB",
                f"{rng.integers(1, 99)} % used",
                "Off",
                "On",
                words.sentence(rng)[:28],
                f"Last used {words.clock(rng)}",
            ),
        )
        scene.text((96 * unit, middle + 3 * unit), about, 16 * unit, soft, face)
        if switches:
            scene.part(
                "switch",
                (size[0] - 86 * unit, middle - 14 * unit, size[0] - 32 * unit, middle + 14 * unit),
                switch,
                seed_of(rng),
            )
        else:
            scene.text((size[0] - 34 * unit, middle), f"{rng.integers(1, 999)} MB", 18 * unit, soft, face, "rm")
        y += row
    return scene
