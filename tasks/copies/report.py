"""What a model for copies is worth: recall by kind of change beside a perceptual hash, thresholds, and their figure."""

from collections.abc import Sequence

import numpy as np

from tasks.copies import measure
from utils.metrics import verification
from utils.run import figures, folder as runs
from utils.run.console import progress_bar
from utils.saying import counted

RULE = "copies"  # the threshold that decides unless another is asked for
STRICT = 0.999  # precision over all pairs of a copy and a photo, of the threshold that is kept
COPIED = 100  # photos that are copied to fit the thresholds
FEW = 20  # photos below which none of these thresholds can be so strict


def fit_thresholds(model, paths: list[str], seed: int, left_out: Sequence[str] = ()) -> dict[str, float] | None:
    """Makes the similarity a probability and finds the thresholds, on copies of photos; None where nothing was learnt.

    best_accuracy, eer and fpr1 are those of copies of all kinds against as many other photos; "copies" keeps
    `STRICT` of the answers right when every copy is compared with every photo. It decides ("default"), but where there
    are fewer than `FEW` photos: there it would be a number by chance, and "best_accuracy" decides.
    """
    from nets.models import siamese  # not where `learnt` alone is asked

    compare, shape = siamese.comparer(model), model.input_shape[0][1:]
    made = measure.make_copies(paths, min(COPIED, len(paths)), seed, False, left_out, progress_bar("picture"))
    photos = compare.embed(measure.as_inputs(made.photos, shape))
    # (kinds, M, F)
    features = np.stack([compare.embed(measure.as_inputs(pictures, shape)) for pictures in made.copies.values()])
    kinds, count = features.shape[:2]
    other = np.random.default_rng(seed).integers(1, len(photos), (kinds, count))
    own = np.arange(count)
    left = np.concatenate([features.reshape(kinds * count, -1)] * 2)
    right = np.concatenate([photos[np.tile(own, kinds)], photos[((own + other) % len(photos)).ravel()]])
    same = np.arange(len(left)) < len(left) // 2
    if not siamese.calibrate(model, left, right, same):
        print("copies lie no nearer to their photos than other photos do: the embedding has learnt nothing yet; train "
              "longer")
        return None
    scores = compare.score(features[:, :, None], photos[None, None])  # (kinds, M, N)
    truth = np.broadcast_to(np.eye(count, len(photos), dtype=bool), scores.shape)
    cuts = verification.thresholds(compare.score(left, right), same)
    if len(paths) < FEW:
        print(f"the threshold comes from {counted(len(paths), 'photo')}, too few for a strict one; {FEW} or more to "
              "validate on give one. Until then the ready model finds more: --model=photos")
        return cuts | {"default": "best_accuracy"}
    return cuts | {RULE: min(verification.threshold_at(scores, truth, STRICT), 1.0), "default": RULE}


def write_copies(compare, shape: tuple[int, int, int], paths: list[str], folder: str, cuts: dict, seed: int,
                 copied: int = 100,
                 left_out: Sequence[str] = ()) -> dict:
    """Measures on test photos, beside the perceptual hash; writes evaluation.json and copies.png.

    Returns:
        "recall": for each kind the share of copies found at a precision of .99 over all kinds at once, by "model" and
        "hash"; "pairs": precision, recall and F1 of the easy copies at the kept threshold, and the best F1 of either.
    """
    made = measure.make_copies(paths, min(copied, len(paths)), seed, left_out=left_out,
                               progress=progress_bar("picture"))
    ways = {"model": lambda pictures: compare.embed(measure.as_inputs(pictures, shape)), "hash": measure.by_hash}
    recall = {name: measure.recall_by_kind(made, way, progress_bar("kind")) for name, way in ways.items()}
    kept = 1 - 0.5 * max(compare.distance_of(cuts[cuts["default"]]), 0.0) ** 2  # of the scalar product of unit vectors
    pairs = {"model": measure.at_threshold(measure.easy_pairs(made, ways["model"]), kept),
             "hash": measure.at_threshold(measure.easy_pairs(made, ways["hash"]),
                                          1 - 2 * (measure.HASH_BITS + 0.5) / 64)}
    result = {"photos": len(paths), "copied": len(next(iter(made.copies.values()))), "seed": seed,
              "recall": {"mean": {name: float(np.mean(list(of_kinds.values()))) for name, of_kinds in recall.items()}}
              | {kind: {name: recall[name][kind] for name in ways} for kind in recall["model"]}, "pairs": pairs}
    runs.write_json(folder, runs.EVALUATION, result)
    draw(folder, result)
    return result


def draw(folder: str, result: dict) -> None:
    """Recall by kind of change, the model beside the hash, as copies.png."""
    kinds = sorted(set(result["recall"]) - {"mean"}, key=lambda kind: result["recall"][kind]["model"])
    page, ((axis,),) = figures.figure(width=7.0, height=0.28 * len(kinds) + 1.5)
    positions = np.arange(len(kinds))
    for shift, name, label in ((0.2, "model", "this model"), (-0.2, "hash", "perceptual hash")):
        axis.barh(positions + shift, [result["recall"][kind][name] for kind in kinds], 0.38, label=label)
    axis.set(yticks=positions, yticklabels=kinds, xlim=(0, 1), xlabel="share of copies found",
             title=f"Copies of {result['copied']} photos among {result['photos']}, 99 % of the answers right")
    axis.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    figures.save(page, folder, "copies.png")


def in_words(result: dict) -> list[str]:
    """The report as a table."""
    if not result:
        return ["fewer than two photos were held out to test: how well copies are found is unknown"]
    lines = [f"copies of {result['copied']} photos among {result['photos']}, found where 99 % of all answers are right",
             f"  {'kind of change':32}{'model':>8}{'hash':>8}"]
    lines += [f"  {kind:32}{figures['model']:8.2f}{figures['hash']:8.2f}" for kind, figures in result["recall"].items()]
    for name, words in (("model", "this model at its threshold"),
                        ("hash", f"perceptual hash, {measure.HASH_BITS} of 64 bits")):
        figures = result["pairs"][name]
        lines.append(f"easy copies mixed with the photos, {words}: precision {figures['precision']:.3f}, recall "
                     f"{figures['recall']:.3f}, F1 {figures['f1']:.3f} (best possible {figures['best_f1']:.3f})")
    return lines


def learnt(known: dict) -> str:
    """What a model knows that learnt from copies, by its about.json, in a line."""
    text = f"learnt from {known['images']} {known['shows']} and changed copies of them"
    if known["images"] < FEW:
        text += ", which is too few; --model=photos asks the ready model"
    if known["recall"]:
        text += f"; finds {100 * known['recall']:.0f} % of copies of many kinds, 99 of 100 answers right"
    return text
