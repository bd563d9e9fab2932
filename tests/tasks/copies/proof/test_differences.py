"""What differs within a frame that both pictures show."""

import numpy as np
import pytest
from PIL import Image

from tasks.copies.proof.differences import differences

from helpers import ROOT


@pytest.mark.parametrize("at, value", [((200, 100), 255), ((400, 40), 0)])
def test_where_the_pixels_are_equal_nothing_differs(at, value):
    """Though the change moves the tones by which both pictures are matched."""
    with Image.open(ROOT / "docs" / "samples" / "palace.jpg") as photo:
        before = np.asarray(photo.convert("RGB").crop((0, 0, 480, 320)), "float32")
    after, (x, y) = before.copy(), at
    after[y : y + 26, x : x + 21] = value
    (box,) = differences(before, after, np.ones(before.shape[:2], bool), 0.0).boxes
    assert np.abs(np.subtract(box, (x, y, x + 21, y + 26))).max() <= 4


def board(tracks: list[tuple[int, int]]) -> np.ndarray:
    """A printed board (240, 320, 3): black tracks, each of them at (x, y)."""
    values = np.full((240, 320, 3), 255, "float32")
    for x, y in tracks:
        values[y : y + 90, x : x + 12] = values[y + 78 : y + 90, x : x + 40] = 0
    return values


def test_a_part_beside_its_place_differs_as_far_as_no_slack_allows_it():
    """One track of six lies a pixel beside its place in both directions, and another one has a hole of six pixels."""
    at = [(20, 20), (80, 20), (140, 20), (200, 20), (30, 130), (220, 130)]
    before, after = board(at), board([(201, 21) if place == (200, 20) else place for place in at])
    after[150:156, 33:39] = 255
    whole = np.ones(before.shape[:2], bool)
    assert any(box[0] > 190 and box[3] < 120 for box in differences(before, after, whole, 0.0).boxes)
    (box,) = differences(before, after, whole, 0.0, slack=1).boxes
    assert np.abs(np.subtract(box, (33, 150, 39, 156))).max() <= 4
