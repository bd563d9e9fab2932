"""A room is added by its folder and one row in each table: a made-up room is found by every script, the library, export and the page."""

import pytest

from helpers import told_by

ROOM = """
import sys, types
import tasks

def module(name, **names):
    sys.modules[name] = made = types.ModuleType(name)
    vars(made).update(names)
    return made

class Echo:
    def __init__(self, path, threshold=None, threshold_at=None):
        self.path = path

def nothing():
    pass

def for_training():
    from absl import flags
    from utils.flags import group
    with group("Echoes", "echoes"):
        flags.DEFINE_integer("echoes", 3, "How many")

def tab(models, asked):
    return {"answer": "echo"}

module("tasks.echo")
module("tasks.echo.flags", for_training=for_training, for_answers=nothing, for_evaluation=nothing, check=lambda options: None)
module("tasks.echo.model", Echo=Echo, tab=tab)
module("nets.echo", KIND="echo")
tasks.TASKS["echoes"] = tasks.TaskRow("echo", "task", "what comes back? Learns from walls")
tasks.ROOMS["echo"] = tasks.RoomRow("echo", "nets.echo", "", {"wall": "echo_wall"}, "python train.py --task=echoes", "tasks.echo.model.Echo",
                                    {"sound": "sound"}, {"echo": "tasks.echo.model.tab"}, ("silence",))
"""


@pytest.mark.parametrize("script", ["train", "predict", "evaluate"])
def test_help_of_each_script_knows_a_new_room(script):
    shown = told_by(ROOM + f"import json, {script}\nfrom absl import flags\n"
                    "print(json.dumps(flags.FLAGS['task'].parser.enum_values))")
    assert "echoes" in shown and ("echo" in shown or script == "train")
    if script == "train":
        found = told_by(ROOM + "import json, train\nfrom absl import flags\nprint(json.dumps([flags.FLAGS['task'].help, 'echoes' in flags.FLAGS]))")
        assert "what comes back? Learns from walls" in found[0] and found[1]


def test_the_library_export_and_page_know_a_new_room(tmp_path):
    code = ROOM + """
import json, zipfile, os, compare
from apps.exporting import parts
from apps.page import models
folder = FOLDER
path = os.path.join(folder, "best.keras")
with zipfile.ZipFile(path, "w") as file:
    file.writestr("config.json", json.dumps({"config": {"name": "echo"}}))
loaded = compare.load(path)
found = {"class": type(loaded).__name__, "path": loaded.path == path, "without": compare.load("silence").path, "echo": compare.Echo.__name__,
         "parts": parts.PARTS["echo"], "offered": models.offered("echo"), "ready": tasks.ready_names()["wall"]}
try:
    tasks.room_of_kind("bert")
except ValueError as error:
    found["refusal"] = str(error)
try:
    from apps.page import site
    made = site.make_site(models.Models(compare.load), folder).test_client()
    found["tabs"] = list(site.TABS)
except ImportError:
    found["tabs"] = ["echo"]
print(json.dumps(found))
"""
    found = told_by(code.replace("FOLDER", repr(str(tmp_path))))
    assert found["class"] == found["echo"] == "Echo" and found["path"] and found["without"] == "silence"
    assert found["parts"] == {"sound": "sound"} and found["offered"][:2] == ["wall", "silence"] and found["ready"] == "echo_wall"
    assert found["refusal"].endswith("or echo") and "echo" in found["tabs"]


def test_a_task_of_training_names_its_room_where_it_is_asked():
    import tasks

    assert [tasks.room_named(name) for name in ("rank", "finetune", "siamese", "triplet", "copies", "quality")] == [
        "quality", "quality", "similarity", "similarity", "copies", "quality"]
    assert tasks.names_of_rooms(["quality"]) == ["quality", "rank", "finetune"]
