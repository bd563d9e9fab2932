"""Whether two aligned pictures show the same thing in other colours, as photos of one shirt in black and in blue do.

More or less light, contrast or saturation is no other colour: light is one tone curve of all channels, which is read
off their luma, because a curve through the channels themselves would also bend one colour into another; saturation
makes all hues stronger or weaker alike. What counts is what remains of the hues (Cb, Cr) without both, where neither
picture is so light that a channel has lost its tones.
"""

from collections.abc import Sequence

import numpy as np

from tasks.copies.proof.light import SAMPLES, Tones
from tasks.copies.proof.seen import Frame, Seen
from utils.keypoints.filters import means

SIDE = 64  # pixels a side of the frame in which colours are compared, so that noise and compression are averaged
STRONGER = 2.5  # times that saturation may go up or down
APART = 20.0  # levels of Cb and Cr from which on a place has another colour
SHARE = 0.02  # of what both show that has another colour
LIGHT = 245.0  # levels of a channel from which on it may be cut off
# the same of a window of so many pixels a side, if that is so many times what nine tenths of the pair have at most
CLEARLY, WINDOW, OFTEN = 32.0, 11, 4.0
LIT = 3.0  # levels by which light differs clearly
LEAST = 50  # pixels that are needed
LUMA = np.array([0.299, 0.587, 0.114], "float32")  # of JPEG
HUES = np.array([[-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], "float32")  # of JPEG: RGB -> Cb, Cr


def other_colour(a: Seen, b: Seen, matrix: np.ndarray, differing: Sequence[tuple[int, int, int, int]] = ()) -> bool:
    """Whether what both show has other colours in one than in the other.

    Args:
        matrix: pixels of a -> pixels of b, as they are looked at.
        differing: boxes in pixels of the file a where they show different things.
    """
    frame = Frame(a, b, matrix, SIDE)
    inside = frame.inside(matrix)
    for box in differing:
        corners = (np.reshape(box, (2, 2)) * a.ratio - frame.into_a[:2, 2]) / np.diag(frame.into_a)[:2]
        (left, top), (right, bottom) = np.floor(corners[0]).clip(0), np.ceil(corners[1]).clip(0)
        inside[int(top) : int(bottom), int(left) : int(right)] = False
    colours = frame.of_a(a.picture)[inside], frame.of_b(b.picture, matrix)[inside]
    whole = np.maximum(*colours).max(axis=-1) < LIGHT
    if whole.sum() < LEAST:
        return False
    one, other = in_one_light(*colours)
    beside = np.linalg.norm(hues_apart(one[whole], other[whole]), axis=1)
    return bool((beside > APART).sum() > SHARE * len(whole))


def otherwise_coloured(a: np.ndarray, b: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Which places (H, W) bool have another colour than all of the pair has.

    Args:
        a, b: (3, H, W), aligned and equally sharp.
        inside: (H, W) bool, where both have pixels.
    """
    found, mask = np.zeros((2, *inside.shape), "float32"), inside.astype("float32")
    if inside.sum() < LEAST:
        return inside & False
    colours = [np.moveaxis(values, 0, -1)[inside] for values in (a, b)]
    lit = in_one_light(*colours)
    apart = hues_apart(*lit)
    if max(np.abs(before - after).mean() for before, after in zip(colours, lit)) > LIT:
        apart[np.maximum(*colours).max(axis=-1) >= LIGHT] = 0  # more light may have cut its colour off
    found[:, inside] = apart.T
    known = means(mask, WINDOW) + 1e-6
    far = np.hypot(*(means(values, WINDOW) / known for values in found)) * mask
    return far > max(CLEARLY, OFTEN * np.quantile(far[inside][::7], 0.9))


def hues_apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """How far the hues (N, 2) of colours (N, 3) lie apart, whatever their saturation."""
    one, other = one @ HUES.T, other @ HUES.T
    strength = [float(np.sqrt((hues**2).sum())) for hues in (one, other)]
    gain = float(np.clip((one * other).sum() / max(min(strength) ** 2, 1.0), 1 / STRONGER, STRONGER))
    weaker, stronger = (one, other) if strength[0] <= strength[1] else (other, one)
    return gain * weaker - stronger


def in_one_light(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (N, 3) of both, those of one in the light of the other, by one tone curve, in the direction that loses
    less."""
    few = max(1, len(one) // SAMPLES)
    luma = one[::few] @ LUMA, other[::few] @ LUMA
    forth, back = Tones(*luma), Tones(*luma[::-1])
    return (forth.of(one).clip(0, 255), other) if forth.misfit <= back.misfit else (one, back.of(other).clip(0, 255))
