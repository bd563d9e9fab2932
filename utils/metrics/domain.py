"""What kind of pictures a model knows: simple statistics of the pictures it learnt from, and whether others look like
them.

Each statistic has a range. Pictures of another kind often lie within all the ranges and still combine them as none of
the known pictures does, such as a page of text: light, even, and yet full of fine detail. So about.json also keeps
how the statistics go together: their mean, the inverse of their covariance, and how far from the mean the known ones
lie. It has done so since the statistics "even" and "light" were added; of an older file the ranges decide alone.
"""

from typing import Any

import numpy as np

STATISTICS = ("colour", "midtones", "detail", "contrast", "even", "light")
ADDED = STATISTICS[4:]  # which older files do not hold
SLACK = 0.5  # of the width of a range: how far above it a picture may lie
LEAST = 0.4  # of the lower end of a range: less is below it; a grey picture may be a copy of a coloured one
LEAST_SLACK = {"colour": 0.03, "midtones": 0.1, "detail": 0.02, "contrast": 0.05, "even": 0.1, "light": 0.1}
TOGETHER = "together"  # the key of what about.json keeps of the statistics as a whole
ENOUGH = 100  # pictures that tell how the statistics go together
BLUR = 0.01  # standard deviation added to each statistic, so that nothing hangs on the last digit
STEP = 1.5 / 255  # a smaller step between neighbouring pixels is none
CHARACTERS = 0.8  # share of images that are drawn characters, from which on all are taken for such


def statistics(images: np.ndarray) -> np.ndarray:
    """Six numbers in 0..1 for each image: (N, H, W, 1 or 3) uint8 -> (N, 6).

    colour: mean difference of the largest and the smallest channel; midtones: share of pixels that are neither nearly
    black nor nearly white (drawn characters have few); detail: mean step between neighbouring pixels; contrast:
    standard deviation; even: share of neighbouring pixels that are equal, as on paper and screens; light: the mean.
    """
    values = np.asarray(images, "float32") / 255
    grey = values.mean(axis=-1)  # (N, H, W)
    steps = [np.abs(np.diff(grey, axis=axis)) for axis in (1, 2)]
    return np.stack([
        np.ptp(values, axis=-1).mean(axis=(1, 2)), ((grey > 0.12) & (grey < 0.88)).mean(axis=(1, 2)),
        sum(step.mean(axis=(1, 2)) for step in steps), grey.std(axis=(1, 2)),
        sum((step < STEP).mean(axis=(1, 2)) for step in steps) / 2, grey.mean(axis=(1, 2)),
    ], axis=1)


def ranges(images: np.ndarray, distorted: bool = False) -> dict[str, Any]:
    """What about.json keeps of the known pictures, for `unlike`.

    Args:
        distorted: whether the model also learnt from these images distorted, such as blurred, so that their statistics
            go together in other ways too.

    By the name of each statistic the range that all but two in a hundred of the images lie in; and under `TOGETHER`,
    where there are `ENOUGH` images, `centre` (6,), `precision` (6, 6) and `limit` of `distances`.
    """
    measured = statistics(images)
    low, high = np.percentile(measured, (1, 99), axis=0)
    known = {name: [round(float(a), 4), round(float(b), 4)] for name, a, b in zip(STATISTICS, low, high)}
    if distorted or len(measured) < ENOUGH:
        return known
    spread = evenly_spread(measured)
    precision = np.linalg.inv(np.cov(spread.T) + BLUR**2 * np.eye(len(STATISTICS)))
    together = {"centre": np.median(spread, axis=0).round(4).tolist(), "precision": precision.round(2).tolist()}
    return known | {TOGETHER: together | {"limit": round(float(np.percentile(distances(measured, together), 99)), 2)}}


def evenly_spread(measured: np.ndarray) -> np.ndarray:
    """Statistics (N, 6), of which those that are small and have a long tail are replaced by their roots."""
    return np.where([name in ("colour", "detail", "contrast") for name in STATISTICS], np.sqrt(measured), measured)


def distances(measured: np.ndarray, together: dict[str, Any]) -> np.ndarray:
    """How far statistics (N, 6) lie from those of known pictures, (N,): the square of the Mahalanobis distance."""
    away = evenly_spread(measured) - np.asarray(together["centre"])
    return np.einsum("nf,fg,ng->n", away, np.asarray(together["precision"]), away)


def unlike(images: np.ndarray, known: dict[str, Any]) -> np.ndarray:
    """Which images (N,) lie well outside of the known ranges in one statistic or more, or go together as none that is
    known."""
    measured = statistics(images)
    outside = np.zeros(len(measured), bool)
    for column, name in enumerate(STATISTICS):
        if name in known or name not in ADDED:
            low, high = known[name]
            slack = max(SLACK * (high - low), LEAST_SLACK[name])
            outside |= (measured[:, column] > high + slack) | (name != "colour") & (measured[:, column] < LEAST * low)
    if together := known.get(TOGETHER):
        outside |= distances(measured, together) > together["limit"]
    return outside


def are_characters(images: np.ndarray) -> bool:
    """Whether the images, but for a few, are drawn characters: no colour, hardly a tone between black and white, and
    both of these.

    A blank page has no ink, and a dark photo nothing light.
    """
    values = statistics(images)
    grey = np.asarray(images, "float32").mean(axis=-1).reshape(len(images), -1) / 255
    span = np.ptp(np.percentile(grey, (0.5, 99.5), axis=1), axis=0)  # (N,) from the ink to the paper
    drawn = (values[:, 0] < 0.02) & (values[:, 1] < 0.35) & (values[:, 3] > 0.05) & (span > 0.6)
    return bool(drawn.mean() >= CHARACTERS)
