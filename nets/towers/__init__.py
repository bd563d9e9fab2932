"""Towers: image -> features, or photo -> quality. One row for each; pixels go in as 0..255, so nobody can feed a tower
wrongly.

A row names a function `(images, row, imagenet) -> features`: `images` is the Keras input in 0..255,
`row` the tower's own row, `imagenet` whether ImageNet's weights follow, which want their own pixels.
To add a tower: write the function in a file of this folder, and add a row below.
"""

from typing import TYPE_CHECKING, NamedTuple

from nets import named
from nets.towers.applications import NETWORKS, Application

if TYPE_CHECKING:
    import keras
    import numpy as np

Shape = tuple[int, int, int]


class Tower(NamedTuple):
    """One row of a table of towers.

    Attributes:
        build: "file.function" in this folder.
        input_shape: (height, width, channels) where the user names none; for quality, the crops to train on.
        least: pixels a side that the tower needs.
        any_size: whether photos of any size pass, and not only crops of `input_shape`.
        network: the row of keras.applications whose weights can be loaded; None: there are none.
        maps: "file.function" that ends before the pooling of `build`, in maps (batch, h, w, channels), for heads that
            compare locations; "": the tower has none.
    """

    build: str
    input_shape: Shape
    least: int = 32
    any_size: bool = False
    network: Application | None = None
    maps: str = ""


VGG16 = Application("VGG16", "caffe", 32)
LITE0, LITE0_ROW = "efficientnet_lite0", Application("EfficientNetLite0", "lite")  # none of keras.applications

SIMILARITY = {
    "compact": Tower("compact.compact", (48, 48, 1), maps="compact.compact_maps"),
    "photos": Tower("compact.photos", (80, 80, 3), maps="compact.photos_maps"),
    "vgg16": Tower("vgg16.vgg16", (105, 105, 3), network=VGG16, maps="vgg16.vgg16_maps"),
    "koch": Tower("classic.koch", (105, 105, 1), least=65),
    LITE0: Tower("efficientnet_lite.efficientnet_lite0", (128, 128, 3), network=LITE0_ROW,
                 maps="efficientnet_lite.efficientnet_lite0_maps"),
} | {name: Tower("applications.application", (128, 128, 3), row.least, network=row,
                 maps="applications.application_maps")
     for name, row in NETWORKS.items()}
NARROW = 32  # channels of the maps that heads compare location by location


class PatchTower(NamedTuple):
    """One row of the table of towers for patches.

    Attributes:
        build: "file.function" in this folder.
        input_shape: (height, width, channels) of a patch where the user names none.
        widths: of the convolutions before the last; "/2" is a stride of 2.
        out: numbers of a descriptor.
        dropout: share of values dropped before the last convolution.
        pca: numbers of a descriptor that are kept after training; 0: all.
    """

    build: str
    input_shape: Shape
    widths: str
    out: int
    dropout: float = 0.3
    pca: int = 0


SEVEN, EIGHT = "32 32 64/2 64 128/2 128", "32 32 64/2 64 128/2 128 256"
PATCHES = {
    "patches": PatchTower("hardnet.plain", (32, 32, 1), "16 32/2 32 64/2 64 96/2 96", 128, 0.1),
    "hardnet": PatchTower("hardnet.plain", (32, 32, 1), SEVEN, 128),
    "l2net": PatchTower("hardnet.plain", (32, 32, 1), SEVEN, 128, 0.1),
    "hardnet7x2": PatchTower("hardnet.plain", (32, 32, 1), "64 64 128/2 128 256/2 256", 256),
    "hardnet8": PatchTower("hardnet.plain", (32, 32, 1), EIGHT, 256),
    "hardnet8_512": PatchTower("hardnet.plain", (32, 32, 1), EIGHT, 512, pca=128),
    "hardnet8x2": PatchTower("hardnet.plain", (32, 32, 1), "64 64 128/2 128 256/2 256 512", 512),
    "hardnet9": PatchTower("hardnet.plain", (32, 32, 1), "32 32 64/2 64 128 128/2 256 256", 256),
    "hardnet8_64": PatchTower("hardnet.plain", (64, 64, 1), EIGHT + "/2", 256),
    "hardnet8_48": PatchTower("hardnet.plain", (48, 48, 1), EIGHT + "/2", 256),
    "hardnet_resnet": PatchTower("hardnet.residual", (32, 32, 1), SEVEN, 128),
}

QUALITY = {
    "compact": Tower("compact.compact_quality", (128, 128, 3), any_size=True),
    "vgg16": Tower("vgg16.vgg16_quality", (224, 224, 3), network=VGG16),
    "alexnet": Tower("classic.alexnet", (227, 227, 3), least=67),
    "shallow": Tower("classic.shallow", (227, 227, 3), least=192),
    LITE0: Tower("efficientnet_lite.efficientnet_lite0_quality", (224, 224, 3), any_size=True, network=LITE0_ROW),
} | {name: Tower("applications.application", (224, 224, 3), row.least, True, row) for name, row in NETWORKS.items()}


class LargerTower(NamedTuple):
    """One row of the table of towers that make photos larger.

    Attributes:
        build: "file.function" in this folder.
        input_shape: (height, width, channels) of the crops of small photos to train on, where the user names none.
        paths, blocks, width: interleaved paths of a block, blocks in a row, and channels of each convolution.
        rate: highest learning rate, where the user names none.
        outside: convolutions 3 x 3 in a row outside the blocks.
    """

    build: str
    input_shape: Shape
    paths: int
    blocks: int
    width: int
    rate: float
    outside: int


SUPERRES = {
    "msffrn_compact": LargerTower("msffrn.msffrn_compact", (40, 40, 3), 2, 4, 40, 1.2e-3, 2),
    "msffrn": LargerTower("msffrn.msffrn", (48, 48, 3), 4, 10, 64, 1e-4, 4),
}
SCALES = (2, 3, 4)  # how many times larger


def own_shapes(table: dict[str, Tower]) -> dict[str, str]:
    """The towers of a table that are none of keras.applications, and the input shape of each, such as "48,48,1"."""
    return {name: ",".join(map(str, row.input_shape)) for name, row in table.items() if name not in NETWORKS}


def row_of(backbone: str, table: dict[str, Tower]) -> Tower:
    """The row of a backbone; ValueError where the table has none of that name."""
    if backbone not in table:
        raise ValueError(f"--backbone={backbone} is not for this task: expected {', '.join(own_shapes(table))}, or a "
                         "network of keras.applications")
    return table[backbone]


def make_tower(backbone: str, input_shape: Shape, normalize: bool, imagenet: bool = False,
               maps: bool = False) -> "keras.Model":
    """A tower that describes images, by its name in `SIMILARITY`.

    Args:
        input_shape: (height, width, channels); channels 1 or 3, and no side shorter than the row's `least`.
        normalize: whether features are scaled to unit length, so that distances lie in 0..2.
        imagenet: whether ImageNet's weights will be loaded. The pixels are converted inside the tower to
            what these expect. VGG16 without them takes 0..1, as Siamese-tf2 does.
        maps: whether the tower ends before its pooling, in maps of `NARROW` channels, for heads that compare locations;
            `normalize` then means each location.

    Returns:
        Model named "tower": (batch, height, width, channels) in 0..255 -> (batch, features). With `maps` its layer
        "maps" gives (batch, h, w, NARROW), and the features are these in a row.

    Raises:
        ValueError: no such row, a shape that the row cannot take, or maps of a tower that has none.
    """
    import keras

    row = row_of(backbone, SIMILARITY)
    if min(input_shape[:2]) < row.least or input_shape[2] not in (1, 3):
        raise ValueError(f"input shape {input_shape}: expected {row.least} or more pixels a side and 1 or 3 channels")
    if maps and not row.maps:
        able = ", ".join(name for name, other in SIMILARITY.items() if other.maps and name not in NETWORKS)
        raise ValueError(f"--backbone={backbone} gives no maps for a head that compares places: pass "
                         f"--backbone={able} or a network of keras.applications, or another --head")
    images = keras.Input(input_shape, name="image")
    features = named(__name__, row.maps if maps else row.build)(images, row, imagenet)
    if maps:
        features = keras.layers.Conv2D(NARROW, 1, dtype="float32", name="narrow" if normalize else "maps")(features)
        if normalize:
            features = keras.layers.UnitNormalization(dtype="float32", name="maps")(features)
        features = keras.layers.Flatten(name="in_a_row", dtype="float32")(features)
    elif normalize:
        features = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(features)
    return keras.Model(images, features, name="tower")


def make_quality_tower(backbone: str, crop: int = 0, imagenet: bool = False) -> "keras.Model":
    """A tower that tells quality, by its name in `QUALITY`.

    Args:
        crop: side of the crops in pixels, for towers that take no photos of any size; 0: as in the row.
        imagenet: as of `make_tower`.

    Returns:
        Model named "tower": (batch, height, width, 3) in 0..255 -> (batch, 1), float32.
    """
    import keras

    row = row_of(backbone, QUALITY)
    side = None if row.any_size else crop or row.input_shape[0]
    images = keras.Input((side, side, 3), name="image")
    features = named(__name__, row.build)(images, row, imagenet)
    return keras.Model(images, keras.layers.Dense(1, dtype="float32", name="quality")(features), name="tower")


def make_patch_tower(backbone: str, input_shape: Shape = ()) -> "keras.Model":
    """A tower that describes patches, by its name in `PATCHES`.

    Args:
        input_shape: (height, width, channels); (): as in the row. Channels are 1 (grey), 2 (grey and depth), 3 (colour)
            or 4.

    Returns:
        Model named "tower": (batch, height, width, channels), values of any range -> (batch, row.out), unit length,
        float32.

    Raises:
        ValueError: no such row, or a shape that the row cannot take.
    """
    import keras

    if backbone not in PATCHES:
        raise ValueError(f"--backbone={backbone} is not for patches: expected {', '.join(PATCHES)}")
    row = PATCHES[backbone]
    shape = tuple(input_shape) or row.input_shape
    least = 4 * 2 ** row.widths.count("/2")
    if shape[0] != shape[1] or shape[0] < least or not 1 <= shape[2] <= 4:
        raise ValueError(f"input shape {','.join(map(str, shape))}: {backbone} expected square patches of {least} or "
                         f"more pixels a side and 1 to 4 channels, such as {','.join(map(str, row.input_shape))}")
    images = keras.Input(shape, name="image")
    features = named(__name__, row.build)(images, row)
    return keras.Model(images, keras.layers.UnitNormalization(dtype="float32", name="unit_length")(features),
                       name="tower")


def larger_row(backbone: str, paths: int = 0, blocks: int = 0, width: int = 0) -> LargerTower:
    """The row of a tower that makes photos larger, with other settings where these are not 0; ValueError where there is
    none of that name."""
    if backbone not in SUPERRES:
        raise ValueError(f"--backbone={backbone} makes no photo larger: expected {' or '.join(SUPERRES)}")
    row = SUPERRES[backbone]
    return row._replace(paths=paths or row.paths, blocks=blocks or row.blocks, width=width or row.width)


def make_larger_tower(row: LargerTower, scale: int) -> "keras.Model":
    """A tower that makes photos larger, by a row of `SUPERRES`.

    Args:
        scale: of `SCALES`.

    Returns:
        Model named "tower": (batch, height, width, 3) in 0..255, of any size -> (batch, scale height, scale width, 3),
        float32.
    """
    import keras

    images = keras.Input((None, None, 3), name="image")
    return keras.Model(images, named(__name__, row.build)(images, row, scale), name="tower")


def backbone_layers(tower: "keras.Model") -> dict[str, "keras.layers.Layer"]:
    """The layers with weights of the network of keras.applications in a tower, in order, by name; ValueError where
    there is none."""
    for layer in tower.layers:
        if hasattr(layer, "layers"):  # a model inside the tower
            return {inner.name: inner for inner in layer.layers if inner.weights}
    raise ValueError("--weights: this backbone has no published weights; pass --backbone=vgg16 or another network of "
                     "keras.applications")


def set_arrays(targets: dict[str, "keras.layers.Layer"], arrays: dict[str, list["np.ndarray"]]) -> None:
    """Gives each layer its weights, by name; where the names differ but not their number, by position.

    Keras numbers some names on from network to network, such as normalization_1.

    Raises:
        ValueError: a layer that the arrays lack, shapes that do not fit, or arrays that change nothing.
    """
    if set(targets) != set(arrays) and len(targets) == len(arrays):
        arrays = dict(zip(targets, arrays.values(), strict=True))
    missing = sorted(set(targets) - set(arrays))
    if missing:
        raise ValueError(f"the weights lack the layers {', '.join(missing[:5])}")
    changed = False
    for name, layer in targets.items():
        received = [array.shape for array in arrays[name]]
        expected = [tuple(weight.shape) for weight in layer.weights]
        if received != expected:
            raise ValueError(f"layer {name}: the weights are {received}, the model expects {expected}")
        changed |= any((old != new).any() for old, new in zip(layer.get_weights(), arrays[name], strict=True))
        layer.set_weights(arrays[name])
        if hasattr(layer, "finalize_state"):  # Normalization computes with what it made of its weights here
            layer.finalize_state()
    if not changed:
        raise ValueError("the weights changed nothing: the model held the same ones already")
