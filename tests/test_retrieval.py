"""Search and its figures of merit, against plain loops."""

import numpy as np
import pytest

from utils import retrieval
from utils.retrieval import Index


@pytest.mark.parametrize("block", [1, 50, 1 << 24])
@pytest.mark.parametrize("k", [1, 4, 30, 99])
def test_nearest_equals_sorting_all(block, k, rng, monkeypatch):
    monkeypatch.setattr(retrieval, "BLOCK", block)
    gallery, queries = rng.normal(size=(30, 5)).astype("float32"), rng.normal(size=(7, 5)).astype("float32")
    places, found = Index(gallery).nearest(queries, k)
    distance = np.linalg.norm(queries[:, None] - gallery[None, :], axis=2)
    assert np.array_equal(places, np.argsort(distance, axis=1)[:, :k])
    assert found == pytest.approx(np.sort(distance, axis=1)[:, :k], abs=1e-5)


def test_no_image_finds_itself(rng):
    gallery = rng.normal(size=(20, 4)).astype("float32")
    gallery[3] = gallery[8]
    places, found = Index(gallery).nearest(gallery, 19, themselves=True)
    assert all(row not in found_places for row, found_places in enumerate(places))
    assert places[3, 0] == 8 and found[3, 0] == pytest.approx(0, abs=1e-3)


def loop(features, labels):
    """recall@1, recall@5, R-precision and MAP@R of every query that has company."""
    found = []
    for q in range(len(labels)):
        others = [j for j in range(len(labels)) if j != q]
        order = sorted(others, key=lambda j: np.sum((features[q] - features[j]) ** 2))
        right = [labels[j] == labels[q] for j in order]
        r = sum(right)
        if r:
            ap = sum(np.mean(right[: i + 1]) * right[i] for i in range(r)) / r
            found.append([right[0], any(right[:5]), np.mean(right[:r]), ap])
    return np.mean(found, axis=0)


@pytest.mark.parametrize("counts", [(5, 5, 5), (1, 2, 9, 3), (2, 1, 1)])
def test_figures_equal_a_loop(counts, rng):
    labels = np.repeat(np.arange(len(counts)), counts)
    features = rng.normal(size=(len(labels), 3)).astype("float32") + labels[:, None]
    result = retrieval.retrieval(features, labels)
    found = [result[name] for name in ("recall_at_1", "recall_at_5", "r_precision", "map_at_r")]
    assert found == pytest.approx(loop(features, labels))


def test_perfect_and_impossible():
    labels = np.repeat(np.arange(4), 3)
    perfect = retrieval.retrieval(np.eye(4, dtype="float32")[labels], labels)
    assert set(perfect.values()) == {1.0}
    with pytest.raises(ValueError, match="nothing to retrieve"):
        retrieval.retrieval(np.eye(4, dtype="float32"), np.arange(4))
