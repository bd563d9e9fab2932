"""What a person needs to know of an exported model of quality: what a score means, and how a photo is prepared."""

import keras

from nets.models import rankiqa
from tasks.quality.model import CROPS, WHOLE


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    scorer = rankiqa.scorer(model)
    return {"output": {"higher_is_better": scorer.higher_is_better, "low": scorer.low, "high": scorer.high,
                       "meaning": "how good the photo looks; low and high are the range that the scores were fitted "
                                  "to, and others may lie outside"},
            "steps": [how_large(rankiqa.side(model), any_size=part.inputs[0].shape[1] is None)],
            "more": {"use": {name: getattr(scorer, name) for name in ("side", "higher_is_better", "low", "high")}}}


def how_large(side: int, any_size: bool) -> str:
    """Which pixels of a photo the file takes: the whole photo, or crops."""
    crops = f"the score of the photo is the mean over {CROPS} random crops of {side} x {side} pixels"
    if not any_size:
        return crops
    return ("do not resize: the file takes photos of any size, and all photos of a batch have the same one; enlarge "
            f"one whose shorter side has fewer than {side} pixels; predict.py scores photos of up to {WHOLE / 1e6:g} "
            f"megapixels whole, and of larger ones {crops}")


def side(model: keras.Model) -> int:
    """Pixels a side of the pictures that a model of any size is tried on."""
    return rankiqa.side(model)
