"""The tab of quality on the page."""

import os
from typing import Any

from tasks.page import Asked, Models, picture


def quality(models: Models, asked: Asked) -> dict[str, Any]:
    """How good several photos look, the best first; those that cannot be read are named."""
    files = asked.files.get("photos", [])
    if not files:
        raise ValueError("photos are missing: choose one or more")
    from tasks.quality.answer import scale_of  # and with it the readers of runs

    rows, broken = [], []
    with models.answering() as said:
        used = models.of_tab("quality", asked.model)
        for file in files:
            try:
                rows.append({"score": float(used.model.quality([file])[0]), **picture(file),
                             "unlike": bool(used.model.warning([file]))})
            except ValueError as error:
                broken.append(str(error))
    if not rows:
        raise ValueError("; ".join(broken))
    model = used.model
    scale, doubt = scale_of(model.scorer, os.path.dirname(model.path)), model.warning(files)
    for row in rows:  # what is no such photo is like none of them
        place = "" if doubt else "unlike" if row["unlike"] else scale.place(row["score"])
        row |= {"said": scale.said(row["score"]), "place": place}
    rows.sort(key=lambda row: row["score"], reverse=model.higher_is_better)
    good, bad = (pair and [scale.said(end) for end in pair] for pair in (scale.good, scale.bad))
    low, high = (model.low, model.high) if model.higher_is_better else (model.high, model.low)
    return {"used": used, "said": [*said, *broken], "found": rows, "higher": model.higher_is_better, "worst": low,
            "best": high, "good": good, "bad": bad, "warning": doubt}
