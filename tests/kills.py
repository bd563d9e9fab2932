"""Kills a training, or the embedding of a folder, again and again, and looks whether anything is lost.

    python tests/kills.py similarity 25
    python tests/kills.py rank 25
    python tests/kills.py gallery 25

A training must leave models and logs that can be read after every kill, and in the end the weights and the log of one that was never killed. A
gallery must not embed again what was embedded thirty seconds before the kill, or earlier. Prints one line of JSON; `faults` must be empty.
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
FLAGS = {
    "similarity": ("--input_shape=32,32,1", "--batch_size=8", "--images_per_class=2", "--epochs=40", "--steps_per_epoch=8"),
    "rank": ("--task=rank", "--dataset_path=photos", "--input_shape=64,64,3", "--epochs=40", "--steps_per_epoch=4", "--workers=0"),
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

    if kind == "rank":
        photographs("photos", 40)
    faults, script = [], str(ROOT / "train.py")
    whole = start(script, *FLAGS[kind], "--run=whole")
    if whole.wait():
        return {"faults": [f"the whole run ended with {whole.returncode}: {whole.stderr.read()[-300:]}"]}
    process, kills, lives = start(script, *FLAGS[kind], "--run=killed"), 0, 1
    folder = os.path.join(runs.LOGS, "killed")
    while kills < count and killed(process, rng, 6, 14):
        kills += 1
        for name in (runs.BEST, runs.LAST):
            if os.path.exists(path := os.path.join(folder, name)):
                try:
                    with reading(path):
                        keras.saving.load_model(path, compile=False)
                except ValueError as error:
                    faults.append(str(error))
        for read in (runs.read_log, lambda f: [runs.read_json(f, name) for name in (runs.SPLIT, runs.EVALUATION, runs.THRESHOLDS, runs.ABOUT)]):
            try:
                read(folder)
            except ValueError as error:
                faults.append(str(error))
        process = start(script, "--resume", "--run=killed") if os.path.isfile(os.path.join(folder, runs.FLAGS)) else start(
            script, *FLAGS[kind], "--run=killed")
        lives += 1
    if process.wait():
        faults.append(f"the last resumption ended with {process.returncode}: {process.stderr.read()[-300:]}")
    one, two = (keras.saving.load_model(os.path.join(runs.LOGS, run, runs.LAST), compile=False).get_weights() for run in ("whole", "killed"))
    if not all(np.array_equal(a, b) for a, b in zip(one, two, strict=True)):
        faults.append("other weights than without kills")
    logs = [Path(runs.LOGS, run, runs.LOG).read_text() for run in ("whole", "killed")]
    if logs[0] != logs[1]:
        faults.append("another log than without kills")
    return {"kills": kills, "epochs": len(runs.read_log(folder)), "faults": faults}


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
