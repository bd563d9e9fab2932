"""The pages: every link leads somewhere, the index names all of them, and each says for whom it is."""

import re
import unicodedata
from functools import cache
from urllib.parse import unquote

import pytest

from helpers import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "findings").rglob("*.md")])
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]


def prose(text):
    """A page without its indented and fenced pieces, and without code within a line."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "code", re.sub(r"^    .*$", "", text, flags=re.MULTILINE))


def links(text):
    """Where the links and pictures of a page lead, but for those of the web."""
    found = re.findall(r"\]\(\s*<?([^)>\s]+)>?[^)]*\)", prose(text)) + re.findall(r"^\[[^]]+\]:\s*(\S+)", text, re.M)
    return [link for link in found if not re.match(r"[a-z]+:", link)]


@cache
def headings(page):
    """What follows # in links to the headings of a page, as GitHub makes it: a second one of a name has -1."""
    names, seen = [], {}
    for head in re.findall(r"^#+ (.+?)\s*$", re.sub(r"^    .*$", "", page.read_text("utf-8"), flags=re.M), re.M):
        name = "".join(letter for letter in re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", head).lower()
                       if letter in " -_" or unicodedata.category(letter)[0] in "LNM").replace(" ", "-")
        names.append(f"{name}-{seen[name]}" if name in seen else name)
        seen[name] = seen.get(name, 0) + 1
    return names


def broken(page, text):
    """The links of a page, whose text this is, that lead nowhere, or out of the project."""
    wrong = []
    for link in map(unquote, links(text)):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_relative_to(ROOT) or not target.exists() or path.startswith("/"):
            wrong.append(link)
        elif anchor and target.suffix == ".md" and anchor not in headings(target):
            wrong.append(link)
    return wrong


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page):
    assert not broken(page, page.read_text(encoding="utf-8"))


def test_links_that_lead_nowhere_are_seen():
    text = ("[a](nowhere.md) [b](../README.md#no-such-heading) ![c](lost.png) [d](README.md#about-pictures--关于图片) "
            "[e](https://example.org/x.md) `[f](code.md)` [g](../../elsewhere) [h](search.md#what-can-go)\n\n"
            "    [i](j)")
    assert broken(DOCS / "README.md", text) == ["nowhere.md", "../README.md#no-such-heading", "lost.png",
                                               "../../elsewhere"]


def test_the_index_names_every_page_and_both_readmes_name_the_index():
    index = DOCS / "README.md"
    named = {(index.parent / link.partition("#")[0]).resolve() for link in links(index.read_text(encoding="utf-8"))}
    assert not set(PAGES) - named - {index}
    assert all("docs/README.md" in links(page.read_text(encoding="utf-8")) for page in READMES)


@pytest.mark.parametrize("page", [page for page in PAGES if page not in READMES],
                         ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_says_first_for_whom_it_is(page):
    assert re.match(r"# .+\n\n(.*\n)?This page is for a person who ", page.read_text(encoding="utf-8"))
