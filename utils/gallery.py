"""A folder of pictures to search in: embedded once, and again only where a file has changed. A comparer is a
`nets.models.siamese.Comparer`."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from utils.data.files import digest, remove_remains, save_aside, walk
from utils.data.images import load_images, settings
from utils.metrics.retrieval import Index
from utils.run.console import progress_bar
from utils.saying import counted, left_out

Embed = Callable[[np.ndarray], np.ndarray]

BLOCK = 512  # images decoded and embedded, or scored, at once
RERANK = 100  # images that a slow head compares with a query
MOST_BY_LOCATIONS = 500_000  # pairs that a slow head compares where all of them are asked for: minutes on two cores
PAUSE = 30.0  # seconds between two writings of the cache, at least


class Gallery(NamedTuple):
    """The pictures of a folder: paths (N,) relative to root, features (N, F), how many were embedded now, keys (N,).

    Files of one key have the same contents, byte for byte: it is the sha1 of them.
    """

    root: str
    paths: list[str]
    features: np.ndarray
    embedded: int
    keys: list[str]


class Entry(NamedTuple):
    """What the cache knows of a file: sha1 of its contents, its `stamp`, features (F,)."""

    key: str
    stamp: str
    features: np.ndarray


def open_gallery(root: str, model: str, comparer: Any, shape: tuple[int, int, int]) -> Gallery:
    """The embeddings of all images below `root`, see `embedded`.

    Args:
        model: the .keras file.
        comparer: of that model; see `nets.models.siamese.Comparer`.
        shape: (height, width, channels) that it takes.
    """
    return embedded(root, walk(root)[0], digest(model)[:12], comparer.embed, shape)


def embedded(root: str, paths: list[str], name: str, embed: Embed, shape: tuple[int, int, int]) -> Gallery:
    """The embeddings of images below `root`, from its cache where the files have not changed.

    The cache lies in `root`, one file for each model. A file counts as unchanged by its `stamp`, or else by its
    contents; files of the same contents are embedded once. The cache is written after blocks of images too, so that a
    run that was stopped goes on where it was.

    Args:
        name: what the cache is named by; another model, or other weights, need another name.
        embed: images (N, H, W, C) uint8 -> features (N, F).
        shape: (height, width, channels) that it takes.

    Raises:
        ValueError: no readable image, or a model whose features are not numbers.
    """
    cache = Cache(os.path.join(root, f".embeddings-{name}.npz"), embed, shape)
    files = look_at(root, paths, cache.entries)
    features = {entry.key: entry.features for entry in cache.entries.values()}
    new = {key: path for path, (key, _) in files.items() if key not in features}
    count, broken = 0, {}

    def entries_now() -> dict[str, Entry]:
        return {path: Entry(key, now, features[key]) for path, (key, now) in files.items() if key in features}

    try:
        for part, problems in embed_files(root, new, embed, shape):
            features |= part
            broken |= problems
            count += len(part)
            if cache.due():
                cache.write(entries_now())
    finally:  # also after Ctrl-C
        cache.write(entries_now())
    unread = [f"{path}: {broken[key]}" for path, (key, _) in files.items() if key in broken]
    left_out(counted(len(unread), "broken file"), unread)
    entries = entries_now()
    if not entries:
        raise ValueError(f"{root}: no image that can be read; expected a folder of pictures")
    return Gallery(root, list(entries), np.stack([e.features for e in entries.values()]), count,
                   [e.key for e in entries.values()])


def look_at(root: str, paths: list[str], known: dict[str, Entry]) -> dict[str, tuple[str, str]]:
    """Key and stamp of each image, which name --picture_levels and --page; one that cannot be read, such as a dangling
    link, is named and left out."""
    files, problems, how = {}, [], settings()
    for path in paths:
        try:
            now = stamp(os.path.join(root, path)) + how
            same = path in known and known[path].stamp == now
            files[path] = known[path].key if same else digest(os.path.join(root, path)) + how, now
        except OSError as error:
            problems.append(f"{path}: {error.strerror}")
    left_out(counted(len(problems), "file"), problems)
    return files


class Cache:
    """The entries in a file, by path; it is written whole, and only where they changed.

    A file that cannot be read, or whose features have another width than the model's, counts as empty.
    """

    def __init__(self, path: str, embed: Embed, shape: tuple[int, int, int]):
        self.path, self.entries, self.writable = path, read_cache(path), True
        if self.entries:
            width = embed(np.zeros((1, *shape), "uint8")).shape[1]
            if any(len(entry.features) != width for entry in self.entries.values()):
                self.entries = {}
        self.next = time.monotonic() + PAUSE

    def due(self) -> bool:
        """Whether the last writing is long enough ago: `PAUSE`, and ten times as long as it took."""
        return time.monotonic() >= self.next

    def write(self, entries: dict[str, Entry]) -> None:
        """Writes the entries if they changed; a folder that cannot be written to goes without, and that is said
        once."""
        same = ({path: entry.stamp for path, entry in entries.items()}
                == {path: entry.stamp for path, entry in self.entries.items()})
        if same or not entries or not self.writable:
            return
        begun = time.monotonic()
        try:
            write_cache(self.path, entries)
            self.entries = entries
        except OSError as error:
            print(f"the embeddings were not kept: {error}")
            self.writable = False
        self.next = time.monotonic() + max(PAUSE, 10 * (time.monotonic() - begun))


def read_cache(path: str) -> dict[str, Entry]:
    """Entries by path; none where there is no cache, or a file that `write_cache` did not write."""
    try:
        with np.load(path, allow_pickle=False) as file:
            names, keys, stamps, features = (file[name] for name in ("paths", "keys", "stamps", "features"))
    except Exception:  # zipfile and NumPy raise a dozen kinds
        return {}
    texts = all(array.dtype.kind == "U" and array.shape == features.shape[:1] for array in (names, keys, stamps))
    if not texts or features.ndim != 2 or features.dtype.kind != "f" or not np.isfinite(features).all():
        return {}
    rows = zip(names, keys, stamps, features.astype("float32", copy=False))
    return {str(name): Entry(str(key), str(time), vector) for name, key, time, vector in rows}


def write_cache(path: str, entries: dict[str, Entry]) -> None:
    """Writes the cache, whole or not at all."""
    remove_remains(os.path.dirname(path))
    keys, stamps, features = map(np.array, zip(*entries.values()))
    save_aside(lambda name: np.savez(name, paths=list(entries), keys=keys, stamps=stamps,
                                     features=features), path, ".npz")


def embed_files(
    root: str, new: dict[str, str], embed: Embed, shape: tuple[int, int, int]
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, str]]]:
    """Features (F,) of files by their key, block by block, and what is wrong with those that are broken."""
    keys, paths = list(new), [os.path.join(root, path) for path in new.values()]
    bar = progress_bar("image")
    for start in range(0, len(keys), BLOCK):
        images, broken = load_images(paths[start : start + BLOCK], shape,
                                     progress=lambda done: bar(start + done, len(keys)))  # noqa: B023
        vectors = embed(images)
        if not np.isfinite(vectors).all():
            raise ValueError("the model gives features that are NaN or infinite, so its training diverged: choose "
                             "another --model")
        yield ({keys[start + row]: vector for row, vector in enumerate(vectors) if row not in broken},
               {keys[start + row]: problem.removeprefix(f"{paths[start + row]}: ") for row, problem in broken.items()})


def search(gallery: Gallery, comparer: Any, queries: np.ndarray, k: int, *, nearest=None,
           rerank: int = RERANK) -> list[list[tuple[str, float]]]:
    """The k images most like each query (Q, F), most like first: path and similarity.

    Args:
        nearest: queries, k -> indices and distances (Q, k), as `Index.nearest`, which it is where none is given.
        rerank: of a head that compares locations, which is slow: so many images are compared, or k if that is more,
            chosen by a distance (`shortlist`); 0: all.
    """
    if comparer.by_distance:
        indices = (nearest or Index(gallery.features).nearest)(queries, k)[0]  # (Q, k)
        scores = comparer.score(queries[:, None], gallery.features[indices])  # (Q, k)
    elif comparer.global_embedding and rerank:
        near = shortlist(gallery, comparer, queries, max(rerank, k))  # (Q, n), ascending
        scores = np.stack([comparer.score(query, gallery.features[indices])
                           for query, indices in zip(queries, near, strict=True)])
        indices, scores = best_of(near, scores, k)
    else:
        every = np.stack([score_all(gallery, comparer, query) for query in queries])  # (Q, N)
        indices, scores = best_of(np.tile(np.arange(every.shape[1]), (len(every), 1)), every, k)
    return [[(gallery.paths[p], float(s)) for p, s in zip(*row)] for row in zip(indices, scores)]


def others(found: list[tuple[str, float]], root: str, query: Any) -> list[tuple[str, float]]:
    """What was found in the folder `root` without the query itself, which may be a file in there."""
    if not isinstance(query, str | os.PathLike) or not os.path.exists(query):
        return found
    files = [(hit, os.path.join(root, hit[0])) for hit in found]
    return [hit for hit, file in files if not (os.path.exists(file) and os.path.samefile(query, file))]


def shortlist(gallery: Gallery, comparer: Any, queries: np.ndarray, count: int) -> np.ndarray:
    """The indices (Q, count) of the images that lie nearest to each query by their global embeddings, each row
    ascending."""
    index = Index(comparer.global_embedding(gallery.features))
    return np.sort(index.nearest(comparer.global_embedding(queries), count)[0], axis=1)


def best_of(indices: np.ndarray, scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k indices of highest score, highest first and equal ones in their order: (Q, N), (Q, N) -> (Q, k), (Q, k)."""
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(indices, order, axis=1), np.take_along_axis(scores, order, axis=1)


def check_pairs(pairs: int, comparer: Any, root: str) -> None:
    """Raises ValueError where a head that compares locations would have to compare so many pairs of pictures of `root`
    that it takes hours."""
    if comparer.global_embedding and pairs > MOST_BY_LOCATIONS:
        raise ValueError(f"{root}: {pairs:,} pairs of pictures, and this model compares each pair place by place, "
                         f"which takes hours: expected {MOST_BY_LOCATIONS:,} pairs at most; pass a --model trained "
                         "with --head=distance, or a smaller folder")


def score_all(gallery: Gallery, comparer: Any, query: np.ndarray) -> np.ndarray:
    """Similarities (N,) of a query (F,) to every image, block by block."""
    blocks = range(0, len(gallery.paths), BLOCK)
    return np.concatenate([comparer.score(query, gallery.features[b : b + BLOCK]) for b in blocks])


def stamp(path: str) -> str:
    """Size, time of change and, where the system keeps it, time of change of the inode, which no copying can set
    back."""
    status = os.stat(path)
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
