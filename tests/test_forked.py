"""A fork is what a user's process is, but that Keras is there already."""

import os
import signal
import time

import pytest

from forked import CAN_FORK, Forked, run_program

SAYS = """
import atexit, os, sys
atexit.register(print, "at the end", file=sys.stderr)
print(os.getcwd(), sys.argv[1:], input(), os.environ["GIVEN"], os.environ.get("KERAS_BACKEND"))
print(sys.path[0] or "here", [name for name in ("nets", "tasks", "helpers", "tensorflow") if name in sys.modules])
sys.exit(3)
"""


@pytest.mark.parametrize("fresh", [False, True])
def test_a_program_has_its_folder_arguments_input_and_environment(fresh, tmp_path):
    path = tmp_path / "program" / "says.py"
    path.parent.mkdir()
    path.write_text(SAYS)
    code, out, err = run_program(path, "--a", 1, cwd=tmp_path, env={"GIVEN": "g"}, stdin="line\n", fresh=fresh)
    backend, first = os.environ.get("KERAS_BACKEND"), out.splitlines()[0]
    assert code == 3 and first == f"{tmp_path} ['--a', '1'] line g {backend}" and err.endswith("at the end\n")
    where, modules = out.splitlines()[1].split(" ", 1)
    assert where == str(path.parent) and ("nets" in modules, "tasks" in modules, "helpers" in modules) == (False,) * 3
    assert fresh != (CAN_FORK and "tensorflow" in modules) or backend == "jax"
    code, out, err = run_program("-c", SAYS, cwd=tmp_path, env={"GIVEN": "g"}, stdin="line\n", fresh=fresh)
    assert code == 3 and out.splitlines()[1].startswith("here ")


def test_a_program_ends_its_workers(tmp_path):
    """Those of a pool that nobody has ended."""
    (tmp_path / "pool.py").write_text("""
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

if __name__ == "__main__":
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"))
    print(pool.submit(abs, -3).result())
""")
    assert run_program(tmp_path / "pool.py", cwd=tmp_path) == (0, "3\n", "")


@pytest.mark.skipif(not CAN_FORK, reason="no forks here")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_program_is_ended_by_a_signal(number, tmp_path):
    code = "import sys, time\nprint('waits', flush=True)\ntry:\n    time.sleep(60)\nfinally:\n    print('ends')\n"
    process = Forked("-c", code, cwd=tmp_path, together=True)
    while not process.stdout.read():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    out, _ = process.communicate(30)
    assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 1}[number]
    assert ("ends" in out and "KeyboardInterrupt" in out) == (number == signal.SIGINT)
