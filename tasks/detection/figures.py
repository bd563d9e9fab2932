"""Figures of boxes: what the maps are asked for, what was found, what was missed, and precision over recall."""

import colorsys
import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks.detection.boxes.assignment import IGNORED, TARGET
from tasks.detection.measuring.precision import Answer
from utils.run import figures
from utils.sheets.fonts import drawable
from utils.sheets.sheet import length, write

LETTERS, RIM, LONGEST = 13, 3, 24  # height of letters in pixels, pixels around them, and letters of a name at most
NAMED = 40  # objects of a photo over which their names stand; among more of several classes, numbers and a key
RIGHT, WRONG, MISSED = (40, 200, 80), (240, 50, 50), (250, 200, 30)
KEY = "classes by number, and how often each was found"
DIM = 0.45  # share of a picture's light behind what is asked of a map


def strides_of(locations: int, side: int) -> list[int]:
    """The strides of the maps of a square picture that have so many locations together."""
    sets = ([2, 4, 8], [4, 8])
    return next(strides for strides in sets if sum((side // stride) ** 2 for stride in strides) == locations)


def colour_of(label: int) -> tuple[int, int, int]:
    """The colour of a class, far from those of the classes before it."""
    (saturation, value), hue = ((0.9, 0.9), (0.5, 1.0), (1.0, 0.55))[label % 3], label % 3 / 3 + label // 3 * 0.618034
    red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(hue % 1, saturation, value))
    return red, green, blue


def boxed(picture: np.ndarray, boxes: np.ndarray, labels: np.ndarray, texts: Sequence[str] = (),
          width: int = 1) -> np.ndarray:
    """A picture (H, W, 3) with boxes in the colours of their classes, and texts over them, that of the first on top."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for (left, top, right, bottom), label in zip(boxes, labels):
        draw.rectangle((left - width, top - width, max(right, left) + width - 1, max(bottom, top) + width - 1),
                       outline=colour_of(int(label)), width=width)
    tags: list[tuple[int, int, int, int]] = []
    for box, text in zip(boxes, texts):
        tags.append(place_of(box, width, tag_width(text), image.size, tags))
    for place, label, text in reversed(list(zip(tags, labels, texts))):
        tag(draw, place, text, int(label))
    return np.asarray(image)


def place_of(box: np.ndarray, width: int, wide: int, size: tuple[int, int], others: Sequence[tuple[int, int, int, int]]
             ) -> tuple[int, int, int, int]:
    """Where the text of a box stands, as corners within the picture of this size: over the box, or below or in it where
    others stand over it or the picture ends."""
    left, high = max(0, round(min(box[0] - width, size[0] - wide))), LETTERS + 2 * RIM
    tops = [round(top) for top in (box[1] - width - high, box[3] + width, box[1])]
    inside = [top for top in tops if 0 <= top <= size[1] - high] or [max(0, min(tops[2], size[1] - high))]
    places = [(left, top, left + wide, top + high) for top in inside]
    return next((place for place in places if not any(
        place[0] < other[2] and other[0] < place[2] and place[1] < other[3] and other[1] < place[3]
        for other in others)), places[0])


def tag(draw: ImageDraw.ImageDraw, place: tuple[int, int, int, int], text: str, label: int) -> None:
    """A text on the colour of its class."""
    (left, top, right, bottom), colour = place, colour_of(label)
    draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
    write(draw, (left + right) / 2, top + RIM - 1, text, LETTERS,
          "black" if np.dot(colour, (0.3, 0.59, 0.11)) > 120 else "white")


def tag_width(text: str) -> int:
    """Pixels of the width of a text with its ground."""
    return round(length(text, LETTERS)) + 2 * RIM


def name_of(label: int, names: Sequence[str]) -> str:
    """The name of a class as it can be drawn, without its end where that is long."""
    name = drawable(names[label].replace("\n", "\\n"))
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}\u2026"


def needs_key(found: Answer, names: Sequence[str]) -> bool:
    """Whether so many objects of several classes were found that numbers stand for their names."""
    return len(found.scores) > NAMED and len(names) > 1


def with_found(photo: np.ndarray, found: Answer, names: Sequence[str], side: int) -> np.ndarray:
    """A photo whose longer side has `side` pixels with what was found: names and scores, or numbers of classes."""
    scale = side / max(photo.shape[:2])
    resized = cut_to(photo, [max(1, round(scale * pixels)) for pixels in photo.shape[1::-1]])
    if needs_key(found, names):
        texts = [str(label + 1) for label in found.labels]
    elif len(found.scores) > NAMED:
        texts = []
    else:
        texts = [f"{name_of(label, names)} {score:.2f}" if len(names) > 1 else f"{score:.2f}"
                 for score, label in zip(found.scores, found.labels)]
    return boxed(resized, found.boxes * scale, found.labels, texts, width=2)


def key(labels: Sequence[int], names: Sequence[str], width: int) -> np.ndarray:
    """The number, colour and name of each class among the labels (N,), and how often it is there, as a picture of this
    width that is no higher than wide; of too many classes the most frequent ones."""
    present, counts = np.unique(labels, return_counts=True)
    said = {label: f"{name_of(label, names)} ({count})" for label, count in zip(present, counts)}
    first, line = max(tag_width(str(label + 1)) for label in present), LETTERS + 3 * RIM
    column = min(width, first + round(max(length(text, LETTERS) for text in said.values())) + 6 * RIM)
    columns = width // column
    kept = np.sort(present[np.argsort(-counts, kind="stable")][: columns * (width // line)])
    rows = -(-len(kept) // columns)
    image = Image.new("RGB", (width, rows * line), "white")
    draw = ImageDraw.Draw(image)
    for number, label in enumerate(kept):
        left, top = number // rows * column, number % rows * line
        tag(draw, (left, top, left + first, top + LETTERS + 2 * RIM), str(label + 1), label)
        write(draw, left + first + 2 * RIM + length(said[label], LETTERS) / 2, top + RIM - 1, said[label], LETTERS)
    return np.asarray(image)


def asked_of(picture: np.ndarray, target: np.ndarray, strides: Sequence[int]) -> list[np.ndarray]:
    """A picture with its boxes, as its targets (N, TARGET) have them, and one picture a map, in which the locations
    that are asked for a box are lit by their centre-ness in the colour of its class; grey ones count neither way."""
    made, boxes, labels, start, side = [], [], [], 0, picture.shape[0]
    for stride in strides:
        count = side // stride
        values = target[start : start + count**2].reshape(count, count, TARGET)
        start += count**2
        lit = picture * DIM
        for y, x in np.argwhere(values[..., 5] != -1):
            place = slice(y * stride, (y + 1) * stride), slice(x * stride, (x + 1) * stride)
            label = int(values[y, x, 5])
            lit[place] = 128 if label == IGNORED else (0.3 + 0.7 * values[y, x, 4]) * np.array(colour_of(label))
            if label >= 0:
                middle = np.array([(x + 0.5) * stride, (y + 0.5) * stride] * 2)
                boxes.append(middle + values[y, x, :4] * [-1, -1, 1, 1])
                labels.append(label)
        made.append(np.clip(lit, 0, 255).astype("uint8"))
    unique = np.unique(np.rint(np.column_stack([np.array(boxes).reshape(-1, 4), labels])), axis=0)
    return [boxed(picture, unique[:, :4], unique[:, 4].astype(int)), *made]


def cut_to(picture: np.ndarray, size: Sequence[int]) -> np.ndarray:
    """A picture (H, W, 3) resized to (width, height)."""
    return np.asarray(Image.fromarray(picture).resize(tuple(size), Image.Resampling.BILINEAR, reducing_gap=2))


def crop_of(picture: np.ndarray, box: np.ndarray, rim: float = 0.6, side: int = 96) -> np.ndarray:
    """What lies in a box and around it, as a square of one size."""
    reach = max(12.0, (1 + rim) * float((box[2:] - box[:2]).max())) / 2
    middle = (box[:2] + box[2:]) / 2
    corner = tuple(np.concatenate([middle - reach, middle + reach]).tolist())
    return np.asarray(Image.fromarray(picture).transform((side, side), Image.Transform.EXTENT, corner,
                                                         Image.Resampling.BILINEAR))


def mistakes_sheet(missed: Sequence[tuple[np.ndarray, str]], wrong: Sequence[tuple[np.ndarray, str]], folder: str,
                   name: str = "mistakes.png") -> None:
    """Objects that were missed, in yellow, and boxes where nothing of their class lies, in red, the surest first."""
    shown = [*missed, *wrong]
    if not shown:
        print("no object was missed, and no box was wrong")
        return
    pictures = [np.pad(picture, [(3, 3), (3, 3), (0, 0)]) for picture, _ in shown]
    for number, picture in enumerate(pictures):
        colour = MISSED if number < len(missed) else WRONG
        picture[:3] = picture[-3:] = picture[:, :3] = picture[:, -3:] = colour
    figures.contact_sheet(pictures, [text for _, text in shown], os.path.join(folder, name), columns=8,
                          heading="yellow: missed; red: found where nothing of this class lies, the surest first")


def curves(precision: np.ndarray, recalls: np.ndarray, names: Sequence[str], folder: str) -> None:
    """Precision over recall at an IoU of .5: the mean of all classes, and each class in grey, as precision.png.

    Args:
        precision: (101, K); -1 for classes without objects.
    """
    there = [k for k in range(len(names)) if precision[0, k] > -1]
    page, axes = figures.figure(width=5.5, height=4.2)
    axis = axes[0, 0]
    for k in there:
        axis.plot(recalls, precision[:, k], color="0.8", linewidth=0.8)
    if there:
        axis.plot(recalls, precision[:, there].mean(axis=1), color="tab:blue", label=f"mean of {len(there)} classes")
    axis.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title="IoU .5")
    figures.legend_below(axis)
    figures.save(page, folder, "precision.png")
