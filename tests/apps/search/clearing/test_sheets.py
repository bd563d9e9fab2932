"""The sheet of groups says of copies what the terminal says."""

import pytest
from PIL import Image

from apps.search import proven
from apps.search.clearing import sheets
from apps.search.duplicates import Group, Member


def test_the_sheet_says_of_proved_copies_what_the_terminal_says(tmp_path, monkeypatch):
    for name in ("a.png", "b.png"):
        Image.new("RGB", (40, 40)).save(tmp_path / name)
    drawn = []
    monkeypatch.setattr(sheets.figures, "save_beside_answer", lambda page, path: drawn.append(page))
    group = Group("a.png", [Member("a.png", 1.0, "", False, 1.0), Member("b.png", 0.99999, "", True, 0.9634)])
    sheets.draw_groups(str(tmp_path), [group], "1 group", "duplicates.png")
    first, second = drawn[0].axes[:2]
    assert (first.get_title(), second.get_title()) == ("keep\na.png", "96.3% agrees\nb.png")
    assert first.texts[0].get_text() == "group 0" and "1.000" not in drawn[0].get_suptitle()
    assert proven.in_words(0, group)[1] == "  96.3% agrees: b.png  (copy)"


@pytest.mark.parametrize("keep, titles", [
    ("a.png", ["1.000, keep, centre", "1.000, identical file", "1.000"]),
    ("c.png", ["1.000, keep", "1.000, centre", "1.000, identical file"]),
    ("", ["1.000, centre", "1.000, identical file", "1.000"])])
def test_one_picture_is_named_as_what_the_others_are_compared_with(keep, titles, tmp_path, monkeypatch):
    """Also where all are equal, so that each has the similarity 1.000."""
    drawn = []
    monkeypatch.setattr(sheets.figures, "save_beside_answer", lambda page, path: drawn.append(page))
    group = Group(keep, [Member("a.png", 1.0, ""), Member("b.png", 1.0, "a.png"), Member("c.png", 1.0, "")])
    sheets.draw_groups(str(tmp_path), [group], "1 group", "duplicates.png")
    assert [axis.get_title().split("\n")[0] for axis in drawn[0].axes] == titles
    said = " ".join(drawn[0].get_suptitle().split())
    assert said.endswith("Numbers: similarity to the centre of the group")
