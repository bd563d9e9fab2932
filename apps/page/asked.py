"""What a visitor of the page asks, as the tabs of the rooms read it."""

import os
import re
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

    def folders(self, name: str) -> list[str]:
        """The paths of the folders that a field names with commas between them, Chinese ones too; [] where it is
        empty. A name that holds a comma names one folder where there is such a folder.

        Raises:
            ValueError: one of them may not be searched, see `folders.inside`.
        """
        text = self.fields.get(name, "").strip()
        names = [text] if os.path.isdir(os.path.join(self.root, text)) else re.split("[,\uff0c]", text)
        return [folders.inside(self.root, one) for one in names if one.strip()]

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
