"""What the numbers of a quality model are said to mean."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from tasks.quality import report
from tasks.quality.answer import scale_in_words


@pytest.mark.parametrize("low, split, higher, says", [
    (None, {}, True, "unknown, because the run did not end"),
    (0, {"test": []}, True, "100 is the mean of undistorted photos and 0 that of the most distorted .* lie above and below"),
    (0, {"scored": True}, False, r"from 100 \(worst\) to 0 \(best\), and others may lie outside"),
    (0, {}, True, "100 stands for good photos and 0 for bad ones, and scores may lie outside"),
])
def test_a_scale_is_stated_as_what_it_is(low, split, higher, says):
    scorer = SimpleNamespace(low=low, high=None if low is None else 100.0, higher_is_better=higher)
    text = scale_in_words(scorer, split)
    assert re.search(says, text) and "about" not in text


def test_the_spread_is_that_of_the_middle_four_fifths(rng):
    good, bad = np.arange(101) / 10 - 1, np.arange(101) / 50 - 1  # -1 to 9 and -1 to 1
    scores = {"jpeg": np.stack([good, bad + 3, bad], axis=1)}
    scores["blur"] = rng.permutation(scores["jpeg"])
    assert report.spread(scores, -1.0, 4.0) == ("four of five undistorted photos score 20 to 180, and four of five at the highest levels 4 to 36")
