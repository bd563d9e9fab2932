"""A photo, a type of distortion and a level -> the photo made that much worse.

    python -m utils.distortions photo.png --out=levels             every type and level as files, a list of them, and
                                                                   one sheet
    python -m utils.distortions photo.png --distortions=jpeg,white_noise --levels=jpeg=40:20:10:5
    python -m utils.distortions photo.png --benchmark              photos a second

All 24 types of TID2013 (Ponomarenko et al. 2015) with the levels of RankIQA (Liu et al. 2017) where
that has them, and LIVE's four. Level 0 is the pristine photo. In a photo to which a type can do
nothing (a grey one has no saturation to lose, an even one no texture) several levels look the same.
The PSNR to the pristine photo falls from level to level for all types, but for about one photo in a
hundred under `aberration` (on stripes) and at LIVE's last level of `jpeg`.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from absl import app, flags
from PIL import Image, ImageDraw

from utils.data.files import save_aside
from utils.data.images import read_photo
from utils.data.scores import write_rank_lists
from utils.distortions import codecs, defects, noise
from utils.flags import group

Photo = np.ndarray  # (H, W, 3) uint8


class Distortion(NamedTuple):
    """One type: what it does, and how hard at level 1, 2 ..."""

    function: Callable[[Photo, float, np.random.Generator], Photo]
    levels: tuple[float, ...]
    unit: str  # of the levels
    limits: tuple[float, float]  # between which levels may lie


VARIANCE = "variance on 0..1"
ANY = float("inf")

# In TID2013's order and numbers.
TID2013 = {
    "white_noise": Distortion(noise.white_noise, (0.001, 0.005, 0.01, 0.05), VARIANCE, (0, ANY)),  # 1
    "colour_noise": Distortion(noise.colour_noise, (0.0140, 0.0198, 0.0343, 0.0524), VARIANCE, (0, ANY)),
    "correlated_noise": Distortion(noise.correlated_noise, (0.001, 0.005, 0.01, 0.05), VARIANCE, (0, ANY)),
    "masked_noise": Distortion(noise.masked_noise, (0.001, 0.005, 0.01, 0.05), "mean " + VARIANCE, (0, ANY)),
    "high_frequency_noise": Distortion(noise.high_frequency_noise, (0.001, 0.005, 0.01, 0.05), VARIANCE, (0, ANY)),
    "impulse_noise": Distortion(noise.impulse_noise, (0.005, 0.01, 0.05, 0.1), "share of values", (0, 1)),
    "quantisation": Distortion(codecs.quantisation, (9, 7, 5, 3), "thresholds a channel", (1, 255)),
    "gaussian_blur": Distortion(defects.gaussian_blur, (7, 15, 39, 91), "kernel, pixels", (1, ANY)),
    "denoising": Distortion(noise.denoising, (0.001, 0.005, 0.01, 0.05), VARIANCE, (0, ANY)),
    "jpeg": Distortion(codecs.jpeg, (43, 12, 7, 4), "quality", (0, 100)),  # 10
    "jpeg2000": Distortion(codecs.jpeg2000, (0.46, 0.16, 0.07, 0.04), "bits a pixel", (0, 24)),
    "jpeg_errors": Distortion(codecs.jpeg_errors, (0.04, 0.1, 0.2, 0.4), "share of segments", (0, 1)),
    "jpeg2000_errors": Distortion(codecs.jpeg2000_errors, (0.1, 0.25, 0.5, 1), "share of area", (0, 1)),
    "moved_patches": Distortion(defects.moved_patches, (30, 70, 150, 300), "patches a 512 x 384", (0, ANY)),
    "colour_blocks": Distortion(defects.colour_blocks, (2, 4, 8, 16), "blocks", (0, ANY)),
    "mean_shift": Distortion(defects.mean_shift, (15, 30, 45, 60), "grey levels, up or down", (0, 255)),
    "contrast": Distortion(defects.contrast, (0.85, 0.7, 0.55, 0.4), "factor, or 7/3 - 4/3 of it", (0, 1)),
    "saturation": Distortion(defects.saturation, (0.4, 0, -0.4, -0.8), "factor of colour", (-ANY, 1)),
    "multiplicative_noise": Distortion(noise.multiplicative_noise, (0.05, 0.09, 0.13, 0.2), "deviation", (0, ANY)),
    "comfort_noise": Distortion(noise.comfort_noise, (10, 25, 60, 150), "DCT threshold", (0, ANY)),  # 20
    "noisy_jpeg": Distortion(codecs.noisy_jpeg, (0.001, 0.005, 0.01, 0.05), VARIANCE, (0, ANY)),
    "dithering": Distortion(codecs.dithering, (64, 32, 16, 8), "colours", (2, 256)),
    "aberration": Distortion(defects.aberration, (2, 6, 10, 14), "pixels of red", (0, ANY)),
    "sparse_sampling": Distortion(codecs.sparse_sampling, (0.5, 0.2, 0.08, 0.03), "share of pixels", (0, 1)),  # 24
}

LIVE = {
    "gaussian_blur": TID2013["gaussian_blur"]._replace(levels=(7, 15, 39, 91, 199)),
    "white_noise": TID2013["white_noise"]._replace(levels=(2**-10, 2**-7.5, 2**-5.5, 2**-3.5, 1)),
    "jpeg": TID2013["jpeg"]._replace(levels=(43, 12, 7, 4, 0)),
    "jpeg2000": TID2013["jpeg2000"]._replace(levels=(0.46, 0.16, 0.07, 0.04, 0.02)),
}

SETS = {"tid2013": TID2013, "all": TID2013, "live": LIVE}


def distort(photo: Photo, kind: Distortion, level: int, seed: int | Sequence[int]) -> Photo:
    """The photo at one level; the same seed gives the same bytes.

    Levels of one photo that are to be compared take the same seed: they then share their random
    draws (noise, positions, sign) and differ in strength only. For other photos take other seeds.

    Args:
        photo: (H, W, 3) uint8 of any size; it is not changed.
        level: 0 (a copy of the photo) to the number of levels.

    Raises:
        ValueError: another shape or type, or no such level.
    """
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        raise ValueError(f"received a photo {photo.shape} {photo.dtype}, expected (height, width, 3) uint8; repeat a "
                         "grey photo's channel three times")
    if not 0 <= level <= len(kind.levels):
        raise ValueError(f"received level {level}, expected 0 to {len(kind.levels)}")
    if level == 0:
        return photo.copy()
    return kind.function(photo, kind.levels[level - 1], np.random.default_rng(seed))


def levels(photo: Photo, kind: Distortion, seed: int | Sequence[int]) -> np.ndarray:
    """The photo at all L levels and before them the photo itself: (L + 1, H, W, 3) uint8."""
    return np.stack([distort(photo, kind, level, seed) for level in range(len(kind.levels) + 1)])


def chosen(names: Sequence[str]) -> dict[str, Distortion]:
    """The types of these names, of types or of SETS; of a type named twice, the first counts.

    >>> list(chosen(["live", "contrast"]))
    ['gaussian_blur', 'white_noise', 'jpeg', 'jpeg2000', 'contrast']
    """
    kinds: dict[str, Distortion] = {}
    for name in names:
        if name not in SETS and name not in TID2013:
            raise ValueError(f"received the distortion '{name}', expected {', '.join([*SETS, *TID2013])}")
        new = SETS[name] if name in SETS else {name: TID2013[name]}
        kinds = {**kinds, **{key: kind for key, kind in new.items() if key not in kinds}}
    if not kinds:
        raise ValueError("received no distortion, expected names, such as live or jpeg,white_noise")
    return kinds


def with_levels(distortions: dict[str, Distortion], changes: Sequence[str]) -> dict[str, Distortion]:
    """The distortions with other levels, mild ones first: ["jpeg=40:20:10:5"].

    Raises:
        ValueError: a type that is not among them, or levels that are not numbers, lie outside the
            type's limits, or do not go the way that makes it worse.
    """
    result = dict(distortions)
    for change in changes:
        name, _, values = change.partition("=")
        if name not in result:
            raise ValueError(f"levels '{change}': received '{name}', expected one of {', '.join(result)}")
        result[name] = result[name]._replace(levels=read_levels(change, values, result[name]))
    return result


def read_levels(change: str, text: str, kind: Distortion) -> tuple[float, ...]:
    """The numbers in a text such as 40:20:10:5, checked against the type's limits and direction."""
    low, high = kind.limits
    rising = kind.levels[-1] > kind.levels[0]
    try:
        levels = tuple(float(value) for value in text.split(":"))
    except ValueError:
        raise ValueError(f"levels '{change}': received '{text}', expected numbers such as 40:20:10:5") from None
    if not all(low <= value <= high and np.isfinite(value) for value in levels):
        raise ValueError(f"levels '{change}': expected {kind.unit} between {low:g} and {high:g}")
    if any((after > before) != rising or after == before for before, after in zip(levels, levels[1:])):
        raise ValueError(f"levels '{change}': expected {'rising' if rising else 'falling'} numbers, mild levels first")
    return levels


def own_seed(name: str, seed: int) -> list[int]:
    """A seed for this type, so that types draw independently of each other."""
    return [seed, list(TID2013).index(name)]


def write_levels(
    photo: Photo, kinds: dict[str, Distortion], folder: str, seed: int, progress: Callable[[int, int], None]
) -> None:
    """Writes <type>_<level>.png of every type and level, pristine.png, all on sheet.png, and the rank list list.txt.

    Args:
        progress: called with the pictures done and their number.
    """
    os.makedirs(folder, exist_ok=True)
    save_picture(Image.fromarray(photo), os.path.join(folder, "pristine.png"))
    rows, files, done = {name: [photo] for name in kinds}, {name: [["pristine.png"]] for name in kinds}, 0
    for name, kind in kinds.items():
        for level in range(1, len(kind.levels) + 1):
            rows[name].append(distort(photo, kind, level, own_seed(name, seed)))
            files[name].append([f"{name}_{level}.png"])
            save_picture(Image.fromarray(rows[name][-1]), os.path.join(folder, *files[name][-1]))
            done += 1
            progress(done, sum(len(each.levels) for each in kinds.values()))
    write_rank_lists(os.path.join(folder, "list.txt"), files)
    save_picture(level_sheet(rows, kinds), os.path.join(folder, "sheet.png"))


def save_picture(picture: Image.Image, path: str) -> None:
    """Writes a PNG file, whole or not at all."""
    save_aside(picture.save, path, ".png")


def level_sheet(rows: dict[str, Sequence[Photo]], kinds: dict[str, Distortion], width: int = 240) -> Image.Image:
    """All photos on one page: a row a type, a column a level, each `width` pixels wide under its title."""
    photo = next(iter(rows.values()))[0]
    size = (width, max(1, round(width * photo.shape[0] / photo.shape[1])))
    wide, tall, line = width + 6, size[1] + 24, 18
    page = Image.new("RGB", (max(map(len, rows.values())) * wide, len(rows) * tall), "white")
    pen = ImageDraw.Draw(page)
    for row, (name, photos) in enumerate(rows.items()):
        for column, (title, one) in enumerate(zip(titles(name, kinds[name]), photos)):
            pen.text((column * wide + 2, row * tall + 2), title, fill="black", font_size=13)
            small = Image.fromarray(one).resize(size, Image.Resampling.LANCZOS)
            page.paste(small, (column * wide, row * tall + line))
    return page


def titles(name: str, kind: Distortion) -> list[str]:
    """The type's name over the pristine photo, then each level, the first with its unit."""
    first, *others = (f"{value:g}" for value in kind.levels)
    return [name, f"{first} {kind.unit}", *others]


def benchmark(photo: Photo, kinds: dict[str, Distortion], seed: int, crop: int = 224,
              progress=lambda done, of: None) -> str:
    """A table of photos a second on one core, mean of all levels: the middle `crop` pixels, and all.

    Args:
        progress: called with the types done and their number.
    """
    top, left = (max(0, size - crop) // 2 for size in photo.shape[:2])
    part = np.ascontiguousarray(photo[top : top + crop, left : left + crop])
    sizes = [" x ".join(map(str, one.shape[:2])) for one in (part, photo)]
    lines = [f"{'photos a second on one core':28}{sizes[0]:>12}{sizes[1]:>14}"]
    for name, kind in kinds.items():
        lines.append(f"{name:28}{speed(part, kind, seed):12.0f}{speed(photo, kind, seed):14.0f}")
        progress(len(lines) - 1, len(kinds))
    return "\n".join(lines)


def speed(photo: Photo, kind: Distortion, seed: int, least: float = 0.3) -> float:
    """Photos that a second of one core distorts, in whole rounds over all levels of `least` seconds."""
    levels(photo, kind, seed)
    start, photos = time.process_time(), 0
    while time.process_time() - start < least:
        levels(photo, kind, seed)
        photos += len(kind.levels)
    return photos / (time.process_time() - start)


def define_flags() -> None:
    """The flags of the command line."""
    with group("What to distort"):
        flags.DEFINE_string("out", "", "Folder to write to. Default: distortions/<name of the photo>")
        flags.DEFINE_list("distortions", ["tid2013"],
                          f"Which distortions: {', '.join(SETS)}, or some of {', '.join(TID2013)}")
        flags.DEFINE_list("levels", [], "Levels of your own, mild ones first, such as jpeg=40:20:10:5,dithering=32:8")
        flags.DEFINE_integer("seed", 0, "Seed of noise, places and signs", 0)
        flags.DEFINE_boolean("benchmark", False, "Write nothing; print photos a second of each type")


def main(argv: list[str]) -> None:
    """Distorts the photo that the command line names."""
    if len(argv) != 2:
        raise app.UsageError(f"received {argv[1:]}, expected one photo")
    options = flags.FLAGS
    kinds = with_levels(chosen(options.distortions), options.levels)
    photo = read_photo(argv[1])
    from utils.run.console import progress_bar

    if options.benchmark:
        return print(benchmark(photo, kinds, options.seed, progress=progress_bar("type")))

    folder = options.out or os.path.join("distortions", os.path.splitext(os.path.basename(argv[1]))[0])
    write_levels(photo, kinds, folder, options.seed, progress_bar("picture"))
    print(f"{sum(len(kind.levels) for kind in kinds.values())} photos of {len(kinds)} types in {folder}, all of them "
          f"on {os.path.join(folder, 'sheet.png')}, their levels in list.txt")
