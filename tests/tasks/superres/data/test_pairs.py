"""Which photos of a folder are large ones, and which small one belongs to each."""

import numpy as np
import pytest
from PIL import Image

from tasks.superres.data import pairs


def save(root, *names, size=(40, 32)):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((size[1], size[0], 3), "uint8")).save(root / name)


def test_of_a_benchmark_only_the_large_photos_of_the_scale_count(tmp_path):
    save(tmp_path, "img_001_SRF_2_HR.png", "img_001_SRF_2_LR.png", "img_001_SRF_2_bicubic.png", "img_002_SRF_3_HR.png")
    assert pairs.large_photos(str(tmp_path), 2) == ["img_001_SRF_2_HR.png"]
    assert pairs.large_photos(str(tmp_path), 3) == ["img_002_SRF_3_HR.png"]
    assert pairs.large_photos(str(tmp_path), 4) == ["img_001_SRF_2_HR.png", "img_002_SRF_3_HR.png"]
    save(tmp_path / "own", "a_HRS.png", "b.jpg")
    assert pairs.large_photos(str(tmp_path / "own"), 2) == ["a_HRS.png", "b.jpg"]


@pytest.mark.parametrize("large, small", [
    ("img_001_SRF_2_HR.png", "img_001_SRF_2_LR.png"), ("0801.png", "0801x2.png"), ("a.b.png", "a.b_x2.jpg"),
    ("same.png", "same.png"), ("deep/er.png", "er.png"),
])
def test_pairs_are_found_by_their_names(large, small, tmp_path):
    save(tmp_path / "large", large, size=(41, 33))
    save(tmp_path / "small", small, size=(20, 16))
    found = pairs.paired(str(tmp_path / "large"), [large], str(tmp_path / "small"), 2)
    assert found == [pairs.Pair(str(tmp_path / "large" / large), str(tmp_path / "small" / small))]
    assert pairs.paired("root", [large], "", 2)[0].small == ""


def test_pairs_of_one_folder_and_of_the_scale(tmp_path):
    save(tmp_path, "a_SRF_2_HR.png")
    save(tmp_path, "a_SRF_2_LR.png", size=(20, 16))
    save(tmp_path, "a_SRF_4_LR.png", size=(10, 8))
    (found,) = pairs.paired(str(tmp_path), pairs.large_photos(str(tmp_path), 2), str(tmp_path), 2)
    assert found.small.endswith("a_SRF_2_LR.png")


def test_what_does_not_fit_is_named(tmp_path):
    save(tmp_path / "large", "a.png", "b.png", "c.png")
    save(tmp_path / "small", "a.png", "bx2.png", "b.png", size=(20, 16))
    with pytest.raises(ValueError, match=r"2 have none, or several: b.png, c.png"):
        pairs.paired(str(tmp_path / "large"), ["a.png", "b.png", "c.png"], str(tmp_path / "small"), 2)
    with pytest.raises(ValueError, match=r"--scale=3: expected small photos of a 3th .*a.png 20 x 16 for 40 x 32"):
        pairs.paired(str(tmp_path / "large"), ["a.png"], str(tmp_path / "small"), 3)
