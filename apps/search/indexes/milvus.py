"""Embeddings in Milvus: in a file for one person (Milvus Lite), in a server or a cluster for many.

A collection belongs to one folder and one model. Each picture is a row: path, sha1 of the contents, stamp, features,
and the names of model and folder. It is kept up to date as the folder's own file is: only files that changed are
embedded, and files that went are removed. Rows are written by their path, so two programs that do so at once write the
same rows, and a program that was stopped is gone on with.
"""

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from apps.search.indexes.index import by_distance
from utils.data.files import digest, walk
from utils.gallery import BLOCK, Entry, embed_files, look_at
from utils.saying import counted, left_out

if TYPE_CHECKING:
    from tasks.similarity.model import Loaded

WAIT = 30.0  # seconds for an answer of a server
MOST = 16_384  # answers that Milvus gives to a query, at most
LONGEST = 4096  # bytes of a path
# fields of text, and their bytes at most
TEXTS = {"path": LONGEST, "digest": 64, "stamp": 96, "model": LONGEST, "folder": LONGEST}


class Milvus:
    """A collection of Milvus as an index; see `apps.search.indexes.index.Index`.

    Raises:
        ValueError: pymilvus is not installed, the server does not answer, another program has the file open, the model
            does not compare distances, or the collection belongs to another model or folder, or to another program.
    """

    def __init__(self, where: str, root: str, model: "Loaded", collection: str):
        by_distance(where, model)
        self.where, self.root, self.model, self.collection, self.count = where, root, model, collection, 0
        self.own = {"model": f"{os.path.abspath(model.path)} {digest(model.path)[:12]}",
                    "folder": os.path.realpath(root)}
        self.width = model.compare.embed(np.zeros((1, *model.shape), "uint8")).shape[1]
        with self.reaching():
            self.client = connect(os.path.expanduser(where))
            self.open()

    @contextlib.contextmanager
    def reaching(self) -> Iterator[None]:
        """Turns whatever Milvus raises into one ValueError that names where it is, and says that nothing is lost."""
        try:
            yield
        except Exception as error:  # pymilvus and grpc raise a dozen kinds
            if not any(kind.__module__.startswith(("pymilvus", "milvus", "grpc")) for kind in type(error).__mro__):
                raise
            raise ValueError(self.trouble(error)) from error

    def trouble(self, error: BaseException) -> str:
        """An error of Milvus in a line."""
        text = " ".join((getattr(error, "message", "") or str(error)).split())[:200]
        if not self.where.startswith("http") and not hasattr(self, "client"):
            return (f"{self.where}: Milvus Lite cannot open this file ({text}): another program has it open, or it "
                    "holds something else; wait until that program has ended, or start a Milvus server, which several "
                    "programs may use at once")
        return (f"{self.where}: Milvus does not answer ({text}); what was written is kept: look after the server, "
                "then give the same command again")

    def call(self, name: str, *args: Any, **given: Any) -> Any:
        """Calls a method of the client on the collection."""
        return getattr(self.client, name)(self.collection, *args, timeout=WAIT, **given)

    def open(self) -> None:
        """Makes the collection where there is none; refuses one of another program, or of another width."""
        if not self.call("has_collection"):
            self.make()
        fields = {field["name"]: field for field in self.call("describe_collection")["fields"]}
        if not {*TEXTS, "features"} <= set(fields):
            raise ValueError(f"{self.where}: the collection {self.collection} was not made by this program; name "
                             "another with --collection")
        width = fields["features"]["params"]["dim"]
        if int(width) != self.width:
            raise ValueError(f"{self.where}: the collection {self.collection} holds {width} numbers for each picture, "
                             f"and {self.model.path} gives {self.width}; name another with --collection, or pass its "
                             "--model")
        self.call("load_collection")

    def make(self) -> None:
        """Makes the collection; another program may be faster."""
        from pymilvus import DataType

        schema = self.client.create_schema(auto_id=False, enable_dynamic_field=False)
        for name, most in TEXTS.items():
            schema.add_field(name, DataType.VARCHAR, is_primary=name == "path", max_length=most)
        schema.add_field("features", DataType.FLOAT_VECTOR, dim=self.width)
        index = self.client.prepare_index_params()
        index.add_index("features", index_type="AUTOINDEX" if self.where.startswith("http") else "FLAT",
                        metric_type="L2")
        try:
            self.call("create_collection", schema=schema, index_params=index, consistency_level="Strong")
        except Exception:
            if not self.call("has_collection"):
                raise

    def known(self) -> dict[str, Entry]:
        """What the collection knows of each path, features aside; ValueError where it belongs to another model or
        folder."""
        entries, rows = {}, self.call("query_iterator", batch_size=1000, output_fields=list(TEXTS))
        while part := rows.next():
            for row in part:
                self.refuse_others(row)
                entries[row["path"]] = Entry(row["digest"], row["stamp"], None)
        rows.close()
        return entries

    def refuse_others(self, row: dict[str, str]) -> None:
        """Raises ValueError where a row belongs to another model, whatever its file is called, or to another folder."""
        if row["model"].rpartition(" ")[2] != self.own["model"].rpartition(" ")[2]:
            raise ValueError(f"{self.where}: the collection {self.collection} holds embeddings of the model "
                             f"{row['model']}, and not of {self.own['model']}; name another with --collection, or "
                             "pass its --model")
        if row["folder"] != self.own["folder"]:
            raise ValueError(f"{self.where}: the collection {self.collection} holds the pictures of {row['folder']}, "
                             f"and not of {self.own['folder']}; name another with --collection")

    def update(self) -> int:
        """Brings the collection up to date and returns how many pictures were embedded; what is written first is kept
        whatever comes then."""
        with self.reaching():
            known = self.known()
            paths = [path for path in walk(self.root)[0] if storable(path)]
            files = look_at(self.root, paths, known)
            changed = {path: now for path, now in files.items() if path not in known
                       or (known[path].key, known[path].stamp) != now}
            sources = {entry.key: path for path, entry in known.items()}
            self.move({path: now for path, now in changed.items() if now[0] in sources}, sources)
            embedded, unread = self.embed({path: now for path, now in changed.items() if now[0] not in sources})
            gone = [path for path in known if path not in files or path in unread]
            for start in range(0, len(gone), BLOCK):
                self.call("delete", ids=gone[start : start + BLOCK])
        self.count = len(files) - len(unread)
        if not self.count:
            raise ValueError(f"{self.root}: no image that can be read; expected a folder of pictures")
        return embedded

    def move(self, changed: dict[str, tuple[str, str]], sources: dict[str, str]) -> None:
        """Writes rows of files whose contents are known from another path, or that only have a new stamp."""
        paths = list(changed)
        for start in range(0, len(paths), BLOCK):
            part = paths[start : start + BLOCK]
            rows = self.call("get", ids=list({sources[changed[path][0]] for path in part}),
                             output_fields=["digest", "features"])
            features = {row["digest"]: row["features"] for row in rows}
            self.write((path, changed[path], features[changed[path][0]]) for path in part
                       if changed[path][0] in features)

    def embed(self, changed: dict[str, tuple[str, str]]) -> tuple[int, set[str]]:
        """Embeds files and writes them block by block: how many contents were new, and the paths of those that cannot
        be read."""
        paths: dict[str, list[str]] = {}
        for path, (key, _) in changed.items():
            paths.setdefault(key, []).append(path)
        count, broken = 0, {}
        for part, problems in embed_files(self.root, {key: same[0] for key, same in paths.items()},
                                          self.model.compare.embed, self.model.shape):
            self.write((path, changed[path], features) for key, features in part.items() for path in paths[key])
            count, broken = count + len(part), broken | problems
        unread = {path: problem for key, problem in broken.items() for path in paths[key]}
        left_out(counted(len(unread), "broken file"), [f"{path}: {problem}" for path, problem in unread.items()])
        return count, set(unread)

    def write(self, rows: Iterable[tuple[str, tuple[str, str], Any]]) -> None:
        """Writes rows: path, digest and stamp, features."""
        data = [{"path": path, "digest": key, "stamp": now, "features": features, **self.own}
                for path, (key, now), features in rows]
        for start in range(0, len(data), BLOCK):
            self.call("upsert", data[start : start + BLOCK])

    def nearest(self, features: np.ndarray, top: int, rerank: int = 0) -> list[list[tuple[str, float]]]:
        """The `top` pictures most like each of (Q, F): path and similarity, which the model computes from the features
        that are stored."""
        with self.reaching():
            answers = self.call("search", data=list(np.asarray(features, "float32")), limit=min(top, self.count, MOST),
                                anns_field="features",
                                output_fields=["path", "features"])
        results = []
        for query, hits in zip(features, answers, strict=True):
            paths = [hit["entity"]["path"] for hit in hits]
            scores = self.model.compare.score(query, np.array([hit["entity"]["features"] for hit in hits], "float32"))
            results.append([(paths[index], float(scores[index])) for index in np.argsort(-scores, kind="stable")])
        return results

    def __len__(self) -> int:
        return self.count


def connect(where: str):
    """A client of the file or server; ValueError where pymilvus is not installed."""
    for name in ("pymilvus", "milvus_lite"):  # what they say of an error, the exception says too
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        from pymilvus import MilvusClient
    except ImportError:
        raise ValueError(f'--index={where}: pymilvus is not installed: pip install "pymilvus[milvus-lite]"') from None
    return MilvusClient(where, timeout=WAIT)


def storable(path: str) -> bool:
    """Whether a path can be the key of a row: it is Unicode, and not too long; others are said."""
    with contextlib.suppress(UnicodeEncodeError):
        if len(path.encode()) <= LONGEST:
            return True
    left_out("1 file, whose name Milvus cannot keep", [path])
    return False
