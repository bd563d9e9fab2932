"""How much memory a picture takes while it is read, which is limited, and shared by the threads of a program."""

import contextlib
import os
import threading
from collections.abc import Iterator

import numpy as np
from PIL import Image

from utils.data.formats.kinds import Refused

LIMIT = "MAX_MEGAPIXELS"  # name of the environment variable that holds the limit, so that worker processes know it too
MEGAPIXELS = 300.0  # the limit where nobody sets another
MEMORY = 900_000_000  # bytes that all pictures that are being read may take together where nobody sets another limit
SMALL = 16_000_000  # bytes of a picture for which no room is shared
ASKED = 16  # bytes for each pixel of a limit that somebody sets, where that is more
STORED = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}  # bytes a pixel; 4 of other modes
# bytes a pixel that a decoder holds beside the picture, measured with Pillow 13; DDS is decoded pixel by pixel in
# Python, 4 seconds a megapixel, so that large ones are refused
DECODER = {"WEBP": 12, "JPEG2000": 16, "AVIF": 6, "HEIF": 6, "QOI": 3, "SGI": 3, "DDS": 60}
ORIENTATION = 0x0112


def most_pixels() -> float:
    """Pixels that a picture may have, from `LIMIT`."""
    return float(os.environ.get(LIMIT, MEGAPIXELS)) * 1e6


def most_bytes() -> float:
    """Bytes that reading may take: `MEMORY`, or more where somebody set a limit that needs more."""
    return max(MEMORY, ASKED * most_pixels()) if LIMIT in os.environ else MEMORY


def check_pixels(file: Image.Image) -> None:
    """Raises Refused where a picture has too many pixels."""
    if file.width * file.height > most_pixels():
        raise Refused(f"{file.width} x {file.height} pixels, expected {most_pixels() / 1e6:g} megapixels or fewer: "
                      f"scale it down, or {larger(file)}")


def check_bytes(file: Image.Image, more: int = 0) -> None:
    """Raises Refused where a picture takes too much memory; `more`: see `bytes_of`."""
    if (taken := bytes_of(file, more)) > most_bytes():
        raise Refused(f"{file.width} x {file.height} pixels of {file.format or file.mode}, which take "
                      f"{taken / 1e9:.1f} GB to read, expected {most_bytes() / 1e9:g} GB or less: scale it down, or "
                      f"{larger(file, taken)}")


def larger(file: Image.Image, taken: float = 0) -> str:
    """The flag that sets a limit that is large enough."""
    return (f"pass --max_megapixels={np.ceil(max(file.width * file.height, taken / ASKED) / 1e6):.0f} if memory allows")


def bytes_of(file: Image.Image, more: int = 0) -> int:
    """The most bytes that a picture takes, from its decoder to a picture in RGB that stands upright.

    Args:
        file: not decoded yet.
        more: bytes a pixel that are needed beside that.
    """
    stored = STORED.get(file.mode, 4)
    if file.mode.startswith("I;16") or file.mode in ("I", "F"):
        made = max(stored + 2, 5)  # its numbers, and those of 8 bits; or grey and RGB
    else:
        made = 4 if file.mode != "RGB" or file.has_transparency_data else 0
    return file.width * file.height * (stored + max(made, decoder(file), 4 * is_turned(file)) + more)


def decoder(file: Image.Image) -> int:
    """Bytes a pixel that the decoder of a file holds beside the picture."""
    if file.format in ("JPEG", "MPO") and file.info.get("progressive"):
        return 2 * len(file.getbands())  # all coefficients
    return DECODER.get(file.format, 0)


def is_turned(file: Image.Image) -> bool:
    """Whether the EXIF data before its pixels say that a picture lies on its side; to ask a PNG for more would decode
    it."""
    known = file.format != "PNG" or "exif" in file.info
    return known and file.getexif().get(ORIENTATION, 1) != 1


class Shared:
    """Room for pictures that several threads read at once: who finds too little waits until others are done."""

    def __init__(self):
        self.changed, self.taken, self.own = threading.Condition(), 0, threading.local()

    @contextlib.contextmanager
    def take(self, size: int) -> Iterator[None]:
        """Room for so many bytes; a thread that has some already, or finds nobody else there, gets it at once."""
        if getattr(self.own, "inside", False):
            yield
            return
        with self.changed:
            self.changed.wait_for(lambda: not self.taken or self.taken + size <= most_bytes())
            self.taken += size
        self.own.inside = True
        try:
            yield
        finally:
            self.own.inside = False
            with self.changed:
                self.taken -= size
                self.changed.notify_all()


SHARED = Shared()


def shared(size: int) -> contextlib.AbstractContextManager:
    """Room for so many bytes among the threads; nobody waits for as little as `SMALL`."""
    return SHARED.take(size) if size > SMALL else contextlib.nullcontext()
