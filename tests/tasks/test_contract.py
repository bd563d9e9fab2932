"""Every task and every room keeps its contract, as tasks/__init__.py states it; and `find_data` only reads."""

import ast
import inspect
from importlib import import_module

import pytest

from tasks import ROOMS, TASKS, Room, Task, flags_of, imported, task_module
from tasks.choosing import room_of_kind

from helpers import ROOT, SMALL, picture, told_by


def functions(protocol):
    return {name: found for name, found in vars(protocol).items() if inspect.isfunction(found)
            and not name.startswith("_")}


def parameters(function):
    return [name for name in inspect.signature(function).parameters if name != "self"]


@pytest.mark.parametrize("task", TASKS)
def test_a_task_has_what_train_py_uses(task):
    module = task_module(task)
    assert module.KIND in {row.kind for row in ROOMS.values()} and module.NEXT.startswith("python ")
    assert all(isinstance(title, str) and columns == [str(column) for column in columns]
               for title, columns in module.CURVES)
    assert set(Task.__annotations__) == {"KIND", "NEXT", "CURVES", "FIGURES"}
    for name, function in functions(Task).items():
        assert parameters(getattr(module, name)) == parameters(function), name


def test_the_contract_names_whatever_train_py_uses_and_no_more():
    tree = ast.parse((ROOT / "train.py").read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)
            and ast.unparse(node.value) == "task"}
    assert used == {*functions(Task), *Task.__annotations__}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_answers_measures_and_has_flags(room):
    for module, name in (("answer", "answer"), ("evaluation", "evaluate")):
        assert parameters(getattr(import_module(f"tasks.{room}.{module}"), name)) == parameters(getattr(Room, name))
    flags = import_module(f"tasks.{room}.flags")
    for name, expected in (("for_training", []), ("for_answers", []), ("for_evaluation", []), ("check", ["options"]),
                           ("needs_model", ["options"])):
        assert parameters(getattr(flags, name)) == expected
    row = ROOMS[room]
    assert parameters(import_module(f"tasks.{room}.apps.card").card) == ["model", "part", "path"]
    assert callable(imported(row.learnt)) and (not row.towers or set(imported(row.towers)))
    assert all(callable(imported(f"tasks.{room}.apps.tabs.{tab}")) for tab in row.tabs)
    assert ROOMS[room].kind in {row.kind for row in ROOMS.values()} and ROOMS[room].train.startswith("python train.py")


def test_every_room_has_a_task_and_every_task_a_room():
    assert {row.room for row in TASKS.values()} == set(ROOMS)
    for task, row in TASKS.items():
        assert flags_of(task) is import_module(f"tasks.{row.room}.flags") and row.question
        assert ROOMS[row.room].kind == task_module(task).KIND
    assert room_of_kind("rankiqa") == "quality"
    with pytest.raises(ValueError, match="a bert model, expected a model of this project: siamese or"):
        room_of_kind("bert")


READ = """
import json, sys
import keras, numpy as np
import train
from utils import flags
from utils.run import startup
startup.define_flags()
found = {}
for args in ARGS:
    for name in train.FLAGS:
        train.FLAGS[name].unparse()
    sys.argv = ["train.py", *args]
    flags.parse(sys.argv)
    train.check()
    task = train.tasks.task_module(train.FLAGS.task)
    task.settle(train.FLAGS)
    model = train.build(task)
    if "score" in [layer.name for layer in model.layers]:
        model.get_layer("score").fit(-1.0, 3.0, 90.0, 10.0)
    state = lambda: ([weight.copy() for weight in model.get_weights()],
                     [layer.get_config() for layer in model.layers if layer.name != "tower"])
    before = state()
    data = task.find_data(train.FLAGS, model)
    after = state()
    same = all(np.array_equal(a, b) for a, b in zip(before[0], after[0], strict=True)) and before[1] == after[1]
    again = task.find_data(train.FLAGS, model)
    kept = json.loads(json.dumps(data.held_out)) == data.held_out == again.held_out
    found[train.FLAGS.task] = [same, isinstance(data.root, str), kept]
print(json.dumps(found))
"""


def test_find_data_only_reads_and_finds_the_same_again(photo_folder, chapters, tmp_path):
    """Weights, the layer of the scores and its settings stay; what was held out is the same again, and so after
    JSON."""
    root = chapters(3, 4)
    names = sorted(path.name for path in photo_folder.iterdir())
    (tmp_path / "scores.txt").write_text("".join(f"{photo_folder / name} {number}\n"
                                                 for number, name in enumerate(names)))
    for number in range(6):
        picture(tmp_path / "photos" / f"{number}.png", size=(90, 80), seed=number)
    own = ("--backbone=compact", "--train_own_data", f"--dataset_path={root}", *SMALL)
    args = [
        ["--task=siamese", *own], ["--task=triplet", *own],
        ["--task=copies", "--backbone=compact", "--weights=", "--input_shape=32,32,3",
         f"--dataset_path={tmp_path / 'photos'}"],
        ["--task=patches", f"--dataset_path={tmp_path / 'photos'}"],
        ["--task=rank", f"--dataset_path={photo_folder}", "--input_shape=64,64,3"],
        ["--task=finetune", f"--dataset_path={tmp_path / 'scores.txt'}", f"--image_root={photo_folder}",
         "--nohigher_is_better",
         "--input_shape=64,64,3", "--test_share=.3"],
        ["--task=superres", f"--dataset_path={photo_folder}", "--blocks=1", "--width=4"],
        ["--task=perceptual", f"--dataset_path={photo_folder}"],
        ["--task=detect", f"--backgrounds={photo_folder}"],
    ]
    assert told_by(READ.replace("ARGS", repr(args))) == {task: [True, True, True] for task in TASKS}
