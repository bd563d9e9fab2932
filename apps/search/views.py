"""Views of a picture: parts of it and its quarter turns, each embedded by itself.

A copy that shows only a part of a photo, or a turned photo, is far from the whole photo but near to one of its views.
Views only bring candidates forward: a proof decides, see `apps.search.proven`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from utils.data.files import digest
from utils.gallery import Gallery, embedded
from utils.metrics.retrieval import Index

if TYPE_CHECKING:
    from nets.models.siamese import Comparer

PARTS = ((0.85, 2), (0.7, 3), (0.5, 4))  # side of a part as a share of the picture's; how many fill a row
TURNS = (Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)
LARGER = 2  # times the model's input, so that the smallest part fills it
FEW = 16  # pictures whose views are in memory at once
NEAR = 1.0  # times the distance of the threshold up to which a whole picture and a view may show the same


def boxes() -> list[tuple[float, float, float, float]]:
    """The parts: left, top, right, bottom as shares of the picture's sides."""
    return [(left, top, left + side, top + side) for side, count in PARTS
            for top in np.linspace(0, 1 - side, count) for left in np.linspace(0, 1 - side, count)]


def views_of(picture: np.ndarray) -> np.ndarray:
    """The views of a picture (2 H, 2 W, C) uint8, as the model takes them: (V, H, W, C) uint8."""
    image = Image.fromarray(picture if picture.shape[2] == 3 else picture[..., 0])
    size = (image.width // LARGER, image.height // LARGER)
    whole = [image.transpose(turn).resize(size, Image.Resampling.BOX) for turn in TURNS]
    parts = [image.resize(size, Image.Resampling.BILINEAR, [share * side for share, side in zip(box, image.size * 2)])
             for box in boxes()]
    return np.stack([np.asarray(view).reshape(*size[::-1], -1) for view in whole + parts])


def embed_views(comparer: "Comparer", pictures: np.ndarray) -> np.ndarray:
    """Features of the views of pictures (N, 2 H, 2 W, C) uint8, one after the other: (N, V F) float32."""
    blocks = (pictures[start : start + FEW] for start in range(0, len(pictures), FEW))
    return np.concatenate([comparer.embed(np.concatenate([views_of(picture) for picture in block]))
                           .reshape(len(block), -1) for block in blocks])


def open_views(opened: Gallery, model: str, comparer: "Comparer", shape: tuple[int, int, int]) -> np.ndarray:
    """Features of the views of all pictures of a gallery: (N, V, F) float32; of a file that is gone the whole.

    They are kept in the folder beside its embeddings, see `utils.gallery.embedded`.
    """
    width = opened.features.shape[1]
    large = (LARGER * shape[0], LARGER * shape[1], shape[2])
    made = embedded(opened.root, opened.paths, f"{digest(model)[:12]}-views",
                    lambda pictures: embed_views(comparer, pictures), large)
    by_path = dict(zip(made.paths, made.features.reshape(len(made.paths), -1, width)))
    count = made.features.shape[1] // width
    return np.stack([by_path.get(path, np.tile(whole, (count, 1)))
                     for path, whole in zip(opened.paths, opened.features)])


def nearest(features: np.ndarray, views: np.ndarray, most: int, limit: float,
            themselves: bool = False) -> Iterator[tuple[int, int]]:
    """Pairs (q, n): of each whole picture q the pictures n of which a view is nearest to it.

    Args:
        features: (Q, F) of whole pictures.
        views: (N, V, F).
        most: pictures n of each q.
        limit: the Euclidean distance up to which a view counts.
        themselves: whether picture q is picture n, which is then no answer to itself.
    """
    count, per = views.shape[:2]
    for rows, squares in Index(views.reshape(count * per, -1)).blocks(features):
        closest = squares.reshape(len(squares), count, per).min(axis=2)
        if themselves:
            closest[np.arange(len(closest)), np.arange(rows.start, rows.stop)] = np.inf
        best = np.argsort(closest, axis=1, kind="stable")[:, :most]
        near = np.take_along_axis(closest, best, axis=1) <= limit**2
        yield from ((rows.start + int(q), int(best[q, k])) for q, k in np.argwhere(near))
