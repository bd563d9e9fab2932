"""The only place where an image file is opened: a file -> (height, width, channels) uint8."""

import contextlib
import hashlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from utils.data.formats import pages, room, values
from utils.data.formats.kinds import FORMATS, Refused, hint, is_raw
from utils.data.formats.paper import on_paper
from utils.data.formats.refused import why_not
from utils.saying import say_once, shown

LARGE = 16_000_000  # pixels from which on a picture is scaled down while it is decoded, where the format can
SCALING = {"JPEG", "MPO"}  # those that can
KEPT = 25_000_000  # pixels of a picture that stays in memory while several readers take it, at most
LONGEST = 300  # characters of what a message calls a picture
TAKEN = ("expected the path of a file, a NumPy array (height, width) or (height, width, channels) in 0..255, or a PIL "
         "image: pass numpy.asarray(tensor) for a tensor, and PIL.Image.open(io.BytesIO(data)) for the bytes of a file")

Image.MAX_IMAGE_PIXELS = None  # `utils.data.formats.room` checks, and says what to do

now = threading.local()  # `now.warnings`: what the library said of the picture that this thread is reading
warnings.filterwarnings("always", module=r"PIL\.")
show_warning = warnings.showwarning


def keep_warning(message, category, filename, lineno, file=None, line=None) -> None:
    """Keeps a warning of the library for `open_image`, which knows the file; others go their way."""
    if getattr(now, "warnings", None) is None:
        show_warning(message, category, filename, lineno, file, line)
    elif not issubclass(category, DeprecationWarning):
        now.warnings.append(str(message))


warnings.showwarning = keep_warning


def read_image(path, shape: tuple[int, int, int]) -> np.ndarray:
    """Reads one image in any mode that Pillow knows, as `open_image` does: of a file, or one in memory.

    The picture is resized (antialiased, without keeping its aspect) to `shape` = (height, width, 1 or 3).

    Returns:
        uint8 array of that shape, 0..255.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    height, width, channels = shape
    mode = "L" if channels == 1 else "RGB"
    with decoding(path, mode, (width, height)) as file:
        image = in_mode(whole(file, path), mode)
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BILINEAR)
        return np.asarray(image).reshape(shape)


def read_photo(path) -> np.ndarray:
    """Reads one image in colour and at its own size: (H, W, 3) uint8; ValueError as `read_image`."""
    with decoding(path, more=3) as file:
        return np.array(in_mode(whole(file, path, more=3), "RGB"))


def read_whole(path, side: int) -> np.ndarray:
    """A picture in its own shape, for a figure: (H, W, 3) uint8, at most `side` high and wide; grey where broken."""
    try:
        image = open_image(path, "RGB", (side, side))
    except ValueError:
        return np.full((side, side, 3), 200, "uint8")
    image = image.copy() if image is path else image
    image.thumbnail((side, side))
    return np.array(image)


def size_of(path) -> tuple[int, int]:
    """Width and height in pixels, from the header alone; (0, 0) where the file cannot be read."""
    now.warnings = []
    try:
        with opened(path) as image:
            return image.size
    except Exception:  # gone, or not an image; Pillow raises a dozen kinds
        return 0, 0
    finally:
        now.warnings = None


def open_image(path, mode: str, size: tuple[int, int] | None = None) -> Image.Image:
    """The picture of a file in `mode` L or RGB; ValueError naming the file and what is wrong with it.

    EXIF orientation is applied, transparency laid on paper, see `utils.data.formats.paper`, and numbers of more than 8
    bits scaled, see `utils.data.formats.values`. Of several pages, that of --page is read.

    Args:
        path: of a file; or a picture in memory: an array, see `of_array`, or a PIL image, which stays as it is, and may
            be what is returned.
        size: (width, height) that are needed: a large picture may be scaled down towards it while it is decoded.
    """
    with decoding(path, mode, size) as file:
        return in_mode(whole(file, path), mode)


def in_mode(image: Image.Image, mode: str) -> Image.Image:
    """The image in a mode; itself where it has that already."""
    return image if image.mode == mode else image.convert(mode)


def decoded(path: str) -> Image.Image | str:
    """What several readers take in place of a file, so that it is decoded once; each gets what it would of the file.

    A picture of more than `LARGE` pixels stays a file where its format scales it down while it is decoded, because each
    reader has it at its own scale; and so does any of more than `KEPT`, for the memory's sake. ValueError as
    `open_image`.
    """
    with decoding(path) as file:
        pixels = file.width * file.height
        return path if pixels > KEPT or pixels > LARGE and file.format in SCALING else whole(file, path)


@contextlib.contextmanager
def decoding(
    path, mode: str | None = None, size: tuple[int, int] | None = None, more: int = 0,
) -> Iterator[Image.Image]:
    """A picture to read from; ValueError naming the file and what is wrong with it. The library's warnings are said.

    Args:
        mode, size: the mode and the size (width, height) that are needed, see `open_image`.
        more: bytes a pixel that the reader takes beside the picture.
    """
    now.warnings = []
    try:
        file = opened(path)
        with contextlib.nullcontext() if file is path else file:  # what somebody passed stays open
            room.check_pixels(file)
            if size and file.width * file.height > LARGE:
                file.draft(mode, (2 * max(size), 2 * max(size)))
            with room.shared(room.bytes_of(file, more)):
                yield file
            if now.warnings:
                say_once(f"{shown(called(path))}: read, though a part of the file is damaged "
                         f"({shown(now.warnings[0])[:80]})")
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        raise ValueError(f"{called(path)}: {reason(path, error)}") from None
    finally:
        now.warnings = None


def whole(file: Image.Image, path, more: int = 0) -> Image.Image:
    """The picture of a file, upright, without transparency and with 8 bits a channel; `more`: see `decoding`."""
    room.check_bytes(file, more)
    raw, deep = values.raw_mode(file), values.is_deep(file)
    image = ImageOps.exif_transpose(file, in_place=True) or file
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return values.grey_of(image, raw, called(path))
    if deep and values.has_low_bytes(deep) and not values.looks_whole(image):
        image = of_16_bits(image, path)
    image = flat(image)
    image.load()
    return image.convert("RGB") if image.mode == "LAB" else image  # Pillow knows no other way from there


def flat(image: Image.Image) -> Image.Image:
    """The image without transparency."""
    return on_paper(image) if image.has_transparency_data else image


def settings() -> str:
    """What tells apart how pictures are read by --picture_levels and --page, for names of what is kept; "" where none
    is passed."""
    chosen = (values.levels(), pages.page())
    return "" if chosen == (None, 1) else "-" + hashlib.sha1(repr(chosen).encode()).hexdigest()[:8]


def of_16_bits(image: Image.Image, path) -> Image.Image:
    """A picture of 16 bits a channel, of which Pillow read the high bytes, by all of its bits."""
    room.check_bytes(image, 16)
    high = np.asarray(image)
    with opened(path) as file:
        low = values.low_bytes(file)
    made = values.as_8_bits(values.joined(high[..., :3], low[..., :3]), called(path))
    return Image.fromarray(made if high.shape[2] == 3 else np.concatenate([made, high[..., 3:]], axis=2))


def opened(picture) -> Image.Image:
    """A picture to read from: a file, not decoded yet, or one in memory, upright."""
    if isinstance(picture, np.ndarray):
        return of_array(picture)
    if isinstance(picture, Image.Image):
        picture.load()
        return ImageOps.exif_transpose(picture) if room.is_turned(picture) else picture
    if not isinstance(picture, str | os.PathLike) and not hasattr(picture, "read"):
        raise Refused(TAKEN)
    file = pages.opened_at(lambda: Image.open(regular(picture), formats=FORMATS), called(picture))
    if file.format == "TIFF" and is_raw(picture):
        raise Refused(f"a raw photo, of which only a small preview could be read; {hint(picture)}")
    return file


def of_array(values: np.ndarray) -> Image.Image:
    """The picture of an array (H, W) or (H, W, C) in 0..255, where C is grey, grey and alpha, RGB or RGBA."""
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[..., 0]
    flat_or_few = values.ndim == 2 or values.ndim == 3 and values.shape[2] <= 4
    if not values.size or not flat_or_few or values.dtype.kind not in "uif":
        raise Refused("expected numbers of shape (height, width) or (height, width, channels) with 1 to 4 channels")
    low, high = (float(end) for end in (values.min(), values.max()))
    if not (low >= 0 and high <= 255):  # nor NaN
        raise Refused(f"it holds values from {low:g} to {high:g}, expected 0..255")
    if 0 < high <= 1:  # floats, or a mask
        raise Refused("no value is above 1, expected 0..255: multiply it by 255")
    return Image.fromarray(values if values.dtype == np.uint8 else np.rint(values).astype("uint8"))


def called(picture) -> str:
    """What a picture is called in a message: its path, or what it is in memory; never longer than `LONGEST`."""
    if isinstance(picture, Image.Image):
        return f"a PIL image of {picture.width} x {picture.height} pixels"
    if hasattr(picture, "shape") and hasattr(picture, "dtype"):
        kind = "an array" if isinstance(picture, np.ndarray) else f"an object of {type(picture).__name__}"
        return f"{kind} {tuple(picture.shape)} of {picture.dtype}"
    if isinstance(picture, str | os.PathLike) or hasattr(picture, "read"):
        text = str(picture)
        return text if len(text) <= LONGEST else f"{text[:100]}... ({len(text)} characters)"
    size = f" of length {len(picture)}" if hasattr(picture, "__len__") else ""
    return f"an object of {type(picture).__name__}{size}"


def regular(path):
    """The path of a regular file, or whatever else was passed; to open a pipe or a device might never end."""
    is_path = isinstance(path, (str, os.PathLike))
    if is_path and os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        raise Refused("a pipe, a device or a socket, expected an image file")
    return path


def reason(path, error: Exception) -> str:
    """Why a file could not be read, in a few words."""
    is_path = isinstance(path, (str, os.PathLike))
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, IsADirectoryError):
        return "a folder, expected an image file"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    if is_path and os.path.isfile(path) and os.path.getsize(path) == 0:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        advice = hint(path) if is_path else ""
        return f"{why_not(path, FORMATS)}{advice and '; '}{advice}"
    if isinstance(error, MemoryError):
        return "broken image (it claims more pixels than memory holds)"
    if isinstance(error, Refused):
        return str(error)
    return f"broken image ({' '.join(str(error).rstrip('.').split())[:120] or type(error).__name__})"


class ImagesOnDisk:
    """Images that do not fit in memory; indexed like an array (N, H, W, C) of uint8.

    `images[rows]` reads these files in worker threads.
    """

    def __init__(self, paths: Sequence[str], shape: tuple[int, int, int]):
        self.paths, self.shape = list(paths), (len(paths), *shape)

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows) -> "ImagesOnDisk":
        """Only these rows, still unread."""
        return ImagesOnDisk([self.paths[row] for row in rows], self.shape[1:])

    def __getitem__(self, rows) -> np.ndarray:
        paths = np.asarray(self.paths, object)[rows]
        return np.stack(list(read_all(paths, self.shape[1:])))


def take(images, rows: np.ndarray):
    """The images at `rows`: an array stays one, images on disk stay unread."""
    return images.take(rows) if isinstance(images, ImagesOnDisk) else images[rows]


def read_all(paths: Sequence[str], shape: tuple[int, int, int]) -> Iterator[np.ndarray]:
    """The images of `paths`, in order, read in worker threads."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda path: read_image(path, shape), paths)


def load_images(
    paths: Sequence[str],
    shape: tuple[int, int, int],
    cache_gb: float = 4.0,
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[np.ndarray | ImagesOnDisk, dict[int, str]]:
    """Decodes every file once, so that a broken one shows now and not in the middle of an epoch.

    Args:
        paths: N files.
        shape: (height, width, channels) of every image.
        cache_gb: up to this size the decoded images stay in memory as one array.
        progress: called with the number of files done.

    Returns:
        The N images, an array or `ImagesOnDisk`; and by row what is wrong with broken files, which are zeros there.
    """
    fits = len(paths) * np.prod(shape) <= cache_gb * 1e9
    cache = np.zeros((len(paths), *shape), "uint8") if fits else None

    def read(row: int) -> str | None:
        try:
            image = read_image(paths[row], shape)
        except ValueError as error:
            return str(error)
        if fits:
            cache[row] = image
        return None

    broken = {}
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, problem in enumerate(pool.map(read, range(len(paths))), start=1):
            if problem:
                broken[done - 1] = problem
            progress(done)
    return (cache if fits else ImagesOnDisk(paths, shape)), broken
