"""Where the embeddings of a folder are kept and searched: in the folder itself, with Faiss, or in Milvus. A row of
INDEXES for each.

An index is made for a folder and a model, brought up to date, and asked:

    index = make_index("exact", root, model)
    index.update()                 # how many pictures were embedded: only files that changed
    index.nearest(features, 10)    # for each row of (Q, F) the most alike: path and similarity
    len(index)                     # pictures

Every index gives the similarity that the model itself computes. Faiss and Milvus only choose which pictures it is
computed for.
"""

import contextlib
import glob
import hashlib
import os
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

import numpy as np

from utils import gallery
from utils.data.files import digest, save_aside
from utils.metrics import retrieval

if TYPE_CHECKING:
    from tasks.similarity.model import Loaded

FEW = 50_000  # embeddings that Faiss compares one by one; of more, it compares those in the nearest cells
PROBED = 16  # it looks into one of so many cells
TRAINED_ON = 64  # embeddings for each cell, from which the cells are learnt


class Index(Protocol):
    """What every row of INDEXES makes."""

    def update(self) -> int:
        """Embeds the files that are new or changed, forgets those that went, and returns how many pictures were
        embedded."""

    def nearest(self, features: np.ndarray, top: int, rerank: int = gallery.RERANK) -> list[list[tuple[str, float]]]:
        """The `top` pictures most like each of (Q, F), most like first: path, relative to the folder, and similarity in
        0..1.

        `rerank` is for heads that compare locations, see `gallery.search`.
        """

    def __len__(self) -> int:
        """How many pictures there are."""


class Exact:
    """The folder's own file of embeddings, all of them compared; see `utils.gallery`."""

    def __init__(self, where: str, root: str, model: "Loaded", collection: str):
        self.root, self.model, self.gallery = root, model, None

    def update(self) -> int:
        """See `Index`."""
        self.gallery = gallery.open_gallery(self.root, self.model.path, self.model.compare, self.model.shape)
        return self.gallery.embedded

    def nearest(self, features: np.ndarray, top: int, rerank: int = gallery.RERANK) -> list[list[tuple[str, float]]]:
        """See `Index`."""
        return gallery.search(self.gallery, self.model.compare, features, top, rerank=rerank)

    def __len__(self) -> int:
        return len(self.gallery.paths)


class Faiss(Exact):
    """The same file of embeddings, searched by Faiss, whose cells are kept in the folder too.

    Raises:
        ValueError: Faiss is not installed, or the model does not compare distances.
    """

    def __init__(self, where: str, root: str, model: "Loaded", collection: str):
        super().__init__(where, root, model, collection)
        by_distance(where, model)
        self.cells = None
        faiss()

    def update(self) -> int:
        """See `Index`."""
        embedded = super().update()
        name = digest(self.model.path)[:12]
        contents = hashlib.sha1("\n".join(self.gallery.keys).encode()).hexdigest()[:12]
        self.cells = kept_cells(os.path.join(self.root, f".faiss-{name}-{contents}.index"), self.gallery.features)
        return embedded

    def nearest(self, features: np.ndarray, top: int, rerank: int = gallery.RERANK) -> list[list[tuple[str, float]]]:
        """See `Index`."""
        return gallery.search(self.gallery, self.model.compare, features, top, nearest=Cells(self.cells).nearest)


class Cells:
    """An index of Faiss, asked as `utils.metrics.retrieval.Index` is."""

    def __init__(self, cells):
        self.cells = cells

    def nearest(self, queries: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """Places (Q, k) and distances (Q, k); where the nearest cells hold fewer, all cells are searched."""
        k = min(k, self.cells.ntotal)
        queries = np.ascontiguousarray(queries, "float32")
        squares, indices = self.cells.search(queries, k)
        if (indices < 0).any():
            everywhere = faiss().SearchParametersIVF(nprobe=self.cells.nlist)
            squares, indices = self.cells.search(queries, k, params=everywhere)
        return indices, np.sqrt(np.maximum(squares, 0))


def faiss():
    """The module; ValueError where it is not installed."""
    try:
        return import_module("faiss")
    except ImportError:
        raise ValueError("--index=faiss: Faiss is not installed: pip install faiss-cpu") from None


def kept_cells(path: str, features: np.ndarray):
    """The index of these embeddings: from its file, or made, and kept in place of older ones of the same model."""
    if len(features) <= FEW:
        return make_cells(features, FEW)
    if os.path.isfile(path):
        with contextlib.suppress(RuntimeError):  # Faiss: the file is damaged
            return faiss().read_index(path)
    made = make_cells(features, FEW)
    for old in glob.glob(glob.escape(path[: path.rindex("-")]) + "-*.index"):
        os.remove(old)
    try:
        save_aside(lambda aside: faiss().write_index(made, aside), path)
    except (OSError, RuntimeError) as error:
        print(f"the index was not kept: {error}")
    return made


def make_cells(features: np.ndarray, few: int):
    """Faiss' index of embeddings (N, F): all are compared where they are `few` at most; otherwise one cell in `PROBED`,
    of 2 sqrt(N)."""
    features = np.ascontiguousarray(features, "float32")
    count, width = features.shape
    made = faiss().IndexFlatL2(width)
    if count > few:
        centres = min(int(2 * np.sqrt(count)), count // 2)
        made = faiss().IndexIVFFlat(made, width, centres)
        made.cp.max_points_per_centroid, made.cp.niter, made.cp.seed = TRAINED_ON, 10, 1
        made.nprobe = max(1, centres // PROBED)
        made.train(features)
    made.add(features)
    return made


def beside_exact(count: int, vectors: str = "", repeats: int = 7, asked: int = 200) -> dict[str, float]:
    """Faiss beside the exact index, both asked for ten of `count` embeddings: time of one query, and the share of the
    ten that Faiss finds.

    The embeddings are normal numbers, in which no cells lie; groups of 100 around centres; and those of a file, if one
    is named.

    Args:
        vectors: the file `.embeddings-....npz` of a folder, or "".
        repeats: measurements of each; the fastest counts.
        asked: queries: some of the embeddings, moved a little.
    """
    rng, result = np.random.default_rng(0), {}
    noise = rng.standard_normal((count, 128), "float32")
    sets = {"normal": noise, "grouped": 0.5 * noise
            + np.repeat(rng.standard_normal((count // 100 + 1, 128), "float32"), 100, axis=0)[:count]}
    if vectors:
        sets["real"] = np.stack([entry.features for entry in gallery.read_cache(os.path.expanduser(vectors)).values()])
    for name, features in sets.items():
        begun = time.perf_counter()
        indexes = {"exact": retrieval.Index(features), "Faiss": Cells(make_cells(features, few=0))}
        built = time.perf_counter() - begun
        queries = features[rng.integers(0, len(features), asked)]
        queries = queries + 0.2 * np.std(features) * rng.standard_normal(queries.shape, "float32")
        indices = {kind: made.nearest(queries, 10)[0] for kind, made in indexes.items()}
        seconds = {kind: min(seconds_of(made, queries[turn : turn + 1]) for turn in range(repeats))
                   for kind, made in indexes.items()}
        shared = [len(set(a) & set(b)) / len(a) for a, b in zip(indices["exact"], indices["Faiss"])]
        result |= {f"{name}: embeddings": len(features), f"{name}: seconds to build": built,
                   f"{name}: one query exact, ms": 1000 * seconds["exact"],
                   f"{name}: one query of Faiss, ms": 1000 * seconds["Faiss"],
                   f"{name}: exact / Faiss": seconds["exact"] / seconds["Faiss"],
                   f"{name}: share of the ten nearest that is found": np.mean(shared),
                   f"{name}: share of the nearest that is found":
                   np.mean(indices["exact"][:, 0] == indices["Faiss"][:, 0])}
    return result


def seconds_of(made, query: np.ndarray) -> float:
    """Seconds that an index takes for a query."""
    begun = time.perf_counter()
    made.nearest(query, 10)
    return time.perf_counter() - begun


def by_distance(where: str, model: "Loaded") -> None:
    """Raises ValueError where the similarities of a model do not fall with the distance of its features."""
    if not model.compare.by_distance:
        raise ValueError(f"--index={where} searches by distance, and the head of {model.path} does not compare "
                         "distances: leave --index out, or choose a model with --head=distance")


INDEXES = {"exact": "index.Exact", "faiss": "index.Faiss", "milvus": "milvus.Milvus"}


def kind_of(where: str) -> str:
    """The row of INDEXES that --index means.

    Raises:
        ValueError: none of them.
    """
    if where in ("exact", "faiss"):
        return where
    if where.endswith(".db") or where.startswith(("http://", "https://")):
        return "milvus"
    raise ValueError(f"--index={where}: expected exact, faiss, a file such as pictures.db, or the address of a Milvus "
                     "server such as http://localhost:19530")


def make_index(where: str, root: str, model: "Loaded", collection: str = "pictures") -> Index:
    """The index that `where` names, for a folder and a model.

    Args:
        where: exact, faiss, the name of a file of Milvus Lite that ends with .db, or the address of a Milvus server.
        collection: the name of the collection in Milvus.
    """
    file, name = INDEXES[kind_of(where)].split(".")
    made: Callable[..., Index] = getattr(import_module(f"apps.search.indexes.{file}"), name)
    return made(where, root, model, collection)
