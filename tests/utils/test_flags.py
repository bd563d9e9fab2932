"""Flags: each belongs to its tasks and its loss, and is refused elsewhere; old flag files and presets still work;
--help tells all."""

import os
import subprocess
import sys

import pytest

from nets.losses import LOSSES
from tasks import ROOMS, TASKS

from helpers import ROOT, told_by

# What a script says of a command line: nothing, or the error in one line. Sixteen cores, because old flag files must
# not depend on them.
JUDGE = """
import contextlib, io, json, os, sys
os.cpu_count = lambda: 16
import {script} as script
from tasks import measuring
from utils import flags
from utils.run import startup
startup.define_flags()
FLAGS, check = flags.FLAGS, getattr(script, "check", measuring.check)

def judged(*args):
    for name in FLAGS:
        FLAGS[name].unparse()
    sys.argv = ["{script}.py", *args]
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            flags.parse(sys.argv)
            check()
    except (ValueError, flags.flags.Error) as error:
        return str(error)
    except SystemExit:
        return said.getvalue().strip()
    return ""

def some_value(name):
    flag = FLAGS[name]
    if flag.boolean:
        return f"--{{name}}"
    choices = getattr(flag.parser, "enum_values", None)
    least = max(1, getattr(flag.parser, "lower_bound", None) or 1)
    value = choices[-1] if choices else least if flag.flag_type() in ("int", "float") else "1,2"
    return f"--{{name}}={{value}}"
"""
JSON = "\nprint(json.dumps({}))"
SCRIPTS = {"train": list(TASKS), "predict": list(ROOMS), "evaluate": list(ROOMS)}


def judge(script, expression):
    """The value of an expression, in a process that has the flags of a script."""
    return told_by(JUDGE.format(script=script) + JSON.format(expression), fresh=True)


@pytest.fixture(scope="module", params=SCRIPTS)
def refusals(request):
    """A script, and what it says to each flag of a group with tasks, by task: (flag, the group's tasks, what is
    said)."""
    said = judge(request.param, f"{{task: [(name, found.tasks, judged(f'--task={{task}}', some_value(name))) for "
                                "found in flags.GROUPS if found.tasks for name in found.names] for task in "
                                f"{SCRIPTS[request.param]}}}")
    return request.param, said


def test_a_flag_of_another_task_is_refused_in_one_line(refusals):
    script, said = refusals
    for task in SCRIPTS[script]:
        for name, tasks, error in said[task]:
            if task in tasks:
                assert "has no effect with --task" not in error, error
            else:
                assert error.startswith(f"--{name} has no effect with --task={task}"), (name, error)
                others = error.split(" belongs to --task=")[1].split(".")[0]
                assert others.replace(" or ", ", ").split(", ") == tasks and "\n" not in error


def test_every_flag_belongs_to_tasks_that_there_are(refusals):
    script, said = refusals
    for rows in said.values():
        assert rows and all(set(tasks) <= set(SCRIPTS[script]) for _, tasks, _ in rows)


def test_a_loss_refuses_settings_that_it_does_not_use():
    names = sorted({name for row in LOSSES.values() for name in row.settings})
    found = judge("train", f"{{loss: {{name: judged('--task=triplet', f'--loss={{loss}}', some_value(name)) for name "
                           f"in {names}}} for loss in {list(LOSSES)}}}")
    for loss, said in found.items():
        for name, error in said.items():
            users = [other for other, row in LOSSES.items() if name in row.settings]
            if loss in users:
                assert error == ""
            else:
                assert error.startswith(f"--{name} has no effect with --loss={loss}: it belongs to "
                                        f"--loss={' or '.join(users)}")
                assert "\n" not in error


@pytest.mark.parametrize("task", TASKS)
def test_defaults_in_a_flag_file_are_no_choice(task, tmp_path):
    """As the flags.txt of older runs has them: every flag there is."""
    path = tmp_path / "flags.txt"
    said = judge("train", f"(open({str(path)!r}, 'w').write('\\n'.join(line for name in FLAGS if name not in ('task', "
                          f"'flagfile', 'help') and (line := FLAGS[name].serialize()))), judged('--flagfile={path}', "
                          f"'--task={task}'))")
    assert said[0] > 500 and said[1] == ""


@pytest.mark.parametrize("flag, message", [
    ("--level_gap=0", ""),
    ("--level_gap=2", "error: --level_gap=2 was removed: all pairs of levels are compared. Take it out of the command "
                      "or the flag file"),
])
def test_a_retired_flag_is_dropped_or_refused_in_one_line(flag, message, tmp_path):
    (tmp_path / "flags.txt").write_text(f"--task=rank\n{flag}\n--epochs=3\n")
    said = judge("train", f"[judged('--flagfile={tmp_path / 'flags.txt'}'), judged('--task=rank', '{flag}')]")
    assert said == [message, message]


def test_old_flag_files_and_presets_parse_and_pass():
    files = [*sorted(ROOT.glob("model_data/*/flags.txt")), *sorted(ROOT.glob("presets/*.flags"))]
    assert {"omniglot_compact", "rank_live"} <= {file.parent.name for file in files} and len(files) > 10
    said = judge("train", f"{{file: judged(f'--flagfile={{file}}') for file in "
                          f"{[str(file.relative_to(ROOT)) for file in files]}}}")
    assert set(said.values()) == {""}, said


@pytest.mark.parametrize("script", [*SCRIPTS, "eval_rank", "benchmark"])
def test_help_has_every_flag_under_its_heading(script):
    groups, text = judge(script, "[[(found.title, found.tasks, found.names) for found in flags.GROUPS], "
                                 "flags.help_text()]")
    parts = text.split("\n\n")
    for title, tasks, names in groups:
        (part,) = [part for part in parts if part.startswith((f"{title} (--task=", f"{title}\n"))]
        assert not tasks or part.splitlines()[0][len(title) + 9 : -1].replace(" or ", ", ").split(", ") == tasks
        for name in names:
            assert f"\n  --{name}=" in part or f"\n  --[no]{name}" in part, (title, name)
    assert len({name for _, _, names in groups for name in names}) == sum(len(names) for _, _, names in groups)


@pytest.mark.parametrize("script", [*SCRIPTS, "eval_rank", "benchmark"])
def test_help_and_wrong_flags_do_not_wait_for_the_framework(script, tmp_path):
    for module in ("keras", "tensorflow", "numpy"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('imported too early')")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    for flag, code, text in (("--help", 0, "--[no]verbose"), ("--eopchs=3", 1, "Unknown command line flag 'eopchs'")):
        done = subprocess.run([sys.executable, str(ROOT / f"{script}.py"), flag], capture_output=True, text=True,
                              cwd=tmp_path, env=env)
        assert done.returncode == code and text in done.stdout + done.stderr, done.stdout + done.stderr


NO_NUMBERS = ["--margin=nan", "--val_share=nan", "--learning_rate=inf", "--temperature=NaN", "--cache_gb=1e999",
              "--seed=-1", f"--seed={2**70}",
              f"--epochs={2**40}", "--task=finetune --score_range=nan,nan", "--task=finetune --score_range=0,inf",
              "--task=finetune --score_range=9,0", "--input_shape=48,48,7"]


def test_a_number_that_is_none_is_refused_by_its_flag():
    for flag, said in judge("train", f"{{flag: judged(*flag.split()) for flag in {NO_NUMBERS}}}").items():
        assert f"flag --{flag.split('--')[-1].split('=')[0]}=" in said, (flag, said)


def test_advice_on_memory_and_disk_names_flags_of_the_script():
    found = {script: judge(script, "startup.less_memory()") for script in ("train", "predict", "evaluate", "benchmark")}
    assert "--batch_size or --input_shape" in found["train"] and "--batch_size, or" in found["benchmark"]
    assert found["predict"] == found["evaluate"] == "pass fewer or smaller pictures, or close other programs"


def test_help_into_a_reader_that_stops_early_is_no_traceback():

    from helpers import ROOT

    done = subprocess.run(f"{sys.executable} {ROOT / 'predict.py'} --help | head -1", shell=True, capture_output=True,
                          text=True)
    assert done.stdout.count("\n") == 1 and not done.stderr
