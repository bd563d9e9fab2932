"""SIFTNet against a plain transcription of its formulae, mirrored patches, and what must not matter."""

import keras
import numpy as np
import pytest

from nets.inference import apply
from nets.towers.siftnet import mirrored, siftnet


def sift_loop(patch, circular, spread, rootsift):
    """SIFT of a patch (P, P) as the formulae say, with the grid of a convolution: taps 2 int(P / 5), stride P // 4,
    padding taps // 4."""
    P = len(patch)
    x = np.pad(patch.astype("float64"), 1, mode="edge")
    gx, gy = x[1:-1, 2:] - x[1:-1, :-2], x[2:, 1:-1] - x[:-2, 1:-1]
    strength, angle = np.sqrt(gx**2 + gy**2 + 1e-10), np.arctan2(gy, gx) % (2 * np.pi)
    taps, stride = 2 * int(P / 5), P // 4
    pad, half = taps // 4, taps // 2
    tent = np.array([(t + 0.5) / half if t < half else (taps - t - 0.5) / half for t in range(taps)])
    maps = np.zeros((8, P, P))
    for i in range(P):
        for j in range(P):
            d2 = (i - P / 2 + 0.5) ** 2 + (j - P / 2 + 0.5) ** 2
            weight = 0.0 if circular and np.sqrt(d2) >= P / 2 else np.exp(-d2 / spread)
            position = angle[i, j] * 8 / (2 * np.pi)
            low, share = int(position) % 8, position - int(position)
            maps[low, i, j] += (1 - share) * strength[i, j] * weight
            maps[(low + 1) % 8, i, j] += share * strength[i, j] * weight
    padded, sums = np.pad(maps, ((0, 0), (pad, pad), (pad, pad))), np.zeros((8, 4, 4))
    for r in range(4):
        for c in range(4):
            part = padded[:, r * stride : r * stride + taps, c * stride : c * stride + taps]
            sums[:, r, c] = (part * np.outer(tent, tent)).sum(axis=(1, 2))
    flat = sums.ravel() / np.linalg.norm(sums)
    flat = np.minimum(flat, 0.2)
    flat /= np.linalg.norm(flat)
    return np.sqrt(flat / flat.sum()) if rootsift else flat


def smooth(rng, side, count=4):
    from scipy.ndimage import gaussian_filter

    patches = gaussian_filter(rng.normal(size=(count, side, side)), (0, 2, 2))
    return (127 + 60 * patches / patches.std()).astype("float32")[..., None]


@pytest.mark.parametrize("side", [32, 41, 64, 65])
@pytest.mark.parametrize("mode, circular, spread",
                         [("mp", True, lambda P: 0.9 * (P / 2) ** 2), ("vlfeat", False, lambda P: P**2)])
@pytest.mark.parametrize("rootsift", [False, True])
def test_the_grid_of_the_seed_equals_the_formulae(side, mode, circular, spread, rootsift, rng):
    patches = smooth(rng, side, 2)
    descriptors = apply(siftnet(side, mode, rootsift, grid="seed"), patches)
    expected = [sift_loop(patch[..., 0], circular, spread(side), rootsift) for patch in patches]
    assert np.allclose(descriptors, expected, atol=1e-5)


@pytest.mark.parametrize("side", [32, 33, 65])
@pytest.mark.parametrize("mode", ["mp", "vlfeat"])
def test_a_mirrored_patch_gives_the_mirrored_descriptor_in_the_centred_grid(side, mode, rng):
    patches = smooth(rng, side)
    error = {grid: np.linalg.norm(apply(model, patches[:, :, ::-1]) - mirrored(apply(model, patches)), axis=1).mean()
             for grid in ("centred", "seed") for model in [siftnet(side, mode, grid=grid)]}
    assert error["centred"] < 1e-5 and error["seed"] > 0.05


def test_descriptors_have_unit_length_and_depend_on_no_other_patch(rng):
    patches = smooth(rng, 32)
    patches[2] = 40  # even
    for rootsift in (False, True):
        model = siftnet(32, rootsift=rootsift)
        descriptors = apply(model, patches)
        assert descriptors.shape == (4, 128) and np.allclose(np.linalg.norm(descriptors, axis=1), 1, atol=1e-5)
        assert np.allclose(descriptors[:1], apply(model, patches[:1]), atol=1e-6)
        assert np.allclose(descriptors, apply(model, 0.5 * patches + 20), atol=1e-4)


def test_nothing_is_trained_and_saved_models_are_the_same(tmp_path, rng):
    model, patches = siftnet(32, "vlfeat", True), smooth(rng, 32)
    assert not model.weights
    model.save(tmp_path / "sift.keras")
    assert np.allclose(apply(keras.saving.load_model(tmp_path / "sift.keras"), patches), apply(model, patches),
                       atol=1e-6)


@pytest.mark.parametrize("wrong", [{"side": 8}, {"mode": "hesamp"}, {"grid": "middle"}])
def test_unknown_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="expected 16 or more pixels, mode mp or vlfeat, grid centred or seed"):
        siftnet(**wrong)
