"""What instruments see: heat, the land from above, cells on a slide, fingers."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter
from scipy.signal import fftconvolve

from docs.lookalikes.scene import Box, Rng, Scene, clouds, house, pick, seed_of


def painted(make: Callable[[Rng, int, int], np.ndarray]) -> Callable:
    """What draws a part from a function that gives its pixels: (rng, height, width) -> (height, width[, 3])."""

    def draw(page: Image.Image, box: Box, rng: Rng) -> None:
        left, top, right, bottom = (round(value) for value in box)
        pixels = make(rng, bottom - top, right - left)
        page.paste(
            Image.fromarray(
                pixels.astype("float32") if page.mode == "F" else np.clip(np.rint(pixels), 0, 255).astype("uint8")
            ),
            (left, top),
        )

    return draw


def warm(page: Image.Image, box: Box, rng: Rng) -> None:
    """Something warm within its box, softly bounded: added to what is there."""
    left, top, right, bottom = (round(value) for value in box)
    y, x = np.indices((bottom - top, right - left)) / np.array([bottom - top, right - left])[:, None, None] * 2 - 1
    shape = np.abs(x) ** rng.uniform(1.6, 5) + np.abs(y) ** rng.uniform(1.6, 5)
    heat = rng.uniform(300, 1900) / (1 + np.exp(np.clip(14 * (shape - 0.7), -30, 30)))
    ground = np.asarray(page.crop((left, top, right, bottom)), "float32")
    page.paste(Image.fromarray((ground + heat).astype("float32")), (left, top))


def thermal(rng: Rng, number: int) -> Scene:
    """A frame of a thermal camera: 16 bits, hundredths of a kelvin, of which a small range is used."""
    look = house("thermal", number)
    size, base, wide = (
        pick(look, ((320, 256), (640, 512), (160, 120))),
        look.uniform(27800, 29600),
        look.uniform(0.2, 0.6),
    )
    seed, unit = seed_of(rng), size[0] / 320

    def ground(dice: Rng, height: int, width: int) -> np.ndarray:
        slope = np.linspace(-1, 1, height)[:, None] * dice.normal(0, 120)
        return base + slope + 90 * clouds(dice, height, width, width * wide, 2)

    def finish(page: Image.Image) -> Image.Image:
        dice, values = np.random.default_rng(seed), gaussian_filter(np.asarray(page), 0.9 * unit)
        values = (
            values + dice.normal(0, 6, values.shape) + dice.normal(0, 3, (1, values.shape[1]))
        )  # pixels, and columns
        return Image.fromarray(np.clip(np.rint(values), 0, 65535).astype("uint16"))

    scene = Scene(size, 0.0, "F", finish=finish)
    scene.part("ground", (0, 0, *size), painted(ground), seed_of(rng))
    for _ in range(int(rng.integers(3, 8))):
        width, height = rng.uniform(0.05, 0.22) * size[0], rng.uniform(0.08, 0.35) * size[1]
        left, top = rng.uniform(0, size[0] - width), rng.uniform(0, size[1] - height)
        scene.part("warm", (left, top, left + width, top + height), warm, seed_of(rng))
    return scene


def house_above(page: Image.Image, box: Box, rng: Rng) -> None:
    """A roof seen from above, two slopes, and its shadow."""
    left, top, right, bottom = box
    roof = np.array(
        pick(rng, ((150, 90, 70), (120, 115, 112), (170, 120, 95), (95, 100, 110), (190, 185, 178)))
    ) * rng.uniform(0.8, 1.15)
    pen, wide, high = (
        ImageDraw.Draw(page),
        (right - left) * rng.uniform(0.5, 0.85),
        (bottom - top) * rng.uniform(0.5, 0.85),
    )
    pen.rectangle((left + 2, top + 2, left + wide + 3, top + high + 3), fill=(38, 42, 36))
    pen.rectangle((left, top, left + wide, top + high), fill=tuple(int(value) for value in roof))
    half = (left, top, left + wide / 2, top + high) if rng.random() < 0.5 else (left, top, left + wide, top + high / 2)
    pen.rectangle(half, fill=tuple(int(min(255, value * 1.2)) for value in roof))


CROPS = np.array(
    [(92, 116, 60), (140, 138, 84), (176, 156, 112), (70, 96, 52), (120, 104, 74), (56, 78, 44), (158, 170, 100)]
)


def satellite(rng: Rng, number: int) -> Scene:
    """The land from above: fields in rows, woods, a river or a road, houses."""
    look = house("satellite", number)
    size, crowd = pick(look, ((512, 512), (640, 480), (256, 256))), look.uniform(4, 26)
    tint, seed = look.uniform(0.85, 1.1, 3), seed_of(rng)

    def land(dice: Rng, height: int, width: int) -> np.ndarray:
        y, x = np.indices((height, width)).astype("float32")
        turn, warp = dice.uniform(0, np.pi), 5 * clouds(dice, height, width, width / 4, 2)
        along, aside = (
            (np.cos(turn) * x + np.sin(turn) * y + warp) / width,
            (np.cos(turn) * y - np.sin(turn) * x) / width,
        )
        rows = np.floor(aside * dice.uniform(4, 9) + 50).astype(int)
        shift, count = dice.uniform(0, 1, 200), dice.uniform(2, 8, 200)
        plots = rows * 97 + np.floor((along + shift[rows % 200]) * count[rows % 200] + 50).astype(int)
        kinds, rng_plots = dice.integers(0, len(CROPS), 9973), plots % 9973
        pixels = CROPS[kinds[rng_plots]] * dice.uniform(0.85, 1.15, 9973)[rng_plots][..., None]
        angle = dice.uniform(0, np.pi, 9973)[rng_plots]
        pixels += (5 * np.sin((x * np.cos(angle) + y * np.sin(angle)) * 1.3))[..., None]  # furrows
        edges = (np.diff(plots, axis=0, prepend=plots[:1]) != 0) | (np.diff(plots, axis=1, prepend=plots[:, :1]) != 0)
        pixels[gaussian_filter(edges.astype("float32"), 1) > 0.3] = (84, 92, 62)
        wood = clouds(dice, height, width, width / 3, 4) > dice.uniform(0.8, 1.5)
        pixels[wood] = np.array([38, 58, 34]) + 9 * clouds(dice, height, width, 6, 2)[wood][:, None]
        line = height * dice.uniform(0.15, 0.85) + height * 0.12 * clouds(dice, 1, width, width / 2, 3)[0]
        river = dice.random() < 0.5
        pixels[np.abs(y - line) < width * (0.025 if river else 0.009)] = (52, 74, 82) if river else (165, 160, 152)
        pixels += 7 * clouds(dice, height, width, 8, 3)[..., None] + dice.normal(0, 3, (height, width, 1))
        return pixels * tint

    def finish(page: Image.Image) -> Image.Image:
        pixels = gaussian_filter(np.asarray(page, "float32"), (0.7, 0.7, 0)) + np.random.default_rng(seed).normal(
            0, 2, (page.height, page.width, 3)
        )
        return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype("uint8"))

    scene = Scene(size, finish=finish)
    scene.part("land", (0, 0, *size), painted(land), seed_of(rng))
    centre, unit = rng.uniform(0.2, 0.8, 2) * size, size[0] / 512
    for _ in range(int(crowd)):
        x, y = centre + rng.normal(0, 0.15, 2) * size
        side = rng.uniform(11, 26) * unit
        if side < x < size[0] - 2 * side and side < y < size[1] - 2 * side:
            scene.part("house", (x, y, x + side, y + side), house_above, seed_of(rng))
    return scene


def cell_of(wall: tuple, inside: tuple, hollow: bool) -> Callable:
    """What draws a cell of a stain: a red blood cell with its pale middle, or a cell with a nucleus."""

    def draw(page: Image.Image, box: Box, rng: Rng) -> None:
        left, top, right, bottom = (round(value) for value in box)
        height, width = bottom - top, right - left
        y, x = np.indices((height, width)) / np.array([height, width])[:, None, None] * 2 - 1
        angle, wobble = np.arctan2(y, x), rng.uniform(0.02, 0.12)
        far = np.hypot(x * rng.uniform(1, 1.25), y * rng.uniform(1, 1.25)) / (
            0.85 + wobble * np.sin(int(rng.integers(2, 5)) * angle + rng.uniform(0, 6))
        )
        ground = np.asarray(page.crop((left, top, right, bottom)), "float32")
        body = 1 / (1 + np.exp(np.clip((far - 1) * 18, -30, 30)))[..., None]
        shade = rng.uniform(0.9, 1.08)
        pixels = ground * (1 - body) + np.array(wall) * shade * body
        aside = rng.uniform(-0.25, 0.25, 2) * (0.3 if hollow else 1)
        core = np.hypot(x - aside[0], y - aside[1]) / rng.uniform(0.3, 0.55)
        core = 1 / (1 + np.exp(np.clip((core - 1) * (5 if hollow else 14), -30, 30)))[..., None]
        grain = 0 if hollow else 14 * clouds(rng, height, width, max(3, width / 6), 2)[..., None]
        pixels = pixels * (1 - core * body) + (np.array(inside) * shade + grain) * core * body
        page.paste(Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype("uint8")), (left, top))

    return draw


STAINS = (  # ground, wall, inside, hollow, cells, their width
    ((238, 228, 226), (214, 138, 140), (236, 206, 206), True, 110, 0.075),
    ((232, 190, 214), (214, 140, 184), (92, 52, 128), False, 150, 0.07),
    ((226, 234, 228), (168, 196, 190), (70, 110, 130), False, 40, 0.12),
    ((14, 16, 22), (20, 74, 40), (60, 90, 220), False, 60, 0.085),
)


def microscope(rng: Rng, number: int) -> Scene:
    """Cells on a slide, stained, under a microscope."""
    ground, wall, inside, hollow, count, wide = STAINS[number // 6 % len(STAINS)]
    size = pick(house("microscope", number), ((640, 480), (512, 512), (800, 600)))

    def smear(dice: Rng, height: int, width: int) -> np.ndarray:
        tissue = (3 if hollow else 10) * clouds(dice, height, width, width / 12, 4)
        y, x = np.indices((height, width)) / np.array([height, width])[:, None, None] - 0.5
        return np.array(ground) + tissue[..., None] * np.array([0.7, 1.0, 0.6]) - 40 * (x**2 + y**2)[..., None]

    seed = seed_of(rng)

    def finish(page: Image.Image) -> Image.Image:
        pixels = gaussian_filter(np.asarray(page, "float32"), (0.8, 0.8, 0)) + np.random.default_rng(seed).normal(
            0, 2.5, (page.height, page.width, 1)
        )
        return Image.fromarray(np.clip(np.rint(pixels), 0, 255).astype("uint8"))

    scene = Scene(size, finish=finish)
    scene.part("smear", (0, 0, *size), painted(smear), seed_of(rng))
    placed: list[np.ndarray] = []
    for _ in range(count * 3):
        width = wide * size[0] * (rng.uniform(0.9, 1.1) if hollow else rng.uniform(0.7, 1.3))
        position = rng.uniform(0, 1, 2) * (np.array(size) - width)
        if len(placed) < count and all(np.hypot(*(position - other)) > 0.8 * wide * size[0] for other in placed):
            placed.append(position)
            scene.part("cell", (*position, *(position + width)), cell_of(wall, inside, hollow), seed_of(rng))
    return scene


def ridges(rng: Rng, height: int, width: int) -> np.ndarray:
    """Ridges of a finger, 0 (ink) to 255: noise, filtered again and again along directions with a core and a delta."""
    y, x = np.indices((height, width)).astype("float32")
    core = np.array([width * rng.uniform(0.42, 0.58), height * rng.uniform(0.36, 0.48)])
    loop = rng.uniform(0.08, 0.16) * height  # a whorl has two cores, a loop one
    whorl, side = rng.random() < 0.4, 1 if rng.random() < 0.5 else -1
    cores = [core, core + [rng.normal(0, 4), loop]] if whorl else [core]
    deltas = [np.array([width * (0.5 + side * rng.uniform(0.3, 0.42)), height * rng.uniform(0.78, 0.9)])]
    deltas += (
        [np.array([width * (0.5 - side * rng.uniform(0.3, 0.42)), height * rng.uniform(0.78, 0.9)])] if whorl else []
    )
    turn = sum(np.arctan2(y - c[1], x - c[0]) for c in cores) - sum(np.arctan2(y - d[1], x - d[0]) for d in deltas)
    direction = 0.5 * turn + 0.08 * clouds(rng, height, width, width / 2, 2)
    period = width / rng.uniform(26, 34)
    reach = int(1.5 * period)
    v, u = np.indices((2 * reach + 1, 2 * reach + 1)) - reach
    step = np.round(direction / np.pi * 16).astype(int) % 16
    grid, image = np.indices((height, width)), rng.normal(0, 1, (height, width))
    for _ in range(7):
        answers = []
        for angle in np.arange(16) * np.pi / 16:
            wave = np.cos(2 * np.pi * (u * -np.sin(angle) + v * np.cos(angle)) / period) * np.exp(
                -(u**2 + v**2) / (2 * (0.5 * period) ** 2)
            )
            answers.append(fftconvolve(image, wave - wave.mean(), "same"))
        image = np.stack(answers)[step, grid[0], grid[1]]
        image = np.tanh(1.5 * image / image.std())
    pores = clouds(rng, height, width, period / 2, 2)
    return 128 + 105 * np.tanh(1.4 * (image + 0.25 * pores))


def fingerprint(rng: Rng, number: int) -> Scene:
    """A fingerprint of ink, or from a sensor."""
    look = house("fingerprint", number)
    size, paper, tone = (
        pick(look, ((300, 400), (256, 360), (388, 374))),
        int(look.integers(215, 256)),
        look.uniform(0.75, 1),
    )

    def finger(dice: Rng, height: int, width: int) -> np.ndarray:
        y, x = np.indices((height, width)) / np.array([height, width])[:, None, None] * 2 - 1
        position = dice.uniform(-0.06, 0.06, 2)
        rim = (
            np.abs((x - position[0]) / dice.uniform(0.74, 0.86)) ** 2.4
            + np.abs((y - position[1]) / dice.uniform(0.84, 0.95)) ** 2.4
        )
        pressed = 1 / (1 + np.exp(np.clip(9 * (rim - 1 + 0.12 * clouds(dice, height, width, width / 5, 3)), -30, 30)))
        ink = (
            (255 - ridges(dice, height, width))
            * tone
            * np.clip(0.9 + 0.18 * clouds(dice, height, width, width / 4, 3), 0.2, 1.1)
        )
        return gaussian_filter(paper - ink * pressed, 0.5) + dice.normal(0, 4, (height, width))

    scene = Scene(size, paper, "L")
    scene.part("finger", (0, 0, *size), painted(finger), seed_of(rng))
    return scene
