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
    if files:
        pictures = [picture(file) for file in files]
        make_answer()(*pictures)
        return
    answer = make_answer()
    while (left := ask("first picture: ")) and (right := ask("second picture: ")):
        answer(left, right)


def picture(file: str):
    """A file, read as it will be shown; raises ValueError, naming the file, where it cannot be read."""
    from utils.images import read_image

    file = os.path.expanduser(file)
    return file, read_image(file, (256, 256, 3))


def ask(prompt: str):
    """A picture, asked for until it can be read; None at an empty line or the end of input."""
    while True:
        try:
            name = input(prompt).strip().strip("'\"")
            return picture(name) if name else None
        except EOFError:
            print()
            return None
        except ValueError as error:
            print(f"{error}; try again, or an empty line to stop")


def make_answer():
    """Loads the model and returns the function that answers for two pictures."""
    import numpy as np

    from nets import siamese
    from utils import figures, runs
    from utils.images import read_image

    path = runs.find_model(FLAGS.model)
    model = runs.load_model(path)
    compare = siamese.comparer(model)
    threshold, chosen = decision_threshold(runs.read_json(os.path.dirname(path), runs.THRESHOLDS))
    shape = model.input_shape[0][1:]
    print(f"model {path}, input {shape[0]} x {shape[1]}, {'grey' if shape[2] == 1 else 'RGB'}")

    def answer(left, right) -> None:
        (left_file, left_shown), (right_file, right_shown) = left, right
        features = compare.embed(np.stack([read_image(left_file, shape), read_image(right_file, shape)]))
        similarity = float(compare.score(features[0], features[1]))
        same = similarity >= threshold
        text = f"{'same' if same else 'different'} ({similarity:.3f}; threshold {threshold:.3f} {chosen})"
        print(text)
        if FLAGS.figure:
            figures.compared(left_shown, right_shown, text, "predict.png", window=not FLAGS.json)
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


if __name__ == "__main__":
    startup.run(main)
