"""What a script prints while it works."""

import pytest

from utils.run import console


class Screen:
    """A clock that goes on by one second a look."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 1
        return self.now


@pytest.mark.parametrize("pause, lines", [
    (0, ["  1 of 3 images", "  2 of 3 images", "  3 of 3 images"]), (2, ["  2 of 3 images", "  3 of 3 images"]), (10, [])])
def test_without_a_terminal_lines_tell_of_long_work(pause, lines, capsys, monkeypatch):
    """One every `PAUSE` seconds, and one at the end if there was any; work that is done soon is not told of."""
    monkeypatch.setattr(console, "PAUSE", pause)
    monkeypatch.setattr(console, "time", Screen())
    bar = console.progress_bar("image")
    for done in (1, 2, 3):
        bar(done, 3)
    assert capsys.readouterr().out.splitlines() == lines


def test_with_a_terminal_one_line_is_drawn_again(capsys, monkeypatch):
    monkeypatch.setattr(console.sys.stdout, "isatty", lambda: True, raising=False)
    bar = console.progress_bar("image")
    for done in (1, 2, 3):
        bar(done, 3)
    assert capsys.readouterr().out.count("\n") <= 1
