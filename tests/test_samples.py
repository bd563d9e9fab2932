"""The pictures of docs/samples, and the commands of the READMEs that ask about them."""

import re
import shlex
import shutil

import numpy as np
import pytest
from PIL import Image

from docs import samples

from helpers import ROOT

FOLDER = ROOT / "docs" / "samples"


def test_the_command_makes_the_pictures_that_are_there(tmp_path):
    """Within what another version of libjpeg or FreeType may change."""
    samples.main(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png"))
    for name in names:
        made, there = (np.asarray(Image.open(folder / name).convert("RGB"), float) for folder in (tmp_path, FOLDER))
        assert made.shape == there.shape and np.abs(made - there).mean() < 3, name
    assert sum((FOLDER / name).stat().st_size for name in names) < 600_000


def test_the_page_names_every_picture():
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.name for path in FOLDER.iterdir() if path.suffix in (".jpg", ".png")} == set(
        re.findall(r"^\| (.*) \|", page, re.MULTILINE) and re.findall(r"`(\w+\.(?:jpg|png))`", page)) - {"china.jpg"}


def commands(page):
    """The commands and lines of Python of the indented pieces of a page, and what stands behind their # signs."""
    lines = [line for line in re.findall(r"^    (.+)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
             if " -> " not in line]  # the way through the house
    found = [re.split(r"\s+# ", line, maxsplit=1) for line in lines]
    return [(line[0], line[1] if len(line) > 1 else "") for line in found]


def about_samples(page):
    """The commands that ask predict.py about docs/samples."""
    return [(shlex.split(line), said) for line, said in commands(page) if line.startswith("python predict.py")
            and "docs/samples" in line]


def test_both_pages_have_the_same_commands_in_the_same_order():
    english, chinese = ([line for line, _ in commands(page)] for page in ("README.md", "README.zh-CN.md"))
    assert english == chinese and len(about_samples("README.md")) >= 10


def test_every_command_of_the_pages_can_be_pasted():
    """None of them names a file or a folder that a person would have to put in, and every picture is there."""
    for line, _ in commands("README.md"):
        assert not re.search(r"\b(PHOTOS?|FOLDER|DIR|SCORES|SET5|a\.(png|jpg))\b", line), line
        assert all((ROOT / name).exists() for name in re.findall(r"docs/samples/[\w.]+", line)), line


def test_every_kind_of_question_is_asked():
    asked = " ".join(" ".join(words) for words, _ in about_samples("README.md"))
    for flag in ("--duplicates", "--task=patches", "--task=superres", "--like", "--quality", "--task=perceptual",
                 "--why"):
        assert flag in asked


@pytest.mark.slow
@pytest.mark.parametrize("page", ["README.md", pytest.param("README.zh-CN.md", marks=pytest.mark.rare)])
def test_the_commands_about_the_samples_answer_as_the_page_says(page, script, tmp_path):
    """In their order, in a folder that holds the samples and nothing else; numbers may differ a little."""
    shutil.copytree(FOLDER, tmp_path / "docs" / "samples", ignore=shutil.ignore_patterns(".*"))
    for (_, name, *arguments), said in about_samples(page):
        answer = script(name, *arguments)
        assert answer.strip() and said, arguments
        quoted = re.split("[:：；]", said)[0]
        assert without_numbers(quoted) in without_numbers(answer), (arguments, said, answer)


def without_numbers(text):
    """The text with a 0 for each number."""
    return re.sub(r"\d+(\.\d+)?", "0", text)
