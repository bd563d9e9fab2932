"""Beyond the measured pairs: the tail of known distributions, and what is refused."""

import numpy as np
import pytest

from utils.metrics import tail


def curve_of(distances):
    return tail.curve(1 / (1 + np.exp(8 * (distances - 0.5))), -np.log(distances))


def test_within_what_was_measured_the_curve_is_that_of_the_pairs():
    distances = np.random.default_rng(0).uniform(0, 1, 20_000)
    known = curve_of(distances)
    for rate in (0.3, 0.05, 0.005):
        assert np.mean(distances < np.exp(-tail.nearness_at(rate, known))) == pytest.approx(rate, rel=0.15)
    assert tail.beyond(0.005, known) < 1 < tail.beyond(1e-6, known) == pytest.approx(50)


def test_the_share_of_different_pairs_that_are_as_alike_is_the_one_counted():
    distances = np.random.default_rng(3).uniform(0, 1, 20_000)
    known, similarities = curve_of(distances), np.sort(1 / (1 + np.exp(8 * (distances - 0.5))))
    for share in (0.4, 0.1, 0.01, 0.002):
        similarity = similarities[-int(share * len(similarities))]
        assert tail.rate_at(similarity, known) == pytest.approx(share, rel=0.1)
    assert tail.rate_at(0.0, known) == pytest.approx(0.5) and tail.rate_at(1.0, known) == pytest.approx(1 / 20_000)


@pytest.mark.parametrize("power", [1, 4, 12])
def test_a_hundred_times_beyond_about_one_pair_is_wrong(power):
    """Distances whose share falls like a power: of a hundred times more fresh pairs, a handful at most is expected, and
    not hundreds."""
    wrong = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        known = curve_of(rng.uniform(0, 1, 2_000) ** (1 / power))
        wrong.append(np.sum(rng.uniform(0, 1, 200_000) ** (1 / power) < np.exp(-tail.nearness_at(1 / 200_000, known))))
    assert 0 < np.mean(wrong) < 4


def test_more_pairs_never_need_a_lower_threshold():
    known = curve_of(np.random.default_rng(1).beta(5, 2, 3_000))
    found = [tail.nearness_at(1 / pairs, known) for pairs in (3, 30, 300, 3_000, 30_000, 10**9)]
    assert found == sorted(found)


def test_too_few_pairs_say_nothing_and_certain_similarities_are_finite():
    assert curve_of(np.full(tail.FEWEST - 1, 0.5)) is None
    assert np.isfinite(tail.logits(np.array([0.0, 1.0]))).all()
    equal = tail.curve(np.ones(500, "float32"), tail.logits(np.ones(500)))
    assert np.isfinite(tail.nearness_at(1e-9, equal))
