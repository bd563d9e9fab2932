"""The house as it was drawn: which way imports go, how large folders and files are, and what needs no Keras."""

import ast
import tomllib
from pathlib import Path

import pytest

from docs import files
from nets import towers
from nets.detectors import DETECTORS
from nets.generators import GENERATORS
from nets.heads import HEADS
from nets.losses import LOSSES, MININGS, PATCH_LOSSES, PICTURE_LOSSES
from tasks import ROOMS, TASKS, names_of_rooms

from helpers import ROOT, told_by

FOLDERS = ("nets", "utils", "tasks", "apps")
LIBRARY = "compare"  # what programs of one's own import; it lies beside the scripts
SCRIPTS = sorted(path.stem for path in ROOT.glob("*.py") if path.stem != LIBRARY)
FILES = sorted([*ROOT.glob("*.py"), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*.py"))])


def name_of(file):
    """The module of a file: utils/run/folder.py is utils.run.folder, and utils/run/__init__.py utils.run."""
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): ast.parse(file.read_text(encoding="utf-8")) for file in FILES}


def when_imported(node):
    """The statements that run when a module is imported: those of functions and of `if TYPE_CHECKING` do not."""
    for child in ast.iter_child_nodes(node):
        if (isinstance(child, ast.FunctionDef) or isinstance(child, ast.If)
            and ast.unparse(child.test) == "TYPE_CHECKING"):
            continue
        yield child
        yield from when_imported(child)


def imported(nodes):
    """The modules of this project that these statements import."""
    found = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found & set(MODULES)


def test_no_module_imports_itself_in_a_circle():
    arrows = {name: imported(when_imported(tree)) - {name} for name, tree in MODULES.items()}
    done = set()

    def visit(name, path):
        assert name not in path, " -> ".join([*path[path.index(name):], name])
        if name not in done:
            for other in sorted(arrows[name]):
                visit(other, [*path, name])
            done.add(name)

    for name in arrows:
        visit(name, [])


@pytest.mark.parametrize("folder, forbidden", [("nets", ("utils", "tasks", "apps")),
                                               ("utils", ("nets", "tasks", "apps")), ("tasks", ("apps",))])
def test_arrows_go_from_apps_to_tasks_to_nets_and_utils(folder, forbidden):
    wrong = {name: sorted(other for other in imported(ast.walk(tree)) if other.split(".")[0] in forbidden)
             for name, tree in MODULES.items() if name.split(".")[0] == folder}
    assert not {name: others for name, others in wrong.items() if others}


def test_nobody_imports_a_script():
    assert not {name: scripts for name, tree in MODULES.items() if (scripts := imported(ast.walk(tree)) & set(SCRIPTS))}


def test_what_needs_no_keras_imports_none():
    names = ["utils.run.folder", "utils.run.figures", "utils.data.photos", "utils.gallery", "utils.batches.crops",
             "tasks", "apps.exporting.formats", "tasks.copies.difference", LIBRARY,
             *(f"tasks.{room}.flags" for room in ROOMS)]
    found = told_by(f"import importlib, json, sys\nfound = {{}}\nfor name in {names}:\n    "
                    "importlib.import_module(name)\n    found[name] = 'keras' in sys.modules\nprint(json.dumps(found))",
                    fresh=True)
    assert found == dict.fromkeys(names, False)


def test_pip_installs_every_script():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    assert listed["py-modules"] == sorted(path.stem for path in ROOT.glob("*.py"))
    assert {f"{folder}*" for folder in FOLDERS} <= set(listed["packages"]["find"]["include"])


def test_a_folder_holds_at_most_eight_files():
    folders = {path.parent for path in FILES} - {ROOT}
    counts = {str(folder.relative_to(ROOT)): len(set(folder.glob("*.py")) - {folder / "__init__.py"})
              for folder in folders}
    assert not {folder: count for folder, count in counts.items() if count > 8}


def test_a_file_holds_at_most_350_lines():
    files = [file for file in [*FILES, *(ROOT / "docs").rglob("*.py")] if file.read_text(encoding="utf-8").count("\n")
             > 350]
    assert not [str(file.relative_to(ROOT)) for file in files]


def test_every_test_stands_where_its_module_does():
    """tests/utils/data/test_scores.py is about utils/data; tests of no folder stand on top."""
    folders = {str(Path(name_of(file).replace(".", "/")).parent)
               for file in FILES} | {name.replace(".", "/") for name in MODULES}
    placed = {str(file.relative_to(ROOT / "tests").parent) for file in (ROOT / "tests").rglob("test_*.py")}
    assert placed <= folders | {"."}


def test_no_test_imports_another():
    files = list((ROOT / "tests").rglob("*.py"))
    names = {file.stem for file in files if file.stem.startswith("test_")}
    for file in files:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom | ast.Import):
                named = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
                assert not {part for name in named for part in name.split(".")} & names, file


def test_the_choices_of_flags_are_the_rows():
    found = told_by("import json, train\nprint(json.dumps({name: train.FLAGS[name].parser.enum_values for name in "
                    "('task', 'loss', 'mining', 'head', 'backbone')}))")
    assert found == {
        "task": list(TASKS), "loss": ["auto", *LOSSES, *PICTURE_LOSSES], "mining": list(MININGS), "head": list(HEADS),
        "backbone": ["auto", *(towers.SIMILARITY | towers.QUALITY | towers.PATCHES | towers.SUPERRES | GENERATORS
                              | DETECTORS)],
    }
    for script in ("predict", "evaluate"):
        choices = told_by(f"import json, {script}\nfrom absl import "
                          "flags\nprint(json.dumps(flags.FLAGS['task'].parser.enum_values))")
        assert choices == names_of_rooms()


@pytest.mark.parametrize("table", ["HEADS", "LOSSES", "PATCH_LOSSES", "MININGS", "SIMILARITY", "PATCHES", "QUALITY",
                                   "SUPERRES", "DETECTORS"])
def test_every_row_names_something_that_is_there(table):
    """A misspelt name in a row would show only when somebody chooses it."""
    package = {"HEADS": "heads", "LOSSES": "losses", "PATCH_LOSSES": "losses", "MININGS": "losses",
               "DETECTORS": "detectors"}.get(table, "towers")
    rows = {"HEADS": HEADS, "LOSSES": LOSSES, "PATCH_LOSSES": PATCH_LOSSES, "MININGS": MININGS,
            "SIMILARITY": towers.SIMILARITY,
            "PATCHES": towers.PATCHES, "QUALITY": towers.QUALITY, "SUPERRES": towers.SUPERRES,
            "DETECTORS": DETECTORS}[table]
    for row in rows.values():
        file, name = (row if isinstance(row, str) else row[0]).split(".")
        body = MODULES[f"nets.{package}.{file}"].body
        assert name in {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}, row


def test_the_list_of_files_is_as_the_command_writes_it():
    """python -m docs.files writes it again."""
    page = (ROOT / "docs" / "files.md").read_text(encoding="utf-8")
    assert page.split(files.MARKER)[1] == files.body()
