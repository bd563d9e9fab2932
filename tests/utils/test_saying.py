"""How names and long lists are said."""

import pytest

from utils import saying


@pytest.mark.parametrize("name, text", [
    ("图片 é.png", "图片 é.png"), ("caf\udce9", "caf\\udce9"), ("a\x1b[31m\n", "a\\x1b[31m\\n"),
    ("\u202egnp", "\\u202egnp"),
    ("\U0001f600", "\U0001f600"),
])
def test_names_are_shown_whole_and_command_nothing(name, text):
    assert saying.shown(name) == text


def test_a_long_list_is_counted_and_stands_in_a_file(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(saying, "LEFT_OUT", str(tmp_path / "left_out.txt"))
    problems = [f"{number}\udce9.png: broken" for number in range(101)]
    for _ in range(2):
        saying.left_out("101 photos", problems)
    saying.left_out("2 others", ["a", "b"])
    saying.left_out("none", [])
    said = capsys.readouterr().out.splitlines()
    assert (len(said) == 2 and "and 96 more" in said[0] and said[0].endswith("left_out.txt names them all")
            and said[1] == "left out 2 others: a, b")
    kept = (tmp_path / "left_out.txt").read_text(encoding="utf-8", errors="surrogateescape")
    assert all(problem in kept for problem in problems)


def test_a_long_list_is_said_whole_where_no_file_can_be_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(saying, "LEFT_OUT", str(tmp_path / "none" / "left_out.txt"))
    saying.left_out("7 photos", [str(number) for number in range(7)])
    assert capsys.readouterr().out == "left out 7 photos: 0, 1, 2, 3, 4, 5, 6\n"
