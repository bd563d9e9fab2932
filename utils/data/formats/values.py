"""Pictures whose numbers are not of 8 bits -> 8 bits a channel: 16 bits of grey or colour, 32 bits, and points.

Black and white are those of --picture_levels, or else are judged by the values that are there:

- from 0 on, and up to 1 (numbers with a point only), 255, 1023, 4095, 16383 or 65535 (8, 10, 12, 14 and 16 bits),
  whichever is the first that holds the highest value;
- from the lowest to the highest value where some lie below 0 or above 65535, or where the highest number with a point
  lies between 1 and 2;
- and where the values take less than an eighth of that range and touch no end of it, as temperatures in 16 bits do. Of
  their contrast 8 bits would keep a few levels.

Whole numbers that were 8 bits once, times 256 or 257, are read as these 8 bits. A guess is said once for a folder.
"""

import math
import os
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageOps

from utils.data.formats.kinds import Refused
from utils.saying import say_once, shown

LEVELS = "PICTURE_LEVELS"  # the environment variable with the values of --picture_levels, for worker processes too
TOPS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)
NARROW = 1 / 8  # of the range, below which values that touch no end of it get a range of their own
BLOCK = 1 << 22  # values scaled to 8 bits at once
SURE = 64  # of a high byte: from there on a colour has more than 14 bits
UNSIGNED = ("I;32N", "I;32B", "I;32")  # how files store 32 bits without a sign, which Pillow reads as if they had one
# Pillow reads the high byte of these; where it is told the other order, it reads the low one
OTHER_BYTE = {"16B": "16L", "16L": "16B", "16N": "16B"}


def set_levels(wished: str) -> None:
    """Makes black and white of pictures of more than 8 bits what --picture_levels says, such as "0,4095"; "": judged.

    Raises:
        ValueError: not two finite numbers, the lower first.
    """
    try:
        low, high = map(float, wished.split(",")) if wished else (0.0, 1.0)
        sound = math.isfinite(low) and math.isfinite(high) and low < high
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f"--picture_levels={wished}: expected the values of black and of white, two numbers with a "
                         "comma between and the lower first, such as --picture_levels=0,4095")
    os.environ[LEVELS] = wished


def levels() -> tuple[float, float] | None:
    """The values of --picture_levels."""
    wished = os.environ.get(LEVELS)
    return tuple(map(float, wished.split(","))) if wished else None


def raw_mode(file: Image.Image) -> str:
    """The name of the order in which a file that was not decoded yet stores its numbers, such as RGB;16B, or ""."""
    tiles = getattr(file, "tile", None)
    args = tiles[0].args if tiles else ""
    first = args if isinstance(args, str) else next(iter(args or [""]))
    return first if isinstance(first, str) else ""


def is_deep(file: Image.Image) -> str:
    """How a file of 16 bits a channel stores its colours, which Pillow reads as 8; "" for others."""
    raw = raw_mode(file)
    return raw if ";16" in raw and file.mode in ("RGB", "RGBA") else ""


def has_low_bytes(raw: str) -> bool:
    """Whether `low_bytes` can read what such a file stores."""
    return any(raw.endswith(ending) for ending in OTHER_BYTE) and "LA" not in raw


def low_bytes(file: Image.Image) -> np.ndarray:
    """The low bytes (H, W, C) uint8, upright, of a file of `is_deep` that was opened again."""
    for ending, other in OTHER_BYTE.items():
        raw = raw_mode(file)
        if raw.endswith(ending):
            swapped = raw.removesuffix(ending) + other
            file.tile = [tile._replace(args=swapped if isinstance(tile.args, str) else (swapped, *tile.args[1:]))
                         for tile in file.tile]
            return np.asarray(ImageOps.exif_transpose(file))
    raise ValueError(f"stores its numbers as {raw_mode(file)}, which is not known")


def joined(high: np.ndarray, low: np.ndarray) -> np.ndarray:
    """Numbers of 16 bits of their two bytes."""
    return high.astype("uint16") << 8 | low


def looks_whole(image: Image.Image) -> bool:
    """Whether the high bytes of a picture of 16 bits a channel, as Pillow reads them, already are the picture."""
    if levels():
        return levels() == (0.0, 65535.0)
    ends = image.getextrema()[:3]
    low, high = min(end for end, _ in ends), max(end for _, end in ends)
    return high >= SURE and (high - low > 256 * NARROW or low == 0 or high == 255)


def as_8_bits(values: np.ndarray, path="", known: float | None = None) -> np.ndarray:
    """Values (H, W) or (H, W, C) of any range as uint8; see above.

    Args:
        path: what the picture is called, for the line that says a guess.
        known: the highest value that there can be, where the format says so.

    Raises:
        ValueError: values that are NaN or infinite.
    """
    low, top, guessed = levels_of(values, known)
    if guessed:
        kind = "grey values" if values.ndim == 2 else "colours"
        folder = os.path.dirname(str(path))
        say_once(f"{shown(str(path))}: {kind} from {values.min():g} to {values.max():g}, read as {low:g} (black) to "
                 f"{top:g} (white). This is a guess, and so it may be for others of the folder: "
                 "--picture_levels=BLACK,WHITE sets both", key=f"levels {folder}")
    made, scale = np.empty(values.shape, "uint8"), 255 / ((top - low) or 1.0)
    for part in strips(values):
        made[part] = np.clip(np.rint((values[part].astype("float64") - low) * scale), 0, 255)
    return made


def levels_of(values: np.ndarray, known: float | None = None) -> tuple[float, float, bool]:
    """The values that become black and white, and whether that is a guess worth a line."""
    low, high = (float(end) for end in (values.min(), values.max()))
    if not np.isfinite([low, high]).all():
        raise Refused("the picture holds NaN or infinity")
    if levels():
        return *levels(), False
    if known:
        return 0.0, known, False
    points = values.dtype.kind == "f"
    tops = [top for top in ((1.0,) if points else ()) + TOPS if high <= top]
    if low < 0 or not tops or points and 1 < high < 2:
        narrow = 0 < low and high - low < NARROW * high
        return (low if narrow else min(low, 0.0)), high, True
    if not points and tops[0] > TOPS[0] and (high < 256 * SURE or high - low < NARROW * tops[0]) and was_8_bits(values):
        return 0.0, (65535.0 if divides(values, 257) else 65280.0), False
    if (points or tops[0] > TOPS[0]) and 0 < low < high < tops[0] and high - low < NARROW * tops[0]:
        return low, high, True
    return 0.0, tops[0], high > 0 and tops[0] not in ((1.0, 255.0, 65535.0) if points else (65535.0,))


def was_8_bits(values: np.ndarray) -> bool:
    """Whether whole numbers are 8 bits times 256 or 257, as programs make 16 bits of 8."""
    return divides(values, 257) or divides(values, 256)


def divides(values: np.ndarray, number: int) -> bool:
    """Whether a number divides all values."""
    return all((values[part] % number == 0).all() for part in strips(values))


def strips(values: np.ndarray) -> Iterator[slice]:
    """Slices of rows, so that what is made of a few of them at once stays small."""
    rows = max(1, BLOCK // max(1, math.prod(values.shape[1:])))
    return (slice(start, start + rows) for start in range(0, len(values), rows))


def grey_of(image: Image.Image, raw: str, path) -> Image.Image:
    """A picture of mode I;16, I or F as one of mode L.

    Args:
        raw: of `raw_mode`, before it was decoded.
    """
    values = np.asarray(image)
    if image.mode == "I" and raw in UNSIGNED:
        values = values.view("uint32")
    known = 65535.0 if image.mode == "I" and image.format == "PPM" else None  # which Pillow scales by the file's header
    return Image.fromarray(as_8_bits(values, path, known))
