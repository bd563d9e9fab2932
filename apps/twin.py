"""A Keras network as one of PyTorch's, layer by layer, to compare their speed: `python benchmark.py --parts=torch`."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from nets import detectors, towers
from nets.towers.msffrn import bicubic_kernel

if TYPE_CHECKING:
    import keras

CLASSES, BATCH, BATCHES = 21, 8, 24  # of the detector; pictures of a batch, and batches of a round
CROP, SCENE, PHOTO = 40, 96, 320  # pixels a side of what is learnt from, and of what is answered about
CLOSE = 1e-3  # what both may give differently, in shares of their range


def beside_torch(side_by_side: Callable, *_) -> dict[str, float]:
    """Pictures a second in training and in answering, in shares of those of the same layers in PyTorch.

    Both have as many threads as there are cores, the same weights and pictures, Adam and the squared error. PyTorch
    runs layer by layer, in its layout for convolutions on processors (channels last).

    Args:
        side_by_side: names and functions -> the seconds of each in several rounds.

    Raises:
        ValueError: PyTorch is not installed, or both do not give the same.
    """
    try:
        import torch
    except ModuleNotFoundError:
        raise ValueError("--parts=torch: PyTorch is not installed: pip install torch") from None
    found = {}
    for name, network, side in (
        ("msffrn_compact x2", towers.make_larger_tower(towers.larger_row("msffrn_compact"), 2), CROP),
        ("sodnet_compact", detectors.make_detector(detectors.detector_row("sodnet_compact"), CLASSES), SCENE),
    ):
        rng = np.random.default_rng(0)
        for weight in network.trainable_weights:  # no layer gives only zeros
            weight.assign(weight + rng.normal(0, 0.01, weight.shape))
        pictures = rng.uniform(0, 255, (BATCH * BATCHES, side, side, 3)).astype("float32")
        photo = rng.uniform(0, 255, (1, PHOTO, PHOTO, 3)).astype("float32")
        found |= {f"{name}: {what}": value for what, value in
                  measured(network, torch.optim.Adam, pictures, photo, side_by_side).items()}
    return found


def measured(network: "keras.Model", adam: Callable, pictures: np.ndarray, photo: np.ndarray,
             side_by_side: Callable) -> dict[str, float]:
    """Both speeds of one network.

    Args:
        adam: PyTorch's.
        pictures: (N, h, w, C) float32 to train on.
        photo: (1, H, W, C) float32 to answer about.
    """
    twin = as_torch(network)
    check_equal(network, twin, photo)
    answered = side_by_side({"Keras": lambda: network.predict_on_batch(photo), "torch": lambda: answer(twin, photo)})
    targets = [np.zeros_like(made) for made in several(network.predict_on_batch(pictures))]
    network.compile("adam", ["mse"] * len(targets), jit_compile=False)
    optimizer = adam(twin.parameters())
    trained = side_by_side({"Keras": lambda: network.fit(pictures, targets, BATCH, verbose=0),
                            "torch": lambda: train(twin, optimizer, pictures)})
    return {"answers a second, beside PyTorch": min(answered["torch"]) / min(answered["Keras"]),
            "pictures trained on a second, beside PyTorch": min(trained["torch"]) / min(trained["Keras"])}


def several(values) -> list:
    """A list of one or more."""
    return list(values) if isinstance(values, list | tuple) else [values]


def check_equal(network: "keras.Model", twin, photo: np.ndarray) -> None:
    """Raises ValueError where both networks do not make the same of a photo (1, H, W, 3)."""
    for ours, theirs in zip(several(network.predict_on_batch(photo)), answer(twin, photo), strict=True):
        apart = float(np.abs(ours - theirs).max() / np.ptp(ours))
        if not apart < CLOSE:
            raise ValueError(f"PyTorch gives something else than Keras, {apart:.2g} of the range apart")


def answer(twin, pictures: np.ndarray) -> list[np.ndarray]:
    """What the twin makes of pictures (B, H, W, C)."""
    import torch

    twin.eval()
    with torch.inference_mode():
        return [made.permute(0, 2, 3, 1).numpy() for made in twin(as_tensor(pictures))]


def train(twin, optimizer, pictures: np.ndarray) -> None:
    """Steps of an epoch over pictures (N, H, W, C), towards zeros."""
    twin.train()
    for start in range(0, len(pictures), BATCH):
        optimizer.zero_grad()
        sum((made**2).mean() for made in twin(as_tensor(pictures[start : start + BATCH]))).backward()
        optimizer.step()


def as_tensor(pictures: np.ndarray):
    """Pictures (B, H, W, C) as PyTorch takes them, (B, C, H, W) with channels last in memory."""
    import torch

    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def as_torch(network: "keras.Model"):
    """A functional network of the layers of `nets.towers.msffrn` and `nets.detectors.sodnet` as a module of PyTorch
    with the same weights: (B, C, H, W) -> a list of (B, C, H, W).

    Raises:
        ValueError: a layer that has no counterpart here.
    """
    import torch

    class Twin(torch.nn.Module):
        """The layers in the order in which Keras runs them; each layer that is shared has its weights once."""

        def __init__(self):
            super().__init__()
            self.kept = torch.nn.ModuleDict()
            self.steps, places = [], {id(tensor): number for number, tensor in enumerate(network.inputs)}
            for depth in sorted(network._nodes_by_depth, reverse=True):
                for node in network._nodes_by_depth[depth]:
                    if node.is_input:
                        continue
                    name = node.operation.name.replace(".", "_")
                    if name not in self.kept:
                        self.kept[name] = counterpart(node.operation)
                    taken = [places[id(tensor)] for tensor in node.input_tensors]
                    made = [places.setdefault(id(tensor), len(places)) for tensor in node.outputs]
                    self.steps.append((self.kept[name], taken, made))
            self.last = [places[id(tensor)] for tensor in network.outputs]
            self.count = len(places)

        def forward(self, x):
            values = [x] + [None] * (self.count - 1)
            for module, taken, made in self.steps:
                for place, value in zip(made, several(module(*[values[place] for place in taken])), strict=True):
                    values[place] = value
            return [values[place] for place in self.last]

    return Twin().to(memory_format=torch.channels_last)


def counterpart(layer):
    """A layer of Keras as a module of PyTorch, with its weights; ValueError where there is none."""
    made = {"Conv2D": conv, "DepthwiseConv2D": conv, "BatchNormalization": normalization, "Rescaling": rescaling,
            "Distances": distances, "Bicubic": bicubic}
    if make := made.get(type(layer).__name__):
        return make(layer, [np.asarray(value) for value in getattr(layer, "get_weights", list)()])
    return module(function_of(layer))


def module(function, **tensors):
    """A module that calls a function of itself and of its inputs, with parameters of these names."""
    import torch

    class Done(torch.nn.Module):
        def __init__(self):
            super().__init__()
            for name, values in tensors.items():
                setattr(self, name, torch.nn.Parameter(torch.tensor(values)))

        def forward(self, *values):
            return function(self, *values)

    return Done()


def function_of(layer):
    """What a layer without weights does, as a function of its module and of its inputs; ValueError where it is not
    known."""
    import torch
    from torch.nn import functional

    known = {
        "ReLU": lambda self, x: functional.relu(x),
        "Add": lambda self, *values: sum(values[1:], values[0]),
        "Multiply": lambda self, a, b: a * b,
        "Concatenate": lambda self, *values: torch.cat(values, 1),
        "Split": lambda self, x: torch.chunk(x, layer.indices_or_sections, 1),
        "UpSampling2D": lambda self, x: functional.interpolate(x, scale_factor=layer.size[0], mode="nearest"),
        "Shuffled": lambda self, x: shuffled(x, layer.scale),
    }
    kind = type(layer).__name__
    if kind not in known:
        raise ValueError(f"{layer.name}: a {kind} has no counterpart here: add one to apps/twin.py")
    return known[kind]


def normalization(layer, weights: list[np.ndarray]):
    """The same batch normalization."""
    import torch

    made = torch.nn.BatchNorm2d(len(weights[0]), layer.epsilon, 1 - layer.momentum)
    for target, values in zip((made.weight, made.bias, made.running_mean, made.running_var), weights, strict=True):
        target.data = torch.from_numpy(values.copy())
    return made


def rescaling(layer, weights: list[np.ndarray]):
    """The same scale and offset."""
    import torch

    scale, offset = (torch.tensor(np.asarray(value, "float32")).reshape(-1, 1, 1)
                     for value in (layer.scale, layer.offset))
    return module(lambda self, x: x * scale + offset)


def distances(layer, weights: list[np.ndarray]):
    """The detector's distances to the four sides of a box, and its class scores."""
    import torch

    return module(lambda self, x: torch.cat([layer.stride * detectors.sodnet.START * torch.exp(
        torch.clamp(x[:, :4] * self.scale, max=detectors.sodnet.FARTHEST)), x[:, 4:]], 1), scale=weights[0])


def bicubic(layer, weights: list[np.ndarray]):
    """Bicubic interpolation as the same fixed convolution."""
    import torch
    from torch.nn import functional

    kernel = torch.from_numpy(bicubic_kernel(layer.scale, 3).transpose(3, 2, 0, 1).copy())
    return module(lambda self, x: shuffled(functional.conv2d(mirrored(mirrored(x, 2), 3), kernel), layer.scale))


def conv(layer, weights: list[np.ndarray]):
    """A convolution, of each channel by itself where it is depthwise; where it makes maps smaller, TensorFlow pads the
    right and the lower side first."""
    import torch

    channels, kernel = layer.kernel.shape[2], weights[0].transpose(3, 2, 0, 1)
    if depthwise := hasattr(layer, "depth_multiplier"):
        kernel = kernel.swapaxes(0, 1)
    made = torch.nn.Conv2d(channels, len(kernel), layer.kernel_size, layer.strides,
                           layer.kernel_size[0] // 2 if layer.strides[0] == 1 else 0, bias=layer.use_bias,
                           groups=channels if depthwise else 1)
    made.weight.data = torch.from_numpy(kernel.copy())
    if layer.use_bias:
        made.bias.data = torch.from_numpy(weights[1].copy())
    before = [torch.nn.ZeroPad2d((0, 1, 0, 1))] if layer.strides[0] == 2 and layer.kernel_size[0] == 3 else []
    after = {"linear": [], "relu": [torch.nn.ReLU()], "sigmoid": [torch.nn.Sigmoid()]}[layer.activation.__name__]
    return torch.nn.Sequential(*before, made, *after)


def shuffled(x, scale: int):
    """Channels become pixels, in the order of `nets.towers.msffrn.Shuffled`."""
    batch, channels, height, width = x.shape
    parts = x.reshape(batch, scale, scale, channels // scale**2, height, width).permute(0, 3, 4, 1, 5, 2)
    return parts.reshape(batch, channels // scale**2, height * scale, width * scale)


def mirrored(x, axis: int):
    """Two more pixels at both ends of an axis, mirrored at the border."""
    import torch

    length = x.shape[axis]
    return x.index_select(axis, torch.tensor([1, 0, *range(length), length - 1, length - 2]))
