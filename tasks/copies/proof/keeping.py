"""Which of two copies is worth keeping: the one that shows all of the other, then the one with more true detail, then
by its file.

Enlarging adds no detail. So detail is compared at the size of the larger one: a small copy, drawn at that size, is
blurred beside a true large picture, and as sharp as one that was only enlarged.
"""

import os
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image
from scipy.ndimage import uniform_filter

from tasks.copies.proof.light import equally_sharp
from tasks.copies.proof.seen import PAGES, Frame, Seen, warped, within
from tasks.copies.proof.verdict import Proof
from utils.data.formats.kinds import FORMATS
from utils.data.images import open_image

Judge = Callable[[list[str]], np.ndarray]

WINDOW = 448  # pixels a side of the part in which detail is compared
CLEARLY = 0.4  # sigma in pixels of the blur by which one is clearly sharper
BORDER = 0.03  # share of a picture that a border takes at least
LESS = 0.005  # of a picture that was cut off, and still tells which of two shows more
LARGER = 1.1  # ratio of the pixels from which on one picture is larger
BETTER = 5.0  # of the quality by which one clearly looks better
SHOT = (0x9003, 0x9291, 0x829A, 0x829D)  # EXIF: when a photo was taken, fraction of the second, exposure, aperture
LOSSLESS = {".png", ".tif", ".tiff", ".bmp", ".gif"}


def better(files: tuple[str, str], seen: tuple[Seen, Seen], proof: Proof, judge: Judge | None = None) -> bool:
    """Whether the first of two copies is better worth keeping than the second.

    Args:
        judge: the quality (N,) of files, 0..100, higher is better, for those of one size: noise looks like detail, and
            is none.
        proof: of these two, in this order, with the verdict that one is a copy of the other.
    """
    if proof.holds[0] != proof.holds[1]:
        return proof.holds[0]
    pixels = [float(np.prod(one.size)) for one in seen]
    equal = max(pixels) <= LARGER * min(pixels)
    if equal and judge and not proof.identical and abs(gap := float(np.subtract(*judge(list(files))))) > BETTER:
        return gap > 0
    if not proof.identical and abs(blur := more_detail(files, seen, proof.matrix)) >= CLEARLY:
        return blur > 0
    more = [one.beside - {PAGES} for one in seen]
    if equal and (more[0] > more[1] or more[0] < more[1]):
        return more[0] > more[1]
    bordered = [1 - share > BORDER for share in proof.shares]
    if bordered[0] != bordered[1]:  # a border of one colour is no gain
        return bordered[1]
    if abs(proof.shares[0] - proof.shares[1]) > LESS and not any(bordered):
        return proof.shares[0] < proof.shares[1]
    return rank(files[0]) <= rank(files[1]) if equal else pixels[0] > pixels[1]


def rank(file: str) -> tuple:
    """By what is left to choose between copies that show the same: first the file that tells when it was taken, then
    the lossless, the larger, the older one."""
    lossy, told = os.path.splitext(file)[1].lower() not in LOSSLESS, bool(shot(file))
    if not os.path.isfile(file):
        return not told, lossy, 0, 0.0, file
    return not told, lossy, -os.path.getsize(file), os.path.getmtime(file), file


def another_shot(first: dict[int, str], second: dict[int, str]) -> bool:
    """Whether two files tell by their EXIF data, see `shot`, that they are two photos and not one: both say when or
    with what exposure they were taken, and not the same. Copies keep these data or lose them."""
    return any(tag in second and value != second[tag] for tag, value in first.items())


def shot(file: str) -> dict[int, str]:
    """What the EXIF data of a file say of `SHOT`; nothing where there are none."""
    try:
        with Image.open(file, formats=FORMATS) as picture:
            told = picture.getexif().get_ifd(ExifTags.IFD.Exif)
    except Exception:  # not a file, gone, or damaged EXIF data, for which Pillow raises a dozen kinds
        return {}
    return {tag: str(told[tag]) for tag in SHOT if told.get(tag)}


def more_detail(files: tuple, seen: tuple[Seen, Seen], matrix: np.ndarray) -> float:
    """How much more detail the first picture shows than the second, at the size of the larger: the sigma in pixels of
    the blur between them.

    Args:
        files: or pictures in memory.
        matrix: pixels of the first -> pixels of the second.
    """
    a, b = (open_image(file, "L") for file in files)
    scale = max(1.0, float(np.sqrt(abs(np.linalg.det(matrix[:2, :2])))))  # pixels of the larger for a pixel of a
    into_a = np.diag([1 / scale, 1 / scale, 1.0])
    into_a[:2, 2] = richest(*seen, matrix) - WINDOW / 2 / scale
    x, y = (warped(picture, found, (WINDOW, WINDOW)) for picture, found in ((a, into_a), (b, matrix @ into_a)))
    inside = within(into_a, (WINDOW, WINDOW), a.size) & within(matrix @ into_a, (WINDOW, WINDOW), b.size)
    return -equally_sharp(x, y, inside)


def richest(a: Seen, b: Seen, matrix: np.ndarray) -> np.ndarray:
    """Where the part of a that lies in b varies most, (2,) in pixels of the file a."""
    small = np.diag([*b.ratio, 1]) @ matrix @ np.diag([*1 / a.ratio, 1])
    frame = Frame(a, b, small, 192)
    values, inside = frame.of_a(a.grey), frame.inside(small)
    side = max(9, min(frame.size) // 3)
    varying = uniform_filter(values**2, side) - uniform_filter(values, side) ** 2
    y, x = np.unravel_index(np.argmax(np.where(inside, varying, -1)), varying.shape)
    return (frame.into_a @ [x + 0.5, y + 0.5, 1])[:2] / a.ratio
