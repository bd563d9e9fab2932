"""Photos with boxes -> photos to train on, to choose the best epoch by, and to test on; no photo in two parts."""

import os
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from tasks.detection.data.formats.parts import part_of
from tasks.detection.data.reading import read_boxes
from tasks.detection.data.samples import BoxSet, Sample
from utils.data.files import identical
from utils.data.photos import drawn
from utils.saying import counted, left_out, say_once, some

VERSION = re.compile(r"\.rf\.[0-9a-f]{8,}$")  # what Roboflow puts behind the name of each changed version of a photo


class Parts(NamedTuple):
    """Samples by part, and a sentence on how they were split."""

    samples: dict[str, list[Sample]]
    how: str


def read(root: str, form: str = "auto", classes: Sequence[str] = (), skip_broken: bool = True) -> BoxSet:
    """The photos with boxes below a folder; says what was found, and what was left out.

    Args:
        form: as of `tasks.detection.data.reading.read_boxes`.
        classes: the boxes of these alone, numbered in their order; (): of all.
        skip_broken: whether photos with damaged boxes are left out.

    Raises:
        ValueError: no boxes, classes that nobody names, or damaged annotations and not `skip_broken`.
    """
    root = os.path.expanduser(root)
    found = kept(root, form, tuple(classes), stamp(root))
    print(found.how)
    if found.problems and not skip_broken:
        raise ValueError(f"{counted(len(found.problems), 'photo')} cannot be used: {some(found.problems)}; mend them "
                         "or pass --skip_broken")
    left_out(counted(len(found.problems), "photo"), found.problems)
    if not any(len(sample.labels) for sample in found.samples):
        raise ValueError(f"{root}: found {counted(len(found.samples), 'photo')} and no box on them, expected boxes")
    return found


def stamp(root: str) -> tuple:
    """What changes when a file of a folder does: how many there are, and when the last one was written."""
    if os.path.isfile(root):
        return (os.stat(root).st_mtime_ns,)
    times = [os.stat(os.path.join(folder, name)).st_mtime_ns for folder, _, names in os.walk(root) for name in names
             if os.path.exists(os.path.join(folder, name))]
    return len(times), max(times, default=0)


@lru_cache(maxsize=2)
def kept(root: str, form: str, classes: tuple[str, ...], stamp: tuple) -> BoxSet:
    """The set of a folder, read once as long as no file in it changes."""
    return only(read_boxes(root, form), classes) if classes else read_boxes(root, form)


def only(found: BoxSet, classes: tuple[str, ...]) -> BoxSet:
    """The set with the boxes of some classes, numbered in their order; ValueError for classes that it does not name."""
    missing = [name for name in classes if name not in found.names]
    if missing:
        raise ValueError(f"--classes: {found.root} has no class {some(missing)}, expected some of {some(found.names)}")
    numbers = np.array([classes.index(name) if name in classes else -1 for name in found.names], "int32")
    samples = []
    for each in found.samples:
        labels = numbers[each.labels] if len(each.labels) else each.labels
        rows = labels >= 0
        samples.append(each._replace(boxes=each.boxes[rows], labels=labels[rows], crowd=each.crowd[rows],
                                     area=each.area[rows]))
    return found._replace(names=list(classes), samples=samples)


def split(found: BoxSet, val_share: float, test_share: float, seed: int) -> Parts:
    """The photos by the lists of a set that tell parts, or by the folders train, val and test; where these do not place
    all photos, by chance, and that is said.

    Photos of the same contents, and versions of one photo as Roboflow names them, count as one and never stand in two
    parts; where folders put them into two, the later part goes without them, and they are named.
    """
    group = groups_of(found)
    parts: dict[str, list[Sample]] = {"train": [], "validation": [], "test": []}
    placed = {sample.path: found.parts.get(sample.path) or part_of(sample.path) for sample in found.samples}
    used = all(placed.values()) and set(placed.values()) >= {"train"} and len(set(placed.values())) > 1
    if not used:
        tell_unused(placed)
    if used:
        twice = by_folders(found, group, placed, parts)
        left_out(f"{counted(len(twice), 'photo')} of which another part holds a version", twice)
        if not parts["validation"] and val_share:
            parts["train"], parts["validation"] = by_chance(parts["train"], group, val_share, seed)
        by_lists = [sample.path in found.parts for sample in found.samples]
        how = "split by " + " and ".join([found.told_by] * any(by_lists)
                                         + ["the folders train, val and test"] * (not all(by_lists)))
    elif len(set(group.values())) < 5:
        return Parts(parts | {"train": found.samples, "test": found.samples},
                     f"{counted(len(found.samples), 'photo')}: trained and tested on the same photos, so the figures "
                     "say nothing about quality")
    else:
        rest, parts["test"] = by_chance(found.samples, group, test_share, seed)
        parts["train"], parts["validation"] = by_chance(rest, group, val_share, seed + 1)
        how = "split by photo"
    if not parts["train"]:
        raise ValueError(f"{found.root}: no photos would be left to train on; lower --val_share and --test_share")
    words = ", ".join(f"{len(samples)} {text}" for text, samples
                      in zip(("to train on", "to validate", "to test"), parts.values()))
    return Parts(parts, f"{how}: {words}")


def tell_unused(placed: dict[str, str]) -> None:
    """Says once that the parts which a set tells are not used, and how to have them used; nothing where it tells none,
    or one part of all photos to split.

    Args:
        placed: of each photo its part, or "".
    """
    there, loose = set(placed.values()), [path for path, part in placed.items() if not part]
    if there <= {""} or there == {"train"}:
        return
    why = (f"{counted(len(loose), 'photo')} {'is' if len(loose) == 1 else 'are'} in no part: {some(loose)}" if loose
           else f"the only {'part is' if len(there) == 1 else 'parts are'} {' and '.join(sorted(there))}")
    say_once(f"{why}; so photos are split by chance, and not by the folders and lists that name parts: name a part "
             "train and another val or test, with all photos in them, to have these used")


def groups_of(found: BoxSet) -> dict[str, int]:
    """A number for each photo, the same for photos of the same contents and for versions of one photo."""
    paths = [sample.path for sample in found.samples]
    number = list(range(len(paths)))
    first: dict[str, int] = {}
    for row, path in enumerate(paths):
        stem = os.path.splitext(os.path.basename(path))[0]
        if VERSION.search(stem):
            number[row] = first.setdefault(VERSION.sub("", stem), row)
    for same in identical([os.path.join(found.root, path) for path in paths]):
        low, others = min(number[row] for row in same), {number[row] for row in same}
        number = [low if each in others else each for each in number]
    return dict(zip(paths, number))


def by_folders(found: BoxSet, group: dict[str, int], placed: dict[str, str], parts: dict[str, list[Sample]],
               ) -> list[str]:
    """Puts the photos into the parts of their folders; returns those that another part holds already."""
    owner: dict[int, str] = {}
    twice = []
    for part in parts:
        for sample in found.samples:
            if placed[sample.path] == part:
                if owner.setdefault(group[sample.path], part) == part:
                    parts[part].append(sample)
                else:
                    twice.append(sample.path)
    return twice


def by_chance(samples: list[Sample], group: dict[str, int], share: float, seed: int,
              ) -> tuple[list[Sample], list[Sample]]:
    """The samples without a share of the groups, drawn from the seed, and that share."""
    numbers = sorted({group[sample.path] for sample in samples})
    chosen = set(drawn([str(each) for each in numbers], share, seed)[1])
    held = [sample for sample in samples if str(group[sample.path]) in chosen]
    return [sample for sample in samples if str(group[sample.path]) not in chosen], held
