"""Walking through folders, and writing files that are whole or not there."""

import contextlib
import errno
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from utils.data.images import is_image_name

OMNIGLOT = "images_background"  # the folder that tells a data set in Omniglot's layout
IGNORED = ("thumbs.db", "desktop.ini")
PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}  # of a data set


def folders_in(path: str) -> set[str]:
    """The names of the folders in a folder."""
    return {entry.name for entry in scan(path) if entry.is_dir() and not entry.name.startswith(".")}


def in_parts(path: str) -> bool:
    """Whether a folder is a data set that comes in parts, or with all its images in one folder, and not in classes."""
    found = folders_in(path)
    return bool(found) and found <= {*PARTS, "images"}


def scan(path: str) -> list[os.DirEntry]:
    """What lies in a folder; ValueError where there is none."""
    if not os.path.isdir(path):
        raise ValueError(f"{path}: no such folder; expected a folder that holds folders of images")
    return list(os.scandir(path))


def walk(root: str) -> tuple[list[str], list[str]]:
    """Images and other files below `root`, relative to it, sorted; hidden files and folders do not count."""
    scan(root)
    images, others = [], []
    for folder, folders, names in os.walk(root, followlinks=True):
        below = os.path.relpath(folder, root)
        if below != "." and OMNIGLOT in folders:  # another data set, such as datasets/glyphs
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or name.lower() in IGNORED:
                continue
            path = name if below == "." else os.path.join(below, name)
            (images if is_image_name(name) else others).append(path)
    return sorted(images), sorted(others)


def digest(path: str) -> str:
    """sha1 of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def identical(paths: Sequence[str]) -> list[list[int]]:
    """Places of files that have the same contents, byte for byte: lists of two or more, in order. Only files of one size are read."""
    by_size: dict[int, list[int]] = {}
    for place, path in enumerate(paths):
        with contextlib.suppress(OSError):  # gone, or not ours to read: whoever opens the file says so
            by_size.setdefault(os.path.getsize(path), []).append(place)
    found: dict[str, list[int]] = {}
    for places in by_size.values():
        for place in places if len(places) > 1 else ():
            with contextlib.suppress(OSError):
                found.setdefault(digest(paths[place]), []).append(place)
    return sorted(places for places in found.values() if len(places) > 1)


def evenly(items: Sequence, most: int) -> list:
    """At most so many of the items, evenly from first to last."""
    return [items[row] for row in np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]


@contextlib.contextmanager
def reading(path: str, expected: str = "", mend: str = "") -> Iterator[None]:
    """Turns whatever goes wrong while a file is read into one ValueError that names the file.

    Everything that can be wrong with a file is meant: it is gone, cut, encrypted, of another kind, or claims to hold more than memory does.

    Args:
        expected: what the file should be, such as "Omniglot's all_runs.zip".
        mend: what to do, such as "delete it and try again".
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith(path):
            raise  # it says so already
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise  # that was a file that is written meanwhile
        text = getattr(error, "strerror", None) or " ".join(str(error).split())[:160] or type(error).__name__
        parts = [f"{path}: cannot be read ({text})", f"expected {expected}" if expected else "", mend]
        raise ValueError("; ".join(filter(None, parts))) from error


def save_aside(save: Callable[[str], None], path: str, ending: str = "") -> None:
    """Calls `save` with another name and renames, so that a killed run, or a full disk, leaves the old file or the new one.

    Args:
        save: writes the file whose name it is given.
        ending: that the other name must have, such as ".keras"; it begins with `path` and is nobody else's.
    """
    aside = f"{path}.{uuid.uuid4().hex[:8]}.new{ending}"
    try:
        save(aside)
        os.replace(aside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.remove(aside)
        raise
