"""Walking through folders, and writing files that are whole or not there."""

import contextlib
import errno
import hashlib
import os
import re
import shutil
import socket
import stat
import time
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from fnmatch import fnmatchcase

import numpy as np

from utils.data.formats.kinds import hint, is_picture
from utils.saying import counted, left_out, say_once, shown

BEGIN = 2**16  # bytes of files of one size that are compared before whole files are
OMNIGLOT = "images_background"  # the folder that tells a data set in Omniglot's layout
SYSTEM = {  # what storage systems, phones and computers put beside pictures, in small letters, and what lies in there
    **dict.fromkeys(("@eadir", ".@__thumb", ".thumbnails", ".thumbs", "thumbs.db", "ehthumbs.db"), "thumbnail"),
    **dict.fromkeys(("@recycle", "#recycle", "$recycle.bin", ".trashes", ".trash"), "deleted file"),
    **dict.fromkeys(("__macosx", ".appledouble", "desktop.ini"), "system file"),
}
# the environment variable with the patterns of --exclude, a line each, for worker processes too
EXCLUDE = "EXCLUDE_PICTURES"
# the names of what is written aside: files of `save_aside`, and folders; by which host, and which process
ASIDE = re.compile(r"\.[0-9a-f]{8}(?:\.([0-9a-f]{8})-(\d+))?\.new(?:\.|$)")
ASIDE_FOLDER = re.compile(r"\.new-([0-9a-f]{8})-(\d+)-\w+")
FORGOTTEN = 600  # seconds after which such a file of another host, in which nobody has written, is a remain
# of a data set
PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}


def folders_in(path: str) -> set[str]:
    """The names of the folders in a folder."""
    return {entry.name for entry in scan(path) if entry.is_dir() and is_wanted(entry.name)}


def in_parts(path: str) -> bool:
    """Whether a folder is a data set that comes in parts, or with all its images in one folder, and not in classes."""
    folders = folders_in(path)
    return bool(folders) and folders <= {*PARTS, "images"}


def lies_in(path: str, root: str) -> bool:
    """Whether a path lies in the folder `root` or is it, all links followed."""
    path, root = os.path.realpath(path), os.path.realpath(root)
    return os.path.commonpath([root, path]) == root


def scan(path: str) -> list[os.DirEntry]:
    """What lies in a folder; ValueError where there is none."""
    if not os.path.isdir(path):
        found = "a file" if os.path.exists(path) else "no such folder"
        raise ValueError(f"{path or 'a folder without a name'}: {found}; expected a folder of images, or of folders of "
                         "images")
    return list(os.scandir(path))


def patterns() -> list[str]:
    """The patterns of --exclude."""
    return list(filter(None, os.environ.get(EXCLUDE, "").split("\n")))


def exclude(wished: Sequence[str]) -> None:
    """Makes `walk` leave out what a pattern matches: the path relative to the folder, or the name of a file or folder.

    Raises:
        ValueError: a pattern that is empty, or not relative to the folder.
    """
    for pattern in wished:
        if not pattern.strip("/ ") or os.path.isabs(pattern) or ".." in pattern.split("/") or "\n" in pattern:
            raise ValueError(f"--exclude={pattern}: expected a pattern for names, or for paths that start from the "
                             "folder, such as --exclude='*_small.jpg' or --exclude=old/drafts")
    if wished:
        os.environ[EXCLUDE] = "\n".join(pattern.removeprefix("./").rstrip("/") for pattern in wished)


def is_wanted(below: str) -> bool:
    """Whether a path, relative to the folder that is walked, is neither hidden, nor put there by a system, nor
    excluded."""
    name = os.path.basename(below)
    return not name.startswith(".") and name.lower() not in SYSTEM and not is_excluded(below)


def is_excluded(below: str) -> bool:
    """Whether a pattern of --exclude matches a path, or the name at its end."""
    texts = below.replace(os.sep, "/"), os.path.basename(below)
    return any(fnmatchcase(text, pattern) for pattern in patterns() for text in texts)


def files_in(path: str) -> int:
    """How many files lie in a folder at any depth; 1 for a file."""
    return sum(len(names) for _, _, names in os.walk(path)) if os.path.isdir(path) else 1


def walk(root: str, data_sets: bool = False, used: tuple[str, ...] = ()) -> tuple[list[str], list[str]]:
    """Images and other files below `root`, relative to it, sorted; see `is_wanted` for what does not count.

    Each folder is entered once and each file is named once, by what it is and not by its path: a link to something that
    was found elsewhere is left out, and so are pipes, devices, dangling links, and what may not be read. All that is
    said.

    Args:
        data_sets: whether a folder that is a data set of its own, such as datasets/glyphs, is left out.
        used: endings of files beside images, such as .txt, that the caller reads, so that they are not said to be left
            out.
    """
    scan(root)
    listing = Listing()
    folders, links = [(root, "")], []
    while folders or links:
        if not folders:
            # links come after all that is no link, which keeps the names that are no detours
            path, below = links.pop(0)
            if not os.path.isdir(path):
                listing.place(path, below)
                continue
            folders = [(path, below)]
        for entry in listing.enter(*folders.pop(0), data_sets):
            here = os.path.join(listing.below, entry.name)
            if not is_wanted(here):
                listing.leave(entry, here)
            elif entry.is_symlink():
                links.append((entry.path, here))
            elif entry.is_dir():
                folders.append((entry.path, here))
            else:
                listing.place(entry.path, here)
    left_out(f"{len(listing.skipped)} below {shown(root)}", sorted(listing.skipped))
    listing.tell_left(root)
    tell_others(root, sorted(path for path in listing.others if not path.lower().endswith(used)))
    return sorted(listing.images), sorted(listing.others)


class Listing:
    """What `walk` has found: images, others, what was skipped and why, and how much nobody wants.

    `below` is the folder that was entered last.
    """

    def __init__(self):
        self.images, self.others, self.skipped, self.seen, self.below = [], [], [], {}, ""
        self.system, self.excluded = Counter(), 0

    def leave(self, entry: os.DirEntry, below: str) -> None:
        """Counts what is not wanted and not just hidden."""
        if entry.name.lower() in SYSTEM:
            self.system[entry.name] += files_in(entry.path)
        elif is_excluded(below):
            self.excluded += files_in(entry.path)

    def tell_left(self, root: str) -> None:
        """Says once what `leave` counted, in a line."""
        counts = [(name, count) for name, count in sorted(self.system.items()) if count]
        parts = [f"{counted(count, SYSTEM[name.lower()])} of {shown(name)}" for name, count in counts]
        parts += [f"{counted(self.excluded, 'file')} that --exclude names"] if self.excluded else []
        if parts:
            say_once(f"left out {', '.join(parts)}, below {shown(root)}")

    def is_new(self, status: os.stat_result, path: str, below: str) -> bool:
        """Whether no file or folder of this identity was seen; otherwise it is skipped."""
        identity = (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
        first = self.seen.setdefault(identity, below)
        if first != below:
            self.skipped.append(f"{below} (the same as {first or 'the folder itself'})")
        return first == below

    def enter(self, path: str, below: str, data_sets: bool) -> list[os.DirEntry]:
        """What lies in a folder, sorted; nothing where it was entered before or may not be."""
        try:
            if not self.is_new(os.stat(path), path, below):
                return []
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            self.skipped.append(f"{below} ({error.strerror})")
            return []
        if below and data_sets and any(entry.name == OMNIGLOT and entry.is_dir() for entry in entries):
            self.skipped.append(f"{below} (a data set of its own)")
            return []
        self.below = below
        return entries

    def place(self, path: str, below: str) -> None:
        """Takes a file as an image or another one, by name or else by contents."""
        try:
            status = os.stat(path)
        except OSError as error:
            self.skipped.append(f"{below} ({'a link to nothing' if os.path.islink(path) else error.strerror})")
            return
        if not stat.S_ISREG(status.st_mode):
            self.skipped.append(f"{below} (a pipe, a device or a socket)")
        elif self.is_new(status, path, below):
            (self.images if is_picture(path) else self.others).append(below)


def tell_others(root: str, others: list[str]) -> None:
    """Names the files of a folder that are no pictures, and says what makes pictures of them; once."""
    if not others:
        return
    left_out(f"{counted(len(others), 'file')} below {shown(root)} that {'is' if len(others) == 1 else 'are'} no "
             f"picture{'s' * (len(others) > 1)}", others)
    advice = sorted({text for path in others if (text := hint(os.path.join(root, path)))})
    if advice:
        say_once(f"they would be read as pictures: {'; '.join(advice)}")


def digest(path: str, most: int = -1) -> str:
    """sha1 of a file's contents, or of so many bytes at its begin."""
    if not os.path.isfile(path):  # to read a pipe or a device might never end
        raise FileNotFoundError(0, "not a regular file", path)
    with open(path, "rb") as file:
        return (hashlib.file_digest(file, "sha1") if most < 0 else hashlib.sha1(file.read(most))).hexdigest()


def identical(paths: Sequence[str]) -> list[list[int]]:
    """Indices of files that have the same contents, byte for byte: lists of two or more, in order. Only files of one
    size are opened, and only those that begin alike are read."""
    groups = [[*range(len(paths))]]
    for told in os.path.getsize, lambda path: digest(path, BEGIN), digest:
        groups = [part for group in groups for part in parted(group, paths, told)]
    return sorted(groups)


def parted(indices: Sequence[int], paths: Sequence[str], told: Callable[[str], Hashable]) -> list[list[int]]:
    """The indices of files in groups of two or more of which the same is told; files that cannot be read are left
    out."""
    groups: dict[Hashable, list[int]] = {}
    for index in indices:
        with contextlib.suppress(OSError):  # gone, or not ours to read: whoever opens the file says so
            groups.setdefault(told(paths[index]), []).append(index)
    return [group for group in groups.values() if len(group) > 1]


def evenly(items: Sequence, most: int) -> list:
    """At most so many of the items, evenly from first to last."""
    return [items[row] for row in np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]


@contextlib.contextmanager
def reading(path: str, expected: str = "", mend: str = "") -> Iterator[None]:
    """Turns whatever goes wrong while a file is read into one ValueError that names the file.

    Everything that can be wrong with a file is meant: it is gone, cut, encrypted, of another kind, or claims to hold
    more than memory does.

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
        text, kind = getattr(error, "strerror", None) or " ".join(str(error).split())[:160], type(error).__name__
        # a key or a number says nothing by itself
        if isinstance(error, LookupError) or not any(map(str.isalpha, text)):
            text = f"{kind} {text}".strip()
        parts = [f"{path}: cannot be read ({text})", f"expected {expected}" if expected else "", mend]
        raise ValueError("; ".join(filter(None, parts))) from error


def save_aside(save: Callable[[str], None], path: str, ending: str = "") -> None:
    """Calls `save` with another name and renames, so that a killed run, or a full disk, leaves the old file or the new
    one.

    Args:
        save: writes the file whose name it is given.
        ending: that the other name must have, such as ".keras"; it begins with `path` and is nobody else's.
    """
    remove_remains(os.path.dirname(path), os.path.basename(path))
    aside = f"{path}.{uuid.uuid4().hex[:8]}.{writer()}.new{ending}"  # `remove_remains` knows these names
    try:
        save(aside)
        os.replace(aside, path)
    except BaseException as error:
        if isinstance(error, OSError):
            blame(error, path)
        with contextlib.suppress(OSError):
            os.remove(aside)
        raise


def blame(error: OSError, path: str) -> None:
    """Names in an error the file that a person knows, in place of the one that is written aside."""
    error.filename = path
    del error.filename2  # None would be shown: "[Errno 2] ...: 'path' -> None"


def writer() -> str:
    """This host and this process, as names of what is written aside have them."""
    return f"{zlib.crc32(socket.gethostname().encode()):08x}-{os.getpid()}"


def remove_remains(folder: str, begin: str = "") -> bool:
    """Removes what writers that were killed have left in a folder, and returns whether there was something: files of
    `save_aside` and folders whose process on this host is gone, and what nobody has written to for ten minutes.

    Args:
        begin: of the names that are meant.
    """
    found = False
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in [entry for entry in entries if entry.name.startswith(begin)]:
            match = ASIDE_FOLDER.fullmatch(entry.name) if entry.is_dir() else ASIDE.search(entry.name)
            if match and not entry.is_symlink() and is_left(match, entry):
                found = True
                with contextlib.suppress(OSError):
                    shutil.rmtree(entry.path) if entry.is_dir() else os.remove(entry.path)
    return found


def is_left(match: re.Match, entry: os.DirEntry) -> bool:
    """Whether nobody writes any more to what its name says was written aside."""
    host, process = match.groups()
    if host == writer().split("-")[0] and os.name == "posix":
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            return True
        except OSError:  # another person's process
            return False
    return time.time() - entry.stat().st_mtime > FORGOTTEN
