"""How long the perceptual distance takes, beside SSIM: `python benchmark.py --parts=perceptual`."""

from collections.abc import Callable

import numpy as np

from tasks.perceptual.measuring import comparators, measure
from utils.distortions.codecs import jpeg

SIDE, QUALITIES = 256, (10, 50)  # pixels a side of the pictures, and of JPEG


def beside_ssim(side_by_side: Callable, *_) -> dict[str, float]:
    """Milliseconds of the perceptual distance of a pair, and how many times scikit-image's SSIM of the same pair.

    Args:
        side_by_side: names and functions -> the seconds of each in several rounds.

    Raises:
        ValueError: scikit-image is not installed.
    """
    try:
        from skimage.metrics import structural_similarity
    except ModuleNotFoundError:
        raise ValueError("--parts=perceptual: scikit-image is not installed: pip install scikit-image") from None
    used, rng = measure.Measure(comparators.made()), np.random.default_rng(0)
    pairs = [(crop, jpeg(crop, quality, rng)) for crop in comparators.crops(SIDE).astype("uint8")
             for quality in QUALITIES]
    seconds = side_by_side({
        "distance": lambda: [used.distance(*pair) for pair in pairs],
        "ssim": lambda: [structural_similarity(*pair, channel_axis=2) for pair in pairs],
    })
    fastest = {name: min(taken) / len(pairs) for name, taken in seconds.items()}
    return {"the distance of a pair of 256 x 256, ms": 1000 * fastest["distance"],
            "seconds of the distance, beside scikit-image's SSIM": fastest["distance"] / fastest["ssim"]}
