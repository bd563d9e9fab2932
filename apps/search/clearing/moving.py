"""Moves what can go into a folder, and brings it back.

Before each move a line of a log says what is moved where, and the disk has that line. At every moment one of both names
holds the whole picture, so that whatever stops the program loses nothing, and `undo` brings all back by the log. No
file is ever written over.
"""

import contextlib
import errno
import json
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from itertools import chain, count
from typing import Any, BinaryIO, NamedTuple

from utils.data.files import blame, digest, lies_in, reading, remove_remains, writer
from utils.gallery import stamp
from utils.run.console import progress_bar
from utils.run.startup import disk_full
from utils.saying import counted, shown

SHA1 = 40  # letters of a digest


class Going(NamedTuple):
    """A picture that can go, and the one that stays for it: whole paths, and the sha1 of both contents."""

    file: str
    keep: str
    sha1: str
    kept: str


class Moved(NamedTuple):
    """A line of the log: where a file was (a whole path), its name in the folder of the log, the sha1 of its
    contents."""

    old: str
    name: str
    sha1: str


def check_target(folder: str, roots: Sequence[str]) -> None:
    """Raises ValueError where a folder to move into is a file, or lies in one of the folders that are looked at."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise ValueError(f"--move_to={folder}: received a file, expected a folder, or a name that nothing has yet")
    for root in map(os.path.realpath, roots):
        if lies_in(folder, root):
            raise ValueError(f"--move_to={folder}: lies in {root}, where its pictures would be found again; expected a "
                             "folder beside those that are looked at")


def plan(goings: Sequence[Going], folder: str) -> list[tuple[str, str]]:
    """Where each file would be moved: whole paths."""
    taken: set[str] = set()
    pairs = []
    for going in goings:
        name = free_name(folder, os.path.basename(going.file), taken)
        taken.add(name)
        pairs.append((going.file, os.path.join(folder, name)))
    return pairs


def move(goings: Sequence[Going], folder: str) -> tuple[str, list[Moved]]:
    """Moves files into a folder; says which stay after all and why, and how to bring the others back.

    Returns:
        The log, and what was moved.

    Raises:
        OSError: the disk is full, or the folder cannot be written to. What was moved until then is in the log.
    """
    os.makedirs(folder, exist_ok=True)
    remove_remains(folder)
    moved, log, bar = [], new_log(folder), progress_bar("picture")
    try:
        with open(log, "xb", buffering=0) as file:
            sync(folder)
            for number, going in enumerate(goings, start=1):
                try:
                    if why := why_it_stays(going):
                        print(f"stays where it is: {shown(going.file)} ({why})")
                    else:
                        moved.append(move_one(going, folder, file))
                except OSError as error:
                    if disk_full(error):
                        raise
                    print(f"stays where it is: {shown(going.file)} ({error.strerror or error})")
                bar(number, len(goings))
    finally:  # also after Ctrl-C, or with a full disk
        print(f"moved {counted(len(moved), 'file')} of {len(goings)} into {shown(folder)}"
              + (f"; python predict.py --undo={shown(log)} brings them back" if moved else ""))
    return log, moved


def move_one(going: Going, folder: str, log: BinaryIO) -> Moved:
    """Moves a file; OSError where that fails, and the file is where it was."""
    old = whole(going.file)
    while True:
        row = Moved(old, free_name(folder, os.path.basename(old)), going.sha1)
        append(log, {"from": row.old, "to": row.name, "sha1": row.sha1, "keep": os.path.realpath(going.keep)})
        try:
            place(row.old, os.path.join(folder, row.name), row.sha1)
            return row
        except FileExistsError:  # somebody took that name meanwhile
            continue


def whole(path: str) -> str:
    """The path from the root on, through no link but a link that the file itself may be."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def why_it_stays(going: Going) -> str:
    """Why a file must not go after all, in words: the folders may have changed since they were looked at; "" where it
    can go."""
    if os.path.islink(going.file):
        return "a link"
    for path, sha1, whose in ((going.file, going.sha1, "it"), (going.keep, going.kept, f"{shown(going.keep)}, which "
                                                                                       "is to stay for it,")):
        if not os.path.isfile(path):
            return f"{whose} is gone"
        if digest(path) != sha1:
            return f"{whose} has changed since it was looked at"
    return "it is the file that stays" if os.path.samefile(going.file, going.keep) else ""


def undo(log: str) -> tuple[list[str], list[str]]:
    """Brings back what a log names, the last first, from the folder that the log lies in.

    Returns:
        The files that stand at their old places again, and a line for each that does not.

    Raises:
        ValueError: no such log.
        OSError: the disk is full.
    """
    rows, folder = read_log(log), os.path.dirname(os.path.abspath(log))
    remove_remains(folder)
    back, problems, bar = [], {}, progress_bar("picture")
    for number, row in enumerate(reversed(rows), start=1):
        try:
            problem = bring_back(row, os.path.join(folder, row.name))
        except OSError as error:
            if disk_full(error):
                raise
            problem = f"{shown(row.old)}: {error.strerror or error}"
        if problem:
            problems[row.old] = problem
        else:
            back.append(row.old)
        bar(number, len(rows))
    back = list(dict.fromkeys(back))
    return back, [problem for old, problem in problems.items() if old not in back]


def bring_back(row: Moved, here: str) -> str:
    """Brings one file back from `here`; returns what stands in the way, or ""."""
    remove_remains(os.path.dirname(row.old), os.path.basename(row.old))
    if holds(here, row.sha1):
        if not os.path.lexists(row.old):
            os.makedirs(os.path.dirname(row.old), exist_ok=True)
            place(here, row.old, row.sha1)
        elif holds(row.old, row.sha1):  # the move was stopped when both were whole
            os.remove(here)
        else:
            return f"{shown(row.old)}: another file stands there, so {shown(here)} stays; move one of them away"
        return ""
    if holds(row.old, row.sha1):  # it never went, or is back already
        if os.path.isfile(here) and not os.path.getsize(here):
            os.remove(here)  # the name that was taken for a copy
        return ""
    if os.path.lexists(here):
        return f"{shown(here)}: has changed since it was moved, so it stays; it was {shown(row.old)}"
    return f"{shown(row.old)}: is neither there nor at {shown(here)}"


def holds(path: str, sha1: str) -> bool:
    """Whether a file, and no link, has these contents."""
    return os.path.isfile(path) and not os.path.islink(path) and digest(path) == sha1


def place(source: str, target: str, sha1: str) -> None:
    """Moves a file to a name that nothing has, on any device.

    Raises:
        FileExistsError: something has that name.
        OSError: as the system says it; the source is whole.
    """
    try:
        os.link(source, target)
    except FileExistsError:
        raise
    except OSError:  # another device, or a file system without links
        copy(source, target, sha1)
    sync(os.path.dirname(target))
    try:
        os.remove(source)
    except OSError:  # its folder is not ours to write to
        os.remove(target)
        raise


def copy(source: str, target: str, sha1: str) -> None:
    """Copies a file with its times to a name that nothing has, and reads the copy again before it gets that name."""
    remove_remains(os.path.dirname(target), os.path.basename(target))
    aside, before = f"{target}.{uuid.uuid4().hex[:8]}.{writer()}.new", stamp(source)
    try:
        shutil.copyfile(source, aside)
        with open(aside, "rb+") as file:
            os.fsync(file.fileno())
        if digest(aside) != sha1 or stamp(source) != before:
            raise OSError(errno.EIO, "the copy of it is another one")
        shutil.copystat(source, aside)
        try:
            os.link(aside, target)
        except FileExistsError:
            raise
        except OSError:  # a file system without links
            os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY))  # now nobody else takes this name
            os.replace(aside, target)
    except OSError as error:
        blame(error, target)
        raise
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(aside)


def sync(folder: str) -> None:
    """Makes the names in a folder last, where the system can do that."""
    with contextlib.suppress(OSError):
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def free_name(folder: str, name: str, taken: Sequence[str] | set[str] = ()) -> str:
    """The name, or "name (2).jpg" and so on where something in the folder has it."""
    stem, ending = os.path.splitext(name)
    return next(each for each in chain([name], (f"{stem} ({number}){ending}" for number in count(2)))
                if each not in taken and not os.path.lexists(os.path.join(folder, each)))


def new_log(folder: str) -> str:
    """The path of a log that is not there yet."""
    return os.path.join(folder, free_name(folder, time.strftime("moved-%Y%m%d-%H%M%S.jsonl")))


def append(log: BinaryIO, row: dict[str, Any]) -> None:
    """Writes a line of JSON, and waits until the disk has it."""
    line = (json.dumps(row) + "\n").encode()
    if log.write(line) < len(line):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), log.name)
    os.fsync(log.fileno())


def read_log(path: str) -> list[Moved]:
    """The lines of a log; the last one is left out where it was cut, because nothing was moved yet then."""
    with reading(path, "a log that --move_to wrote, moved-....jsonl"):
        with open(path, "rb") as file:
            return list(map(read_line, whole_lines(file.read())))


def whole_lines(text: bytes) -> Iterator[bytes]:
    """The lines that end."""
    yield from text.split(b"\n")[:-1]


def read_line(line: bytes) -> Moved:
    """A line of a log; ValueError where it is none."""
    row = json.loads(line)
    moved = Moved(row["from"], row["to"], row["sha1"])
    if not all(isinstance(text, str) for text in moved) or os.path.basename(moved.name) != moved.name or not moved.name:
        raise ValueError(f"the line {line[:80]!r}")
    return moved
