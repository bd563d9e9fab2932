"""The tab of detection on the page."""

from typing import Any

import numpy as np

from tasks.detection import figures
from tasks.detection.like import examples_of
from tasks.page import Asked, Models, as_image
from utils.data.images import read_photo

SHOWN = 900  # pixels of the longer side of the photo on the page
LISTED = 200  # objects in the table


def objects(models: Models, asked: Asked) -> dict[str, Any]:
    """A photo with boxes around what was found, or around what looks like an example, and their table."""
    from tasks.detection.model import LIKE  # and with it Keras, which the other tabs may not need

    file, example = asked.picture("photo"), next(iter(asked.files.get("example", [])), "")
    with models.answering() as said:
        used = models.of_tab("objects", asked.model)
        photo = read_photo(file)
        examples = examples_of([example]) if example else None
        found = used.model.like(photo, examples) if examples else used.model.answer(photo)
        doubt = "; ".join(filter(None, [used.model.warning(file, bool(examples)), examples.doubt if examples else ""]))
    names = [LIKE] if examples else used.model.names
    picture = figures.with_found(photo, found, names, SHOWN)
    if figures.needs_key(found, names):
        key = figures.key(found.labels, names, picture.shape[1])
        picture = np.concatenate([picture, key])
    rows = [{"name": names[label], "score": f"{score:.3f}", "box": ", ".join(f"{side:.0f}" for side in box)}
            for box, score, label in zip(*found)]
    return {"used": used, "said": said, "count": len(rows), "rows": rows[:LISTED], "like": bool(examples),
            "expected": bool(examples and rows and not examples.fixed),
            "figure": as_image(picture), "warning": doubt}
