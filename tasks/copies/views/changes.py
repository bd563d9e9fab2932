"""What copies of a photo go through on their way: cropped, scaled, compressed, recoloured, turned, framed, written on.

Every function takes a picture (Pillow, RGB), an amount and a NumPy generator, and returns a new picture. What shows
is still the same photo; its size may change. `CHANGES` names the kinds, `view` draws a random mixture of them.
"""

import io
from collections.abc import Callable, Container
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter, ImageFont, ImageOps

Picture = Image.Image
ALONE = 0.35  # share of the views that show one change alone
WORDS = ("SALE", "Breaking news", "www.photos.example", "Happy birthday!", "Copyright 2026", "hello", "NEW",
         "caption this", "12:45")


def crop(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """A part of `share` of the area, somewhere, of about the same shape."""
    shape = np.exp(rng.uniform(-0.15, 0.15))
    width = int(np.clip(picture.width * np.sqrt(share) * shape, 1, picture.width))
    height = int(np.clip(picture.height * np.sqrt(share) / shape, 1, picture.height))
    left, top = rng.integers(picture.width - width + 1), rng.integers(picture.height - height + 1)
    return picture.crop((left, top, left + width, top + height))


def aspect(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """Stretched: wider by `factor`, or by its inverse."""
    factor = factor if rng.random() < 0.5 else 1 / factor
    return picture.resize((max(1, round(picture.width * factor)), picture.height), Image.Resampling.BILINEAR)


def scale(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """Smaller by `factor`."""
    return picture.resize([max(1, round(side * factor)) for side in picture.size], Image.Resampling.BILINEAR)


def compressed(picture: Picture, form: str, quality: float) -> Picture:
    """Written and read again as JPEG or WebP."""
    file = io.BytesIO()
    picture.save(file, form, quality=round(quality), **({"method": 0} if form == "WEBP" else {}))
    return Image.open(file).convert("RGB")


def jpeg(picture: Picture, quality: float, rng: np.random.Generator) -> Picture:
    """JPEG of a quality 1..95."""
    return compressed(picture, "JPEG", quality)


def webp(picture: Picture, quality: float, rng: np.random.Generator) -> Picture:
    """WebP of a quality 1..95."""
    return compressed(picture, "WEBP", quality)


def blur(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Gaussian blur; its deviation is `share` of the shorter side."""
    return picture.filter(ImageFilter.GaussianBlur(share * min(picture.size)))


def noise(picture: Picture, deviation: float, rng: np.random.Generator) -> Picture:
    """White noise of a standard deviation in grey levels."""
    pixels = np.asarray(picture, "float32")
    return pixels_as_picture(pixels + deviation * rng.standard_normal(pixels.shape, "float32"))


def brightness(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """Brighter by `factor`, or darker by its inverse."""
    return ImageEnhance.Brightness(picture).enhance(factor if rng.random() < 0.5 else 1 / factor)


def contrast(picture: Picture, factor: float, rng: np.random.Generator) -> Picture:
    """More contrast by `factor`, or less by its inverse."""
    return ImageEnhance.Contrast(picture).enhance(factor if rng.random() < 0.5 else 1 / factor)


def gamma(picture: Picture, exponent: float, rng: np.random.Generator) -> Picture:
    """Grey levels v in 0..1 become v ** exponent, or v ** (1 / exponent)."""
    exponent = exponent if rng.random() < 0.5 else 1 / exponent
    table = (255 * np.linspace(0, 1, 256) ** exponent).round().astype(int).tolist()
    return picture.point(table * 3)


def colour_cast(picture: Picture, spread: float, rng: np.random.Generator) -> Picture:
    """Each channel times a random factor between 1 - spread and 1 + spread."""
    return pixels_as_picture(np.asarray(picture, "float32") * (1 + rng.uniform(-spread, spread, 3)))


def grey(picture: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """Without colour."""
    return picture.convert("L").convert("RGB")


def mirror(picture: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """Left and right exchanged."""
    return ImageOps.mirror(picture)


def rotate(picture: Picture, degrees: float, rng: np.random.Generator) -> Picture:
    """Turned a little, either way; the corners are filled, or cut off."""
    angle = degrees if rng.random() < 0.5 else -degrees
    cut = rng.random() < 0.5
    turned = picture.rotate(angle, Image.Resampling.BILINEAR, expand=not cut, fillcolor=paint(rng))
    if not cut:
        return turned
    kept = 1 - abs(np.sin(np.deg2rad(angle))) * 0.8  # of each side: hardly any filled corner is left
    width, height = (max(1, round(side * kept)) for side in picture.size)
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return turned.crop((left, top, left + width, top + height))


def quarter_turn(picture: Picture, amount: float, rng: np.random.Generator) -> Picture:
    """Turned by 90, 180 or 270 degrees."""
    return picture.transpose([Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180,
                              Image.Transpose.ROTATE_270][rng.integers(3)])


def border(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """A border of one colour: all around, or above and below, or left and right; its width is `share` of the side."""
    across, down = ((1, 1), (0, 1), (1, 0))[rng.integers(3)]
    width, height = round(share * picture.width * across), round(share * picture.height * down)
    return ImageOps.expand(picture, (width, height), paint(rng))


def text(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """A line of text on it, in letters of `share` of its height."""
    result = picture.copy()
    pen = ImageDraw.Draw(result)
    font = ImageFont.load_default(max(6, share * picture.height))
    words = WORDS[rng.integers(len(WORDS))]
    position = rng.uniform(0, 0.5) * picture.width, rng.uniform(0, 1 - share) * picture.height
    if rng.random() < 0.4:
        pen.rectangle(pen.textbbox(position, words, font=font), fill=paint(rng))
    pen.text(position, words, fill=paint(rng), font=font)
    return result


def logo(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """A round or square patch of colours, `share` of the shorter side, near a corner; half of them let the photo
    through."""
    side = max(2, round(share * min(picture.size)))
    patch = Image.new("RGB", (side, side), paint(rng))
    pen, inner = ImageDraw.Draw(patch), (side // 4, side // 4, 3 * side // 4, 3 * side // 4)
    (pen.ellipse if rng.random() < 0.5 else pen.rectangle)(inner, fill=paint(rng))
    mask = Image.new("L", (side, side), 0)
    shape = ImageDraw.Draw(mask)
    (shape.ellipse if rng.random() < 0.5 else shape.rectangle)((0, 0, side, side),
                                                               fill=255 if rng.random() < 0.5 else 150)
    result = picture.copy()
    margin = round(0.04 * min(picture.size))
    left = margin if rng.random() < 0.5 else picture.width - side - margin
    top = margin if rng.random() < 0.5 else picture.height - side - margin
    result.paste(patch, (left, top), mask)
    return result


def screenshot(picture: Picture, share: float, rng: np.random.Generator) -> Picture:
    """Shown on a screen: a plain page around it, bars above and below, lines of text; the photo has 1 - share of each
    side."""
    size = [max(2, round(side / (1 - share))) for side in picture.size]
    page = Image.new("RGB", size,
                     paint(rng) if rng.random() < 0.3 else ((250,) * 3 if rng.random() < 0.6 else (24,) * 3))
    pen = ImageDraw.Draw(page)
    bar = max(1, size[1] // 16)
    pen.rectangle((0, 0, size[0], bar), fill=paint(rng))
    left, top = (rng.integers(big - small + 1) for big, small in zip(size, picture.size, strict=True))
    for line in range(2 * bar, size[1], max(3, size[1] // 10)):
        pen.line((size[0] // 20, line, int(size[0] * rng.uniform(0.2, 0.9)), line), fill=(128, 128, 128),
                 width=max(1, bar // 4))
    page.paste(picture, (int(left), int(top)))
    return page


def paint(rng: np.random.Generator) -> tuple[int, int, int]:
    """Black, white, or any colour."""
    kind = rng.integers(4)
    return ((0, 0, 0) if kind == 0 else (255, 255, 255) if kind == 1
            else tuple(int(value) for value in rng.integers(0, 256, 3)))


def pixels_as_picture(values: np.ndarray) -> Picture:
    """Values in grey levels (H, W, 3), rounded and saturated."""
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype("uint8"))


class Change(NamedTuple):
    """One kind: what it does, the range of amounts to train on, how often a view has it, and the amounts to test
    with."""

    function: Callable[[Picture, float, np.random.Generator], Picture]
    amounts: tuple[float, float]
    probability: float
    tested: dict[str, float]  # name in the table: amount


# In the order in which a view goes through them.
CHANGES = {
    "crop": Change(crop, (0.22, 0.95), 0.6,
                   {"crop to 90 %": 0.9, "crop to half the area": 0.5, "crop to a quarter of the area": 0.25}),
    "mirror": Change(mirror, (0, 0), 0.3, {"mirrored": 0}),
    "quarter_turn": Change(quarter_turn, (0, 0), 0.12, {"quarter turn": 0}),
    "rotate": Change(rotate, (1, 16), 0.25, {"turned by 10 degrees": 10}),
    "aspect": Change(aspect, (1, 1.5), 0.2, {"stretched by 1.3": 1.3}),
    "brightness": Change(brightness, (1, 1.7), 0.3, {"brightness 1.4": 1.4}),
    "contrast": Change(contrast, (1, 1.8), 0.25, {"contrast 1.5": 1.5}),
    "gamma": Change(gamma, (1, 1.9), 0.2, {"gamma 1.6": 1.6}),
    "colour_cast": Change(colour_cast, (0, 0.35), 0.25, {"colour cast": 0.25}),
    "grey": Change(grey, (0, 0), 0.2, {"grey": 0}),
    "text": Change(text, (0.08, 0.22), 0.2, {"line of text": 0.14}),
    "logo": Change(logo, (0.12, 0.35), 0.15, {"logo": 0.25}),
    "border": Change(border, (0.03, 0.25), 0.18, {"border": 0.12}),
    "screenshot": Change(screenshot, (0.1, 0.45), 0.15, {"screenshot": 0.3}),
    "blur": Change(blur, (0.002, 0.018), 0.15, {"blur": 0.01}),
    "noise": Change(noise, (3, 30), 0.15, {"noise": 15}),
    "scale": Change(scale, (0.3, 1), 0.15, {"half size": 0.5, "quarter size": 0.25}),
    "jpeg": Change(jpeg, (8, 80), 0.2, {"JPEG 40": 40, "JPEG 10": 10}),
    "webp": Change(webp, (8, 80), 0.06, {"WebP 20": 20}),
}


BY_FLAGS = {  # the flags of training, and the kinds of changes after which a photo is a copy only where they are set
    "mirrored_copies": ("mirror",),
    "turned_copies": ("quarter_turn",),
    "recoloured_copies": ("colour_cast", "grey"),
    "framed_copies": ("text", "logo", "border", "screenshot"),
}


def unwanted(options) -> tuple[str, ...]:
    """The kinds of `CHANGES` after which a photo is no copy any more, by the flags of training."""
    return tuple(name for flag, names in BY_FLAGS.items() if not getattr(options, flag) for name in names)


def view(picture: Picture, rng: np.random.Generator, without: Container[str] = ()) -> Picture:
    """A random copy: one change alone, or a mixture in which each happens with its own probability, by random amounts.

    Args:
        without: kinds of `CHANGES` that do not happen.
    """
    kinds = [change for name, change in CHANGES.items() if name not in without]
    if rng.random() < ALONE:
        kinds = [kinds[rng.integers(len(kinds))]]
    else:
        kinds = [change for change in kinds if rng.random() < change.probability]
    for change in kinds:
        picture = change.function(picture, rng.uniform(*change.amounts), rng)
    return picture
