"""The answers of predict.py for programs of one's own: pictures in, NumPy out, the same numbers to the last digit.

    import compare

    model = compare.load("photos")                   # a run folder, a .keras file, or characters, photos, quality,
                                                     patches
    model.similarity("a.jpg", "b.jpg")               # 0..1
    model.embed(["a.jpg", array, pil_image])         # (3, F)
    model.search("folder", "query.jpg", top=10)      # the most alike: file and similarity
    model.duplicates("folder").groups                # groups that show the same, and the file to keep of each
    compare.load("quality").quality(["a.jpg"])       # (1,)
    compare.load("patches").match("a.jpg", "b.jpg")  # points, which of them agree, and the homography
    compare.load("logs/RUN").enlarge("a.jpg")        # after train.py --task=superres: the photo larger, a PIL image
    compare.load("deepsim").distance("a.jpg", "b.jpg")  # how far apart to the eye: 0 equal, about 1 unrelated
    compare.load("objects").find("photo.jpg", like="example.png")  # boxes of what looks like the example

A picture is the path of a file, an array (H, W) or (H, W, C) of numbers in 0..255, or a PIL image. All go through the
same preparation: turned as EXIF says, transparency on paper, grey or colour and resized as the model takes it. A
picture that cannot be read, or a model that is not there, is a ValueError in one line.

`Embedder` is a transformer of scikit-learn. Importing this module imports no Keras; `load` does.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

import tasks
from tasks import choosing
from utils.pictures import Picture
from utils.saying import either

if TYPE_CHECKING:
    from apps.search.model import Similarity


def load(name: str | os.PathLike = "", threshold: float | None = None, threshold_at: str | None = None) -> Any:
    """The model that `name` means, ready to answer: what its room's row in `tasks.ROOMS` names.

    Args:
        name: a run folder, a .keras file, or a ready model: characters, photos, quality, patches, x2 or objects; "":
            the newest run in logs/, otherwise the ready model for characters; "sift": SIFT in place of a model of
            patches; "deepsim": the perceptual distance.
        threshold: of similarity models: two pictures are the same from this similarity on, 0..1; None: as measured.
        threshold_at: which of the measured thresholds counts, as --threshold_at of predict.py; None: the model's own.

    Returns:
        `apps.search.model.Similarity`, `tasks.quality.model.Quality`, `tasks.patches.model.Places`,
        `tasks.superres.model.Larger`, `tasks.perceptual.model.Perceptual` or `tasks.detection.model.Objects`.

    Raises:
        ValueError: there is no such model, or it is damaged.
    """
    name = os.fspath(name)
    without = [room for room, row in tasks.ROOMS.items() if name in row.without_model]
    path = name if without else choosing.find_model(name)
    room = without[0] if without else choosing.room_of_model(path)
    return tasks.model_class(room)(path, threshold, threshold_at)


def __getattr__(name: str) -> type:
    """The classes that `load` returns, by the names that they had when they stood here; imported when they are asked
    for."""
    classes = {row.model.rsplit(".", 1)[1]: room for room, row in tasks.ROOMS.items()}
    if name in classes:
        return tasks.model_class(classes[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A model of similarity as a transformer of scikit-learn: pictures -> features (N, F) float32.

    It has learnt already, so `fit` only finds the model. The model is loaded once for all clones, and is not pickled
    with them.

        make_pipeline(compare.Embedder("photos"), KNeighborsClassifier(1)).fit(paths, labels)

    Args:
        model: as `load` takes it: a run folder, a .keras file, or a ready model.

    Attributes:
        path_: the .keras file, once fitted.
    """

    def __init__(self, model: str = ""):
        self.model = model

    def fit(self, X: Sequence[Picture] | None = None, y: Any = None) -> "Embedder":
        """Finds the model; the pictures and labels are not looked at."""
        self.path_ = os.path.abspath(choosing.find_model(os.fspath(self.model)))
        self._n_features_out = once(self.path_).loaded.compare.embed(np.zeros((1, *once(self.path_).shape),
                                                                              "uint8")).shape[1]
        return self

    def transform(self, X: Sequence[Picture]) -> np.ndarray:
        """Features (N, F) float32 of N pictures: paths, arrays or PIL images."""
        check_is_fitted(self)
        return once(self.path_).embed(X)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.three_d_array, tags.input_tags.string = False, True, True
        tags.no_validation, tags.transformer_tags.preserves_dtype = True, []  # any pictures in, float32 out
        return tags


def once(path: str) -> "Similarity":
    """The model of similarity in a .keras file, loaded once as long as the file stays the same."""
    return kept(path, os.stat(path).st_mtime_ns)


@lru_cache(maxsize=4)
def kept(path: str, time: int) -> "Similarity":
    """The model of a file of that time."""
    room, rooms = choosing.room_of_model(path), tasks.rooms_that_embed()
    if room not in rooms:
        trained = [task for task, row in tasks.TASKS.items() if row.room in rooms]
        ready = [name for embedding in rooms for name in tasks.ROOMS[embedding].ready]
        raise ValueError(f"{path}: a {tasks.ROOMS[room].kind} model, expected one that embeds pictures: a run of "
                         f"--task={either(trained)}, or the ready model {either(ready)}")
    return tasks.model_class(room)(path)
