"""Several folders as one, some of which are only looked at: their pictures never go."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from apps.search import views
from apps.search.duplicates import Found
from tasks.similarity.model import Loaded
from utils import gallery
from utils.data.files import lies_in
from utils.gallery import Gallery
from utils.saying import counted


class Folders(NamedTuple):
    """The pictures of one folder or of several.

    Attributes:
        opened: of one folder with paths relative to it; of several with root "" and whole paths, the reference first.
        seen: views (N, V, F), see `apps.search.views`; None where nobody asked for them.
        fixed: the paths of `opened` that are of the reference, or that the reference links to.
    """

    opened: Gallery
    seen: np.ndarray | None = None
    fixed: frozenset[str] = frozenset()


def open_folder(root: str, model: Loaded) -> Gallery:
    """The embeddings of a folder; says how many are new."""
    opened = gallery.open_gallery(root, model.path, model.compare, model.shape)
    print(f"{opened.root}: {counted(opened.embedded, 'picture')} embedded now")
    return opened


def views_of(options, opened: Gallery, model: Loaded) -> np.ndarray | None:
    """The views of a folder's pictures, see `apps.search.views`; None where nobody asked for them."""
    if not options.cropped or not model.compare.by_distance:
        return None
    return views.open_views(opened, model.path, model.compare, model.shape)


def open_folders(options, model: Loaded, roots: Sequence[str], reference: Sequence[str] = ()) -> Folders:
    """The pictures of all these folders.

    Raises:
        ValueError: one of them is no folder, or has no picture that can be read.
    """
    parts = [open_folder(root, model) for root in (*reference, *roots)]
    seen = [views_of(options, part, model) for part in parts] if model.proves and options.proof else [None]
    return together(parts, seen, len(reference))


def together(parts: Sequence[Gallery], seen: Sequence[np.ndarray | None], reference: int = 0) -> Folders:
    """Galleries of one folder or of several as one; ValueError where one of them lies in the reference.

    Args:
        seen: the views of each, as `Folders` has them, or None for all.
        reference: how many of them, the first ones, are only looked at.
    """
    if len(parts) == 1:
        return Folders(parts[0], seen[0])
    for part in parts[reference:]:
        if found := next((each.root for each in parts[:reference] if lies_in(part.root, each.root)), None):
            raise ValueError(f"{part.root} lies in the reference {found}, whose pictures are not compared with each "
                             "other: leave the reference out, or name another folder")
    one, rows, fixed = joined(parts, reference)
    return Folders(one, None if seen[0] is None else np.concatenate(seen)[rows], fixed)


def joined(parts: Sequence[Gallery], reference: int = 0) -> tuple[Gallery, list[int], frozenset[str]]:
    """Several galleries as one.

    Args:
        reference: how many of them, the first ones, are only looked at.

    Returns:
        The gallery, with whole paths; its rows among those of all parts, as a file that lies in two parts, or has
        several links, counts once; and the paths that are of the reference.
    """
    paths = [os.path.join(part.root, path) for part in parts for path in part.paths]
    files = {row: known for row, path in enumerate(paths) if (known := identity(path))}
    looked_at = {files[row] for row in files if row < sum(len(part.paths) for part in parts[:reference])}
    firsts: dict = {}
    for row in sorted(files, key=lambda row: os.path.islink(paths[row])):  # a file goes before links to it
        firsts.setdefault(files[row], row)
    rows = sorted(firsts.values(), key=lambda row: files[row] not in looked_at)
    keys = [key for part in parts for key in part.keys]
    one = Gallery("", [paths[row] for row in rows], np.concatenate([part.features for part in parts])[rows],
                  sum(part.embedded for part in parts), [keys[row] for row in rows])
    return one, rows, frozenset(path for row, path in zip(rows, one.paths) if files[row] in looked_at)


def identity(path: str) -> tuple | None:
    """What tells a file from others, however it is named; None where it is gone."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_dev, status.st_ino) if status.st_ino else (os.path.realpath(path),)


def without_reference(result: Found, fixed: frozenset[str]) -> Found:
    """The result without groups and changed pairs in which all pictures are of the reference; what is of it never
    goes."""
    groups = [group._replace(members=[member._replace(goes=member.goes and member.file not in fixed)
                                      for member in group.members])
              for group in result.groups if any(member.file not in fixed for member in group.members)]
    changed = result.changed and [pair for pair in result.changed if not {pair.a, pair.b} <= fixed]
    return result._replace(groups=groups, changed=changed)
