"""Which folders a visitor of the page may search: those below one folder, and nothing that a link leads to
elsewhere."""

import os

from utils.data.files import lies_in
from utils.saying import shown

OFFERED = 200  # folders that the page suggests, at most
DEPTH = 3  # folders deep that it looks for them


def inside(root: str, name: str) -> str:
    """The path of the folder that a visitor names, relative to `root`; "" is `root` itself.

    Raises:
        ValueError: an absolute path, "..", a link that leads out of `root`, also one that lies in the folder, or no
            folder.
    """
    name = name.strip()
    if os.path.isabs(name) or name.startswith(("~", "\\")) or os.path.splitdrive(name)[0] or "\0" in name:
        raise ValueError(f"{shown(name)}: not a name below the chosen folder; expected one such as cats/2024, without "
                         "a leading slash")
    if ".." in name.replace("\\", "/").split("/"):
        raise ValueError(f"{shown(name)}: leads out of the chosen folder; expected a name without ..")
    path = os.path.join(root, name)
    if not lies_in(path, root):
        raise ValueError(f"{shown(name)}: a link that leads out of the chosen folder; expected a folder that lies in "
                         "it")
    if not os.path.isdir(path):
        raise ValueError(f"{shown(name or root)}: no such folder; expected a folder of pictures")
    refuse_ways_out(root, path)
    return path


def refuse_ways_out(root: str, folder: str) -> None:
    """Raises ValueError, naming the link, where what is found from `folder` on holds a link that leads out of
    `root`."""
    left, seen = [folder], set()
    while left:
        here = os.path.realpath(left.pop())
        if here in seen:
            continue
        seen.add(here)
        for entry in entries(here):
            if entry.is_symlink() and not lies_in(entry.path, root):
                name = os.path.relpath(entry.path, os.path.realpath(root))
                raise ValueError(f"{shown(name)}: a link that leads out of the chosen folder; delete it, or search "
                                 "another folder")
            if entry.is_dir():
                left.append(entry.path)


def entries(folder: str) -> list[os.DirEntry]:
    """What lies in a folder and is not hidden; nothing where the folder may not be read."""
    try:
        return sorted((entry for entry in os.scandir(folder) if not entry.name.startswith(".")),
                      key=lambda entry: entry.name)
    except OSError:
        return []


def offered(root: str) -> list[str]:
    """Names of folders below `root` that the page suggests, sorted; links are left out, and so are names that a page
    cannot show."""
    names, left = [], [(root, "", 0)]
    while left and len(names) < OFFERED:
        path, below, depth = left.pop(0)
        for entry in entries(path) if depth < DEPTH else ():
            name = os.path.join(below, entry.name)
            if entry.is_dir(follow_symlinks=False) and shown(name) == name:
                names.append(name)
                left.append((entry.path, name, depth + 1))
    return sorted(names[:OFFERED])
