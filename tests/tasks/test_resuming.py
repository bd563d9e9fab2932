"""A run that goes on: its flags are read and fit before anything else happens."""

import os
import socket
import subprocess
import sys
import zipfile

import pytest

from tasks import resuming
from tasks.resuming import MAY_CHANGE

from helpers import ROOT, told_by

# What train.py's check says of a command line with --resume in a folder with a run, and the flags that it ends with.
ASK = """
import json, os, sys
sys.path.insert(0, os.getcwd())
os.chdir({cwd!r})
import train
from utils.run import startup
from utils.flags import parse
startup.define_flags()

def asked(*args):
    sys.argv = ["train.py", "--resume", *args]
    parse(sys.argv)
    try:
        train.check()
    except ValueError as error:
        return str(error)
    return [train.FLAGS.run, train.FLAGS.head, train.FLAGS.epochs]

print(json.dumps([asked(*args) for args in {all_args!r}]))
"""
FLAGS = "--task=siamese\n--input_shape=32,32,1\n--head=difference\n--epochs=3\n--notrain_own_data\n--seed=5\n"
CHANGES = {
    "--input_shape=64,64,3": "--input_shape=32,32,1", "--head=plain": "--head=difference",
    "--loss=contrastive": "--loss=auto",
    "--task=rank": "--task=siamese", "--train_own_data": "--notrain_own_data", "--optimizer=sgd": "--optimizer=adamw",
    "--seed=6": "--seed=5",
    "--margin=.5": "no --margin", "--precision=mixed_bfloat16": "--precision=float32",
    "--val_share=.3": "--val_share=0.1",
}


def ask(cwd, *all_args):
    return told_by(ASK.format(cwd=str(cwd), all_args=all_args), fresh=True)


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "logs" / "R"
    folder.mkdir(parents=True)
    (folder / "flags.txt").write_text(FLAGS)
    return folder


def test_what_makes_the_network_the_loss_or_the_log_cannot_change(run, tmp_path):
    for (passed, has), said in zip(CHANGES.items(), ask(tmp_path, *([flag] for flag in CHANGES)), strict=True):
        name = passed.lstrip("-").split("=")[0]
        assert (said.startswith(f"--{name}") and f": cannot change with --resume, logs/R has {has}. " in said
                and "\n" not in said)
        assert "start a new run: python train.py --" in said and f" --{name}" in said and said.endswith(" --run=NAME")
        assert ("--flagfile=logs/R/flags.txt" in said) == (name != "task")
    assert (run / "flags.txt").read_text() == FLAGS


def test_patterns_of_what_is_left_out_stay(run, tmp_path):
    (run / "flags.txt").write_text(FLAGS + "--exclude=old\n--exclude=*.gif\n")
    none, same, other = ask(tmp_path, [], ["--exclude=*.gif"], ["--exclude=new"])
    assert none == same == ["R", "difference", 3] and "\n" not in other
    assert other.startswith("--exclude=old --exclude=*.gif --exclude=new: cannot change with --resume, logs/R has "
                            "--exclude=old --exclude=*.gif. ")


def test_what_is_the_same_or_may_change_is_taken(run, tmp_path):
    may = ["--epochs=9", "--patience=2", "--learning_rate=.1", "--schedule=step", "--batch_size=8", "--workers=0",
           "--cache_gb=1",
           "--dataset_path=/moved", "--splits=2", "--verbose", "--devices=cpu", "--run=R"]
    assert {flag.lstrip("-").split("=")[0] for flag in may} <= MAY_CHANGE
    same = FLAGS.split()
    assert ask(tmp_path, [], may, same) == [["R", "difference", 3], ["R", "difference", 9], ["R", "difference", 3]]


@pytest.mark.parametrize("text, message", [
    ("--eopchs=3\n", "Unknown command line flag 'eopchs'"), ("--epochs=many\n", "flag --epochs=many"),
    ("--seed=nan\n", "flag --seed=nan"),
    ("", "it names no flag"), ("# a comment\n", "it names no flag"),
    (FLAGS + "rubbish\n--head=plain\n", "'rubbish' is no flag"),
    ("\x89PNG\r\n", "is no flag"), (FLAGS[:-3], "its last line is cut"), (FLAGS[:30], "its last line is cut"),
])
def test_a_damaged_flag_file_is_named(text, message, run, tmp_path):
    (run / "flags.txt").write_text(text)
    (said,) = ask(tmp_path, [])
    assert (said.startswith("logs/R/flags.txt: cannot be read (") and message in said and "--weights=logs/R" in said
            and "\n" not in said)


def test_flags_of_other_tasks_are_still_refused(run, tmp_path):
    (said,) = ask(tmp_path, ["--hinge_margin=2"])
    assert said.startswith("--hinge_margin has no effect with --task=siamese")


HOLD = """
import os, sys, time
sys.path.insert(0, {root!r})
from tasks.resuming import hold
hold({folder!r})
print("held", flush=True)
time.sleep({seconds})
"""


def holding(folder, seconds):
    process = subprocess.Popen([sys.executable, "-c", HOLD.format(root=str(ROOT), folder=str(folder), seconds=seconds)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n", process.stderr.read()
    return process


def test_a_run_is_trained_by_one_process_until_it_ends_or_is_killed(run):
    process = holding(run, 60)
    try:
        with pytest.raises(ValueError) as error:
            resuming.hold(str(run))
        assert str(error.value).startswith(f"{run}: process {process.pid} on {socket.gethostname()} trains it since 20")
        assert "wait for it or end it" in str(error.value) and "\n" not in str(error.value)
    finally:
        process.kill()
        process.wait()
    assert (run / "training.lock").exists()  # a killed process leaves it
    resuming.hold(str(run))
    resuming.hold(str(run))  # it is ours
    assert (run / "training.lock").read_text().split("\n")[1] == str(os.getpid())
    resuming.release(str(run / "training.lock"))
    process = holding(run, 0)
    assert process.wait() == 0 and not (run / "training.lock").exists()


def test_a_lock_of_another_host_is_told_and_one_that_is_cut_counts_for_nothing(run):
    (run / "training.lock").write_text("elsewhere\n7\n2026-01-01 10:00:00\n")
    with pytest.raises(ValueError, match="process 7 on elsewhere trains it since 2026-01-01 10:00:00.*delete .*lock"):
        resuming.hold(str(run))
    (run / "training.lock").write_text("")
    resuming.hold(str(run))
    resuming.release(str(run / "training.lock"))


def test_models_that_are_gone_are_said_and_a_cut_one_is_refused_before_the_first_batch(run, capsys):
    for name in ("best.keras", "last.keras", "best.other.keras"):
        with zipfile.ZipFile(run / name, "w") as file:
            file.writestr("model.weights.h5", bytes(999))
    resuming.check_models(str(run), [""])
    assert capsys.readouterr().out == ""
    (run / "best.keras").unlink()
    resuming.check_models(str(run), ["", "other"])
    said = capsys.readouterr().out
    assert f"{run}/best.keras is not there: the best of the epochs that follow is kept" in said
    assert f"{run}/last.other.keras is not there: the next epoch writes it" in said and len(said.splitlines()) == 2
    for damaged in (b"", (run / "last.keras").read_bytes()[:500],
                    (run / "last.keras").read_bytes().replace(bytes(9), b"123456789", 1)):
        (run / "last.keras").write_bytes(damaged)
        with pytest.raises(ValueError, match="last.keras: cannot be read .*delete it, and the next epoch writes it"):
            resuming.check_models(str(run), [""])
