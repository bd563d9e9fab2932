"""Search among embeddings, and how good it is: exact, in blocks, never the whole N x N matrix."""

from typing import Iterator

import numpy as np

BLOCK = 1 << 24  # distances in memory at once: 64 MB


class Index:
    """Embeddings to search in; their squared lengths are computed once.

    Args:
        features: (N, F) float32.
    """

    def __init__(self, features: np.ndarray):
        self.features = np.ascontiguousarray(features, "float32")
        self.squares = np.einsum("nf,nf->n", self.features, self.features)  # (N,)

    def __len__(self) -> int:
        return len(self.features)

    def blocks(self, queries: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Squared distances of queries (Q, F), block by block: rows of the queries, (rows, N)."""
        step = max(1, BLOCK // max(1, len(self)))
        for start in range(0, len(queries), step):
            rows = slice(start, min(start + step, len(queries)))
            part = np.asarray(queries[rows], "float32")
            squares = np.einsum("qf,qf->q", part, part)[:, None]  # (rows, 1)
            product = part @ self.features.T  # (rows, N)
            np.multiply(product, -2, out=product)
            product += squares
            product += self.squares
            yield rows, np.maximum(product, 0, out=product)

    def nearest(self, queries: np.ndarray, k: int, themselves: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """The k nearest of each query, nearest first; equal distances by place.

        Args:
            queries: (Q, F).
            themselves: whether query q is embedding q, which is then no answer to itself.

        Returns:
            places (Q, k) int and Euclidean distances (Q, k); k is cut to what there is.
        """
        k = min(k, len(self) - themselves)
        places = np.empty((len(queries), k), int)
        found = np.empty((len(queries), k), "float32")
        for rows, squares in self.blocks(queries):
            if themselves:
                squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = np.inf
            best = np.argpartition(squares, k - 1, axis=1)[:, :k] if k < len(self) else np.tile(np.arange(k), (len(squares), 1))
            near = np.take_along_axis(squares, best, axis=1)
            order = np.lexsort((best, near), axis=1)
            places[rows] = np.take_along_axis(best, order, axis=1)
            found[rows] = np.sqrt(np.take_along_axis(near, order, axis=1))
        return places, found


def retrieval(features: np.ndarray, labels: np.ndarray, at: tuple[int, ...] = (1, 5, 10)) -> dict[str, float]:
    """Every image searches for the others of its class; images that are alone in theirs are not asked.

    With R = others of the query's class, rel(i) = whether the i-th nearest is of its class, P(i) =
    share of the i nearest that are (Musgrave, Belongie & Lim 2020):
        recall@k     share of queries with rel(i) for some i <= k
        r_precision  mean of P(R)
        map_at_r     mean of 1/R sum over i <= R of P(i) rel(i)
    """
    others = np.bincount(labels)[labels] - 1  # (N,)
    asked = np.flatnonzero(others > 0)
    if not len(asked):
        raise ValueError("no class holds two images: there is nothing to retrieve")
    depth = max(*at, int(others.max()))
    places, _ = Index(features).nearest(features, depth, themselves=True)
    right = (labels[places] == labels[:, None])[asked]  # (A, depth)
    wanted = others[asked][:, None]  # (A, 1)
    within = right[:, : wanted.max()] & (np.arange(right.shape[1])[None, : wanted.max()] < wanted)
    precision = np.cumsum(within, axis=1) / np.arange(1, within.shape[1] + 1)
    result = {f"recall_at_{k}": float(right[:, :k].any(axis=1).mean()) for k in at}
    return result | {
        "r_precision": float(np.mean(within.sum(axis=1) / wanted[:, 0])),
        "map_at_r": float(np.mean((precision * within).sum(axis=1) / wanted[:, 0])),
    }
