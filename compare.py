"""The answers of predict.py for programs of one's own: pictures in, NumPy out, the same numbers to the last digit.

    import compare

    model = compare.load("photos")                   # a run folder, a .keras file, or characters, photos, quality, patches
    model.similarity("a.jpg", "b.jpg")               # 0..1
    model.embed(["a.jpg", array, pil_image])         # (3, F)
    model.search("folder", "query.jpg", top=10)      # the most alike: file and similarity
    model.duplicates("folder").groups                # groups that show the same, and the file to keep of each
    compare.load("quality").quality(["a.jpg"])       # (1,)
    compare.load("patches").match("a.jpg", "b.jpg")  # points, which of them agree, and the homography

A picture is the path of a file, an array (H, W) or (H, W, C) of numbers in 0..255, or a PIL image. All go through the same
preparation: turned as EXIF says, transparency on white, grey or colour and resized as the model takes it. A picture that
cannot be read, or a model that is not there, is a ValueError in one line.

`Embedder` is a transformer of scikit-learn. Importing this module imports no Keras; `load` does.
"""

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from PIL import Image
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

import tasks
from tasks.patches.flags import MOST_KEYPOINTS, RATIO, TOLERANCE
from utils.data.images import called, read_photo
from utils.run import folder as runs

if TYPE_CHECKING:
    from apps.search.duplicates import Found
    from apps.search.gallery import Gallery
    from tasks.patches.scene import Scene

Picture = str | os.PathLike | np.ndarray | Image.Image
SIFT = "sift"  # a name for `load`: it matches photos without a model


def load(name: str | os.PathLike = "", threshold: float | None = None, threshold_at: str | None = None) -> "Similarity | Quality | Places":
    """The model that `name` means, ready to answer.

    Args:
        name: a run folder, a .keras file, or a ready model: characters, photos, quality or patches; "": the newest run in logs/,
            otherwise the ready model for characters; "sift": SIFT in place of a model of patches.
        threshold: of similarity models: two pictures are the same from this similarity on, 0..1; None: as measured.
        threshold_at: which of the measured thresholds counts, as --threshold_at of predict.py; None: the model's own.

    Raises:
        ValueError: there is no such model, or it is damaged.
    """
    if name == SIFT:
        return Places("")
    path = tasks.find_model(os.fspath(name), None)
    room = tasks.room_of_model(path)
    if room in ("quality", "patches"):
        return Quality(path) if room == "quality" else Places(path)
    return Similarity(path, threshold, threshold_at)


class Hit(NamedTuple):
    """A picture that was found: its file, relative to the folder, and its similarity to the query, 0..1."""

    file: str
    similarity: float


class Similarity:
    """Same or different, and how alike: what `load` returns for models of `siamese`, `triplet` and `copies`.

    Attributes:
        path: the .keras file.
        shape: (height, width, channels) that the model takes; pictures of any size are brought to it.
        threshold: two pictures are the same from this similarity on, 0..1.
        known: what the model learnt from, its about.json; None where it has none.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        from tasks.similarity import answer

        self.loaded = answer.open_model(path, threshold, threshold_at)[0]
        self.path, self.shape, self.threshold, self.known = path, self.loaded.shape, self.loaded.threshold, self.loaded.known

    def embed(self, pictures: Sequence[Picture]) -> np.ndarray:
        """Features (N, F) float32 of N pictures."""
        from tasks.similarity import answer

        return answer.embed(self.loaded, several(pictures))

    def similarity(self, a: Picture, b: Picture) -> float:
        """How alike two pictures are, 0..1; the same thing from `threshold` on."""
        from tasks.similarity import answer

        return answer.similarity_of(self.loaded, a, b)

    def search(self, folder: str | os.PathLike, query: Picture, top: int = 10, index: str = "exact", collection: str = "pictures") -> list[Hit]:
        """The pictures of a folder that are most like the query, most like first; the folder, or the index, keeps its embeddings.

        Args:
            index, collection: as --index and --collection of predict.py.

        Raises:
            ValueError: no folder, no picture in it, a query that cannot be read, or an index that cannot be used.
        """
        from apps.search.index import make_index

        features = self.embed([query])
        opened = make_index(index, os.path.expanduser(folder), self.loaded, collection)
        opened.update()
        return [Hit(*found) for found in opened.nearest(features, top)[0]]

    def duplicates(self, folder: str | os.PathLike, force: bool = False) -> "Found":
        """Groups of pictures of a folder that show the same: `groups`, each with `keep` and `members`; `share` of alike pairs; `too_many`.

        Args:
            force: find groups with a model that calls more than 5 % of all pairs the same, too; otherwise only identical files are found.
        """
        from apps.search import duplicates
        from tasks.quality.scoring import quality_of_centres

        return duplicates.find(self.open(folder), self.loaded.compare, self.threshold, force, quality_of_centres)

    def open(self, folder: str | os.PathLike) -> "Gallery":
        """The folder as `apps.search.gallery.Gallery`: paths (N,), features (N, F), keys (N,) of their contents."""
        from apps.search import gallery

        return gallery.open_gallery(os.path.expanduser(folder), self.path, self.loaded.compare, self.shape)

    def warning(self, pictures: Sequence[Picture]) -> str:
        """Why answers about these pictures may mean nothing; "" where they look like those that the model learnt from."""
        from tasks import about

        return about.warning(self.known, about.read_thumbnails(several(pictures)))

    def transformer(self) -> "Embedder":
        """The embedding as a transformer of scikit-learn."""
        return Embedder(self.path).fit()


class Quality:
    """How good photos look: what `load` returns for models of `rank` and `finetune`.

    Attributes:
        path: the .keras file.
        higher_is_better: the direction of the scores.
        low, high: range of the scores that the model was fitted to; others may lie outside. None where it is unknown.
    """

    def __init__(self, path: str):
        from nets import rankiqa
        from tasks.models import load_model

        self.path, self.scorer = path, rankiqa.scorer(load_model(path, rankiqa.KIND))
        self.higher_is_better, self.low, self.high = self.scorer.higher_is_better, self.scorer.low, self.scorer.high

    def quality(self, pictures: Sequence[Picture], crops: int = 0) -> np.ndarray:
        """Scores (N,) float64 of N photos.

        Args:
            crops: the score is the mean over so many random crops; 0: of the whole photo, or of 30 crops where it is large.
        """
        from tasks.quality.scoring import photo_score

        return np.array([photo_score(self.scorer, read_photo(picture), crops) for picture in several(pictures)])


class Places:
    """Whether photos show the same place: what `load` returns for models of `patches`, and for "sift".

    Attributes:
        path: the .keras file; "" for SIFT.
    """

    def __init__(self, path: str):
        from tasks.patches import describers

        self.path, self.describer = path, describers.of_model(path) if path else describers.SIFT

    def match(self, a: Picture, b: Picture, ratio: float = RATIO, tolerance: float = TOLERANCE, geometry: str = "homography",
              most_keypoints: int = MOST_KEYPOINTS) -> "Scene":
        """What two photos have in common: `same`, pixels `a` and `b` (K, 2) of the matches, `inliers` (K,), `matrix` (3, 3) from a to b or None.

        The arguments are the flags of predict.py of these names; see `tasks.patches.scene.Scene` for all that is returned.
        """
        from tasks.patches import scene

        views = [scene.view(picture, self.describer, most_keypoints) for picture in (a, b)]
        return scene.compare(*views, ratio, tolerance, geometry)


class Embedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """A model of similarity as a transformer of scikit-learn: pictures -> features (N, F) float32.

    It has learnt already, so `fit` only finds the model. The model is loaded once for all clones, and is not pickled with them.

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
        self.path_ = os.path.abspath(tasks.find_model(os.fspath(self.model), None))
        self._n_features_out = once(self.path_).loaded.compare.embed(np.zeros((1, *once(self.path_).shape), "uint8")).shape[1]
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


def once(path: str) -> Similarity:
    """The model of similarity in a .keras file, loaded once as long as the file stays the same."""
    return kept(path, os.stat(path).st_mtime_ns)


@lru_cache(maxsize=4)
def kept(path: str, time: int) -> Similarity:
    """The model of a file of that time."""
    if (kind := runs.kind_of(path)) != tasks.ROOMS["similarity"].kind:
        raise ValueError(f"{path}: {f'a {kind} model' if kind else 'not a Keras model'}, expected one that embeds pictures: a run of "
                         "--task=siamese, triplet or copies, or the ready model characters or photos")
    return Similarity(path)


def several(pictures: Sequence[Picture]) -> Sequence[Picture]:
    """The pictures; ValueError where it is a single one, which is easily passed in place of several."""
    shape = getattr(pictures, "shape", ())
    if isinstance(pictures, str | os.PathLike) or not hasattr(pictures, "__len__") or len(shape) == 2 or len(shape) == 3 and shape[2] <= 4:
        raise ValueError(f"received {called(pictures)}, expected several pictures: put a single one into a list")
    return pictures
