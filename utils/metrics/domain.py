"""What kind of pictures a model knows: simple statistics of the pictures it learnt from, and whether others look like them."""

import numpy as np

STATISTICS = ("colour", "midtones", "detail", "contrast")
SLACK = 0.5  # of the width of a range: how far outside of it a picture may lie
LEAST_SLACK = {"colour": 0.03, "midtones": 0.1, "detail": 0.02, "contrast": 0.05}


def statistics(images: np.ndarray) -> np.ndarray:
    """Four numbers in 0..1 for each image: (N, H, W, 1 or 3) uint8 -> (N, 4).

    colour: mean difference of the largest and the smallest channel; midtones: share of pixels that are neither nearly
    black nor nearly white (drawn characters have few); detail: mean step between neighbouring pixels; contrast: standard deviation.
    """
    values = np.asarray(images, "float32") / 255
    grey = values.mean(axis=-1)  # (N, H, W)
    steps = np.abs(np.diff(grey, axis=1)).mean(axis=(1, 2)) + np.abs(np.diff(grey, axis=2)).mean(axis=(1, 2))
    return np.stack([
        np.ptp(values, axis=-1).mean(axis=(1, 2)), ((grey > 0.12) & (grey < 0.88)).mean(axis=(1, 2)), steps, grey.std(axis=(1, 2)),
    ], axis=1)


def ranges(images: np.ndarray) -> dict[str, list[float]]:
    """The range of each statistic that all but two in a hundred of the images lie in, as about.json keeps it."""
    low, high = np.percentile(statistics(images), (1, 99), axis=0)
    return {name: [round(float(a), 4), round(float(b), 4)] for name, a, b in zip(STATISTICS, low, high)}


def unlike(images: np.ndarray, known: dict[str, list[float]]) -> np.ndarray:
    """Which images (N,) lie well outside of the known ranges in one statistic or more."""
    found = statistics(images)
    outside = np.zeros(len(found), bool)
    for column, name in enumerate(STATISTICS):
        low, high = known[name]
        slack = max(SLACK * (high - low), LEAST_SLACK[name])
        outside |= (found[:, column] < low - slack) | (found[:, column] > high + slack)
    return outside


def are_characters(images: np.ndarray) -> bool:
    """Whether most of the images are drawn characters: no colour, hardly a tone between black and white."""
    found = statistics(images)
    return bool(np.median(found[:, 0]) < 0.02 and np.median(found[:, 1]) < 0.35)
