"""Samples -> rows to train on, to choose the best epoch by, and to test on; split by class where there are enough."""

import contextlib
import filecmp
import hashlib
import os
from dataclasses import dataclass

import numpy as np

from utils.data.classes import EVALUATION, TRAINING, Samples, from_files
from utils.data.files import BEGIN, evenly, patterns, walk
from utils.saying import counted
from utils.seen.learnt import NOTHING, Learnt, of_split, pictures_at

COMPARED = 20  # names of a split that are compared with those of another folder
FEWEST_TO_HOLD_OUT = 10  # classes; with fewer, images of the same classes are held out instead
FEWEST_TO_PART = 8  # images of such a class, or none of them is held out


@dataclass(frozen=True)
class Split:
    """Rows of a `Samples` for training, validation and test, and a sentence on how they were chosen."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    how: str


def split_by_class(samples: Samples, val_share: float, test_share: float, seed: int,
                   before: Learnt = NOTHING) -> Split:
    """Holds whole classes out for validation and test, so that quality is that on unseen classes.

    Classes below `images_evaluation/` are the test; otherwise `test_share` of the classes is. Where
    classes come in four or more groups, whole groups are held out. Fewer than ten classes: all are
    trained on, and images of theirs are held out, which measures less. Neither validation nor test gets
    much more than its share of the images, and each gets a class of two images or more where there is one.
    The choice depends on the seed, on the names, and on the number of images of each class.

    What the first weights trained on, `before`, is neither validation nor test, and what they chose their epoch by is
    no test: it is trained on. So of the same classes the same ones stay held out.
    """
    rng = np.random.default_rng(seed)
    names = np.array(samples.classes)
    apart = np.array([name.startswith(EVALUATION + os.sep) for name in names])
    trained, seen = before.kept_apart(samples.full_paths())
    if not apart.any() and len(names) < FEWEST_TO_HOLD_OUT:
        return split_by_image(samples, val_share, test_share, rng, trained, seen)
    by_group = len(np.unique(samples.groups[~apart])) >= 4
    units = samples.groups if by_group else np.arange(len(names))  # what is held out as a whole: the unit of each class
    order = rng.permutation(np.unique(units[~apart]))
    least = 1 if by_group else 2  # a single class gives no different pairs, a single group does
    held = [max(least, round(share * len(order))) if share else 0 for share in (val_share, test_share)]
    if np.sum(~apart) < FEWEST_TO_HOLD_OUT:
        held = [0, 0]  # all that is not for the test is needed for training
    counts = np.bincount(units[samples.labels], minlength=units.max() + 1)  # images of each unit
    # classes of two images or more in each
    several = np.bincount(units, np.bincount(samples.labels, minlength=len(names)) > 1)
    trained, seen = (np.unique(units[samples.labels[rows]]) for rows in (trained, seen))  # units
    images = counts[order].sum()
    if not len(seen):
        chosen = choose(order, counts, several, held[0], val_share)
        rest = choose(order[~np.isin(order, chosen)], counts, several, held[1], test_share, images)
    else:  # few classes may be left to test on, so these are chosen first
        rest = np.array([], int) if apart.any() else choose(order[~np.isin(order, seen)], counts, several, held[1],
                                                            test_share, images)
        fit = order[~np.isin(order, [*trained, *rest])]
        fit = fit[np.argsort(~np.isin(fit, seen), kind="stable")]  # what validated before does so again
        chosen = choose(fit, counts, several, held[0], val_share, images)
    validation = np.isin(units, chosen) & ~apart
    test = apart & ~np.isin(units, seen) if apart.any() else np.isin(units, rest)
    train = ~validation & ~test
    if train.sum() < 2:
        raise ValueError(
            f"{samples.root}: {counted(len(names), 'class', 'classes')}, of which {train.sum()} would be left for "
            "training; lower --val_share and --test_share"
        )
    kind = "groups" if by_group else "classes"
    return Split(
        *(np.flatnonzero(part[samples.labels]) for part in (train, validation, test)),
        how=f"split by class (whole {kind}): {in_words(samples, train)} to train on, {in_words(samples, validation)} "
            f"to validate, {in_words(samples, test)} to test; classes in two parts: "
            f"{in_two_parts(names, train, validation, test)}{kept_for_training(before, len(seen))}",
    )


def kept_for_training(before: Learnt, learnt: int) -> str:
    """That a part is not drawn from all, because the first weights learnt so many of them; "": it is."""
    return f"; what {before.weights} learnt before is not tested on" if learnt else ""


def seen_in_training(how: str) -> bool:
    """Whether a split, by its sentence, holds out images of the classes trained on, and not whole classes."""
    return how.startswith("split by image")


def in_words(samples: Samples, classes: np.ndarray) -> str:
    """How many classes (a mask) and images a part has."""
    return f"{classes.sum()} classes ({int(classes[samples.labels].sum())} images)"


def choose(order: np.ndarray, counts: np.ndarray, several: np.ndarray, most: int, share: float,
           images: int = 0) -> np.ndarray:
    """At most so many of the units in `order` as fit the share of the images. If a unit has a class with two images,
    one such unit is chosen.

    Args:
        order: the units to choose from, in random order.
        counts: images of each unit; several: classes of two images or more in each.
        most: units to choose; share: of all images that they may hold, or twice that.
        images: of all units; 0: of those in `order`.
    """
    if not most or not len(order):
        return np.array([], int)
    room = 2 * max(share * (images or counts[order].sum()), most * np.median(counts[order]))
    with_pairs = order[several[order] > 0]
    first = with_pairs[counts[with_pairs] <= room][:1]  # otherwise there might be no same pair to measure
    chosen, held = [], 0
    for unit in [*first, *order[~np.isin(order, first)]]:
        if len(chosen) < most and held + counts[unit] <= room:
            chosen.append(unit)
            held += counts[unit]
    return np.array(chosen, int)


def split_by_image(samples: Samples, val_share: float, test_share: float, rng, trained: np.ndarray,
                   seen: np.ndarray) -> Split:
    """Holds images of every class out; classes with fewer than eight images keep them all, which is said. Images that
    the first weights `trained` on (N,) are not held out, and those that they have `seen` (N,) are no test."""
    parts = [[], [], []]  # validation, test, train
    for label in range(len(samples.classes)):
        rows = rng.permutation(np.flatnonzero(samples.labels == label))
        held = [max(2, round(share * len(rows))) if share and len(rows) >= FEWEST_TO_PART else 0
                for share in (val_share, test_share)]
        if seen[rows].any():  # those that validated before come first, and those that were trained on last
            rows = rows[np.argsort(2 * trained[rows] + ~seen[rows], kind="stable")]
            held[1] = min(held[1], int(np.sum(~seen[rows])))
            held[0] = min(held[0], int(np.sum(~trained[rows])) - held[1])
            rows = np.concatenate([rows[: held[0]], sorted(rows[held[0]:], key=seen.__getitem__)]).astype(int)
        for part, chosen in zip(parts, np.split(rows, np.cumsum(held))):
            part.extend(chosen)
    few = sum(np.bincount(samples.labels, minlength=len(samples.classes)) < FEWEST_TO_PART)
    if few and (val_share or test_share):
        print(f"{counted(few, 'class has', 'classes have')} fewer than {FEWEST_TO_PART} images, of which none is held "
              "out: --val_share and --test_share mean the others")
    validation, test, train = (np.sort(np.array(part, int)) for part in parts)
    if len(np.unique(samples.labels[train])) < 2:
        raise ValueError(f"{samples.root}: too few images would be left for training; lower --val_share and "
                         "--test_share")
    return Split(
        train, validation, test,
        how=f"split by image, because {len(samples.classes)} classes are too few to hold some out "
            f"({FEWEST_TO_HOLD_OUT} are needed): {len(train)} images to train on, {len(validation)} to validate, "
            f"{len(test)} to test; the figures are for classes seen in training",
    )


def held_out(samples: Samples, split: Split) -> dict:
    """What split.json remembers: where the images lie, the classes trained on, and what was held out."""
    return {
        "how": split.how,
        "root": os.path.abspath(samples.root),
        "images": len(samples.paths),
        "train_classes": sorted({samples.classes[label] for label in samples.labels[split.train]}),
        "validation": short_list(samples, split.validation),
        "test": short_list(samples, split.test),
    }


def fingerprint(root: str, held_out: dict) -> str:
    """What tells, for split.json, that a picture of the parts was replaced: sha1 of the names, sizes, begins and ends
    of all, hexadecimal. A name may be that of a folder, of which the pictures count, and not what a search keeps there;
    what cannot be read counts by its name alone."""
    found = hashlib.sha1()
    parts = [held_out.get(part) for part in ("train_classes", "train", "validation", "test")]
    for name in sorted({name for part in parts if isinstance(part, list) for name in part}):
        for file in pictures_at(root, name):
            found.update(os.fsencode(os.path.join(name, os.path.basename(file))))
            with contextlib.suppress(OSError):
                if os.path.isfile(file):  # to read a pipe or a device might never end
                    with open(file, "rb") as opened:
                        size = os.fstat(opened.fileno()).st_size
                        found.update(b"%d" % size + opened.read(BEGIN))
                        opened.seek(max(0, size - BEGIN))
                        found.update(opened.read(BEGIN))
    return found.hexdigest()


def told(*values: np.ndarray) -> str:
    """What tells, for split.json, that something told of the files has changed, such as scores or boxes."""
    found = hashlib.sha1()
    for each in values:
        found.update(repr((each.shape, each.dtype.str)).encode() + each.tobytes())
    return found.hexdigest()


def short_list(samples: Samples, rows: np.ndarray) -> list[str]:
    """The files at `rows`, relative to the root; a class that is there with all its images by its folder.

    Where --exclude is passed, each file is named, because the folder may hold others.
    """
    entries = []
    for label in np.unique(samples.labels[rows]):
        members = rows[samples.labels[rows] == label]
        whole = not patterns() and len(members) == np.sum(samples.labels == label)
        entries += [samples.classes[label]] if whole else [samples.paths[row] for row in members]
    return entries


def from_short_list(root: str, entries: list[str]) -> Samples:
    """The samples that `short_list` listed, without those that are not there any more."""
    files = []
    for entry in entries:
        path = os.path.join(root, entry)
        if os.path.isdir(path):
            files += [os.path.join(entry, image) for image in walk(path)[0] if os.sep not in image]
        elif os.path.isfile(path):
            files.append(entry)
    if not files:
        raise ValueError(f"{root}: none of the {len(entries)} folders and files that were held out is there")
    return from_files(root, sorted(files))


def where_training_read(split: dict, root: str, names: list[str]) -> str:
    """The folder that the names in a run's split.json start from: `root`, if the data were moved or copied there.

    They were moved if the folder of the split is gone and more than half of the names are below `root`, and copied if
    more than half of some names stand for the same files in both folders.
    """
    read = split["root"] or "."
    if not os.path.isdir(read):
        moved = sum(os.path.exists(os.path.join(root, name)) for name in names) > len(names) / 2
        if moved:
            print(f"{split['root']}, where training read, is gone: {root} is taken for the same data, moved")
        return root if moved else split["root"]
    if os.path.realpath(read) == os.path.realpath(root):
        return split["root"]
    some = evenly(names, COMPARED)
    copied = sum(holds_the_same(os.path.join(read, name), os.path.join(root, name)) for name in some) > len(some) / 2
    if copied:
        print(f"{root} holds files of {split['root']}, where training read: it is taken for the same data, copied")
    return root if copied else split["root"]


def holds_the_same(one: str, other: str) -> bool:
    """Whether two files have the same contents, or two folders a file of one name and the same contents."""
    with contextlib.suppress(OSError):
        if os.path.isfile(one):
            return filecmp.cmp(one, other, shallow=False)
        names = os.listdir(one)  # raises where there is none
        common = sorted(name for name in names if os.path.isfile(os.path.join(other, name)))[:3]
        return any(filecmp.cmp(os.path.join(one, name), os.path.join(other, name), shallow=False) for name in common)
    return False


def without_classes(samples: Samples, split: dict, run: str = "") -> tuple[Samples, str]:
    """The samples of classes that a run (its split.json) did not see; says how many.

    A class was seen where it holds the contents of a file that the run, or one that it started from, learnt; or where
    its folder is one that the run read. The classes to validate count as seen: the epoch, or the map that is kept, was
    chosen or fitted by them. `run` is the folder of the run, which tells what an older one started from.

    Returns:
        The samples, and why it cannot be told of some that training did not see them, or "".
    """
    names = split.get("train_classes", [])
    read = where_training_read(split, samples.root, names)
    folders = {os.path.realpath(os.path.join(read, name)) for name in [*names, *split.get("validation", [])]}
    learnt = of_split(split, read, run)
    seen = learnt.rows(samples.full_paths())[1] | [
        os.path.realpath(os.path.join(samples.root, os.path.dirname(path))) in folders for path in samples.paths]
    kept = ~np.isin(samples.labels, samples.labels[seen])
    if not any(kept):
        raise ValueError(f"{samples.root}: training saw every class in it, so there is nothing left to measure")
    left = from_files(samples.root, samples.take(np.flatnonzero(kept)).paths)
    if len(left.classes) < len(samples.classes) or not learnt.unknown:
        print(f"left out {counted(len(samples.classes) - len(left.classes), 'class', 'classes')} that training saw; "
              f"{len(left.classes)} remain")
    return left, untold(learnt, f"classes of {samples.root}")


def untold(learnt: Learnt, what: str) -> str:
    """That it cannot be told whether training saw what is measured on, and why; "" where it can."""
    return f"whether training saw some of the {what} cannot be told: {learnt.unknown}" if learnt.unknown else ""


def in_two_parts(names: np.ndarray, *parts: np.ndarray) -> int:
    """How many classes stand in more than one part (boolean masks), by name.

    `images_background/mug` and `images_evaluation/mug` are one class.
    """
    bare = [{name.removeprefix(TRAINING + os.sep).removeprefix(EVALUATION + os.sep) for name in names[part]}
            for part in parts]
    return sum(len(part & set().union(*bare[:number])) for number, part in enumerate(bare))


def comparable(labels: np.ndarray) -> bool:
    """Whether images of these labels give both same and different pairs."""
    counts = np.bincount(labels) if len(labels) else np.zeros(1, int)
    return bool((counts > 1).any() and (counts > 0).sum() > 1)
