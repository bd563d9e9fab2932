"""Visitors of the page stay below the chosen folder."""

import os

import pytest

from apps.page.folders import inside, offered


@pytest.fixture
def root(tmp_path):
    """root/cats/2024 and root/dogs; beside root a folder `secret`."""
    for name in ("root/cats/2024", "root/dogs", "root/.hidden", "secret/deep"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path / "root"


@pytest.mark.parametrize("name", ["", " ", "cats", "cats/", "cats/2024", "./dogs"])
def test_folders_below_the_chosen_one_are_searched(root, name):
    assert os.path.samefile(inside(str(root), name), root / name.strip())


@pytest.mark.parametrize("name, line", [
    ("..", "leads out"), ("cats/../..", "leads out"), ("../secret", "leads out"), ("cats\\..\\..\\secret", "leads out"),
    ("/etc", "not a name below"), ("~", "not a name below"), ("~root", "not a name below"),
    ("\\\\host\\share", "not a name below"),
    ("cats\0", "not a name below"), ("birds", "no such folder"), ("x" * 5000, "no such folder"),
])
def test_other_folders_are_refused_with_a_line(root, name, line):
    with pytest.raises(ValueError, match=line) as refused:
        inside(str(root), name)
    assert "\n" not in str(refused.value) and "\0" not in str(refused.value)


@pytest.mark.parametrize("where", ["link", "cats/link", "cats/2024/link"])
def test_links_that_lead_out_are_refused(root, where):
    os.symlink(root.parent / "secret", root / where)
    for name in (where, f"{where}/deep", ""):
        with pytest.raises(ValueError, match="link: a link that leads out|deep: a link that leads out"):
            inside(str(root), name)


def test_links_to_files_elsewhere_and_links_behind_links_are_found(root):
    (root.parent / "secret" / "a.png").write_bytes(b"picture")
    os.symlink(root.parent / "secret" / "a.png", root / "dogs" / "a.png")
    os.symlink(root / "dogs", root / "cats" / "friends")
    with pytest.raises(ValueError, match="dogs/a.png: a link that leads out"):
        inside(str(root), "cats")


def test_links_within_the_folder_and_circles_are_followed(root):
    os.symlink(root / "dogs", root / "cats" / "friends")
    os.symlink(root, root / "cats" / "circle")
    assert inside(str(root), "cats/friends") and inside(str(root), "")


def test_the_chosen_folder_may_itself_be_a_link(root):
    os.symlink(root, root.parent / "short")
    assert inside(str(root.parent / "short"), "cats")


def test_the_page_suggests_folders_but_no_hidden_ones_and_no_links(root):
    os.symlink(root.parent / "secret", root / "link")
    (root / "bad\x1bname").mkdir()
    assert offered(str(root)) == ["cats", os.path.join("cats", "2024"), "dogs"]
