"""What a script prints while it works."""

import csv
import glob
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from utils.data.files import save_aside
from utils.data.formats.kinds import is_picture
from utils.run.folder import as_json

PAUSE = 10.0  # seconds between two lines about a long work, where the output is no terminal


def progress_bar(unit: str) -> Callable[[int, int], None]:
    """A function (done, of) that draws a bar and the seconds left, or prints a line every `PAUSE` seconds without a
    terminal.

    Work that is done sooner prints no line; otherwise the last line tells that all is done.

    Args:
        unit: what is counted, in the singular, such as "image".
    """
    begun, due = {}, Due()

    def update(done: int, of: int) -> None:
        if not sys.stdout.isatty():
            if due() or done == of and due.count:
                print(f"  {done} of {of} {unit}s", flush=True)
            return
        now = time.monotonic()
        start, first = begun.setdefault(of, (now, done))
        left = f"{(now - start) / (done - first) * (of - done):5.0f} s left" if done > first else ""
        line = f"\r{done}/{of} {unit}s [{'=' * (30 * done // of):30}] {left:12}"
        print(line, end="\n" if done == of else "", flush=True)

    return update


def edit_lines() -> None:
    """Gives `input` line editing, a history, and the completion of file names by Tab, where the system has them."""
    try:
        import readline
    except ImportError:  # Windows
        return
    readline.set_completer_delims("")  # a blank may stand in a name
    readline.set_completer(lambda text, state: dict(enumerate(completions(text))).get(state))
    readline.parse_and_bind("bind ^I rl_complete" if "libedit" in (readline.__doc__ or "") else "tab: complete")


def completions(text: str) -> list[str]:
    """The files and folders whose names begin with `text`, sorted; folders end with a slash."""
    quote = text[:1] if text[:1] in ("'", '"') else ""
    begun = text[len(quote):]
    paths = sorted(glob.glob(glob.escape(os.path.expanduser(begun)) + "*"))
    home = os.path.expanduser("~")
    if begun.startswith("~/"):
        paths = ["~" + name.removeprefix(home) for name in paths]
    return [quote + name + ("/" if os.path.isdir(os.path.expanduser(name)) else "") for name in paths]


class Due:
    """Says, when it is called, whether `PAUSE` seconds have passed since it last said so, or since it was made; `count`
    says how often."""

    def __init__(self):
        self.last, self.count = time.monotonic(), 0

    def __call__(self) -> bool:
        now = time.monotonic()
        if now - self.last < PAUSE:
            return False
        self.last, self.count = now, self.count + 1
        return True


def check_place(flag: str, path: str) -> None:
    """Raises ValueError where a file that a flag names could not be written, before the work for it is done."""
    path = os.path.expanduser(path)
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise ValueError(f"--{flag}={path}: a folder, expected the name of a file")
    if is_picture(path):
        raise ValueError(f"--{flag}={path}: the name of a picture, expected that of a file to write, such as "
                         "answer.txt")
    if not os.path.isdir(folder):
        raise ValueError(f"--{flag}={path}: there is no folder {folder}; make it, or pass another place")
    if not os.access(folder, os.W_OK):
        raise ValueError(f"--{flag}={path}: {folder} is not yours to write to; pass another place")


def write_answer(options, rows: list[dict[str, Any]] | None, answer: dict[str, Any],
                 columns: Sequence[str] = ()) -> None:
    """Writes the rows of an answer as --csv, and prints the answer as one line of --json, where these flags ask for it.

    Args:
        rows: None: --csv is written already.
        columns: of the rows, where there may be none.
    """

    def write(path: str) -> None:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.DictWriter(file, columns or (rows[0] if rows else ["file"]))
            writer.writeheader()
            writer.writerows(rows)

    if options.csv and rows is not None:
        save_aside(write, os.path.expanduser(options.csv))
    if options.json:
        print(as_json(answer))
