"""How long an answer takes from the start of the program: whole processes, measured in turns beside a bare import of
Keras, and beside a perceptual hash."""

import json
import os
import statistics
import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PREDICT, SERVE = os.path.join(ROOT, "predict.py"), os.path.join(ROOT, "serve.py")
HASHES = """
import glob, sys
import imagehash
from PIL import Image
hashes = [imagehash.phash(Image.open(file)) for file in sorted(glob.glob(sys.argv[1] + "/*"))]
print(sum(one - other <= 8 for row, one in enumerate(hashes) for other in hashes[:row]))
"""
# runs a script as if it had never seen the folder
AFRESH = """
import glob, os, sys
for kept in glob.glob("photos/.*"):
    os.remove(kept)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""
# starts the page and asks it once
ASK = """
import re, subprocess, sys
import urllib3
page = subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=subprocess.PIPE, text=True)
try:
    address = re.search(r"http://\\S+", page.stdout.readline())[0]
    pictures = {name: (file, open(file, "rb").read()) for name, file in (("first", "0000.jpg"), ("second", "copy.jpg"))}
    answer = urllib3.request("POST", f"{address}same", fields=pictures, timeout=600)
    assert answer.status == 200 and b"copy" in answer.data, answer.status
finally:
    page.kill()
"""
# a process counts the memory of the one that starts it, which must therefore be small
WATCH = """
import json, os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[1:]], os.environ)
_, status, usage = os.wait4(child, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_utime + usage.ru_stime,
                  usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)]))
sys.exit(os.waitstatus_to_exitcode(status))
"""


class Spent(NamedTuple):
    """What a process took: seconds by the clock, seconds of processors, and its peak memory in bytes."""

    wall: float
    processor: float
    memory: float


def spent(arguments: list[str], folder: str) -> Spent:
    """Runs Python with these arguments in a folder; ValueError where it fails."""
    done = subprocess.run([sys.executable, "-S", "-c", WATCH, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"python {' '.join(arguments)[:100]} failed: {done.stderr[-300:]}")
    return Spent(*json.loads(done.stdout.splitlines()[-1]))


def in_turns(works: dict[str, list[str]], folder: str, rounds: int) -> dict[str, Spent]:
    """The medians of each process over rounds, after one of each to warm up."""
    found = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, arguments in works.items():
            one = spent(arguments, folder)
            if number:
                found[name].append(one)
    return {name: Spent(*map(statistics.median, zip(*each))) for name, each in found.items()}


def start(folder: str, rounds: int) -> dict[str, float]:
    """`predict.py a b` of two photos, one a copy of the other, and the same by Keras, beside `import keras`."""
    write_photos(folder, 1)
    pair = [PREDICT, "0000.jpg", "copy.jpg", "--model=photos"]
    works = {"import keras": ["-c", "import keras"], "predict.py": pair, "by Keras": [*pair, "--runtime=keras"],
             "--help": [PREDICT, "--help"]}
    seconds = in_turns(works, folder, rounds)
    bare, quick, slow = (seconds[name] for name in ("import keras", "predict.py", "by Keras"))
    return {"predict.py a b, s": quick.wall, "the same / import keras, wall": quick.wall / bare.wall,
            "the same, processor": quick.processor / bare.processor, "the same, memory": quick.memory / bare.memory,
            "by Keras / import keras, wall": slow.wall / bare.wall, "--help, s": seconds["--help"].wall}


def questions(folder: str, rounds: int, searched: int = 10_000, embedded: int = 800, scored: int = 100
              ) -> dict[str, float]:
    """A first query among photos, which embeds them, a second one among many pictures, scores of photos, and the first
    answer of the page, by ONNX Runtime beside Keras."""
    write_photos(folder, 1)
    for name, count, side in (("many", searched, 64), ("photos", embedded, 512), ("few", scored, 512)):
        write_photos(os.path.join(folder, name), count, side)
    search = [PREDICT, "--gallery=many", "0000.jpg", "--model=photos", "--nofigure"]
    spent(search, folder)  # embeds the pictures
    asked = {f"a first query among {embedded} photos": ["-c", AFRESH, PREDICT, "--gallery=photos", *search[2:]],
             f"a second query among {searched}": search,
             f"--quality of {scored} photos": [PREDICT, "--quality", "few", "--nofigure"],
             "serve.py to its first answer": ["-c", ASK, SERVE, "--port=0", "--nobrowser", "--folder=few"]}
    ran = in_turns({f"{name}, {by}": [*arguments, f"--runtime={by}"] for name, arguments in asked.items()
                    for by in ("onnx", "keras")}, folder, rounds)
    figures = {}
    for name in asked:
        quick, slow = (ran[f"{name}, {by}"].wall for by in ("onnx", "keras"))
        figures |= {f"{name}, s": quick, f"{name} / by Keras": quick / slow}
    return figures


def copies(folder: str, rounds: int, count: int = 800) -> dict[str, float]:
    """`--duplicates` of a folder of photos for the first time, in processor time, beside ImageHash's phash and all its
    pairs."""
    write_photos(os.path.join(folder, "photos"), count)
    works = {"duplicates": ["-c", AFRESH, PREDICT, "--duplicates=photos", "--nofigure", "--model=photos"]}
    if find_spec("imagehash"):
        works["hashes"] = ["-c", HASHES, "photos"]
    middle = {name: each.processor for name, each in in_turns(works, folder, rounds).items()}
    if "hashes" not in middle:
        print("ImageHash is not installed, so nothing stands beside it: pip install imagehash")
        return {"--duplicates, processor, s": middle["duplicates"]}
    return {"--duplicates, processor, s": middle["duplicates"],
            "the same / ImageHash's phash of the same files": middle["duplicates"] / middle["hashes"]}


def write_photos(folder: str, count: int, side: int = 512) -> None:
    """Drawn photos of so many pixels a side as JPEG, none like another, with the spectrum of photos; and copy.jpg, a
    part of the first."""
    import numpy as np
    from PIL import Image

    os.makedirs(folder, exist_ok=True)
    rng = np.random.default_rng(0)
    far = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]) + 1 / side
    for number in range(count):
        noise = np.fft.irfft2(np.fft.rfft2(rng.normal(size=(3, side, side))) / far, (side, side)).transpose(1, 2, 0)
        levels = 128 + 50 * (noise - noise.mean()) / noise.std()
        photo = Image.fromarray(np.clip(levels, 0, 255).astype("uint8"))
        photo.save(os.path.join(folder, f"{number:04}.jpg"), quality=90)
        if not number:
            part = photo.crop((side // 13, side // 17, side * 15 // 16, side * 41 // 42))
            part.save(os.path.join(folder, "copy.jpg"), quality=60)
