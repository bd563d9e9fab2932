"""SODNet, a detector of small objects: ASPConv, a feature pyramid, FMF and a predictor without anchors.

Qi et al., "Small Object Detection Method Based on Adaptive Spatial Parallel Convolution and Fast Multi-Scale Fusion",
Remote Sensing 2022. Only descriptions of it were found, and neither widths nor code. Theirs are the two parts and their
place: ASPConv splits the channels into equal groups and convolves them one after the other, so that the groups see
fields of different size, which are fused adaptively; its output C1 also goes into FMF, which brings P2 and P3 to the
size of C1 by nearest neighbours and by sub-pixel convolution, and fuses them with C1 into a P1 of high resolution. Ours
are all widths, how the fusion is computed, the backbone around it, and the predictor, which is that of FCOS (Tian et
al. 2019) with fewer convolutions, batch normalisation of each scale by itself, and 1 x 1 convolutions at its end.
"""

import math

import keras
from keras import layers, ops

from nets.detectors import BOX
from nets.replicas import several_replicas
from nets.towers.compact import normalised_conv
from nets.towers.msffrn import Shuffled

PRIOR = 0.01  # share of locations that the untrained network takes for an object, as in RetinaNet
START = 2.0  # strides from a location to the sides of its box, before training
FARTHEST = 8.0  # largest exponent of a distance


def sodnet(images, row, classes: int):
    """Maps of several scales; shapes as of `nets.detectors.make_detector`."""
    c1, c2, c3, c4 = backbone(layers.Rescaling(1 / 127.5, offset=-1.0, name="scaled")(images), row)
    p4 = normalised_conv(c4, row.width, "p4", 1)
    p3 = pyramid_step(c3, p4, row.width, "p3")
    p2 = pyramid_step(c2, p3, row.width, "p2")
    pyramid = [p2, p3]
    if row.p1:
        pyramid.insert(0, fmf(c1, p2, p3, row.width) if row.fmf else pyramid_step(c1, p2, row.width, "p1"))
    return predicted(pyramid, row, classes)


def backbone(x, row):
    """C1 to C4: (B, H, W, 3) -> (B, H / 2, W / 2, widths[0]) to (B, H / 16, W / 16, widths[3])."""
    made = []
    for stage, (width, blocks) in enumerate(zip(row.widths, row.blocks), start=1):
        x = normalised_conv(x, width, f"c{stage}_smaller", 3, 2)
        for block in range(1, blocks + 1):
            name = f"c{stage}_block{block}"
            x = normalised_conv(x, width, name)
            x = asp_conv(x, row.groups, f"{name}_asp") if row.aspconv else x
        made.append(x)
    return made


def asp_conv(x, groups: int, name: str):
    """ASPConv: (B, h, w, C) -> the same shape. C must be a multiple of `groups`.

    Qi et al.'s: the channels are split into equal groups, which are convolved one after the other: group k passes a
    convolution 3 x 3 of its own channels plus the output of group k - 1, so the groups see 1, 3, 5, ... pixels of x;
    they are fused by weights that the input decides. Ours: the convolutions are depthwise, which keeps them cheap; the
    weights are those of a sigmoid for each channel at each location, so that an answer never depends on far parts of a
    photo; a 1 x 1 convolution mixes the groups; the input is added. The last normalisation starts with zeros, so the
    untrained block gives what it got. It has 9 C (groups - 1) / groups + 2 C^2 weights.
    """
    width, (first, *others) = x.shape[-1], ops.split(x, groups, axis=-1)
    made = [first]
    for number, part in enumerate(others, start=2):
        seen = layers.Add(name=f"{name}_sum{number}")([part, made[-1]])
        made.append(layers.DepthwiseConv2D(3, padding="same", activation="relu", name=f"{name}_group{number}")(seen))
    made = layers.Concatenate(name=f"{name}_all")(made)
    weights = layers.Conv2D(width, 1, activation="sigmoid", kernel_initializer="zeros", name=f"{name}_weights")(made)
    fused = layers.Conv2D(width, 1, use_bias=False, name=f"{name}_fuse")(
        layers.Multiply(name=f"{name}_weighted")([made, weights]))
    fused = layers.BatchNormalization(momentum=0.97, gamma_initializer="zeros", synchronized=several_replicas(),
                                      name=f"{name}_norm")(fused)
    return layers.ReLU(name=f"{name}_out")(layers.Add(name=f"{name}_plus")([x, fused]))


def pyramid_step(lateral, coarser, width: int, name: str):
    """A map of a feature pyramid (Lin et al. 2017): the coarser one enlarged, plus that of the backbone, smoothed."""
    lateral = layers.Conv2D(width, 1, name=f"{name}_lateral")(lateral)
    both = layers.Add(name=f"{name}_sum")([lateral, layers.UpSampling2D(2, name=f"{name}_up")(coarser)])
    return normalised_conv(both, width, name)


def fmf(c1, p2, p3, width: int):
    """FMF: C1 (B, h, w, C) and the pyramid's P2 and P3, of half and a quarter of its size -> P1 (B, h, w, width).

    Qi et al.'s: both are brought to the size of C1 by nearest neighbours and by sub-pixel convolution, and fused with
    C1. Ours: each is brought up in both ways and the two are added; the three are concatenated, a 1 x 1 convolution
    brings them to `width` channels, and a convolution 3 x 3 follows.
    """
    parts = [layers.Conv2D(width, 1, name="fmf_c1")(c1)]
    for name, coarse, scale in (("fmf_p2", p2, 2), ("fmf_p3", p3, 4)):
        near = layers.UpSampling2D(scale, name=f"{name}_nearest")(coarse)
        shuffled = Shuffled(scale, name=f"{name}_shuffle")(
            layers.Conv2D(width * scale**2, 1, name=f"{name}_subpixel")(coarse))
        parts.append(layers.Add(name=f"{name}_sum")([near, shuffled]))
    fused = normalised_conv(layers.Concatenate(name="fmf_all")(parts), width, "fmf_fuse", 1)
    return normalised_conv(fused, width, "p1")


def predicted(pyramid, row, classes: int):
    """The maps of the predictor, whose convolutions all scales share; shapes as of `nets.detectors.make_detector`.

    The last of `row.depth` convolutions is there twice, for boxes and for classes. Each scale is normalised by itself.
    """
    def shared(name: str):
        return layers.Conv2D(row.width, 3, padding="same", use_bias=False, name=name)

    common = [shared(f"predictor{number}") for number in range(1, row.depth)]
    of_boxes, of_classes = shared("box_conv"), shared("class_conv")
    small = keras.initializers.RandomNormal(0, 0.01)
    sides = layers.Conv2D(BOX, 1, kernel_initializer=small, name="sides")
    named = layers.Conv2D(classes, 1, kernel_initializer=small, name="classes",
                          bias_initializer=keras.initializers.Constant(-math.log(1 / PRIOR - 1)))
    made = []
    for stride, x in zip(row.strides, pyramid):
        for conv in common:
            x = normalised(conv(x), f"{conv.name}_{stride}")
        boxes, kinds = (normalised(conv(x), f"{conv.name}_{stride}") for conv in (of_boxes, of_classes))
        made.append(layers.Concatenate(name=f"map{stride}", dtype="float32")(
            [Distances(stride, name=f"distances{stride}")(sides(boxes)), named(kinds)]))
    return made


def normalised(x, name: str):
    """Batch normalisation over all devices, ReLU."""
    x = layers.BatchNormalization(momentum=0.97, synchronized=several_replicas(), name=f"{name}_norm")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


@keras.saving.register_keras_serializable("compare")
class Distances(layers.Layer):
    """The first four channels become distances in pixels, `START` stride exp(s x) with a learnt s; the others stay.

    (B, h, w, BOX) -> the same shape, float32. FCOS's equation 2 with the scale of its section 3.2.
    """

    def __init__(self, stride: int, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.stride = stride

    def build(self, shape):
        self.scale = self.add_weight((), "ones", name="scale")

    def call(self, x):
        exponent = ops.minimum(x[..., :4] * self.scale, FARTHEST)
        return ops.concatenate([START * self.stride * ops.exp(exponent), x[..., 4:]], axis=-1)

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return {**super().get_config(), "stride": self.stride}
