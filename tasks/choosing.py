"""Which model answers: one rule, by which every script, the page and `compare.load` find their .keras file."""

import os
from collections.abc import Callable, Sequence

import numpy as np

from tasks import DEFAULT_ROOM, ROOMS, TASKS, about, ready_names
from utils.run import folder as runs


def find_model(asked: str = "", room: str | None = None, pictures: Sequence[np.ndarray] = ()) -> str:
    """The .keras file of the model that answers. The rule:

    1. The model that is asked for: a .keras file, a run folder, or the name of a ready model.
    2. Otherwise the newest run of the room, unless it learnt from other pictures and a ready model from such ones.
    3. Otherwise the ready model of the room that learnt from such pictures; where none did, the first one.

    Args:
        room: None: the newest run of any room, and the ready models of `DEFAULT_ROOM`.
        pictures: what the question is about, as `tasks.about.read_thumbnails` gives them; none: not known yet.

    Raises:
        ValueError: there is no such model.
    """
    if asked in ready_names() and not runs.model_in(asked):  # a folder of that name goes first where it is a run
        return ready_model(asked)
    if asked:
        return runs.model_file(asked)
    row = ROOMS[room or DEFAULT_ROOM]
    newest = runs.newest_run(row.kind, own_runs(room)) if room else runs.newest_run()
    ready = {ready_model(name): name for meant in rooms_meant(room or DEFAULT_ROOM) for name in ROOMS[meant].ready}
    shown = about.shown_in(np.stack(pictures)) if len(pictures) else ""
    suiting = next((file for file in ready if shown and known_of(os.path.dirname(file), "shows") == shown), "")
    learnt = known_of(newest, "shows") if newest else ""
    if newest and suiting and learnt and learnt != shown:
        print(f"these pictures are {shown}, and the newest run learnt from {learnt}: the ready model {ready[suiting]} answers; "
              f"--model={newest} asks the run")
        return suiting
    if not newest and not ready:
        raise ValueError(f"found no run that answers, and there is no ready model; train one with: {row.train}, or pass "
                         "--model")
    return runs.model_file(newest or suiting or next(iter(ready)), row.train)


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
        found = (runs.read_json(folder, runs.ABOUT) or {}).get(name, "")
    except ValueError:
        return ""
    return found if isinstance(found, str) else ""
