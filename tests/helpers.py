"""What tests of several folders share: pictures, losses and gradients, scripts that run on their own."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
from keras import ops
from PIL import Image

from nets import towers
from nets.heads import HEADS, make_head
from nets.models import rankiqa, siamese
from utils.distortions.catalogue import TID2013, distort
from utils.distortions.defects import as_bytes

from forked import CAN_FORK, ROOT, Forked, run_program

DATA = Path(os.environ.get("SIAMESE_DATA", ROOT.parent / "shared" / "data"))
SMALL = ("--input_shape=32,32,1", "--batch_size=8", "--images_per_class=2")  # flags of a training that takes seconds
LABELS = np.array([0, 0, 0, 1, 1, 2, 5, 5], "int32")  # of eight images whose loss is checked


def picture(path, colour=(200, 30, 30), size=(20, 16), seed=0):
    """Saves a noisy picture of one colour."""
    noise = np.random.default_rng(seed).integers(-20, 20, (size[1], size[0], 3))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype("uint8")).save(path)


def omniglot_like(root, alphabets=6, characters=3, drawings=2, part=""):
    """Pictures in Omniglot's layout: root/part/alphabet/character/drawing."""
    for a in range(alphabets):
        for c in range(characters):
            for d in range(drawings):
                picture(root / part / f"alphabet{a}" / f"character{c}" / f"{d}.png", size=(4, 4),
                        seed=len(part) + 100 * a + 10 * c + d)
    return root


def write_runs(path, runs=2):
    """An archive like Omniglot's all_runs.zip, of so many runs."""
    drawing = io.BytesIO()
    Image.fromarray(np.tri(9, dtype="uint8") * 255).save(drawing, "png")
    with zipfile.ZipFile(path, "w") as file:
        for run in range(runs):
            pairs = [(f"run{run}/test/item{item}.png", f"run{run}/training/class{item}.png") for item in range(20)]
            file.writestr(f"run{run}/class_labels.txt", "".join(f"{query} {truth}\n" for query, truth in pairs))
            for name in sum(pairs, ()):
                file.writestr(name, drawing.getvalue())
    return str(path)


def questions(**given):
    """The flags of predict.py about similarity: their defaults, but for those given."""
    return SimpleNamespace(**{
        "task": None, "model": "", "threshold": None, "threshold_at": None, "why": False, "gallery": "", "top": 10,
        "index": "exact", "collection": "pictures", "rerank": None, "duplicates": [], "expected_wrong": 1.0,
        "reference": [], "print0": "", "move_to": "", "yes": False, "undo": "",
        "force": False, "cropped": True, "proof": True, "recoloured_copies": None, "pairs": "", "matrix": "",
        "between": [], "figure": False, "json": True, "csv": ""} | given)


def weights_of(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def start(cwd, *args, fresh=False):
    """Starts train.py as from a terminal: where the tests run in the background, Ctrl-C is ignored by inheritance."""
    if CAN_FORK and not fresh:
        return Forked(ROOT / "train.py", *args, cwd=cwd, together=True)
    return subprocess.Popen([sys.executable, str(ROOT / "train.py"), *args], cwd=cwd, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def told_by(code, fresh=False):
    """What a Python program, run in the project's folder, prints as JSON on its last line. With `fresh` it begins with
    no module imported."""
    ended, out, err = run_program("-c", code, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, fresh=fresh)
    assert ended == 0, out + err
    return json.loads(out.splitlines()[-1])


def wait_for_epoch(process, log, epoch):
    """Waits until the log knows `epoch`."""
    for _ in range(1200):
        if log.is_file() and log.read_text().count("\n") > epoch + 1:
            return
        assert process.poll() is None, process.stdout.read()
        time.sleep(0.1)
    raise AssertionError("no epoch ended in two minutes")


def write_h5(path, head=True, wrong=None, nested=""):
    """A weight file in Keras 2's layout, of VGG16 and perhaps Siamese-tf2's head."""
    import h5py

    rng = np.random.default_rng(1)
    widths = [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
    with h5py.File(path, "w") as file:
        below = 3
        for block, (width, convs) in enumerate(widths, start=1):
            for conv in range(1, convs + 1):
                name = f"block{block}_conv{conv}"
                shape = (3, 3, below + (1 if name == wrong else 0), width)
                file[f"{nested}{name}/{name}/bias:0"] = np.zeros(width, "float32")
                file[f"{nested}{name}/{name}/kernel:0"] = rng.normal(0, 0.01, shape).astype("float32")
                below = width
        if head:
            file["dense/dense/kernel:0"] = rng.normal(0, 0.01, (4608, 512)).astype("float32")
            file["dense/dense/bias:0"] = np.zeros(512, "float32")
            file["dense_1/dense_1/kernel:0"] = rng.normal(0, 0.01, (512, 1)).astype("float32")
            file["dense_1/dense_1/bias:0"] = np.array([0.25], "float32")
    return str(path)


def loss_of(layer, x, labels=LABELS):
    return float(ops.convert_to_numpy(ops.mean(layer(ops.convert_to_tensor(x), ops.convert_to_tensor(labels)))))


def gradient(layer, x, labels=LABELS):
    """Gradient of the layer's loss by its features, on whichever backend runs."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        value = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(value)
            loss = ops.mean(layer(value, labels))
        return tape.gradient(loss, value).numpy()
    if backend == "jax":
        import jax

        layer(x, labels)  # builds
        return np.asarray(jax.grad(lambda value: ops.mean(layer(value, labels)))(x))
    import torch

    value = torch.tensor(x, requires_grad=True)
    ops.mean(layer(value, ops.convert_to_tensor(labels))).backward()
    return value.grad.numpy()


def plain_float64(plain, x):
    class Exact(np.ndarray):
        def astype(self, dtype, **kwargs):
            return np.asarray(self)

    return plain(x.view(Exact), LABELS)


def unit(rng, count=8, width=4):
    """Features of unit length."""
    x = rng.normal(size=(count, width))
    return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype("float32")


def pairwise(x):
    """Euclidean distances of all pairs, never 0."""
    return np.array([[np.sqrt(max(np.sum((a - b) ** 2), 1e-12)) for b in x] for a in x])


def mined(mining, d, labels):
    """The triplets (a, p, n) that count, by loops and definitions."""
    count = len(labels)
    for a in range(count):
        positives = [p for p in range(count) if p != a and labels[p] == labels[a]]
        negatives = [n for n in range(count) if labels[n] != labels[a]]
        if not positives or not negatives:
            continue
        if mining == "all":
            yield from ((a, p, n) for p in positives for n in negatives)
        elif mining == "hard":
            yield a, max(positives, key=lambda p: d[a][p]), min(negatives, key=lambda n: d[a][n])
        elif mining == "semi_hard":
            for p in positives:
                beyond = [n for n in negatives if d[a][n] > d[a][p]]
                yield a, p, min(beyond, key=lambda n: d[a][n]) if beyond else max(negatives, key=lambda n: d[a][n])
        else:
            for p in positives:
                yield a, p, negatives[(7 * (a + 1) + 13 * (p + 1)) % len(negatives)]


def small_siamese(head="distance", backbone="compact", shape=(32, 32, 1)):
    tower = towers.make_tower(backbone, shape, normalize=head == "distance", maps=HEADS[head].locations)
    return siamese.siamese(tower, make_head(head, tower))


def class_batch(rng, shape=(32, 32, 1), classes=4, images=3):
    count = classes * images
    identity = np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32"), (count, 1))
    return {
        "image": rng.integers(0, 256, (count, *shape), dtype="uint8"),
        "label": np.repeat(np.arange(classes, dtype="int32"), images),
        "warp": identity,
        "light": np.tile(np.array([1, 0], "float32"), (count, 1)),
    }


def small_ranker():
    """A quality model whose scores fall from 90 to 10 as its tower's number climbs from -1 to 3."""
    model = rankiqa.rankiqa(towers.make_quality_tower("compact"), 64)
    model.get_layer("score").fit(-1.0, 3.0, 90.0, 10.0)
    return model


def paths_of(folder):
    return [str(folder / name) for name in sorted(os.listdir(folder))]


def scenery(height=160, width=192, seed=3):
    """A synthetic photo: sky, coloured shapes with edges, texture with the spectrum of photos (1/f)."""
    rng = np.random.default_rng(seed)
    far = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.fftfreq(width)[None, :]) + 0.01
    texture = np.fft.ifft2(np.fft.fft2(rng.normal(size=(height, width))) / far).real
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]
    photo = np.stack([110 + 60 * y, 120 + 30 * x, 170 - 80 * y], axis=2)
    for _ in range(14):
        (top, left), size = rng.random(2), rng.uniform(0.05, 0.25)
        inside = np.hypot(y - top, x - left) < size
        photo[inside] = 0.3 * photo[inside] + 0.7 * rng.uniform(40, 215, 3)
    return as_bytes(photo + (18 * y / texture.std() * texture)[..., None])


def psnr(one, other):
    """Peak signal-to-noise ratio of two photos, in dB."""
    return 10 * np.log10(255**2 / np.mean((one.astype("float64") - other) ** 2))


def falls(found):
    """Asserts that each level is farther from level 0 than the one before.

    It holds for all types here. Of 100 photos of BSDS500 it fails in one for `aberration` (stripes, whose
    next period a longer shift meets) and, cropped to 128 x 128, in one for LIVE's `jpeg` (qualities 4 and
    0, where next to nothing is left).
    """
    distances = [psnr(found[0], worse) for worse in found[1:]]
    assert all(after < before for before, after in zip(distances, distances[1:])), np.round(distances, 2)


def added(kind, photo, level=1, seed=0):
    """What a distortion adds, as float64."""
    return distort(photo, TID2013[kind], level, seed).astype("float64") - photo


ROOM = {  # a made-up room: what comes back?
    "tasks/echo/__init__.py": "",
    "tasks/echo/flags.py": """
from absl import flags
from utils.flags import defaults, group

def for_training():
    defaults("Echoes: defaults", "echoes", dataset_path="a folder of walls")
    with group("Echoes", "echoes"):
        flags.DEFINE_integer("echoes", 3, "How many")

def for_answers(): pass
def for_evaluation(): pass
def check(options): pass
def needs_model(options): return False
""",
    "tasks/echo/model.py": """
class Echo:
    def __init__(self, path, threshold=None, threshold_at=None):
        self.path = path
""",
    "tasks/echo/answer.py": "import json\ndef answer(options, files): print(json.dumps({'echo': files}))\n",
    "tasks/echo/evaluation.py": "def evaluate(options, path): return {'model': path, 'echoes': 3}\n",
    "tasks/echo/apps/__init__.py": "",
    "tasks/echo/apps/card.py": """
def card(model, part, path):
    return {"output": {"meaning": "how loud"}, "steps": ["shout"]}
""",
    "tasks/echo/apps/tabs.py": """
def echo(models, asked):
    with models.answering() as said:
        used = models.of_tab("echo", asked.model or "silence")
    return {"used": used, "said": said, "heard": asked.fields["call"].upper()}
""",
    "tasks/echo/apps/words.py": """
TEXTS = {"echo.tab": ("Echo", "回声"), "echo.head": ("What comes back?", "什么会回来？"),
         "echo.about": ("Call.", "请喊。"),
         "echo.ask": ("Shout", "喊"), "call": ("What you call", "喊什么"),
         "model.silence": ("silence (no model)", "寂静（不用模型）")}
""",
    "tasks/echo/apps/echo.html": """{% extends "page.html" %}{% import "parts.html" as parts with context %}
{% block form %}<label for="call">{{ t("call") }}</label><input id="call" name="call">{{ parts.model() }}{% endblock %}
{% block answer %}<h2 tabindex="-1">{{ t("echo.head") }}</h2><p id="heard">{{ answer.heard }}</p>{% endblock %}
""",
    "nets/echo.py": "KIND = 'echo'\nANY_SIZE = True\n",
}
ROWS = """
import nets, tasks
nets.__path__.append(FOLDER + "/nets")
tasks.__path__.append(FOLDER + "/tasks")
tasks.TASKS["echoes"] = tasks.TaskRow("echo", "task", "what comes back? Learns from walls")
tasks.ROOMS["echo"] = tasks.RoomRow(
    "echo", "nets.echo", "", {"wall": "echo_wall"}, "python train.py --task=echoes", "tasks.echo.model.Echo",
    {"sound": tasks.Part("sound", "a call -> its echo")}, ("echo",), ("silence",))
"""
SERVE = "\nimport serve\nfrom utils.run import startup\nstartup.run(serve.main, serve.check)"


def with_made_up_room(folder):
    """Writes the folder of a made-up room, and returns the program that adds its rows, before whatever follows."""
    for name, text in ROOM.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return ROWS.replace("FOLDER", repr(str(folder)))


@contextlib.contextmanager
def served(cwd, *command):
    """Runs serve.py, or a program that does, and gives its address. At the end, Ctrl-C closes it without an error."""
    process = subprocess.Popen(
        [sys.executable, *command, "--folder=root", "--port=0", "--nobrowser"], cwd=cwd, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    try:
        line = process.stdout.readline()
        yield re.search(r"http://127\.0\.0\.1:\d+/", line)[0]
    finally:
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0 and out.strip() == "the page is closed", out
