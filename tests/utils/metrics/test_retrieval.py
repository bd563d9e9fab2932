"""Search and its figures of merit, against plain loops."""

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from utils.metrics import retrieval
from utils.metrics.retrieval import Index


@pytest.mark.parametrize("block", [1, 50, 1 << 24])
@pytest.mark.parametrize("k", [1, 4, 30, 99])
def test_nearest_equals_sorting_all(block, k, rng, monkeypatch):
    monkeypatch.setattr(retrieval, "BLOCK", block)
    gallery, queries = rng.normal(size=(30, 5)).astype("float32"), rng.normal(size=(7, 5)).astype("float32")
    indices, distances = Index(gallery).nearest(queries, k)
    expected = np.linalg.norm(queries[:, None] - gallery[None, :], axis=2)
    assert np.array_equal(indices, np.argsort(expected, axis=1)[:, :k])
    assert distances == pytest.approx(np.sort(expected, axis=1)[:, :k], abs=1e-5)


def test_no_image_finds_itself(rng):
    gallery = rng.normal(size=(20, 4)).astype("float32")
    gallery[3] = gallery[8]
    indices, distances = Index(gallery).nearest(gallery, 19, themselves=True)
    assert all(row not in row_indices for row, row_indices in enumerate(indices))
    assert indices[3, 0] == 8 and distances[3, 0] == pytest.approx(0, abs=1e-3)


def loop(features, labels):
    """recall@1, recall@5, R-precision and MAP@R of every query that has company."""
    figures = []
    for q in range(len(labels)):
        others = [j for j in range(len(labels)) if j != q]
        order = sorted(others, key=lambda j: np.sum((features[q] - features[j]) ** 2))
        right = [labels[j] == labels[q] for j in order]
        r = sum(right)
        if r:
            ap = sum(np.mean(right[: i + 1]) * right[i] for i in range(r)) / r
            figures.append([right[0], any(right[:5]), np.mean(right[:r]), ap])
    return np.mean(figures, axis=0)


@pytest.mark.parametrize("counts", [(5, 5, 5), (1, 2, 9, 3), (2, 1, 1)])
def test_figures_equal_a_loop(counts, rng):
    labels = np.repeat(np.arange(len(counts)), counts)
    features = rng.normal(size=(len(labels), 3)).astype("float32") + labels[:, None]
    result = retrieval.retrieval(features, labels)
    figures = [result[name] for name in ("recall_at_1", "recall_at_5", "r_precision", "map_at_r")]
    assert figures == pytest.approx(loop(features, labels))


def test_perfect_and_impossible():
    labels = np.repeat(np.arange(4), 3)
    perfect = retrieval.retrieval(np.eye(4, dtype="float32")[labels], labels)
    assert perfect.pop("chance_at_1") == pytest.approx(2 / 11) and set(perfect.values()) == {1.0}
    with pytest.raises(ValueError, match="nothing to retrieve"):
        retrieval.retrieval(np.eye(4, dtype="float32"), np.arange(4))


def test_classifiers_name_classes_that_lie_apart_and_no_others(rng):
    labels = np.repeat(np.arange(5), 12)
    apart = rng.normal(size=(60, 6)) * 0.1 + rng.normal(size=(5, 6))[labels] * 5
    assert retrieval.classifiers(apart, labels) == {"knn_accuracy": 1.0, "linear_accuracy": 1.0,
                                                    "largest_accuracy": 0.2}
    noise = retrieval.classifiers(rng.normal(size=(60, 6)), labels)
    assert max(noise.values()) < 0.5  # tested on other images than it was fitted to


def test_one_large_class_shows_in_what_chance_reaches(rng):
    """Of random embeddings nine in ten are named rightly, and found rightly, where nine in ten are of one class."""
    labels = np.repeat(np.arange(3), (180, 10, 10))
    noise = rng.normal(size=(200, 3)).astype("float32")
    named, found = retrieval.classifiers(noise, labels), retrieval.retrieval(noise, labels)
    assert named["largest_accuracy"] == pytest.approx(0.9) and abs(named["knn_accuracy"] - 0.9) < 0.05
    by_hand = np.mean([(labels == label).sum() - 1 for label in labels]) / 199
    assert found["chance_at_1"] == pytest.approx(by_hand) and abs(found["recall_at_1"] - by_hand) < 0.1


def test_classifiers_are_tested_on_half_of_each_class(rng, monkeypatch):
    asked = []
    monkeypatch.setattr(KNeighborsClassifier, "score", lambda self, x, y: asked.append(y) or 0.0)
    labels = np.repeat(np.arange(4), (1, 2, 7, 10))
    retrieval.classifiers(rng.normal(size=(20, 3)), labels)
    assert np.bincount(asked[0], minlength=4).tolist() == [0, 1, 3, 5]


def test_classifiers_of_two_images_a_class(rng):
    assert "linear_accuracy" not in retrieval.classifiers(rng.normal(size=(6, 3)), np.repeat(np.arange(3), 2))


def test_class_table_equals_a_loop(rng):
    labels = rng.integers(0, 4, 40)
    features = rng.normal(size=(40, 3)).astype("float32")
    names = ["a", "b", "c", "d"]
    nearest = [min((j for j in range(40) if j != q), key=lambda j: np.sum((features[q] - features[j]) ** 2))
               for q in range(40)]
    table = retrieval.class_table(features, labels, names)
    assert [row["recall_at_1"] for row in table] == sorted(row["recall_at_1"] for row in table)
    for row in table:
        own = [q for q in range(40) if names[labels[q]] == row["class"]]
        wrong = [names[labels[nearest[q]]] for q in own if labels[nearest[q]] != labels[q]]
        assert row["images"] == len(own)
        assert row["recall_at_1"] == pytest.approx(np.mean([labels[nearest[q]] == labels[q] for q in own]))
        assert row["times"] == max(map(wrong.count, wrong), default=0) == wrong.count(row["taken_for"])
