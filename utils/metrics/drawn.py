"""Whether a picture was photographed, or drawn or printed: pages, screens, logos and charts, which models of
photographs know nothing about and still give a number for.

A page or a screen has a ground of one colour and hard edges straight to it, both seen at full size only. Few photos
have both, and noise, blur, compression or few colours do not bring them into a photo.
"""

import numpy as np

SIDE = 768  # of the middle part that is looked at, in pixels
NEAR = 12  # levels a channel, by which colours of the ground differ at most
GROUND = 0.4  # share of a drawn picture that is ground, at least
HARD = 60  # levels in a channel within two pixels: a hard edge
MANY = 0.02  # hard edges a pixel between the ground and another colour: enough by themselves
FEW, COMMON = 0.006, 0.5  # the same where so much of the picture has one of four colours
BUSY, PLAIN = 0.05, 0.6  # hard edges a pixel between any colours where so much has one of four, as bubbles of a chat


def is_drawn(picture: np.ndarray) -> bool:
    """Whether a picture (H, W, 3) uint8 at its own size looks drawn or printed.

    The limits were chosen on photos of BSDS500 and BIQ2021, on these with each distortion of TID2013, on receipts and
    on screenshots; docs/ranking.md has what they reach.
    """
    (height, width), side = picture.shape[:2], SIDE
    top, left = max(0, (height - side) // 2), max(0, (width - side) // 2)
    part = picture[top : top + side, left : left + side].astype("int16")
    six_bits = (part >> 2).astype("int32")
    counts = np.bincount((six_bits[..., 0] << 12 | six_bits[..., 1] << 6 | six_bits[..., 2]).ravel(), minlength=4)
    most = int(counts.argmax())
    colour = np.array([most >> 12, most >> 6 & 63, most & 63], "int16") * 4 + 2
    ground = (np.abs(part - colour) <= NEAR).all(axis=-1)
    if ground.mean() <= GROUND:
        return False
    any_edges, to_ground = sum(hard_edges(part, ground, axis) for axis in (0, 1))
    common = np.partition(counts, -4)[-4:].sum() / ground.size
    return bool(to_ground > MANY or to_ground > FEW and common > COMMON or any_edges > BUSY and common > PLAIN)


def hard_edges(part: np.ndarray, ground: np.ndarray, axis: int) -> np.ndarray:
    """The share of pixels (H, W, 3) with a hard edge along an axis, and with one between the ground (H, W) and another
    colour: (2,)."""
    if part.shape[axis] < 3:
        return np.zeros(2)
    first, second = np.arange(part.shape[axis] - 2), np.arange(2, part.shape[axis])
    hard = np.abs(part.take(second, axis) - part.take(first, axis)).max(axis=-1) > HARD
    return np.array([hard.mean(), (hard & (ground.take(second, axis) != ground.take(first, axis))).mean()])
