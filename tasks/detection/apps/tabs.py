"""The tab of detection on the page."""

from typing import Any

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
    scale = min(1.0, SHOWN / max(photo.shape[:2]))
    small = figures.cut_to(photo, [max(1, round(scale * side)) for side in photo.shape[1::-1]])
    names = [LIKE] if examples else used.model.names
    texts = [f"{names[label]} {score:.2f}" if not examples else f"{score:.2f}"
             for score, label in zip(found.scores, found.labels)]
    rows = [{"name": names[label], "score": f"{score:.3f}", "box": ", ".join(f"{side:.0f}" for side in box)}
            for box, score, label in zip(*found)]
    return {"used": used, "said": said, "count": len(rows), "rows": rows[:LISTED], "like": bool(examples),
            "expected": bool(examples and rows and not examples.fixed),
            "figure": as_image(figures.boxed(small, found.boxes * scale, found.labels, texts if len(rows) <= 60 else (),
                                             width=2)), "warning": doubt}
