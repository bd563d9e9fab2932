"""Two photos: which key points count, and whether a screen is found in a long page."""

import numpy as np

from tasks.patches import scene
from tasks.patches.model import Places
from utils.keypoints.detector import Keypoints


def test_the_strongest_points_are_spread_over_squares_and_scales(rng):
    """A small photo is doubled, a large one is not: each must keep points that the other may have."""
    count = 4000
    size = np.where(rng.random(count) < 0.9, 2.5, 6.0).astype("float32")
    xy = (rng.random((count, 2)) * (100, 1000)).astype("float32")
    response = np.sort(rng.random(count) + 5 * (xy[:, 1] < 300))[::-1].astype("float32")  # sorted, as detect does it
    points = Keypoints(xy, size, np.zeros(count, "float32"), response)
    kept = scene.strongest(points, (1000, 100), 40)
    assert len(kept.xy) == 400 and (np.diff(kept.response) <= 0).all()
    squares = np.bincount((kept.xy[:, 1] // 100).astype(int), minlength=10)
    assert (squares == 40).all()
    coarse = np.bincount((kept.xy[kept.size > scene.FINE, 1] // 100).astype(int), minlength=10)
    assert (coarse >= 20).all()
    one = scene.strongest(points, (1000, 900), 40)  # hardly long: one square
    assert len(one.xy) == 40 and (one.size > scene.FINE).sum() == 20
    assert scene.strongest(points, (1000, 100), 0) is points
    few = points.take(np.arange(30))
    assert len(scene.strongest(few, (90, 100), 40).xy) == 30
    assert len(scene.strongest(points.take(points.size < scene.FINE), (90, 100), 40).xy) == 40  # no others are there


def test_a_screen_is_found_in_a_long_screenshot(tmp_path):
    """Of which the strongest points of the whole would lie elsewhere."""
    from PIL import Image, ImageDraw, ImageFont

    rng = np.random.default_rng(0)
    page = Image.new("L", (420, 4200), 255)
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(15)
    for line in range(10, 4180, 22):
        text = " ".join("".join(rng.choice(list("abcdefghijklmnopqrstuvwxyz"), rng.integers(2, 9))) for _ in range(9))
        pen.text((14, line), text, fill=int(rng.integers(0, 150)) if 1500 < line < 2300 else 0, font=font)
    page.save(tmp_path / "page.png")
    page.crop((0, 1500, 420, 2250)).save(tmp_path / "screen.png")
    describer = Places("sift").describer
    views = [scene.view(str(tmp_path / name), describer, 300) for name in ("page.png", "screen.png")]
    assert views[0].left_out > 1000
    assert scene.compare(*views, 0.8, 3.0).same
