"""Which files are pictures, by name or by contents, and which programs read those that are none."""

import contextlib
import os

from PIL import Image

with contextlib.suppress(ImportError):  # optional: pictures of phones
    import pillow_heif

    pillow_heif.register_heif_opener()

STUBS = {"BUFR", "EPS", "GRIB", "HDF5", "MPEG", "WMF"}  # Pillow only knows their headers, or starts another program
# files without a telling name are pictures if they begin as these do; TIFF where there is no ending at all, because
# photos of cameras (.nef) begin so too
TELLING = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "JPEG2000")
HEIC = {".heic", ".heif"}
RAW = {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dng", ".erf", ".kdc", ".mos", ".mrw", ".nef", ".nrw", ".orf", ".pef",
       ".raf", ".raw", ".rw2", ".sr2", ".srf", ".srw", ".x3f"}
# what such files are, and what makes pictures of them
PROGRAMS = {
    "HEIC: pip install pillow-heif, or convert it to JPEG": HEIC,
    "raw photos: darktable, or the package rawpy, makes TIFF or JPEG of them": RAW,
    "DICOM: the package pydicom, or dcm2pnm of DCMTK": {".dcm", ".dicom"},
    "PDF: pdftoppm -r 150 -png": {".pdf"},
    "PostScript: Ghostscript": {".eps", ".ps", ".ai"},
    "SVG: rsvg-convert, or Inkscape": {".svg", ".svgz"},
    "drawings of Windows: Inkscape, or LibreOffice": {".emf", ".wmf"},
    "videos: ffmpeg makes a picture of each second with -vf fps=1": {
        ".3gp", ".avi", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".mts", ".webm", ".wmv"},
    "JPEG XL: djxl": {".jxl"},
    "OpenEXR and Radiance: the package imageio, or ImageMagick": {".exr", ".hdr"},
    "NumPy: pass the arrays to compare.py": {".npy", ".npz"},
    "archives: unpack them": {".zip", ".rar", ".7z", ".tar", ".gz", ".tgz", ".cbz", ".cbr"},
}

Image.init()
FORMATS = sorted(set(Image.OPEN) - STUBS)
SUFFIXES = frozenset(suffix for suffix, kind in Image.registered_extensions().items() if kind in FORMATS)
OTHERS = frozenset(suffix for suffixes in PROGRAMS.values() for suffix in suffixes) - SUFFIXES


class Refused(ValueError):
    """A picture that could be decoded and is not, for the reason that the text gives."""


def ending(path: str | os.PathLike) -> str:
    """The ending of a name in small letters, such as ".jpg"; "" where it has none."""
    return os.path.splitext(path)[1].lower()


def is_picture(path: str) -> bool:
    """Whether a file is a picture, by its name, or by how it begins where its name tells none.

    A damaged picture is one too, so that whoever reads it names it.
    """
    suffix = ending(path)
    if suffix in SUFFIXES:
        return True
    if suffix in HEIC or Image.EXTENSION.get(suffix) in STUBS:
        return False
    try:
        with open(path, "rb") as file:
            start = file.read(32)
        if any(Image.OPEN[kind][1](start) is True for kind in (*TELLING, *["TIFF"] * (not suffix))):
            return True
        with Image.open(path, formats=["BMP"]):  # two letters are not telling enough
            return True
    except Exception:  # not a picture; Pillow raises a dozen kinds
        return False


def is_raw(path) -> bool:
    """Whether a file is a raw photo by its name; many begin as TIFF does, with a preview of a few pixels."""
    return isinstance(path, str | os.PathLike) and ending(os.fspath(path)) in RAW


def hint(path: str) -> str:
    """What makes a picture of a file that is none, by its ending or its beginning; "" where that is not known."""
    suffix = ending(path)
    found = [text for text, suffixes in PROGRAMS.items() if suffix in suffixes and suffix in OTHERS]
    with contextlib.suppress(OSError), open(path, "rb") as file:
        if not found and file.read(12)[4:] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc"):
            found = list(PROGRAMS)[:1]
    return found[0] if found else ""
