"""The share of levels in the right order, against a plain loop."""

import numpy as np
import pytest

from tasks.quality.metrics.ordering import pair_order


def test_pair_order_equals_a_loop(rng):
    scores = rng.integers(0, 6, (7, 4)).astype(float)

    def half(a, b):
        return 1.0 if a > b else 0.5 if a == b else 0.0

    found = pair_order(scores)
    within = [half(row[i], row[j]) for row in scores for i in range(4) for j in range(i + 1, 4)]
    across = [half(scores[p, i], scores[q, j]) for p in range(7) for q in range(7) if p != q for i in range(4)
              for j in range(i + 1, 4)]
    assert found["order"] == pytest.approx(np.mean(within)) and found["across"] == pytest.approx(np.mean(across))
    assert found["adjacent"] == pytest.approx(np.mean([half(row[i], row[i + 1]) for row in scores for i in range(3)]))
    assert found["gap_3"] == pytest.approx(np.mean([half(row[0], row[3]) for row in scores]))
