"""Folders of images -> samples with classes and groups, and their decoded images; says what was found."""

import hashlib
import os
import shutil
from dataclasses import dataclass, field, replace

import numpy as np

from utils.data.files import OMNIGLOT, folders_in, identical, in_parts, is_wanted, scan, walk
from utils.data.formats.kinds import is_picture
from utils.data.images import ImagesOnDisk, load_images, open_image, take
from utils.data.survey import size_range
from utils.pictures import pixel_digest
from utils.run.console import progress_bar
from utils.saying import counted, left_out, some

TRAINING, EVALUATION = OMNIGLOT, "images_evaluation"
GLYPHS = "glyphs"


@dataclass(frozen=True)
class Samples:
    """Image files and what each shows.

    Attributes:
        root: the folder that the relative `paths` start from.
        paths: (N,) files, sorted.
        labels: (N,) class of each file, 0 to classes - 1.
        classes: name of each class, e.g. "Latin/character01" or "chapter1".
        groups: (classes,) group of each class: its alphabet, or 0 where there are none.
        others: images that lie where no class is.
    """

    root: str
    paths: list[str]
    labels: np.ndarray
    classes: list[str]
    groups: np.ndarray
    others: list[str] = field(default_factory=list)

    def full_paths(self) -> list[str]:
        """The files as paths that can be opened."""
        return [os.path.join(self.root, path) for path in self.paths]

    def take(self, rows: np.ndarray) -> "Samples":
        """Only these rows; labels and classes stay as they are."""
        return replace(self, paths=[self.paths[row] for row in rows], labels=self.labels[rows])


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
        names = sorted(folders_in(root))
        part = os.path.join(root, "train" if "train" in names else names[0])
        raise ValueError(f"{root}: found {', '.join(names)}, which are parts of a data set, not classes; pass the "
                         f"part to train on, such as --dataset_path={part}")
    parts = [part for part in (TRAINING, EVALUATION) if os.path.isdir(os.path.join(root, part))]
    slashes = 1 if own_data else 2
    apart = {name for name in folders_in(root) if not own_data and in_parts(os.path.join(root, name))}
    files, others = [], []
    for part in parts or [""]:
        images = walk(os.path.join(root, part), data_sets=True)[0]
        check_layout(os.path.join(root, part), images, own_data)
        for image in images:
            lies_in_a_class = image.count(os.sep) == slashes and image.split(os.sep)[0] not in apart
            (files if lies_in_a_class else others).append(os.path.join(part, image))
    return at_least_two(from_files(root, files, others))


def at_least_two(samples: Samples) -> Samples:
    """The samples, if they show two classes."""
    if len(samples.classes) < 2:
        raise ValueError(
            f"{samples.root}: found one class, {samples.classes[0]!r}; expected two or more folders of images, one for "
            "each kind of thing"
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
    entries = [entry for entry in scan(path) if entry.name != GLYPHS and is_wanted(entry.name)]
    if own_data or any(not in_parts(entry.path) if entry.is_dir() else is_picture(entry.path) for entry in entries):
        return path, False
    glyphs = os.path.join(path, GLYPHS)
    return glyphs, not os.path.isdir(glyphs)


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
        folder = os.path.dirname(os.path.dirname(example))
        one = f", or --dataset_path={folder} for that folder alone" if own_data else ""
        raise ValueError(
            f"{root}: found the layout {layout(not own_data)} (as in {example}), expected {layout(own_data)}: pass "
            f"{flag}{one}"
        )
    folder = os.path.join(root, *images[0].split(os.sep)[:-wanted])
    deeper = f"; pass --dataset_path={folder} for the classes in that folder" if depths[0] > wanted else ""
    raise ValueError(f"{root}: found {example}, expected {layout(own_data)}: one folder for each class{deeper}")


def layout(own_data: bool) -> str:
    """The layout in words."""
    return "<chapter>/<image>" if own_data else "<alphabet>/<character>/<image>"


def describe(samples: Samples) -> list[str]:
    """What was found, in lines to print."""
    counts = np.bincount(samples.labels, minlength=len(samples.classes))
    groups = samples.groups.max() + 1
    lines = [
        f"found {counted(len(samples.paths), 'image')} of {counted(len(samples.classes), 'class', 'classes')}"
        + (f" in {groups} groups" if groups > 1 else "")
        + f" below {samples.root}: {counts.min()} / {int(np.median(counts))} / {counts.max()} images a class (least / "
          "median / most)"
    ]
    single = int(np.sum(counts == 1))
    if single:
        lines.append(f"{counted(single, 'class', 'classes')} with a single image: its same pairs are that image, "
                     "changed in two ways")
    return lines


def find_samples(path: str, own_data: bool) -> Samples:
    """The samples below `path`; an empty `path` is filled with glyphs first."""
    path = os.path.expanduser(path)
    root, empty = find_root(path, own_data)
    if empty:
        print(f"{path} is empty: drawing letters of many writing systems in {root}, to train on them")
        render(root)
    elif root == path and os.path.isdir(drawn := os.path.join(path, GLYPHS)) and not own_data:
        print(f"{path} holds other pictures than the drawn letters, and so these are left out: --dataset_path={drawn} "
              "trains on them alone")
    samples = read_samples(root, own_data)
    print("\n".join(describe(samples)))
    if samples.others:
        left_out(f"{counted(len(samples.others), 'picture')} that lie in no class folder", samples.others)
    return without_twins(samples, own_data)


def without_twins(samples: Samples, within: bool, groups: list[list[int]] | None = None) -> Samples:
    """The samples without files that have the contents of an earlier file of another class; says what was left out.

    Such a picture would count as same and as different, and might be trained on and tested on.

    Args:
        within: whether files that have the contents of an earlier one of their own class are left out too.
        groups: rows of files with the same contents; None: those that are the same byte for byte.
    """
    further, between = [], []
    for group in identical(samples.full_paths()) if groups is None else groups:
        paths, labels = [samples.paths[row] for row in group], samples.labels[group]
        further += [path for path, label in zip(paths[1:], labels[1:]) if within or label != labels[0]]
        if len(set(labels)) > 1:
            between.append(" and ".join(paths))
    if further:
        left_out(f"{counted(len(further), 'file')} with the same contents as another", further)
    if between:
        print("warning: the same picture stands in two classes, and is used only where it comes first: "
              f"{some(between)}")
    if not further:
        return samples
    kept = set(samples.paths) - set(further)
    return at_least_two(from_files(samples.root, [path for path in samples.paths if path in kept], samples.others))


def render(root: str) -> None:
    """Renders the glyphs aside and renames, so that a stopped run leaves no half of them."""
    from utils.glyphs import render_glyphs

    aside = f"{root}.new"
    shutil.rmtree(aside, ignore_errors=True)
    render_glyphs(aside, progress=progress_bar("letter"))
    os.replace(aside, root)


def read_pictures(
    samples: Samples, shape: tuple[int, int, int], cache_gb: float, skip_broken: bool
) -> tuple[Samples, np.ndarray | ImagesOnDisk]:
    """Reads every image once; broken ones are named, and left out or refused.

    Returns:
        The samples that could be read and their images (N, H, W, C) uint8, row by row.

    Raises:
        ValueError: a file is broken and `skip_broken` is off, or none is left.
    """
    bar = progress_bar("image")
    images, broken = load_images(samples.full_paths(), shape, cache_gb, lambda done: bar(done, len(samples.paths)))
    if broken and not skip_broken:
        raise ValueError(f"{len(broken)} broken files: {some(list(broken.values()))}; repair them or pass "
                         "--skip_broken")
    kept = np.setdiff1d(np.arange(len(samples.paths)), list(broken))
    if not len(kept):
        raise ValueError(f"{samples.root}: every image is broken, the first: {broken[0]}")
    if broken:
        left_out(f"{len(broken)} broken files", list(broken.values()))
        samples = at_least_two(from_files(samples.root, samples.take(kept).paths))
        images = take(images, kept)
    if isinstance(images, np.ndarray):
        samples, images = without_same_pixels(samples, images)
    print(f"pictures of {size_range(samples.full_paths())}, read as {shape[0]} x {shape[1]} "
          f"{'grey' if shape[2] == 1 else 'RGB'}")
    return samples, images


def without_same_pixels(samples: Samples, images: np.ndarray) -> tuple[Samples, np.ndarray]:
    """The samples and their images (N, H, W, C) without pictures of two classes whose files differ and whose pixels do
    not, such as those that a program has given another date; see `without_twins`."""
    rows: dict[bytes, list[int]] = {}
    for row, image in enumerate(images):
        rows.setdefault(hashlib.sha1(image).digest(), []).append(row)
    whole: dict[str, list[int]] = {}
    for row in [row for alike in rows.values() if len(set(samples.labels[alike])) > 1 for row in alike]:
        whole.setdefault(pixel_digest(open_image(samples.full_paths()[row], "RGB")), []).append(row)
    left = without_twins(samples, False, sorted(alike for alike in whole.values() if len(alike) > 1))
    if left is samples:
        return samples, images
    row_of = {path: row for row, path in enumerate(samples.paths)}
    return left, images[[row_of[path] for path in left.paths]]
