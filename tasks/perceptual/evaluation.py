"""How near does a generator come, in pixels and to the eye; and does the distance grow as photos get worse."""

import os

import keras
import numpy as np

from nets.models import perceptual
from tasks.choosing import find_model
from tasks.models import load_model
from tasks.perceptual.learning.batches import crops
from tasks.perceptual.measuring import codes, comparators, measure, people, report
from tasks.quality.metrics.ordering import pair_order
from tasks.quality.model import ready_score, score_levels
from utils.batches.crops import middle
from utils.data import classes, photos
from utils.data.files import evenly, walk
from utils.data.images import read_photo
from utils.distortions.catalogue import TID2013
from utils.metrics.pictures import luma, psnr, ssim
from utils.run import folder as runs
from utils.run.console import progress_bar
from utils.saying import counted

MOST, SHEET, TABLE = 200, "reconstructed.png", "table3.json"  # crops that are measured; files
CODES, CACHE = "codes.json", 2.0  # the table of --codes; gigabytes of pictures that are kept in memory
THUMB = 16  # pixels a side of pictures that are classified by their pixels
FIVE_SCALES = 176  # pixels a side, at least, for MS-SSIM: windows of 11 after four halvings
PART, LEVELS = 256, "distance_order.json"  # pixels a side of photos that are distorted


def evaluate(options, path: str) -> dict:
    """Table 3 of one generator or several, or table 4; without any, the order of the levels of distortion, or the
    agreement with people."""
    if options.pair_scores:
        return people.agreement(options, measure.Measure(comparators.opened(options)).distance)
    if options.distortions_too:
        return of_distortions(options)
    makers = makers_of(options, path)
    return of_codes(options, path, makers) if options.codes else of_generators(options, path, makers)


def makers_of(options, path: str) -> dict[str, perceptual.Maker]:
    """The generators of --model and --runs, by the names of their folders; they make pictures of one size."""
    files = {os.path.basename(os.path.dirname(os.path.abspath(file))): file
             for file in [path, *(find_model(run, "perceptual") for run in options.runs)]}
    makers = {name: perceptual.maker(load_model(file, perceptual.KIND)) for name, file in files.items()}
    sides = {used.side for used in makers.values()}
    if len(sides) > 1:
        raise ValueError(f"--runs={','.join(options.runs)}: make pictures of {sorted(sides)} pixels a side, expected "
                         "one size")
    return makers


def of_codes(options, path: str, makers: dict[str, perceptual.Maker]) -> dict:
    """Table 4: the accuracy of a linear support vector machine on the codes of each generator, beside pixels."""
    if not options.dataset_path:
        raise ValueError("--codes needs pictures of classes: pass --dataset_path, a folder with one folder for each "
                         "class")
    side = next(iter(makers.values())).side
    samples = classes.find_samples(options.dataset_path, own_data=True)
    samples, pictures = classes.read_pictures(samples, (side, side, 3), CACHE, options.skip_broken)
    features = {name: codes.of_pictures(used, pictures) for name, used in makers.items()}
    features["pixels"] = reduced(pictures)
    print(f"accuracy of a linear support vector machine on {options.fitted} pictures of each of "
          f"{len(np.unique(samples.labels))} classes, the others tested; {codes.FOLDS} folds")
    table = {}
    for name, rows in features.items():
        found = codes.accuracies(rows, samples.labels, options.fitted, options.seed, progress_bar("fold"))
        table[name] = {"accuracy": float(found.mean()), "std": float(found.std()), "folds": found.tolist()}
        print(f"{name[:31]:32}{found.mean():7.3f} +- {found.std():.3f}   {counted(rows.shape[1], 'number')}")
    runs.write_json(runs.report_folder(options.out, path), CODES, table)
    return {"model": path, **next(iter(table.values())), "runs": table}


def reduced(pictures: np.ndarray) -> np.ndarray:
    """Pictures (N, s, s, 3) as pixels of `THUMB` a side, in a row: (N, F)."""
    step = pictures.shape[1] // THUMB
    return pictures.reshape(len(pictures), THUMB, step, THUMB, step, 3).mean(axis=(2, 4)).reshape(len(pictures), -1)


def of_generators(options, path: str, makers: dict[str, perceptual.Maker]) -> dict:
    """Errors of pixels and features of each generator, on photos of --dataset_path or on those held out."""
    tested = crops(test_photos(options, path), next(iter(makers.values())).side, MOST, options.seed)
    folder = runs.report_folder(options.out, path)
    print(f"{counted(len(tested), 'crop')}; 1 is the mean distance of different ones")
    table = {name: report.errors(used, tested) for name, used in makers.items()}
    further = {}
    if options.quality_too:
        bar, further = progress_bar("picture"), {"original_quality": report.mean_score(ready_score, tested)}
        for name, used in makers.items():
            table[name]["quality"] = report.mean_score(ready_score, report.made_of(used, tested), bar)
        print(f"quality of the originals {further['original_quality']:.1f}")
    print(f"{'':24}{'pixels':>9}{'features':>9}{'quality' if further else '':>9}".rstrip())
    for name, row in table.items():
        quality = f"{row['quality']:9.1f}" if further else ""
        print(f"{name[:23]:24}{row['error']:9.3f}{row['distance']:9.3f}{quality}")
    runs.write_json(folder, TABLE, table)
    report.draw(os.path.join(folder, SHEET), tested, makers)
    return {"model": path, "crops": len(tested), **next(iter(table.values())), **further, "runs": table}


def test_photos(options, path: str) -> list[str]:
    """The photos of --dataset_path, or those that the run held out, without those that it trained on."""
    split = runs.read_split(os.path.dirname(path)) if path else {}
    root = os.path.expanduser(options.dataset_path) or split.get("root", "")
    names = walk(root)[0] if options.dataset_path else split.get("test") or split.get("validation") or []
    names = [names[row] for row in photos.unseen(root, names, split)] if options.dataset_path else [
        name for name in names if os.path.isfile(os.path.join(root, name))]
    names = [names[row] for row in photos.usable(root, names, skip_broken=options.skip_broken)]
    if not names:
        raise ValueError(f"found no photos in {root or '.'} that the model was not trained on; pass --dataset_path, a "
                         "folder of photos")
    return [os.path.join(root, name) for name in names]


def of_distortions(options) -> dict:
    """The share of pairs of levels in the right order, by each distance, for 24 distortions."""
    if not options.dataset_path:
        raise ValueError("--distortions_too needs photos: pass --dataset_path, a folder of them")
    paths = evenly(test_photos(options, ""), 10)
    asked = measure.Measure(comparators.opened(options))
    ways = {"distance": asked.distance, "psnr": lambda one, other: -psnr(one, other),
            "ssim": lambda one, other: -ssim(luma(one), luma(other)), **multiscale(paths)}
    table = {}
    for way, function in ways.items():
        scores = score_levels(against(function), paths, TID2013, options.seed, progress_bar("picture"))
        table[way] = {name: pair_order(rows[:, 1:])["order"] for name, rows in scores.items()}
    means = {way: float(np.mean(list(rows.values()))) for way, rows in table.items()}
    print(f"{counted(len(paths), 'photo')}, pairs of levels in the right order: "
          + ", ".join(f"{way} {mean:.3f}" for way, mean in means.items()))
    runs.write_json(runs.report_folder(options.out, ""), LEVELS, table)
    return {"photos": len(paths), **means, "by_distortion": table}


def multiscale(paths: list[str]) -> dict:
    """MS-SSIM on luma (Wang, Simoncelli & Bovik 2003) as TensorFlow computes it, where that is the backend and all
    photos are large enough for its five scales."""
    if keras.backend.backend() != "tensorflow" or min(min(read_photo(path).shape[:2]) for path in paths) < FIVE_SCALES:
        return {}
    import tensorflow as tf

    def distance(one: np.ndarray, other: np.ndarray) -> float:
        lumas = [luma(picture)[..., None].astype("float32") for picture in (one, other)]
        return -float(tf.image.ssim_multiscale(*lumas, 255.0))

    return {"ms_ssim": distance}


def against(function):
    """A function that scores a picture by its distance to the pristine one before it, as `score_levels` calls it."""
    pristine: list[np.ndarray] = []
    each = 1 + sum(len(kind.levels) for kind in TID2013.values())

    def score(picture: np.ndarray) -> float:
        part = middle(picture, PART)
        if len(pristine) % each == 0:
            pristine.clear()
            pristine.append(part)
            return 0.0
        pristine.append(pristine[0])
        return -function(pristine[0], part)

    return score
