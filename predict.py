"""How alike are two pictures? Asks for file names again and again, or answers once:

    python predict.py
    python predict.py a.png b.png
    python predict.py a.png b.png --json
    python predict.py --gallery=FOLDER query.png        the most alike in a folder
    python predict.py --duplicates=FOLDER               groups of pictures that show the same
    python predict.py --quality photo.jpg FOLDER        how good do photos look: after --task=rank or finetune
"""

import csv
import json
import os

from absl import app, flags

from utils.run import startup

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(startup)
flags.DEFINE_string("model", "", "run folder or .keras file; default: the newest run, else the ready model")
flags.DEFINE_enum("threshold_at", "best_accuracy", ["best_accuracy", "eer", "fpr1"],
                  "say same from the similarity on at which, in the evaluation: most pairs were right; both "
                  "errors were alike; 1 % of the different pairs passed")
flags.DEFINE_float("threshold", None, "say same from this similarity on, in place of a measured threshold", 0, 1)
flags.DEFINE_string("gallery", "", "folder to search in for pictures like those named; its embeddings are kept in it")
flags.DEFINE_integer("top", 10, "with --gallery: how many to show", 1)
flags.DEFINE_string("duplicates", "", "folder to find groups of pictures in that the threshold calls the same")
flags.DEFINE_boolean("quality", False, "score how good the photos, or those of the folders, look")
flags.DEFINE_integer("crops", 0, "with --quality: score the mean over so many random crops; 0: the whole photo at once, or "
                     "30 crops of one above 4 megapixels, and where the network takes no whole photos", 0)
flags.DEFINE_string("csv", "", "with --gallery, --duplicates or --quality: file to write the answer to as well")
flags.DEFINE_boolean("json", False, "print the answer as one JSON object on the last line")
flags.DEFINE_boolean("figure", True, "show both pictures; without a screen, save them as predict.png")


def main(argv: list[str]) -> None:
    """Compares two pictures, searches a gallery, finds duplicates, or tells quality."""
    files = argv[1:]
    if FLAGS.quality:
        score_photos(files)
    elif FLAGS.duplicates:
        find_duplicates()
    elif FLAGS.gallery:
        search_gallery(files)
    elif len(files) in (0, 2):
        compare_two(files)
    else:
        raise app.UsageError(f"received {len(files)} file names, expected two, or none to be asked for them")


def compare_two(files: list[str]) -> None:
    """Answers for two files, or asks for two again and again."""
    if files:
        pictures = [picture(file) for file in files]
        make_answer()(*pictures)
        return
    answer = make_answer()
    while (left := ask("first picture: ")) and (right := ask("second picture: ")):
        answer(left, right)


def search_gallery(files: list[str]) -> None:
    """The pictures of a folder that are most like each query."""
    import numpy as np

    from tasks.similarity import gallery
    from utils.run import figures
    from utils.data.images import read_image

    if not files:
        raise ValueError("--gallery needs a picture to search for: python predict.py --gallery=FOLDER query.png")
    shown = [picture(file) for file in files]
    compare, shape, threshold, path = load()
    opened = gallery.open_gallery(os.path.expanduser(FLAGS.gallery), path, compare, shape)
    print(f"{len(opened.paths)} pictures in {opened.root}, {opened.embedded} of them embedded now")
    queries = compare.embed(np.stack([read_image(file, shape) for file, _ in shown]))
    rows = []
    answers = gallery.search(opened, compare, queries, FLAGS.top)
    for number, ((file, image), found) in enumerate(zip(shown, answers)):
        rows += [{"query": file, "file": name, "similarity": s, "same": s >= threshold} for name, s in found]
        print("\n".join([file, *(f"  {s:.3f} {'same' if s >= threshold else '    '} {name}" for name, s in found)]))
        if FLAGS.figure:
            pictures = [read_image(os.path.join(opened.root, name), (128, 128, 3)) for name, _ in found]
            titles = [os.path.basename(file), *(f"{s:.3f} {os.path.basename(name)}" for name, s in found)]
            figures.sheet([image, *pictures], titles, f"gallery{number or ''}.png")
    write(rows, {"threshold": threshold, "embedded": opened.embedded, "results": rows})


def find_duplicates() -> None:
    """Groups of pictures of a folder that the threshold calls the same."""
    from tasks.similarity import gallery

    compare, shape, threshold, path = load()
    opened = gallery.open_gallery(os.path.expanduser(FLAGS.duplicates), path, compare, shape)
    groups = gallery.duplicates(opened, compare, threshold)
    print(f"{len(opened.paths)} pictures in {opened.root}: {len(groups)} groups from similarity {threshold:.3f} on")
    for number, group in enumerate(groups):
        print("\n".join([f"group {number}", *(f"  {name}" for name in group)]))
    rows = [{"group": number, "file": name} for number, group in enumerate(groups) for name in group]
    write(rows, {"threshold": threshold, "groups": groups})


def score_photos(files: list[str]) -> None:
    """The quality of photos and of folders of them; of several, the best first, and a sheet of the best and worst."""
    from nets import rankiqa
    from tasks.quality import report as ordering
    from utils.run import folder as runs
    from utils.run.console import progress_bar
    from utils.data.images import read_photo

    found = photo_files(files)
    path = runs.find_model(FLAGS.model, rankiqa.KIND)
    scorer = rankiqa.scorer(runs.load_model(path, rankiqa.KIND))
    span = "range unknown, for the run did not end" if scorer.low is None else f"about {scorer.low:.4g} to {scorer.high:.4g}"
    print(f"model {path}: scores {span}, {'higher' if scorer.higher_is_better else 'lower'} is better")
    rows, bar = [], progress_bar("photo")
    for done, file in enumerate(found, start=1):
        rows.append({"file": file, "score": ordering.photo_score(scorer, read_photo(file), FLAGS.crops)})
        bar(done, len(found))
    rows.sort(key=lambda row: row["score"], reverse=scorer.higher_is_better)
    print("\n".join(f"  {row['score']:8.4g} {row['file']}" for row in rows))
    if FLAGS.figure and len(rows) > 1:
        quality_sheet(rows if len(rows) <= 12 else rows[:6] + rows[-6:])
    write(rows, {"higher_is_better": scorer.higher_is_better, "low": scorer.low, "high": scorer.high, "results": rows})


def photo_files(files: list[str]) -> list[str]:
    """The photos of files and folders that can be read; the others are named."""
    from utils.data import classes as folders, photos
    from utils.data.images import read_photo

    files = [os.path.expanduser(file) for file in files]
    found = [os.path.join(f, name) for f in files if os.path.isdir(f) for name in folders.walk(f)[0]]
    found += [f for f in files if not os.path.isdir(f)]
    if not found:
        raise ValueError("--quality needs photos: python predict.py --quality photo.jpg, or a folder of them")
    if len(found) == 1:
        read_photo(found[0])  # raises, naming the file
        return found
    kept = [found[row] for row in photos.usable("", found)]
    if not kept:
        raise ValueError("none of these photos can be read")
    return kept


def quality_sheet(rows: list[dict]) -> None:
    """Photos with their scores, as quality.png."""
    from utils.run import figures
    from utils.data.images import read_image

    titles = [f"{row['score']:.4g} {os.path.basename(row['file'])}" for row in rows]
    figures.sheet([read_image(row["file"], (192, 192, 3)) for row in rows], titles, "quality.png")


def write(rows: list[dict], answer: dict) -> None:
    """The rows as --csv, the answer as --json."""
    if FLAGS.csv:
        with open(os.path.expanduser(FLAGS.csv), "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, rows[0] if rows else ["file"])
            writer.writeheader()
            writer.writerows(rows)
    if FLAGS.json:
        print(json.dumps(answer))


def picture(file: str):
    """A file, read as it will be shown; raises ValueError, naming the file, where it cannot be read."""
    from utils.data.images import read_image

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


def load():
    """The model: its comparer, its input shape, the threshold, and its file; says which it is."""
    from nets import siamese
    from utils.run import folder as runs

    path = runs.find_model(FLAGS.model)
    model = runs.load_model(path)
    threshold, chosen = decision_threshold(runs.read_json(os.path.dirname(path), runs.THRESHOLDS))
    shape = model.input_shape[0][1:]
    print(f"model {path}, input {shape[0]} x {shape[1]} {'grey' if shape[2] == 1 else 'RGB'}, "
          f"same from {threshold:.3f} on ({chosen})")
    return siamese.comparer(model), shape, threshold, path


def make_answer():
    """Loads the model and returns the function that answers for two pictures."""
    import numpy as np

    from utils.run import figures
    from utils.data.images import read_image

    compare, shape, threshold, _ = load()

    def answer(left, right) -> None:
        (left_file, left_shown), (right_file, right_shown) = left, right
        features = compare.embed(np.stack([read_image(left_file, shape), read_image(right_file, shape)]))
        similarity = float(compare.score(features[0], features[1]))
        same = similarity >= threshold
        text = f"{'same' if same else 'different'} ({similarity:.3f}; threshold {threshold:.3f})"
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
