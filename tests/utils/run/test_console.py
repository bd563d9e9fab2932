"""What a script prints while it works."""

import os
import re
import subprocess
import sys

import pytest

from utils.run import console
from utils.run.console import check_place

from helpers import ROOT


class Screen:
    """A clock that goes on by one second a look."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        self.now += 1
        return self.now


@pytest.mark.parametrize("pause, lines", [
    (0, ["  1 of 3 images", "  2 of 3 images", "  3 of 3 images"]), (2, ["  2 of 3 images", "  3 of 3 images"]),
    (10, [])])
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


def test_tab_completes_names_of_files_and_folders(tmp_path, monkeypatch):
    for name in ("one photo.png", "one.png", "[x].png"):
        (tmp_path / name).touch()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    assert console.completions("o") == ["one photo.png", "one.png", "other/"]
    assert console.completions("'one p") == ["'one photo.png"] and console.completions("[") == ["[x].png"]
    assert console.completions(f"{tmp_path}/ot") == [f"{tmp_path}/other/"] and console.completions("none") == []
    monkeypatch.setenv("HOME", str(tmp_path))
    assert console.completions("~/ot") == ["~/other/"]


def test_a_terminal_edits_lines_and_remembers_them(tmp_path):
    """Tab, the arrow up for the line before, the arrow left to insert."""
    pytest.importorskip("readline")
    pty = pytest.importorskip("pty")
    (tmp_path / "a long name.png").touch()
    code = ("import sys; from utils.run.console import edit_lines; from utils.run.startup import Plain, hush; "
            "sys.stdout = Plain(sys.stdout); hush(); edit_lines(); print([input('file: ') for _ in range(3)], "
            "flush=True)")
    terminal, inside = pty.openpty()
    asking = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdin=inside, stdout=inside, stderr=inside,
                              start_new_session=True,
                              env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "INPUTRC": os.devnull})
    os.close(inside)
    said = b""
    for typed in (b"a l\t\n", b"\x1b[A\n", b"bc\x1b[Da\n"):
        while not said.endswith(b"file: "):
            said += os.read(terminal, 1024)
        said = b""
        os.write(terminal, typed)
    while b"]\r\n" not in said:
        said += os.read(terminal, 1024)
    assert asking.wait(30) == 0 and b"['a long name.png', 'a long name.png', 'bac']" in said
    os.close(terminal)


def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(tmp_path, monkeypatch):
    check_place("csv", str(tmp_path / "a.csv"))
    for path, why in ((tmp_path, "a folder, expected the name of a file"),
                      (tmp_path / "a.jpg", "the name of a picture, expected that of a file to write"),
                      (tmp_path / "none" / "a.csv", f"there is no folder {tmp_path / 'none'}")):
        with pytest.raises(ValueError, match=f"^--csv={re.escape(str(path))}: {re.escape(why)}"):
            check_place("csv", str(path))
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="is not yours to write to"):
        check_place("csv", str(tmp_path / "a.csv"))
