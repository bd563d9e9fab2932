"""What a program takes from its start: whole processes, their time and memory."""

import sys
from importlib.util import find_spec

import pytest

from apps import started


def test_time_and_memory_are_those_of_the_process_alone(tmp_path):
    """The tests themselves hold Keras in memory, which must not be counted."""
    small = started.spent(["-c", "import time; time.sleep(.5)"], str(tmp_path))
    large = started.spent(["-c", "x = bytearray(120_000_000); sum(range(3_000_000))"], str(tmp_path))
    assert 0.5 <= small.wall < 30 and small.processor < 0.4 and small.memory < 80e6
    assert large.memory > small.memory + 100e6 and large.processor > small.processor


def test_a_process_that_fails_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="failed: .*no such thing"):
        started.spent(["-c", "raise SystemExit('no such thing')"], str(tmp_path))


def test_medians_come_from_turns(tmp_path, monkeypatch):
    ran = []

    def spent(arguments, folder):
        ran.append(arguments[0])
        return started.Spent(len(ran), 2 * len(ran), 5)

    monkeypatch.setattr(started, "spent", spent)
    found = started.in_turns({"one": ["a"], "two": ["b"]}, str(tmp_path), 3)
    assert ran == ["a", "b"] * 4  # the first turn warms up
    assert found == {"one": (5, 10, 5), "two": (6, 12, 5)}


@pytest.mark.rare
def test_the_parts_give_ratios(tmp_path, monkeypatch):
    """Each command runs once, and the program answers."""
    ran = started.start(str(tmp_path), 1)
    assert all(value > 0 for value in ran.values())
    if find_spec("onnxruntime"):
        assert ran["the same, memory"] < 0.5 < ran["by Keras / import keras, wall"]
    monkeypatch.setitem(sys.modules, "imagehash", None)
    copies = started.copies(str(tmp_path / "more"), 1, count=3)
    assert copies["--duplicates, processor, s"] > 0
    if find_spec("onnxruntime") and find_spec("flask"):
        found = started.questions(str(tmp_path / "asked"), 1, searched=20, embedded=10, scored=2)
        assert all(value > 0 for value in found.values()) and len(found) == 8
