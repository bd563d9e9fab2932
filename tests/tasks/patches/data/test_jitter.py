"""How patches differ when they are seen again: overlaps as HPatches states them, views, light."""

import numpy as np
import pytest

from tasks.patches.data.jitter import JITTERS, jittered, local_maps, random_homography, relit, seen_from

SQUARE = np.array([[[1.0, 0, 0], [0, 1, 0]]])  # a frame of half side 1 around the origin


def overlaps(frames):
    """Intersection by union of the unit circle and the ellipse of each frame."""
    dots = np.random.default_rng(0).uniform(-2.5, 2.5, (15000, 2))
    inside = (dots**2).sum(axis=1) < 1
    for frame in frames:
        other = (np.linalg.solve(frame[:, :2], (dots - frame[:, 2]).T) ** 2).sum(axis=0) < 1
        yield (inside & other).sum() / (inside | other).sum()


@pytest.mark.parametrize("kind", JITTERS)
def test_overlaps_are_those_that_hpatches_states(kind, rng):
    found = np.median(list(overlaps(jittered(SQUARE.repeat(300, axis=0), kind, rng))))
    assert found == pytest.approx(JITTERS[kind].overlap, abs=0.03)


def test_jitter_follows_the_frame(rng):
    """A frame ten times as large is moved ten times as far; the same numbers are drawn."""
    small, large = SQUARE.repeat(5, axis=0), 10 * SQUARE.repeat(5, axis=0)
    assert np.allclose(10 * jittered(small, "hard", np.random.default_rng(1)),
                       jittered(large, "hard", np.random.default_rng(1)))


def test_local_maps_are_the_derivative_of_a_homography(rng):
    homography = random_homography(400, 300, 0.3, rng)
    points = rng.uniform(50, 250, (6, 2))

    def moved(xy):
        mapped = np.concatenate([xy, np.ones((len(xy), 1))], axis=1) @ homography.T
        return mapped[:, :2] / mapped[:, 2:]

    found = local_maps(homography, points)
    for axis in (0, 1):
        step = np.eye(2)[axis] * 1e-4
        assert np.allclose(found[:, :, axis], (moved(points + step) - moved(points - step)) / 2e-4, atol=1e-4)


def test_a_view_turned_and_scaled_shows_the_same_and_one_that_is_squeezed_does_not():
    frames = np.array([[[5.0, 1, 100], [-1, 5, 80]]])
    angle = np.deg2rad(40)
    similar = np.array([[2 * np.cos(angle), -2 * np.sin(angle), 3], [2 * np.sin(angle), 2 * np.cos(angle), -4],
                        [0, 0, 1]])
    assert np.allclose(seen_from(frames, similar), frames)
    squeezed = seen_from(frames, np.diag([2.0, 0.5, 1]))
    assert np.allclose(squeezed, np.diag([0.5, 2]) @ frames[0] - [[0, 0, 50 - 100], [0, 0, 160 - 80]])


def test_light_changes_grey_values_and_not_the_shape(rng):
    patches = rng.uniform(0, 255, (6, 16, 16)).astype("float32")
    assert np.array_equal(relit(patches, 0, rng), np.rint(patches).astype("uint8"))
    for shape in ((6, 16, 16), (6, 16, 16, 1), (6, 16, 16, 3)):
        changed = relit(rng.uniform(0, 255, shape), 1, rng)
        assert changed.shape == shape and changed.dtype == "uint8"
    assert np.abs(relit(patches, 1, rng) - patches).mean() > 5
