"""Any network of keras.applications as a tower: its own pre-processing inside, its last maps averaged over all
locations."""

from typing import NamedTuple


class Application(NamedTuple):
    """A network of keras.applications.

    Attributes:
        function: its name there, such as "ResNet50".
        pixels: what it expects: "tf" (-1..1), "torch" (0..1, minus ImageNet's mean, divided by its deviation),
            "caffe" (BGR minus ImageNet's mean), "lite" (minus 127, divided by 128), or
            "inside" where the network converts 0..255 itself; "halfway" where it does so only in part, see
            `converted`.
        least: pixels a side that it needs.
    """

    function: str
    pixels: str
    least: int = 32


NETWORKS = {
    "vgg19": Application("VGG19", "caffe"),
    "resnet50": Application("ResNet50", "caffe"),
    "resnet101": Application("ResNet101", "caffe"),
    "resnet152": Application("ResNet152", "caffe"),
    "resnet50_v2": Application("ResNet50V2", "tf"),
    "resnet101_v2": Application("ResNet101V2", "tf"),
    "resnet152_v2": Application("ResNet152V2", "tf"),
    "inception_v3": Application("InceptionV3", "tf", 75),
    "inception_resnet_v2": Application("InceptionResNetV2", "tf", 75),
    "xception": Application("Xception", "tf", 71),
    "mobilenet": Application("MobileNet", "tf"),
    "mobilenet_v2": Application("MobileNetV2", "tf"),
    "mobilenet_v3_small": Application("MobileNetV3Small", "inside"),
    "mobilenet_v3_large": Application("MobileNetV3Large", "inside"),
    "densenet121": Application("DenseNet121", "torch"),
    "densenet169": Application("DenseNet169", "torch"),
    "densenet201": Application("DenseNet201", "torch"),
    "nasnet_mobile": Application("NASNetMobile", "tf"),
    "nasnet_large": Application("NASNetLarge", "tf"),
    **{f"efficientnet_b{n}": Application(f"EfficientNetB{n}", "halfway") for n in range(8)},
    **{f"efficientnet_v2_b{n}": Application(f"EfficientNetV2B{n}", "inside") for n in range(4)},
    **{f"efficientnet_v2_{size.lower()}": Application(f"EfficientNetV2{size}", "inside") for size in "SML"},
    **{f"convnext_{size.lower()}": Application(f"ConvNeXt{size}", "inside")
       for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
}

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's RGB on 0..1


def application(images, row, imagenet: bool = False):
    """The features of a network of `NETWORKS`: mean of its last maps over all locations, (batch, channels)."""
    import keras

    return keras.layers.GlobalAveragePooling2D(name="average", dtype="float32")(application_maps(images, row, imagenet))


def application_maps(images, row, imagenet: bool = False):
    """The last maps of a network of `NETWORKS`, (batch, h, w, channels)."""
    import keras

    x = converted(images, row.network.pixels, imagenet)
    return getattr(keras.applications, row.network.function)(include_top=False, weights=None,
                                                             input_shape=x.shape[1:])(x)


def converted(images, pixels: str, imagenet: bool = False):
    """Pixels in 0..255, grey or RGB, as the network expects them: (batch, height, width, 3).

    Keras builds an EfficientNet B0 to B7 with ImageNet's weights otherwise than one without: it divides the normalised
    pixels by the root of ImageNet's deviation once more. Here the network is built without, so that this is done before
    it.
    """
    from keras import layers

    from nets.layers import ImagenetPixels

    if pixels == "caffe":
        return ImagenetPixels()(images)
    if images.shape[-1] == 1:
        images = layers.Concatenate(name="grey_thrice")([images] * 3)
    if pixels == "tf":
        return layers.Rescaling(1 / 127.5, offset=-1.0)(images)
    if pixels == "lite":
        return layers.Rescaling(1 / 128, offset=-127 / 128)(images)
    if pixels == "torch":
        return layers.Rescaling([1 / (255 * deviation) for deviation in DEVIATION],
                                offset=[-mean / deviation
                                        for mean, deviation in zip(MEAN, DEVIATION, strict=True)])(images)
    if pixels == "halfway" and imagenet:
        scale = [deviation**-0.5 for deviation in DEVIATION]
        return layers.Rescaling(scale, offset=[255 * mean * (1 - factor)
                                               for mean, factor in zip(MEAN, scale, strict=True)])(images)
    return images
