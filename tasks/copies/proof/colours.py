"""Whether two aligned pictures show the same thing in other colours, as photos of one shirt in black and in blue do.

More or less light, contrast or saturation is no other colour: light is one tone curve of all channels, which is read
off their luma, because a curve through the channels themselves would also bend one colour into another; saturation
makes all hues stronger or weaker alike. What counts is what remains of the hues (Cb, Cr) without both, where neither
picture is so light that a channel has lost its tones.
"""

from collections.abc import Sequence

import numpy as np

from tasks.copies.proof.light import Tones
from tasks.copies.proof.seen import Frame, Seen

SIDE = 64  # pixels a side of the frame in which colours are compared, so that noise and compression are averaged
STRONGER = 2.5  # times that saturation may go up or down
APART = 20.0  # levels of Cb and Cr from which on a place has another colour
SHARE = 0.02  # of what both show that has another colour
LIGHT = 245.0  # levels of a channel from which on it may be cut off
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
    one, other = (hues[whole] @ HUES.T for hues in in_one_light(*colours))
    strength = [float(np.sqrt((hues**2).sum())) for hues in (one, other)]
    gain = float(np.clip((one * other).sum() / max(min(strength) ** 2, 1.0), 1 / STRONGER, STRONGER))
    weaker, stronger = (one, other) if strength[0] <= strength[1] else (other, one)
    beside = np.linalg.norm(gain * weaker - stronger, axis=1)
    return bool((beside > APART).sum() > SHARE * len(whole))


def in_one_light(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Colours (N, 3) of both, those of one in the light of the other, by one tone curve, in the direction that loses
    less."""
    luma = one @ LUMA, other @ LUMA
    forth, back = Tones(*luma), Tones(*luma[::-1])
    return (forth.of(one).clip(0, 255), other) if forth.misfit <= back.misfit else (one, back.of(other).clip(0, 255))
