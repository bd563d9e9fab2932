"""A folder of pictures to search in: embedded once, and again only where a file has changed."""

import hashlib
import os
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from utils.data.files import save_aside, walk
from utils.data.images import load_images
from utils.metrics.retrieval import Index
from utils.run.console import progress_bar

if TYPE_CHECKING:
    from nets.siamese import Comparer

ROUNDING = 2e-6  # of a squared distance that comes from a matrix product, by the largest squared length
BLOCK = 2048  # images decoded, or compared with one another, at once


class Gallery(NamedTuple):
    """paths (N,) relative to root, features (N, F), and how many images had to be embedded now."""

    root: str
    paths: list[str]
    features: np.ndarray
    embedded: int


def open_gallery(root: str, model: str, comparer: "Comparer", shape: tuple[int, int, int]) -> Gallery:
    """The embeddings of all images below `root`, from its cache as far as model and files are the same.

    The cache lies in `root`, one file for each model, named by the model's contents. A file counts as
    unchanged by size and time, or else by its contents.

    Args:
        model: the .keras file.
        comparer: of that model; see `nets.siamese.Comparer`.
        shape: (height, width, channels) that it takes.

    Raises:
        ValueError: no readable image.
    """
    cache = os.path.join(root, f".embeddings-{digest(model)[:12]}.npz")
    known = read_cache(cache)
    files = look_at(root, known)
    features = {entry.key: entry.features for entry in known.values()}
    new = {key: path for path, (key, _) in files.items() if key not in features}
    embedded = embed_files(root, new, comparer, shape)
    features |= embedded
    found = {path: Entry(key, now, features[key]) for path, (key, now) in files.items() if key in features}
    if not found:
        raise ValueError(f"{root}: no image that can be read; expected a folder of pictures")
    if {path: entry.stamp for path, entry in found.items()} != {path: entry.stamp for path, entry in known.items()}:
        write_cache(cache, found)
    return Gallery(root, list(found), np.stack([entry.features for entry in found.values()]), len(embedded))


def look_at(root: str, known: dict[str, "Entry"]) -> dict[str, tuple[str, str]]:
    """Key and stamp of each image below `root`; one that cannot be read, such as a dangling link, is named and left out."""
    files = {}
    for path in walk(root)[0]:
        try:
            now = stamp(os.path.join(root, path))
            same = path in known and known[path].stamp == now
            files[path] = known[path].key if same else digest(os.path.join(root, path)), now
        except OSError as error:
            print(f"left out {path}: {error.strerror}")
    return files


class Entry(NamedTuple):
    """What the cache knows of a file: sha1 of its contents, size and time, features (F,)."""

    key: str
    stamp: str
    features: np.ndarray


def read_cache(path: str) -> dict[str, Entry]:
    """Entries by path; none where there is no cache, or a broken one."""
    try:
        with np.load(path) as file:
            rows = zip(file["paths"], file["keys"], file["stamps"], file["features"])
            return {str(name): Entry(str(key), str(time), features) for name, key, time, features in rows}
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return {}


def write_cache(path: str, entries: dict[str, Entry]) -> None:
    """Writes the cache; a folder that cannot be written to goes without."""
    keys, stamps, features = map(np.array, zip(*entries.values()))
    try:
        save_aside(lambda name: np.savez(name, paths=list(entries), keys=keys, stamps=stamps, features=features), path, ".npz")
    except OSError as error:
        print(f"the embeddings were not kept: {error}")


def embed_files(root: str, new: dict[str, str], comparer: "Comparer", shape) -> dict[str, np.ndarray]:
    """Features of files by their key, block by block; broken files are named and left out."""
    keys, paths = list(new), [os.path.join(root, path) for path in new.values()]
    bar, features = progress_bar("image"), {}
    for start in range(0, len(keys), BLOCK):
        images, broken = load_images(paths[start : start + BLOCK], shape)
        for problem in broken.values():
            print(f"left out {problem}")
        for row, vector in enumerate(comparer.embed(images)):
            if row not in broken:
                features[keys[start + row]] = vector
        bar(min(start + BLOCK, len(keys)), len(keys))
    return features


def search(gallery: Gallery, comparer: "Comparer", queries: np.ndarray, k: int) -> list[list[tuple[str, float]]]:
    """The k images most like each query (Q, F), most like first: path and similarity."""
    if comparer.by_distance:
        places = Index(gallery.features).nearest(queries, k)[0]  # (Q, k)
        scores = comparer.score(queries[:, None], gallery.features[places])  # (Q, k)
    else:
        every = np.stack([score_all(gallery, comparer, query) for query in queries])  # (Q, N)
        places = np.argsort(-every, axis=1, kind="stable")[:, :k]
        scores = np.take_along_axis(every, places, axis=1)
    return [[(gallery.paths[p], float(s)) for p, s in zip(*row)] for row in zip(places, scores)]


def score_all(gallery: Gallery, comparer: "Comparer", query: np.ndarray) -> np.ndarray:
    """Similarities (N,) of a query (F,) to every image, block by block."""
    blocks = range(0, len(gallery.paths), BLOCK)
    return np.concatenate([comparer.score(query, gallery.features[b : b + BLOCK]) for b in blocks])


def duplicates(gallery: Gallery, comparer: "Comparer", threshold: float) -> list[list[str]]:
    """Groups of images that chains of similarities of `threshold` or more hold together, largest first."""
    left, right = (np.concatenate(places) for places in zip(*alike(gallery, comparer, threshold)))
    count = len(gallery.paths)
    _, group = connected_components(coo_array((np.ones(len(left), bool), (left, right)), shape=(count, count)))
    members = [np.flatnonzero(group == g) for g in np.flatnonzero(np.bincount(group) > 1)]
    return sorted(([gallery.paths[row] for row in rows] for rows in members), key=lambda g: (-len(g), g))


def alike(gallery: Gallery, comparer: "Comparer", threshold: float) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Places of the pairs that are similar enough, block by block: left (M,), right (M,)."""
    if comparer.by_distance:
        index, farthest = Index(gallery.features), max(comparer.distance_of(threshold), 0.0)
        most = farthest**2 + ROUNDING * float(index.squares.max())
        for rows, squares in index.blocks(gallery.features):
            left, right = np.nonzero(squares <= most)
            yield left + rows.start, right
        return
    for left, vector in enumerate(gallery.features):  # a head of Dense layers looks at every pair
        for start in range(left, len(gallery.features), BLOCK):
            right = np.flatnonzero(comparer.score(vector, gallery.features[start : start + BLOCK]) >= threshold)
            yield np.full(len(right), left), right + start


def digest(path: str) -> str:
    """sha1 of a file's contents."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def stamp(path: str) -> str:
    """Size and time of change of a file."""
    status = os.stat(path)
    return f"{status.st_size} {status.st_mtime_ns}"
