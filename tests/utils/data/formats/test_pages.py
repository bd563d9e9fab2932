"""Files of several pages or frames: one is looked at, and that is said."""

import numpy as np
import pytest
from PIL import Image

from utils import saying
from utils.data.formats import pages
from utils.data.images import open_image, read_image, read_photo, size_of


@pytest.fixture(autouse=True)
def first_page(monkeypatch):
    monkeypatch.setenv(pages.PAGE, "1")


def frames(count=3):
    """Pictures of which the first is black and has another size."""
    return [Image.new("RGB", (32, 24)), *(Image.effect_noise((40, 30), 20 * n).convert("RGB") for n in range(1, count))]


def save(path, count=3):
    made = frames(count)
    made = [image.resize((40, 30)) for image in made] if path.suffix != ".tif" else made
    made[0].save(path, save_all=True, append_images=made[1:], lossless=True)
    return str(path), made


@pytest.mark.parametrize("ending, kind", [("tif", "page"), ("gif", "frame"), ("png", "frame"), ("webp", "frame")])
def test_the_first_is_looked_at_and_that_is_said(ending, kind, tmp_path, capsys, monkeypatch):
    path, made = save(tmp_path / f"a.{ending}")
    for _ in range(2):
        assert read_photo(path).max() == 0
    assert capsys.readouterr().out == f"{path}: {kind} 1 of 3 was looked at; --page=N looks at another\n"
    pages.set_page(3)
    assert np.abs(read_photo(path).astype(int) - np.asarray(made[2])).mean() < (12 if ending == "gif" else 1)
    assert size_of(path) == made[2].size == open_image(path, "L").size
    assert f"{kind} 3 of 3 was looked at" in capsys.readouterr().out
    pages.set_page(4)
    with pytest.raises(ValueError, match=f"a.{ending}: 3 {kind}s, expected 4 or more: pass --page=3 or a lower number"):
        read_image(path, (8, 8, 3))


def test_files_of_one_page_are_read_whatever_page_is_asked_for(tmp_path, capsys):
    pages.set_page(2)
    for name in ("a.tif", "a.gif", "a.jpg", "a.png"):
        Image.new("RGB", (9, 9), (200, 200, 200)).save(tmp_path / name)
        assert read_photo(str(tmp_path / name)).min() > 190
    both = frames(2)
    both[1].save(tmp_path / "b.mpo", save_all=True, append_images=both[:1])  # the second is a preview
    assert read_photo(str(tmp_path / "b.mpo")).max() > 0
    assert not capsys.readouterr().out


def test_a_damaged_further_page_does_no_harm_to_the_first(tmp_path):
    for name in ("a.tif", "a.gif"):
        path, made = save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[:-40] if name == "a.tif" else data[: len(data) * 2 // 3])
        assert read_photo(path).max() == 0


def test_many_such_files_of_a_folder_are_counted(tmp_path, capsys):
    for number in range(8):
        read_image(save(tmp_path / f"{number}.gif", 2)[0], (8, 8, 3))
    saying.say_rest()
    saying.say_rest()
    *lines, last = capsys.readouterr().out.splitlines()
    assert len(lines) == 5 and last == "3 more files hold several pages or frames, of which one was looked at"
