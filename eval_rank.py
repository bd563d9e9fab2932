"""Does the score fall as photos get worse, and does it agree with people?

    python eval_rank.py                                              the newest rank run, on its test photos
    python eval_rank.py --dataset_path=PHOTOS --distortions=all      on other photos, other distortions
    python eval_rank.py --scores=scores.csv --higher_is_better       agreement with human scores
    python eval_rank.py --compare=logs/a,logs/b                      which of several rank runs learnt faster
"""

import os

from absl import flags

from utils.run import startup

FLAGS = flags.FLAGS
SIGNS = {"hinge": ("val_hinge", -1), "order": ("val_order", 1), "across": ("val_across", 1)}  # of a rank run: column, better is higher
flags.adopt_module_key_flags(startup)
flags.DEFINE_string("model", "", "run folder or .keras file; default: the newest rank or finetune run, else the ready model")
flags.DEFINE_string("dataset_path", "", "folder of pristine photos to distort; default: those that the run held out")
flags.DEFINE_list("distortions", ["live"], "live, tid2013, all, or names, as python -m utils.distortions lists them")
flags.DEFINE_list("levels", [], "levels of one's own, such as jpeg=40:20:10:5")
flags.DEFINE_integer("photos", 0, "take this many photos at most; 0: all", 0)
flags.DEFINE_integer("crops", 0, "score the mean over so many random crops; 0: the whole photo at once, or 30 crops "
                     "of one above 4 megapixels, and where the network takes no whole photos", 0)
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
    from utils.run import folder as runs

    result = compare_runs() if FLAGS.compare else measure()
    if FLAGS.json:
        print(runs.as_json(result))


def measure() -> dict:
    """The newest or named model against levels or people."""
    from nets import rankiqa
    from utils.run import folder as runs

    path = runs.find_model(FLAGS.model, rankiqa.KIND)
    scorer = rankiqa.scorer(runs.load_model(path, rankiqa.KIND))
    folder = os.path.expanduser(FLAGS.out) or os.path.dirname(path) or "."
    os.makedirs(folder, exist_ok=True)
    print(f"model {path}, scores {'higher' if scorer.higher_is_better else 'lower'} is better")
    against = against_people if FLAGS.scores else against_levels
    result = against(scorer, folder, runs.read_json(os.path.dirname(path), runs.SPLIT) or {})
    print(f"figures are in {folder}/")
    return result


def against_levels(scorer, folder: str, split: dict) -> dict:
    """The share of pairs of levels in the right order, on photos that the run's split held out."""
    from tasks.quality import report as ordering
    from utils.run.console import evenly, progress_bar
    from utils.distortions.catalogue import chosen, with_levels

    kinds = with_levels(chosen(FLAGS.distortions), FLAGS.levels)
    paths = test_photos(split)
    paths = evenly(paths, FLAGS.photos or len(paths))
    sign = 1 if scorer.higher_is_better else -1
    print(f"{len(paths)} photos, {len(kinds)} distortions")
    scores = ordering.score_levels(
        lambda photo: sign * ordering.photo_score(scorer, photo, FLAGS.crops, FLAGS.seed),
        paths, kinds, FLAGS.seed, progress_bar("photo"),
    )
    result = ordering.write_report(scores, kinds, folder)
    print("\n".join(ordering.lines(result)))
    return result


def test_photos(split: dict) -> list[str]:
    """The pristine photos to test on, none of which was trained on as far as the run's split tells."""
    from utils.data import classes as folders, photos

    root = os.path.expanduser(FLAGS.dataset_path) or split.get("root", "")
    if FLAGS.dataset_path:
        names = folders.walk(root)[0]
        names = [names[row] for row in photos.unseen(root, names, split)]
    else:
        names = [] if split.get("scored") else split.get("test", [])
        names = [path for path in names if os.path.isfile(os.path.join(root, path))]
        print(split.get("how", ""))
    paths = [os.path.join(root, names[row]) for row in photos.usable(root, names)]
    if not paths:
        raise ValueError("found no pristine photos that the model was not trained on; pass --dataset_path, or --scores")
    return paths


def against_people(scorer, folder: str, split: dict) -> dict:
    """Correlations with human scores, by distortion and over random splits by reference photo.

    Photos that the model was fine-tuned on do not count.
    """
    import numpy as np

    from tasks.quality import report as ordering
    from utils.data import photos, scores
    from utils.metrics import correlation
    from utils.run.console import progress_bar

    found = scores.read_scores(os.path.expanduser(FLAGS.scores), FLAGS.higher_is_better, os.path.expanduser(FLAGS.image_root))
    found = found.at(np.array(photos.unseen(found.root, found.paths, split), int))
    found = found.at(np.array(photos.usable(found.root, found.paths), int))
    if len(np.unique(found.references)) < 3:
        raise ValueError(f"{FLAGS.scores}: {len(found.paths)} photos that training did not see; expected three or more, of "
                         "different references")
    print(scores.describe(found))
    quality = ordering.predict(scorer, found.full_paths(), FLAGS.crops, FLAGS.seed, progress_bar("photo"))
    table = ordering.write_agreement(folder, quality, found, np.arange(len(quality)))
    print("\n".join(ordering.agreement_lines(table)))
    tests = [scores.split_by_reference(found.references, 0.2, FLAGS.seed + n)[1] for n in range(FLAGS.splits)]
    spread = correlation.over_splits(quality, found.scores, tests, found.higher_is_better)
    print(f"over {len(tests)} random fifths of the reference photos: " + ", ".join(
        f"{name} {row['mean']:.4f} +- {row['std']:.4f}" for name, row in spread.items()
    ))
    return {"by_distortion": table, "splits": spread}


def compare_runs() -> dict:
    """Hinge and order of the validation photos against seconds of training, as efficiency.png and in words."""
    import numpy as np

    from utils.run import figures, folder as runs

    folder = os.path.expanduser(FLAGS.out) or "."
    os.makedirs(folder, exist_ok=True)
    logs = {os.path.normpath(run): runs.read_log(os.path.expanduser(run)) for run in FLAGS.compare}
    columns = [column for column, _ in SIGNS.values()]
    for name, log in logs.items():
        if not log or not set(columns) <= set(log[0]):
            raise ValueError(f"{name}: found no log with {', '.join(columns)}; expected folders of rank runs with two or more "
                             "validation photos, such as logs/rank")
    seconds = {name: np.cumsum([row["seconds"] for row in log]) for name, log in logs.items()}
    quality = {  # of each run and sign by epoch, higher is better
        name: {sign: [way * row[column] for row in log] for sign, (column, way) in SIGNS.items()} for name, log in logs.items()
    }
    figures.efficiency(folder, logs, seconds)
    result = {}
    for name, own in quality.items():
        best = {sign: SIGNS[sign][1] * max(own[sign]) for sign in SIGNS}
        reached = {
            other: {sign: first(seconds[name], own[sign], max(found[sign])) for sign in SIGNS}
            for other, found in quality.items() if other != name
        }
        result[name] = {"seconds": float(seconds[name][-1]), **best, "reached": reached}
        print(f"{name}: {seconds[name][-1]:.0f} s; at best " + ", ".join(f"{sign} {value:.4f}" for sign, value in best.items()))
        for other, found in reached.items():
            print(f"  as good as {other} at its best: " + ", ".join(
                f"{sign} {'never' if second is None else f'after {second:.0f} s'}" for sign, second in found.items()
            ))
    print(f"figure: {os.path.join(folder, 'efficiency.png')}")
    return result


def first(seconds, found: list[float], least: float) -> float | None:
    """When a sign was first as good as `least`; None: never."""
    return next((float(second) for second, value in zip(seconds, found) if value >= least), None)


if __name__ == "__main__":
    startup.run(main)
