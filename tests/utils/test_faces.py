"""The drawn faces: a small data set of own pictures."""

import numpy as np
from PIL import Image

from utils import faces


def test_people_differ_more_than_their_pictures_and_repeat_from_the_seed(tmp_path):
    assert faces.draw_faces(str(tmp_path / "a"), people=3, pictures=4) == 12
    faces.draw_faces(str(tmp_path / "b"), people=3, pictures=4)
    one, two = (sorted((tmp_path / name).rglob("*.png")) for name in "ab")
    assert [path.parent.name for path in one[::4]] == ["person01", "person02", "person03"]
    pictures = [np.asarray(Image.open(path)) for path in one]
    assert all(picture.shape == (faces.HEIGHT, faces.WIDTH) for picture in pictures)
    assert all(np.array_equal(a, np.asarray(Image.open(path))) for a, path in zip(pictures, two))
    assert len({picture.tobytes() for picture in pictures}) == 12
