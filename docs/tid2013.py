"""Does the perceptual distance say which of two changes is worse, as people did in TID2013? For docs/perceptual.md:

    python -m docs.tid2013 --scores=mos_with_names.txt --dataset_path=PHOTOS
    python -m docs.tid2013 --scores=mos_with_names.txt --dataset_path=PHOTOS --layers=stem,stage3_conv2_relu

The scores are TID2013's list; its photos are not needed. A type of distortion at a level is one point: people's mean
score of it in the list, and its mean distance on other photos. Our level n is laid beside level n + 1 of TID2013, as
RankIQA's levels (Liu et al. 2017) do. Layers are chosen on some photos and reported on others.
"""

import json
import os
from collections import defaultdict

import numpy as np
from absl import app, flags
from scipy.stats import spearmanr

from tasks.perceptual.measuring import comparators, measure
from utils.batches.crops import middle
from utils.data.files import evenly, walk
from utils.data.images import read_photo
from utils.data.score_lists import TID_KINDS, tid_rows
from utils.distortions.catalogue import TID2013, levels
from utils.metrics.pictures import luma, psnr, ssim
from utils.run.console import progress_bar

LAYERS = ["stem", "stage1_conv1_relu", "stage2_conv2_relu", "stage3_conv2_relu", "stage4_conv2_relu"]
FLAGS = flags.FLAGS
flags.DEFINE_string("scores", None, "TID2013's mos_with_names.txt", required=True)
flags.DEFINE_string("dataset_path", None, "Folder of photos without visible distortion", required=True)
flags.DEFINE_list("layers", LAYERS, "Layers of the comparator; a+b: two together")
flags.DEFINE_integer("photos", 12, "Photos, evenly from the folder", 1)
flags.DEFINE_integer("side", 192, "Pixels a side of the middle of each photo", 16)
flags.DEFINE_list("without", [], "Types of distortion to leave out")


def human(path: str) -> dict[tuple[str, int], float]:
    """People's mean score of each (type, level) of TID2013, types by our names; higher is better."""
    names, scores = dict(zip(TID_KINDS, TID2013)), defaultdict(list)
    for row in tid_rows(path):
        scores[names[row.kind], row.level].append(row.score)
    return {point: float(np.mean(each)) for point, each in scores.items()}


def ways(layers: list[str]) -> dict:
    """Each way to tell how far a picture is from its original: (one, other) -> larger is farther."""
    measures = {layer: measure.Measure(comparators.made(layers=layer.split("+"))).distance for layer in layers}
    return {**measures, "psnr": lambda one, other: -min(psnr(one, other), 100.0),
            "ssim": lambda one, other: -ssim(luma(one), luma(other))}


def distances(paths: list[str], asked: dict, names: list[str], side: int) -> dict[str, np.ndarray]:
    """The distances (photos, types, levels) of each way."""
    progress = progress_bar("photo")
    table = {way: np.zeros((len(paths), len(names), 4)) for way in asked}
    for row, path in enumerate(paths):
        photo = middle(read_photo(path), side)
        for column, name in enumerate(names):
            pristine, *worse = levels(photo, TID2013[name], [row, column])
            for way, function in asked.items():
                table[way][row, column] = [function(pristine, picture) for picture in worse]
        progress(row + 1, len(paths))
    return table


def main(_) -> None:
    """Prints a line of JSON: SROCC of each way over all photos, and its least and greatest on one photo alone."""
    opinion = human(FLAGS.scores)
    names = [name for name in TID2013 if name not in FLAGS.without]
    scores = np.array([[opinion[name, level + 1] for level in range(1, 5)] for name in names]).ravel()
    paths = [os.path.join(FLAGS.dataset_path, name) for name in evenly(walk(FLAGS.dataset_path)[0], FLAGS.photos)]
    table = distances(paths, ways(FLAGS.layers), names, FLAGS.side)
    for way, values in table.items():
        single = [-spearmanr(each.ravel(), scores)[0] for each in values]
        print(json.dumps({"way": way, "photos": len(paths), "types": len(names),
                          "srocc": round(float(-spearmanr(values.mean(0).ravel(), scores)[0]), 4),
                          "one_photo": [round(float(limit), 3) for limit in (min(single), max(single))]}))


if __name__ == "__main__":
    app.run(main)
