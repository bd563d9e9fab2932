"""The models behind the page: each is loaded once, when it is first asked, and one visitor at a time is answered."""

import contextlib
import io
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

import tasks
from tasks import choosing
from utils import saying
from utils.run import folder as runs


class Used(NamedTuple):
    """A model that answers, its name as the page shows it, and the seconds that loading it took now; 0 where it was
    loaded before."""

    model: Any
    name: str
    seconds: float


class Models:
    """Loads models when they are needed and keeps them. Whoever uses one holds `answering`, because models are not made
    for two threads at once.

    Args:
        load: a name or a .keras file -> a model, as `compare.load`.
    """

    def __init__(self, load: Callable[[str], Any]):
        self.load, self.lock, self.kept = load, threading.Lock(), {}

    @contextlib.contextmanager
    def answering(self) -> Iterator[list[str]]:
        """Only one visitor at a time is in here; gives a list that holds, at the end, what the program said meanwhile,
        such as files left out."""
        heard = io.StringIO()
        with self.lock, contextlib.redirect_stdout(heard):
            saying.SAID.clear()  # each visitor hears everything
            saying.MANY.clear()
            lines: list[str] = []
            try:
                yield lines
            finally:
                saying.say_rest()
                # no bars of progress
                lines += [line for line in heard.getvalue().splitlines() if line and not line.startswith(" ")]

    def of_tab(self, tab: str, name: str, pictures: Sequence[np.ndarray] = ()) -> Used:
        """The model that a visitor of a tab chose; "": as predict.py chooses for the room whose tab it is.

        Args:
            pictures: thumbnails of what the question is about, or of some of it; see `tasks.choosing.find_model`.

        Raises:
            ValueError: a name that is not offered.
        """
        room = next(room for room, row in tasks.ROOMS.items() if tab in row.tabs)
        self.check(name, room)
        path = name if name in tasks.ROOMS[room].without_model else choosing.find_model(name, room, pictures)
        return self.loaded(path, name)

    def check(self, name: str, room: str) -> None:
        """Raises ValueError where a name is not among those that the page offers."""
        if name and name not in offered(room):
            raise ValueError(f"{saying.shown(name)}: no such model; expected one of the list: "
                             f"{', '.join(offered(room))}")

    def loaded(self, path: str, name: str = "") -> Used:
        """The model of a file, which is loaded where it is new or has changed."""
        changed = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
        seconds = 0.0
        if self.kept.get(path, (None,))[0] != changed:
            begun = time.monotonic()
            self.kept[path] = changed, self.load(path)
            seconds = time.monotonic() - begun
        return Used(self.kept[path][1], name or name_of(path), seconds)


def name_of(path: str) -> str:
    """What a model is called on the page: its short name where it is a ready one, otherwise its folder."""
    folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
    ready = {file: name for name, file in tasks.ready_names().items()}
    return ready.get(folder, folder)


def offered(room: str) -> list[str]:
    """Names that a visitor may choose among: the ready models of a room, and the folders of its runs, the newest
    first."""
    kind = tasks.ROOMS[room].kind
    rooms = [row for row in tasks.ROOMS.values() if row.kind == kind]
    ready = [name for row in rooms for name in (*row.ready, *row.without_model)]
    folders = [os.path.join(runs.LOGS, name) for name in (os.listdir(runs.LOGS) if os.path.isdir(runs.LOGS) else [])]
    files = [file for folder in folders if (file := runs.model_in(folder)) and runs.kind_of(file) == kind]
    newest = sorted(files, key=os.path.getmtime, reverse=True)
    return [*ready, *map(os.path.dirname, newest)]
