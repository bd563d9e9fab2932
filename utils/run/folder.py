"""Run folders: logs/<run>/ holds all of a run, and a ready model in model_data/ looks the same.

    flags.txt         the flags of the run; a flag file, so `--flagfile` repeats it
    split.json        what was held out, and what tells the files learnt from
    about.json        what the model learnt from and how it was measured
    log.csv           loss and quality of each epoch
    best.keras        the model of the best epoch, or of the last where none is chosen; predict.py reads it
    last.keras        the model of the last epoch
    trained.keras     the network, where a simple method is kept in its place or beside it
    best.NAME.keras   a further network that learnt, such as a discriminator; last.NAME.keras: of the last epoch
    state.weights.h5  weights and optimizer after the last epoch, for --resume
    thresholds.json   similarities from which on to say "same"
    evaluation.json   quality on the held-out test
    classes.csv       the same for each of its classes, the worst first
    order.json        quality: order of levels, and where scores lie; agreement.json: agreement with people
    training.lock     while it is trained: by which host, which process, and since when
    *.png             figures
"""

import csv
import itertools
import json
import math
import os
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from utils.data.files import reading, save_aside

LOGS, DIFFERENT = "logs", "different"  # the folder of all runs; of thresholds.json: how alike different pairs are
READY = str(Path(__file__).parents[2] / "model_data")
BEST, LAST, TRAINED, STATE, LOCK = "best.keras", "last.keras", "trained.keras", "state.weights.h5", "training.lock"
WORKER = "worker"  # and its number: the folder of each but the first of several
FLAGS, SPLIT, ABOUT, CLASSES, LOG = "flags.txt", "split.json", "about.json", "classes.csv", "log.csv"
THRESHOLDS, EVALUATION, ORDER, DOUBT = "thresholds.json", "evaluation.json", "order.json", "doubt"
PARTS = ("test", "validation", "train", "train_classes")  # of split.json: names of files, or how many they are
KEYS = ("learnt", "before")  # of split.json: what tells these files by their contents, see `utils.seen.learnt`
GO_ON = "train on from its model: python train.py --flagfile={folder}/flags.txt --weights={folder} --run=NAME"
MENDS = {  # what to do where a file of a run is damaged
    FLAGS: "write into it what train.py was called with, or train on from its model: python train.py "
           "--weights={folder} --run=NAME",
    SPLIT: "delete it, and train.py --resume writes it again",
    ABOUT: "delete it: the model answers without it, but cannot say what it learnt from",
    THRESHOLDS: "delete it and run evaluate.py again (train.py --resume for a model of copies), or pass --threshold",
    EVALUATION: "delete it, and evaluate.py writes it again",
    ORDER: "delete it, and eval_rank.py writes it again",
    LOG: "mend it by hand, or " + GO_ON,
    STATE: GO_ON,
}
MOST_CONFIG = 64 * 2**20  # bytes of the description of a model; that of a large network takes 1 MB


def new_run(name: str, task: str) -> str:
    """Makes the folder of a new run, logs/<name>, which no other process gets; by default named by date and task, and
    by a number if need be."""
    folder = os.path.join(LOGS, name or time.strftime(f"%Y-%m-%d_%H-%M-%S_{task}"))
    if name and not claim(folder):
        raise ValueError(f"{folder} exists: pass --resume to continue it, or another --run")
    return folder if name else next(free for free in numbered(folder) if claim(free))


def claim(folder: str) -> bool:
    """Makes a run's folder with an empty flags.txt; False where there is more in it than folders of workers, or another
    process was faster."""
    try:
        os.makedirs(folder, exist_ok=True)
        if any(not entry.startswith(WORKER) for entry in os.listdir(folder)):
            return False
        open(os.path.join(folder, FLAGS), "x").close()
    except FileExistsError:
        return False
    return True


def numbered(folder: str) -> Iterator[str]:
    """A name, and the same with -2, -3 and so on."""
    return itertools.chain([folder], (f"{folder}-{number}" for number in itertools.count(2)))


def of_worker(folder: str, worker: int) -> str:
    """The folder that a worker writes to: the run's, or one in it that nobody reads.

    It begins with the log and the best models of the run's, so that all workers of a resumed run agree on the best.
    """
    if not worker:
        return folder
    own = os.path.join(folder, f"{WORKER}{worker}")
    shutil.rmtree(own, ignore_errors=True)
    os.makedirs(own)
    for name in os.listdir(folder):
        if name == LOG or name.startswith("best."):
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
    """The folder below `root` whose file `holding` is the newest, or None; of models, only those of a kind; only
    folders that `suits` takes."""
    files = [os.path.join(root, name, holding) for name in (os.listdir(root) if os.path.isdir(root) else [])]
    files = sorted(filter(os.path.isfile, files), key=os.path.getmtime, reverse=True)
    folders = (os.path.dirname(file) for file in files if not kind or kind_of(file) == kind)
    return next((folder for folder in folders if suits is None or suits(folder)), None)


def newest_run(kind: str = "", suits: Callable[[str], bool] | None = None) -> str | None:
    """The newest run that left a model of a kind, "" for any; one that has a best epoch goes first. `suits` may refuse
    folders."""
    return newest(LOGS, BEST, kind, suits) or newest(LOGS, LAST, kind, suits)


def ready_model(name: str) -> str:
    """The .keras file of a ready model, by its folder in model_data/."""
    return os.path.join(READY, name, BEST)


def model_in(folder: str) -> str:
    """The .keras file of a run, that of the best epoch where there is one; "" where no model lies in the folder."""
    return next((path for name in (BEST, LAST) if os.path.isfile(path := os.path.join(folder, name))), "")


def beside(path: str, name: str) -> str:
    """The file of a further network beside best.keras or last.keras, such as best.NAME.keras; "": the same file."""
    stem, ending = os.path.splitext(path)
    return f"{stem}.{name}{ending}" if name else path


def model_file(path: str, train: str = "python train.py") -> str:
    """The .keras file that a path means: itself, or that of a run folder. `tasks.choosing` chooses where none is named.

    Args:
        train: the command that makes such a model, for the error.

    Raises:
        ValueError: there is none.
    """
    path = os.path.expanduser(path)
    if path.endswith(".keras") and os.path.isfile(path):
        return path
    if kept := model_in(path):
        return kept
    raise ValueError(f"found no model at {path}; expected a .keras file or a run folder; train one with: {train}")


find_model = model_file  # its former name, for one release


def kind_of(path: str) -> str:
    """The name of the model in a .keras file, or "" where that cannot be read, whatever the file is."""
    try:
        name = config_of(path)["config"]["name"]
    except Exception:  # encrypted, cut, of another kind: there is no end of what a file can be
        return ""
    return name if isinstance(name, str) and name.isidentifier() else ""


def config_of(path: str) -> dict[str, Any]:
    """The description of the model in a .keras file; any exception where there is none."""
    with zipfile.ZipFile(path) as file:
        if file.getinfo("config.json").file_size > MOST_CONFIG:
            raise ValueError(f"its config.json holds more than {MOST_CONFIG} bytes")
        return json.loads(file.read("config.json"))


def report_folder(out: str, model: str) -> str:
    """The folder that a report goes to, made where it is not there: `out`, or that of the model; for a ready model one
    in logs/.

    What is published of a ready model stays as it is.
    """
    own = os.path.dirname(model) or "."
    if model and os.path.realpath(os.path.dirname(own)) == os.path.realpath(READY):
        own = os.path.join(LOGS, f"report_{os.path.basename(own)}")
    folder = os.path.expanduser(out) or own
    os.makedirs(folder, exist_ok=True)
    return folder


def mend(folder: str, name: str) -> str:
    """What to do where this file of a run is damaged."""
    return MENDS.get(name, "").format(folder=folder or ".")


def read_json(folder: str, name: str) -> dict[str, Any] | None:
    """The content of a JSON file of a run, or None where there is none; ValueError where it is damaged."""
    path = os.path.join(folder, name)
    if not os.path.isfile(path):
        return None
    with reading(path, "a JSON file that names its values, as a run writes it", mend(folder, name)):
        content = json.loads(Path(path).read_text(encoding="utf-8", errors="surrogateescape"))
        if not isinstance(content, dict):
            raise ValueError(f"it holds {'nothing' if content is None else f'a {type(content).__name__}'}")
    return content


def read_thresholds(folder: str) -> dict[str, Any] | None:
    """Similarities in 0..1 by their rules, and the rule called "default"; None where there is no thresholds.json,
    ValueError where it is damaged."""
    with reading(os.path.join(folder, THRESHOLDS), "numbers in 0..1 and, as default, the name of one of them",
                 mend(folder, THRESHOLDS)):
        thresholds = read_json(folder, THRESHOLDS)
        (thresholds or {}).pop(DIFFERENT, None)
        for rule, value in (thresholds or {}).items():
            if not (value in set(thresholds) - {"default"} if rule == "default" else is_share(value)):
                raise ValueError(f"{rule} is {str(value)[:40]}")
    return thresholds


def is_share(value: Any) -> bool:
    """Whether a value is a number in 0..1; a threshold that accepts nothing may lie a millionth above."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1 + 1e-5


def same_split(folder: str, held_out: dict[str, Any]) -> bool:
    """Whether a run held out the same files and classes; true where it has no split.json, ValueError where that is
    damaged. The words may differ, and the folder, where the data were moved; an older run does not know contents."""
    free = dict.fromkeys(["how", "root", DOUBT, *KEYS, *{"contents", "told"} - set(before := checked_split(folder))])
    return not before or {**before, **free} == {**held_out, **free}


def checked_split(folder: str) -> dict[str, Any]:
    """The content of split.json, or {} where there is none; ValueError where a part of it is not what a run writes."""
    with reading(os.path.join(folder, SPLIT), "texts as root and how, names as parts", mend(folder, SPLIT)):
        split = read_json(folder, SPLIT)
        for key, value in ({"root": None} | split if split else {}).items():
            kept = key in KEYS or key in PARTS and type(value) is not int
            texts = [value] if key in ("root", "how", DOUBT) else value if kept else []
            if not isinstance(texts, dict if key in KEYS else list) or not all(isinstance(text, str) for text in texts):
                raise ValueError(f"{key} is {'missing' if value is None else str(value)[:40]}")
    return split or {}


def as_json(content: Any, **options: Any) -> str:
    """JSON in which NaN and infinity are null, and NumPy's numbers are numbers."""
    def plain(value: Any) -> Any:
        if isinstance(value, np.generic | np.ndarray):
            value = value.tolist()
        if isinstance(value, dict):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(item) for item in value]
        return None if isinstance(value, float) and not math.isfinite(value) else value

    return json.dumps(plain(content), ensure_ascii=False, allow_nan=False, **options)


def write_json(folder: str, name: str, content: Any) -> None:
    """As `write_text`, of JSON."""
    write_text(folder, name, as_json(content, indent=1) + "\n")


def write_text(folder: str, name: str, text: str) -> None:
    """Writes a text file of a run, whole or not at all."""
    save_aside(lambda path: Path(path).write_text(text, encoding="utf-8", errors="surrogateescape"),
               os.path.join(folder, name))


def read_rows(folder: str) -> list[dict[str, str]]:
    """The rows of log.csv as they stand, oldest first, without a last one that a killed run left half; ValueError where
    it is damaged."""
    path, columns = os.path.join(folder, LOG), columns_of_log(folder)
    if not columns:
        return []
    with reading(path, "a row of numbers for each epoch", mend(folder, LOG)):
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            reader = csv.DictReader(file)
            rows = list(reader)
        if "epoch" not in columns:
            raise ValueError("its first line does not name the column epoch")
        if rows and not all(rows[-1].values()):
            rows.pop()
        for number, row in enumerate(rows):
            if None in row or None in row.values():
                raise ValueError(f"line {number + 2} does not have one value for each of the {len(columns)} columns")
            numbers_of(row)
    return rows


def columns_of_log(folder: str) -> list[str]:
    """The names of the columns of log.csv, the epoch first; none where there is no log yet, or a killed run left its
    first line half."""
    path = os.path.join(folder, LOG)
    if not os.path.isfile(path):
        return []
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
        first = file.readline()
    return next(csv.reader([first]), []) if first.endswith("\n") else []


def numbers_of(row: dict[str, str]) -> dict[str, float]:
    """A row of log.csv; Keras writes "NA" where there is no validation."""
    return {name: float(text) for name, text in row.items() if text != "NA"}


def read_log(folder: str) -> list[dict[str, float]]:
    """The epochs of log.csv, oldest first, without what was not measured."""
    return [numbers_of(row) for row in read_rows(folder)]


def check_columns(folder: str, columns: set[str]) -> None:
    """Raises ValueError where log.csv is there and lacks one of these columns."""
    written = columns_of_log(folder)
    if written and not columns <= set(written):
        raise ValueError(f"{os.path.join(folder, LOG)}: has no column for {', '.join(sorted(columns - set(written)))}; "
                         f"{mend(folder, LOG)}")


def write_table(folder: str, name: str, rows: list[dict[str, Any]], columns: list[str] | None = None) -> None:
    """Writes a CSV file of a run, whole or not at all; `columns` where there may be no row."""

    def write(path: str) -> None:
        with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.DictWriter(file, columns or list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)

    save_aside(write, os.path.join(folder, name))


def read_split(folder: str) -> dict[str, Any]:
    """What a run held out, with "root" as an absolute path, and no names where a part is a count; {} without the file.
    Older runs wrote the root relative to the folder that they were started in. That is the working folder, or the one
    that holds their logs/. ValueError where the file is damaged."""
    if not (split := checked_split(folder)):
        return split
    split |= {part: [] for part in PARTS if isinstance(split.get(part), int)}
    starts = Path.cwd(), *Path(folder).resolve().parents[1:3]  # the run may be a split in a run's folder
    roots = [str(start / os.path.expanduser(split["root"])) for start in starts]
    names = [name for part in PARTS for name in split.get(part, [])]
    kept = (root for root in roots if any(os.path.exists(os.path.join(root, name)) for name in names))
    return {**split, "root": os.path.abspath(next(kept, roots[0]))}
