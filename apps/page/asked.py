"""What a visitor of the page asks, as the tabs of the rooms read it."""

from typing import NamedTuple

import numpy as np

from apps.page import folders
from utils.saying import shown


class Asked(NamedTuple):
    """What a visitor sends: the folder that may be searched, the fields of the form, and the files by their field."""

    root: str
    fields: dict[str, str]
    files: dict[str, list[str]]

    @property
    def model(self) -> str:
        """The model that was chosen in the list of the tab; "": none."""
        return self.fields.get("model", "")

    def picture(self, name: str) -> str:
        """The file of a field; ValueError where none was chosen."""
        if not self.files.get(name):
            raise ValueError("a picture is missing: choose a file in each field")
        return self.files[name][0]

    def folder(self) -> str:
        """The path of the folder that was chosen; ValueError where it may not be searched, see `folders.inside`."""
        return folders.inside(self.root, self.fields.get("folder", ""))

    def number(self, name: str, usual: float, low: float, high: float) -> float:
        """The number of a field, or the usual one where it is empty; ValueError where it is none in low..high."""
        text = self.fields.get(name, "").strip()
        try:
            value = float(text or usual)
        except ValueError:
            value = np.nan
        if not low <= value <= high:
            raise ValueError(f"{shown(text)[:40]}: expected a number from {low:g} to {high:g}")
        return value
