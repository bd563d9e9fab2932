"""Mutual nearest neighbours that stand out, against a loop; in blocks."""

import time

import numpy as np
import pytest

from utils.keypoints.matching import match, nearest


def loop(a, b, ratio):
    """Pairs that are nearest to each other, and nearer than `ratio` times the second nearest."""
    gaps = np.linalg.norm(a[:, None] - b[None], axis=2)
    matches = {}
    for row, line in enumerate(gaps):
        first, second = np.argsort(line)[:2]
        if gaps[:, first].argmin() == row and line[first] <= ratio * line[second]:
            matches[row, int(first)] = line[first] / line[second]
    return matches


@pytest.mark.parametrize("ratio", [0.7, 1.0])
@pytest.mark.parametrize("block", [7, 1000])
def test_matches_equal_a_loop(ratio, block, rng, monkeypatch):
    monkeypatch.setattr(nearest, "__defaults__", (block,))
    a = rng.normal(size=(60, 5))
    b = np.concatenate([a[::2] + rng.normal(0, 0.3, (30, 5)), rng.normal(size=(20, 5))])
    expected, matches = loop(a, b, ratio), match(a, b, ratio)
    assert set(map(tuple, matches.rows.tolist())) == set(expected) and len(expected) > 10
    assert np.allclose(matches.ratio, [expected[tuple(pair)] for pair in matches.rows.tolist()], atol=1e-4)
    assert (np.diff(matches.ratio) >= 0).all()


def test_where_there_is_little_to_compare(rng):
    a = rng.normal(size=(3, 4))
    for left, right in ((a[:0], a), (a, a[:0]), (a[:0], a[:0])):
        assert match(left, right).rows.shape == (0, 2)
    assert match(a, a[:1]).rows.tolist() == [[0, 0]]  # nothing is second nearest
    twins = np.concatenate([a[:1], a[:1]])
    assert len(match(a[:1], twins).rows) == 0  # both are as near


def test_ten_thousand_by_ten_thousand_in_seconds(rng):
    """About 5 s on two busy cores; the limit leaves room."""
    a = rng.normal(size=(10_000, 128)).astype("float32")
    began = time.perf_counter()
    matches = match(a, a[::-1] + rng.normal(0, 0.01, a.shape).astype("float32"))
    assert np.array_equal(np.sort(matches.rows, axis=0)[:, 0], np.arange(10_000))
    assert (matches.rows.sum(1) == 9999).all()
    assert time.perf_counter() - began < 60
