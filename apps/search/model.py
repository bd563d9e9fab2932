"""A model of similarity that also searches folders, as programs of one's own use it."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from apps.search import duplicates, proven, views
from apps.search.clearing.folders import Folders, together, without_reference
from apps.search.indexes.index import make_index
from tasks import about
from tasks.copies.proof.verdict import Proof, Said, prove, see
from tasks.quality.model import quality_of_centres
from tasks.similarity import model
from utils import gallery
from utils.pictures import Picture, several

Roots = str | os.PathLike | Sequence[str | os.PathLike]  # a folder, or several


class Hit(NamedTuple):
    """A picture that was found: its file, relative to the folder, and its similarity to the query, 0..1."""

    file: str
    similarity: float


class Similarity:
    """Same or different, and how alike: what `compare.load` returns for models of `siamese`, `triplet` and `copies`.

    Attributes:
        path: the .keras file.
        shape: (height, width, channels) that the model takes; pictures of any size are brought to it.
        threshold: two pictures are the same from this similarity on, 0..1.
        known: what the model learnt from, its about.json; None where it has none.
        proves: whether `duplicates` and `prove` look at both pictures, as models of copies do.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        self.loaded = model.open_model(path, threshold, threshold_at)[0]
        self.chosen = threshold is not None or threshold_at is not None
        self.path, self.shape, self.threshold, self.known = (path, self.loaded.shape, self.loaded.threshold,
                                                             self.loaded.known)
        self.proves = self.loaded.proves

    def embed(self, pictures: Sequence[Picture]) -> np.ndarray:
        """Features (N, F) float32 of N pictures."""
        return model.embed(self.loaded, several(pictures))

    def similarity(self, a: Picture, b: Picture) -> float:
        """How alike two pictures are, 0..1; the same thing from `threshold` on."""
        return model.similarity_of(self.loaded, a, b)

    def search(self, folder: str | os.PathLike, query: Picture, top: int = 10, index: str = "exact",
               collection: str = "pictures") -> list[Hit]:
        """The pictures of a folder that are most like the query, most like first, without the query itself; the folder,
        or the index, keeps its embeddings.

        Args:
            index, collection: as --index and --collection of predict.py.

        Raises:
            ValueError: no folder, no picture in it, a query that cannot be read, an index that cannot be used, or
                `top` below 1.
        """
        if top < 1:
            raise ValueError(f"received top={top}, expected 1 or more")
        features = self.embed([query])
        root = os.path.expanduser(folder)
        opened = make_index(index, root, self.loaded, collection)
        opened.update()
        return [Hit(*hit) for hit in gallery.others(opened.nearest(features, top + 1)[0], root, query)[:top]]

    def prove(self, a: Picture, b: Picture) -> Proof:
        """Whether one picture is a copy of the other: `verdict`, `matrix`, `agree`, and the `places` that differ."""
        return prove(see(a), see(b), recoloured=self.loaded.recoloured)

    def verdicts(self, folder: str, query: Picture, hits: Sequence[Hit]) -> list[Said]:
        """What looking at a picture and each that `search` found says, of models of copies: `verdict`, "copy", "copy
        with changes", or "" where they are different, and `other_colour`."""
        return proven.verdicts(query, os.path.expanduser(folder), list(hits), self.loaded.compare, self.threshold,
                               self.loaded.recoloured)

    def threshold_for(self, pairs: int, expected_wrong: float = 1.0) -> float:
        """The threshold where so many pairs are compared: of models of persons or things that at which about so many
        different pairs are wrongly called alike; `threshold` where it was chosen, and of models of copies."""
        return (self.threshold if self.chosen or self.loaded.proves
                else model.many_threshold(self.loaded, pairs, expected_wrong)[0])

    def identical(self, folder: Roots, reference: Roots = ()) -> duplicates.Found:
        """Groups of files of the same contents alone; folders as for `duplicates`."""
        folders = self.gathered(folder, reference)
        return without_reference(duplicates.identical(folders.opened, quality_of_centres, self.loaded.proves),
                                 folders.fixed)

    def duplicates(self, folder: Roots, force: bool = False, expected_wrong: float = 1.0, proof: bool = True,
                   reference: Roots = ()) -> duplicates.Found:
        """Groups of pictures of a folder, or over several, that are alike, or copies: `groups`, each with `members`
        and, of copies, `keep`; `share` of alike pairs; `too_many`.

        Args:
            folder: one, and files are named relative to it; or a list, and they are named by whole paths. A file that
                lies in two of them counts once.
            force: find groups with a model that calls more than 5 % of all pairs the same, or puts more than a tenth of
                all pictures into one group, too; otherwise only identical files are found.
            expected_wrong: see `threshold_for`.
            proof: with a model of copies, look at both pictures of each pair; see `apps.search.proven`.
            reference: a folder, or a list, whose pictures never go (`goes` of a member) and are not compared with each
                other; files are named by whole paths then.

        Raises:
            ValueError: no folder is named, or one is no folder, or has no picture that can be read.
        """
        proving = self.proves and proof
        opened, seen, fixed = self.gathered(folder, reference, proving and self.loaded.compare.by_distance)
        if proving:
            result = proven.find(opened, self.loaded.compare, self.threshold, quality_of_centres, seen,
                                 self.loaded.recoloured, fixed)
        else:
            threshold = self.threshold_for(len(opened.paths) * (len(opened.paths) - 1) // 2, expected_wrong)
            result = duplicates.find(opened, self.loaded.compare, threshold, force, quality_of_centres,
                                     copies=self.loaded.proves)
        return without_reference(result, fixed)

    def open(self, folder: Roots, reference: Roots = ()) -> gallery.Gallery:
        """A folder, or several, as `utils.gallery.Gallery`: paths (N,), features (N, F), keys (N,) of their
        contents; folders as for `duplicates`."""
        return self.gathered(folder, reference).opened

    def gathered(self, folder: Roots, reference: Roots = (), cropped: bool = False) -> Folders:
        """Folders as one, the reference first; `cropped`: with the views of each picture."""
        roots, fixed = several_roots(folder), several_roots(reference)
        if not roots:
            raise ValueError("no folder is named; expected a folder of pictures, or a list of folders")
        parts = [gallery.open_gallery(root, self.path, self.loaded.compare, self.shape) for root in (*fixed, *roots)]
        seen = [views.open_views(part, self.path, self.loaded.compare, self.shape) if cropped else None
                for part in parts]
        return together(parts, seen, len(fixed))

    def warning(self, pictures: Sequence[Picture]) -> str:
        """Why answers about these pictures may mean nothing; "" where they look like those that the model learnt
        from, and the threshold was measured."""
        return "; ".join(filter(None, [self.loaded.doubt, about.doubt_about(self.known, several(pictures))]))

    def transformer(self):
        """The embedding as a transformer of scikit-learn, `compare.Embedder`."""
        from apps.embedder import Embedder

        return Embedder(self.path).fit()


def several_roots(folders: Roots) -> list[str]:
    """Folders as a list, where a single one was named too; "~" is the home."""
    return [os.path.expanduser(root) for root in ([folders] if isinstance(folders, str | os.PathLike) else folders)]
