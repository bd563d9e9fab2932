"""Kills a training, or the embedding of a folder, again and again, and looks whether anything is lost.

    python tests/kills.py similarity 25
    python tests/kills.py rank 25
    python tests/kills.py superres 25
    python tests/kills.py gallery 25

A training must leave models and logs that can be read after every kill, and in the end the weights and the log of one
that was never killed. A training that ends before there were enough kills is followed by another one. A
gallery must not embed again what was embedded thirty seconds before the kill, or earlier. Prints one line of JSON;
`faults` must be empty.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image

from utils.data.files import reading
from utils.run import folder as runs

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).parent.parent
TRAIN = str(ROOT / "train.py")
CLOCK = ("seconds", "waited")  # columns of a log that no two runs share
FLAGS = {
    "similarity": ("--input_shape=32,32,1", "--batch_size=8", "--images_per_class=2", "--epochs=40",
                   "--steps_per_epoch=8"),
    "rank": ("--task=rank", "--dataset_path=photos", "--input_shape=64,64,3", "--epochs=40", "--steps_per_epoch=4",
             "--workers=0"),
    "superres": ("--task=superres", "--dataset_path=photos", "--input_shape=16,16,3", "--batch_size=4", "--blocks=1",
                 "--width=8", "--epochs=40", "--steps_per_epoch=8", "--workers=1"),
}


def start(*args):
    return subprocess.Popen([sys.executable, *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def killed(process, rng, least: float, most: float) -> bool:
    """Waits a random time and kills the process; False where it ended before."""
    try:
        process.wait(rng.uniform(least, most))
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def photographs(folder: str, count: int, side: int = 160) -> None:
    """Pictures of smooth noise."""
    os.makedirs(folder)
    for number in range(count):
        small = np.random.default_rng(number).integers(0, 256, (9, 9, 3), dtype="uint8")
        Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC).save(f"{folder}/{number:05}.png")


def kill_training(kind: str, count: int, rng) -> dict:
    import keras

    import tasks.models  # noqa: F401  makes the layers of this project known to Keras

    if kind != "similarity":
        photographs("photos", 40)
    faults, kills, epochs = [], 0, []
    warm, fault = until_first_epoch(kind)
    while kills < count and not fault:
        run = f"killed{len(epochs)}"
        folder = os.path.join(runs.LOGS, run)
        process = start(TRAIN, *FLAGS[kind], f"--run={run}")
        while kills < count and killed(process, rng, 0.3 * warm, 2 * warm):
            kills += 1
            faults += damage(folder, keras)
            begun = os.path.isfile(os.path.join(folder, runs.FLAGS))
            process = start(TRAIN, *(("--resume",) if begun else FLAGS[kind]), f"--run={run}")
        fault = failure(process)
        faults += [fault] if fault else differences(folder, keras)
        epochs.append(len(runs.read_log(folder)) if not fault else None)
    return {"kills": kills, "epochs of each run": epochs, "faults": faults}


def until_first_epoch(kind: str) -> tuple[float, str]:
    """Trains the run that is never killed: the seconds to its first epoch, and what went wrong, or ""."""
    begun, log = time.monotonic(), os.path.join(runs.LOGS, "whole", runs.LOG)
    process = start(TRAIN, *FLAGS[kind], "--run=whole")
    while process.poll() is None and not (os.path.isfile(log) and os.path.getsize(log)):
        time.sleep(0.05)
    return time.monotonic() - begun, failure(process)


def failure(process) -> str:
    """How a training that should end well ended badly, or ""."""
    said = process.communicate()[1]
    return f"ended with {process.returncode}: {said[-300:]}" if process.returncode else ""


def damage(folder: str, keras) -> list[str]:
    """What of a run that was killed cannot be read."""
    faults = []

    def read_model(name):
        if os.path.exists(path := os.path.join(folder, name)):
            with reading(path):
                keras.saving.load_model(path, compile=False)

    readers = {name: lambda name: runs.read_json(folder, name)
               for name in (runs.SPLIT, runs.EVALUATION, runs.THRESHOLDS, runs.ABOUT)}
    readers |= {runs.BEST: read_model, runs.LAST: read_model, runs.LOG: lambda name: runs.read_log(folder)}
    for name, read in readers.items():
        try:
            read(name)
        except ValueError as error:
            faults.append(str(error))
    return faults


def differences(folder: str, keras) -> list[str]:
    """How a run that was killed and resumed differs from the one that never was."""
    whole = os.path.join(runs.LOGS, "whole")
    one, two = (keras.saving.load_model(os.path.join(run, runs.LAST), compile=False).get_weights()
                for run in (whole, folder))
    logs = [[{name: value for name, value in row.items() if name not in CLOCK} for row in runs.read_log(run)]
            for run in (whole, folder)]
    alike = all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))
    return (["other weights than without kills"] * (not alike) + ["another log than without kills"]
            * (logs[0] != logs[1]))


def kill_gallery(count: int, rng) -> dict:
    pictures, faults, kills, kept = 60_000, [], 0, 0
    os.makedirs("pool")
    photographs("base", 60)
    for number in range(pictures):  # contents that differ in one byte after the end of the picture
        data = Path(f"base/{number % 60:05}.png").read_bytes()
        Path(f"pool/{number}.png").write_bytes(data + str(number).encode())
    told = []
    while kills < count:
        begun = time.monotonic()
        process = start(str(ROOT / "predict.py"), "--duplicates=pool", "--nofigure")
        if not killed(process, rng, 10, 60):
            break
        kills += 1
        lived = time.monotonic() - begun
        caches = list(Path("pool").glob(".embeddings-*.npz"))
        try:
            now = len(np.load(caches[0], allow_pickle=False)["paths"]) if caches else 0
        except Exception as error:
            faults.append(f"a cache that cannot be read: {error}")
            now = 0
        if now < kept or lived > 45 and now == kept < pictures:
            faults.append(f"{kept} embeddings were kept before, {now} after a life of {lived:.0f} s")
        kept = now
        told.append(kept)
    return {"kills": kills, "kept": told, "faults": faults}


if __name__ == "__main__":
    kind, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 25
    rng = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.makedirs("datasets")
        found = kill_gallery(count, rng) if kind == "gallery" else kill_training(kind, count, rng)
        os.chdir("/")
    print(json.dumps({"kind": kind, **found}))
