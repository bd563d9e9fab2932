"""The answers of predict.py for programs of one's own: pictures in, NumPy out, the same numbers to the last digit.

    import compare

    model = compare.load("photos")                   # a run folder, a .keras file, or characters, photos, quality,
                                                     patches
    model.similarity("a.jpg", "b.jpg")               # 0..1
    model.embed(["a.jpg", array, pil_image])         # (3, F)
    model.search("folder", "query.jpg", top=10)      # the most alike: file and similarity
    model.duplicates("folder").groups                # groups that show the same, and the file to keep of each
    model.duplicates(["a", "b"], reference="c")      # over several folders; the pictures of c never go
    compare.load("quality").quality(["a.jpg"])       # (1,)
    compare.load("patches").match("a.jpg", "b.jpg")  # points, which of them agree, and the homography
    compare.load("logs/RUN").enlarge("a.jpg")        # after train.py --task=superres: the photo larger, a PIL image
    compare.load("deepsim").distance("a.jpg", "b.jpg")  # how far apart to the eye: 0 equal, about 1 unrelated
    compare.load("objects").find("photo.jpg", like="example.png")  # boxes of what looks like the example

A picture is the path of a file, an array (H, W) or (H, W, C) of numbers in 0..255, or a PIL image. All go through the
same preparation: turned as EXIF says, transparency on paper, grey or colour and resized as the model takes it. A
picture that cannot be read, or a model that is not there, is a ValueError in one line.

`Embedder` is a transformer of scikit-learn. Importing this module imports neither Keras nor scikit-learn; `load`
imports Keras where ONNX Runtime cannot run the model.
"""

import os
from typing import Any

import tasks
from tasks import choosing
from utils.run import startup


def load(name: str | os.PathLike = "", threshold: float | None = None, threshold_at: str | None = None,
         runtime: str = "auto") -> Any:
    """The model that `name` means, ready to answer: what its room's row in `tasks.ROOMS` names.

    Args:
        name: a run folder, a .keras file, or a ready model: characters, photos, quality, patches, x2 or objects; "":
            the newest run in logs/, otherwise the ready model for characters; "sift": SIFT in place of a model of
            patches; "deepsim": the perceptual distance.
        threshold: of similarity models: two pictures are the same from this similarity on, 0..1; None: as measured.
        threshold_at: which of the measured thresholds counts, as --threshold_at of predict.py; None: the model's own.
        runtime: what runs it, as --runtime of predict.py: auto, onnx or keras.

    Returns:
        `apps.search.model.Similarity`, `tasks.quality.model.Quality`, `tasks.patches.model.Places`,
        `tasks.superres.model.Larger`, `tasks.perceptual.model.Perceptual` or `tasks.detection.model.Objects`.

    Raises:
        ValueError: there is no such model, or it is damaged, or its room does not know what was passed.
    """
    name = os.fspath(name)
    without = [room for room, row in tasks.ROOMS.items() if name in row.without_model]
    path = name if without else choosing.find_model(name)
    room = without[0] if without else choosing.room_of_model(path)
    choosing.check_runtime(runtime, room)
    choosing.set_runtime(runtime)
    for what, value, rooms in (("threshold", threshold, [*tasks.rooms_that_embed(), "detection"]),
                               ("threshold_at", threshold_at, tasks.rooms_that_embed())):
        if value is not None and room not in rooms:
            raise ValueError(f"{what}={value}: models of {room} have no such setting: leave {what} out")
    with startup.quietly():
        return tasks.model_class(room)(path, threshold, threshold_at)


def __getattr__(name: str) -> type:
    """The classes that `load` returns, by the names that they had when they stood here, and `Embedder`; imported when
    they are asked for."""
    if name == "Embedder":
        from apps.embedder import Embedder

        return Embedder
    classes = {row.model.rsplit(".", 1)[1]: room for room, row in tasks.ROOMS.items()}
    if name in classes:
        return tasks.model_class(classes[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
