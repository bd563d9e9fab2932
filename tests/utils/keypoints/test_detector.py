"""Key points lie where they should, turn and grow with the photo, and are found again as often as OpenCV's."""


import numpy as np
import pytest
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from utils.keypoints.detector import detect


def blobs(height=240, width=320, count=60, seed=0):
    """A photo with bright and dark spots of many sizes on a soft ground, (H, W) float32."""
    rng = np.random.default_rng(seed)
    image = gaussian_filter(rng.normal(0, 300, (height, width)), 8) + 128
    y, x = np.mgrid[:height, :width]
    for _ in range(count):
        centre, sigma = rng.uniform((20, 20), (height - 20, width - 20)), rng.uniform(1.5, 7)
        wide = sigma * rng.uniform(1, 1.6)
        image += rng.choice([-90, 90]) * np.exp(-((y - centre[0]) ** 2 / sigma**2 + (x - centre[1]) ** 2 / wide**2) / 2)
    return np.clip(image, 0, 255).astype("float32")


def test_a_round_spot_is_found_at_its_place_and_size():
    """The difference of Gaussians of a spot of sigma s is strongest near the scale s."""
    y, x = np.mgrid[:200, :200]
    for sigma in (3.0, 6.0, 11.0):
        grey = 40 + 180 * np.exp(-((y - 90.3) ** 2 + (x - 120.7) ** 2) / (2 * sigma**2))
        points = detect(grey)
        assert np.abs(points.xy[0] - (120.7, 90.3)).max() < 0.1
        assert points.size[0] / 2 == pytest.approx(sigma, rel=0.15)


def test_the_strongest_come_first_and_flat_pictures_and_edges_have_none():
    points = detect(blobs())
    assert len(points.xy) > 40 and (np.diff(points.response) <= 0).all() and points.xy.dtype == np.float32
    assert [len(values) for values in detect(blobs(), most=10)] == [10] * 4
    assert np.array_equal(detect(blobs(), most=10).xy, points.xy[:10])
    step = np.repeat(np.where(np.arange(200) < 90, 30.0, 220.0)[None], 200, axis=0)
    for nothing in (np.full((100, 100), 99.0), step, np.zeros((3, 3)), np.zeros((1, 500))):
        assert len(detect(nothing).xy) == 0
    with pytest.raises(ValueError, match="expected a grey picture"):
        detect(np.zeros((9, 9, 3)))


def test_key_points_turn_with_the_photo():
    """Turned by 90 degrees clockwise, pixel (x, y) comes to (H - 1 - y, x), and angles grow by 90 degrees."""
    image = blobs()
    points, turned = detect(image), detect(np.rot90(image, -1))
    moved = np.stack([len(image) - 1 - points.xy[:, 1], points.xy[:, 0]], axis=1)
    # 10 degrees are a pixel
    near, match = cKDTree(np.c_[turned.xy, turned.angle / 10]).query(np.c_[moved, (points.angle + 90) % 360 / 10])
    assert (near < 1).mean() > 0.8
    assert np.median(np.abs(np.log2(turned.size[match] / points.size))[near < 1]) < 0.02


def test_key_points_shrink_with_the_photo():
    image = blobs()
    points, half = detect(image), detect(gaussian_filter(image, 0.8)[::2, ::2])
    near, match = cKDTree(half.xy * 2).query(points.xy)
    good = (near < 2) & (points.size > 8)
    assert good.sum() > 0.6 * (points.size > 8).sum()
    assert np.median(np.abs(np.log2(points.size / half.size[match]) - 1)[good]) < 0.1


def test_a_photo_with_many_blobs_has_many_points():
    assert len(detect(blobs(480, 640, 300)).xy) > 300


def test_as_many_points_are_found_again_as_with_opencv():
    cv2 = pytest.importorskip("cv2")
    first = blobs(count=150)
    matrix = np.array([[0.9, -0.2, 40], [0.25, 0.85, -10], [2e-4, -1e-4, 1]])
    second = cv2.warpPerspective(first, matrix, first.shape[::-1], borderMode=cv2.BORDER_REFLECT)

    def again(one, other):
        moved = np.c_[one, np.ones(len(one))] @ matrix.T
        moved = moved[:, :2] / moved[:, 2:]
        inside = ((moved > 10) & (moved < (310, 230))).all(1)
        return (cKDTree(other).query(moved[inside])[0] < 2).mean()

    sift = cv2.SIFT_create()
    theirs = [np.array([point.pt for point in sift.detect(image.astype("uint8"))]) for image in (first, second)]
    assert again(detect(first).xy, detect(second).xy) > again(*theirs) - 0.05
