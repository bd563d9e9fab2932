"""A picture of any kind -> its parts: colours of 8 or 16 bits, grey or not, transparency and colour profile."""

import io
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageCms, ImageOps
from scipy.ndimage import distance_transform_edt

from utils.data.formats import room
from utils.data.formats.values import grey_of, has_low_bytes, is_deep, joined, low_bytes, raw_mode
from utils.data.images import called, decoding
from utils.pictures import Picture
from utils.saying import shown

STANDARD, FINEST = 57.625, 15.375  # means of the JPEG standard's table for luma (quality 50), and of its finest quarter


class Photo(NamedTuple):
    """A photo in its parts, upright.

    Attributes:
        colours: (H, W, 3) uint8, or uint16 in 0..65535.
        grey: whether its three channels are one.
        alpha: (H, W) of the same type; None: nothing is transparent.
        profile: its colour profile (ICC), or None.
        jpeg: the quality that a JPEG was saved with, 1..100, by its quantisation tables; None: no JPEG.
        said: what was done to a file that is no plain photo, a line each.
    """

    colours: np.ndarray
    grey: bool = False
    alpha: np.ndarray | None = None
    profile: bytes | None = None
    jpeg: float | None = None
    said: tuple[str, ...] = ()


def read(picture: Picture) -> Photo:
    """Reads a picture; ValueError naming the file and what is wrong with it, as `utils.data.images.open_image`.

    EXIF orientation is applied. Of an animation the frame of --page is read. CMYK becomes RGB by its profile.
    """
    if isinstance(picture, np.ndarray) and picture.dtype == np.uint16:
        return of_deep_array(picture)
    said = []
    with decoding(picture, more=9) as file:
        room.check_bytes(file, 9)
        source = picture if isinstance(picture, Image.Image) else file  # of a picture in memory `file` is a copy
        jpeg, profile, deep = quality_of(source), file.info.get("icc_profile"), is_deep(file)
        raw, image = raw_mode(file), ImageOps.exif_transpose(file)
        if image.mode == "CMYK":
            said.append("CMYK, which becomes RGB" + (" by its colour profile" if profile else ""))
            image, profile = from_cmyk(image, profile), None
        profile = None if image.mode == "LAB" else profile  # it is RGB from there on
        colours, grey, alpha = parts(image, raw, picture)
    if deep and not has_low_bytes(deep):
        said.append("16 bits of grey with transparency are read as 8")
    elif deep:
        colours, alpha = with_low_bytes(picture, colours, alpha)
    return Photo(colours, grey, alpha, profile, jpeg, tuple(f"{shown(called(picture))}: {line}" for line in said))


def of_deep_array(values: np.ndarray) -> Photo:
    """The photo in an array (H, W), (H, W, 3) or (H, W, 4) uint16."""
    if values.ndim not in (2, 3) or not values.size or values.ndim == 3 and values.shape[2] not in (3, 4):
        raise ValueError(f"{called(values)}: expected numbers of shape (height, width), or with 3 or 4 channels")
    if values.ndim == 2:
        return Photo(thrice(values), True)
    return Photo(values[..., :3], alpha=values[..., 3] if values.shape[2] == 4 else None)


def parts(image: Image.Image, raw: str, picture: Picture) -> tuple[np.ndarray, bool, np.ndarray | None]:
    """Colours, whether they are grey, and transparency, in the numbers that the image holds."""
    if image.mode.startswith("I;16"):
        return thrice(np.asarray(image).astype("uint16")), True, None
    if image.mode in ("I", "F"):
        image = grey_of(image, raw, called(picture))
    grey = image.mode in ("1", "L", "LA", "La") or raw.startswith("LA;")  # of 16 bits it is read as RGBA
    if image.has_transparency_data:
        values = np.asarray(image.convert("LA" if grey else "RGBA"))
        return thrice(values[..., 0]) if grey else values[..., :3], grey, values[..., -1]
    values = np.asarray(image.convert("L" if grey else "RGB"))
    return thrice(values) if grey else values, grey, None


def thrice(values: np.ndarray) -> np.ndarray:
    """Grey (H, W) as colours (H, W, 3)."""
    return np.repeat(values[..., None], 3, axis=2)


def with_low_bytes(
    picture: Picture, colours: np.ndarray, alpha: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours and transparency of 16 bits, of which the high bytes are known already."""
    with decoding(picture) as file:
        low = low_bytes(file)
    return joined(colours, low[..., :3]), None if alpha is None else joined(alpha, low[..., -1])


def from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """A CMYK image in sRGB, by its profile where it has one that can be read."""
    if profile:
        try:
            srgb = ImageCms.createProfile("sRGB")
            return ImageCms.profileToProfile(image, io.BytesIO(profile), srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a damaged profile: as without one
    return image.convert("RGB")


def quality_of(file: Image.Image) -> float | None:
    """The quality of a JPEG by its quantisation table for luma, on libjpeg's scale; None for other files."""
    tables = getattr(file, "quantization", None)
    if not tables:
        return None
    table = np.sort(next(iter(tables.values())))
    percent = 100 * float(table.mean() / STANDARD if table[-1] < 255 else table[:16].mean() / FINEST)  # 255: cut there
    return (200 - percent) / 2 if percent <= 100 else 5000 / percent


def without_hidden(photo: Photo) -> np.ndarray:
    """The colours (H, W, 3); a pixel that cannot be seen has that of the nearest one that can, so that none bleeds."""
    if photo.alpha is None or not 0 < np.count_nonzero(photo.alpha) < photo.alpha.size:
        return photo.colours
    rows, columns = distance_transform_edt(photo.alpha == 0, return_distances=False, return_indices=True)
    return photo.colours[rows, columns]
