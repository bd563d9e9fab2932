"""Run folders: logs/<run>/ holds all of a run, and a ready model in model_data/ looks the same.

    state/            weights and optimizer of the last epoch, for --resume
    flags.txt         the flags of the run; a flag file, so `--flagfile` repeats it
    split.json        what was held out
    log.csv           loss and quality of each epoch
    best.keras        the model of the best epoch, the one that predict.py reads
    last.keras        the model of the last epoch
    thresholds.json   similarities from which on to say "same"
    evaluation.json   quality on the held-out test
    *.png             figures
"""

import csv
import json
import os
import time
from typing import Any

LOGS, READY = "logs", "model_data"
BEST, LAST, FLAGS, SPLIT = "best.keras", "last.keras", "flags.txt", "split.json"
THRESHOLDS, EVALUATION, LOG, STATE = "thresholds.json", "evaluation.json", "log.csv", "state"


def new_run(name: str, task: str) -> str:
    """Makes the folder of a new run, logs/<name>, by default named by date and task."""
    folder = os.path.join(LOGS, name or time.strftime(f"%Y-%m-%d_%H-%M-%S_{task}"))
    if os.path.isdir(folder) and os.listdir(folder):
        raise ValueError(f"{folder} exists: pass --resume to go on with it, or another --run")
    os.makedirs(folder, exist_ok=True)
    return folder


def run_to_resume(name: str) -> str:
    """The folder of the run called `name`, or of the newest one; its log is cut to the saved state."""
    folder = os.path.join(LOGS, name) if name else newest(LOGS, FLAGS)
    if folder is None or not os.path.isfile(os.path.join(folder, FLAGS)):
        raise ValueError(f"found no run in {folder or LOGS} to go on with; start one without --resume")
    forget_epochs(folder, saved_epochs(folder))
    return folder


def saved_epochs(folder: str) -> int:
    """How many epochs the saved state of a stopped run has seen."""
    state = read_json(os.path.join(folder, STATE), "training_metadata.json")
    return state["epoch"] if state else 0


def newest(root: str, holding: str) -> str | None:
    """The folder below `root` whose file `holding` is the newest, or None."""
    files = [os.path.join(root, name, holding) for name in (os.listdir(root) if os.path.isdir(root) else [])]
    files = [file for file in files if os.path.isfile(file)]
    return os.path.dirname(max(files, key=os.path.getmtime)) if files else None


def find_model(path: str) -> str:
    """The .keras file that `path` means: a file, a run folder, or "" for the newest run or the ready model.

    Raises:
        ValueError: there is none.
    """
    if path.endswith(".keras") and os.path.isfile(path):
        return path
    folder = path or newest(LOGS, BEST) or newest(LOGS, LAST) or newest(READY, BEST)
    for name in (BEST, LAST):
        if folder and os.path.isfile(os.path.join(folder, name)):
            return os.path.join(folder, name)
    raise ValueError(
        f"found no model at {path or f'{LOGS}/ or {READY}/'}; expected a .keras file or a run folder; "
        "train one with: python train.py"
    )


def read_json(folder: str, name: str) -> Any:
    """The content of a JSON file of a run, or None where there is none."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def write_json(folder: str, name: str, content: Any) -> None:
    """Writes aside and renames, so that a killed run leaves the old file or the new one."""
    path = os.path.join(folder, name)
    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.write("\n")
    os.replace(f"{path}.new", path)


def read_rows(folder: str) -> list[dict[str, str]]:
    """The rows of log.csv as they stand, oldest first."""
    path = os.path.join(folder, LOG)
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8", newline="") as file:
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
    path = os.path.join(folder, LOG)
    with open(f"{path}.new", "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(kept)
    os.replace(f"{path}.new", path)
