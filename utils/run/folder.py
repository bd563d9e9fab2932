"""Run folders: logs/<run>/ holds all of a run, and a ready model in model_data/ looks the same.

    flags.txt         the flags of the run; a flag file, so `--flagfile` repeats it
    split.json        what was held out
    about.json        what the model learnt from and how it was measured
    log.csv           loss and quality of each epoch
    best.keras        the model of the best epoch, or of the last where none is chosen; predict.py reads it
    last.keras        the model of the last epoch
    state.weights.h5  weights and optimizer after the last epoch, for --resume
    thresholds.json   similarities from which on to say "same"
    evaluation.json   quality on the held-out test
    classes.csv       the same for each of its classes, the worst first
    order.json        quality: the order of levels of distortion; agreement.json: agreement with people
    *.png             figures
"""

import csv
import json
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from utils.data.files import save_aside

LOGS = "logs"
READY = str(Path(__file__).parents[2] / "model_data")
READY_MODELS = {  # what --model may call them
    "characters": "omniglot_compact", "photos": "photos_compact", "patches": "patches_compact", "quality": "rank_live",
}
BEST, LAST, STATE = "best.keras", "last.keras", "state.weights.h5"
WORKER = "worker"  # and its number: the folder of each but the first of several
FLAGS, SPLIT, ABOUT = "flags.txt", "split.json", "about.json"
THRESHOLDS, EVALUATION, CLASSES, LOG = "thresholds.json", "evaluation.json", "classes.csv", "log.csv"


def new_run(name: str, task: str) -> str:
    """Makes the folder of a new run, logs/<name>, by default named by date and task."""
    folder = os.path.join(LOGS, name or time.strftime(f"%Y-%m-%d_%H-%M-%S_{task}"))
    if os.path.isdir(folder) and any(not entry.startswith(WORKER) for entry in os.listdir(folder)):
        raise ValueError(f"{folder} exists: pass --resume to continue it, or another --run")
    os.makedirs(folder, exist_ok=True)
    return folder


def of_worker(folder: str, worker: int) -> str:
    """The folder that a worker writes to: the run's, or one in it that nobody reads.

    It begins with the log and the best model of the run's, so that all workers of a resumed run agree on what was best.
    """
    if not worker:
        return folder
    own = os.path.join(folder, f"{WORKER}{worker}")
    shutil.rmtree(own, ignore_errors=True)
    os.makedirs(own)
    for name in (LOG, BEST):
        if os.path.isfile(os.path.join(folder, name)):
            shutil.copy(os.path.join(folder, name), own)
    return own


def state_file(folder: str) -> str:
    """Where the state to continue from lies: with the first worker, on a disk that all share."""
    return os.path.join(os.path.dirname(folder) if os.path.basename(folder).startswith(WORKER) else folder, STATE)


def run_to_resume(name: str) -> str:
    """The folder of the run called `name`, or of the newest one."""
    folder = os.path.join(LOGS, name) if name else newest(LOGS, FLAGS)
    if folder is None or not os.path.isfile(os.path.join(folder, FLAGS)):
        raise ValueError(f"found no run in {folder or LOGS} to continue; start one without --resume")
    return folder


def newest(root: str, holding: str, kind: str = "", suits: Callable[[str], bool] | None = None) -> str | None:
    """The folder below `root` whose file `holding` is the newest, or None; of models, only those of a kind; only folders that `suits` takes."""
    files = [os.path.join(root, name, holding) for name in (os.listdir(root) if os.path.isdir(root) else [])]
    files = sorted(filter(os.path.isfile, files), key=os.path.getmtime, reverse=True)
    folders = (os.path.dirname(file) for file in files if not kind or kind_of(file) == kind)
    return next((folder for folder in folders if suits is None or suits(folder)), None)


def newest_run(kind: str = "", suits: Callable[[str], bool] | None = None) -> str | None:
    """The newest run that left a model of a kind, "" for any; one that has a best epoch goes first. `suits` may refuse folders."""
    return newest(LOGS, BEST, kind, suits) or newest(LOGS, LAST, kind, suits)


def ready_model(name: str) -> str:
    """The .keras file of a ready model, by its name in `READY_MODELS`."""
    return os.path.join(READY, READY_MODELS[name], BEST)


def holds_model(folder: str) -> bool:
    """Whether a model lies in a folder."""
    return any(os.path.isfile(os.path.join(folder, name)) for name in (BEST, LAST))


def find_model(path: str, kind: str = "", train: str = "python train.py") -> str:
    """The .keras file that `path` means: a file, a run folder, a name in `READY_MODELS`, or "" for the newest run or the ready model.

    Args:
        kind: name of the models to choose from where `path` is "", such as "siamese"; "": of any name.
        train: the command that makes such a model, for the error.

    Raises:
        ValueError: there is none.
    """
    if path in READY_MODELS and not holds_model(path):  # a folder of that name goes first where it is a run
        path = ready_model(path)
    path = os.path.expanduser(path)
    if path.endswith(".keras") and os.path.isfile(path):
        return path
    folder = path or newest_run(kind) or newest(READY, BEST, kind)
    for name in (BEST, LAST):
        if folder and os.path.isfile(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise ValueError(
        f"found no model at {path or f'{LOGS}/ or {READY}/'}; expected a .keras file or a run folder; "
        f"train one with: {train}"
    )


def kind_of(path: str) -> str:
    """The name of the model in a .keras file, or "" where that cannot be read."""
    try:
        with zipfile.ZipFile(path) as file:
            return json.loads(file.read("config.json"))["config"]["name"]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return ""


def report_folder(out: str, model: str) -> str:
    """The folder that a report goes to: `out`, which is made where it is not there, or that of the model."""
    folder = os.path.expanduser(out) or os.path.dirname(model) or "."
    os.makedirs(folder, exist_ok=True)
    return folder


def read_json(folder: str, name: str) -> Any:
    """The content of a JSON file of a run, or None where there is none."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return json.load(file)


def same_split(folder: str, held_out: dict[str, Any]) -> bool:
    """Whether a run held out the same files and classes; true where it has no split.json. How that is said in words may differ."""
    before = read_json(folder, SPLIT)
    return before is None or {**before, "how": ""} == {**held_out, "how": ""}


def as_json(content: Any, **options: Any) -> str:
    """JSON in which NaN and infinity are null."""
    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(plain(content), ensure_ascii=False, **options)


def write_json(folder: str, name: str, content: Any) -> None:
    """Writes a JSON file of a run, whole or not at all."""
    write_text(folder, name, as_json(content, indent=1) + "\n")


def write_text(folder: str, name: str, text: str) -> None:
    """Writes a text file of a run, whole or not at all."""
    save_aside(lambda path: Path(path).write_text(text, encoding="utf-8", errors="surrogateescape"), os.path.join(folder, name))


def read_rows(folder: str) -> list[dict[str, str]]:
    """The rows of log.csv as they stand, oldest first."""
    path = os.path.join(folder, LOG)
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return [row for row in csv.DictReader(file) if None not in row.values()]


def read_log(folder: str) -> list[dict[str, float]]:
    """The epochs of log.csv, oldest first; Keras writes "NA" where there is no validation."""
    return [{k: float(v) for k, v in row.items() if v != "NA"} for row in read_rows(folder)]


def forget_epochs(folder: str, first: int) -> None:
    """Cuts log.csv before epoch `first`: a resumed run writes these rows again."""
    rows = read_rows(folder)
    kept = [row for row in rows if int(row["epoch"]) < first]
    if len(kept) == len(rows):
        return

    write_table(folder, LOG, kept, list(rows[0]))


def write_table(folder: str, name: str, rows: list[dict[str, Any]], columns: list[str] | None = None) -> None:
    """Writes a CSV file of a run, whole or not at all; `columns` where there may be no row."""

    def write(path: str) -> None:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.DictWriter(file, columns or list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    save_aside(write, os.path.join(folder, name))
