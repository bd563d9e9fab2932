"""Does the distance agree with people: lists of pictures, their originals and human scores, beside PSNR and SSIM."""

import os
from collections.abc import Callable

import numpy as np

from tasks.perceptual import figures
from tasks.perceptual.model import check_sizes
from tasks.quality.metrics.correlation import correlations
from utils.data import photos, scores
from utils.data.files import walk
from utils.data.images import read_photo
from utils.data.score_lists import Row, read_list
from utils.metrics.pictures import luma, psnr, ssim
from utils.run import folder as runs
from utils.run.console import progress_bar

TABLE, FIGURE = "agreement.json", "agreement.png"
PIPAL = "Train_Label"  # the folder of PIPAL's lists, one for each original, Gu et al. 2020
# where data sets keep their originals: beside the pictures, TID2013, LIVE, PIPAL, KADID-10k
FOLDERS = ("", "reference_images", "refimgs", "Train_Ref", "images", "references")
NAMES = {"distance": "perceptual distance", "psnr": "PSNR, dB", "ssim": "SSIM"}  # in the figure
HIGHEST = 100.0  # dB of equal pictures, whose PSNR is infinite
FEWEST = 3  # pictures of a distortion whose correlation is told


def agreement(options, distance: Callable[[np.ndarray, np.ndarray], float]) -> dict:
    """Rank and linear correlations of the distance, PSNR and SSIM with human scores, over all and by distortion.

    Args:
        options: --pair_scores and how that list is read.
        distance: of two photos (H, W, 3) uint8.

    Raises:
        ValueError: a list without originals, an original that is not there or of another size, or too few pictures.
    """
    scored = read(options)
    scored = scored.take(np.array(photos.usable(scored.root, scored.paths, skip_broken=options.skip_broken), int))
    if len(scored.paths) < FEWEST:
        raise ValueError(f"{options.pair_scores}: {len(scored.paths)} pictures that can be read, expected {FEWEST} or "
                         "more")
    print(scores.describe(scored))
    found = measured(scored, originals_of(options, scored), distance)
    table = {way: correlations(values, scored.scores, scored.higher_is_better) for way, values in found.items()}
    kinds = {str(kind): {way: correlations(values[rows], scored.scores[rows], scored.higher_is_better)["srocc"]
                         for way, values in found.items()}
             for kind in sorted(set(scored.kinds) - {""}) if (rows := scored.kinds == kind).sum() >= FEWEST}
    print(f"{'agreement with people':24}{'SROCC':>9}{'KROCC':>9}{'LCC':>9}   1 is full agreement")
    for way, row in table.items():
        print(f"{way:24}{row['srocc']:9.3f}{row['krocc']:9.3f}{row['lcc_logistic']:9.3f}")
    folder = runs.report_folder(options.out, "")
    result = {"pictures": len(scored.paths), "originals": len(np.unique(scored.references)), **table,
              "by_distortion": kinds}
    runs.write_json(folder, TABLE, result)
    figures.agreement({NAMES[way]: -values if way == "distance" else values for way, values in found.items()}
                      | {"human score": scored.scores}, os.path.join(folder, FIGURE))
    return result


def measured(scored: scores.Scored, originals: list[str], distance) -> dict[str, np.ndarray]:
    """How good each way says that each picture is, (N,) each: higher is better."""
    ways = {"distance": lambda one, other: -distance(one, other),
            "psnr": lambda one, other: min(psnr(one, other), HIGHEST),
            "ssim": lambda one, other: ssim(luma(one), luma(other))}
    values, bar, opened = {way: [] for way in ways}, progress_bar("picture"), ("", None)
    for number, (path, original) in enumerate(zip(scored.full_paths(), originals), start=1):
        opened = opened if opened[0] == original else (original, read_photo(original))
        one, other = opened[1], read_photo(path)
        check_sizes(one, other, original, path, "resize it, or leave it out of the list")
        for way, function in ways.items():
            values[way].append(function(one, other))
        bar(number, len(originals))
    return {way: np.array(each) for way, each in values.items()}


def read(options) -> scores.Scored:
    """The list or folder that --pair_scores names."""
    path, root = os.path.expanduser(options.pair_scores), os.path.expanduser(options.image_root)
    if os.path.isdir(os.path.join(path, PIPAL)):
        if options.higher_is_better is False:
            raise ValueError(f"{path}: PIPAL's scores are higher for better pictures: leave out --nohigher_is_better")
        return scores.scored(path, root or path, pipal_rows(path, root or path), True, None, options.skip_broken)
    return scores.read_scores(path, options.higher_is_better, root, skip_missing=options.skip_broken,
                              image_column=options.image_column, score_column=options.score_column)


def pipal_rows(path: str, root: str) -> list[Row]:
    """Rows of PIPAL's lists: lines `A0001_00_00.bmp,1449.1`, whose original is A0001.bmp. The pictures may lie in any
    folder below `root`."""
    below = {os.path.basename(name): name for name in walk(root)[0]}
    rows = [row for name in sorted(os.listdir(os.path.join(path, PIPAL))) if name.endswith(".txt")
            for row in read_list(os.path.join(path, PIPAL, name), True)]
    return [row._replace(path=below.get(row.path, row.path), kind=row.path.split("_")[1] if "_" in row.path else "",
                         reference=row.path.split("_")[0] + os.path.splitext(row.path)[1]) for row in rows]


def originals_of(options, scored: scores.Scored) -> list[str]:
    """The files of the originals, one for each picture."""
    if not all(scored.originals):
        raise ValueError(f"{options.pair_scores}: names no originals, expected a column such as ref_img or reference, "
                         "with the original of each picture")
    roots = [os.path.expanduser(options.reference_root)] if options.reference_root else [
        os.path.join(root, name) for root in (scored.root, os.path.dirname(scored.root)) for name in FOLDERS]
    found, known = {}, {}
    for name in sorted(set(scored.originals)):
        tried = [(root, spelt) for root in roots for spelt in (name, f"I{name}")]  # TID2013: 01 is I01.BMP
        found[name] = next((os.path.join(root, file) for root, spelt in tried if os.path.isdir(root)
                            and (file := scores.find_file(root, spelt, known))), None)
    missing = [name for name, file in found.items() if not file]
    if missing:
        raise ValueError(f"{options.pair_scores}: {len(missing)} of {len(found)} originals were not found, such as "
                         f"{missing[0]}: pass their folder as --reference_root")
    return [found[name] for name in scored.originals]
