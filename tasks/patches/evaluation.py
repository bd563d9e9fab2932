"""How good are descriptors of patches, beside SIFT on the same patches: FPR95, verification, matching, retrieval; and
whole photos."""

import itertools
import os
import time
from collections.abc import Iterator

import numpy as np

from tasks.patches import describers, figures
from tasks.patches.data import sets
from tasks.patches.data.pairs import Views, photo_pairs
from tasks.patches.describers import SIFT, Describer
from tasks.patches.measuring import protocol
from tasks.patches.scene import compare, view
from utils.data.files import evenly
from utils.data.images import open_image, size_of
from utils.keypoints.geometry import transfer
from utils.run import folder as runs
from utils.run.console import progress_bar

HELD_OUT, POINTS = 48, 100  # photos of a run's test part that are cut, and the points of each
STRANGERS = 24  # pairs at most whose photos are compared with those of other pairs
NEAR = 3.0  # pixels that a photo may lie beside its place in the other


def evaluate(options, path: str) -> dict:
    """The figures of the model, or with --descriptor=sift of SIFT alone, on the patches of --dataset_path or of
    held-out photos."""
    own = {} if options.descriptor == "sift" else {"model": describers.of_model(path)}
    own |= {"SIFT": SIFT} | ({"OpenCV": describers.opencv()} if options.opencv else {})
    folder = runs.report_folder(options.out, path if options.descriptor == "model" else "")
    print("described by " + ", beside ".join(describer.name for describer in own.values()))
    root = os.path.expanduser(options.dataset_path)
    kind = sets.kind_of(root) if root else "held out"
    result = {"data": root or "held-out photos", "kind": kind, "seed": options.seed}
    if kind == "phototour":
        measured = protocol.of_lists(sets.phototour(root), list(own.values()))
    else:
        channels = max(describer.channels for describer in own.values())
        measured = protocol.of_scenes(scenes(options, root, kind, path, channels), list(own.values()), options.seed)
    result |= {"patches": measured.patches, "figures": dict(zip(own, measured.figures))}
    print("\n".join(protocol.in_words(result)))
    figures.curves(folder, measured.curves, protocol.TITLES)
    figures.mistakes(folder, *measured.mistakes)
    if kind == "homographies" and options.photos_too:
        pairs = sets.photo_pairs(root)
        result["photos"] = {name: by_opencv(options, pairs) if name == "OpenCV"
                            else whole_photos(options, pairs, describer)
                            for name, describer in own.items()}
        print("\n".join(photos_in_words(result["photos"])))
    runs.write_json(folder, runs.EVALUATION if root == "" else "patches.json", result)
    print(f"figures are in {folder}/")
    return result


def scenes(options, root: str, kind: str, path: str, channels: int) -> Iterator[sets.Scene]:
    """The scenes of HPatches, of pairs and sequences of photos, or of a run's held-out photos."""
    if kind == "hpatches":
        yield from sets.hpatches(root)
    elif kind == "homographies":
        groups = [[*pairs] for _, pairs in itertools.groupby(sets.photo_pairs(root), lambda pair: pair.a)]
        bar = progress_bar("scene")
        for number, pairs in enumerate(groups):
            yield protocol.seen_again(pairs, options.points, options.jitter, [options.seed, number], channels,
                                      options.least_patch)
            bar(number + 1, len(groups))
    else:
        split = runs.read_split(os.path.dirname(path))
        photos = [os.path.join(split.get("root", ""), name) for name in split.get("test") or split.get("validation")
                  or []]
        photos = evenly([photo for photo in photos if os.path.isfile(photo)], HELD_OUT)
        if len(photos) < 2:
            raise ValueError("found no photos that the run held out; pass --dataset_path, the folder of HPatches or "
                             "PhotoTour, or of pairs of photos with a homography")
        for number, photo in enumerate(photos):
            pairs = photo_pairs(photo, (protocol.SIDE, protocol.SIDE, channels), POINTS, [options.seed, number],
                                Views(options.jitter, 1.0, False))
            yield sets.Scene(os.path.basename(photo),
                             {sets.REFERENCE: np.squeeze(pairs[:, 0]), options.jitter: np.squeeze(pairs[:, 1])})


def whole_photos(options, pairs: list[sets.PhotoPair], describer: Describer) -> dict:
    """Photos in, homography out: for each pair its matches, errors and seconds; and of pairs that show different
    places, how many agree."""
    rows, views, bar = {}, {}, progress_bar("pair")
    strangers = evenly(range(len(pairs)), STRANGERS)
    for done, pair in enumerate(pairs, start=1):
        began = time.perf_counter()
        a, b = (view(file, describer, options.most_keypoints) for file in (pair.a, pair.b))
        scene = compare(a, b, options.ratio, options.tolerance)
        rows[pair.name] = row_of(pair, len(scene.a), int(scene.inliers.sum()), scene.matrix,
                                 time.perf_counter() - began)
        if done - 1 in strangers:
            views[done - 1] = a, b
        bar(done, len(pairs))
    unrelated = [compare(views[row][0], views[other][1], options.ratio, options.tolerance)
                 for row in views for other in views if not related(pairs[row], pairs[other])]
    return in_all(rows) | {"unrelated": {"pairs": len(unrelated), "same": sum(scene.same for scene in unrelated),
                                         "most_inliers": max((int(scene.inliers.sum()) for scene in unrelated),
                                                             default=0)}}


def by_opencv(options, pairs: list[sets.PhotoPair]) -> dict:
    """The same with OpenCV's detector, RootSIFT, ratio test and RANSAC; a pair counts as the same where a homography
    comes out."""
    import cv2

    rows, made = {}, cv2.SIFT_create(options.most_keypoints)
    for pair in pairs:
        began = time.perf_counter()
        (a, one), (b, other) = (made.detectAndCompute(np.asarray(open_image(file, "L")), None)
                                for file in (pair.a, pair.b))
        both = cv2.BFMatcher().knnMatch(describers.root(one), describers.root(other), k=2)
        kept = [first for first, second in both if first.distance < options.ratio * second.distance]
        left, right = np.array([a[match.queryIdx].pt
                                for match in kept]), np.array([b[match.trainIdx].pt for match in kept])
        matrix, agree = (cv2.findHomography(left, right, cv2.RANSAC, options.tolerance, maxIters=20_000,
                                            confidence=0.9999)
                         if len(kept) > 3 else (None, np.zeros(0)))
        rows[pair.name] = row_of(pair, len(kept), int(np.sum(agree)), matrix, time.perf_counter() - began)
    return in_all(rows)


def row_of(pair: sets.PhotoPair, matches: int, inliers: int, matrix: np.ndarray | None, seconds: float) -> dict:
    """A pair's row of the report."""
    corners, overlap = errors(matrix, pair.b_to_a, size_of(pair.a), size_of(pair.b))
    return {"matches": matches, "inliers": inliers, "same": matrix is not None, "corner_error": corners,
            "overlap_error": overlap, "seconds": seconds}


def in_all(rows: dict[str, dict]) -> dict:
    """The rows of all pairs, and how many are near and recognised."""
    near = {f"near_{kind}": sum(row[f"{kind}_error"] is not None and row[f"{kind}_error"] < NEAR
                                for row in rows.values())
            for kind in ("corner", "overlap")}
    return {"pairs": rows, **near, "same": sum(row["same"] for row in rows.values())}


def related(one: sets.PhotoPair, other: sets.PhotoPair) -> bool:
    """Whether two pairs are one, or show one place, as their names tell: LePoint1 and LePoint2, BruggeTower and
    BruggeSquare."""
    return one.name[:4] == other.name[:4]


def errors(matrix: np.ndarray | None, b_to_a: np.ndarray, a: tuple[int, int],
           b: tuple[int, int]) -> tuple[float | None, float | None]:
    """The mean distance in pixels of b between where both maps place the corners of a, and what of a lies in b; None
    without a map.

    Args:
        a, b: width and height of the photos.
    """
    if matrix is None:
        return None, None
    truth = np.linalg.inv(b_to_a)
    truth = truth / (truth[2] @ (a[0] / 2, a[1] / 2, 1))  # positive where the middle of the photo is
    x, y = np.meshgrid(*(np.linspace(0, side - 1, 21) for side in a))
    points = np.stack([x, y], axis=-1).reshape(-1, 2)
    right = transfer(truth, points)
    gaps = np.linalg.norm(transfer(matrix, points) - right, axis=1)
    corners = gaps.reshape(x.shape)[::20, ::20].mean()
    with np.errstate(invalid="ignore"):
        seen = ((right >= 0) & (right <= np.array(b) - 1)).all(1)
    overlap = gaps[seen].mean() if seen.any() else np.nan
    return tuple(float(error) if np.isfinite(error) else None for error in (corners, overlap))


def photos_in_words(results: dict[str, dict]) -> list[str]:
    """The pairs of photos as a table."""
    lines = ["photos in, homography out: matches that agree, error of the corners of the first photo, and of what "
             "both show, in pixels; seconds",
             " " * 18 + "".join(f"{name:>36}" for name in results)]
    for name in next(iter(results.values()))["pairs"]:
        lines.append(f"  {name:16}" + "".join(pair_in_words(result["pairs"][name]) for result in results.values()))
    for label, result in results.items():
        lines.append(f"  {label}: a map for {result['same']} of {len(result['pairs'])} pairs, corners within {NEAR:g} "
                     f"px in {result['near_corner']}, what both show within {NEAR:g} px in {result['near_overlap']}")
        if other := result.get("unrelated"):
            lines.append(f"  {label}: of {other['pairs']} pairs of different places {other['same']} are called the "
                         f"same; at most {other['most_inliers']} matches agree")
    return lines


def pair_in_words(row: dict) -> str:
    """A pair in 36 letters."""
    values = "no agreement".rjust(16) if not row["same"] else "".join(
        "  beyond" if row[kind] is None else f"{min(row[kind], 9999):8.2f}"
        for kind in ("corner_error", "overlap_error"))
    return f"{row['inliers']:6} of {row['matches']:4}{values}{row['seconds']:6.1f} "
