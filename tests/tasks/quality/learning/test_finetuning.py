"""What is held out of photos with scores, where the first weights learnt from some."""

import numpy as np
import pytest

from tasks.quality.learning.finetuning import split_apart
from utils.data import scores

REFERENCES = np.repeat(np.arange(10), 3)


@pytest.mark.parametrize("seed", range(4))
def test_references_that_the_first_weights_learnt_are_not_tested_on(seed):
    learnt = np.isin(REFERENCES, range(7))
    learnt[1:21:3] = False  # one image of each is new
    rest, held = split_apart(REFERENCES, learnt, 0.2, seed)
    assert len(held) == 6 and set(REFERENCES[held]) <= {7, 8, 9}
    assert sorted([*rest, *held]) == list(range(30))


@pytest.mark.parametrize("learnt", [(), range(9)])
def test_where_none_or_too_many_were_learnt_all_are_drawn_from(learnt):
    for found, plain in zip(split_apart(REFERENCES, np.isin(REFERENCES, learnt), 0.2, 3),
                            scores.split_by_reference(REFERENCES, 0.2, 3)):
        assert np.array_equal(found, plain)
