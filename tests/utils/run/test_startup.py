"""What the scripts print: every character, no commands to the terminal, nothing from libraries."""

import errno
import io
import os
import subprocess
import sys

import pytest

from utils.run.startup import Loading, Plain, what_a_person_can_mend

from helpers import ROOT


@pytest.mark.parametrize("encoding, text, written", [
    ("utf-8", "图 caf\udce9.png\n", "图 caf\\udce9.png\n"), ("cp1252", "图 é\n", "\\u56fe é\n"),
    ("ascii", "é\t\r\n", "\\xe9\t\r\n"),
    ("utf-8", "a\x1b]0;title\x07\x1b[31m\x9b\u202e", "a\\x1b]0;title\\x07\\x1b[31m\\x9b\\u202e"),
])
def test_printing_never_dies_and_commands_nothing(encoding, text, written):
    raw = io.BytesIO()
    stream = Plain(io.TextIOWrapper(raw, encoding=encoding, newline=""))
    print(text, end="", file=stream, flush=True)
    assert raw.getvalue().decode(encoding) == written and stream.encoding == encoding


def test_libraries_are_not_heard_and_we_are():
    """Warnings of Python and what C writes to descriptor 2 are not shown; the program's own line that follows is."""
    code = """
import os, sys, warnings
from utils.run import startup
startup.hush()
warnings.warn("from Python")
os.write(2, b"from C")
os.system("echo from a child >&2")
startup.fail("two\\nlines")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "error: two lines\n")


def test_loading_a_large_library_is_said_once(capsys):
    loading = Loading()
    assert loading.find_spec("tensorflow_datasets") is None and capsys.readouterr().err == ""
    for name in ("tensorflow", "tensorflow.python", "jax"):
        assert loading.find_spec(name) is None
    assert capsys.readouterr().err == "loading TensorFlow ...\n"


@pytest.mark.parametrize("number, says", [
    (errno.EACCES, "d/f: Permission denied; pass a place that you may read and write"),
    (errno.EEXIST, "d/f: File exists; a file lies where a folder is expected: pass another one"),
    (errno.EIO, "d/f: Input/output error"),
])
def test_an_error_of_the_system_says_what_to_do(number, says):
    assert what_a_person_can_mend(OSError(number, os.strerror(number), "d/f")) == says


def test_a_reader_that_fails_within_tensorflow_is_one_line():
    tf = pytest.importorskip("tensorflow")
    text = "ValueError: a/1.png: no such file\nTraceback \n\n\nValueError: a/1.png: no such file\n\n\t [["
    assert what_a_person_can_mend(tf.errors.InvalidArgumentError(None, None, text)) == "a/1.png: no such file"
    assert what_a_person_can_mend(tf.errors.InvalidArgumentError(None, None, "shapes do not fit")) == ""
    assert (what_a_person_can_mend(RuntimeError("ValueError: of somebody else")) == ""
            and what_a_person_can_mend(OSError(2, "gone", "f")) != "")


def test_closed_streams_are_no_error():
    code = "from utils.run import startup\nimport sys\nstartup.hush()\nsys.exit(3)"
    done = subprocess.run(f'"{sys.executable}" -c "{code}" <&- >&- 2>&-', shell=True, cwd=ROOT)
    assert done.returncode == 3
