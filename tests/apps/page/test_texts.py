"""The words of the page."""

import re
import string

import pytest

import tasks
from apps.page import texts
from tasks.similarity.figures import LEGEND

from helpers import ROOT

TEMPLATES = [*(ROOT / "apps" / "page" / "templates").glob("*.html"), *(ROOT / "tasks").glob("*/apps/*.html")]


def test_a_tab_says_a_line_as_its_own_room_does(monkeypatch):
    from tasks.superres.apps import words

    monkeypatch.setattr(words, "SAID", [(r"^photos are missing: .*$", "请选择要放大的照片")])
    monkeypatch.setattr(texts, "said", texts.said.__wrapped__)  # without its cache
    assert texts.translated("zh", "photos are missing: choose one or more", "superres") == "请选择要放大的照片"
    assert texts.translated("zh", "photos are missing: choose one or more", "quality") == "缺少照片：请选择一张或多张"


def test_every_text_has_both_languages_with_the_same_values():
    for name, pair in texts.words().items():
        fields = [{field for _, field, _, _ in string.Formatter().parse(text) if field} for text in pair]
        assert len(pair) == 2 and fields[0] == fields[1], name
        assert re.search("[\u4e00-\u9fff]", pair[1]), name


def test_every_name_that_the_templates_use_is_in_the_table():
    source = "".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    used = {name for call in re.findall(r"\bt\(([^()]*)", source)
            for name in re.findall(r"""["']([a-z_.]+)["'](?! ?~)""", call)}
    assert used - {".tab", ".head", ".about", ".ask", ".help", "{name}", "{size}"} <= set(texts.words())
    assert {f"{words}.help" for words in ("folder", "folders", "reference")} <= set(texts.words())
    assert {f"why.{way}" for way in LEGEND} <= set(texts.words())
    tabs = [tab for row in tasks.ROOMS.values() for tab in row.tabs]
    assert {f"{tab}.{part}" for tab in tabs for part in ("tab", "head", "about", "ask")} <= set(texts.words())


@pytest.mark.parametrize("line, chinese", [
    ("cat.png: no such file", "cat.png：没有这个文件"),
    ("cat.png: broken image (Truncated File Read)", "cat.png：图片已损坏（Truncated File Read）"),
    ("these pictures look unlike those that the model learnt from: check its answers",
     "这些图片与模型学过的不像：请核对它的回答"),
    ("these pictures look drawn or printed, such as pages, screens and logos, and the model learnt from what was "
     "photographed: check its answers",
     "这些图片像是画出来或印出来的（例如页面、屏幕截图、标志），而模型学的是照片：请核对它的回答"),
    ("left out 2 broken files: a.png: the file is empty, b.png: broken image (x)",
     "略过 2 个损坏的文件：a.png：文件是空的，b.png：图片已损坏（x）"),
    ("left out 1 below photos: a (a link to nothing)", "略过 1 个文件：a (a link to nothing)"),
    ("something else", "something else"),
    ("the threshold 0.5 was not measured: there is no thresholds.json beside the model, so check its answers; these "
     "pictures are characters, the model learnt from photographs: do not trust its answer",
     "阈值 0.5 没有测量过：模型旁边没有 thresholds.json，请核对它的回答；"
     "这些图片是字符，而模型学的是照片：不要相信它的回答"),
])
def test_lines_of_the_program_are_said_in_chinese_where_there_is_a_translation(line, chinese):
    assert texts.translated("zh", line) == chinese and texts.translated("en", line) == line


@pytest.mark.parametrize("line, english, chinese", [
    ("a.tif: page 1 of 3 was looked at; --page=N looks at another", "a.tif: page 1 of 3 was looked at",
     "a.tif：只看了 3 页（帧）中的第 1 页（帧）"),
    ("a.png: 90000 x 9 pixels, expected 200 megapixels or fewer: scale it down, or pass --max_megapixels=810 if memory "
     "allows", "a.png: 90000 x 9 pixels, expected 200 megapixels or fewer: scale it down",
     "a.png：90000 x 9 像素，超过了 200 百万像素的上限，请先缩小"),
    ("a.tif: grey values from 3 to 900, read as 0 (black) to 1023 (white). This is a guess, and so it may be for "
     "others of the folder: --picture_levels=BLACK,WHITE sets both",
     "a.tif: grey values from 3 to 900, read as 0 (black) to 1023 (white). This is a guess, and so it may be for "
     "others of the folder", ""),
    ("logs/new has not ended: logs/old answers; --model=logs/new asks it",
     "logs/new has not ended: logs/old answers; choose the model logs/new to ask it",
     "logs/new 尚未结束：由 logs/old 回答；若要使用它，请选择它（logs/new）"),
])
def test_a_line_names_no_flag_that_the_page_does_not_have(line, english, chinese):
    assert texts.translated("en", line) == english and texts.translated("zh", line) == (chinese or english)
