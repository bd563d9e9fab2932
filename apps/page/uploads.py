"""Pictures that a visitor sends: kept in a folder that is there only while the question is answered."""

import os
import re
from collections.abc import Iterable

from utils.saying import shown

MEGABYTES = 50  # of a file, at most
ALL_MEGABYTES = 200  # of all files of a question, at most
FILES = 1000  # of a question, with its other fields, at most


class TooLarge(ValueError):
    """A file of more than `MEGABYTES`: its name and its size in megabytes."""

    def __init__(self, name: str, size: float):
        super().__init__(f"{name}: {size:.0f} MB, expected at most {MEGABYTES} MB")
        self.name, self.size = name, f"{size:.0f}"


def keep(uploads: Iterable, folder: str) -> list[str]:
    """Saves the files of a field, and returns their paths; a field that was left empty sends a file without a name,
    which is left out.

    Args:
        uploads: of werkzeug, with `filename`, `stream` and `save`.

    Raises:
        TooLarge: naming the first file that is.
    """
    files = []
    for upload in uploads:
        if not upload.filename:
            continue
        size = upload.stream.seek(0, os.SEEK_END) / 2**20
        upload.stream.seek(0)
        if size > MEGABYTES:
            raise TooLarge(plain(upload.filename), size)
        own_folder = os.path.join(folder, str(len(os.listdir(folder))))  # one of its own, for names that come twice
        os.mkdir(own_folder)
        files.append(os.path.join(own_folder, plain(upload.filename)))
        upload.save(files[-1])
    return files


def plain(name: str) -> str:
    """The name of a file without folders, as a file system takes it and a page shows it."""
    name = re.sub(r'[<>:"|?*\\]', "_", shown(name.replace("\\", "/").rsplit("/", 1)[-1])).strip(". ")
    stem, ending = os.path.splitext(name or "picture")
    return stem.encode()[:120].decode(errors="ignore") + ending[:12]


def without(folder: str, line: str) -> str:
    """A line in which the files are called as the visitor called them, without the folder in which they lie."""
    return re.sub(re.escape(folder) + r"[/\\]\d+[/\\]", "", line)
