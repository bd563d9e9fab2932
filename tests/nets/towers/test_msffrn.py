"""MSFFRN: its size to the unit by a plain formula, its paths, and the weights of the authors' PyTorch layers."""

import numpy as np
import pytest

from nets import towers
from nets.inference import apply
from nets.models import superres
from nets.towers import msffrn


def weights_of_block(paths, width):
    """By the rule: path p of P has a convolution each 2^(P - p) steps, and every second step joins the active paths."""
    units = joined = 0
    for step in range(1, 2 ** (paths - 1) + 1):
        active = sum(step % 2 ** (paths - path) == 0 for path in range(1, paths + 1))
        units += active
        joined += active if active > 1 else 0
    return units * (9 * width + 1) * width + joined * width * width


def weights_of_msffrn(scale, paths=4, blocks=10, width=64):
    """Convolutions 3 x 3 have 9 in out + out weights, 1 x 1 in out + out."""
    ups = {2: [4], 3: [9], 4: [4, 4]}[scale]
    return (27 * width + width + blocks * weights_of_block(paths, width) + (blocks + 1) * width * width + width
            + (9 * width + 1) * width + sum((9 * width + 1) * width * times for times in ups) + 27 * width + 3)


def row(name="msffrn", **settings):
    return towers.larger_row(name, **settings)


def test_the_article_s_sizes_come_out_to_the_unit():
    assert weights_of_block(4, 64) == 598_976
    assert [weights_of_msffrn(scale) for scale in (2, 3, 4)] == [6_223_043, 6_407_683, 6_370_755]  # 6.22, 6.41, 6.37 M
    assert towers.make_larger_tower(row(), 2).count_params() == 6_223_043


@pytest.mark.parametrize("scale, paths, blocks, width",
                         [(3, 4, 1, 64), (4, 4, 2, 64), (2, 1, 3, 5), (2, 2, 2, 8), (3, 3, 1, 4), (4, 5, 1, 4)])
def test_any_number_of_paths_has_the_size_of_the_rule(scale, paths, blocks, width):
    tower = towers.make_larger_tower(row(paths=paths, blocks=blocks, width=width), scale)
    assert tower.count_params() == weights_of_msffrn(scale, paths, blocks, width)
    assert tower.output_shape == (None, None, None, 3)
    assert apply(tower, np.zeros((1, 5, 7, 3))).shape == (1, 5 * scale, 7 * scale, 3)


def test_the_joins_of_four_paths_are_those_of_the_article():
    tower = towers.make_larger_tower(row(blocks=1, width=4), 2)
    joins = [tower.get_layer(f"block1_join{number}") for number in (1, 2, 3, 4)]
    assert [join.kernel.shape[2] // 4 for join in joins] == [2, 3, 2, 4] and not any(join.use_bias for join in joins)
    units = [layer.name for layer in tower.layers if "_path" in layer.name]
    assert [sum(f"path{path}_" in name for name in units) for path in (1, 2, 3, 4)] == [1, 2, 4, 8]


def test_one_pixel_counts_as_far_as_reach_says(rng):
    """And no farther: a tile with so much around it gives what the whole photo gives."""
    for name, settings in (("msffrn", {"paths": 3, "blocks": 1, "width": 4}),
                           ("msffrn_compact", {"paths": 2, "blocks": 2, "width": 6})):
        model = superres.superres(row(name, **settings), 2)
        model.set_weights([rng.normal(0, 0.3, weight.shape) for weight in model.get_weights()])
        network, photo = superres.enlarger(model), rng.uniform(0, 255, (1, 41, 41, 3))
        changed = photo.copy()
        changed[0, 20, 20] += 50
        apart = np.abs(network.enlarge(photo) - network.enlarge(changed)).max(axis=(0, 3))
        rows = np.flatnonzero(apart.max(axis=1) > 0)
        assert 0 < max(20 - rows[0] // 2, rows[-1] // 2 - 20) <= network.reach <= 20


@pytest.mark.parametrize("scale", towers.SCALES)
def test_the_fixed_convolution_is_bicubic_interpolation_up_to_the_border(scale, rng):
    """As Pillow does it on a photo that is mirrored at its border."""
    from PIL import Image

    photo = rng.uniform(0, 255, (1, 2, 7, 3)).astype("float32")
    made = apply(msffrn.Bicubic(scale), photo)[0]
    wide = np.pad(photo[0], ((4, 4), (4, 4), (0, 0)), mode="symmetric")
    size = (15 * scale, 10 * scale)
    want = np.stack([np.asarray(Image.fromarray(wide[..., c]).resize(size, Image.Resampling.BICUBIC))
                     for c in range(3)], -1)
    np.testing.assert_allclose(made, want[4 * scale : -4 * scale, 4 * scale : -4 * scale], atol=1e-3)


def test_the_untrained_compact_network_is_bicubic_interpolation(rng):
    photo = rng.uniform(0, 255, (1, 6, 5, 3)).astype("float32")
    made = superres.enlarger(superres.superres(row("msffrn_compact", blocks=1, width=4), 3)).enlarge(photo)
    np.testing.assert_allclose(made, apply(msffrn.Bicubic(3), photo), atol=1e-4)


def test_what_is_no_row_is_refused_in_one_line():
    with pytest.raises(ValueError, match="--backbone=vgg16 makes no photo larger: expected msffrn_compact or msffrn"):
        towers.larger_row("vgg16")


def published(rng, scale=4, paths=2, blocks=2, width=4):
    """Arrays as a state_dict of the authors' network holds them: kernels (out, in, 3, 3)."""
    def conv(name, into, out, size=3, bias=True):
        found[f"{name}.weight"] = rng.normal(0, 0.2, (out, into, size, size)).astype("float32")
        if bias:
            found[f"{name}.bias"] = rng.normal(0, 0.2, out).astype("float32")

    found = {"sub_mean.weight": np.eye(3), "sub_mean.bias": np.zeros(3)}
    conv("head.0", 3, width)
    for number in range(blocks):
        for path in range(paths):
            for step in range(2 ** (paths - 1)):
                if (step + 1) % 2 ** (paths - 1 - path) == 0:
                    conv(f"body.{number}.columns.{path}.{step}.conv", width, width)
        conv(f"body.{number}.joinConv.0", 2 * width, width, 1, bias=False)
    conv("tail.0", (blocks + 1) * width, width, 1)
    conv("tail.1", width, width)
    for place in (0, 2) if scale == 4 else (0,):
        conv(f"tail.2.{place}", width, 4 * width)
    conv("tail.3", width, 3)
    return found


def plain(arrays, photo, scale, blocks):
    """The authors' network of two paths in NumPy, with PyTorch's order of channels: (3, h, w) -> (3, s h, s w)."""
    def conv(name, x):
        kernel = arrays[f"{name}.weight"]
        pad = kernel.shape[2] // 2
        x = np.pad(x, ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[2:], axis=(1, 2))
        bias = arrays.get(f"{name}.bias", np.zeros(len(kernel)))
        return np.einsum("oiyx,ihwyx->ohw", kernel, windows) + bias[:, None, None]

    def shuffle(x, step):
        channels, height = len(x) // step**2, step * x.shape[1]
        return x.reshape(channels, step, step, *x.shape[1:]).transpose(0, 3, 1, 4, 2).reshape(channels, height, -1)

    mean = np.array(msffrn.DIV2K_MEAN)[:, None, None]
    x = first = conv("head.0", photo - mean)
    made = []
    for number in range(blocks):
        def unit(path, step, x, body=f"body.{number}"):
            return np.maximum(conv(f"{body}.columns.{path}.{step}.conv", x), 0)

        x = x + conv(f"body.{number}.joinConv.0", np.concatenate([unit(0, 1, x), unit(1, 1, unit(1, 0, x))]))
        made.append(x)
    x = conv("tail.1", conv("tail.0", np.concatenate([*made, first])))
    for place in (0, 2) if scale == 4 else (0,):
        x = shuffle(conv(f"tail.2.{place}", x), 2)
    return conv("tail.3", x) + mean


@pytest.mark.parametrize("scale", [2, 4])
def test_published_weights_give_what_the_authors_network_gives(scale, rng):
    arrays = published(rng, scale)
    model = superres.superres(row(paths=2, blocks=2, width=4), scale)
    superres.load_published(model, {f"module.{name}": array for name, array in arrays.items()})
    photo = rng.uniform(0, 255, (6, 5, 3))
    want = plain(arrays, photo.transpose(2, 0, 1), scale, 2).transpose(1, 2, 0)
    np.testing.assert_allclose(superres.enlarger(model).enlarge(photo[None])[0], want, rtol=1e-3, atol=0.02)


def test_weights_of_another_network_are_refused_in_one_line(rng):
    arrays = published(rng, 2)
    with pytest.raises(ValueError, match=r"\d+ layers are only on one side, such as body.1"):
        superres.load_published(superres.superres(row(paths=2, blocks=1, width=4), 2), arrays)
    with pytest.raises(ValueError, match=r"head.0 is \(3, 3, 3, 4\), the network expects \(3, 3, 3, 8\)"):
        superres.load_published(superres.superres(row(paths=2, blocks=2, width=8), 2), arrays)


def test_the_layers_of_a_torch_network_are_read_by_their_names(rng, tmp_path):
    """A small network of torch with the authors' names: what it computes is what Keras computes."""
    torch = pytest.importorskip("torch")
    from utils.run import weights

    arrays = published(rng, 2, paths=2, blocks=1)
    torch.save({name: torch.tensor(array) for name, array in arrays.items()}, tmp_path / "net.pt")

    def conv(name, x):
        kernel, bias = torch.tensor(arrays[f"{name}.weight"]), arrays.get(f"{name}.bias")
        return torch.nn.functional.conv2d(x, kernel, None if bias is None else torch.tensor(bias),
                                          padding=kernel.shape[2] // 2)

    def unit(path, step, x):
        return torch.relu(conv(f"body.0.columns.{path}.{step}.conv", x))

    photo = rng.uniform(0, 255, (1, 6, 5, 3)).astype("float32")
    mean = torch.tensor(msffrn.DIV2K_MEAN).reshape(1, 3, 1, 1)
    first = conv("head.0", torch.tensor(photo).permute(0, 3, 1, 2) - mean)
    x = first + conv("body.0.joinConv.0", torch.cat([unit(0, 1, first), unit(1, 1, unit(1, 0, first))], 1))
    x = conv("tail.2.0", conv("tail.1", conv("tail.0", torch.cat([x, first], 1))))
    want = conv("tail.3", torch.nn.PixelShuffle(2)(x)) + mean
    model = superres.superres(row(paths=2, blocks=1, width=4), 2)
    superres.load_published(model, weights.read_torch(str(tmp_path / "net.pt")))
    made = superres.enlarger(model).enlarge(photo)
    np.testing.assert_allclose(made, want.permute(0, 2, 3, 1).numpy(), rtol=1e-3, atol=0.02)
