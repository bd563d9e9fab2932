"""Pictures as the page shows them: they lie in the page itself, so that no file of this machine has an address."""

import base64
import io
import os
from typing import Any

import numpy as np
from PIL import Image

from utils.data.images import read_whole
from utils.run.figures import figure
from utils.saying import shown

SIDE = 240  # pixels of a picture that the page shows, at most
EXPLAINED = 256  # the same of a picture that is explained, as predict.py shows it


def picture(path: str, name: str = "") -> dict[str, str]:
    """A picture as the page shows it, small, and its name; a grey square where it cannot be read."""
    return {"image": as_image(read_whole(path, SIDE)), "name": shown(name or os.path.basename(path))}


def as_image(pixels: np.ndarray) -> str:
    """Pixels (H, W) or (H, W, 3) uint8 as the address of an image that lies in the page."""
    file = io.BytesIO()
    Image.fromarray(np.squeeze(pixels)).save(file, "JPEG", quality=90)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def as_drawing(page) -> str:
    """A figure of matplotlib as the address of an image that lies in the page."""
    file = io.BytesIO()
    page.savefig(file, dpi=100, format="png")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def sheet(pixels: tuple[int, int], columns: int = 1, width: float = 11.0):
    """A figure without rims, whose axes (columns,) lie side by side; `pixels`: height and width of what it shows in all."""
    page, axes = figure(columns, width=width / columns, height=width * pixels[0] / pixels[1])
    page.set_layout_engine("none")
    page.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0.03)
    for axis in axes[0]:
        axis.axis("off")
    return page, axes[0]


def matches(files: list[str], scene) -> tuple[str, str]:
    """Two photos side by side with lines between their matches, and the second laid onto the first, or "" where they do not show one place."""
    from tasks.patches import figures

    (left, pixel_a), (right, pixel_b) = map(figures.thumbnail, files)
    page, (axis,) = sheet((max(len(left), len(right)), left.shape[1] + right.shape[1]))
    figures.beside(axis, left, right, (scene.a + 0.5) / pixel_a - 0.5, (scene.b + 0.5) / pixel_b - 0.5, scene.inliers)
    axis.set_title("")  # the page says it, in its language
    scaled = None if scene.matrix is None else figures.scaling(1 / pixel_b) @ scene.matrix @ figures.scaling(pixel_a)
    return as_drawing(page), "" if scaled is None else as_image(figures.warped(left, right, scaled))


def reasons(model, files: list[str]) -> dict[str, Any]:
    """Why two pictures are alike or different: by which way that was found, a drawing of places that correspond, their number, and a map of each.

    Args:
        model: a `compare.Similarity`.
    """
    from tasks.similarity import figures, why

    pictures = [read_whole(file, EXPLAINED) for file in files]
    found = why.explain(model.loaded.compare, model.shape, *pictures)
    page, axes = sheet((max(map(len, pictures)), sum(one.shape[1] for one in pictures)), columns=2)
    for axis, one in zip(axes, pictures):
        axis.imshow(one)
    rows = why.strongest(found)
    for number, (row, colour) in enumerate(zip(rows, figures.LINES), start=1):
        figures.connect(page, axes, pictures, found.places[found.pairs[row]], colour, str(number))
    maps = []
    for one, said in zip(pictures, (found.left, found.right)):
        own, (axis,) = sheet(one.shape[:2], width=5.0)
        figures.show_said(axis, one, found, said)
        maps.append(as_drawing(own))
    return {"way": found.way, "pairs": len(rows), "joined": as_drawing(page), "maps": maps}
