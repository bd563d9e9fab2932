"""How alike are pictures: two of them, one against a folder, or all of a folder against each other."""

import os
from typing import NamedTuple

import numpy as np

from nets.siamese import KIND, Comparer, comparer
from tasks import about, find_model
from tasks.models import load_model
from tasks.quality.scoring import quality_of_centres
from tasks.search import duplicates, gallery
from tasks.similarity import figures as sheets
from utils.data.files import evenly, walk
from utils.data.images import read_image, read_whole
from utils.data.survey import THUMBNAIL
from utils.metrics.verification import strictest
from utils.run import figures, folder as runs
from utils.run.console import write_answer
from utils.saying import shown

RULES = {"best_accuracy": "at best accuracy", "eer": "at equal error", "fpr1": "at FPR 1 %", "copies": "1 answer in 1000 wrong"}

MOST_BY_PLACES = 1000  # pictures that --duplicates compares place by place: half a million pairs, minutes on two cores
SHOWN = 256  # pixels a side at most of a picture that is compared with another one


class Loaded(NamedTuple):
    """A model ready to compare: what it computes, the input that it takes, the threshold of "same", its file, and its about.json."""

    compare: Comparer
    shape: tuple[int, int, int]
    threshold: float
    path: str
    known: dict | None


class Picture(NamedTuple):
    """A file, and its picture in its own shape, (H, W, 3) uint8."""

    file: str
    shown: np.ndarray


def answer(options, files: list[str]) -> None:
    """Compares two pictures, searches in a folder, or finds duplicates, as the flags say."""
    if options.duplicates and files:
        raise ValueError(f"--duplicates looks at its folder alone: leave {files[0]} out, or search for it with --gallery=FOLDER")
    if options.duplicates:
        find_duplicates(options)
    elif options.gallery:
        search_gallery(options, files)
    elif len(files) in (0, 2):
        compare_two(options, files)
    else:
        raise ValueError(f"received {len(files)} file names; pass two pictures to compare them, or none and the program asks for them; "
                         "to search for one in a folder pass --gallery=FOLDER")


def compare_two(options, files: list[str]) -> None:
    """Answers for two files, or asks for two again and again."""
    pictures = [show(file) for file in files]  # a file that cannot be read ends the script before the model is loaded
    if pictures:
        compare(options, load(options, pictures), *pictures)
        return
    model = None
    while (left := ask_for_picture("first picture: ")) and (right := ask_for_picture("second picture: ")):
        model = model or load(options, [left, right])
        compare(options, model, left, right)


def compare(options, model: Loaded, left: Picture, right: Picture) -> None:
    """Says whether two pictures show the same thing."""
    features = model.compare.embed(np.stack([read_image(picture.file, model.shape) for picture in (left, right)]))
    similarity = float(model.compare.score(features[0], features[1]))
    same = similarity >= model.threshold
    text = f"{'same' if same else 'different'} ({similarity:.3f}; threshold {model.threshold:.3f})"
    doubt = about.warning(model.known, thumbnails([left, right]))
    print(text + (f"; warning: {doubt}" if doubt else ""))
    if options.figure:
        names = [figures.short(picture.file) for picture in (left, right)]
        figures.compared(left.shown, right.shown, text, "predict.png", not options.json, names)
    found = {"similarity": similarity, "same": same, "threshold": model.threshold, "warning": doubt or None}
    write_answer(options, [{"left": left.file, "right": right.file, **found}], found)


def search_gallery(options, files: list[str]) -> None:
    """The pictures of a folder that are most like each query."""
    if not files:
        raise ValueError("--gallery needs a picture to search for: python predict.py --gallery=FOLDER query.png")
    queries = [show(file) for file in files]
    model = load(options, queries)
    if options.rerank is not None and not model.compare.alone:
        raise ValueError(f"--rerank={options.rerank} has no effect with this model, which compares every picture: leave --rerank out")
    opened = gallery.open_gallery(os.path.expanduser(options.gallery), model.path, model.compare, model.shape)
    print(f"{len(opened.paths)} pictures in {opened.root}, {opened.embedded} of them embedded now")
    rerank = gallery.RERANK if options.rerank is None else options.rerank
    if model.compare.alone and rerank:
        print(f"compared place by place: the {min(max(rerank, options.top), len(opened.paths))} nearest by distance (--rerank)")
    features = model.compare.embed(np.stack([read_image(query.file, model.shape) for query in queries]))
    found_lists = gallery.search(opened, model.compare, features, options.top, rerank)
    rows = []
    for number, (query, found) in enumerate(zip(queries, found_lists, strict=True)):
        rows += [{"query": query.file, "file": name, "similarity": s, "same": s >= model.threshold} for name, s in found]
        print("\n".join([shown(query.file), *(f"  {s:.3f} {'same' if s >= model.threshold else '    '} {shown(name)}" for name, s in found)]))
        if options.figure:
            pictures = [read_whole(file) for file in (query.file, *(os.path.join(opened.root, name) for name, _ in found))]
            titles = [f"query: {figures.short(query.file)}", *(f"{s:.3f} {figures.short(name)}" for name, s in found)]
            heading = f"the {len(found)} most alike of {len(opened.paths)} pictures; same from similarity {model.threshold:.3f} on"
            figures.contact_sheet(pictures, titles, f"gallery{number or ''}.png", heading=heading, marked=[0])
    write_answer(options, rows, {"threshold": model.threshold, "embedded": opened.embedded, "results": rows})


def find_duplicates(options) -> None:
    """Groups of pictures of a folder that are alike from the threshold on; see `tasks.search.duplicates`."""
    if options.gallery:
        raise ValueError("--gallery and --duplicates ask two questions: pass one of them")
    root = os.path.expanduser(options.duplicates)
    model = load(options, some_pictures(root))
    count = len(walk(root)[0])
    if model.compare.alone and count > MOST_BY_PLACES:
        raise ValueError(f"{root} holds {count} pictures, and this model compares each two of them place by place, which takes hours: expected "
                         f"{MOST_BY_PLACES} pictures at most; pass a --model trained with --head=distance")
    opened = gallery.open_gallery(root, model.path, model.compare, model.shape)
    print(f"{opened.root}: {duplicates.counted(opened.embedded, 'picture')} embedded now")
    found = duplicates.find(opened, model.compare, model.threshold, options.force, quality_of_centres)
    warning = duplicates.warning(found, model.threshold, options.force)
    heading = duplicates.headline(len(opened.paths), found, model.threshold, options.force)
    print("\n".join([f"warning: {warning}", heading] if warning else [heading]))
    rows, details = [], []
    for number, group in enumerate(found.groups):
        print("\n".join(duplicates.in_words(number, group)))
        files = [{"file": member.file, "similarity": member.similarity, "identical": bool(member.twin)} for member in group.members]
        rows += [{"group": number, **file, "keep": file["file"] == group.keep} for file in files]
        details.append({"keep": group.keep, "files": files})
    if options.figure and found.groups:
        sheets.duplicates(opened.root, found.groups, heading, "duplicates.png")
    groups = [[member.file for member in group.members] for group in found.groups]
    write_answer(options, rows, {"threshold": model.threshold, "groups": groups, "details": details, "warning": warning or None})


def some_pictures(root: str, most: int = 20) -> list[Picture]:
    """Some pictures of a folder, to choose a model by; those that cannot be read are skipped."""
    found = []
    for path in evenly(walk(root)[0], most):
        try:
            found.append(show(os.path.join(root, path)))
        except ValueError:
            continue
    return found


def show(file: str) -> Picture:
    """A file, read as it will be shown; raises ValueError, naming the file, where it cannot be read."""
    file = os.path.expanduser(file)
    read_image(file, THUMBNAIL)  # raises where `read_whole` would show a grey square
    return Picture(file, read_whole(file, SHOWN))


def ask_for_picture(prompt: str) -> Picture | None:
    """A picture, asked for until it can be read; None at an empty line or the end of input."""
    while True:
        try:
            name = input(prompt).strip().strip("'\"")
            return show(name) if name else None
        except EOFError:
            print()
            return None
        except RuntimeError as error:  # Python's where the standard input is closed
            raise ValueError("the standard input is closed, so nothing can be asked: pass two pictures, python predict.py a.png b.png") from error
        except ValueError as error:
            print(f"{error}; try again, or press Enter to stop")


def thumbnails(pictures: list[Picture]) -> np.ndarray:
    """The pictures as `utils.metrics.domain` looks at them: (N, 48, 48, 3) uint8."""
    return np.stack([read_image(picture.file, THUMBNAIL) for picture in pictures])


def choose_model(options, pictures: list[Picture]) -> str:
    """The .keras file that the flags mean; where there is no run yet, the ready model that knows such pictures."""
    if not options.model and options.task != "copies" and not runs.newest_run(KIND) and pictures:
        return runs.ready_model(about.READY[about.shown_in(thumbnails(pictures))])
    return find_model(options.model, "copies" if options.task == "copies" else "similarity")


def load(options, pictures: list[Picture]) -> Loaded:
    """The model that the flags mean, or that suits the pictures; says which it is and what it knows."""
    path = choose_model(options, pictures)
    model, known = load_model(path, KIND), about.read(path)
    threshold, rule = decision_threshold(options, os.path.dirname(path))
    shape = model.input_shape[0][1:]
    print(f"model {path}, input {shape[0]} x {shape[1]} {'grey' if shape[2] == 1 else 'RGB'}, same from {threshold:.3f} on ({rule})")
    print(about.in_words(known))
    return Loaded(comparer(model), shape, threshold, path, known)


def decision_threshold(options, folder: str) -> tuple[float, str]:
    """The similarity from which on two pictures count as the same, and where it comes from: --threshold, or thresholds.json in `folder`."""
    if options.threshold is not None:
        return options.threshold, "as asked for"
    measured = runs.read_thresholds(folder)
    if measured is None:
        return 0.5, "not measured: there is no thresholds.json beside the model"
    rule = options.threshold_at or measured.get("default", "best_accuracy")
    if rule not in measured:
        raise ValueError(f"--threshold_at={rule}: this model has {', '.join(sorted(set(measured) & set(RULES)))}")
    return strictest(measured) if rule == "fpr1" else measured[rule], RULES.get(rule, rule)
