"""What the tabs of the page answer, with a model that is quick: two pictures are as alike as their mean colours."""

import csv
import io
import os
import shutil
import threading
import time
from types import SimpleNamespace
from urllib.parse import unquote

import numpy as np
import pytest
from PIL import Image

from apps.page import models
from apps.page.asked import Asked
from apps.search.duplicates import Found, Group, Member
from tasks.quality.apps.tabs import quality
from tasks.similarity.apps import tabs
from utils.data.files import walk
from utils.data.images import read_image
from utils.saying import left_out

from helpers import ROOT, picture


class Quick:
    """Stands for what `compare.load` returns, of every room."""

    proves, known = False, None
    loaded = SimpleNamespace(proves=True, known=None)  # so nothing is told about other pairs
    threshold, higher_is_better, low, high = 0.9, True, 0.0, 100.0
    path, scorer = "", SimpleNamespace(low=0.0, high=100.0, higher_is_better=True)
    busy, most = 0, 0  # visitors answered now, and at most

    def similarity(self, a, b):
        Quick.busy += 1
        Quick.most = max(Quick.most, Quick.busy)
        time.sleep(0.02)
        Quick.busy -= 1
        return 1 - float(np.abs(mean(a) - mean(b)).mean()) / 255

    doubt = ""

    def warning(self, pictures):
        return self.doubt

    def threshold_for(self, pairs):
        return self.threshold

    def identical(self, roots, reference=()):
        return Found([], 0.0, True)

    def open(self, roots, reference=()):
        return SimpleNamespace(paths=walked([roots] if isinstance(roots, str) else [*reference, *roots]))

    def search(self, folder, query, top=10):
        left_out("1 broken files", ["bad.png: the file is empty"])
        hits = [(name, self.similarity(query, os.path.join(folder, name))) for name in walk(folder)[0]]
        return sorted(hits, key=lambda hit: -hit[1])[:top]

    def duplicates(self, roots, force=False, reference=()):
        names = walked([*reference, *roots])
        return Found([Group(names[1], [Member(names[0], 1.0, ""), Member(names[1], 0.95, ""),
                                       Member(names[2], 1.0, names[0], True)])], 0.01, False)

    def quality(self, pictures):
        return np.array([mean(path)[0] for path in pictures])


def walked(roots):
    """The pictures of folders as models name them: of one relative to it, of several by whole paths."""
    return [name if len(roots) == 1 else os.path.join(root, name) for root in roots for name in walk(root)[0]]


def mean(path):
    return read_image(path, (8, 8, 3)).mean((0, 1))


@pytest.fixture
def loads():
    return []


@pytest.fixture
def kept(loads):
    return models.Models(lambda path: loads.append(path) or Quick())


@pytest.fixture
def root(tmp_path):
    """Three red pictures in root/reds and a blue one."""
    for number in range(3):
        picture(tmp_path / "root" / "reds" / f"{number}.png", seed=number)
    picture(tmp_path / "root" / "blue.png", (20, 20, 220))
    return str(tmp_path / "root")


def asked(root, fields=None, **files):
    return Asked(root, fields or {},
                 {name: [os.path.join(root, file) for file in given.split()] for name, given in files.items()})


def test_two_pictures_are_compared_and_the_model_is_loaded_once(root, kept, loads):
    first = tabs.same(kept, asked(root, first="reds/0.png", second="reds/1.png"))
    again = tabs.same(kept, asked(root, first="reds/0.png", second="blue.png"))
    assert first["same"] and not again["same"] and first["threshold"] == 0.9
    assert first["similarity"] == Quick().similarity(*(os.path.join(root, "reds", name) for name in ("0.png", "1.png")))
    assert len(loads) == 1 and first["used"].seconds and not again["used"].seconds
    assert (first["pictures"][0]["name"] == "0.png"
            and first["pictures"][0]["image"].startswith("data:image/jpeg;base64,"))


def test_a_search_names_what_it_found_and_what_was_left_out_to_every_visitor(root, kept):
    for _ in range(2):
        answer = tabs.search(kept, asked(root, {"folder": "reds", "top": "2"}, query="blue.png"))
        assert len(answer["found"]) == 2 and answer["found"][0]["similarity"] >= answer["found"][1]["similarity"]
        assert answer["said"] == ["left out 1 broken files: bad.png: the file is empty"]


def test_a_search_by_a_model_of_copies_says_what_looking_at_both_says(tmp_path, monkeypatch):
    """The embedding of a changed copy is as near as that of a copy."""
    import compare

    monkeypatch.chdir(tmp_path)  # without runs
    for name in ("palace", "palace_copy", "flower"):
        shutil.copy(ROOT / "docs" / "samples" / f"{name}.jpg", tmp_path)
    with Image.open(tmp_path / "palace.jpg") as palace:
        palace.resize((palace.width * 3 // 4, palace.height * 3 // 4)).save(tmp_path / "smaller.png")
    answer = tabs.search(models.Models(compare.load), asked(str(tmp_path), {"folder": ""}, query="palace.jpg"))
    found = {os.path.basename(hit["name"]): (hit["verdict"], hit["same"]) for hit in answer["found"]}
    assert found == {"smaller.png": ("copy", True), "palace_copy.jpg": ("copy with changes", False),
                     "flower.jpg": ("", False)}
    assert answer["proves"] and answer["warning"] == ""


def test_duplicates_give_lists_and_the_table_of_predict(root, kept):
    answer = tabs.duplicates(kept, asked(root, {"folder": "reds"}))
    assert answer["keep"] == "0.png\n1.png" and answer["others"] == "2.png" and answer["count"] == 3  # nobody looked
    assert [member["keep"] for member in answer["groups"][0]] == [True, True, False]
    rows = list(csv.DictReader(io.StringIO(unquote(answer["table"].split(",", 1)[1]))))
    assert ([(row["file"], row["identical"], row["keep"]) for row in rows]
            == [("0.png", "False", "True"), ("1.png", "False", "True"),
                 ("2.png", "True", "False")])


def test_things_that_are_alike_are_on_no_list_of_what_can_go(root, kept, monkeypatch):
    found = Found([Group("", [Member("0.png", 1.0, ""), Member("1.png", 0.95, ""),
                              Member("2.png", 1.0, "0.png", True)])], 0.01, False)
    monkeypatch.setattr(Quick, "duplicates", lambda *_, **__: found)
    answer = tabs.duplicates(kept, asked(root, {"folder": "reds"}))
    assert answer["keep"] == answer["others"] == "" and answer["all_files"] == 3
    assert "keep" not in unquote(answer["table"].split(",", 1)[1])


def test_duplicates_of_several_folders_are_named_below_what_is_served(root, kept):
    one = os.path.join(root, "a, b", "one.png")
    picture(one)
    fields = {"folder": " a, b", "reference": "reds"}
    answer = tabs.duplicates(kept, asked(root, fields))
    assert answer["keep"] == "reds/0.png\nreds/1.png" and answer["others"] == "reds/2.png" and answer["count"] == 4
    assert [member["name"] for member in answer["groups"][0]] == ["reds/0.png", "reds/1.png", "reds/2.png"]
    assert root not in str({**answer, "used": ""})  # nobody is told where the folder lies
    assert asked(root, fields).folders("folder") == [os.path.dirname(one)]  # a name that holds a comma
    os.mkdir(os.path.join(root, "blues"))
    assert [os.path.basename(path) for path in asked(root, {"folder": "reds， blues,"}).folders("folder")] == [
        "reds", "blues"]
    assert asked(root, {"folder": " "}).folders("folder") == asked(root).folders("reference") == []
    with pytest.raises(ValueError, match="^greens: no such folder"):
        asked(root, {"folder": "reds,greens"}).folders("folder")
    with pytest.raises(ValueError, match="leads out of the chosen folder"):
        asked(root, {"reference": "reds,../elsewhere"}).folders("reference")


def test_a_model_that_learnt_from_other_pictures_gives_no_verdict_in_any_tab(root, kept, monkeypatch):
    monkeypatch.setattr(Quick, "doubt",
                        "these pictures are photographs, the model learnt from characters: do not trust its answer")
    two = tabs.same(kept, asked(root, first="reds/0.png", second="reds/0.png"))
    assert two["same"] is None and two["similarity"] == 1.0 and two["warning"] == Quick.doubt
    answer = tabs.search(kept, asked(root, {"folder": "reds", "top": "2"}, query="reds/0.png"))
    assert not answer["trusted"] and not any(hit["same"] for hit in answer["found"])
    groups = tabs.duplicates(kept, asked(root, {"folder": "reds"}))
    assert groups["all_groups"] == 0 and not groups["trusted"] and not groups["too_many"]


def test_photos_are_ordered_by_score_and_broken_ones_are_named(root, kept):
    open(os.path.join(root, "empty.png"), "w").close()
    answer = quality(kept, asked(root, photos="blue.png reds/0.png empty.png"))
    assert ([row["name"] for row in answer["found"]] == ["0.png", "blue.png"]
            and (answer["worst"], answer["best"]) == (0.0, 100.0))
    assert answer["good"] is None and [row["place"] for row in answer["found"]] == ["", ""]
    assert len(answer["said"]) == 1 and answer["said"][0].endswith("empty.png: the file is empty")
    with pytest.raises(ValueError, match="empty.png: the file is empty"):
        quality(kept, asked(root, photos="empty.png"))


@pytest.mark.parametrize("content", [b"", b"\xff\xd8\xff\xe0 no picture", b"GIF89a"])
def test_a_broken_file_is_one_line_and_loads_no_model(content, root, kept, loads):
    with open(os.path.join(root, "bad.png"), "wb") as file:
        file.write(content)
    for tab, files in ((tabs.same, {"first": "blue.png", "second": "bad.png"}), (tabs.search, {"query": "bad.png"})):
        with pytest.raises(ValueError, match="bad.png: ") as refused:
            tab(kept, asked(root, **files))
        assert "\n" not in str(refused.value)
    assert not loads


@pytest.mark.parametrize("fields, line", [({"top": "0"}, "expected a number from 1 to 60"),
                                          ({"top": "many"}, "many: expected a number"),
                                          ({"top": "nan"}, "nan: expected"),
                                          ({"model": "/etc/passwd"}, "/etc/passwd: no such model"),
                                          ({"model": "quality"}, "quality: no such model"),
                                          ({"folder": "../.."}, "leads out")])
def test_what_makes_no_sense_is_one_line(fields, line, root, kept, loads):
    with pytest.raises(ValueError, match=line):
        tabs.search(kept, asked(root, fields, query="blue.png"))
    assert not loads


def test_a_picture_that_is_missing_is_one_line(root, kept):
    with pytest.raises(ValueError, match="a picture is missing"):
        tabs.same(kept, asked(root, first="blue.png"))
    with pytest.raises(ValueError, match="photos are missing"):
        quality(kept, asked(root))


def test_visitors_are_answered_one_at_a_time(root, kept):
    Quick.most, answers = 0, []
    pairs = [("reds/0.png", "reds/1.png"), ("reds/0.png", "blue.png")] * 4

    def visit(pair):
        answers.append((pair, tabs.same(kept, asked(root, first=pair[0], second=pair[1]))))

    threads = [threading.Thread(target=visit, args=[pair]) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Quick.most == 1 and len(answers) == 8
    assert all(answer["same"] == (pair[1] != "blue.png") for pair, answer in answers)


def test_a_model_that_was_trained_on_meanwhile_is_loaded_again(tmp_path, loads):
    kept, file = models.Models(lambda path: loads.append(path) or Quick()), tmp_path / "run" / "best.keras"
    file.parent.mkdir()
    file.write_bytes(b"one")
    kept.loaded(str(file))
    assert not kept.loaded(str(file)).seconds and kept.loaded(str(file)).name == "run"
    os.utime(file, ns=(1, 1))
    kept.loaded(str(file))
    assert len(loads) == 2


def test_the_page_offers_the_ready_models_and_the_runs_of_a_room(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert models.offered("similarity") == ["characters", "things", "photos"]
    assert models.offered("patches") == ["patches", "sift"]
    for run, kind in (("mine", "siamese"), ("other", "rankiqa")):
        (tmp_path / "logs" / run).mkdir(parents=True)
        (tmp_path / "logs" / run / "best.keras").write_text(kind)
    monkeypatch.setattr(models.runs, "kind_of", lambda path: open(path).read())
    assert models.offered("similarity") == ["characters", "things", "photos", os.path.join("logs", "mine")]
    assert models.offered("quality") == ["quality", os.path.join("logs", "other")]
