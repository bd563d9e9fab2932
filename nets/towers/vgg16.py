"""VGG16, as the Siamese-tf2 article and RankIQA have it."""

import keras
from keras import layers

from nets.layers import ImagenetPixels
from nets.towers.classic import two_wide_layers


def vgg16(images, row, imagenet: bool = False):
    """VGG16's 13 convolutions and 5 poolings, flattened (Simonyan & Zisserman 2015).

    4608 features and 14 714 688 parameters at 105 x 105 x 3, the Siamese-tf2 article's form.
    """
    return layers.Flatten()(vgg16_maps(images, row, imagenet))


def vgg16_maps(images, row, imagenet: bool = False):
    """The last maps of `vgg16`: a thirty-second of the input's sides, 512 channels."""
    x = ImagenetPixels()(images) if imagenet else layers.Rescaling(1 / 255)(images)
    return keras.applications.VGG16(include_top=False, weights=None, input_shape=x.shape[1:], name="vgg16")(x)


def vgg16_quality(images, row, imagenet: bool = False):
    """VGG16 with two Dense layers of 4096 and dropout: 134 264 641 parameters at 224 x 224 (Liu et al. 2017)."""
    return two_wide_layers(vgg16(images, row, imagenet))
