"""What a script prints while it works."""

import csv
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from utils.data.files import save_aside
from utils.run.folder import as_json
from utils.saying import say_once, some  # noqa: F401


def progress_bar(unit: str) -> Callable[[int, int], None]:
    """A function (done, of) that draws Keras' progress bar; silent where the output is no terminal."""
    bars = {}

    def update(done: int, of: int) -> None:
        if not sys.stdout.isatty():
            return
        import keras

        bar = bars.setdefault(of, keras.utils.Progbar(of, unit_name=unit))
        bar.update(done, finalize=done == of)

    return update


def write_answer(options, rows: list[dict[str, Any]], answer: dict[str, Any], columns: Sequence[str] = ()) -> None:
    """Writes the rows of an answer as --csv, and prints the answer as one line of --json, where these flags ask for it.

    Args:
        columns: of the rows, where there may be none.
    """

    def write(path: str) -> None:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.DictWriter(file, columns or (rows[0] if rows else ["file"]))
            writer.writeheader()
            writer.writerows(rows)

    if options.csv:
        save_aside(write, os.path.expanduser(options.csv))
    if options.json:
        print(as_json(answer))
