"""How alike are pictures: two of them, one against a folder, or all of a folder against each other."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from apps.search import duplicates, gallery, matrix, pairs
from apps.search.index import kind_of, make_index
from nets.siamese import KIND, Comparer, comparer
from tasks import about, find_model
from tasks.models import load_model
from tasks.quality.scoring import quality_of_centres
from tasks.similarity import figures as sheets, why
from utils.data.files import evenly, walk
from utils.data.images import read_image, read_whole, size_of
from utils.data.survey import THUMBNAIL
from utils.metrics.verification import strictest
from utils.run import figures, folder as runs
from utils.run.console import edit_lines, write_answer
from utils.saying import counted, shown

RULES = {"best_accuracy": "at best accuracy", "eer": "at equal error", "fpr1": "at FPR 1 %", "copies": "1 answer in 1000 wrong"}

SHOWN = 256  # pixels a side at most of a picture that is compared with another one


class Loaded(NamedTuple):
    """A model ready to compare: what it computes, the input that it takes, the threshold of "same", its file, its about.json, and why its
    answers about many pictures may mean nothing, or ""."""

    compare: Comparer
    shape: tuple[int, int, int]
    threshold: float
    path: str
    known: dict | None
    doubt: str = ""


class Picture(NamedTuple):
    """A file, and its picture in its own shape, (H, W, 3) uint8."""

    file: str
    shown: np.ndarray


def answer(options, files: list[str]) -> None:
    """Compares two pictures, searches in a folder, finds duplicates and so on, as the flags say."""
    asked = [name for name in QUESTIONS if getattr(options, name, None)]
    if asked and options.why:
        raise ValueError(f"--why explains two pictures: leave --{asked[0]} out, python predict.py --why a.jpg b.jpg")
    if len(asked) > 1:
        raise ValueError(f"--{asked[0]} and --{asked[1]} ask two questions: pass one of them")
    if asked and files and asked != ["gallery"]:
        raise ValueError(f"--{asked[0]} looks at what it names alone: leave {files[0]} out, or search for it with --gallery=FOLDER")
    if asked != ["gallery"] and getattr(options, "index", "exact") != "exact":
        raise ValueError(f"--index={options.index} has no effect without --gallery=FOLDER")
    if asked == ["gallery"]:
        search_gallery(options, files)
    elif asked:
        QUESTIONS[asked[0]](options)
    elif len(files) in (0, 2):
        compare_two(options, files)
    else:
        raise ValueError(f"received {counted(len(files), 'file name')}; pass two pictures to compare them, or none and the program asks for them; "
                         "to search for one in a folder pass --gallery=FOLDER")


def compare_two(options, files: list[str]) -> None:
    """Answers for two files, or asks for two again and again."""
    pictures = [show(file) for file in files]  # a file that cannot be read ends the script before the model is loaded
    if pictures:
        compare(options, load(options, pictures), *pictures)
        return
    model = None
    edit_lines()
    while (left := ask_for_picture("first picture: ")) and (right := ask_for_picture("second picture: ")):
        model = model or load(options, [left, right])
        compare(options, model, left, right)


def compare(options, model: Loaded, left: Picture, right: Picture) -> None:
    """Says whether two pictures show the same thing."""
    similarity = similarity_of(model, left.file, right.file)
    same = similarity >= model.threshold
    text = f"{'same' if same else 'different'} ({similarity:.3f}; threshold {model.threshold:.3f})"
    doubt = about.warning(model.known, thumbnails([left, right]))
    print(text + (f"; warning: {doubt}" if doubt else ""))
    names = [figures.short(picture.file) for picture in (left, right)]
    found = {"similarity": similarity, "same": same, "threshold": model.threshold, "warning": doubt or None}
    reasons = why.explain(model.compare, model.shape, left.shown, right.shown) if options.why else None
    if reasons:
        print(why.in_words(reasons))
    if options.figure and reasons:
        sheets.reasons(left.shown, right.shown, reasons, text, "why.png", not options.json, names)
    elif options.figure:
        figures.compared(left.shown, right.shown, text, "predict.png", not options.json, names)
    numbers = {"why": why.as_numbers(reasons, [pixels_of(left), pixels_of(right)])} if reasons else {}
    write_answer(options, [{"left": left.file, "right": right.file, **found}], found | numbers)


def pixels_of(picture: Picture) -> tuple[int, int]:
    """Width and height of a picture's file as it is shown: a camera may have written it lying on its side."""
    width, height = size_of(picture.file)
    lying = (width > height) != (picture.shown.shape[1] > picture.shown.shape[0])
    return (height, width) if lying else (width, height)


def search_gallery(options, files: list[str]) -> None:
    """The pictures of a folder that are most like each query."""
    if not files:
        raise ValueError("--gallery needs a picture to search for: python predict.py --gallery=FOLDER query.png")
    kind_of(options.index)  # raises before the model is loaded
    queries = [show(file) for file in files]
    root, model = os.path.expanduser(options.gallery), load_for_many(options, queries)
    if options.rerank is not None and not model.compare.alone:
        raise ValueError(f"--rerank={options.rerank} has no effect with this model, which compares every picture: leave --rerank out")
    opened = make_index(options.index, root, model, options.collection)
    embedded = opened.update()
    print(f"{counted(len(opened), 'picture')} in {root}, {embedded} of them embedded now")
    rerank = gallery.RERANK if options.rerank is None else options.rerank
    if model.compare.alone and rerank:
        print(f"compared place by place: the {min(max(rerank, options.top), len(opened))} nearest by distance (--rerank)")
    features = embed(model, [query.file for query in queries])
    rows = []
    for number, (query, found) in enumerate(zip(queries, opened.nearest(features, options.top, rerank), strict=True)):
        rows += [{"query": query.file, "file": name, "similarity": s, "same": s >= model.threshold} for name, s in found]
        print("\n".join([shown(query.file), *(f"  {s:.3f} {'same' if s >= model.threshold else '    '} {shown(name)}" for name, s in found)]))
        if options.figure:
            pictures = [read_whole(file) for file in (query.file, *(os.path.join(root, name) for name, _ in found))]
            titles = [f"query: {figures.short(query.file)}", *(f"{s:.3f} {figures.short(name)}" for name, s in found)]
            heading = f"the {len(found)} most alike of {counted(len(opened), 'picture')}; same from similarity {model.threshold:.3f} on"
            figures.contact_sheet(pictures, titles, f"gallery{number or ''}.png", heading=heading, marked=[0])
    write_answer(options, rows, {"threshold": model.threshold, "embedded": embedded, "warning": model.doubt or None, "results": rows})


def find_duplicates(options) -> None:
    """Groups of pictures of a folder that are alike from the threshold on; see `apps.search.duplicates`."""
    root = os.path.expanduser(options.duplicates)
    model = load_for_many(options, some_pictures(root))
    opened = open_folder(root, model)
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
    write_answer(options, rows, {"threshold": model.threshold, "groups": groups, "details": details,
                                 "warning": "; ".join(filter(None, [model.doubt, warning])) or None})


def compare_pairs(options) -> None:
    """The similarity of each pair of a list; see `apps.search.pairs`."""
    path = os.path.expanduser(options.pairs)
    listed = pairs.read_pairs(path)
    pairs.answer(options, path, listed, load_for_many(options, some_of(pairs.some_files(path, listed))))


def write_matrix(options) -> None:
    """The similarities of all pictures of a folder to each other, in a file; see `apps.search.matrix`."""
    if not options.csv:
        raise ValueError("--matrix writes a file: pass --csv=matrix.csv, or --csv=matrix.npy for NumPy's file")
    root = os.path.expanduser(options.matrix)
    model = load_for_many(options, some_pictures(root))
    opened = open_folder(root, model)
    matrix.write(opened, model.compare, options.csv)
    print(f"similarities of {counted(len(opened.paths), 'picture')} to each other are in {options.csv}")
    write_answer(options, None, {"threshold": model.threshold, "warning": model.doubt or None, "matrix": options.csv,
                                 "files": opened.paths})


def look_between(options) -> None:
    """What of one folder is in another; see `apps.search.matrix.between`."""
    roots = [os.path.expanduser(root) for root in options.between]
    if len(roots) != 2 or os.path.realpath(roots[0]) == os.path.realpath(roots[1]):
        raise ValueError(f"--between={','.join(options.between)}: expected two different folders with a comma between; within one folder pass "
                         "--duplicates=FOLDER")
    model = load_for_many(options, some_pictures(roots[0]) + some_pictures(roots[1]))
    a, b = (open_folder(root, model) for root in roots)
    rows = matrix.between(a, b, model.compare, model.threshold)
    for row in rows:
        print(f"  {row['similarity']:.3f} {shown(row['file'])}  {'identical file of' if row['identical'] else 'like'} {shown(row['found'])}")
    same = sum(row["identical"] for row in rows)
    print(f"{len(rows)} of {counted(len(a.paths), 'picture')} in {a.root} are in {b.root} too: {counted(same, 'identical file')}, "
          f"{len(rows) - same} from similarity {model.threshold:.3f} on")
    write_answer(options, rows, {"threshold": model.threshold, "pictures": len(a.paths), "identical": same, "warning": model.doubt or None,
                                 "results": rows},
                 ["file", "found", "similarity", "identical"])


def open_folder(root: str, model: Loaded) -> gallery.Gallery:
    """The embeddings of a folder; says how many are new."""
    opened = gallery.open_gallery(root, model.path, model.compare, model.shape)
    print(f"{opened.root}: {counted(opened.embedded, 'picture')} embedded now")
    return opened


QUESTIONS = {"gallery": search_gallery, "duplicates": find_duplicates, "pairs": compare_pairs, "matrix": write_matrix, "between": look_between}


def some_pictures(root: str) -> list[Picture]:
    """Some pictures of a folder, to choose a model by."""
    return some_of([os.path.join(root, path) for path in walk(root)[0]])


def some_of(files: Sequence[str], most: int = 20) -> list[Picture]:
    """Some of these pictures; those that cannot be read are skipped."""
    found = []
    for file in evenly(files, most):
        try:
            found.append(show(file))
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
    model, rule = open_model(choose_model(options, pictures), options.threshold, options.threshold_at)
    height, width, channels = model.shape
    print(f"model {model.path}, input {height} x {width} {'grey' if channels == 1 else 'RGB'}, same from {model.threshold:.3f} on ({rule})")
    print(about.in_words(model.known))
    return model


def load_for_many(options, pictures: list[Picture]) -> Loaded:
    """The same for many pictures, of which these are some; warns where the model learnt from others."""
    model = load(options, pictures)
    if doubt := about.warning(model.known, thumbnails(pictures)):
        print(f"warning: {doubt}")
    return model._replace(doubt=doubt)


def open_model(path: str, threshold: float | None = None, threshold_at: str | None = None) -> tuple[Loaded, str]:
    """The model of a .keras file, and where its threshold comes from, in words; see `decision_threshold`."""
    model, known = load_model(path, KIND), about.read(path)
    threshold, rule = decision_threshold(os.path.dirname(path), threshold, threshold_at)
    return Loaded(comparer(model), model.input_shape[0][1:], threshold, path, known), rule


def embed(model: Loaded, pictures: Sequence) -> np.ndarray:
    """Features (N, F) float32 of pictures, block by block.

    Args:
        pictures: files, or pictures in memory; see `utils.data.images.open_image`.

    Raises:
        ValueError: a picture that cannot be read, naming it; none at all.
    """
    if not len(pictures):
        raise ValueError("received no picture, expected one or more")
    blocks = (pictures[start : start + gallery.BLOCK] for start in range(0, len(pictures), gallery.BLOCK))
    return np.concatenate([model.compare.embed(np.stack([read_image(picture, model.shape) for picture in block])) for block in blocks])


def similarity_of(model: Loaded, left, right) -> float:
    """How alike two pictures are, 0..1; files, or pictures in memory."""
    features = embed(model, [left, right])
    return float(model.compare.score(features[0], features[1]))


def decision_threshold(folder: str, threshold: float | None, threshold_at: str | None) -> tuple[float, str]:
    """The similarity from which on two pictures count as the same, and where it comes from, in words.

    Args:
        folder: of the model; its thresholds.json tells where `threshold` is None.
        threshold_at: one of `RULES`; None: the model's own.
    """
    if threshold is not None:
        return threshold, "as asked for"
    measured = runs.read_thresholds(folder)
    if measured is None:
        return 0.5, "not measured: there is no thresholds.json beside the model"
    rule = threshold_at or measured.get("default", "best_accuracy")
    if rule not in measured:
        raise ValueError(f"--threshold_at={rule}: this model has {', '.join(sorted(set(measured) & set(RULES)))}")
    return strictest(measured) if rule == "fpr1" else measured[rule], RULES.get(rule, rule)
