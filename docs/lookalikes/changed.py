"""Pictures changed by hand in one place, and the boxes of what differs: what is no copy, though nearly all of it is.

    before, after, boxes = twins("form", seed=0, number=3, how="character", rng=rng)   # a drawn picture, drawn again
    after, boxes = PHOTO["filled"](photo, rng)                                         # a part of any picture replaced
    after, boxes = harmless(after, boxes, rng, "JPEG 60")                              # what copies go through besides

Boxes are (left, top, right, bottom) in pixels of the picture that comes with them, as Pillow's crop takes them.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from scipy.ndimage import binary_dilation, find_objects, label

from docs.lookalikes import scene, words
from docs.lookalikes.kinds.cards import passport
from docs.lookalikes.scene import Part, Rng, Scene, Text, pick, seed_of
from tasks.copies.views.changes import compressed

Boxes = list[tuple[int, int, int, int]]
NEAR = 4  # pixels; what differs no further apart than twice this is one place
TRIES = 40


class Twins(NamedTuple):
    """A picture, the same with one thing different, and where it differs."""

    before: Image.Image
    after: Image.Image
    boxes: Boxes


def twins(kind: str, seed: int, number: int, how: str, rng: Rng) -> Twins | None:
    """A drawn picture, twice; `how` of EDITS says what differs. None where the kind has nothing of that sort."""
    first = scene(kind, seed, number)
    before = first.picture()
    for _ in range(TRIES):
        second = EDITS[how](first, scene(kind, seed, number + 1), rng)
        if second is None:
            return None
        after = second.picture()
        boxes = differences(before, after) if after.size == before.size else []
        if boxes and area(boxes) < 0.25 * before.width * before.height:
            return Twins(before, after, boxes)
    return None


def area(boxes: Boxes) -> int:
    """Pixels within boxes."""
    return sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)


def differences(before: Image.Image, after: Image.Image, least: float = 12) -> Boxes:
    """Boxes around the places that differ by more than `least` levels, or by their like of 16 bits."""
    a, b = (np.asarray(picture).astype("float32") for picture in (before, after))
    scale = max(255.0, float(np.ptp(a))) / 255 if a.max() > 255 else 1.0
    apart = np.abs(a - b) / scale > least
    apart = apart.any(-1) if apart.ndim == 3 else apart
    regions, _ = label(binary_dilation(apart, iterations=NEAR))
    boxes = []
    for number, (rows, columns) in enumerate(find_objects(regions), start=1):
        inside = apart[rows, columns] & (regions[rows, columns] == number)
        y, x = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
        boxes.append(
            (
                columns.start + int(x[0]),
                rows.start + int(y[0]),
                columns.start + int(x[-1]) + 1,
                rows.start + int(y[-1]) + 1,
            )
        )
    return boxes


def another(character: str, rng: Rng) -> str:
    """Another letter or digit of the same sort."""
    alike = "0123456789" if character.isdigit() else "abcdefghijklmnopqrstuvwxyz"
    alike = alike.upper() if character.isupper() else alike
    return pick(rng, [each for each in alike if each != character])


def with_item(first: Scene, index: int, item) -> Scene:
    """The scene with one item exchanged."""
    return replace(first, items=[*first.items[:index], item, *first.items[index + 1 :]])


def texts(first: Scene, wanted: Callable[[str], bool]) -> list[int]:
    """Where the texts are that fulfil a wish."""
    return [index for index, item in enumerate(first.items) if isinstance(item, Text) and wanted(item.words)]


def character(first: Scene, other: Scene, rng: Rng) -> Scene | None:
    """One letter or digit is another."""
    indices = texts(first, lambda said: any(each.isalnum() and each.isascii() for each in said))
    if not indices:
        return None
    index = pick(rng, indices)
    said = first.items[index].words
    at = pick(rng, [at for at, each in enumerate(said) if each.isalnum() and each.isascii()])
    return with_item(
        first, index, first.items[index]._replace(words=said[:at] + another(said[at], rng) + said[at + 1 :])
    )


def number(first: Scene, other: Scene, rng: Rng) -> Scene | None:
    """One number is another, of as many digits."""
    indices = texts(first, lambda said: any(each.isdigit() for each in said))
    if not indices:
        return None
    index = pick(rng, indices)
    said = "".join(another(each, rng) if each.isdigit() else each for each in first.items[index].words)
    return with_item(first, index, first.items[index]._replace(words=said))


def line(first: Scene, other: Scene, rng: Rng) -> Scene | None:
    """One line is another: one of its kind from another picture, about as long."""
    indices = texts(first, lambda said: len(said) > 5)
    if not indices:
        return None
    index = pick(rng, indices)
    item = first.items[index]
    alike = [
        each.words
        for each in other.items
        if isinstance(each, Text)
        and each.face == item.face
        and abs(each.size - item.size) < 1
        and each.words.lower() != item.words.lower()
        and 0.6 < len(each.words) / len(item.words) < 1.3
    ]
    said = pick(rng, alike) if alike else words.sentence(rng)[: len(item.words)]
    return with_item(first, index, item._replace(words=said))


def part(first: Scene, other: Scene, rng: Rng) -> Scene | None:
    """One small part is another: the face, a piece, a note, a cell, a sign, a house."""
    width, height = first.size
    small = [
        index
        for index, item in enumerate(first.items)
        if isinstance(item, Part) and (item.box[2] - item.box[0]) * (item.box[3] - item.box[1]) < 0.2 * width * height
    ]
    if not small:
        return None
    index = pick(rng, small)
    return with_item(first, index, first.items[index]._replace(seed=seed_of(rng)))


EDITS: dict[str, Callable[[Scene, Scene, Rng], Scene | None]] = {
    "character": character,
    "number": number,
    "line": line,
    "part": part,
}


def box_of(picture: Image.Image, share: float, rng: Rng) -> tuple[int, int, int, int]:
    """A box of `share` of the area, of about the picture's shape: of eight the one where most is to be seen."""
    shape = np.exp(rng.uniform(-0.4, 0.4))
    width = max(2, min(picture.width, round(picture.width * np.sqrt(share) * shape)))
    height = max(2, min(picture.height, round(picture.height * np.sqrt(share) / shape)))
    grey, boxes = np.asarray(picture.convert("L"), "float32"), []
    for _ in range(8):
        left, top = int(rng.integers(picture.width - width + 1)), int(rng.integers(picture.height - height + 1))
        boxes.append((left, top, left + width, top + height))
    return max(boxes, key=lambda box: grey[box[1] : box[3], box[0] : box[2]].std())


def oval(size: tuple[int, int]) -> Image.Image:
    """A mask of a round place with a soft edge."""
    mask = Image.new("L", size, 0)
    edge = max(1, min(size) // 12)
    ImageDraw.Draw(mask).ellipse((edge, edge, size[0] - edge, size[1] - edge), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(edge / 2))


def pasted(picture: Image.Image, patch: Image.Image, box: tuple[int, int, int, int]) -> tuple[Image.Image, Boxes]:
    """A patch set into a picture, its edge hidden, and the boxes of what differs."""
    after = picture.copy()
    after.paste(patch.convert(picture.mode), box[:2], oval(patch.size))
    return after, differences(picture, after)


def exchanged(
    picture: Image.Image, rng: Rng, other: Image.Image | None = None, share: float = 0.02
) -> tuple[Image.Image, Boxes]:
    """A part is one of another picture, or of another place of this one."""
    box = box_of(picture, share, rng)
    source = other or picture
    size = min(box[2] - box[0], source.width), min(box[3] - box[1], source.height)
    left, top = int(rng.integers(source.width - size[0] + 1)), int(rng.integers(source.height - size[1] + 1))
    return pasted(picture, source.crop((left, top, left + size[0], top + size[1])), box)


def filled(
    picture: Image.Image, rng: Rng, other: Image.Image | None = None, share: float = 0.02
) -> tuple[Image.Image, Boxes]:
    """What was there is gone: the part is filled smoothly from its rim, with the grain of the picture."""
    box = box_of(picture, share, rng)
    pixels = np.asarray(picture.convert("RGB").crop(box), "float32")
    height, width = pixels.shape[:2]
    y, x = np.linspace(0, 1, height)[:, None, None], np.linspace(0, 1, width)[None, :, None]
    soft = [
        np.asarray(
            Image.fromarray(np.clip(side, 0, 255).astype("uint8")).filter(ImageFilter.GaussianBlur(3)), "float32"
        )
        for side in (pixels[:1], pixels[-1:], pixels[:, :1], pixels[:, -1:])
    ]
    above, below, left, right = soft
    near = [1 / (0.02 + distance) for distance in (y, 1 - y, x, 1 - x)]
    smooth = sum(weight * side for weight, side in zip(near, (above, below, left, right))) / sum(near)
    grain = float(np.abs(np.diff(pixels, axis=1)).mean()) * 0.4
    smooth = smooth + rng.normal(0, grain + 0.5, (height, width, 1))
    return pasted(picture, Image.fromarray(np.clip(np.rint(smooth), 0, 255).astype("uint8")), box)


def drawn(
    picture: Image.Image, rng: Rng, other: Image.Image | None = None, share: float = 0.02
) -> tuple[Image.Image, Boxes]:
    """Something new is there: a ball, a box or a post, lit from one side, with its shadow."""
    left, top, right, bottom = box_of(picture, share, rng)
    after, fine = picture.convert("RGB"), 3
    patch = after.crop((left, top, right, bottom)).resize(((right - left) * fine, (bottom - top) * fine))
    pen, (width, height) = ImageDraw.Draw(patch), patch.size
    colour, kind = rng.uniform(20, 235, 3), int(rng.integers(3))
    inset = {0: 0.1, 1: 0.12, 2: 0.3}[kind]
    for step in np.linspace(0, 1, 24):  # from its dark rim to its light
        tone = tuple(int(min(255, value)) for value in colour * (0.45 + 0.75 * step))
        a, b, c, d = (
            width * (inset + 0.22 * step),
            height * (0.08 + 0.2 * step),
            width * (1 - inset - 0.32 * step),
            height * (0.92 - 0.32 * step),
        )
        if kind == 0:
            pen.ellipse((a, b, c, d), fill=tone)
        else:
            pen.rectangle(
                (width * (inset + (1 - 2 * inset) * step * 0.9), height * 0.06, width * (1 - inset), height * 0.94),
                fill=tone,
            )
    after.paste(patch.resize((right - left, bottom - top), Image.Resampling.BOX), (left, top))
    after = after.convert(picture.mode)
    return after, differences(picture, after)


def faced(picture: Image.Image, rng: Rng, box: tuple[int, int, int, int]) -> tuple[Image.Image, Boxes]:
    """The face within a box is another one, drawn."""
    patch = Image.new("RGB", (box[2] - box[0], box[3] - box[1]))
    passport(patch, (0, 0, *patch.size), rng)
    return pasted(picture, patch, box)


PHOTO: dict[str, Callable[..., tuple[Image.Image, Boxes]]] = {"exchanged": exchanged, "filled": filled, "drawn": drawn}


def cropped(picture: Image.Image, boxes: Boxes, rng: Rng, share: float) -> tuple[Image.Image, Boxes]:
    """A crop to `share` of the area that keeps all boxes where it can; they move with it."""
    width, height = (max(1, round(side * np.sqrt(share))) for side in picture.size)
    spans = []
    for size, kept, low, high in ((picture.width, width, 0, 2), (picture.height, height, 1, 3)):
        first, last = min((box[low] for box in boxes), default=size), max((box[high] for box in boxes), default=0)
        fits = [start for start in range(size - kept + 1) if start <= first and last <= start + kept]
        spans.append(int(pick(rng, fits or range(size - kept + 1))))
    left, top = spans
    moved = np.reshape(boxes, (-1, 4)) - [left, top, left, top]
    moved = np.clip(moved, 0, [width, height, width, height]).astype(int).tolist()
    kept = [tuple(box) for box in moved if box[0] < box[2] and box[1] < box[3]]
    return picture.crop((left, top, left + width, top + height)), kept


def halved(picture: Image.Image, boxes: Boxes, rng: Rng, factor: float) -> tuple[Image.Image, Boxes]:
    """Smaller; the boxes too."""
    size = [max(1, round(side * factor)) for side in picture.size]
    scale = np.tile(np.array(size) / picture.size, 2)
    rims = np.reshape(boxes, (-1, 4)) * scale
    rims[:, 2:] = np.ceil(rims[:, 2:])
    shrunk = picture.resize(
        size, Image.Resampling.NEAREST if picture.mode.startswith("I") else Image.Resampling.BICUBIC
    )
    return shrunk, [tuple(rim) for rim in rims.astype(int).tolist()]


def in_place(change: Callable[[Image.Image], Image.Image]) -> Callable:
    """A change that moves nothing."""
    return lambda picture, boxes, rng: (change(picture), boxes)


HARMLESS: dict[str, Callable[[Image.Image, Boxes, Rng], tuple[Image.Image, Boxes]]] = {
    "none": in_place(lambda picture: picture),
    **{
        f"JPEG {quality}": in_place(lambda picture, quality=quality: compressed(flat(picture), "JPEG", quality))
        for quality in (40, 60, 85)
    },
    "half size": lambda picture, boxes, rng: halved(picture, boxes, rng, 0.5),
    "brightness 1.2": in_place(lambda picture: ImageEnhance.Brightness(flat(picture)).enhance(1.2)),
    "crop to 90 %": lambda picture, boxes, rng: cropped(picture, boxes, rng, 0.9),
    "blur": in_place(lambda picture: flat(picture).filter(ImageFilter.GaussianBlur(0.002 * min(picture.size)))),
}


def flat(picture: Image.Image) -> Image.Image:
    """RGB: 16 bits stretched to 8, what is transparent on grey, so that white signs stay to be seen."""
    if picture.mode.startswith("I"):
        values = np.asarray(picture, "float32")
        picture = Image.fromarray(np.rint(255 * (values - values.min()) / max(np.ptp(values), 1)).astype("uint8"))
    if picture.mode in ("RGBA", "LA", "P"):
        ground = Image.new("RGBA", picture.size, (128, 128, 128, 255))
        ground.alpha_composite(picture.convert("RGBA"))
        picture = ground
    return picture.convert("RGB")


def harmless(picture: Image.Image, boxes: Boxes, rng: Rng, name: str = "") -> tuple[Image.Image, Boxes]:
    """What any copy may go through: the change of that name in HARMLESS, or any of them; the boxes move with it."""
    return HARMLESS[name or pick(rng, list(HARMLESS))](picture, boxes, rng)
