"""Which model answers, by one rule for every script, the page and `compare.load`, and what runs it: ONNX Runtime or
Keras."""

import hashlib
import os
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from tasks import DEFAULT_ROOM, ROOMS, RUNTIMES, TASKS, about, imported, ready_names
from utils.data.files import reading
from utils.run import folder as runs

EXPORTED = "export_onnx"  # the folder that export.py writes into, beside the .keras file
PACKAGE = "onnxruntime"
chosen = {"runtime": "auto"}


def find_model(asked: str = "", room: str | None = None, pictures: Sequence[np.ndarray] = ()) -> str:
    """The .keras file of the model that answers. The rule:

    1. The model that is asked for: a .keras file, a run folder, or the name of a ready model.
    2. Otherwise the newest run of the room, unless it learnt from other pictures and a ready model from such ones.
    3. Otherwise the ready model of the room that learnt from such pictures, of several one whose answers are proved;
       where none did, the first one.

    A run that has not ended, or was killed, answers only where it is asked for, or where there is nothing else: nothing
    is measured of it.

    Args:
        room: None: the newest run of any room, and the ready models of `DEFAULT_ROOM`.
        pictures: what the question is about, as `tasks.about.read_thumbnails` gives them; none: not known yet.

    Raises:
        ValueError: there is no such model.
    """
    if asked in ready_names() and not runs.model_in(asked):  # a folder of that name goes first where it is a run
        return ready_model(asked)
    if asked:
        try:
            return runs.model_file(asked)
        except ValueError as error:
            raise ValueError(f"{error}; the ready models are {', '.join(sorted(ready_names()))}") from None
    row = ROOMS[room or DEFAULT_ROOM]
    kind, own = (row.kind, own_runs(room)) if room else ("", None)
    begun = runs.newest_run(kind, own)
    newest = runs.newest_run(kind, lambda folder: has_ended(folder) and (own is None or own(folder)))
    ready = {ready_model(name): name for meant in rooms_meant(room or DEFAULT_ROOM) for name in ROOMS[meant].ready}
    shown = about.shown_in(np.stack(pictures)) if len(pictures) else ""
    suiting = max((file for file in ready if shown and known_of(os.path.dirname(file), "shows") == shown),
                  key=lambda file: ROOMS[room_of_model(file)].proves, default="")
    learnt = known_of(newest, "shows") if newest else ""
    if newest and suiting and learnt and learnt != shown:
        print(f"these pictures are {shown}, and the newest run learnt from {learnt}: the ready model {ready[suiting]} "
              f"answers; --model={newest} asks the run")
        return suiting
    answering = newest or suiting or next(iter(ready), "") or begun
    if not answering:
        raise ValueError(f"found no run that answers, and there is no ready model; train one with: {row.train}, or "
                         "pass --model")
    if begun not in (newest, answering):
        print(f"{begun} has not ended: {ready.get(answering, answering)} answers; --model={begun} asks it")
    return runs.model_file(answering, row.train)


def has_ended(folder: str) -> bool:
    """Whether a run has measured what it learnt, or is of a time when that was not kept."""
    return bool(known_of(folder, "task")) or not os.path.exists(os.path.join(folder, runs.LOCK))


def rooms_meant(room: str) -> list[str]:
    """The rooms whose models answer where this one is asked: of several with one kind, the first speaks for all."""
    rooms = [other for other, row in ROOMS.items() if row.kind == ROOMS[room].kind]
    return rooms if room == rooms[0] else [room]


def own_runs(room: str) -> Callable[[str], bool] | None:
    """Which folders hold runs of this room, where another room speaks for all of its kind; None: all of the kind."""
    if next(other for other, row in ROOMS.items() if row.kind == ROOMS[room].kind) == room:
        return None
    return lambda folder: (task := known_of(folder, "task")) in TASKS and TASKS[task].room == room


def ready_model(name: str) -> str:
    """The .keras file of a ready model, by its name in `ROOMS`."""
    return runs.ready_model(ready_names()[name])


def room_of_model(path: str) -> str:
    """The room of a model: by the task that its about.json names, otherwise by the name of the Keras model."""
    task = known_of(os.path.dirname(path), "task")
    if task in TASKS:
        return TASKS[task].room
    try:
        return room_of_kind(runs.kind_of(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def room_of_kind(kind: str) -> str:
    """The room whose models have this name; ValueError for models of others."""
    for room, row in ROOMS.items():
        if row.kind == kind:
            return room
    raise ValueError(f"{f'a {kind} model' if kind else 'not a Keras model'}, expected a model of this project: "
                     f"{' or '.join(dict.fromkeys(row.kind for row in ROOMS.values()))}")


def known_of(folder: str, name: str) -> str:
    """A word of a run's about.json, or "", also where the file is damaged, which `tasks.about.read` says."""
    try:
        word = (runs.read_json(folder, runs.ABOUT) or {}).get(name, "")
    except ValueError:
        return ""
    return word if isinstance(word, str) else ""


class Opened(NamedTuple):
    """A model ready for use: what its kind is used for, see `nets.uses`; the (height, width, channels) that it takes,
    of which None means any; and what runs it, in words."""

    use: Any
    shape: tuple[int | None, int | None, int]
    runtime: str


def set_runtime(name: str) -> None:
    """What runs the models that are opened from now on: one of `tasks.RUNTIMES`; ValueError for others."""
    if name not in RUNTIMES:
        raise ValueError(f"runtime {name}: expected {', '.join(RUNTIMES)}")
    chosen["runtime"] = name


def take_runtime(options, room: str) -> None:
    """What --runtime says of the models of a room; ValueError for what cannot run them."""
    check_runtime(options.runtime, room)
    set_runtime("keras" if options.backend and options.runtime == "auto" else options.runtime)


def check_runtime(name: str, room: str) -> None:
    """Raises ValueError where the models of a room cannot be run so."""
    if name == "onnx" and not ROOMS[room].quick:
        raise ValueError(f"--runtime=onnx: Keras alone runs the models of {room}: leave --runtime out")


def open_model(path: str, room: str) -> Opened:
    """The model in a .keras file of a room, ready for use.

    Raises:
        ValueError: it cannot be read, or --runtime=onnx asks for what is not there.
    """
    row, why_not = ROOMS[room], ""
    if chosen["runtime"] != "keras":
        part = Exported(path, next(iter(row.parts)))
        if not (why_not := part.missing(row)):
            return part.opened(row)
        if chosen["runtime"] == "onnx":
            raise ValueError(f"--runtime=onnx: {why_not}; without --runtime Keras answers")
    from tasks.models import load_model

    model = load_model(path, row.kind)
    use = getattr(import_module(row.network), row.reader)(model)
    return Opened(use, model.inputs[0].shape[1:], f"Keras ({why_not})" if why_not else "Keras")


class Exported:
    """The part of a model that ONNX Runtime runs, as `export.py` wrote it.

    Args:
        path: the .keras file.
        name: of the part.
    """

    def __init__(self, path: str, name: str):
        own = os.path.dirname(path)  # ready models have it there
        self.path, self.name = path, name
        self.folder = next((folder for folder in (os.path.join(own, EXPORTED), own)
                            if os.path.exists(os.path.join(folder, f"{name}.onnx"))), "")
        self.file = os.path.join(self.folder, f"{name}.onnx")

    def card(self) -> dict:
        """The JSON beside the part; empty where there is none."""
        file = f"{self.name}.json"
        with reading(os.path.join(self.folder, file), "what export.py writes", f"delete {self.file}"):
            card = runs.read_json(self.folder, file) or {}
            return {name: card[name] for name in ("made_of", "use", "inputs") if name in card}

    def missing(self, row) -> str:
        """Why ONNX Runtime cannot answer for this model, in a few words and with what mends it; "": it can."""
        folder = os.path.dirname(self.path) or "."
        if not row.quick:
            return "such models are not run otherwise"
        if why_not := unusable(PACKAGE):
            return why_not
        again = f"python export.py --model={folder}"
        if not self.folder:
            return f"{again} makes it answer sooner"
        card = self.card()
        if "use" not in card:
            return "what compares two pictures in it is no part of its export"
        if card.get("made_of") != digest(self.path):
            return f"its export is of another model: {again} --force renews it"
        return ""

    def opened(self, row) -> Opened:
        """The model, run by ONNX Runtime."""
        from nets import quick

        with reading(self.file, "a network as export.py writes it", "delete it, or pass --runtime=keras"):
            card = self.card()
            shape = tuple(size if isinstance(size, int) else None for size in card["inputs"][0]["shape"][1:])
            use = imported(row.quick)(quick.network(self.file), shape, card["use"])
        return Opened(use, shape, "ONNX Runtime")


def unusable(package: str) -> str:
    """Why a package that answers sooner cannot be used, in a few words and with what mends it; "": it can.

    It may be installed and not start, where a library of the system is missing, or it was built for another one.
    """
    if find_spec(package) is None:
        return f"ONNX Runtime answers sooner: pip install {package}"
    try:
        import_module(package)
    except Exception as error:
        words = " ".join(str(error).split())[:100]
        return f"ONNX Runtime is installed and does not start ({words}): pip install --force-reinstall {package}"
    return ""


def digest(path: str) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checked(answers: Callable[..., np.ndarray], path: str) -> Callable[..., np.ndarray]:
    """A function of a model, which raises ValueError where it gives NaN or infinity: weights may all be finite, and too
    large to count with.

    Args:
        path: the .keras file, for the message.
    """
    @wraps(answers)
    def sound(*args, **given) -> np.ndarray:
        values = answers(*args, **given)
        if not np.isfinite(values).all():
            raise ValueError(f"{path}: the model gives NaN or infinity, expected numbers: its training diverged, or "
                             "the file is damaged. Choose another --model, or train one")
        return values

    return sound
