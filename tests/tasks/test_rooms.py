"""A room is added by its folder and one row in each table: every script, the library and page find a made-up one."""

import re
import urllib.parse
import urllib.request

import pytest

import tasks

from helpers import SERVE, served, told_by, with_made_up_room

RUN = """
import sys, {script}
from utils.run import startup
sys.argv = {argv}
startup.run({module}.main, {module}.check)
"""


@pytest.fixture
def room(tmp_path):
    """The program that adds the made-up room, before whatever follows."""
    return with_made_up_room(tmp_path / "made")


@pytest.mark.parametrize("script", ["train", "predict", "evaluate"])
def test_help_of_each_script_knows_a_new_room(script, room):
    code = f"import json, {script}\nfrom utils import flags\n"
    shown, text = told_by(room + code + "print(json.dumps([flags.FLAGS['task'].parser.enum_values, "
                                        "flags.help_text()]))")
    assert "echoes" in shown and ("echo" in shown or script == "train")
    if script == "train":
        assert re.search(r"what\s+comes\s+back\?\s+Learns\s+from\s+walls", text)
        assert "Echoes (--task=echoes)\n  --echoes=3" in text
        assert "Echoes: defaults (--task=echoes)\n  --dataset_path: a folder of walls." in text


def test_predict_and_evaluate_hand_over_to_a_new_room(room):
    argv = ["predict.py", "--task=echoes", "hello"]
    assert told_by(room + RUN.format(script="predict", module="predict", argv=argv)) == {"echo": ["hello"]}
    code = RUN.format(script="evaluate", module="evaluate.measuring", argv=["evaluate.py", "--task=echo", "--json"])
    assert told_by(room + code) == {"model": "", "echoes": 3}  # as `needs_model` says, none was looked for


def test_the_library_and_the_rows_know_a_new_room(room, tmp_path):
    code = room + """
import json, zipfile, os, compare
from apps.exporting import parts
from apps.page import models
from tasks import choosing
folder = FOLDER
path = os.path.join(folder, "best.keras")
with zipfile.ZipFile(path, "w") as file:
    file.writestr("config.json", json.dumps({"config": {"name": "echo"}}))
loaded = compare.load(path)
found = {"class": type(loaded).__name__, "path": loaded.path == path, "without": compare.load("silence").path,
         "echo": compare.Echo.__name__, "parts": list(parts.PARTS["echo"]), "offered": models.offered("echo"),
         "ready": tasks.ready_names()["wall"]}
try:
    choosing.room_of_kind("bert")
except ValueError as error:
    found["refusal"] = str(error)
print(json.dumps(found))
"""
    found = told_by(code.replace("FOLDER", repr(str(tmp_path))))
    assert found["class"] == found["echo"] == "Echo" and found["path"] and found["without"] == "silence"
    assert found["parts"] == ["sound"] and found["offered"][:2] == ["wall", "silence"] and found["ready"] == "echo_wall"
    assert found["refusal"].endswith("or echo")


def test_export_writes_the_card_of_a_new_room(room, tmp_path):
    code = room + """
import json, os, keras
from types import SimpleNamespace
from apps.exporting import writing
image = keras.Input((None, None, 1))
path = os.path.join(FOLDER, "best.keras")
keras.Model(image, keras.layers.GlobalMaxPooling2D(name="tower")(image), name="echo").save(path)
writing.export(SimpleNamespace(model=path, format="savedmodel", what=None, out="", force=False, pictures="", json=True))
"""
    (card,) = told_by(code.replace("FOLDER", repr(str(tmp_path))))["files"]
    assert card["what"] == card["output"]["name"] == "sound" and card["output"]["meaning"] == "how loud"
    assert [step.split(" ")[0] for step in card["prepare"]] == ["turn", "convert", "shout", "pass"]


def test_the_page_draws_the_tab_of_a_new_room_over_http(room, tmp_path):
    pytest.importorskip("flask")
    pytest.importorskip("waitress")
    (tmp_path / "root").mkdir()
    with served(tmp_path, "-c", room + SERVE) as address:
        def page(path, **fields):
            sent = urllib.parse.urlencode(fields).encode() if fields else None
            return urllib.request.urlopen(address + path, sent, timeout=60).read().decode()

        shown = page("echo")
        assert "<h1>What comes back?</h1>" in shown and ">silence (no model)</option>" in shown
        assert "什么会回来？" in page("echo?language=zh") and '<a href="echo">Echo</a>' in page("same")
        answered = page("echo", call="hello")
        assert '<p id="heard">HELLO</p>' in answered and "The model silence was loaded just now" in answered


def test_a_task_of_training_names_its_room_where_it_is_asked():
    assert [tasks.room_named(name) for name in ("rank", "finetune", "siamese", "triplet", "copies", "quality")] == [
        "quality", "quality", "similarity", "similarity", "copies", "quality"]
    assert tasks.names_of_rooms(["quality"]) == ["quality", "rank", "finetune"]
