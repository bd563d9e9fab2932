"""How good is a model on classes that it never saw? Writes thresholds and figures beside it.

    python eval_similarity.py                                                the newest run, on its test classes
    python eval_similarity.py --one_shot_runs=datasets/all_runs.zip          and Lake's 20-way one-shot runs
    python eval_similarity.py --dataset_path=~/pictures --train_own_data     on other images
    python eval_similarity.py --hausdorff --one_shot_runs=datasets/all_runs.zip
"""

import json
import os

from absl import flags

from utils.run import startup

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(startup)
flags.DEFINE_string("model", "", "run folder or .keras file; default: the newest run, else the ready model")
flags.DEFINE_string("dataset_path", "", "folder of images to test on; default: what the run held out for its test")
flags.DEFINE_boolean("train_own_data", False, "with --dataset_path: images lie as <chapter>/<image>")
flags.DEFINE_string("one_shot_runs", "", "Omniglot's all_runs.zip: adds the official 20-way one-shot accuracy")
flags.DEFINE_boolean("hausdorff", False, "no model: the one-shot accuracy of the modified Hausdorff distance, "
                     "which is 0.612 if the images are read rightly")
flags.DEFINE_boolean("skip_broken", True, "leave broken files out; otherwise refuse them")
flags.DEFINE_float("cache_gb", 4.0, "decoded images stay in memory up to this size", 0)
flags.DEFINE_integer("seed", 0, "of the pairs")
flags.DEFINE_string("out", "", "folder to write to; default: the model's")
flags.DEFINE_boolean("json", False, "print the figures as one JSON object on the last line")


def main(argv: list[str]) -> None:
    """Evaluates the model, or the baseline without one."""
    result = hausdorff() if FLAGS.hausdorff else evaluate()
    if FLAGS.json:
        print(json.dumps(result))


def hausdorff() -> dict:
    """The baseline that proves the reader of the runs."""
    from utils.metrics import one_shot

    if not FLAGS.one_shot_runs:
        raise ValueError("--hausdorff needs --one_shot_runs=.../all_runs.zip")
    runs = one_shot.read_runs(os.path.expanduser(FLAGS.one_shot_runs), (105, 105, 1))
    accuracy = one_shot.one_shot_accuracy(runs, one_shot.hausdorff_similarity)
    print(f"modified Hausdorff distance: 20-way one-shot accuracy {accuracy:.4f} (published: 0.612)")
    return {"one_shot_accuracy": accuracy}


def evaluate() -> dict:
    """Verification, and one-shot classification where runs are given."""
    import numpy as np

    from nets import siamese
    from tasks.similarity import report
    from utils.run import console as data, folder as runs

    path = runs.find_model(FLAGS.model)
    model = runs.load_model(path)
    folder = os.path.expanduser(FLAGS.out) or os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    print(f"model {path}")
    compare, shape = siamese.comparer(model), model.input_shape[0][1:]
    result = {}
    samples = test_samples(os.path.dirname(path))
    if samples:
        samples, images = data.decode(samples, shape, FLAGS.cache_gb, FLAGS.skip_broken)
        result = report.write_report(compare, images, samples, np.arange(len(images)), folder, FLAGS.seed)
        print("\n".join(report.lines(result)))
    if FLAGS.one_shot_runs:
        result |= {"one_shot_accuracy": one_shot_accuracy(compare, shape)}
        runs.write_json(folder, runs.EVALUATION, (runs.read_json(folder, runs.EVALUATION) or {}) | result)
    if result:
        print(f"evaluation.json, and with pairs thresholds and figures, are in {folder}/")
    return result


def test_samples(folder: str):
    """The images to test on, of classes that training did not see; None where only one-shot runs are asked for."""
    from utils.data import classes as folders
    from utils.run import console as data, folder as runs

    split = runs.read_json(folder, runs.SPLIT)
    if FLAGS.dataset_path:
        samples = data.find_samples(FLAGS.dataset_path, FLAGS.train_own_data)
        return folders.without_classes(samples, split) if split else samples
    if split and any(os.path.exists(os.path.join(split["root"], entry)) for entry in split["test"]):
        print(split["how"])
        return folders.from_short_list(split["root"], split["test"])
    if FLAGS.one_shot_runs:
        print("the test images of this model are not here: one-shot runs only")
        return None
    raise ValueError(f"found no test images of the model in {folder or '.'}; pass --dataset_path")


def one_shot_accuracy(compare, shape) -> float:
    """Lake's official runs with this model."""
    from utils.metrics import one_shot

    def similarity(queries, supports):
        left, right = compare.embed(queries), compare.embed(supports)
        return compare.score(left[:, None], right[None, :])  # (Q, S)

    accuracy = one_shot.one_shot_accuracy(one_shot.read_runs(os.path.expanduser(FLAGS.one_shot_runs), shape), similarity)
    print(f"20-way one-shot, official runs: accuracy {accuracy:.4f} (Koch 0.920, people 0.955)")
    return accuracy


if __name__ == "__main__":
    startup.run(main)
