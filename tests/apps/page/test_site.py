"""The page as a browser asks for it, without a browser."""

import io
import os
import re
from html import unescape
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from helpers import picture

pytest.importorskip("flask")

from apps.page import models, site, uploads  # noqa: E402
from tasks.similarity import why  # noqa: E402


class Quick:
    threshold, proves = 0.5, False
    loaded, shape = SimpleNamespace(compare=None), (8, 8, 1)

    def similarity(self, a, b):
        return 0.75 if open(a, "rb").read() == open(b, "rb").read() else 0.25

    def warning(self, pictures):
        return "these pictures look unlike those that the model learnt from: check its answers"


@pytest.fixture
def visitor(tmp_path):
    """A browser's requests to a page whose folder holds a picture and a link that leads out of it."""
    picture(tmp_path / "root" / "red.png")
    (tmp_path / "secret").mkdir()
    os.symlink(tmp_path / "secret", tmp_path / "root" / "link")
    return site.make_site(models.Models(lambda path: Quick()), str(tmp_path / "root")).test_client()


def shot(name="red.png", seed=0):
    """A picture as a browser sends it."""
    file = io.BytesIO()
    Image.fromarray(np.full((16, 16, 3), 40 * seed, "uint8")).save(file, "PNG")
    return io.BytesIO(file.getvalue()), name


def post(visitor, tab, **fields):
    headers = fields.pop("headers", {})
    return visitor.post(f"/{tab}", data=fields, headers=headers)


def error_of(response):
    return unescape(re.search(r'class="error" role="alert">(.*?)</p>', response.text, re.DOTALL).group(1))


@pytest.mark.parametrize("tab", site.TABS)
@pytest.mark.parametrize("language", ["en", "zh-CN,zh;q=0.9"])
def test_every_tab_is_there_in_both_languages_and_fetches_nothing_from_elsewhere(tab, language, visitor):
    response = visitor.get(f"/{tab}", headers={"Accept-Language": language})
    assert response.status_code == 200 and f'lang="{"zh-Hans" if "zh" in language else "en"}"' in response.text
    assert (not re.search(r'(src|href|action)="(https?:)?//', response.text)
            and "{" not in re.sub(r'data-too-large="[^"]*"', "", response.text))
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    for label in re.findall(r'<label for="([^"]+)"', response.text):
        assert response.text.count(f'id="{label}"') == 1
    assert len(re.findall("<(?:input|select|textarea) ", response.text)) == len(re.findall("<label ", response.text))


def test_the_language_can_be_switched_and_stays(visitor):
    assert "Do two pictures" in visitor.get("/same").text
    assert "两张图片" in visitor.get("/same?language=zh").text and "两张图片" in visitor.get("/same").text
    assert visitor.get("/same?language=<script>").status_code == 200


def test_two_pictures_give_their_similarity_threshold_and_warning(visitor):
    same, other = (post(visitor, "same", first=shot(), second=shot("é.png", seed=seed)).text for seed in (0, 1))
    assert "The same" in same and ">0.750<" in same and ">0.500<" in same and "look unlike" in same and "é.png" in same
    assert "Different" in other and ">0.250<" in other
    assert "核对" in post(visitor, "same", first=shot(), second=shot(), headers={"Accept-Language": "zh"}).text


@pytest.mark.parametrize("name", ["broken.png", "../../up.png", "C:\\pictures\\up.png", "<b>bold</b>.png", "名字.png",
                                  "a" * 300 + ".png",
                                  "\x1b[31m.png"])
def test_a_broken_file_gives_its_line_with_the_name_that_the_visitor_gave(name, visitor):
    response = post(visitor, "same", first=shot(), second=(io.BytesIO(b"no picture"), name))
    line = error_of(response)
    assert (response.status_code == 400 and line.endswith(": not an image that Pillow can read") and "/" not in line
            and "tmp" not in line)
    assert "<b>" not in response.text and "\x1b" not in response.text


@pytest.mark.parametrize("language, told, against, silent", [
    ("en", "67% of the first picture and 33% of the second speak for “the same”, 33% and 33% against it.",
     "The places contradict the verdict: more of them speak for “the same”", "No place of either picture"),
    ("zh", "支持“相同”的部分占第一张图的 67%、第二张的 33%；反对的占 33% 和 33%。",
     "更多的地方支持“相同”", "两张图片都没有")])
def test_why_says_the_shares_of_the_places_and_whether_they_contradict_the_verdict(language, told, against, silent,
                                                                                   visitor, monkeypatch):
    def places(left, right):
        """Thirds of both pictures, which say so much."""
        thirds = np.array([[0, 0, 1, 1 / 3], [0, 1 / 3, 1, 1 / 3], [0, 2 / 3, 1, 1 / 3]])
        said = why.Why("windows", thirds, np.array(left), np.array(right), np.zeros((0, 2), int), np.zeros(0))
        monkeypatch.setattr(why, "explain", lambda *given: said)

    def asked(seed):
        fields = {"first": shot(), "second": shot(seed=seed), "headers": {"Accept-Language": language}}
        return unescape(post(visitor, "why", **fields).text)

    places([1.0, 1.0, -1.0], [1.0, 0.0, -1.0])
    same, different = map(asked, (0, 1))
    assert told in same and told in different and against in different
    assert against not in same and "contradict" not in same and "相矛盾" not in same
    places([0.0] * 3, [0.0] * 3)
    assert silent in asked(0)


def test_without_a_verdict_the_box_is_grey(visitor, monkeypatch):
    monkeypatch.setattr(Quick, "warning",
                        lambda self, pictures: "these pictures are photographs, the model learnt from characters: do "
                                               "not trust its answer")
    text = post(visitor, "same", first=shot(), second=shot()).text
    assert 'class="verdict none"' in text and "No answer" in text and "do not trust" in text
    assert "verdict yes" not in text and "verdict no\"" not in text and "The same" not in text


@pytest.mark.parametrize("name, kept",
                         [("Tom's cat & dog #1.JPG", None), ("..", "picture"), ("a/b\\c.png", "c.png"), (".png", "png"),
                          ("what?.png", "what_.png"), ("x\x00\udce9y.png", "x_x00_udce9y.png"),
                          ("名" * 100 + ".png", "名" * 40 + ".png")])
def test_names_of_files_stay_where_they_can(name, kept):
    assert uploads.plain(name) == (kept or name)


@pytest.mark.parametrize("folder", ["..", "/etc", "link", "no such"])
def test_other_folders_are_refused(folder, visitor):
    for tab, fields in (("search", {"query": shot()}), ("duplicates", {})):
        response = post(visitor, tab, folder=folder, **fields)
        assert response.status_code == 400 and error_of(response).startswith(f"{folder}: ")


def test_large_files_are_refused(visitor, monkeypatch):
    monkeypatch.setattr(uploads, "MEGABYTES", 0.00001)
    response = post(visitor, "same", first=shot("big.png"), second=shot())
    assert response.status_code == 413 and "big.png" in error_of(response)
    visitor.application.config["MAX_CONTENT_LENGTH"] = 100
    response = post(visitor, "same", first=shot(), second=shot())
    assert response.status_code == 413 and "together" in error_of(response)


def test_a_fault_of_the_program_is_one_line_and_told_in_its_window(visitor, monkeypatch, capfd):
    monkeypatch.setattr(Quick, "similarity", lambda self, a, b: {}["fault"])
    response = post(visitor, "same", first=shot(), second=shot())
    assert ("Something went wrong" in error_of(response) and "KeyError" not in response.text
            and "KeyError" in capfd.readouterr().err)


def test_nothing_is_kept_of_what_visitors_send(visitor, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    post(visitor, "same", first=shot(), second=(io.BytesIO(b"no picture"), "bad.png"))
    assert os.listdir(tmp_path / "temporary") == []


def test_other_sites_do_not_reach_the_page(visitor):
    for name in ("evil.example", "localhost.evil.example:7860", "127.0.0.1.evil.example", "192.168.1.5", "[::ffff:1]"):
        assert visitor.get("/same", headers={"Host": name}).status_code == 400
    assert all(visitor.get("/same", headers={"Host": name}).status_code == 200
               for name in ("localhost:7860", "127.0.0.1:7860", "[::1]:7860"))
    assert (post(visitor, "same", first=shot(), second=shot(),
                 headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403)


@pytest.mark.parametrize("headers, status", [
    ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Origin": "http://localhost:8000"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403), ({"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"}, 403),
    ({"Origin": "http://localhost"}, 200), ({"Origin": "https://LOCALHOST"}, 200), ({}, 200),
    ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200), ({"Sec-Fetch-Site": "none"}, 200),
])
def test_forms_of_other_sites_are_refused_by_their_origin_too(headers, status, visitor):
    assert post(visitor, "same", first=shot(), second=shot(), headers=headers).status_code == status
    assert visitor.get("/same", headers=headers).status_code == 200  # a link leads here


@pytest.mark.parametrize("language, says", [("en", "at most 1000 files"), ("zh", "最多 1000 个文件")])
def test_too_many_small_files_are_said_by_their_number(language, says, visitor):
    files = [(io.BytesIO(b"x"), f"{number}.png") for number in range(2000)]
    response = visitor.post("/quality", data={"photos": files}, headers={"Accept-Language": language})
    assert response.status_code == 413 and says in error_of(response) and "MB" not in error_of(response)


def test_what_is_not_there_is_said(visitor):
    assert visitor.get("/nothing").status_code == 404 and "There is no such page" in visitor.get("/nothing").text
    assert visitor.get("/").headers["Location"] == "/same"
