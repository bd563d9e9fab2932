"""How alike are two pictures? Asks for file names again and again, or answers once:

    python predict.py
    python predict.py a.png b.png
    python predict.py a.png b.png --json
"""

import json
import os
import sys

from absl import app, flags

from utils import startup

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "", "run folder or .keras file; default: the newest run, else the ready model")
flags.DEFINE_enum("threshold_at", "best_accuracy", ["best_accuracy", "eer", "fpr1"],
                  "say same from the similarity on at which, in the evaluation: most pairs were right; both "
                  "errors were alike; 1 % of the different pairs passed")
flags.DEFINE_float("threshold", None, "say same from this similarity on, in place of a measured threshold", 0, 1)
flags.DEFINE_boolean("json", False, "print the answer as one JSON object on the last line")
flags.DEFINE_boolean("figure", True, "show both pictures; without a screen, save them as predict.png")


def main(argv: list[str]) -> None:
    files = argv[1:]
    if len(files) not in (0, 2):
        raise app.UsageError(f"received {len(files)} file names, expected two, or none to be asked for them")
    answer = make_answer()
    if files:
        answer(*files)
        return
    while (left := ask("first picture: ")) and (right := ask("second picture: ")):
        try:
            answer(left, right)
        except ValueError as error:
            print(f"{error}; try again")


def ask(prompt: str) -> str:
    """A file name that exists, asked for until there is one; "" at an empty line or the end of input."""
    while True:
        try:
            name = os.path.expanduser(input(prompt).strip().strip("'\""))
        except EOFError:
            print()
            return ""
        if not name or os.path.isfile(name):
            return name
        print(f"{name}: no such file; try again, or an empty line to stop")


def make_answer():
    """Loads the model and returns the function that answers for two files."""
    import numpy as np

    from nets import siamese
    from utils import runs
    from utils.images import read_image

    path = runs.find_model(FLAGS.model)
    model = siamese.load(path)
    compare = siamese.comparer(model)
    threshold, chosen = decision_threshold(runs.read_json(os.path.dirname(path), runs.THRESHOLDS))
    shape = model.input_shape[0][1:]
    print(f"model {path}, input {shape[0]} x {shape[1]}, {'grey' if shape[2] == 1 else 'RGB'}")

    def answer(left: str, right: str) -> None:
        features = compare.embed(np.stack([read_image(left, shape), read_image(right, shape)]), batch_size=2)
        similarity = float(compare.score(features[0], features[1]))
        same = similarity >= threshold
        text = f"{'same' if same else 'different'} ({similarity:.3f}; threshold {threshold:.3f} {chosen})"
        print(text)
        if FLAGS.figure:
            show(left, right, text)
        if FLAGS.json:
            print(json.dumps({"similarity": similarity, "same": same, "threshold": threshold}))

    return answer


def decision_threshold(measured: dict[str, float] | None) -> tuple[float, str]:
    """The similarity from which on two pictures count as the same, and where it comes from."""
    if FLAGS.threshold is not None:
        return FLAGS.threshold, "as asked for"
    if measured is None:
        return 0.5, "for want of a measured one: run eval_similarity.py"
    words = {"best_accuracy": "at best accuracy", "eer": "at equal error", "fpr1": "at FPR 1 %"}
    return measured[FLAGS.threshold_at], words[FLAGS.threshold_at]


def show(left: str, right: str, text: str) -> None:
    """The two pictures side by side, in a window or in predict.png."""
    from utils import figures
    from utils.images import read_image

    figures.compared(read_image(left, (256, 256, 3)), read_image(right, (256, 256, 3)), text, "predict.png")


if __name__ == "__main__":
    startup.run(main)
