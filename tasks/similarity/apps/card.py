"""What a person needs to know of an exported model of similarity: what its output means, and the thresholds."""

import os

import keras

from nets.models import siamese
from tasks.similarity.model import decision_threshold
from utils.run import folder as runs


def card(model: keras.Model, part: keras.Model, path: str) -> dict:
    """What the JSON beside a part holds of its own; see `apps.exporting.card`."""
    folder = os.path.dirname(path)
    same_from, rule = decision_threshold(folder, None, None)
    more = {"same_from": same_from, "same_from_rule": rule, "thresholds": runs.read_thresholds(folder)}
    if len(part.inputs) > 1:
        return {"output": of_pair(), "more": more}
    output, compare = of_tower(model), siamese.comparer(model)
    if compare.by_distance:
        more["use"] = {name: output["similarity"][name] for name in ("boundary", "scale")}
        more["use"]["keeps_locations"] = compare.keeps_locations
    return {"output": output, "more": more}


def of_pair() -> dict:
    """What the similarity of a pair means."""
    return {"range": [0, 1], "meaning": "similarity of left and right; 1: the same thing"}


def of_tower(model: keras.Model) -> dict:
    """What an embedding means, and how two of them are compared without the pair's file where the head allows it."""
    compare, head = siamese.comparer(model), model.get_layer("head")
    card = {"unit_length": any(layer.name == "unit_length" for layer in model.get_layer("tower").layers),
            "meaning": "embedding of the picture", "similarity": None}
    if compare.by_distance:
        card["meaning"] += "; alike pictures lie near each other"
        boundary, scale = (float(weight) for weight in head.get_weights())
        card["similarity"] = {
            "formula": "1 / (1 + exp(-scale * (boundary - distance))), distance: Euclidean, of two embeddings",
            "boundary": boundary, "scale": scale}
    else:
        card["meaning"] += (f"; how alike two are is told by the head {type(head).__name__}, which is in the file of "
                            "the pair alone")
    return card
