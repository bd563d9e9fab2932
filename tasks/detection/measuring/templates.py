"""The baseline without a network: normalised cross-correlation with each class's mean template over several scales."""

from collections.abc import Sequence

import numpy as np
from PIL import Image
from scipy import fft
from scipy.ndimage import maximum_filter

from tasks.detection.boxes.geometry import Annotated
from tasks.detection.boxes.suppression import suppressed
from tasks.detection.measuring.precision import Answer

SIDE = 32  # pixels of the longer side of a mean template
SCALES = (7, 9, 12, 16, 21, 28)  # pixels of the longer side of what is looked for, in steps of 4/3
LEAST = 0.5  # correlation from which on a place counts
PEAKS = 30  # places of a class and a scale at most
FLAT = 2.0  # grey levels: spread of the pixels below which a place shows nothing


class Template:
    """What a class looks like in the mean: pixels (h, w) of mean 0, dark or light on the other."""

    def __init__(self, pixels: np.ndarray):
        self.pixels = pixels

    def at(self, longest: int) -> np.ndarray:
        """The template with a longer side of so many pixels, of mean 0 and length 1."""
        scale = longest / max(self.pixels.shape)
        size = [max(3, round(scale * side)) for side in self.pixels.shape[::-1]]
        made = np.asarray(Image.fromarray(self.pixels.astype("float32")).resize(size, Image.Resampling.BOX), "float64")
        made = made - made.mean()
        return made / max(float(np.linalg.norm(made)), 1e-9)


def grey(picture: np.ndarray) -> np.ndarray:
    """The mean of the colours, (H, W) float64."""
    return picture.mean(axis=2, dtype="float64")


def mean_templates(seen: Sequence[Annotated], classes: int) -> dict[int, Template]:
    """The mean template of each class that pictures show; light and dark examples are brought to one sign first."""
    crops: dict[int, list] = {}
    for each in seen:
        picture = grey(each.picture)
        for box, label in zip(np.rint(each.boxes).astype(int), each.labels):
            part = picture[box[1] : box[3], box[0] : box[2]]
            if 0 <= label < classes and min(part.shape) >= 3:
                crops.setdefault(int(label), []).append(part)
    return {label: Template(mean_of(parts)) for label, parts in crops.items()}


def mean_of(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of crops of one class, the largest first, at the mean of their shapes."""
    parts = sorted(parts, key=np.size, reverse=True)
    aspect = np.exp(np.mean([np.log(part.shape[1] / part.shape[0]) for part in parts]))
    size = (SIDE, max(3, round(SIDE / aspect))) if aspect >= 1 else (max(3, round(SIDE * aspect)), SIDE)
    total = np.zeros(size[::-1])
    for part in parts:
        made = np.asarray(Image.fromarray(part.astype("float32")).resize(size, Image.Resampling.BILINEAR), "float64")
        made = (made - made.mean()) / max(float(made.std()), FLAT)
        total += made if (made * total).sum() >= 0 else -made
    return total / len(parts)


def correlation(picture: np.ndarray, template: np.ndarray, spectrum: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """|NCC| of a picture (H, W) with a template (h, w) of mean 0 and length 1 at each place that it fits in: (H - h +
    1, W - w + 1), in 0..1.

    Args:
        spectrum: the picture's Fourier transform, zero-padded to `shape`.
    """
    h, w = template.shape
    product = fft.irfft2(spectrum * np.conj(fft.rfft2(template, shape)), shape)
    product = product[: picture.shape[0] - h + 1, : picture.shape[1] - w + 1]
    first, second = (windows_sum(values, h, w) for values in (picture, picture**2))
    spread = np.sqrt(np.maximum(second - first**2 / (h * w), 0))
    return np.where(spread > FLAT * np.sqrt(h * w), np.abs(product) / np.maximum(spread, 1e-9), 0)


def windows_sum(values: np.ndarray, h: int, w: int) -> np.ndarray:
    """Sums over all windows of (h, w) pixels."""
    sums = np.pad(values, ((1, 0), (1, 0))).cumsum(0).cumsum(1)
    return sums[h:, w:] - sums[:-h, w:] - sums[h:, :-w] + sums[:-h, :-w]


def matches(picture: np.ndarray, templates: dict[int, Template], scales: Sequence[int] = SCALES,
            least: float = LEAST) -> Answer:
    """Where a picture (H, W, 3) looks like a template: boxes, correlations as scores, classes."""
    values = grey(picture)
    values = values - values.mean()
    shape = tuple(fft.next_fast_len(side + max(scales), real=True) for side in values.shape)
    spectrum = fft.rfft2(values, shape)
    boxes, scores, labels = [np.empty((0, 4))], [np.empty(0)], [np.empty(0, int)]
    for label, template in templates.items():
        for scale in scales:
            pixels = template.at(scale)
            if any(part > whole for part, whole in zip(pixels.shape, values.shape)):
                continue
            found = correlation(values, pixels, spectrum, shape)
            rows, columns = np.nonzero((found >= least) & (found == maximum_filter(found, 5)))
            best = np.argsort(-found[rows, columns])[:PEAKS]
            rows, columns = rows[best], columns[best]
            boxes.append(np.stack([columns, rows, columns + pixels.shape[1], rows + pixels.shape[0]], axis=1))
            scores.append(found[rows, columns])
            labels.append(np.full(len(rows), label))
    boxes, scores, labels = (np.concatenate(each) for each in (boxes, scores, labels))
    kept = suppressed(boxes, scores, labels)
    return Answer(boxes[kept].astype("float32"), scores[kept], labels[kept])
