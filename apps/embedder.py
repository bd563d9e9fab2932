"""A model of similarity as a transformer of scikit-learn, which `compare.Embedder` means."""

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
