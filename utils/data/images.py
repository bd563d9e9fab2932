"""The only place where an image file is opened: a file -> (height, width, channels) uint8."""

import contextlib
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from utils.data.formats.refused import why_not
from utils.saying import say_once, shown

with contextlib.suppress(ImportError):  # optional: pictures of phones
    import pillow_heif

    pillow_heif.register_heif_opener()

PAPER, DARK_PAPER = 255, 40  # what shows through transparent pixels; dark where all would be lost on white
LIGHT, LOST = 230, 0.01  # grey from which on a mark is lost on white, and share of what shows that may be darker
LIMIT, MEGAPIXELS = "MAX_MEGAPIXELS", 300.0  # the environment variable of the limit, for workers too; and the default
LARGE = 16_000_000  # pixels from which on a picture is scaled down while it is decoded, where the format can
SCALING = {"JPEG", "MPO"}  # those that can
STUBS = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}  # Pillow only knows their headers, or starts another program
TELLING = ["JPEG", "PNG", "GIF", "BMP", "WEBP", "AVIF", "JPEG2000"]  # tried for files without a telling name
BLOCK = 1 << 22  # values scaled to 8 bits at once

Image.init()
Image.MAX_IMAGE_PIXELS = None  # `too_large` checks, and says what to do
FORMATS = sorted(set(Image.OPEN) - STUBS)
SUFFIXES = frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS)

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


class Refused(ValueError):
    """A picture that could be decoded and is not, for the reason that the text gives."""


def is_picture(path: str) -> bool:
    """Whether a file is a picture that Pillow can open, by its name, or by its contents where its name tells none."""
    suffix = os.path.splitext(path)[1].lower()
    if suffix in SUFFIXES or suffix in Image.EXTENSION:
        return suffix in SUFFIXES
    try:
        with Image.open(path, formats=TELLING if suffix else [*TELLING, "TIFF"]):
            return True
    except Exception:  # not a picture; Pillow raises a dozen kinds
        return False


def read_image(path, shape: tuple[int, int, int]) -> np.ndarray:
    """Reads one image in any mode that Pillow knows, as `open_image` does: of a file, or one in memory.

    The picture is resized (antialiased, without keeping its aspect) to `shape` = (height, width, 1 or 3).

    Returns:
        uint8 array of that shape, 0..255.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    height, width, channels = shape
    image = open_image(path, "L" if channels == 1 else "RGB", (width, height))
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(shape)


def read_photo(path) -> np.ndarray:
    """Reads one image in colour and at its own size: (H, W, 3) uint8; ValueError as `read_image`."""
    return np.array(open_image(path, "RGB"))


def read_whole(path, side: int = 192) -> np.ndarray:
    """A picture in its own shape, for a figure: (H, W, 3) uint8, at most `side` high and wide; grey where broken."""
    try:
        image = open_image(path, "RGB", (side, side))
    except ValueError:
        return np.full((side, side, 3), 200, "uint8")
    image.thumbnail((side, side))
    return np.array(image)


def size_of(path) -> tuple[int, int]:
    """Width and height in pixels, from the header alone; (0, 0) where the file cannot be read."""
    try:
        with Image.open(regular(path), formats=FORMATS) as image:
            return image.size
    except Exception:  # gone, or not an image; Pillow raises a dozen kinds
        return 0, 0


def open_image(path, mode: str, size: tuple[int, int] | None = None) -> Image.Image:
    """The picture of a file in `mode` L or RGB; ValueError naming the file and what is wrong with it.

    EXIF orientation is applied, transparency composited on paper, see `flat`, other than 8 bits: see `values_as_grey`.

    Args:
        path: of a file; or a picture in memory: an array, see `of_array`, or a PIL image, which stays as it is.
        size: (width, height) that are needed: a large picture may be scaled down towards it while it is decoded.
    """
    with decoding(path) as file:
        if size and file.width * file.height > LARGE:
            file.draft(mode, (2 * max(size), 2 * max(size)))
        image = whole(file, path)
        return image if image.mode == mode else image.convert(mode)


def decoded(path: str) -> Image.Image | str:
    """What several readers take in place of a file, so that it is decoded once; each gets what it would of the file.

    A picture of more than `LARGE` pixels stays a file where its format scales it down while it is decoded, because each
    reader has it at its own scale. ValueError as `open_image`.
    """
    with decoding(path) as file:
        return path if file.width * file.height > LARGE and file.format in SCALING else whole(file, path)


@contextlib.contextmanager
def decoding(path) -> Iterator[Image.Image]:
    """A picture to read from; ValueError naming the file and what is wrong with it. The library's warnings are said."""
    now.warnings = []
    try:
        with opened(path) as file:
            if file.width * file.height > most_pixels():
                raise Refused(too_large(file))
            yield file
            if now.warnings:
                say_once(f"{shown(called(path))}: read, though a part of the file is damaged "
                         f"({shown(now.warnings[0])[:80]})")
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        raise ValueError(f"{called(path)}: {reason(path, error)}") from None
    finally:
        now.warnings = None


def whole(file: Image.Image, path) -> Image.Image:
    """The picture of a file, upright, without transparency and with 8 bits a channel."""
    image = flat(ImageOps.exif_transpose(file, in_place=True) or file, called(path))
    image.load()
    return image


def opened(picture) -> Image.Image:
    """A picture to read from: a file, not decoded yet, or a copy of one in memory."""
    if isinstance(picture, np.ndarray):
        return of_array(picture)
    if isinstance(picture, Image.Image):
        return ImageOps.exif_transpose(picture)
    return Image.open(regular(picture), formats=FORMATS)


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
    if values.dtype.kind == "f" and 0 < high <= 1:
        raise Refused("no value is above 1, expected 0..255: multiply it by 255")
    return Image.fromarray(values if values.dtype == np.uint8 else np.rint(values).astype("uint8"))


def called(picture) -> str:
    """What a picture is called in a message: its path, or what it is in memory."""
    if isinstance(picture, np.ndarray):
        return f"an array {picture.shape} of {picture.dtype}"
    if isinstance(picture, Image.Image):
        return f"a PIL image of {picture.width} x {picture.height} pixels"
    return str(picture)


def regular(path):
    """The path of a regular file, or whatever else was passed; to open a pipe or a device might never end."""
    is_path = isinstance(path, (str, os.PathLike))
    if is_path and os.path.exists(path) and not os.path.isdir(path) and not os.path.isfile(path):
        raise Refused("a pipe, a device or a socket, expected an image file")
    return path


def most_pixels() -> float:
    """Pixels that a picture may have, from `LIMIT`."""
    return float(os.environ.get(LIMIT, MEGAPIXELS)) * 1e6


def too_large(file: Image.Image) -> str:
    """What to say of a picture with too many pixels."""
    return (f"{file.width} x {file.height} pixels, expected {most_pixels() / 1e6:g} megapixels or fewer: scale it "
            f"down, or pass --max_megapixels={np.ceil(file.width * file.height / 1e6):.0f} if memory allows")


def flat(image: Image.Image, path="") -> Image.Image:
    """The image with 8 bits a channel and without transparency: on white paper, or light marks on dark paper."""
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return values_as_grey(np.asarray(image), path)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (*[DARK_PAPER if is_lost_on_white(image) else PAPER] * 3, 255))
        return Image.alpha_composite(paper, image)
    return image


def is_lost_on_white(image: Image.Image) -> bool:
    """Whether what is visible of an RGBA picture, each pixel counted by its alpha, is as light as white paper."""
    alpha, dark = image.getchannel("A"), image.convert("L").point(lambda value: 255 * (value < LIGHT))
    visible, darker = (np.dot(alpha.histogram(mask), np.arange(256)) for mask in (None, dark))
    return bool(visible and darker < LOST * visible)


def values_as_grey(values: np.ndarray, path="") -> Image.Image:
    """Grey values (H, W) of any range as an 8-bit image. The range is judged by the values; a guess is said once.

    From 0 on: up to 1 (numbers with a point only), 255, 4095 (12 bits) or 65535, whichever is the first that holds the
    highest value. Otherwise, or between 1 and 2: from the lowest to the highest value.

    Raises:
        ValueError: values that are NaN or infinite.
    """
    low, high = (float(end) for end in (values.min(initial=0), values.max(initial=0)))
    if not np.isfinite([low, high]).all():
        raise Refused("the picture holds NaN or infinity")
    floats = values.dtype.kind == "f"
    tops = [top for top in ((1.0,) if floats else ()) + (255.0, 4095.0, 65535.0) if high <= top]
    own = low < 0 or not tops or floats and 1 < high < 2
    low, top = (low, high) if own else (0.0, tops[0])
    if own or top in ((4095.0,) if floats else (255.0, 4095.0)) and high > 0:
        say_once(f"{shown(str(path))}: grey values up to {high:g}, read as {low:g} (black) to {top:g} (white)")
    grey, scale = np.empty(values.shape, "uint8"), 255 / ((top - low) or 1.0)
    rows = max(1, BLOCK // max(1, values.shape[-1]))
    for start in range(0, len(values), rows):  # so that memory stays small
        part = (values[start : start + rows].astype("float64") - low) * scale
        grey[start : start + rows] = np.clip(np.rint(part), 0, 255)
    return Image.fromarray(grey)


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
        heic = "a HEIC picture: pip install pillow-heif, or convert it to JPEG"
        return heic if is_path and is_heic(path) else why_not(path, FORMATS)
    if isinstance(error, MemoryError):
        return "broken image (it claims more pixels than memory holds)"
    if isinstance(error, Refused):
        return str(error)
    return f"broken image ({' '.join(str(error).rstrip('.').split())[:120] or type(error).__name__})"


def is_heic(path) -> bool:
    """Whether a file begins as HEIC pictures do."""
    with open(path, "rb") as file:
        return file.read(12)[4:] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc")


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
