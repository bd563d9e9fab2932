"""Two photos -> do they show the same place, and where lies one in the other: key points, matches, geometry, decision.

The decision is calibrated against chance. Of n matches without meaning, k agree with some map of p points, within a
disk that covers the share s of the photo, in about (n - p) C(n, k) C(k, p) s^(k - p) ways (Moisan and Stival 2004, the
number of false alarms). The photos are said to show the same place where that number is below `ALARMS`, and where they
look alike around the matches too: a caption, a frame or a watermark that was laid over both photos agrees with itself
alone.
"""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy.special import gammaln

from tasks.patches.data.sets import read_keypoints
from tasks.patches.describers import Describer
from utils.data.images import called, open_image
from utils.keypoints import geometry
from utils.keypoints.detector import Keypoints, detect
from utils.keypoints.matching import match
from utils.keypoints.surroundings import matching_cells
from utils.saying import counted

ALARMS = 1e-6  # agreements by chance that are accepted for a pair of photos; below 1, because key points crowd together
MOST_PIXELS = 4_000_000  # of a photo in which key points are looked for; a larger one is scaled down
LONG = 4  # times as many of a photo that is at least so many times as long as it is wide
FINE = 3.6  # size of key points below which only doubled photos have them
SHRINKING = Image.Resampling.BILINEAR  # weighs each row by what it shares; Pillow's BOX takes rows whole or not at all
AROUND = 1 / 3  # least share of the places of both photos that must look alike; by chance it is below .1
SMALL = 0.01  # greatest tolerance, as a share of the shorter side of the second photo


class View(NamedTuple):
    """A photo as it is compared: its picture (H, W) or (H, W, 3), its pixels in pixels of the file, key points,
    descriptors (N, F), and how many weaker key points were left out."""

    file: str
    photo: np.ndarray
    pixel: float
    keypoints: Keypoints
    descriptors: np.ndarray
    left_out: int = 0

    def points(self) -> np.ndarray:
        """The key points (N, 2) in pixels of the file, upright."""
        return (self.keypoints.xy.astype(float) + 0.5) * self.pixel - 0.5


class Scene(NamedTuple):
    """What two photos have in common.

    Attributes:
        a, b: pixels of the matches in each file (K, 2), upright as EXIF says; each point once.
        distance, ratio: of the descriptors of each match (K,).
        inliers: which matches agree (K,).
        matrix: pixels of a -> pixels of b (3, 3), or None where the photos do not show the same place.
        needed: matches that must agree, so that it is not chance.
        places, alike: how many places of what both photos show were looked at, and how many look alike, see
            `matching_cells`; 0 where no matches agree.
        part: share of the first photo that a box around most agreeing matches covers.
    """

    a: np.ndarray
    b: np.ndarray
    distance: np.ndarray
    ratio: np.ndarray
    inliers: np.ndarray
    matrix: np.ndarray | None
    needed: int
    places: int = 0
    alike: int = 0
    part: float = 0.0

    @property
    def same(self) -> bool:
        """Whether both photos show the same place."""
        return self.matrix is not None

    @property
    def laid_over(self) -> bool:
        """Whether matches agree, and only on what seems to be laid over both photos."""
        return not self.same and int(self.inliers.sum()) >= self.needed

    @property
    def reason(self) -> str:
        """Why the photos are not said to show the same place; "" where they are."""
        agree = f"{int(self.inliers.sum()) or 'none'} of {len(self.a)} matches agree"
        if self.same:
            return ""
        if not self.laid_over:
            return f"{agree}, and below {self.needed} it may be chance"
        where = f"they agree only in a part of {100 * self.part:.0f} %, and " if self.part < AROUND else ""
        around = (f"of {counted(self.places, 'place')} around them {self.alike or 'none'} look alike" if self.places
                  else "there is too little around them that both photos show")
        return f"{agree}, but {where}{around}: a caption, a frame or a watermark?"


def view(file, describer: Describer, most: int, keypoints: str = "") -> View:
    """Reads a photo, a file or one in memory, finds its key points, or reads them from a file, and describes them.

    Raises:
        ValueError: a file cannot be read, naming it.
    """
    picture = open_image(file, "L" if describer.channels == 1 else "RGB")
    squares = max(picture.size) // min(picture.size)  # a long one, such as a screenshot of a whole page, holds several
    limit = MOST_PIXELS * min(max(1, squares), LONG)
    pixel = max(1.0, float(np.sqrt(picture.width * picture.height / limit)))
    if pixel > 1 and not keypoints:
        size = round(picture.width / pixel), round(picture.height / pixel)
        pixel = picture.width / size[0]
        picture = picture.resize(size, SHRINKING)
    pixel = 1.0 if keypoints else pixel
    photo = np.asarray(picture)
    if keypoints:
        points = read_keypoints(keypoints, file)
        return View(called(file), photo, pixel, points, describer.describe(photo, points))
    points = detect(np.asarray(picture.convert("L"), "float32"))
    kept = strongest(points, photo.shape[:2], most)
    return View(called(file), photo, pixel, kept, describer.describe(photo, kept), len(points.xy) - len(kept.xy))


def strongest(points: Keypoints, shape: tuple[int, int], most: int) -> Keypoints:
    """The strongest key points, `most` of each square that a photo of `shape` (height, width) is long; 0: all.

    At most half of them are of the finest scale, where others are left: a large photo, which is not doubled to find
    such points, has none of them, and a small one might keep no others.

    Args:
        points: sorted, the strongest first; they stay so.
    """
    if not most:
        return points
    squares = max(1, max(shape) // min(shape))
    square = np.minimum(points.xy[:, int(shape[0] > shape[1])] // (max(shape) / squares), squares - 1).astype(int)
    fine = points.size < FINE
    kept = []
    for number in range(squares):
        inside = square == number
        coarse_ones, fine_ones = np.flatnonzero(inside & ~fine), np.flatnonzero(inside & fine)
        room = max(most // 2, most - len(coarse_ones))
        kept += [fine_ones[:room], coarse_ones[: most - min(room, len(fine_ones))]]
    return points.take(np.sort(np.concatenate(kept)))


def compare(a: View, b: View, ratio: float, tolerance: float, model: str = "homography") -> Scene:
    """Matches two photos and finds the map that most matches agree with.

    Args:
        model: of `utils.keypoints.geometry.MODELS`.
    """
    matches = match(a.descriptors, b.descriptors, ratio)
    left, right = a.points()[matches.rows[:, 0]], b.points()[matches.rows[:, 1]]
    # several angles of a point are one match
    once = np.sort(np.unique(np.rint(np.concatenate([left, right], axis=1)), axis=0, return_index=True)[1])
    left, right, matches = left[once], right[once], matches.take(once)
    height, width = (side * b.pixel for side in b.photo.shape[:2])
    tolerance = min(tolerance * b.pixel, SMALL * min(height, width))
    least = needed(len(left), np.pi * tolerance**2 / (height * width), geometry.MODELS[model].points)
    rest, refused = np.arange(len(left)), None
    while True:  # what lies over both photos may hide what the photos themselves agree on
        best = geometry.ransac(left[rest], right[rest], model, tolerance)
        inliers = np.isin(np.arange(len(left)), rest[best.inliers])
        scene = Scene(left, right, matches.distance, matches.ratio, inliers, None, least)
        if best.matrix is None or inliers.sum() < least:
            return refused or scene
        shown = geometry.scaling(1 / b.pixel) @ best.matrix @ geometry.scaling(a.pixel)
        alike = matching_cells(a.photo, b.photo, shown)
        part = covered(left[inliers] / a.pixel) / np.prod(a.photo.shape[:2])
        scene = scene._replace(places=len(alike), alike=int(alike.sum()), part=float(part))
        if len(alike) and alike.mean() >= AROUND:
            return scene._replace(matrix=best.matrix)
        rest, refused = rest[~best.inliers], refused or scene


def covered(points: np.ndarray) -> float:
    """The area of a box, turned as the points (N, 2) spread, that holds all but the outermost 5 % on each side."""
    points = points - np.median(points, axis=0)
    low, high = np.percentile(points @ np.linalg.svd(points, full_matrices=False)[2].T, (5, 95), axis=0)
    return float((high - low).prod())


def needed(count: int, share: float, points: int) -> int:
    """How many of `count` matches must agree so that fewer than `ALARMS` such agreements are expected by chance.

    Args:
        share: of the photo that is within the tolerance of a point.
        points: that fix a map.
    """
    agreeing = np.arange(points + 1, count + 1)
    if not len(agreeing):
        return points + 1
    alarms = (np.log(count - points) + choices(count, agreeing) + choices(agreeing, points) + (agreeing - points)
              * np.log(min(share, 1)))
    rare = agreeing[alarms < np.log(ALARMS)]
    return int(rare.min(initial=count + 1))


def choices(count, chosen):
    """The logarithm of the binomial coefficient."""
    return gammaln(np.add(count, 1)) - gammaln(np.add(chosen, 1)) - gammaln(np.subtract(count, chosen) + 1)
