"""Detectors: photo -> maps that say what lies where, at several scales. One row for each.

To add a detector: write the function `(images, row, classes) -> maps` in a file of this folder, and add a row below.
"""

from typing import TYPE_CHECKING, NamedTuple

from nets import named

if TYPE_CHECKING:
    import keras

BOX = 5  # channels of a map before those of the classes: four distances, and the logit of the centre-ness


class Detector(NamedTuple):
    """One row of the table of detectors.

    Attributes:
        build: "file.function" in this folder.
        input_shape: (height, width, channels) of the crops to train on, where the user names none.
        widths: channels of C1, C2, C3 and C4, whose pixels are 2, 4, 8 and 16 pixels of the photo wide.
        blocks: convolutions of each of these, after the one that makes the maps smaller.
        width: channels of the pyramid P1 to P3 and of the predictor.
        depth: convolutions of the predictor.
        rate: highest learning rate, where the user names none.
        groups: of ASPConv.
        aspconv: whether ASPConv follows each of these convolutions.
        fmf: whether P1 is made by FMF; otherwise as a feature pyramid makes its other maps.
        p1: whether there is P1; otherwise P2 takes its boxes.
    """

    build: str
    input_shape: tuple[int, int, int]
    widths: tuple[int, int, int, int]
    blocks: tuple[int, int, int, int]
    width: int
    depth: int
    rate: float
    groups: int = 4
    aspconv: bool = True
    fmf: bool = True
    p1: bool = True

    @property
    def strides(self) -> tuple[int, ...]:
        """Pixels of the photo from one location of a map to the next, of each map, the finest first."""
        return (2, 4, 8) if self.p1 else (4, 8)


DETECTORS = {
    "sodnet_compact": Detector("sodnet.sodnet", (160, 160, 3), (16, 32, 56, 80), (1, 1, 2, 1), 24, 2, 3e-3),
    "sodnet": Detector("sodnet.sodnet", (384, 384, 3), (64, 128, 256, 512), (1, 2, 3, 2), 128, 4, 5e-4),
}
COARSEST = 16  # pixels of the photo: its height and width are multiples of it


def detector_row(backbone: str, aspconv: bool = True, fmf: bool = True, p1: bool = True) -> Detector:
    """The row of a detector with its parts switched on or off; ValueError where there is none of that name."""
    if backbone not in DETECTORS:
        raise ValueError(f"--backbone={backbone} finds no objects: expected {' or '.join(DETECTORS)}")
    return DETECTORS[backbone]._replace(aspconv=aspconv, fmf=fmf and p1, p1=p1)


def make_detector(row: Detector, classes: int) -> "keras.Model":
    """A network by a row of `DETECTORS`.

    Returns:
        Model named "tower": photos (B, H, W, 3) in 0..255, H and W multiples of `COARSEST` -> a list of maps, one for
        each of `row.strides`, (B, H / stride, W / stride, BOX + classes) float32: distances from the location to the
        left, top, right and bottom side of a box in pixels, the logit of the centre-ness, a logit for each class.
    """
    import keras

    images = keras.Input((None, None, 3), name="image")
    return keras.Model(images, named(__name__, row.build)(images, row, classes), name="tower")
