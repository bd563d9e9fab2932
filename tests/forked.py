"""Programs in processes of their own that begin with Keras imported, which takes longer than most of what they do.

Each is a fork of one process that has imported Keras, has nothing of this project and has not started the backend. All
else is as a user has it: the folder, the arguments, the environment, the input, what is said and the exit code. What
tests how a program begins, another backend, or which modules are imported runs in a process that begins with nothing.
"""

import atexit
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import plain_graphs  # noqa: F401

ROOT = Path(__file__).parent.parent
CAN_FORK = sys.platform == "linux"  # elsewhere the libraries below Keras may not outlive it
if CAN_FORK:
    FORKS = multiprocessing.get_context("forkserver")
    FORKS.set_forkserver_preload(["keras", "h5py", "matplotlib.pyplot", "sklearn.metrics"])


def act(program: str, arguments: list[str], folder: str, environment: dict[str, str], files: str) -> None:
    """What a fork does: it runs the script at the path `program`, or the code behind -c."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, (name, way) in enumerate((("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))):
        os.dup2(os.open(os.path.join(files, name), way | os.O_APPEND), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w", buffering=1)
    code = program == "-c"
    path = [name for name in environment.get("PYTHONPATH", "").split(os.pathsep) if name]
    sys.path[:] = ["" if code else os.path.dirname(program), *path,
                   *(name for name in sys.path if name not in ("", str(ROOT), str(ROOT / "tests")))]
    sys.argv = [program, *arguments[code:]]
    try:
        if code:
            exec(compile(arguments[0], "<string>", "exec"), {"__name__": "__main__"})
        else:
            runpy.run_path(program, run_name="__main__")
    finally:
        if sys.stdout:
            sys.stdout.flush()
        threading._shutdown()  # in this order, as Python ends: it ends the pools of processes
        atexit._run_exitfuncs()


class Forked:
    """A program that runs in a fork, with the names of `subprocess.Popen`. With `together`, its output holds what it
    says to the standard error too."""

    def __init__(self, program, *arguments, cwd, env=None, stdin="", together=False):
        self.folder = tempfile.TemporaryDirectory()
        files = Path(self.folder.name)
        (files / "in").write_text(stdin)
        (files / "out").touch()
        (files / "err").symlink_to("out") if together else (files / "err").touch()
        self.process = FORKS.Process(target=act, args=(
            str(program), [str(argument) for argument in arguments], str(cwd), {**os.environ, **(env or {})},
            str(files)))
        self.process.start()
        self.stdout, self.stderr = (open(files / name) for name in ("out", "err"))
        self.pid = self.process.pid

    @property
    def returncode(self):
        return self.process.exitcode

    def poll(self):
        return self.process.exitcode

    def wait(self, timeout=600):
        self.process.join(timeout)
        if self.process.exitcode is None:
            self.process.kill()
            raise TimeoutError(f"no end within {timeout} seconds: {self.stdout.read()}{self.stderr.read()}")
        return self.process.exitcode

    def communicate(self, timeout=600):
        self.wait(timeout)
        with self.folder, self.stdout, self.stderr:
            return self.stdout.read(), self.stderr.read()

    def send_signal(self, number):
        os.kill(self.pid, number)

    def kill(self):
        self.process.kill()


def run_program(program, *arguments, cwd, env=None, stdin="", fresh=False):
    """Runs a script, or the code behind -c, in a fork, or with `fresh` in a process that begins with nothing.

    Returns:
        (the exit code, what was said to the standard output, and to the standard error)
    """
    if CAN_FORK and not fresh:
        process = Forked(program, *arguments, cwd=cwd, env=env, stdin=stdin)
        out, err = process.communicate()
        return process.returncode, out, err
    done = subprocess.run([sys.executable, str(program), *map(str, arguments)], input=stdin, text=True, cwd=cwd,
                          capture_output=True, env={**os.environ, **(env or {})}, timeout=600)
    return done.returncode, done.stdout, done.stderr
