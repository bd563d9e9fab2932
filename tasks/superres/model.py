"""A model of super-resolution, as programs of one's own use it: a photo -> the same photo, larger."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from nets.models import superres
from tasks import about
from tasks.choosing import checked
from tasks.models import load_model
from tasks.superres.data.resizing import resized
from tasks.superres.pictures.doubts import doubts
from tasks.superres.pictures.reading import Photo, read, without_hidden
from tasks.superres.pictures.writing import as_image
from tasks.superres.tiles import enlarged
from utils.data.images import called
from utils.metrics.pictures import rounded
from utils.pictures import Picture
from utils.saying import shown


class Larger:
    """Photos made larger: what `compare.load` returns for models of `superres`.

    Args:
        path: the .keras file.
        threshold, threshold_at: of models of similarity; without effect here.

    Attributes:
        path: the .keras file.
        scale: how many times larger photos become.
        known: what the model learnt from, its about.json; None where it has none.
    """

    def __init__(self, path: str, threshold: float | None = None, threshold_at: str | None = None):
        self.path, self.known = path, about.read(path)
        network = superres.enlarger(load_model(path, superres.KIND))
        self.network = network._replace(enlarge=checked(network.enlarge, path))
        self.scale = self.network.scale

    def enlarge(self, picture: Picture, ensemble: bool = False) -> Image.Image:
        """The photo `scale` times as large, 8 bits a channel, upright; grey, transparency and colour profile are kept.

        Args:
            ensemble: whether the mean is taken over eight mirrored and turned photos, in eight times the time.
        """
        return as_image(self.photo(read(picture), ensemble))

    def photo(
        self, photo: Photo, ensemble: bool = False, progress: Callable[[int, int], None] = lambda done, of: None,
    ) -> Photo:
        """The same for the parts of a photo, see `Photo`; `progress` is called with the tiles done and their number."""
        network = self.network
        if ensemble:
            network = network._replace(enlarge=superres.in_eight_positions(network.enlarge))
        colours = enlarged(network, without_hidden(photo), progress=progress)
        if photo.alpha is None:
            return photo._replace(colours=colours)
        alpha = rounded(resized(photo.alpha, *colours.shape[:2]), np.iinfo(photo.alpha.dtype).max)
        return photo._replace(colours=colours, alpha=alpha)

    def warning(self, picture: Picture) -> str:
        """Why the larger photo may mean little; "" where nothing speaks against it."""
        return "; ".join(f"{shown(called(picture))}: {doubt}" for doubt in doubts(read(picture)))


def learnt(known: dict) -> str:
    """What a model knows that learnt to make photos larger, by its about.json, in a line."""
    text = f"learnt from {known['images']} {known['shows']} to make them {known['scale']} times larger"
    if known.get("psnr") is not None:
        text += (f"; PSNR {known['psnr']:.2f} dB on {known['measured_on']['photos']} photos, bicubic "
                 f"{known['bicubic_psnr']:.2f}")
    return text
