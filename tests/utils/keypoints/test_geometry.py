"""Maps between photos: exact on exact points, and found among many wrong matches."""

import numpy as np
import pytest

from utils.keypoints import geometry
from utils.keypoints.geometry import MODELS, ransac, transfer

MATRICES = {
    "homography": np.array([[1.1, -0.2, 30], [0.15, 0.9, -12], [3e-4, -2e-4, 1]]),
    "affine": np.array([[1.1, -0.2, 30], [0.15, 0.9, -12], [0, 0, 1]]),
    "similarity": np.array([[0.8, -0.3, 30], [0.3, 0.8, -12], [0, 0, 1.0]]),
}


def scene(model, right=60, wrong=90, noise=0.5, seed=0):
    """Matches of which the first `right` follow the matrix of a model, in a photo of 640 x 480."""
    rng = np.random.default_rng(seed)
    a = rng.uniform(0, (640, 480), (right + wrong, 2))
    b = transfer(MATRICES[model], a) + rng.normal(0, noise, a.shape)
    b[right:] = rng.uniform(0, (640, 480), (wrong, 2))
    return a, b, np.arange(right + wrong) < right


def close(estimate, wanted):
    """How far two matrices map the corners of the photo from each other, in pixels."""
    corners = np.array([[0, 0], [639, 0], [639, 479], [0, 479]])
    return np.linalg.norm(transfer(estimate, corners) - transfer(wanted, corners), axis=1).max()


@pytest.mark.parametrize("model", MODELS)
def test_exact_points_give_the_exact_map(model):
    rng = np.random.default_rng(1)
    for count in (MODELS[model].points, 20):
        a = rng.uniform(0, 500, (3, count, 2))
        estimate = MODELS[model].fit(a, transfer(MATRICES[model], a))
        assert all(close(one, MATRICES[model]) < 1e-5 for one in estimate)


@pytest.mark.parametrize("model", MODELS)
def test_the_map_is_found_among_wrong_matches(model):
    a, b, right = scene(model)
    estimate = ransac(a, b, model)
    assert close(estimate.matrix, MATRICES[model]) < 2
    assert estimate.inliers[right].mean() > 0.95 and estimate.inliers[~right].sum() <= 3
    again = ransac(a, b, model)
    assert np.array_equal(estimate.matrix, again.matrix) and estimate.rounds == again.rounds


def test_few_rounds_where_most_matches_are_right_and_many_where_they_are_not():
    easy, hard = (ransac(*scene("homography", right, 120 - right)[:2]) for right in (100, 25))
    assert easy.rounds <= geometry.BATCH < hard.rounds
    assert close(hard.matrix, MATRICES["homography"]) < 4


def test_nothing_is_found_where_too_few_agree():
    for count in (0, 3, 4):
        a, b, _ = scene("homography", count, 0)
        assert ransac(a, b).matrix is None and not ransac(a, b).inliers.any()
    line = np.stack([np.arange(50), 2 * np.arange(50)], axis=1) * 5.0
    assert ransac(line, line + 3).matrix is None  # points of one line fix no homography
    assert ransac(line, line + 3, "similarity").matrix is not None
    point = np.full((50, 2), 9.0)
    assert all(ransac(point, point, model).matrix is None for model in MODELS)


def test_mirrored_and_collinear_samples_are_rejected():
    square = np.array([[0, 0], [100, 0], [100, 100], [0, 100]], float)[None]
    tolerance = np.full((1, 4), 3.0)
    assert geometry.is_sound(square, square, tolerance).all()
    assert not geometry.is_sound(square, square * (-1, 1), tolerance).any()
    crossed = square[:, [0, 2, 1, 3]]
    assert not geometry.is_sound(square, crossed, tolerance).any()
    flat = np.array([[0, 0], [50, 1], [100, 0], [0, 100]], float)[None]
    assert not geometry.is_sound(flat, square, tolerance).any() and not geometry.is_sound(square, flat, tolerance).any()


def test_points_beyond_the_horizon_have_no_place():
    matrix = np.array([[1, 0, 0], [0, 1, 0], [-0.01, 0, 1.0]])
    moved = transfer(matrix, np.array([[50.0, 10], [150, 10]]))
    assert moved[0].tolist() == [100, 20] and np.isnan(moved[1]).all()


def test_a_frame_moves_with_the_homography():
    frame = np.array([[[6.0, -1, 200], [2, 5, 150]]])
    moved = geometry.moved_frames(MATRICES["homography"], frame)[0]
    for point in ((0, 0, 1), (0.05, 0, 1), (0, -0.05, 1)):
        assert np.allclose(moved @ point, transfer(MATRICES["homography"], (frame[0] @ point)[None])[0], atol=1e-3)


def test_as_near_as_opencv():
    cv2 = pytest.importorskip("cv2")
    ours, theirs = [], []
    for seed in range(5):
        a, b, _ = scene("homography", 60, 90, 1.0, seed)
        ours.append(close(ransac(a, b).matrix, MATRICES["homography"]))
        theirs.append(close(cv2.findHomography(a, b, cv2.RANSAC, 3.0)[0], MATRICES["homography"]))
    assert np.mean(ours) < np.mean(theirs) * 1.2
