"""A model of patches, as programs of one's own use it: do photos show the same place?"""

from tasks.patches import describers, scene
from tasks.patches.flags import MOST_KEYPOINTS, RATIO, TOLERANCE
from tasks.patches.scene import Scene
from utils.pictures import Picture

SIFT = "sift"  # matches photos without a model


class Places:
    """Whether photos show the same place: what `compare.load` returns for models of `patches`, and for "sift".

    Attributes:
        path: the .keras file; "sift" for SIFT.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        self.path, self.describer = path, describers.SIFT if path == SIFT else describers.of_model(path)

    def match(self, a: Picture, b: Picture, ratio: float = RATIO, tolerance: float = TOLERANCE,
              geometry: str = "homography",
              most_keypoints: int = MOST_KEYPOINTS) -> Scene:
        """What two photos have in common: `same`, pixels `a` and `b` (K, 2) of the matches, `inliers` (K,), `matrix`
        (3, 3) from a to b or None.

        The arguments are the flags of predict.py of these names; see `Scene` for all that is returned.
        """
        views = [scene.view(picture, self.describer, most_keypoints) for picture in (a, b)]
        return scene.compare(*views, ratio, tolerance, geometry)


def learnt(known: dict) -> str:
    """What a model knows that learnt from places in photos, by its about.json, in a line."""
    return f"learnt from {known['images']} {known['shows']} and the places in them"
