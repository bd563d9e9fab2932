"""Does the score fall as photos get worse, and does it agree with people?

    python eval_rank.py                                              the newest rank run, on its test photos
    python eval_rank.py --dataset_path=PHOTOS --distortions=all      on other photos, other distortions
    python eval_rank.py --scores=scores.csv --higher_is_better       agreement with human scores
    python eval_rank.py --compare=logs/a,logs/b                      which of several rank runs learnt faster
"""

import json
import os

from absl import flags

from utils import startup

FLAGS = flags.FLAGS
flags.DEFINE_string("model", "", "run folder or .keras file; default: the newest rank or finetune run, else the ready model")
flags.DEFINE_string("dataset_path", "", "folder of pristine photos to distort; default: those that the run held out")
flags.DEFINE_list("distortions", ["live"], "live, tid2013, all, or names, as python -m utils.distortions lists them")
flags.DEFINE_list("levels", [], "levels of one's own, such as jpeg=40:20:10:5")
flags.DEFINE_integer("photos", 0, "take this many photos at most; 0: all", 0)
flags.DEFINE_integer("crops", 0, "score the mean over so many random crops; 0: the whole photo at once, "
                     "or 30 crops where the network takes no whole photos", 0)
flags.DEFINE_string("scores", "", "human scores: a CSV, a list of `path score`, or the folder of TID2013 or LIVE")
flags.DEFINE_boolean("higher_is_better", None, "whether higher human scores are better; CSV and lists do not tell")
flags.DEFINE_string("image_root", "", "folder that the paths of --scores start from; default: the list's own")
flags.DEFINE_integer("splits", 10, "with --scores: so many random fifths of the reference photos; mean and spread", 1)
flags.DEFINE_list("compare", [], "run folders of --task=rank, whose quality is drawn against the time that training took")
flags.DEFINE_integer("seed", 0, "of distortions, crops and splits", 0)
flags.DEFINE_string("out", "", "folder to write to; default: the model's")
flags.DEFINE_boolean("json", False, "print the figures as one JSON object on the last line")


def main(argv: list[str]) -> None:
    """Loads the model and measures it against levels, or against people."""
    from nets import rankiqa
    from utils import runs

    if FLAGS.compare:
        compare_runs()
        return
    path = runs.find_model(FLAGS.model, rankiqa.KIND)
    scorer = rankiqa.scorer(runs.load_model(path, rankiqa.KIND))
    folder = FLAGS.out or os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    print(f"model {path}, scores {'higher' if scorer.higher_is_better else 'lower'} is better")
    result = against_people(scorer, folder) if FLAGS.scores else against_levels(scorer, folder, os.path.dirname(path))
    print(f"figures are in {folder}/")
    if FLAGS.json:
        print(json.dumps(result))


def against_levels(scorer, folder: str, run: str) -> dict:
    """The share of pairs of levels in the right order."""
    from utils import ordering
    from utils.data import progress_bar
    from utils.distortions import chosen, with_levels

    kinds = with_levels(chosen(FLAGS.distortions), FLAGS.levels)
    paths = test_photos(run)
    paths = paths[: FLAGS.photos or len(paths)]
    sign = 1 if scorer.higher_is_better else -1
    print(f"{len(paths)} photos, {len(kinds)} distortions")
    scores = ordering.score_levels(
        lambda photo: sign * ordering.photo_score(scorer, photo, FLAGS.crops, FLAGS.seed),
        paths, kinds, FLAGS.seed, progress_bar("photo"),
    )
    result = ordering.write_report(scores, kinds, folder)
    print("\n".join(ordering.lines(result)))
    return result


def test_photos(run: str) -> list[str]:
    """The photos to test on, none of which was trained on where the run tells."""
    from utils import folders, runs

    split = runs.read_json(run, runs.SPLIT)
    if FLAGS.dataset_path:
        root = os.path.expanduser(FLAGS.dataset_path)
        return [os.path.join(root, path) for path in folders.walk(root)[0]]
    if split and all(os.path.isfile(os.path.join(split["root"], path)) for path in split["test"]):
        print(split["how"])
        return [os.path.join(split["root"], path) for path in split["test"]]
    raise ValueError(f"found no test photos of the model in {run or '.'}; pass --dataset_path, or --scores")


def compare_runs() -> None:
    """Loss and order on the validation photos against seconds of training, as efficiency.png and in words."""
    import numpy as np

    from utils import figures, runs

    logs = {os.path.basename(os.path.normpath(folder)): runs.read_log(folder) for folder in FLAGS.compare}
    for name, log in logs.items():
        if not log or "val_order" not in log[0]:
            raise ValueError(f"{name}: found no log of a rank run with validation; expected folders such as logs/rank")
    seconds = {name: np.cumsum([row["seconds"] for row in log]) for name, log in logs.items()}
    figures.efficiency(FLAGS.out or ".", logs, seconds)
    best = {name: max(row["val_order"] for row in log) for name, log in logs.items()}
    for name, log in logs.items():
        reached = ", ".join(
            f"{other}'s best after {next((f'{s:.0f} s' for s, row in zip(seconds[name], log) if row['val_order'] >= best[other]), 'never')}"
            for other in logs
        )
        print(f"{name}: order {best[name]:.4f} at best, least loss {min(row['val_loss'] for row in log):.4f}, "
              f"{seconds[name][-1]:.0f} s; {reached}")
    print(f"figure: {os.path.join(FLAGS.out or '.', 'efficiency.png')}")


def against_people(scorer, folder: str) -> dict:
    """Correlations with human scores: over all images by distortion, and over random splits by reference photo."""
    import numpy as np

    from utils import correlation, ordering, scores
    from utils.data import progress_bar

    found = scores.read_scores(os.path.expanduser(FLAGS.scores), FLAGS.higher_is_better, FLAGS.image_root)
    print(scores.describe(found))
    quality = ordering.predict(scorer, found.full_paths(), FLAGS.crops, progress_bar("photo"))
    table = ordering.write_agreement(folder, quality, found, np.arange(len(quality)))
    print("\n".join(ordering.agreement_lines(table)))
    tests = [scores.split_by_reference(found.references, 0.2, FLAGS.seed + n)[1] for n in range(FLAGS.splits)]
    spread = correlation.over_splits(quality, found.scores, tests, found.higher_is_better)
    print(f"over {len(tests)} random fifths of the reference photos: " + ", ".join(
        f"{name} {row['mean']:.4f} +- {row['std']:.4f}" for name, row in spread.items()
    ))
    return {"by_distortion": table, "splits": spread}


if __name__ == "__main__":
    startup.run(main)
