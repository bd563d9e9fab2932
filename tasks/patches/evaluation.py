"""How good are descriptors of patches, beside SIFT on the same patches: FPR95, verification, matching, retrieval; and whole photos."""

import os
import time
from collections.abc import Iterator

import numpy as np

from tasks.patches import describers, figures, protocol
from tasks.patches.describers import SIFT, Describer
from tasks.patches.scene import compare, view
from utils.data.files import evenly
from utils.patches import sets
from utils.patches.geometry import transfer
from utils.patches.pairs import Views, photo_pairs
from utils.run import folder as runs
from utils.run.console import progress_bar

HELD_OUT, POINTS = 48, 100  # photos of a run's test part that are cut, and the points of each
NEAR = 3.0  # pixels that the corners of a photo may lie beside their places


def evaluate(options, path: str) -> dict:
    """The figures of the model, or with --descriptor=sift of SIFT alone, on the patches of --dataset_path or of held-out photos."""
    own = [SIFT] if options.descriptor == "sift" else [describers.of_model(path), SIFT]
    folder = runs.report_folder(options.out, path if options.descriptor == "model" else "")
    print(f"described by {own[0].name}" + ("" if len(own) == 1 else f", beside {SIFT.name}"))
    root = os.path.expanduser(options.dataset_path)
    kind = sets.kind_of(root) if root else "held out"
    result = {"data": root or "held-out photos", "kind": kind, "seed": options.seed}
    if kind == "phototour":
        found = protocol.of_lists(sets.phototour(root), own)
    else:
        found = protocol.of_scenes(scenes(options, root, kind, path, max(describer.channels for describer in own)), own, options.seed)
    names = ["model", "SIFT"][-len(own):]
    result |= {"patches": found.patches, "figures": dict(zip(names, found.figures))}
    print("\n".join(protocol.in_words(result)))
    figures.curves(folder, found.curves, protocol.TITLES)
    figures.mistakes(folder, *found.mistakes)
    if kind == "homographies" and options.photos_too:
        result["photos"] = dict(zip(names, (whole_photos(options, sets.photo_pairs(root), describer) for describer in own)))
        print("\n".join(photos_in_words(result["photos"])))
    runs.write_json(folder, runs.EVALUATION if root == "" else "patches.json", result)
    print(f"figures are in {folder}/")
    return result


def scenes(options, root: str, kind: str, path: str, channels: int) -> Iterator[sets.Scene]:
    """The scenes of HPatches, of pairs of photos, or of a run's held-out photos."""
    if kind == "hpatches":
        yield from sets.hpatches(root)
    elif kind == "homographies":
        for number, pair in enumerate(sets.photo_pairs(root)):
            yield protocol.seen_twice(pair, options.points, options.jitter, [options.seed, number], channels)
    else:
        split = runs.read_json(os.path.dirname(path), runs.SPLIT) or {}
        photos = [os.path.join(split.get("root", ""), name) for name in split.get("test") or split.get("validation") or []]
        photos = evenly([photo for photo in photos if os.path.isfile(photo)], HELD_OUT)
        if len(photos) < 2:
            raise ValueError("found no photos that the run held out; pass --dataset_path, the folder of HPatches or PhotoTour, or of pairs of "
                             "photos with a homography")
        for number, photo in enumerate(photos):
            pairs = photo_pairs(photo, (protocol.SIDE, protocol.SIDE, channels), POINTS, [options.seed, number], Views(options.jitter, 1.0, False))
            yield sets.Scene(os.path.basename(photo), {sets.REFERENCE: np.squeeze(pairs[:, 0]), options.jitter: np.squeeze(pairs[:, 1])})


def whole_photos(options, pairs: list[sets.PhotoPair], describer: Describer) -> dict:
    """Photos in, homography out: for each pair its matches, the error of the corners of a in pixels of b, and seconds; and unrelated pairs."""
    found, views, bar = {}, [], progress_bar("pair")
    for done, pair in enumerate(pairs, start=1):
        began = time.perf_counter()
        a, b = (view(file, describer, options.most_keypoints) for file in (pair.a, pair.b))
        scene = compare(a, b, options.ratio, options.tolerance)
        found[pair.name] = {"matches": len(scene.a), "inliers": int(scene.inliers.sum()), "same": scene.same,
                            "corner_error": corner_error(scene.matrix, pair.b_to_a, a.photo.shape[:2], a.pixel),
                            "seconds": time.perf_counter() - began}
        views.append((a, b))
        bar(done, len(pairs))
    unrelated = [compare(views[row][0], views[other][1], options.ratio, options.tolerance)
                 for row in range(len(views)) for other in range(len(views)) if not related(pairs[row], pairs[other])]
    return {"pairs": found, "near": sum(row["corner_error"] is not None and row["corner_error"] < NEAR for row in found.values()),
            "same": sum(row["same"] for row in found.values()),
            "unrelated": {"pairs": len(unrelated), "same": sum(scene.same for scene in unrelated),
                          "most_inliers": max((int(scene.inliers.sum()) for scene in unrelated), default=0)}}


def related(one: sets.PhotoPair, other: sets.PhotoPair) -> bool:
    """Whether two pairs are one, or show one place, as their names tell: LePoint1 and LePoint2, BruggeTower and BruggeSquare."""
    return one.name[:4] == other.name[:4]


def corner_error(matrix: np.ndarray | None, b_to_a: np.ndarray, shape: tuple[int, int], pixel: float) -> float | None:
    """The mean distance in pixels of b between where both maps place the corners of a; None without a map, or beyond its horizon."""
    if matrix is None:
        return None
    height, width = (round(side * pixel) for side in shape)
    corners = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], float)
    truth = np.linalg.inv(b_to_a)
    truth = truth / (truth[2] @ (width / 2, height / 2, 1))  # positive where the middle of the photo is
    error = float(np.linalg.norm(transfer(matrix, corners) - transfer(truth, corners), axis=1).mean())
    return error if np.isfinite(error) else None


def error_in_words(row: dict) -> str:
    """The corner error of a pair in 13 letters."""
    if not row["same"]:
        return " no agreement"
    return " beyond sight" if row["corner_error"] is None else f"{row['corner_error']:10.2f} px"


def photos_in_words(found: dict[str, dict]) -> list[str]:
    """The pairs of photos as a table."""
    lines = ["photos in, homography out: matches that agree, error of the corners in pixels, seconds"]
    for name in next(iter(found.values()))["pairs"]:
        rows = [(label, result["pairs"][name]) for label, result in found.items()]
        lines.append(f"  {name:16}" + "".join(f"  {label} {row['inliers']:4} of {row['matches']:4} {error_in_words(row)} {row['seconds']:5.1f} s"
                                              for label, row in rows))
    for label, result in found.items():
        lines.append(f"  {label}: {result['same']} of {len(result['pairs'])} pairs recognised, {result['near']} with corners within {NEAR:g} px; of "
                     f"{result['unrelated']['pairs']} unrelated pairs {result['unrelated']['same']} called the same (at most "
                     f"{result['unrelated']['most_inliers']} matches agree)")
    return lines
