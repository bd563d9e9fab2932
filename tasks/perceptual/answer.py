"""How near pictures come to an original, to the eye; and what generators make of pictures, or of nothing."""

import os

import numpy as np
from PIL import Image

from tasks.choosing import find_model
from tasks.perceptual import figures, seeing
from tasks.perceptual.measuring import comparators, shifts
from tasks.perceptual.model import READY, Perceptual, check_sizes
from utils.data.files import walk
from utils.data.images import read_photo
from utils.run.console import progress_bar, write_answer
from utils.saying import counted, left_out, shown

SHOWN = 6  # pictures on the figure at most
FIGURE, MADE = "perceptual.png", "made.png"
COLUMNS = ["file", "original", "distance", "jpeg_quality", "psnr", "ssim"]


def answer(options, files: list[str]) -> None:
    """Measures pictures, or shows what generators make; a figure shows where pictures differ."""
    files = [os.path.expanduser(file) for file in files]
    if options.see:
        return seeing.answer(options, files)
    if options.reconstruct or options.sample:
        return make(options, files)
    pairs = between(options.between) if options.between else beside(files)
    model = opened(options)
    print("perceptual distance: 0 for equal pictures, about 1 for unrelated photos, lower is nearer")
    rows, problems, seen = measured(options, model, pairs)
    left_out(counted(len(problems), "picture"), problems)
    if options.figure:
        figures.differences(*read_photo_of(seen[0]), [row for _, row in seen], FIGURE)
    write_answer(options, [{name: row[name] for name in COLUMNS} for row in rows],
                 {"model": model.path, "results": rows, "problems": problems}, COLUMNS)


def opened(options) -> Perceptual:
    """What measures: a run by --model, otherwise the comparator of the flags."""
    if options.model and options.model != READY:
        return Perceptual(find_model(options.model, "perceptual"))
    return Perceptual(READY, distance=comparators.opened(options))


def beside(files: list[str]) -> list[tuple[str, str]]:
    """The first picture with each other one, and with those in folders; ValueError for fewer than two."""
    if len(files) < 2:
        raise ValueError(f"received {counted(len(files), 'picture')}, expected an original and others: python "
                         "predict.py --task=perceptual original.png other.png, or --between=FOLDER_A,FOLDER_B")
    others = [os.path.join(file, name) if name else file for file in files[1:]
              for name in (walk(file)[0] if os.path.isdir(file) else [""])]
    return [(files[0], other) for other in others]


def between(folders: list[str]) -> list[tuple[str, str]]:
    """Pictures of two folders, paired by their names below these; ValueError where no name is in both."""
    if len(folders) != 2:
        raise ValueError(f"--between={','.join(folders)}: expected two folders, such as --between=originals,copies")
    first, second = map(os.path.expanduser, folders)
    names, others = (set(walk(folder)[0]) for folder in (first, second))
    alone = [f"{os.path.join(folder, name)}: nothing of this name in {other}"
             for folder, other, only in ((first, second, names - others), (second, first, others - names))
             for name in sorted(only)]
    left_out(counted(len(alone), "picture"), alone)
    if not names & others:
        raise ValueError(f"--between={','.join(folders)}: no picture has the same name in both, expected pairs such as "
                         "originals/a.png and copies/a.png")
    return [(os.path.join(first, name), os.path.join(second, name)) for name in sorted(names & others)]


def measured(options, model: Perceptual, pairs: list[tuple[str, str]]) -> tuple[list[dict], list[str], list]:
    """The rows of the answer, the nearest first where all have one original; what could not be measured; and what the
    figure shows.

    Raises:
        ValueError: none could be measured.
    """
    rows, problems, seen, bar = [], [], [], progress_bar("picture")
    last, original, scale, doubt = "", None, [], ""
    for done, (first, second) in enumerate(pairs, start=1):
        try:
            if first != last:
                original = read_photo(first)
                last, scale, doubt = first, model.measure.scale(original), model.warning(first)
                if doubt:
                    print(f"warning: {shown(first)}: {doubt}")
            other = fitting(original, read_photo(second), first, second, options.resize)
            row = {"file": second, "original": first, **model.figures(original, other, scale),
                   "warning": doubt or None}
        except ValueError as error:
            if len(pairs) == 1 or not os.path.isfile(first):
                raise
            problems.append(str(error))
            continue
        print(line(row))
        rows.append(row)
        if options.figure and len(seen) < SHOWN and (not seen or seen[0][0] == first):
            seen.append((first, (second, f"distance {row['distance']:.3f}", other, model.measure.map(original, other))))
        bar(done, len(pairs))
    if not rows:
        raise ValueError(f"none of {counted(len(pairs), 'pair')} could be measured: {problems[0]}")
    return rows, problems, seen


def fitting(original: np.ndarray, other: np.ndarray, name: str, second: str, resize: bool) -> np.ndarray:
    """The other picture, resized where that is asked for; ValueError where the sizes differ."""
    if resize and other.shape != original.shape:
        size = original.shape[1::-1]
        return np.asarray(Image.fromarray(other).resize(size, Image.Resampling.BICUBIC))
    check_sizes(original, other, name, second)
    return other


def line(row: dict) -> str:
    """A row of the answer in a line."""
    same = "" if np.isfinite(row["psnr"]) else "PSNR infinite"
    laid = f"; {shifts.in_words(row['shift'])}" if any(row["shift"]) else ""
    return (f"  {row['distance']:.4f}  {row['words']}{laid}; {same or 'PSNR {:.2f} dB'.format(row['psnr'])}, "
            f"SSIM {row['ssim']:.4f}  {shown(row['file'])}")


def read_photo_of(seen: tuple) -> tuple[np.ndarray, str]:
    """The original that the figure shows, and its name."""
    return read_photo(seen[0]), seen[0]


def make(options, files: list[str]) -> None:
    """Shows what the generator of a run makes of pictures, or of nothing."""
    if options.reconstruct == bool(options.sample):
        raise ValueError("--reconstruct and --sample ask two questions: pass one of them")
    if options.reconstruct and not files or options.sample and files:
        raise ValueError(f"received {counted(len(files), 'picture')}: --reconstruct takes one or more, and --sample "
                         "takes none")
    model = Perceptual(find_model(options.model, "perceptual"))
    print(f"model {model.path}")
    if options.sample:
        rows = [("", model.sample(options.sample))]
        figures.sheet(rows, MADE, "made of nothing", columns=4)
        return write_answer(options, [{"file": MADE, "pictures": options.sample}],
                            {"model": model.path, "results": [{"file": MADE, "pictures": options.sample}]})
    originals = np.stack([model.prepared(file) for file in files])
    made = model.reconstruct(files)
    rows = [{"file": file, "distance": model.measure.distance(one, other), "error": float(np.abs(
        one.astype("float32") - other).mean())} for file, one, other in zip(files, originals, made)]
    for row in rows:
        print(f"  {row['distance']:.3f}  {row['error']:.1f} grey levels off  {shown(row['file'])}")
    figures.sheet([("original", originals[:SHOWN]), ("made", made[:SHOWN])], MADE, "what the generator makes of them")
    write_answer(options, rows, {"model": model.path, "figure": MADE, "results": rows})
