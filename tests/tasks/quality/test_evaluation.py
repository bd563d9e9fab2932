"""Runs compared by when each was as good as the other."""

import json

import pytest


@pytest.mark.slow
def test_runs_are_compared_by_when_each_is_as_good_as_the_other(tmp_path, script):
    head = "epoch,val_hinge,val_order,val_across,seconds\n"
    for name, rows in {
        "all": ["0,.5,.8,.7,10", "1,.2,.95,.9,10", "2,.1,.94,.92,10"], "random": ["0,.6,.7,.6,30", "1,.2,.96,.8,31"],
    }.items():
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / "log.csv").write_text(head + "\n".join(rows) + "\n")
    out = script("eval_rank.py", "--compare=logs/all,logs/random", "--json")
    found = json.loads(out.splitlines()[-1])
    assert found["logs/all"] == {
        "seconds": 30, "hinge": 0.1, "order": 0.95, "across": 0.92,
        "reached": {"logs/random": {"hinge": 20, "order": None, "across": 20}},
    }
    assert found["logs/random"]["reached"] == {"logs/all": {"hinge": None, "order": 61, "across": None}}
    assert "as good as logs/random at its best: hinge after 20 s, order never, across after 20 s" in out
    assert (tmp_path / "efficiency.png").stat().st_size > 10_000
    assert "found no log with val_hinge, val_order, val_across" in script("eval_rank.py", "--compare=logs/none",
                                                                          expect=2)
