"""The measuring of descriptors: patches of scenes or of lists of pairs -> FPR95, mean average precisions, curves, and
the worst mistakes."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from tasks.patches.data.jitter import jittered
from tasks.patches.data.pairs import apart
from tasks.patches.data.sets import REFERENCE, PhotoPair, PhotoTour, Scene
from tasks.patches.describers import Describer
from tasks.patches.measuring import metrics
from utils.data.images import open_image
from utils.keypoints.cut import cut_frames, frames_of
from utils.keypoints.detector import detect
from utils.keypoints.geometry import moved_frames
from utils.metrics.verification import fpr95

SIDE = 65  # pixels a side of patches that are cut from photos, as in HPatches
DISTRACTORS, QUERIES = 2000, 20  # of retrieval at most: patches of other scenes, and queries of a scene
# mistakes that are shown; share from which on a curve is drawn; scenes at most whose figures are printed
WORST, SMALLEST, TOLD = 10, 1e-5, 20
LETTERS = {"e": "easy", "h": "hard", "t": "tough"}  # of the views of HPatches
TITLES = {"fpr95": ("true pairs accepted", "false pairs accepted", "share of true pairs"),
          "matching": ("matching", "recall", "precision")}


class Measured(NamedTuple):
    """What was measured: patches, figures of each describer, points of the curves, and arguments of
    `figures.mistakes`."""

    patches: int
    figures: list[dict[str, Any]]
    curves: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]]
    mistakes: tuple


def seen_again(pairs: Sequence[PhotoPair], points: int, jitter: str, seed: Sequence[int], channels: int,
               least: float = 0.0) -> Scene:
    """Patches around key points of photo a, and around the same places of each photo b, a little aside, as `jitter`
    says.

    Only patches count that lie in all the photos and show `least` or more pixels of a each way; of key points that are
    nearly one place only the strongest does.

    Args:
        pairs: of one photo a; the view of a single b is called as the jitter, those of several by numbers from 2 on.
    """
    a, *others = (open_image(file, "L" if channels == 1 else "RGB") for file in (pairs[0].a, *(p.b for p in pairs)))
    points_of_a = detect(np.asarray(a.convert("L"), "float32"))
    first = frames_of(points_of_a)
    to_others = [np.linalg.inv(pair.b_to_a) for pair in pairs]  # positive where the key points are:
    to_others = [to_b / np.median(first[:, :, 2] @ to_b[2, :2] + to_b[2, 2]) for to_b in to_others]
    fits = inside(first, a.size) & (2 * np.sqrt(np.linalg.det(first[:, :, :2])) >= least)
    for to_b, b in zip(to_others, others):
        fits[fits] = inside(moved_frames(to_b, first[fits]), b.size)
    rows = np.flatnonzero(fits)[: 10 * points]
    rows = rows[apart(points_of_a.take(rows))][:points]
    views, rng = {REFERENCE: cut_frames(np.asarray(a), first[rows], SIDE)}, np.random.default_rng(seed)
    for number, (to_b, b) in enumerate(zip(to_others, others), start=2):
        frames = jittered(moved_frames(to_b, first[rows]), jitter, rng)
        views[jitter if len(pairs) == 1 else str(number)] = cut_frames(np.asarray(b), frames, SIDE)
    name = pairs[0].name if len(pairs) == 1 else pairs[0].name.rpartition(" ")[0]
    return Scene(name, {view: np.rint(patches).astype("uint8") for view, patches in views.items()})


def inside(frames: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Which frames (N, 2, 3) lie in a photo of that width and height whole, (N,) bool."""
    corners = frames @ np.array([[-1, 1, 1, -1], [-1, -1, 1, 1], [1, 1, 1, 1.0]])  # (N, 2, 4)
    with np.errstate(invalid="ignore"):
        return ((corners >= 0) & (corners <= np.array(size)[:, None] - 1)).all((1, 2))


def of_scenes(scenes: Iterable[Scene], describers: list[Describer], seed: int) -> Measured:
    """Measures on scenes, whose views other than "ref" are compared with it; figures of each kind of view, and their
    mean."""
    kept, features = [], [[] for _ in describers]
    for scene in scenes:
        if len(scene.views[REFERENCE]) < 2:
            continue
        kept.append(scene)
        for describer, made in zip(describers, features):
            made.append({name: describer.resized(patches) for name, patches in scene.views.items()})
    if not kept:
        raise ValueError("found no scene with two points that both views show")
    names = list(dict.fromkeys(name for scene in kept for name in scene.views if name != REFERENCE))
    measured = [scene_figures(made, names, seed)
                | {"scenes": {scene.name: of_one_scene(own, names, seed) for scene, own in zip(kept, made)}}
                for made in features]
    curves = {"fpr95": {}, "matching": {}}
    for describer, made in zip(describers, features):
        true, false = distances(made, names, seed)
        curves["fpr95"][describer.name] = accepted(true, np.concatenate(list(false.values())))
        nearest = [metrics.nearest(scene[REFERENCE], scene[name]) for scene in made for name in names if name in scene]
        right = np.concatenate([index == np.arange(len(index)) for index, _ in nearest])
        precision, recall = metrics.precision_recall(np.concatenate([gaps for _, gaps in nearest]), right, len(right))
        curves["matching"][describer.name] = recall, precision
    patches = sum(len(view) for scene in kept for view in scene.views.values())
    return Measured(patches, measured, curves, worst_matches(kept, features[0], names))


def scene_figures(made: list[dict[str, np.ndarray]], names: list[str], seed: int) -> dict[str, Any]:
    """FPR95, and the mean average precisions of verification, matching and retrieval, of the descriptors of scenes.

    Verification has negatives of the same scene ("intra") and of others ("inter"). Where the names of the views are
    those of HPatches, figures are told for easy, hard and tough views too.
    """
    true, false = distances(made, names, seed)
    figures: dict[str, Any] = {"points": sum(len(scene[REFERENCE]) for scene in made)}
    figures["fpr95"] = fpr95(true, np.concatenate(list(false.values())))
    figures["verification"] = {kind: metrics.verification(true, gaps) for kind, gaps in false.items() if len(gaps)}
    by_view = {name: [metrics.matching(scene[REFERENCE], scene[name]) for scene in made if name in scene]
               for name in names}
    figures["matching"] = float(np.mean([value for values in by_view.values() for value in values]))
    levels = {LETTERS.get(name[0]) if name[1:].isdigit() else None for name in names}
    for level in sorted(filter(None, levels)):
        values = [value for name, values in by_view.items() if LETTERS.get(name[0]) == level for value in values]
        figures[f"matching_{level}"] = float(np.mean(values))
    figures["retrieval"] = retrieval(made, names, seed)
    return figures


def of_one_scene(own: dict[str, np.ndarray], names: list[str], seed: int) -> dict[str, float]:
    """FPR95 and the mean average precision of matching of one scene by itself."""
    true, false = distances([own], names, seed)
    return {"fpr95": fpr95(true, np.concatenate(list(false.values()))),
            "matching": float(np.mean([metrics.matching(own[REFERENCE], own[name]) for name in names if name in own]))}


def distances(made: list[dict[str, np.ndarray]], names: list[str],
              seed: int) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Squared distances of true pairs, in an order drawn from the seed, and of false ones of the same scene and of
    others."""
    scene = np.repeat(np.arange(len(made)), [len(views[REFERENCE]) for views in made])
    reference = np.concatenate([views[REFERENCE] for views in made])
    true, false = [], {"intra": [], "inter": []}
    for number, name in enumerate(names):
        has = np.concatenate([np.full(len(views[REFERENCE]), name in views) for views in made])
        other = np.concatenate([views.get(name, views[REFERENCE]) for views in made])
        true.append(((reference - other) ** 2).sum(1)[has])
        for kind, gaps in false.items():
            rows = metrics.false_pairs(scene, seed + number, kind == "intra")
            fits = (rows >= 0) & has[rows]
            gaps.append(((reference[fits] - other[rows[fits]]) ** 2).sum(1))
    true = np.random.default_rng(seed).permutation(np.concatenate(true))
    return true, {kind: np.concatenate(gaps) for kind, gaps in false.items()}


def retrieval(made: list[dict[str, np.ndarray]], names: list[str], seed: int) -> float | None:
    """Mean average precision of reference patches that look for up to five true ones among patches of other scenes;
    None: one scene only."""
    rng, precisions = np.random.default_rng(seed), []
    for number, scene in enumerate(made):
        own = [scene[name] for name in names if name in scene][: metrics.TRUE]
        others = [views[name] for other, views in enumerate(made) if other != number for name in names if name in views]
        if not own or not others:
            continue
        pool = np.concatenate(others)
        pool = pool[rng.permutation(len(pool))[:DISTRACTORS]]
        rows = rng.permutation(len(scene[REFERENCE]))[:QUERIES]
        precisions.append(metrics.retrieval(scene[REFERENCE][rows], np.stack(own, axis=1)[rows], pool))
    return float(np.mean(precisions)) if precisions else None


def worst_matches(scenes: list[Scene], made: list[dict[str, np.ndarray]], names: list[str]) -> tuple:
    """The nearest neighbours that are wrong although they are nearest: rows of the sheet, names of its columns,
    heading."""
    rows = []
    for scene, views in zip(scenes, made):
        for name in (name for name in names if name in views):
            index, gaps = metrics.nearest(views[REFERENCE], views[name])
            for row in np.flatnonzero(index != np.arange(len(index))):
                rows.append((float(gaps[row]), scene, name, int(row), int(index[row])))
    rows = sorted(rows, key=lambda row: row[0])[:WORST]
    sheet = [(f"{scene.name} {name}, distance {np.sqrt(gap):.2f}",
              [scene.views[REFERENCE][row], scene.views[name][wrong], scene.views[name][row]])
             for gap, scene, name, row, wrong in rows]
    return sheet, ("sought", "found, wrong", "right"), "wrong matches that seemed the surest"


def of_lists(tour: PhotoTour, describers: list[Describer]) -> Measured:
    """Measures on the lists of PhotoTour: FPR95 and the average precision of verification of each, and the means of
    both."""
    if not tour.lists:
        raise ValueError("found no list of pairs m50_*.txt beside info.txt")
    features = [describer.resized(tour.patches) for describer in describers]
    means, curves = [], {"fpr95": {}}
    for describer, made in zip(describers, features):
        gaps = {name: (((made[rows[:, 0]] - made[rows[:, 1]]) ** 2).sum(1), same)
                for name, (rows, same) in tour.lists.items()}
        lists = {name: {"fpr95": fpr95(gap[same], gap[~same]),
                        "verification": metrics.verification(gap[same], gap[~same])}
                 for name, (gap, same) in gaps.items()}
        means.append({kind: float(np.mean([row[kind] for row in lists.values()])) for kind in ("fpr95", "verification")}
                     | {"lists": lists})
        true, false = (np.concatenate([gap[same == wanted] for gap, same in gaps.values()]) for wanted in (True, False))
        curves["fpr95"][describer.name] = accepted(true, false)
    return Measured(len(tour.patches), means, curves, worst_pairs(tour, features[0]))


def worst_pairs(tour: PhotoTour, made: np.ndarray) -> tuple:
    """False pairs of the lists that lie nearest, and true ones that lie farthest."""
    rows, same = (np.concatenate(values) for values in zip(*tour.lists.values()))
    gaps = np.sqrt(((made[rows[:, 0]] - made[rows[:, 1]]) ** 2).sum(1))
    false = np.flatnonzero(~same)[np.argsort(gaps[~same], kind="stable")[: WORST // 2]]
    true = np.flatnonzero(same)[np.argsort(-gaps[same], kind="stable")[: WORST // 2]]
    sheet = [(f"{'the same' if same[row] else 'different'}, distance {gaps[row]:.2f}", tour.patches[rows[row]])
             for row in [*false, *true]]
    return sheet, ("one", "other"), "different points that look alike, and the same point that does not"


def accepted(true: np.ndarray, false: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shares of false and of true pairs that a distance accepts, over all distances of false pairs."""
    cuts = np.sort(false)
    shares = np.arange(1, len(cuts) + 1) / max(len(cuts), 1)
    return np.maximum(shares, SMALLEST), np.searchsorted(np.sort(true), cuts, side="right") / max(len(true), 1)


def in_words(result: dict[str, Any]) -> list[str]:
    """The figures as a table, a row each, the describers side by side."""
    measured = result["figures"]
    lines = [f"{result['patches']} patches of {result['data']} ({result['kind']})",
             " " * 26 + "".join(f"{name:>9}" for name in measured)]
    rows = {"FPR95": ("fpr95",), "verification, intra": ("verification", "intra"),
            "verification, inter": ("verification", "inter"),
            "verification": ("verification",), "matching": ("matching",), "matching, easy": ("matching_easy",),
            "matching, hard": ("matching_hard",),
            "matching, tough": ("matching_tough",), "retrieval": ("retrieval",)}
    for label, keys in rows.items():
        values = []
        for figures in measured.values():
            value: Any = figures
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            values.append(value)
        if all(isinstance(value, float) for value in values):
            lines.append(f"  {label:24}" + "".join(f"{value:9.4f}" for value in values))
    return [*lines, *scenes_in_words(measured)]


def scenes_in_words(measured: dict[str, dict[str, Any]]) -> list[str]:
    """FPR95 and matching of each scene, where there are a few: a scene whose homography does not hold everywhere shows
    by its FPR95."""
    scenes = next(iter(measured.values())).get("scenes", {})
    if not 1 < len(scenes) <= TOLD:
        return []
    head = ("each scene by itself".ljust(26)
            + "".join(f"{f'{name} {what}':>18}" for name in measured for what in ("FPR95", "matching")))
    rows = [f"  {scene:24}" + "".join(f"{figures['scenes'][scene][what]:18.4f}" for figures in measured.values()
                                      for what in ("fpr95", "matching"))
            for scene in scenes]
    return [head, *rows]
