"""How far a picture is from its original: perceptual distance, PSNR and SSIM, and as what quality of JPEG."""

import numpy as np

from nets.inference import apply, apply_often
from nets.losses.deepsim import Between, DeepDistance, Spatial
from tasks.perceptual.measuring import shifts
from utils.batches.crops import middle
from utils.distortions.codecs import jpeg
from utils.metrics.pictures import luma, psnr, ssim

QUALITIES = (98, 95, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5, 1)  # of JPEG, on whose scale a distance is told
MOST = 1_000_000  # pixels that pass the comparator at once
LEAST_SCALE = 0.1  # distance of JPEG quality 1, below which JPEG hardly changes an original, such as a blank page
CLEARLY = 0.9  # a shift that lowers the distance by less is none: it would be found by chance
SMALLEST = 11  # pixels a side: a window of SSIM
SCALED = 512  # pixels a side at most of the part of an original that the scale is made of


class Measure:
    """Distances between pictures of one size, which may be large.

    Args:
        distance: the layer.
    """

    def __init__(self, distance: DeepDistance):
        self.side, self.layer = distance.comparator.input_shape[1], distance
        self.between, self.spatial = Between(distance), Spatial(distance)

    def distance(self, one: np.ndarray, other: np.ndarray) -> float:
        """The perceptual distance of two pictures (H, W, 3) uint8, the second laid back where it lies aside."""
        return self.laid(one, other)[0]

    def laid(self, one: np.ndarray, other: np.ndarray) -> tuple[float, tuple[int, int]]:
        """The perceptual distance of two pictures (H, W, 3) uint8, and how many pixels (down, right) the second lies
        aside: as they lie, or after it was laid back where that makes the distance clearly less."""
        distance, shift = self.as_they_lie(one, other), (0, 0)
        if distance and not self.side:
            found = shifts.aside(one, other)
            if any(found) and (less := self.as_they_lie(*shifts.overlap(one, other, found))) < CLEARLY * distance:
                distance, shift = less, found
        return distance, shift

    def as_they_lie(self, one: np.ndarray, other: np.ndarray) -> float:
        """The perceptual distance of two pictures (H, W, 3) in 0..255, pixel on pixel."""
        self.check(one)
        squared = [float(apply_often(self.between, left[None], right[None])[0]) ** 2 * len(left)
                   for left, right in strips(one, other)]
        return float(np.sqrt(sum(squared) / len(one)))

    def map(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Where two pictures (H, W, 3) uint8 differ: (H, W) float32; 0 along edges that only one of them shows."""
        self.check(one)
        _, (down, right) = self.laid(one, other)
        parts = strips(*shifts.overlap(one, other, (down, right)))
        found = np.concatenate([apply(self.spatial, left[None], part[None])[0] for left, part in parts])
        return np.pad(found, [(max(0, -count), max(0, count)) for count in (down, right)])

    def check(self, picture: np.ndarray) -> None:
        """Raises ValueError where a picture is too small, or the comparator takes another size only."""
        height, width = picture.shape[:2]
        if min(height, width) < SMALLEST:
            raise ValueError(f"the picture has {width} x {height} pixels, expected {SMALLEST} or more a side")
        if self.side and (height, width) != (self.side, self.side):
            raise ValueError(f"the picture has {width} x {height} pixels, and this layer of the comparator takes "
                             f"{self.side} x {self.side}: pass a --layer that gives maps")

    def scale(self, original: np.ndarray) -> list[float]:
        """The distances (len(QUALITIES),) of an original, or the middle of a large one, saved as JPEG, rising."""
        part = middle(original, self.side or SCALED)
        rng = np.random.default_rng(0)
        worse = [self.as_they_lie(part, jpeg(part, quality, rng)) for quality in QUALITIES]
        return np.maximum.accumulate(worse).tolist()


def strips(one: np.ndarray, other: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Two pictures in strips of at most about `MOST` pixels, of rows that the steps of most comparators divide."""
    count = -(-one.shape[0] * one.shape[1] // MOST)
    rows = max(64, -(-one.shape[0] // count) // 64 * 64) if count > 1 else one.shape[0]
    starts = [start for start in range(0, one.shape[0], rows) if not start or one.shape[0] - start >= 32]
    ends = [*starts[1:], one.shape[0]]
    return [(one[start:end], other[start:end]) for start, end in zip(starts, ends)]


def jpeg_quality(distance: float, scale: list[float]) -> float | None:
    """The quality of JPEG at which an original is as far as this; None where the scale does not tell."""
    if not distance or scale[-1] < LEAST_SCALE or not scale[0] <= distance <= scale[-1]:
        return None
    return round(float(np.interp(distance, scale, QUALITIES)), 1)


def in_words(distance: float, scale: list[float], identical: bool) -> str:
    """As far as what JPEG quality of such a photo."""
    if identical:
        return "the same pixels"
    if scale[-1] < LEAST_SCALE:
        return "JPEG hardly changes such a picture, so it gives no scale"
    quality = jpeg_quality(distance, scale)
    if quality is not None:
        return f"as far as JPEG quality {quality:.0f} of such a photo"
    return (f"nearer than JPEG quality {QUALITIES[0]} of such a photo" if distance < scale[0]
            else f"farther than JPEG quality {QUALITIES[-1]} of such a photo")


def beside(one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """PSNR of all three colours and SSIM of luma, of two pictures (H, W, 3) uint8."""
    return {"psnr": psnr(one, other), "ssim": ssim(luma(one), luma(other))}
