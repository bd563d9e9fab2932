"""Key points of a photo: extrema of differences of Gaussians over octaves and scales, each with an orientation.

Lowe, "Distinctive image features from scale-invariant keypoints", IJCV 2004, sections 3 to 5. Constants are those of
the article and of OpenCV, so that the points of both can be compared.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from utils.keypoints.filters import blurred

SCALES = 3  # scales in an octave at which key points are looked for
SIGMA = 1.6  # blur of the first image of an octave, in its pixels
CAMERA = 0.5  # blur that a photo is taken to have, in its pixels
CONTRAST = 0.04 / SCALES * 255  # least |difference of Gaussians| at a key point, in grey values
EDGE = 10.0  # greatest ratio of the two curvatures at a key point
BORDER = 5  # pixels at the rim of an octave in which no key point lies
MOVES = 5  # times that an extremum may move to a neighbour while it is refined
BINS, NEAR = 36, 0.8  # of the histogram of orientations; height of a further peak, as a share of the highest
LARGE = 4_000_000  # pixels from which on a photo is not doubled: it has points enough, and memory is not endless
BLOCK = 2000  # key points whose orientations are found at once


class Keypoints(NamedTuple):
    """N key points, in the coordinates of OpenCV: x to the right, y down, and the centre of the first pixel is (0,
    0)."""

    xy: np.ndarray  # (N, 2) float32, pixels
    size: np.ndarray  # (N,) float32, diameter in pixels: twice the sigma at which the point was found
    angle: np.ndarray  # (N,) float32, degrees in 0..360, clockwise from x
    response: np.ndarray  # (N,) float32, contrast in grey values

    def take(self, rows) -> "Keypoints":
        """Only these rows."""
        return Keypoints(*(values[rows] for values in self))


def detect(grey: np.ndarray, most: int = 0, contrast: float = CONTRAST, doubled: bool | None = None) -> Keypoints:
    """The key points of a photo, the strongest first.

    Args:
        grey: (H, W) float32, 0..255.
        most: how many are kept; 0: all. A point with two orientations counts twice.
        contrast: least contrast of a point, in grey values.
        doubled: whether the photo is doubled first, which finds points of less than 3 pixels. None: photos below
            `LARGE` pixels.

    Raises:
        ValueError: not a grey picture.
    """
    grey = np.asarray(grey, "float32")
    if grey.ndim != 2:
        raise ValueError(f"got an array of shape {grey.shape}, expected a grey picture (height, width)")
    doubled = grey.size < LARGE if doubled is None else doubled
    parts = []
    for octave, images in enumerate(octaves(grey, doubled)):
        pixel = 2.0 ** (octave - doubled)  # of this octave, in pixels of the photo
        points = refined(*extrema(images, contrast), contrast)
        parts.append(oriented(images, points, pixel))
    points = Keypoints(*(np.concatenate(values).astype("float32") for values in zip(empty(), *parts)))
    points = points._replace(xy=points.xy.reshape(-1, 2))
    order = np.lexsort((points.angle, points.size, points.xy[:, 0], points.xy[:, 1], -points.response))
    return points.take(order[: most or None])


def empty() -> Keypoints:
    """No key points."""
    return Keypoints(np.zeros((0, 2), "float32"), *np.zeros((3, 0), "float32"))


def octaves(grey: np.ndarray, doubled: bool) -> Iterator[np.ndarray]:
    """Each octave as `SCALES` + 3 images of growing blur (S, H, W); the next octave has half the width and height."""
    image = double(grey) if doubled else grey
    image = blur(image, SIGMA, CAMERA * (2 if doubled else 1))
    while min(image.shape) > 2 * BORDER + 2:
        images = np.empty((SCALES + 3, *image.shape), "float32")
        images[0] = image
        for scale in range(1, len(images)):
            images[scale] = blur(images[scale - 1], SIGMA * 2 ** (scale / SCALES), SIGMA * 2 ** ((scale - 1) / SCALES))
        yield images
        image = images[SCALES][::2, ::2]


def double(grey: np.ndarray) -> np.ndarray:
    """A picture with twice the pixels each way (2H - 1, 2W - 1): pixel (2y, 2x) is pixel (y, x) of the picture."""
    doubled = np.empty(2 * np.array(grey.shape) - 1, grey.dtype)
    doubled[::2, ::2] = grey
    doubled[::2, 1::2] = (grey[:, 1:] + grey[:, :-1]) / 2
    doubled[1::2] = (doubled[2::2] + doubled[:-2:2]) / 2
    return doubled


def blur(image: np.ndarray, sigma: float, before: float) -> np.ndarray:
    """The picture, whose blur is `before`, with the blur `sigma`."""
    return blurred(image, np.sqrt(max(sigma**2 - before**2, 0.01)), truncate=3.5)


def extrema(images: np.ndarray, contrast: float) -> tuple[np.ndarray, np.ndarray]:
    """The differences of neighbouring images (S - 1, H, W), and the points (N, 3) of values above or below all 26
    neighbours."""
    differences = np.diff(images, axis=0)
    flat, strides = differences.ravel(), steps(differences)
    at = np.concatenate([candidates(differences[scale], contrast) + scale * differences[0].size
                         for scale in range(1, len(differences) - 1)])
    sign = np.sign(flat[at])
    # near neighbours reject the most
    for step in sorted(np.ndindex(3, 3, 3), key=lambda step: np.abs(np.subtract(step, 1)).sum())[1:]:
        kept = sign * flat[at] >= sign * flat[at + np.subtract(step, 1) @ strides]
        at, sign = at[kept], sign[kept]
    return differences, np.stack(np.unravel_index(at, differences.shape), axis=1)


def candidates(plane: np.ndarray, contrast: float) -> np.ndarray:
    """Where a plane (H, W) of differences is strong, and above or below its neighbours in the row: (N,) in the flat
    plane."""
    strong = np.zeros(plane.shape, bool)
    strong[BORDER:-BORDER, BORDER:-BORDER] = np.abs(plane[BORDER:-BORDER, BORDER:-BORDER]) > 0.5 * contrast
    at, flat = np.flatnonzero(strong), plane.ravel()
    value, left, right = flat[at], flat[at - 1], flat[at + 1]
    return at[np.where(value > 0, (value >= left) & (value >= right), (value <= left) & (value <= right))]


def steps(stack: np.ndarray) -> np.ndarray:
    """How far neighbours along scale, y and x lie apart in the flat array."""
    return np.array([stack[0].size, stack.shape[2], 1])


def refined(differences: np.ndarray, extrema: np.ndarray, contrast: float) -> np.ndarray:
    """Extrema (N, 4) as scale, y, x with fractions, and contrast: where a parabola through the neighbours has its own;
    weak ones and edges left out.

    Args:
        extrema: (N, 3) int, scale, y and x.
    """
    top = np.array(differences.shape) - (2, BORDER + 1, BORDER + 1)
    settled = [np.zeros((0, 4))]
    for _ in range(MOVES):
        value, slope, curvature = derivatives(differences, extrema)
        solid = np.abs(np.linalg.det(curvature)) > 1e-9
        extrema, value, slope, curvature = (array[solid] for array in (extrema, value, slope, curvature))
        shift = -np.linalg.solve(curvature, slope[:, :, None])[:, :, 0]
        done = (np.abs(shift) < 0.5).all(1)
        height = value + 0.5 * (slope * shift).sum(1)
        trace, product = (f(curvature[:, 1:, 1:]) for f in (lambda c: np.trace(c, axis1=1, axis2=2), np.linalg.det))
        good = done & (np.abs(height) >= contrast) & (product > 0) & (trace**2 * EDGE < (EDGE + 1) ** 2 * product)
        settled.append(np.concatenate([extrema + shift, np.abs(height)[:, None]], axis=1)[good])
        going = ~done & (np.abs(shift) < 1e3).all(1)
        extrema = extrema[going] + np.rint(shift[going]).astype(int)
        extrema = extrema[((extrema >= (1, BORDER, BORDER)) & (extrema <= top)).all(1)]
    return np.unique(np.concatenate(settled), axis=0)


def derivatives(differences: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value (N,), slope (N, 3) and curvature (N, 3, 3) along scale, y and x at points, by differences of neighbours."""
    strides, flat = steps(differences), differences.ravel()
    at = points @ strides
    value = flat[at].astype(float)
    slope = np.stack([flat[at + step].astype(float) - flat[at - step] for step in strides], axis=1) / 2
    curvature = np.empty((len(at), 3, 3))
    for i, a in enumerate(strides):
        curvature[:, i, i] = flat[at + a] + flat[at - a] - 2 * value
        for j, b in enumerate(strides[:i]):
            mixed = (flat[at + a + b].astype(float) - flat[at + a - b] - flat[at - a + b] + flat[at - a - b]) / 4
            curvature[:, i, j] = curvature[:, j, i] = mixed
    return value, slope, curvature


def oriented(images: np.ndarray, points: np.ndarray, pixel: float) -> Keypoints:
    """Key points of refined extrema (N, 4); one with several strong directions is there several times."""
    parts = [empty()]
    scale = np.clip(np.rint(points[:, 0]).astype(int), 1, SCALES)
    for number in range(1, SCALES + 1):
        rows = np.flatnonzero(scale == number)
        for part in np.split(rows, range(BLOCK, len(rows), BLOCK)):
            sigma = SIGMA * 2 ** (points[part, 0] / SCALES)
            which, angle = peaks(histograms(images[number], points[part, 1:3], sigma))
            parts.append(Keypoints(points[part[which], 2:0:-1] * pixel, 2 * sigma[which] * pixel, angle,
                                   points[part[which], 3]))
    return Keypoints(*(np.concatenate(values) for values in zip(*parts)))


def histograms(image: np.ndarray, points: np.ndarray, sigma: np.ndarray) -> np.ndarray:
    """Smoothed histograms (N, `BINS`) of the directions of gradients around points (N, 2), y and x, weighted by
    strength and nearness."""
    if not len(points):
        return np.zeros((0, BINS))
    centre, radius = np.rint(points).astype(int), np.rint(4.5 * sigma)
    reach = np.arange(-int(radius.max()), int(radius.max()) + 1)
    rows, columns = centre[:, :1] + reach, centre[:, 1:] + reach  # (N, R)
    inside = ((rows > 0) & (rows < image.shape[0] - 1))[:, :, None] & ((columns > 0)
                                                                       & (columns < image.shape[1] - 1))[:, None]
    inside &= ((np.abs(reach) <= radius[:, None])[:, :, None] & (np.abs(reach) <= radius[:, None])[:, None])
    rows, columns = np.clip(rows, 1, image.shape[0] - 2)[:, :, None], np.clip(columns, 1, image.shape[1] - 2)[:, None]
    flat, at = image.ravel(), rows * image.shape[1] + columns
    dx, dy = flat[at + 1] - flat[at - 1], flat[at + image.shape[1]] - flat[at - image.shape[1]]
    near = np.exp(-0.5 * (reach / (1.5 * sigma[:, None])) ** 2).astype("float32")  # (N, R)
    weight = np.hypot(dx, dy) * (near[:, :, None] * near[:, None] * inside)
    bins = np.rint(np.arctan2(dy, dx) * (BINS / (2 * np.pi))).astype(int)
    bins[bins < 0] += BINS
    bins += np.arange(0, len(points) * BINS, BINS)[:, None, None]
    counts = np.bincount(bins.ravel(), weight.ravel(), len(points) * BINS).reshape(-1, BINS)
    return sum(share * np.roll(counts, step, axis=1)
               for step, share in zip(range(-2, 3), (1 / 16, 1 / 4, 3 / 8, 1 / 4, 1 / 16)))


def peaks(histograms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (M,) and degrees (M,) of the strong peaks of histograms (N, `BINS`), refined by a parabola."""
    before, after = np.roll(histograms, 1, axis=1), np.roll(histograms, -1, axis=1)
    strong = (histograms > before) & (histograms > after) & (histograms >= NEAR * histograms.max(1, keepdims=True))
    which, peak = np.nonzero(strong)
    low, middle, high = (values[which, peak] for values in (before, histograms, after))
    return which, (peak + 0.5 * (low - high) / (low - 2 * middle + high)) * (360 / BINS) % 360
