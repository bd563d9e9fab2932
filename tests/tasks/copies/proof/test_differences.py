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
