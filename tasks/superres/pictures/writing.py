"""Writes enlarged photos: 8 bits a channel by Pillow, 16 bits as PNG, each with its colour profile."""

import os
import zlib

import numpy as np
from PIL import Image, PngImagePlugin

from tasks.superres.pictures.reading import Photo
from utils.data.files import save_aside
from utils.data.images import flat
from utils.saying import say_once

ENDINGS = {"png": ".png", "jpeg": ".jpg", "webp": ".webp", "tiff": ".tif"}
SETTINGS = {"png": {"compress_level": 4}, "jpeg": {"quality": 95, "subsampling": 0}, "webp": {"lossless": True},
            "tiff": {"compression": "tiff_deflate"}}
WIDEST = {"jpeg": 65535, "webp": 16383}  # pixels a side that the format holds
KINDS = {1: 0, 2: 4, 3: 2, 4: 6}  # of a PNG, by channels
ROWS = 256  # rows that are compressed at once


def write(photo: Photo, path: str, kind: str = "png") -> None:
    """Writes a photo, whole or not at all.

    Raises:
        ValueError: the photo is larger than the format holds.
    """
    height, width = photo.colours.shape[:2]
    most = WIDEST.get(kind, 2**31 - 1)
    if max(height, width) > most:
        raise ValueError(f"{path}: {width} x {height} pixels, and {kind} holds {most} a side: pass --write=png")
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    if photo.colours.dtype == np.uint16 and kind == "png":
        save_aside(lambda aside: write_deep(photo, aside), path, ENDINGS[kind])
        return
    image = as_image(photo)
    if kind == "jpeg" and photo.alpha is not None:
        say_once("jpeg keeps no transparency: transparent photos are laid on paper; --write=png keeps it")
        image = flat(image).convert(image.mode.removesuffix("A"))
    save_aside(lambda aside: image.save(aside, kind, icc_profile=photo.profile, **SETTINGS[kind]), path, ENDINGS[kind])


def as_image(photo: Photo) -> Image.Image:
    """The photo in Pillow's mode L, LA, RGB or RGBA, with its colour profile; 16 bits become 8."""
    values = stacked(photo)
    if values.dtype == np.uint16:
        say_once("16 bits a channel become 8: only png holds them")
        values = (values / 257 + 0.5).astype("uint8")
    image = Image.fromarray(values)
    if photo.profile:
        image.info["icc_profile"] = photo.profile
    return image


def stacked(photo: Photo) -> np.ndarray:
    """All channels of a photo in one array: (H, W) where there is one, else (H, W, C)."""
    colours = grey_of(photo.colours) if photo.grey else photo.colours
    if photo.alpha is None:
        return colours
    return np.dstack([colours, photo.alpha])


def grey_of(colours: np.ndarray) -> np.ndarray:
    """The mean (H, W) of the three channels that a network made of a grey photo, block by block."""
    made = np.empty(colours.shape[:2], colours.dtype)
    for start in range(0, len(made), ROWS):
        made[start : start + ROWS] = (colours[start : start + ROWS].sum(axis=2, dtype="uint32") + 1) // 3
    return made


def write_deep(photo: Photo, path: str) -> None:
    """Writes 16 bits a channel as PNG, which Pillow does for grey alone."""
    values = stacked(photo)
    values = values[..., None] if values.ndim == 2 else values
    height, width, channels = values.shape
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([16, KINDS[channels], 0, 0, 0])
    packer = zlib.compressobj(4)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        PngImagePlugin.putchunk(file, b"IHDR", head)
        if photo.profile:
            PngImagePlugin.putchunk(file, b"iCCP", b"ICC Profile\0\0" + zlib.compress(photo.profile))
        for start in range(0, height, ROWS):
            PngImagePlugin.putchunk(file, b"IDAT", packer.compress(filtered(values, start)))
        PngImagePlugin.putchunk(file, b"IDAT", packer.flush())
        PngImagePlugin.putchunk(file, b"IEND")


def filtered(values: np.ndarray, start: int) -> bytes:
    """`ROWS` rows of a PNG, each less the row above it (filter 2), which compresses better."""
    rows = values[max(0, start - 1) : start + ROWS].astype(">u2")
    rows = rows.view("uint8").reshape(len(rows), -1)
    above = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    less = (rows - above)[min(start, 1) :]
    return np.concatenate([np.full((len(less), 1), 2, "uint8"), less], axis=1).tobytes()
