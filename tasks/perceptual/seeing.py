"""What does a network keep of a picture? Shown by the generators that were trained to invert it, one row a layer."""

import os

import numpy as np

from nets.models import perceptual
from tasks.choosing import find_model
from tasks.perceptual import figures
from tasks.perceptual.model import Perceptual
from utils.run import folder as runs
from utils.run.console import write_answer
from utils.saying import counted

FIGURE = "seen.png"


def answer(options, files: list[str]) -> None:
    """Shows pictures, and below them what is left of each at each layer that a generator was trained on."""
    if not files:
        raise ValueError("received no picture, expected one or more: python predict.py --task=perceptual --see=MODEL "
                         "photo.jpg")
    path = network_file(options.see)
    found = generators(path)
    if not found:
        raise ValueError(f"--see={options.see}: found no generator in {runs.LOGS}/ that was trained to invert it: "
                         "train one with python train.py --task=perceptual --generator=inversion "
                         f"--inverted={options.see} --inverted_layer=LAYER --dataset_path=PHOTOS")
    rows, results = [], []
    for layer, file in found:
        model = Perceptual(file)
        originals, made = np.stack([model.prepared(each) for each in files]), model.reconstruct(files)
        rows += [] if rows else [("original", originals)]
        rows.append((layer, made))
        results += [{"file": each, "layer": layer, "model": file, "distance": model.measure.distance(one, other)}
                    for each, one, other in zip(files, originals, made)]
        print(f"  {layer}: {file}")
    print(f"what {path} keeps of {counted(len(files), 'picture')}, {counted(len(found), 'layer')}")
    if options.figure:
        figures.sheet(rows, FIGURE, f"what {options.see} keeps of them")
    write_answer(options, results, {"model": path, "results": results})


def network_file(name: str) -> str:
    """What names an inverted network: the whole path of its file, or the name of one that is built."""
    from nets.comparator import BUILT

    return name if name in BUILT else os.path.abspath(find_model(name))


def generators(path: str) -> list[tuple[str, str]]:
    """The layers of a network that runs in logs/ invert, and the newest run of each, in the order of their ages."""
    found: dict[str, tuple[float, str]] = {}
    for name in sorted(os.listdir(runs.LOGS) if os.path.isdir(runs.LOGS) else []):
        folder = os.path.join(runs.LOGS, name)
        file = runs.model_in(folder)
        if not file or runs.kind_of(file) != perceptual.KIND:
            continue
        known = runs.read_json(folder, runs.ABOUT) or {}
        if known.get("inverts") == path:
            age = os.path.getmtime(file)
            found[known["layer"]] = max(found.get(known["layer"], (0.0, "")), (age, file))
    return [(layer, file) for layer, (_, file) in sorted(found.items(), key=lambda item: item[1])]
