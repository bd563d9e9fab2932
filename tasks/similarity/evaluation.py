"""How good is a similarity model on classes that it never saw? Writes thresholds and figures beside it."""

import os

import numpy as np

from nets.uses import Comparer
from tasks import about, choosing
from tasks.similarity import report
from utils.data.classes import Samples, find_samples, read_pictures
from utils.data.splits import from_short_list, seen_in_training, without_classes
from utils.metrics import one_shot
from utils.run import folder as runs


def evaluate(options, path: str) -> dict:
    """Verification, and one-shot classification where runs are given; or the baseline without a model."""
    if options.hausdorff:
        return hausdorff(options)
    compare, shape, runtime = choosing.open_model(path, "similarity")
    folder = runs.report_folder(options.out, path)
    print(f"model {path} by {runtime}")
    result = {}
    split = runs.read_split(os.path.dirname(path))
    samples, doubt = test_samples(options, split, os.path.dirname(path))
    if samples:
        samples, images = read_pictures(samples, shape, options.cache_gb, options.skip_broken)
        result = report.write_verification(compare, images, samples, np.arange(len(images)), folder, options.seed,
                                           seen=bool(split) and not options.dataset_path
                                           and seen_in_training(split.get("how", "")), reasons=True, doubt=doubt)
        print("\n".join(report.in_words(result)))
        if result and os.path.realpath(folder) == os.path.realpath(os.path.dirname(path)):
            about.measured_again(folder, result)
    if options.one_shot_runs:
        result |= {"one_shot_accuracy": one_shot_accuracy(options, compare, shape)}
        runs.write_json(folder, runs.EVALUATION, (runs.read_json(folder, runs.EVALUATION) or {}) | result)
    if result:
        print(f"evaluation.json, and with pairs thresholds and figures, are in {folder}/")
    return result


def hausdorff(options) -> dict:
    """The baseline that proves the reader of the runs."""
    if not options.one_shot_runs:
        raise ValueError("--hausdorff needs --one_shot_runs=.../all_runs.zip")
    drawn = one_shot.read_runs(os.path.expanduser(options.one_shot_runs), (105, 105, 1))
    accuracy = one_shot.one_shot_accuracy(drawn, one_shot.hausdorff_similarity)
    print(one_shot_in_words("modified Hausdorff distance: ", len(drawn), accuracy, "published: 0.612"))
    return {"one_shot_accuracy": accuracy}


def test_samples(options, split: dict, folder: str) -> tuple[Samples | None, str]:
    """The images to test on, of classes that training did not see, None where only one-shot runs are asked for; and why
    it may have seen some of them, or ""."""
    if options.dataset_path:
        samples = find_samples(options.dataset_path, options.train_own_data)
        return without_classes(samples, split, folder) if split else (samples, "")
    if split and any(os.path.exists(os.path.join(split["root"], entry)) for entry in split.get("test", [])):
        print(split.get("how", ""))
        return from_short_list(split["root"], split["test"]), split.get(runs.DOUBT, "")
    if options.one_shot_runs:
        print("the test images of this model are not here: one-shot runs only")
        return None, ""
    raise ValueError(f"found no test images of the model in {split.get('root', folder) or '.'}; pass "
                     "--dataset_path=FOLDER, where they lie now")


def one_shot_accuracy(options, compare: Comparer, shape: tuple[int, int, int]) -> float:
    """Lake's one-shot runs with this model."""

    def similarity(queries, supports):
        left, right = compare.embed(queries), compare.embed(supports)
        return compare.score(left[:, None], right[None, :])  # (Q, S)

    drawn = one_shot.read_runs(os.path.expanduser(options.one_shot_runs), shape)
    accuracy = one_shot.one_shot_accuracy(drawn, similarity)
    print(one_shot_in_words("", len(drawn), accuracy, "Koch 0.920, people 0.955"))
    return accuracy


def one_shot_in_words(by: str, count: int, accuracy: float, published: str) -> str:
    """An accuracy on so many runs; figures of others are named beside it where the runs are the official ones."""
    beside = f" ({published})" if count == one_shot.OFFICIAL else ""
    return f"{by}20-way one-shot, {one_shot.called(count)}: accuracy {accuracy:.4f}{beside}"
