"""A run that goes on: its flags, and which of them may change; its files; and that it is trained by one process alone.
What makes the network, the loss or the log stays as it began."""

import atexit
import contextlib
import os
import shlex
import socket
import sys
import time
import zipfile
from collections.abc import Iterable
from pathlib import Path

from absl import flags

from tasks import ROOMS, TASKS
from utils.data.files import reading
from utils.flags import own_names, parse
from utils.run import folder as runs
from utils.run.startup import tell_readers
from utils.saying import counted

FLAGS = flags.FLAGS
MAY_CHANGE = {
    # where the data lies: split.json tells whether it is the same
    "dataset_path", "image_root", "skip_broken", "cache_distorted",
    "epochs", "steps_per_epoch", "batch_size", "photos_per_batch", "learning_rate", "schedule", "weight_decay",
    "patience", "splits",
    "devices", "workers", "cache_gb", "backend", "verbose", "run", "resume",
}

# what a run goes on with where such a file is not there
INSTEAD = {runs.BEST: "the best of the epochs that follow is kept", runs.LAST: "the next epoch writes it"}
HELD: dict[str, int] = {}  # the locks of this process: paths, and the files that are open


def hold(folder: str) -> None:
    """Claims a run for this process until it ends, by a lock file that names host and process.

    A lock that a killed process has left counts for nothing on its own host. What another host has left cannot be told
    from a training, and is refused.

    Raises:
        ValueError: another process trains this run.
    """
    path = os.path.abspath(os.path.join(folder, runs.LOCK))
    while path not in HELD:
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        alone = locked(file)
        text = os.read(file, 4096).decode(errors="replace")
        holder = dict(zip(("host", "process", "since"), text.split("\n")))
        if not alone or holder["host"] not in ("", socket.gethostname()):
            os.close(file)
            who = f"process {holder.get('process', '?')} on {holder['host'] or 'this host'}"
            raise ValueError(f"{folder}: {who} trains it since {holder.get('since', '?')}; expected one at a time: "
                             f"wait for it or end it{f', and if it is dead, delete {path}' if alone else ''}")
        with contextlib.suppress(OSError):
            if os.path.samestat(os.fstat(file), os.stat(path)):  # otherwise its holder has just removed it
                os.ftruncate(file, 0)
                now = time.strftime("%Y-%m-%d %H:%M:%S")
                os.pwrite(file, f"{socket.gethostname()}\n{os.getpid()}\n{now}\n".encode(), 0)
                HELD[path] = file
                atexit.register(release, path)
                return
        os.close(file)


def locked(file: int) -> bool:
    """Whether nobody else on this host holds an open file, which this process does from now on; the system ends that
    with the process. True where the system, or the disk, has no such locks."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def release(path: str) -> None:
    """Removes a lock of this process."""
    with contextlib.suppress(OSError):
        os.remove(path)
        os.close(HELD.pop(path))


def check_models(folder: str, names: Iterable[str]) -> None:
    """Says which models of a run that goes on are not there.

    Args:
        names: of the networks that are kept, see `runs.beside`.

    Raises:
        ValueError: one is damaged.
    """
    for file, instead in INSTEAD.items():
        for path in (runs.beside(os.path.join(folder, file), name) for name in names):
            if not os.path.isfile(path):
                print(f"{path} is not there: {instead}")
                continue
            with reading(path, "a model of this run", f"delete it, and {instead}"), zipfile.ZipFile(path) as archive:
                if (broken := archive.testzip()) is not None:
                    raise ValueError(f"{broken} in it is damaged")


def take_flags() -> None:
    """Reads the flags of the run to continue, --run or the newest; those on the command line that may change override
    them.

    Afterwards `FLAGS.run` names the run.

    Raises:
        ValueError: no such run, a damaged flags.txt, or flags that cannot change.
    """
    folder = runs.run_to_resume(FLAGS.run)
    read_flags(folder)
    task = FLAGS.task
    before = {name: (FLAGS[name].value, FLAGS[name].serialize()) for name in FLAGS}
    FLAGS["exclude"].unparse()  # otherwise its values would be added to themselves
    parse([sys.argv[0], f"--flagfile={os.path.join(folder, runs.FLAGS)}", *sys.argv[1:]])
    FLAGS.exclude = list(dict.fromkeys(FLAGS.exclude))
    tell_readers()
    names = {"task"} if FLAGS.task != task else set(own_names(task)) - MAY_CHANGE
    changed = [name for name in FLAGS if name in names and FLAGS[name].value != before[name][0]]
    if changed:
        raise ValueError(refusal(folder, changed, [before[name][1] for name in changed]))
    FLAGS.run = os.path.relpath(folder, runs.LOGS)


def read_flags(folder: str) -> None:
    """Sets all flags as the flags.txt of a run has them; ValueError, which names the file, where it is damaged."""
    path = os.path.join(folder, runs.FLAGS)
    FLAGS.unparse_flags()
    FLAGS.mark_as_parsed()  # where the file cannot be, whoever reports it asks for --verbose
    with reading(path, "the flags of a run, one a line", runs.mend(folder, runs.FLAGS)):
        if (text := Path(path).read_bytes()) and not text.endswith(b"\n"):
            raise ValueError("its last line is cut, or does not end with a new line")
        others = parse([sys.argv[0], f"--flagfile={path}"], path)[1:]
        if others:
            raise ValueError(f"{others[0][:80]!r} is no flag")
        if not any(FLAGS[name].present for name in own_names(FLAGS.task)):
            raise ValueError("it names no flag")


def refusal(folder: str, changed: list[str], before: list[str]) -> str:
    """Why these flags cannot change, what the run has, and the command that starts a new run with them."""
    passed = [line for name in changed for line in (FLAGS[name].serialize() or f"--{name} without a value").split("\n")]
    has = [line.replace("\n", " ") or f"no --{name}" for name, line in zip(changed, before)]
    same = ([f"--flagfile={os.path.join(folder, runs.FLAGS)}"] if changed != ["task"]
            else [f"--dataset_path={FLAGS.dataset_path}"])
    command = shlex.join(["python", "train.py", *same, *passed, "--run=NAME"])
    return (f"{' '.join(passed)}: cannot change with --resume, {folder} has {' '.join(has)}. Leave it out, or start a "
            f"new run: {command}")


def check_log(folder: str, epochs: int, columns: set[str]) -> None:
    """Raises ValueError where log.csv is damaged, or does not fit a run that goes on after `epochs` and fills these
    columns, among others.

    It may know more epochs than the state does: they are forgotten and come again.
    """
    path, logged = os.path.join(folder, runs.LOG), [row["epoch"] for row in runs.read_log(folder)]
    if len(logged) > 1 and not epochs:
        raise ValueError(f"{os.path.join(folder, runs.STATE)}: not there, although {runs.LOG} knows {len(logged)} "
                         f"epochs; {runs.mend(folder, runs.STATE)}")
    if len(logged) < epochs:
        raise ValueError(f"{path}: holds {counted(len(logged), 'epoch')}, and {runs.STATE} was saved after {epochs}; "
                         f"{runs.mend(folder, runs.LOG)}")
    if logged != list(range(len(logged))):
        raise ValueError(f"{path}: its epochs do not count up from 0; {runs.mend(folder, runs.LOG)}")
    runs.check_columns(folder, columns)


def nothing_left(folder: str, done: int, epochs: int) -> str:
    """That a run to continue has `done` all its epochs, has measured what it learnt since, and lacks no file that this
    would write again, and how to train longer; "": it has not."""
    about, state = (os.path.join(folder, name) for name in (runs.ABOUT, runs.STATE))
    needed = [about, state, *(os.path.join(folder, name)
                              for name in (runs.SPLIT, runs.THRESHOLDS)[:1 + ROOMS[TASKS[FLAGS.task].room].proves])]
    if done < epochs or not all(map(os.path.isfile, needed)) or os.path.getmtime(about) < os.path.getmtime(state):
        return ""
    return (f"nothing is left to train in {folder}: it has had {counted(done, 'epoch')}, and --epochs={epochs} asks "
            f"for no more. It stays as it is; --resume --run={os.path.relpath(folder, runs.LOGS)} --epochs={2 * done} "
            "trains on")


def forget_epochs(folder: str, first: int) -> None:
    """Cuts log.csv before epoch `first`, and what a killed run left half at its end: a resumed run writes these rows
    again."""
    if columns := runs.columns_of_log(folder):
        runs.write_table(folder, runs.LOG, runs.read_rows(folder)[:first], columns)
    else:
        Path(folder, runs.LOG).unlink(missing_ok=True)
