"""Figures of boxes: what the maps are asked for, what was found, what was missed, and precision over recall."""

import os
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks.detection.boxes.assignment import IGNORED, TARGET
from utils.run import figures

COLOURS = ((230, 60, 60), (60, 160, 250), (70, 200, 90), (240, 170, 30), (180, 90, 230), (20, 200, 200), (240, 90, 180))
RIGHT, WRONG, MISSED = (40, 200, 80), (240, 50, 50), (250, 200, 30)
DIM = 0.45  # share of a picture's light behind what is asked of a map


def strides_of(locations: int, side: int) -> list[int]:
    """The strides of the maps of a square picture that have so many locations together."""
    sets = ([2, 4, 8], [4, 8])
    return next(strides for strides in sets if sum((side // stride) ** 2 for stride in strides) == locations)


def colour_of(label: int) -> tuple[int, int, int]:
    """The colour of a class."""
    return COLOURS[label % len(COLOURS)]


def boxed(picture: np.ndarray, boxes: np.ndarray, labels: np.ndarray, texts: Sequence[str] = (),
          colours: Sequence[tuple[int, int, int]] = (), width: int = 1) -> np.ndarray:
    """A picture (H, W, 3) with boxes, in the colours of their classes or in others, and texts over them."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    for row, (box, label) in enumerate(zip(boxes, labels)):
        colour = colours[row] if len(colours) else colour_of(int(label))
        left, top, right, bottom = box
        draw.rectangle((left - width, top - width, max(right, left) + width - 1, max(bottom, top) + width - 1),
                       outline=colour, width=width)
        if len(texts):
            draw.text((left, max(0, top - 11 - width)), texts[row], fill=(255, 255, 255), stroke_width=1,
                      stroke_fill=colour)
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
