"""A training that learns nothing is said, once, with what to change."""

import numpy as np
import pytest

from tasks.collapse import Collapse


@pytest.mark.parametrize("spread, gap, speaks", [(0.0, 1.0, True), (0.8, 1.0, True), (0.8, 1.5, False)])
def test_a_collapse_is_said_once_with_what_to_change(spread, gap, speaks, capsys):
    callback = Collapse(np.log(2))
    for epoch in range(6):
        callback.on_epoch_end(epoch, {"spread": spread, "loss": 0.5, "same_distance": 1.0, "different_distance": gap})
    out = capsys.readouterr().out
    assert out.count("collapsed") == int(speaks)
    assert not speaks or "--learning_rate" in out


def test_a_loss_that_is_no_number_is_said(capsys):
    Collapse(np.log(2)).on_epoch_end(0, {"loss": float("nan"), "spread": 1, "same_distance": 1,
                                         "different_distance": 2})
    assert "diverged" in capsys.readouterr().out


@pytest.mark.parametrize("idle", [np.log(2), 0.2])
def test_a_loss_that_idles_is_a_collapse_too(idle, capsys):
    callback = Collapse(idle)
    for epoch in range(2):
        callback.on_epoch_end(epoch, {"loss": idle + 1e-4, "spread": 1, "same_distance": 1, "different_distance": 2})
    assert "collapsed" in capsys.readouterr().out
