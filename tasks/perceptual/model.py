"""The perceptual distance, and the generators that it trains, as programs of one's own use them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from PIL import Image

from nets.models import perceptual
from tasks import about
from tasks.choosing import checked, ready_model
from tasks.models import load_model
from tasks.perceptual.flags import DEFAULT
from tasks.perceptual.measuring import comparators, measure
from utils.batches.crops import at_least, middle
from utils.data.images import called, read_photo
from utils.metrics.drawn import is_drawn
from utils.metrics.pictures import rounded
from utils.pictures import Picture
from utils.saying import shown

UNLIKE = ("the distance was measured on photographs, and this original looks unlike them: the map shows where they "
          "differ, and the distance hardly how much to the eye")
READY = "deepsim"  # what is asked without a run: the distance of the usual comparator


class Perceptual:
    """How far pictures are from each other, to the eye: what `compare.load` returns for "deepsim" and for runs.

    Args:
        path: the .keras file of a run; "deepsim": none, the distance of the usual comparator alone.
        threshold, threshold_at: of models of similarity; without effect here.
        distance: the layer that measures; None: that of the run, or the usual one.

    Attributes:
        path: as given.
        maker: what the run makes, see `nets.models.perceptual.Maker`; None where there is no run.
        known: what the run learnt from, its about.json; None where it has none.
    """

    def __init__(self, path: str = READY, threshold: float | None = None, threshold_at: str | None = None,
                 distance: keras.layers.Layer | None = None):
        self.path = path
        self.maker = None if path == READY else perceptual.maker(load_model(path, perceptual.KIND))
        self.known = None if path == READY else about.read(path)
        if self.maker:
            self.maker = self.maker._replace(make=checked(self.maker.make, path))
        self.photographs = about.read(ready_model(DEFAULT))
        self.measure = measure.Measure(distance or (self.maker.distance if self.maker else comparators.made()))
        self.measure.as_they_lie = checked(self.measure.as_they_lie, path)

    def distance(self, one: Picture, other: Picture) -> float:
        """The perceptual distance: 0 for equal pictures, about 1 for unrelated photos; lower is nearer. A picture that
        lies up to four pixels aside is laid back first.

        Raises:
            ValueError: pictures of two sizes.
        """
        return self.measure.distance(*self.both(one, other))

    def map(self, one: Picture, other: Picture) -> np.ndarray:
        """Where two pictures differ: (H, W) float32, on the scale of the distance."""
        return self.measure.map(*self.both(one, other))

    def compare(self, original: Picture, other: Picture) -> dict[str, Any]:
        """All figures of a picture beside its original: "distance", "shift" (how many pixels it lies below and to the
        right, and was laid back for the distance), "jpeg_quality", "psnr", "ssim", and "words"."""
        one, two = self.both(original, other)
        return self.figures(one, two, self.measure.scale(one))

    def figures(self, one: np.ndarray, other: np.ndarray, scale: list[float]) -> dict[str, Any]:
        """The same of two photos (H, W, 3) uint8 of one size, by the scale of the first."""
        distance, shift = self.measure.laid(one, other)
        return {"distance": distance, "shift": list(shift), "jpeg_quality": measure.jpeg_quality(distance, scale),
                **measure.beside(one, other),
                "words": measure.in_words(distance, scale, np.array_equal(one, other))}

    def warning(self, original: Picture) -> str:
        """Why a distance to this original may mean little; "" where it looks like a photograph."""
        unlike = about.warning(self.photographs, about.read_thumbnails([original])) or is_drawn(read_photo(original))
        return UNLIKE if unlike else ""

    @staticmethod
    def both(one: Picture, other: Picture) -> tuple[np.ndarray, np.ndarray]:
        """Two pictures (H, W, 3) uint8; ValueError where their sizes differ."""
        photos = read_photo(one), read_photo(other)
        check_sizes(photos[0], photos[1], called(one), called(other))
        return photos

    def reconstruct(self, pictures: Sequence[Picture]) -> np.ndarray:
        """What the generator of the run makes of the middle square of pictures: (N, s, s, 3) uint8.

        Raises:
            ValueError: this is no run.
        """
        return rounded(self.made_by().make(np.stack([self.prepared(picture) for picture in pictures])))

    def prepared(self, picture: Picture) -> np.ndarray:
        """The middle square of a picture as the generator takes it: (s, s, 3) uint8."""
        photo, side = read_photo(picture), self.made_by().side
        part = at_least(middle(photo, min(photo.shape[:2])), side)
        return np.asarray(Image.fromarray(part).resize((side, side), Image.Resampling.BICUBIC, reducing_gap=3))

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Pictures (count, s, s, 3) uint8 that a VAE makes of nothing; ValueError where the run is none."""
        used = self.made_by()
        if used.draw is None:
            raise ValueError(f"{self.path}: its generator is of the kind {used.kind}, expected a vae, which makes "
                             "pictures of nothing: train one with --generator=vae")
        return rounded(used.draw(np.random.default_rng(seed).normal(size=(count, used.code)).astype("float32")))

    def made_by(self) -> perceptual.Maker:
        """The generator; ValueError where there is none."""
        if self.maker is None:
            raise ValueError(f"{self.path} measures distances and makes no pictures: expected a run of python train.py "
                             "--task=perceptual, pass --model")
        return self.maker


def check_sizes(one: np.ndarray, other: np.ndarray, name: str, second: str,
                mend: str = "pass --resize to resize it") -> None:
    """Raises ValueError where two pictures have different sizes."""
    if one.shape != other.shape:
        sizes = [f"{photo.shape[1]} x {photo.shape[0]}" for photo in (other, one)]
        raise ValueError(f"{shown(second)}: {sizes[0]} pixels, expected {sizes[1]}, as {shown(name)} has: {mend}")


def learnt(known: dict) -> str:
    """What a model knows that learnt to make pictures, by its about.json, in a line."""
    text = f"{known['generator']}, learnt from {known['images']} {known['shows']} by {' + '.join(known['terms'])}"
    if known.get("error") is not None:
        text += (f"; error of pixels {known['error']:.3f}, of the comparator's features {known['distance']:.3f}, where "
                 "1 is the distance of different photos")
    return text
