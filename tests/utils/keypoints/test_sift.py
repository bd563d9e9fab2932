"""SIFT of cut patches: unit length, symmetric, blind to light, and as good as OpenCV's."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from utils.keypoints import sift


def patches(count=20, side=24, seed=0):
    return 255 * np.random.default_rng(seed).random((count, side, side)).astype("float32")


def test_descriptors_have_unit_length_and_do_not_depend_on_the_others():
    made = sift.describe(patches())
    assert made.shape == (20, 128) and np.allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    assert np.allclose(made[3], sift.describe(patches()[3:4])[0], atol=1e-6)
    assert np.isfinite(sift.describe(np.zeros((2, 24, 24)))).all() and sift.describe(patches()[:0]).shape == (0, 128)


def test_brightness_and_contrast_change_nothing():
    assert np.allclose(sift.describe(patches()), sift.describe(40 + 0.5 * patches()), atol=1e-4)


def test_a_mirrored_patch_gives_the_mirrored_descriptor():
    """Columns of cells change places, and direction d becomes 4 - d, because x points the other way."""
    made, mirrored = (sift.describe(found, root=False).reshape(-1, 4, 4, 8)
                      for found in (patches(), patches()[:, :, ::-1]))
    assert np.allclose(mirrored, made[:, :, ::-1][..., (4 - np.arange(8)) % 8], atol=1e-5)


def test_descriptors_of_the_mirrored_photo_are_put_together_from_those_of_the_photo():
    """The direction of a key point stays along x, so the photo's mirror turns the patch upside down."""
    assert np.allclose(sift.mirrored(sift.describe(patches())), sift.describe(patches()[:, ::-1]), atol=1e-5)
    assert sift.mirrored(sift.describe(patches()[:0])).shape == (0, 128)


def test_a_patch_seen_twice_is_found_as_often_as_with_opencv():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(3)
    first = np.stack([gaussian_filter(rng.uniform(0, 255, (65, 65)), 2) for _ in range(150)])
    first = np.clip((first - 128) * 4 + 128, 0, 255)
    second = np.stack([np.roll(patch, (3, -2), (0, 1)) for patch in first]) + rng.normal(0, 20, first.shape)
    second = np.clip(second, 0, 255)

    def theirs(found):
        point = [cv2.KeyPoint(32.0, 32.0, 65 / 5.303, 0)]
        made = np.concatenate([cv2.SIFT_create().compute(patch.astype("uint8"), point)[1] for patch in found])
        return np.sqrt(made / made.sum(1, keepdims=True))

    def right(describe):
        return ((describe(first) @ describe(second).T).argmax(1) == np.arange(len(first))).mean()

    assert right(lambda found: sift.describe(found, sift.OF_SETS)) > right(theirs) - 0.03
