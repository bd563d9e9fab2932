"""Makes photos larger: files and the photos of folders, each into a file of its own."""

import os
import re
import time

import numpy as np

from nets.towers import SCALES
from tasks import about
from tasks.choosing import find_model
from tasks.superres import figures
from tasks.superres.data.resizing import resized
from tasks.superres.model import Larger
from tasks.superres.pictures.doubts import doubts
from tasks.superres.pictures.reading import Photo, read
from tasks.superres.pictures.writing import ENDINGS, write
from utils.data.files import walk
from utils.data.images import open_image, read_image, size_of
from utils.data.survey import THUMBNAIL
from utils.metrics.pictures import rounded
from utils.run.console import progress_bar, write_answer
from utils.saying import counted, left_out, no_photos, shown

SHOWN = 4  # photos at most on the figure
FIGURE = "larger.png"
RESULT = re.compile(rf"(.+)_x[{''.join(map(str, SCALES))}]\.\w+", re.DOTALL)  # names of larger photos
COLUMNS = ["file", "larger", "width", "height", "seconds", "warning"]


def answer(options, files: list[str]) -> None:
    """Makes each photo larger and says where it lies; a sheet shows bicubic interpolation beside it."""
    out = os.path.expanduser(options.out)
    found = without_results(photo_files(files, "--task=superres"), files, out)
    model = Larger(find_model(options.model, "superres"))
    jobs = named_after(found, out, model.scale, ENDINGS[options.write])
    check_free(jobs, options.overwrite)
    print(f"model {model.path}: photos become {model.scale} times larger\n{about.in_words(model.known)}")
    rows, problems, seen = [], [], []
    for number, (file, path) in enumerate(jobs, start=1):
        try:
            row, part = enlarge_file(options, model, file, path, f"{number} of {len(jobs)}, " if len(jobs) > 1 else "")
        except ValueError as error:
            if len(jobs) == 1:
                raise
            problems.append(str(error))
            continue
        rows.append(row)
        seen += [(file, part)] if len(seen) < SHOWN else []
    if not rows:
        raise ValueError(f"none of {counted(len(jobs), 'photo')} could be made larger: {problems[0]}")
    left_out(counted(len(problems), "photo"), problems)
    doubt = about.warning(model.known, thumbnails(file for file, _ in seen))
    if doubt:
        print(f"warning: {doubt}")
    if options.figure:
        heading = f"{model.scale} times larger, where there is most detail"
        figures.sheet(seen, ["bicubic", "this model"], FIGURE, heading)
    write_answer(options, rows, {"scale": model.scale, "model": model.path, "warning": doubt or None, "results": rows,
                                 "problems": problems}, COLUMNS)


def photo_files(files: list[str], asked: str) -> list[tuple[str, str]]:
    """The photos of files and folders, each with its path below the folder; ValueError where there are none, or where
    the only one cannot be read.

    Args:
        asked: the flags that asked, such as "--task=superres", for the error.
    """
    found: dict[str, str] = {}
    for file in map(os.path.expanduser, files):
        below = walk(file)[0] if os.path.isdir(file) else [""]
        for name in below:
            found.setdefault(os.path.join(file, name) if name else file, name or os.path.basename(file))
    if not found:
        raise ValueError(no_photos(files, asked))
    if len(found) == 1 and not any(size_of(only := next(iter(found)))):
        open_image(only, "RGB")  # which says why, before a model is loaded
    return list(found.items())


def without_results(found: list[tuple[str, str]], files: list[str], out: str) -> list[tuple[str, str]]:
    """The photos without those below `out` that are called as the larger photo of another one is, which a run before
    has made; says how many these are. What is named by itself in `files` stays."""
    named = {os.path.expanduser(file) for file in files}
    stems = {name for _, below in found for name in stems_of(below)}
    folder = os.path.join(os.path.realpath(out), "")
    made = set()
    for file, _ in found:
        name = RESULT.fullmatch(os.path.realpath(file).removeprefix(folder))
        if file not in named and name and name[1] in stems:
            made.add(file)
    if made:
        print(f"left out {counted(len(made), 'photo')} below --out={out}, made of others, such as "
              f"{shown(min(made))}: pass a photo by its name to make it larger again")
    return [(file, below) for file, below in found if file not in made]


def stems_of(below: str) -> tuple[str, str]:
    """What the larger photo may be called after, by the path of a photo: a/photo, or a/photo_jpg."""
    return os.path.splitext(below)[0], below.replace(".", "_")


def named_after(found: list[tuple[str, str]], out: str, scale: int, ending: str) -> list[tuple[str, str]]:
    """Each photo with the file of its larger one: photo_x2.png, or photo_jpg_x2.png where another would get that name.

    Raises:
        ValueError: two photos of the same name.
    """
    stems = [stems_of(below) for _, below in found]
    short = [stem for stem, _ in stems]
    jobs = [(file, os.path.join(out, f"{stem if short.count(stem) == 1 else whole}_x{scale}{ending}"))
            for (file, _), (stem, whole) in zip(found, stems)]
    names = [path for _, path in jobs]
    if twice := next((path for path in names if names.count(path) > 1), None):
        raise ValueError(f"two of the photos would be written to {twice}: make them larger one after the other, "
                         "with another --out")
    return jobs


def check_free(jobs: list[tuple[str, str]], overwrite: bool) -> None:
    """Makes the folders; raises ValueError where a file is there already that may not be replaced, or is one of the
    photos, and OSError where a folder cannot be made."""
    there = [(file, path) for file, path in jobs if os.path.exists(path)]
    sources = {os.path.realpath(file) for file, _ in jobs}
    if own := next((job for job in there if os.path.realpath(job[1]) in sources), None):
        raise ValueError(f"{own[1]} is one of the photos, and would be replaced by the larger {own[0]}: pass another "
                         "--out")
    if there and not overwrite:
        more = f", and {len(there) - 1} more are there" if len(there) > 1 else ""
        raise ValueError(f"{there[0][1]} exists{more}: pass --overwrite to replace it, or another --out")
    for folder in {os.path.dirname(path) or "." for _, path in jobs}:
        os.makedirs(folder, exist_ok=True)


def enlarge_file(options, model: Larger, file: str, path: str, place: str) -> tuple[dict, list[np.ndarray]]:
    """Makes a photo larger; the row of the answer, and the same part by bicubic interpolation and as it became."""
    began = time.perf_counter()
    photo = read(file)
    for line in photo.said:
        print(line)
    doubt = doubts(photo)
    if doubt:
        print(f"warning: {shown(file)}: {'; '.join(doubt)}")
    made = model.photo(photo, options.ensemble, progress_bar("tile"))
    write(made, path, options.write)
    height, width = made.colours.shape[:2]
    seconds = time.perf_counter() - began
    print(f"  {place}{shown(path)}: {width} x {height} pixels, {seconds:.1f} s", flush=True)
    row = {"file": file, "larger": path, "width": width, "height": height, "seconds": round(seconds, 2),
           "warning": "; ".join(doubt) or None}
    return row, beside_bicubic(photo, made, model.scale)


def beside_bicubic(photo: Photo, made: Photo, scale: int) -> list[np.ndarray]:
    """The part with most detail, by bicubic interpolation and as it became: (H, W, 3) uint8 each."""
    small, large = on_white(photo), on_white(made)
    place = figures.busiest(small)
    bicubic = resized(small[place], *(scale * side for side in small[place].shape[:2]))
    return [rounded(bicubic), rounded(large[figures.part_of(place, scale)])]


def on_white(photo: Photo) -> np.ndarray:
    """What is seen of a photo on white paper: (H, W, 3) float32, 0..255."""
    top = np.iinfo(photo.colours.dtype).max
    shares = 1.0 if photo.alpha is None else (photo.alpha / np.float32(top))[..., None]
    return 255 * (1 - shares * (1 - photo.colours / np.float32(top)))


def thumbnails(files) -> np.ndarray:
    """Thumbnails (N, 48, 48, 3) uint8 of photos that could be read."""
    return np.stack([read_image(file, THUMBNAIL) for file in files])
