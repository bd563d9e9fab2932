"""How often different pairs are as alike as this: measured, and carried on beyond the pairs that were measured.

Many pairs need a higher threshold than two pictures: of 400 pictures 79 800 pairs are compared, and a threshold that is
wrong once in a hundred is wrong 798 times. The rate that is needed then often lies beyond what was measured.

The distance of embeddings is never below 0, so near 0 the share of different pairs within a distance falls like a power
of it (Hill 1975, on the logarithm of the distance). The power is measured on the nearest 5 % of the pairs and on the
nearest 10 %, and the more cautious of the two lines decides. Of heads without a distance the logit of the similarity
takes the place of the logarithm.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

DEPTHS = (0.05, 0.1)  # shares of the pairs on which the tail is measured
POINTS = 40  # of the curve that is kept
FEWEST = 200  # different pairs without which nothing is said
SURE = 10  # pairs beyond a threshold from which on the measured curve decides, and not the line
END = 1e-7  # similarities are no more exact near 0 and 1

Nearness = Callable[[np.ndarray], np.ndarray]


def logits(similarities: np.ndarray) -> np.ndarray:
    """Nearness of heads without a distance: the logit of similarities."""
    clipped = np.clip(np.asarray(similarities, "float64"), END, 1 - END)
    return np.log(clipped) - np.log1p(-clipped)


def curve(similarities: np.ndarray, nearness: np.ndarray) -> dict[str, Any] | None:
    """What thresholds.json keeps of different pairs; None where they are too few.

    Args:
        similarities: (M,) of different pairs.
        nearness: (M,) the same as a number that rises with the similarity and whose tail is exponential: minus the
            logarithm of the distance, or the logit.

    Returns:
        pairs: M; rates: shares of the pairs, falling; similarities: above which these shares lie; nearness: the same as
        nearness; slopes: by each of `DEPTHS`, by how much the nearness rises where the rate falls by the factor e.
    """
    count = len(similarities)
    if count < FEWEST:
        return None
    order = np.argsort(-nearness, kind="stable")
    similarities, nearness = np.asarray(similarities, "float64")[order], np.asarray(nearness, "float64")[order]
    ranks = np.unique(np.geomspace(1, count // 2, POINTS).astype(int))[::-1]
    slopes = {str(depth): float((nearness[:int(depth * count)] - nearness[int(depth * count)]).mean())
              for depth in DEPTHS}
    return {"pairs": count, "rates": (ranks / count).tolist(), "similarities": similarities[ranks].tolist(),
            "nearness": nearness[ranks].tolist(), "slopes": slopes}


def nearness_at(rate: float, known: dict[str, Any]) -> float:
    """The nearness that this share of different pairs exceeds."""
    rates, measured = np.log(known["rates"][::-1]), known["nearness"][::-1]  # rising rates
    interpolated = float(np.interp(np.log(rate), rates, measured))
    if rate * known["pairs"] >= SURE:
        return interpolated
    lines = (np.interp(np.log(float(depth)), rates, measured) + slope * np.log(float(depth) / rate)
             for depth, slope in known["slopes"].items())
    return float(max(lines))


def rate_at(similarity: float, known: dict[str, Any]) -> float:
    """The share of different pairs that are at least as alike: .5 where half of them or more are, and no less than one
    of those measured."""
    return float(np.exp(np.interp(similarity, known["similarities"], np.log(known["rates"]))))


def beyond(rate: float, known: dict[str, Any]) -> float:
    """How many times more pairs than were measured a rate needs; 1 or less: it was measured."""
    return 1 / (rate * known["pairs"])
