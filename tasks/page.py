"""What a room's tab on the page works with: what it is given, and pictures and figures as the page shows them.

Pictures lie in the page itself, so that no file of this machine has an address.
"""

import base64
import io
import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np
from PIL import Image

from utils.data.images import read_whole
from utils.run.figures import figure
from utils.saying import shown

SIDE = 240  # pixels of a picture that the page shows, at most


class Asked(Protocol):
    """What a visitor sends; see `apps.page.asked.Asked`."""

    root: str
    fields: dict[str, str]
    files: dict[str, list[str]]
    model: str

    def picture(self, name: str) -> str:
        """The file of a field; ValueError where none was chosen."""

    def folder(self) -> str:
        """The path of the folder that was chosen; ValueError where it may not be searched."""

    def folders(self, name: str) -> list[str]:
        """The paths of the folders that a field names, with commas between them; ValueError as for `folder`."""

    def number(self, name: str, usual: float, low: float, high: float) -> float:
        """The number of a field, or the usual one where it is empty; ValueError where it is none in low..high."""


class Models(Protocol):
    """The models behind the page; see `apps.page.models.Models`."""

    def answering(self) -> AbstractContextManager[list[str]]:
        """Only one visitor at a time is in here; gives a list that holds, at the end, what the program said."""

    def of_tab(self, tab: str, name: str, pictures: Sequence[np.ndarray] = ()) -> Any:
        """The model that a visitor of a tab chose, as `model`; "": as predict.py chooses."""


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
    """A figure without rims, whose axes (columns,) lie side by side; `pixels`: height and width of all it shows."""
    page, axes = figure(columns, width=width / columns, height=width * pixels[0] / pixels[1])
    page.set_layout_engine("none")
    page.subplots_adjust(left=0, right=1, bottom=0, top=1, wspace=0.03)
    for axis in axes[0]:
        axis.axis("off")
    return page, axes[0]
