"""Search among embeddings, and how good it is: exact, in blocks, never the whole N x N matrix."""

import warnings
from collections.abc import Iterator
from typing import Any

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
        """The k nearest of each query, nearest first; equal distances by index.

        Args:
            queries: (Q, F).
            themselves: whether query q is embedding q, which is then no answer to itself.

        Returns:
            indices (Q, k) int and Euclidean distances (Q, k); k is cut to what there is.
        """
        k = min(k, len(self) - themselves)
        indices = np.empty((len(queries), k), int)
        distances = np.empty((len(queries), k), "float32")
        for rows, squares in self.blocks(queries):
            if themselves:
                squares[np.arange(len(squares)), np.arange(rows.start, rows.stop)] = np.inf
            best = (np.argpartition(squares, k - 1, axis=1)[:, :k] if k < len(self)
                    else np.tile(np.arange(k), (len(squares), 1)))
            near = np.take_along_axis(squares, best, axis=1)
            order = np.lexsort((best, near), axis=1)
            indices[rows] = np.take_along_axis(best, order, axis=1)
            distances[rows] = np.sqrt(np.take_along_axis(near, order, axis=1))
        return indices, distances


def retrieval(features: np.ndarray, labels: np.ndarray, ranks: tuple[int, ...] = (1, 5, 10)) -> dict[str, float]:
    """Every image searches for the others of its class; images that are alone in theirs are not asked.

    With R = others of the query's class, rel(i) = whether the i-th nearest is of its class, P(i) =
    share of the i nearest that are (Musgrave, Belongie & Lim 2020):
        recall@k     share of queries with rel(i) for some i <= k
        r_precision  mean of P(R)
        map_at_r     mean of 1/R sum over i <= R of P(i) rel(i)
        chance_at_1  what recall@1 would be if the nearest were drawn by chance: high where one class is large
    """
    others = np.bincount(labels)[labels] - 1  # (N,)
    asked = np.flatnonzero(others > 0)
    if not len(asked):
        raise ValueError("no class holds two images: there is nothing to retrieve")
    depth = max(*ranks, int(others.max()))
    indices, _ = Index(features).nearest(features, depth, themselves=True)
    right = (labels[indices] == labels[:, None])[asked]  # (A, depth)
    wanted = others[asked][:, None]  # (A, 1)
    within = right[:, : wanted.max()] & (np.arange(right.shape[1])[None, : wanted.max()] < wanted)
    precision = np.cumsum(within, axis=1) / np.arange(1, within.shape[1] + 1)
    result = {f"recall_at_{k}": float(right[:, :k].any(axis=1).mean()) for k in ranks}
    return result | {
        "r_precision": float(np.mean(within.sum(axis=1) / wanted[:, 0])),
        "map_at_r": float(np.mean((precision * within).sum(axis=1) / wanted[:, 0])),
        "chance_at_1": float(np.mean(wanted) / (len(labels) - 1)),
    }


def classifiers(features: np.ndarray, labels: np.ndarray, seed: int = 0, neighbours: int = 5) -> dict[str, float]:
    """How well simple classifiers name the classes, after Hoffer & Ailon 2015: the embedding stays as it is.

    They are fitted to every other image of each class, in an order drawn from the seed, and
    tested on the rest; a class with one image is fitted only.

    Args:
        features: (N, F).
        labels: (N,).

    Returns:
        knn_accuracy: share named rightly by a vote of the `neighbours` nearest, or of as many as a class has
            references.
        linear_accuracy: the same by a linear classifier (Fisher's discriminants); absent where no
            class has two different embeddings to fit.
        largest_accuracy: the same where all are given the name of the largest class.
    """
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.dummy import DummyClassifier
    from sklearn.neighbors import KNeighborsClassifier

    order = np.random.default_rng(seed).permutation(len(labels))
    order = order[np.argsort(labels[order], kind="stable")]  # class by class
    first = np.searchsorted(labels[order], labels[order])  # where the class of each begins
    held = (np.arange(len(order)) - first) % 2 == 1
    fit, test = order[~held], order[held]
    references = int(np.bincount(labels[fit]).max())  # of a class, at most
    knn = KNeighborsClassifier(min(neighbours, references), algorithm="brute")
    models = {"knn_accuracy": knn, "largest_accuracy": DummyClassifier(strategy="most_frequent")}
    starts = np.flatnonzero(np.diff(labels[fit], prepend=labels[fit][0] - 1))  # `fit` goes class by class
    means = np.add.reduceat(features[fit], starts) / np.diff(starts, append=len(fit))[:, None]
    within = features[fit] - np.repeat(means, np.diff(starts, append=len(fit)), axis=0)
    if np.ptp(within, axis=0).max() > 1e-6:  # else no class has two images, or all embeddings are alike
        models["linear_accuracy"] = LinearDiscriminantAnalysis()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scikit-learn warns of features that are nearly collinear
        return {
            name: float(model.fit(features[fit], labels[fit]).score(features[test], labels[test]))
            for name, model in models.items()
        }


def class_table(features: np.ndarray, labels: np.ndarray, names: list[str]) -> list[dict[str, Any]]:
    """Which classes are found and what they are taken for: a row for each class, the worst first.

    Args:
        features: (N, F).
        labels: (N,) rows of `names`.

    Returns:
        Rows of class, images, recall_at_1 (as in `retrieval`; of a class with one image, 0), taken_for:
        the class that most often stands nearest in its place, or "", and how often.
    """
    nearest = labels[Index(features).nearest(features, 1, themselves=True)[0][:, 0]]  # (N,)
    rows = []
    for label in np.unique(labels):
        neighbours = nearest[labels == label]
        wrong, times = np.unique(neighbours[neighbours != label], return_counts=True)
        rows.append({
            "class": names[label], "images": len(neighbours), "recall_at_1": float(np.mean(neighbours == label)),
            "taken_for": names[wrong[times.argmax()]] if len(wrong) else "", "times": int(times.max(initial=0)),
        })
    return sorted(rows, key=lambda row: (row["recall_at_1"], row["class"]))
