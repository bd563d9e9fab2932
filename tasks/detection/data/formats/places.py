"""Photos below a folder by the names that files of boxes give them, and which file the boxes of a photo come from."""

import math
import os
import posixpath
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from utils.saying import counted

KINDS = {"annotation", "annotations", "image", "images", "jpegimages", "label", "labels"}  # folders of a kind of file


class Claim(NamedTuple):
    """That a photo is the one that a file means.

    Attributes:
        photo: below the root of the set.
        sure: how well its path agrees with what the file says; claims on one photo compare by it.
        name: what the file means; claims of one name do not contradict each other.
        source: the file, and what in it, in words.
        content: the boxes, as the format keeps them.
    """

    photo: str
    sure: Hashable
    name: str
    source: str
    content: object


class Places:
    """Photos by each end of their path: images/a/0.jpg is a/0.jpg and 0.jpg too."""

    def __init__(self, images: Sequence[str], endings: bool = True):
        """Args:
            images: paths, as `utils.data.files.walk` gives them.
            endings: whether names are those with .jpg and the like.
        """
        self.ends: dict[str, list[str]] = {}
        self.whole: dict[str, str] = {}
        for path in images:
            parts = (path if endings else os.path.splitext(path)[0]).split(os.sep)
            self.whole["/".join(parts)] = path
            for row in range(len(parts)):
                self.ends.setdefault("/".join(parts[row:]), []).append(path)

    def found(self, name: str, folder: str = "") -> tuple[list[str], float]:
        """The photos that a name may mean, and how many parts of it their paths end with; infinity for all parts.

        First counts the path from the folder of the file that says the name, then the path from the root, then the
        longest end of the name that some photo has: of C:\\photos\\a\\0.jpg that is a/0.jpg, where it is there.
        """
        name = name.replace("\\", "/")
        parts = [part for part in name.split("/") if part not in ("", ".", "..")]
        for path in (posixpath.normpath(posixpath.join(folder.replace(os.sep, "/"), name)), "/".join(parts)):
            if path in self.whole:
                return [self.whole[path]], math.inf
        for row in range(len(parts)):
            if there := self.ends.get("/".join(parts[row:])):
                return there, len(parts) - row if row else math.inf
        return [], 0


def agreement(path: str, folder: str, photo: str) -> tuple:
    """How well the folders of a photo agree with those of the file of its boxes; more is greater.

    Args:
        path: of the file, below the root.
        folder: that it says the photo lies in; "": none.
    """
    own, other = ([part for part in each.split(os.sep)[:-1] if part.lower() not in KINDS] for each in (path, photo))
    alike = next((row for row, (one, two) in enumerate(zip(reversed(own), reversed(other))) if one != two),
                 min(len(own), len(other)))
    here = os.path.dirname(photo)
    said = bool(folder) and folder.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] == os.path.basename(here)
    return os.path.dirname(path) == here, alike, said, 2 * alike - len(own) - len(other)


def several(photos: Sequence[str]) -> str:
    """Two of the photos, and how many more there are, as a line says it."""
    more = f" and {counted(len(photos) - 2, 'more', 'more')}" if len(photos) > 2 else ""
    return f"{photos[0]}{',' if more else ' and'} {photos[1]}{more}"


def settled(claims: Sequence[Claim]) -> tuple[dict[str, list[Claim]], list[str]]:
    """Of each photo the claims that agree best with its path, and a line for each that is not taken.

    Claims that agree equally well and mean different things would put boxes onto a photo that is not theirs, so none
    of them is taken.
    """
    of_photo: dict[str, list[Claim]] = {}
    for claim in claims:
        of_photo.setdefault(claim.photo, []).append(claim)
    problems = []
    for photo, rivals in list(of_photo.items()):
        best = max(claim.sure for claim in rivals)
        kept = [claim for claim in rivals if claim.sure == best]
        problems += [f"{claim.source}: the photo nearest to it is {photo}, which belongs to {kept[0].source}, expected "
                     "a photo of its own: put that photo back, or remove these boxes"
                     for claim in rivals if claim.sure != best]
        if len({claim.name for claim in kept}) > 1:
            problems.append(f"{kept[0].source} and {kept[1].source} both belong to the photo {photo}, expected one of "
                            "them: remove the other, or put them into folders with the names of the photos' folders")
            del of_photo[photo]
        else:
            of_photo[photo] = kept
    return of_photo, problems
