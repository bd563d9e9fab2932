"""Folders of images -> samples with classes and groups, and their split by class."""

import os
from dataclasses import dataclass, field, replace

import numpy as np

from utils.data.images import is_image_name

TRAINING, EVALUATION = "images_background", "images_evaluation"
GLYPHS = "glyphs"
FEWEST_TO_HOLD_OUT = 10  # classes; with fewer, images of the same classes are held out instead
IGNORED = ("thumbs.db", "desktop.ini")
PARTS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}  # of a data set


@dataclass(frozen=True)
class Samples:
    """Image files and what each shows.

    Attributes:
        root: the folder that the relative `paths` start from.
        paths: (N,) files, sorted.
        labels: (N,) class of each file, 0 to classes - 1.
        classes: name of each class, e.g. "Latin/character01" or "chapter1".
        groups: (classes,) group of each class: its alphabet, or 0 where there are none.
        others: files that are no images by their name, or lie where no class is.
    """

    root: str
    paths: list[str]
    labels: np.ndarray
    classes: list[str]
    groups: np.ndarray
    others: list[str] = field(default_factory=list)

    def full_paths(self) -> list[str]:
        return [os.path.join(self.root, path) for path in self.paths]

    def at(self, rows: np.ndarray) -> "Samples":
        """Only these rows; labels and classes stay as they are."""
        return replace(self, paths=[self.paths[row] for row in rows], labels=self.labels[rows])


@dataclass(frozen=True)
class Split:
    """Rows of a `Samples` for training, validation and test, and a sentence on how they were chosen."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    how: str


def read_samples(root: str, own_data: bool) -> Samples:
    """Finds the images below `root` in the layout that `own_data` names.

    Args:
        root: holds `images_background/` and perhaps `images_evaluation/`, or is such a folder.
        own_data: True for <chapter>/<image>, False for <alphabet>/<character>/<image>.

    Raises:
        ValueError: no images, a layout of the other kind (naming the right `train_own_data`), parts such as
            train/ and test/, images outside any class folder, or a single class.
    """
    if in_parts(root):
        found = sorted(folders_in(root))
        part = os.path.join(root, "train" if "train" in found else found[0])
        raise ValueError(f"{root}: found {', '.join(found)}, parts of a data set and no classes; pass the one to train on, "
                         f"such as --dataset_path={part}")
    parts = [part for part in (TRAINING, EVALUATION) if os.path.isdir(os.path.join(root, part))]
    slashes = 1 if own_data else 2
    apart = {name for name in folders_in(root) if not own_data and in_parts(os.path.join(root, name))}
    files, others = [], []
    for part in parts or [""]:
        images, foreign = walk(os.path.join(root, part))
        check_layout(os.path.join(root, part), images, own_data)
        for image in images:
            lies_in_a_class = image.count(os.sep) == slashes and image.split(os.sep)[0] not in apart
            (files if lies_in_a_class else others).append(os.path.join(part, image))
        others += [os.path.join(part, file) for file in foreign]
    return at_least_two(from_files(root, files, others))


def at_least_two(samples: Samples) -> Samples:
    """The samples, if they show two classes."""
    if len(samples.classes) < 2:
        raise ValueError(
            f"{samples.root}: found one class, {samples.classes[0]!r}; expected two or more folders of images, "
            "one for each kind of thing"
        )
    return samples


def from_files(root: str, files: list[str], others: list[str] | None = None) -> Samples:
    """Samples of files relative to `root`: the folder of a file is its class, the one above its group."""
    classes, labels = np.unique([os.path.dirname(file) for file in files], return_inverse=True)
    groups = np.unique([os.path.dirname(c) for c in classes], return_inverse=True)[1]
    return Samples(root, files, labels, [str(c) for c in classes], groups, others or [])


def find_root(path: str, own_data: bool) -> tuple[str, bool]:
    """The folder to read, and whether glyphs are to be rendered there first.

    It is `path`, unless no own data is asked for and `path` holds no image and no folder but, perhaps,
    `glyphs/` and data sets in parts, such as photos in `bsds500/train/` and `bsds500/test/`.
    """
    entries = [entry for entry in scan(path) if entry.name != GLYPHS and not entry.name.startswith(".")]
    if own_data or any(not in_parts(entry.path) if entry.is_dir() else is_image_name(entry.name) for entry in entries):
        return path, False
    glyphs = os.path.join(path, GLYPHS)
    return glyphs, not os.path.isdir(glyphs)


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
        if below != "." and TRAINING in folders:  # another data set, such as datasets/glyphs
            folders.clear()
            continue
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith(".") or name.lower() in IGNORED:
                continue
            path = name if below == "." else os.path.join(below, name)
            (images if is_image_name(name) else others).append(path)
    return sorted(images), sorted(others)


def check_layout(root: str, images: list[str], own_data: bool) -> None:
    """Raises ValueError where most images do not lie as deep as the layout has them."""
    if not images:
        raise ValueError(f"{root}: no images found; expected {layout(own_data)} (jpg, png, bmp, ...)")
    depths = np.array([image.count(os.sep) + 1 for image in images])
    wanted, other = (2, 3) if own_data else (3, 2)
    if np.mean(depths == wanted) > 0.5:
        return
    example = os.path.join(root, images[0])
    if np.mean(depths == other) > 0.5:
        flag = "--train_own_data" if not own_data else "--notrain_own_data"
        raise ValueError(
            f"{root}: found the layout {layout(not own_data)} (as in {example}), "
            f"expected {layout(own_data)}: pass {flag}"
        )
    raise ValueError(f"{root}: found {example}, expected {layout(own_data)}: one folder for each class")


def layout(own_data: bool) -> str:
    """The layout in words."""
    return "<chapter>/<image>" if own_data else "<alphabet>/<character>/<image>"


def describe(samples: Samples) -> list[str]:
    """What was found, in lines to print."""
    counts = np.bincount(samples.labels, minlength=len(samples.classes))
    groups = samples.groups.max() + 1
    lines = [
        f"found {len(samples.paths)} images of {len(samples.classes)} classes"
        + (f" in {groups} groups" if groups > 1 else "")
        + f" below {samples.root}: {counts.min()} / {int(np.median(counts))} / {counts.max()} images"
        " a class (least / median / most)"
    ]
    single = int(np.sum(counts == 1))
    if single:
        lines.append(f"{single} classes hold one image: their same pairs are that image changed in two ways")
    return lines


def split_by_class(samples: Samples, val_share: float, test_share: float, seed: int) -> Split:
    """Holds whole classes out for validation and test, so that quality is that on unseen classes.

    Classes below `images_evaluation/` are the test; otherwise `test_share` of the classes is. Where
    classes come in four or more groups, whole groups are held out. Fewer than ten classes: all are
    trained on, and images of theirs are held out, which measures less. The choice depends on the
    seed and on the names alone.
    """
    rng = np.random.default_rng(seed)
    names = np.array(samples.classes)
    apart = np.array([name.startswith(EVALUATION + os.sep) for name in names])
    if not apart.any() and len(names) < FEWEST_TO_HOLD_OUT:
        return split_by_image(samples, val_share, test_share, rng)
    units = samples.groups if len(np.unique(samples.groups[~apart])) >= 4 else np.arange(len(names))
    order = rng.permutation(np.unique(units[~apart]))
    least = 1 if units is samples.groups else 2  # one class alone gives no different pairs
    held = [max(least, round(share * len(order))) if share else 0 for share in (val_share, test_share)]
    if np.sum(~apart) < FEWEST_TO_HOLD_OUT:
        held = [0, 0]  # all that is not for the test is needed for training
    validation = np.isin(units, order[: held[0]]) & ~apart
    test = apart if apart.any() else np.isin(units, order[held[0] : held[0] + held[1]])
    train = ~validation & ~test
    if train.sum() < 2:
        raise ValueError(
            f"{samples.root}: {len(names)} classes, of which {train.sum()} would be left for training; "
            "lower --val_share and --test_share"
        )
    kind = "groups" if units is samples.groups else "classes"
    return Split(
        *(np.flatnonzero(part[samples.labels]) for part in (train, validation, test)),
        how=f"split by class (whole {kind}): {train.sum()} classes to train on, "
        f"{validation.sum()} to validate, {test.sum()} to test; "
        f"classes in two parts: {overlap(names, train, validation, test)}",
    )


def split_by_image(samples: Samples, val_share: float, test_share: float, rng) -> Split:
    """Holds images of every class out; classes with fewer than eight images keep them all."""
    parts = [[], [], []]  # validation, test, train
    for label in range(len(samples.classes)):
        rows = rng.permutation(np.flatnonzero(samples.labels == label))
        held = [max(2, round(share * len(rows))) if share and len(rows) >= 8 else 0
                for share in (val_share, test_share)]
        for part, chosen in zip(parts, np.split(rows, np.cumsum(held))):
            part.extend(chosen)
    validation, test, train = (np.sort(np.array(part, int)) for part in parts)
    if len(np.unique(samples.labels[train])) < 2:
        raise ValueError(f"{samples.root}: too few images would be left for training; lower --val_share and --test_share")
    return Split(
        train, validation, test,
        how=f"split by image, because {len(samples.classes)} classes are too few to hold some out "
        f"({FEWEST_TO_HOLD_OUT} are needed): {len(train)} images to train on, {len(validation)} to "
        f"validate, {len(test)} to test; quality is that on classes seen in training",
    )


def held_out(samples: Samples, split: Split) -> dict:
    """What split.json remembers: where the images lie, the classes trained on, and what was held out."""
    return {
        "how": split.how,
        "root": samples.root,
        "images": len(samples.paths),
        "train_classes": sorted({samples.classes[label] for label in samples.labels[split.train]}),
        "validation": short_list(samples, split.validation),
        "test": short_list(samples, split.test),
    }


def short_list(samples: Samples, rows: np.ndarray) -> list[str]:
    """The files at `rows`, relative to the root; a class that is there with all its images by its folder."""
    entries = []
    for label in np.unique(samples.labels[rows]):
        members = rows[samples.labels[rows] == label]
        whole = len(members) == np.sum(samples.labels == label)
        entries += [samples.classes[label]] if whole else [samples.paths[row] for row in members]
    return entries


def from_short_list(root: str, entries: list[str]) -> Samples:
    """The samples that `short_list` listed, as far as they are still there."""
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


def without_classes(samples: Samples, split: dict) -> Samples:
    """The samples of classes that a run (its split.json) did not train on, told by their folders; says how many."""
    seen = {os.path.realpath(os.path.join(split["root"], name)) for name in split["train_classes"]}
    kept = [os.path.realpath(os.path.join(samples.root, os.path.dirname(path))) not in seen for path in samples.paths]
    if not any(kept):
        raise ValueError(f"{samples.root}: training saw every class here, so this would measure nothing")
    left = from_files(samples.root, samples.at(np.flatnonzero(kept)).paths)
    print(f"left out {len(samples.classes) - len(left.classes)} classes that training saw; {len(left.classes)} remain")
    return left


def overlap(names: np.ndarray, *parts: np.ndarray) -> int:
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
