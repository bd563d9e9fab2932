"""The only place where an image file is opened: a file -> (height, width, channels) uint8."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = frozenset(
    ".bmp .dib .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tga .tif .tiff .webp".split()
)
PAPER = 255  # what shows through transparent pixels


def is_image_name(name: str) -> bool:
    """Whether a file name ends like an image and is not hidden."""
    return os.path.splitext(name)[1].lower() in SUFFIXES and not name.startswith(".")


def read_image(path, shape: tuple[int, int, int]) -> np.ndarray:
    """Reads one image in any mode that Pillow knows, as `open_image` does.

    The picture is resized (antialiased, without keeping its aspect) to `shape` = (height, width, 1 or 3).

    Returns:
        uint8 array of that shape, 0..255.

    Raises:
        ValueError: naming the file and what is wrong with it.
    """
    height, width, channels = shape
    image = open_image(path, "L" if channels == 1 else "RGB")
    if image.size != (width, height):
        image = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image).reshape(shape)


def read_photo(path) -> np.ndarray:
    """Reads one image in colour and at its own size: (H, W, 3) uint8; ValueError as `read_image`."""
    return np.array(open_image(path, "RGB"))


def read_whole(path, side: int = 192) -> np.ndarray:
    """A picture in its own shape, for a figure: (H, W, 3) uint8, at most `side` pixels wide and high; a grey square where it cannot be read."""
    try:
        image = open_image(path, "RGB")
    except ValueError:
        return np.full((side, side, 3), 200, "uint8")
    image.thumbnail((side, side))
    return np.array(image)


def size_of(path) -> tuple[int, int]:
    """Width and height in pixels, from the header alone; (0, 0) where the file cannot be read."""
    try:
        with Image.open(path) as image:
            return image.size
    except Exception:  # gone, or not an image; Pillow raises a dozen kinds
        return 0, 0


def open_image(path, mode: str) -> Image.Image:
    """The picture of a file in `mode` L or RGB; ValueError naming the file and what is wrong with it.

    EXIF orientation is applied, transparency composited on white, 16 bits scaled to 8.
    """
    try:
        with Image.open(path) as file:
            return flat(ImageOps.exif_transpose(file)).convert(mode)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise ValueError(f"{path}: a folder, expected an image file") from None
    except Exception as error:  # Pillow's decoders raise a dozen kinds
        raise ValueError(f"{path}: {reason(path, error)}") from None


def flat(image: Image.Image) -> Image.Image:
    """The image without transparency and with 8 bits a channel."""
    if image.mode.startswith("I;16"):
        return eight_bits(np.asarray(image, "float64"), top=65535)
    if image.mode in ("I", "F"):  # told apart by what they hold
        values = np.asarray(image, "float64")
        return eight_bits(values, top=next(top for top in (1, 255, 65535, np.inf) if values.max(initial=0) <= top))
    if image.mode in ("RGBA", "RGBa", "LA", "La", "PA") or "transparency" in image.info:
        image = image.convert("RGBA")
        paper = Image.new("RGBA", image.size, (PAPER, PAPER, PAPER, 255))
        return Image.alpha_composite(paper, image)
    return image


def eight_bits(values: np.ndarray, top: float) -> Image.Image:
    """Grey values on 0..top as an 8-bit image; without a top, by their maximum."""
    scale = 255 / (top if np.isfinite(top) else values.max())
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype("uint8"))


def reason(path, error: Exception) -> str:
    """Why a file could not be read, in a few words."""
    if isinstance(path, (str, os.PathLike)) and os.path.isfile(path) and os.path.getsize(path) == 0:
        return "the file is empty"
    if isinstance(error, Image.UnidentifiedImageError):
        return "not an image that Pillow can read"
    return f"broken image ({str(error).rstrip('.')})"


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


def size_range(paths: Sequence[str], most: int = 500) -> str:
    """The sizes of pictures, smallest to largest by area, from a sample of at most `most` files."""
    step = max(1, len(paths) // most)
    sizes = set()
    for path in paths[::step]:
        with Image.open(path) as image:
            sizes.add(image.size)
    small, large = (f(sizes, key=lambda size: size[0] * size[1]) for f in (min, max))
    return " x ".join(map(str, small)) + ("" if small == large else " to " + " x ".join(map(str, large))) + " pixels"


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
        The images, array or `ImagesOnDisk`, N of them; and for each broken file its row and what is
        wrong with it. It stands in the array as zeros: leave it out.
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
