"""A patch shows what stands around its key point: at its scale, turned by its angle, without aliasing."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from utils.keypoints.cut import cut, cut_frames, frames_of
from utils.keypoints.detector import Keypoints


def points(*rows):
    """Key points of rows x, y, size, angle."""
    rows = np.array(rows, "float32")
    return Keypoints(rows[:, :2], rows[:, 2], rows[:, 3], np.ones(len(rows), "float32"))


def noise(height=120, width=140, blur=1.0, seed=0):
    return gaussian_filter(np.random.default_rng(seed).uniform(0, 255, (height, width)), blur).astype("float32")


def test_a_patch_of_the_photos_scale_is_the_photo_itself():
    image = noise()
    patch = cut(image, points((59.5, 49.5, 32 / 6, 0)))[0]  # 12 sigmas are 6 sizes, 32 pixels
    assert patch.shape == (32, 32) and patch.dtype == np.float32
    assert np.allclose(patch, image[34:66, 44:76], atol=1e-3)
    colour = np.stack([image, 255 - image, image / 2], axis=-1)
    assert np.allclose(cut(colour, points((59.5, 49.5, 32 / 6, 0)))[0], colour[34:66, 44:76], atol=1e-3)


def test_a_patch_is_turned_by_the_angle_of_its_key_point():
    """A photo turned by a quarter clockwise shows the same patch at an angle of 90 degrees more."""
    image = noise()
    turned = np.rot90(image, -1)
    x, y = 60.3, 50.8
    first = cut(image, points((x, y, 7, 20)))
    second = cut(turned, points((len(image) - 1 - y, x, 7, 110)))
    assert np.allclose(first, second, atol=0.05)


def test_the_frames_of_key_points_say_where_the_edges_lie():
    frame = frames_of(points((10, 20, 4, 90)), magnification=10)[0]  # a square of 20 pixels; its x axis points down
    assert np.allclose(frame @ (1, 0, 1), (10, 30)) and np.allclose(frame @ (0, 1, 1), (0, 20))


def test_large_key_points_are_seen_without_aliasing():
    """A checkerboard of single pixels is grey from afar, and the mean stays."""
    board = np.indices((400, 400)).sum(0) % 2 * 255.0
    patches = cut(board, points((200, 200, 20, 33), (190, 210, 45, 10)))
    assert np.abs(patches - 127.5).max() < 10


def test_half_the_photo_at_half_the_size_gives_the_same_patch():
    image = noise(400, 400, blur=4)
    half = gaussian_filter(image, 0.8)[::2, ::2]
    first, second = cut(image, points((200, 180, 16, 70))), cut(half, points((100, 90, 8, 70)))
    assert np.corrcoef(first.ravel(), second.ravel())[0, 1] > 0.995


def test_frames_may_be_mirrored_and_sheared_and_rims_repeat():
    image = noise()
    frame = frames_of(points((60, 50, 6, 0)))
    mirrored = frame * np.array([-1, 1, 1])
    assert np.allclose(cut_frames(image, mirrored)[0], cut_frames(image, frame)[0][:, ::-1], atol=1e-3)
    assert cut_frames(image, frame[:0]).shape == (0, 32, 32)
    assert np.allclose(cut(image, points((-500, -500, 4, 0))), image[0, 0], atol=1e-3)


def test_many_patches_of_many_sizes_are_those_of_each_alone():
    image, rng = noise(), np.random.default_rng(1)
    many = points(*np.stack([rng.uniform(0, 140, 50), rng.uniform(0, 120, 50), rng.uniform(1, 40, 50),
                             rng.uniform(0, 360, 50)], axis=1))
    together = cut(image, many, 16)
    for row in range(0, 50, 7):
        assert together[row] == pytest.approx(cut(image, many.take([row]), 16)[0], abs=1e-3)
