"""What a run, and the runs that it started from, learnt from: files told by their contents, whatever their names."""

import contextlib
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from utils.data.files import is_wanted, scan
from utils.data.formats.kinds import is_picture
from utils.run import folder as runs

PIECE = 2**14  # bytes that are looked at in each of three places of a file
LENGTH = 16  # hexadecimal digits of a key


class Learnt(NamedTuple):
    """The keys of files that a run, or those it started from, trained on, and chose its best epoch by.

    Attributes:
        weights: the run folder or .keras file, as the flags named it.
        unknown: why it cannot be told of some files, or of all; "": it can.
        apart: whether a new split keeps these files out of what it measures on.
    """

    train: frozenset[str] = frozenset()
    validation: frozenset[str] = frozenset()
    weights: str = ""
    unknown: str = ""
    apart: bool = True

    def rows(self, paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Which files (N,) were trained on, and which were trained on or chosen by: two masks (N,)."""
        keys = [key(path) for path in paths] if self.train or self.validation else [""] * len(paths)
        trained = np.array([each in self.train for each in keys], bool)
        return trained, trained | np.array([each in self.validation for each in keys], bool)

    def kept_apart(self, paths: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """As `rows`, for a new split: none where it does not heed them."""
        return self.rows(paths) if self.apart else NOTHING.rows(paths)

    def joined(self, other: "Learnt") -> "Learnt":
        """What both learnt."""
        return self._replace(train=self.train | other.train, validation=self.validation | other.validation,
                             unknown=self.unknown or other.unknown)

    def as_texts(self) -> dict[str, str]:
        """For split.json."""
        return {"weights": self.weights, "unknown": self.unknown,
                "train": " ".join(sorted(self.train)), "validation": " ".join(sorted(self.validation))}


NOTHING = Learnt()


def key(path: str) -> str:
    """What tells a file by its contents: sha1 of its size and of its begin, middle and end, in 16 hexadecimal digits;
    "" where it cannot be read. A file of 48 KiB or less counts whole, and 10 000 large ones take seconds."""
    with contextlib.suppress(OSError):
        if os.path.isfile(path):  # to read a pipe or a device might never end
            with open(path, "rb") as file:
                size = os.fstat(file.fileno()).st_size
                found = hashlib.sha1(b"%d" % size)
                for place in (0, (size - PIECE) // 2, size - PIECE) if size > 3 * PIECE else (0,):
                    file.seek(place)
                    found.update(file.read(3 * PIECE if size <= 3 * PIECE else PIECE))
                return found.hexdigest()[:LENGTH]
    return ""


def pictures_at(root: str, name: str) -> list[str]:
    """The pictures that a name of split.json stands for, sorted: those in a folder, and not what a search keeps there;
    or the file itself, whether it is there or not."""
    path = os.path.join(root, name)
    if not os.path.isdir(path):
        return [path]
    return sorted(entry.path for entry in scan(path) if is_wanted(os.path.join(name, entry.name))
                  and is_picture(entry.path))


def files_of(root: str, split: dict[str, Any]) -> dict[str, list[str]]:
    """The files of a split by part, "train", "validation" and "test"; of classes that are trained on, without what is
    held out of them."""
    named = {part: split.get(part) for part in ("train", "train_classes", "validation", "test")}
    found = {part: [path for name in names for path in pictures_at(root, name)] if isinstance(names, list) else []
             for part, names in named.items()}
    held = {*found["validation"], *found["test"]}
    classes = [path for path in found.pop("train_classes") if path not in held]
    return {**found, "train": found["train"] + classes}


def of_files(root: str, split: dict[str, Any]) -> Learnt:
    """What is learnt from the files of a split, which are read below `root`."""
    found = files_of(root, split)
    train, validation = (frozenset(map(key, found[part])) - {""} for part in ("train", "validation"))
    return Learnt(train, validation)


def of_split(split: dict[str, Any], root: str = "", flags: str = "") -> Learnt:
    """What a run learnt, and what the runs had learnt that it started from, by its split.json as `runs.read_split`
    gives it. Of a run that kept no keys, the files that it names are read while they are there.

    Args:
        root: where these files are now; "": where training read them.
        flags: the folder whose flags.txt tells what an older run started from; "": not asked.
    """
    if not split:
        return Learnt(unknown="it has no split.json")
    if "learnt" in split:
        own = from_texts(split["learnt"])
        return own.joined(from_texts(split["before"])) if "before" in split else own
    root = root or split["root"]
    names = [name for part in ("train", "train_classes", "validation") for name in split.get(part, [])]
    gone = sum(not os.path.exists(os.path.join(root, name)) for name in names)
    own = of_files(root, split)._replace(
        unknown=f"it kept no contents of its files, and {gone} of the {len(names)} that it names are not in {root}"
        if gone else "")
    start = first_weights(flags) if flags else ""
    return own.joined(of_weights(start)) if start else own


def from_texts(texts: dict[str, str]) -> Learnt:
    """What `Learnt.as_texts` wrote."""
    train, validation, weights, unknown = (str(texts.get(name, "")) for name in ("train", "validation", "weights",
                                                                                 "unknown"))
    return Learnt(frozenset(train.split()), frozenset(validation.split()), weights, unknown)


def first_weights(folder: str) -> str:
    """The run or .keras file that an older run started from, by its flags.txt; "" where it started from none."""
    path = Path(folder, runs.FLAGS)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
    weights = next((line.partition("=")[2] for line in lines if line.startswith("--weights=")), "")
    same = weights and os.path.realpath(folder_of(weights)) == os.path.realpath(folder)
    return weights if is_model(weights) and not same else ""


def is_model(weights: str) -> bool:
    """Whether --weights names a run folder or a .keras file."""
    return weights.endswith(".keras") or bool(weights) and os.path.isdir(os.path.expanduser(weights))


def folder_of(weights: str) -> str:
    """The run folder of what --weights names."""
    path = os.path.expanduser(weights)
    return path if os.path.isdir(path) else os.path.dirname(path)


def of_weights(weights: str) -> Learnt:
    """What a run folder or .keras file learnt, with all that it started from."""
    folder = folder_of(weights)
    return of_split(runs.read_split(folder), flags=folder)._replace(weights=weights)


def before(options) -> Learnt:
    """What the first weights of a training learnt, by its flags; nothing where these are no run of this project.

    A run that goes on splits as it began: what it has written counts, and an older one that has written nothing of
    this keeps its split.
    """
    kept = runs.read_split(os.path.join(runs.LOGS, options.run)) if options.resume else {}
    if "before" in kept:
        return from_texts(kept["before"])
    if "learnt" in kept or not is_model(options.weights):
        return NOTHING
    return of_weights(options.weights)._replace(apart=not kept)


def doubt_of(first: Learnt, root: str, split: dict[str, Any]) -> str:
    """What makes the figures of a run doubtful, because its first weights learnt from what it measures on; "": nothing.

    Args:
        first: as `before` returns it.
        root: the folder of the split's files.
        split: what the run holds out.
    """
    if not first.weights:
        return ""
    found, said = files_of(root, split), []
    for part, what in (("test", "test"), ("validation", "validate")):
        seen = int(first.rows(found[part])[part == "test"].sum())
        if seen:
            said.append(f"{seen} of the {len(found[part])} pictures to {what} on")
    if said:
        return (f"{' and '.join(said)} were learnt by {first.weights}, from which this training started: the figures "
                "say too much")
    if first.unknown and (found["test"] or found["validation"]):
        return (f"what {first.weights} learnt, from which this training started, cannot be told ({first.unknown}): the "
                "pictures to test on may be among it")
    return ""


def kept(first: Learnt, doubt: str, root: str, split: dict[str, Any]) -> dict[str, Any]:
    """What split.json remembers of all this: the keys of what the run learns from, and where it started from another
    one, of what had been learnt before, and what `doubt` says."""
    own = {"learnt": of_files(root, split).as_texts()}
    return own | ({"before": first.as_texts(), runs.DOUBT: doubt} if first.weights else {})
