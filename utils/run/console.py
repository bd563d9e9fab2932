"""From a folder to decoded images, saying what was found."""

import os
import shutil
import sys
from typing import Sequence

import keras
import numpy as np

from utils.data.classes import Samples, at_least_two, describe, find_root, from_files, read_samples
from utils.data.images import ImagesOnDisk, at, load_images, size_range

NAMED = 5  # files named before "and so many more"


def find_samples(path: str, own_data: bool) -> Samples:
    """The samples below `path`; an empty `path` is filled with glyphs first."""
    path = os.path.expanduser(path)
    root, empty = find_root(path, own_data)
    if empty:
        print(f"{path} is empty: rendering letters of many writing systems to {root}, to train on them")
        render(root)
    samples = read_samples(root, own_data)
    print("\n".join(describe(samples)))
    if samples.others:
        print(f"left out {len(samples.others)} files that are no images, or lie in no class: {some(samples.others)}")
    return samples


def render(root: str) -> None:
    """Renders the glyphs aside and renames, so that a stopped run leaves no half of them."""
    from utils.glyphs import render_glyphs

    aside = f"{root}.new"
    shutil.rmtree(aside, ignore_errors=True)
    render_glyphs(aside, progress=progress_bar("letter"))
    os.replace(aside, root)


def decode(
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
        raise ValueError(f"{len(broken)} broken files: {some(list(broken.values()))}; mend them or pass --skip_broken")
    kept = np.setdiff1d(np.arange(len(samples.paths)), list(broken))
    if not len(kept):
        raise ValueError(f"{samples.root}: every image is broken, the first: {broken[0]}")
    if broken:
        print("\n".join([f"left out {len(broken)} broken files:", *broken.values()]))
        samples = at_least_two(from_files(samples.root, samples.at(kept).paths))
        images = at(images, kept)
    print(f"pictures of {size_range(samples.full_paths())}, read as {shape[0]} x {shape[1]} "
          f"{'grey' if shape[2] == 1 else 'RGB'}")
    return samples, images


def evenly(items: Sequence, most: int) -> list:
    """At most so many of the items, evenly from first to last."""
    return [items[row] for row in np.linspace(0, len(items) - 1, min(len(items), most)).astype(int)]


def some(names: list[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def progress_bar(unit: str):
    """A function (done, of) that draws Keras' progress bar; silent where nobody watches."""
    bars: dict[int, keras.utils.Progbar] = {}

    def update(done: int, of: int) -> None:
        if not sys.stdout.isatty():
            return
        bar = bars.setdefault(of, keras.utils.Progbar(of, unit_name=unit))
        bar.update(done, finalize=done == of)

    return update
