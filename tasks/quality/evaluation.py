"""Does the score fall as photos get worse, does it agree with people, and which of several runs learnt faster?"""

import os

import numpy as np

from nets.uses import Scorer
from tasks.quality import figures, model as scoring, report
from tasks.quality.metrics import correlation
from utils.data import photos, scores
from utils.data.files import evenly, walk
from utils.distortions.catalogue import chosen, with_levels
from utils.run import folder as runs
from utils.run.console import progress_bar
from utils.saying import counted

# of a rank run: column, better is higher
METRICS = {"hinge": ("val_hinge", -1), "order": ("val_order", 1), "across": ("val_across", 1)}


def evaluate(options, path: str) -> dict:
    """The model against levels of distortion or against people; or several runs against each other."""
    if options.compare:
        return compare_runs(options)
    split = runs.read_split(os.path.dirname(path))
    # first, because to load a model takes seconds
    people = read_people(options, split, path) if options.scores else None
    scorer = scoring.open_scorer(path)
    folder = runs.report_folder(options.out, path)
    print(f"model {path} by {scorer.runtime}, scores {'higher' if scorer.higher_is_better else 'lower'} is better")
    result = (against_people(options, scorer, folder, people) if people
              else against_levels(options, scorer, folder, split, path))
    print(f"figures are in {folder}/")
    return result


def against_levels(options, scorer: Scorer, folder: str, split: dict, model: str) -> dict:
    """The share of pairs of levels in the right order, on photos that the run's split held out."""
    kinds = with_levels(chosen(options.distortions), options.levels)
    paths = test_photos(options, split, model)
    paths = evenly(paths, options.photos or len(paths))
    print(f"{counted(len(paths), 'photo')}, {counted(len(kinds), 'distortion')}")
    scores = scoring.score_levels(
        lambda photo: scoring.photo_score(scorer, photo, options.crops, options.seed),
        paths, kinds, options.seed, progress_bar("picture"),
    )
    result = report.write_order(scores, kinds, folder, scorer.higher_is_better)
    print("\n".join(report.order_table(result)))
    return result


def test_photos(options, split: dict, model: str) -> list[str]:
    """The pristine photos to test on, without those that the run's split says it trained on."""
    root = os.path.expanduser(options.dataset_path) or split.get("root", "")
    if options.dataset_path:
        names = walk(root)[0]
        names = [names[row] for row in photos.unseen(root, names, split, os.path.dirname(model))]
    else:
        names = [] if split.get("scored") else split.get("test", [])
        names = [path for path in names if os.path.isfile(os.path.join(root, path))]
        print(split.get("how", ""))
    paths = [os.path.join(root, names[row]) for row in photos.usable(root, names, skip_broken=options.skip_broken)]
    if not paths:
        raise ValueError(f"found no pristine photos in {root or '.'} that the model was not trained on; pass "
                         "--dataset_path=FOLDER, or --scores")
    return paths


def read_people(options, split: dict, model: str) -> scores.Scored:
    """The photos of --scores without those that the run's split says it was fine-tuned on; no photo is opened yet."""
    scored = scores.read_scores(os.path.expanduser(options.scores), options.higher_is_better,
                                os.path.expanduser(options.image_root),
                                skip_missing=options.skip_broken, image_column=options.image_column,
                                score_column=options.score_column)
    unseen = photos.unseen(scored.root, scored.paths, split, os.path.dirname(model))
    return enough(options, scored.take(np.array(unseen, int)))


def enough(options, scored: scores.Scored) -> scores.Scored:
    """The photos, if they were made from three photos or more, which correlations need."""
    if len(np.unique(scored.references)) < 3:
        raise ValueError(f"{options.scores}: {counted(len(scored.paths), 'photo')} that training did not see; expected "
                         "three or more, of different references")
    return scored


def against_people(options, scorer: Scorer, folder: str, scored: scores.Scored) -> dict:
    """Correlations with human scores, by distortion and over random splits by reference photo."""
    rows = photos.usable(scored.root, scored.paths, skip_broken=options.skip_broken)
    scored = enough(options, scored.take(np.array(rows, int)))
    print(scores.describe(scored))
    quality = scoring.predict(scorer, scored.full_paths(), options.crops, options.seed, progress_bar("photo"))
    table = report.write_agreement(folder, quality, scored, np.arange(len(quality)))
    print("\n".join(report.agreement_table(table)))
    tests = [scores.split_by_reference(scored.references, 0.2, options.seed + n)[1] for n in range(options.splits)]
    spread = correlation.over_splits(quality, scored.scores, tests, scored.higher_is_better)
    told = [f"{name} {row['mean']:.4f} +- {row['std']:.4f}" for name, row in spread.items() if np.isfinite(row["mean"])]
    too_small = "each is too small to measure a correlation on"
    print(f"over {len(tests)} random fifths of the reference photos: {', '.join(told) or too_small}")
    return {"by_distortion": table, "splits": spread}


def compare_runs(options) -> dict:
    """Hinge and order of the validation photos against seconds of training, as efficiency.png and in words."""
    folder = runs.report_folder(options.out, "")
    logs = {os.path.normpath(run): runs.read_log(os.path.expanduser(run)) for run in options.compare}
    columns = [column for column, _ in METRICS.values()]
    for name, log in logs.items():
        if not log or not set(columns) <= set(log[0]):
            raise ValueError(f"{name}: found no log with {', '.join(columns)}; expected folders of rank runs with two "
                             "or more validation photos, such as logs/rank")
    seconds = {name: np.cumsum([row["seconds"] for row in log]) for name, log in logs.items()}
    quality = {  # of each run and metric by epoch, higher is better
        name: {metric: [way * row[column] for row in log] for metric, (column, way) in METRICS.items()}
        for name, log in logs.items()
    }
    figures.efficiency(folder, logs, seconds)
    result = {}
    for name, own in quality.items():
        best = {metric: METRICS[metric][1] * max(own[metric]) for metric in METRICS}
        reached = {
            other: {metric: first(seconds[name], own[metric], max(rows[metric])) for metric in METRICS}
            for other, rows in quality.items() if other != name
        }
        result[name] = {"seconds": float(seconds[name][-1]), **best, "reached": reached}
        print(f"{name}: {seconds[name][-1]:.0f} s; at best "
              + ", ".join(f"{metric} {value:.4f}" for metric, value in best.items()))
        for other, times in reached.items():
            print(f"  as good as {other} at its best: " + ", ".join(
                f"{metric} {'never' if second is None else f'after {second:.0f} s'}" for metric, second in times.items()
            ))
    print(f"figure: {os.path.join(folder, 'efficiency.png')}")
    return result


def first(seconds, values: list[float], least: float) -> float | None:
    """When a metric was first as good as `least`; None: never."""
    return next((float(second) for second, value in zip(seconds, values) if value >= least), None)
