"""Damaged pictures by the thousand: each is read, or refused with a reason.

    python tests/hostile.py 10000
    python tests/hostile.py 10000 quality      # each is scored by the ready model of quality, as predict.py --quality

Prints one line of JSON: how many were read and refused, what else happened, the peak of memory in MB and the longest
time in seconds. Everything else on the terminal is a fault, and so is any line that does not begin with the name of a
file.
"""

import io
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image

from utils.data.images import read_image
from utils.run import startup

SIZE = (72, 56)
SHAPE = (48, 48, 3)


def whole_pictures() -> list[tuple[str, bytes]]:
    """A picture in every format and mode that Pillow writes and this project reads: ending and bytes."""
    values = np.random.default_rng(0).integers(0, 256, (SIZE[1], SIZE[0], 4), dtype="uint8")
    colour = Image.fromarray(values[..., :3])
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description"
    made = []

    def add(image, kind, ending, **how):
        stream = io.BytesIO()
        image.save(stream, kind, **how)
        made.append((ending, stream.getvalue()))

    for kind, ending in (("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp"), ("AVIF", "avif"), ("TIFF", "tif")):
        add(colour, kind, ending, exif=exif)
    for kind, ending in (("GIF", "gif"), ("BMP", "bmp"), ("PPM", "ppm"), ("TGA", "tga"), ("ICO", "ico"),
                         ("JPEG2000", "jp2"), ("PCX", "pcx"),
                         ("SGI", "sgi"), ("DDS", "dds"), ("QOI", "qoi")):
        add(colour, kind, ending)
    for compression in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits"):
        add(colour, "TIFF", "tif", compression=compression)
    for mode in ("1", "L", "P", "LA", "RGBA", "CMYK", "I", "F"):
        add(colour.convert(mode), "TIFF", "tif")
    add(Image.fromarray(values[..., 0].astype("uint16") * 200), "PNG", "png")
    add(colour.convert("P"), "PNG", "png", transparency=3)
    add(colour, "JPEG", "jpg", progressive=True)
    return made


def damaged(whole: bytes, rng) -> bytes:
    """The bytes with some of them changed, cut, doubled, or set to the values that headers lie with."""
    data = bytearray(whole)
    kind = rng.integers(5)
    if kind == 0:
        return bytes(data[: rng.integers(len(data))])
    if kind == 1:
        at = int(rng.integers(len(data)))
        return bytes(data[:at] + data[at : at + int(rng.integers(1, 200))] + data[at:])
    reach = min(len(data), 160) if kind == 2 else len(data)  # headers come first
    for _ in range(int(rng.integers(1, 9))):
        at = int(rng.integers(reach))
        data[at] = int(rng.choice([0, 1, 127, 128, 255])) if kind == 3 else int(rng.integers(256))
    return bytes(data)


def asked(question: str) -> Callable[[str], bool]:
    """What is done with a file: whether its answer is as it should be; ValueError where there is none."""
    if question != "quality":
        return lambda name: (image := read_image(name, SHAPE)).shape == SHAPE and image.dtype == np.uint8
    import compare

    model = compare.load("quality")
    return lambda name: bool(np.isfinite(model.quality([name])).all())


def main(count: int, question: str = "") -> None:
    startup.hush()
    answer = asked(question)
    rng, pictures, found, longest = np.random.default_rng(0), whole_pictures(), Counter(), 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for number in range(count):
            ending, whole = pictures[number % len(pictures)]
            name = f"{number}.{ending}"
            Path(name).write_bytes(damaged(whole, rng))
            begun = time.perf_counter()
            try:
                found["read" if answer(name) else "of another shape"] += 1
            except ValueError as error:
                reason = str(error).removeprefix(f"{name}: ")
                found["refused" if str(error) != reason and len(reason) > 8 and reason != "broken image ()"
                      else f"no reason: {error}"] += 1
            except Exception as error:
                found[f"{type(error).__name__}: {error}"[:200]] += 1
            longest = max(longest, time.perf_counter() - begun)
            os.remove(name)
    print(json.dumps({**found, "peak_mb": peak_mb(), "longest_s": round(longest, 2)}))


def peak_mb() -> int:
    """The peak of this program's memory; getrusage would count that of the program which started it."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise OSError("no VmHWM in /proc/self/status")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, "".join(sys.argv[2:]))
