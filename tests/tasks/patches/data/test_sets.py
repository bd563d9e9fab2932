"""Patch sets in the formats in which they are distributed, written here in small, and what is wrong with damaged
ones."""

import numpy as np
import pytest
from PIL import Image

from tasks.patches.data import sets


def strips(folder, count=4, views=("ref", "e1", "h1", "t1")):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for view in views:
        Image.fromarray(rng.integers(0, 255, (count * 65, 65)).astype("uint8")).save(folder / f"{view}.png")


def tour(root, patches=300):
    """Two sheets of 256 patches, of which 300 count: patch n is grey n % 256, and belongs to point n // 3."""
    root.mkdir()
    for sheet in range(2):
        tiles = (np.arange(256) + 256 * sheet) % 256
        grid = np.repeat(np.repeat(tiles.reshape(16, 16), 64, axis=0), 64, axis=1)
        Image.fromarray(grid.astype("uint8")).save(root / f"patches{sheet:04d}.bmp")
    (root / "info.txt").write_text("".join(f"{number // 3} 0\n" for number in range(patches)))
    (root / "m50_4_4_0.txt").write_text("0 0 0 1 0 0 0\n0 0 0 3 1 0 0\n299 99 0 298 99 0 0\n5 1 0 100 33 0 0\n")
    return root


def test_strips_of_hpatches(tmp_path):
    strips(tmp_path / "v_wall", 4)
    strips(tmp_path / "i_lamp", 3)
    (tmp_path / "notes").mkdir()
    assert sets.kind_of(str(tmp_path)) == "hpatches"
    scenes = list(sets.hpatches(str(tmp_path)))
    assert [scene.name for scene in scenes] == ["i_lamp", "v_wall"]
    assert list(scenes[1].views) == ["ref", "e1", "h1", "t1"] and scenes[1].views["h1"].shape == (4, 65, 65)
    whole = np.asarray(Image.open(tmp_path / "v_wall" / "t1.png"))
    assert np.array_equal(scenes[1].views["t1"][2], whole[130:195])


def test_a_strip_that_does_not_fit_is_named(tmp_path):
    strips(tmp_path / "v_wall", 4)
    Image.new("L", (65, 65 * 3)).save(tmp_path / "v_wall" / "h1.png")
    with pytest.raises(ValueError, match=r"h1\.png: 3 patches, expected 4 as in ref\.png"):
        list(sets.hpatches(str(tmp_path)))
    Image.new("L", (64, 128)).save(tmp_path / "v_wall" / "h1.png")
    with pytest.raises(ValueError, match=r"h1\.png: 64 x 128 pixels, expected a column of patches of 65 x 65"):
        list(sets.hpatches(str(tmp_path)))


def test_sheets_and_lists_of_phototour(tmp_path):
    root = tour(tmp_path / "liberty")
    assert sets.kind_of(str(root)) == "phototour"
    loaded = sets.phototour(str(root))
    assert loaded.patches.shape == (300, 64, 64)
    assert (loaded.patches[259] == 3).all() and (loaded.patches[17] == 17).all()
    assert loaded.points[299] == 99
    rows, same = loaded.lists["m50_4_4_0.txt"]
    assert rows.tolist() == [[0, 1], [0, 3], [299, 298], [5, 100]] and same.tolist() == [True, False, True, False]


@pytest.mark.parametrize("name, text, told", [
    ("m50_1_1_0.txt", "0 0 0 700 3 0 0\n", "names patch 700, expected 0 to 299"),
    ("m50_1_1_0.txt", "0 0 0\n", "3 numbers a line, expected lines of patch, point"),
    ("info.txt", "many words\n", "cannot be read"),
    ("info.txt", "1 0\n" * 600, "600 patches, and the files patches.* hold 512"),
])
def test_damaged_lists_of_phototour_are_named(tmp_path, name, text, told):
    root = tour(tmp_path / "liberty")
    (root / name).write_text(text)
    with pytest.raises(ValueError, match=f"{name}: {told}"):
        sets.phototour(str(root))


def test_pairs_of_photos_with_a_homography(tmp_path):
    for name in ("wallA.png", "wallB.jpg"):
        Image.new("RGB", (30, 20)).save(tmp_path / name)
    (tmp_path / "wall_model.txt").write_text("1 0 5\n0 1 0\n0 0 1\n")
    assert sets.kind_of(str(tmp_path)) == "homographies"
    pair, = sets.photo_pairs(str(tmp_path))
    assert pair.name == "wall" and pair.b.endswith("wallB.jpg") and pair.b_to_a[0, 2] == 5
    (tmp_path / "wall_model.txt").write_text("1 0 5\n1 0 5\n0 0 1\n")
    with pytest.raises(ValueError, match=r"wall_model\.txt: not a homography"):
        sets.photo_pairs(str(tmp_path))
    (tmp_path / "wallB.jpg").unlink()
    with pytest.raises(ValueError, match="there is no photo wallB beside it"):
        sets.photo_pairs(str(tmp_path))


def test_another_folder_is_refused_with_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match="expected folders that hold ref.png"):
        sets.kind_of(str(tmp_path))


def test_key_points_from_a_csv(tmp_path):
    path = tmp_path / "points.csv"
    path.write_text("File,x,Y,size,angle\na.jpg,1,2,3,370\nb.jpg,5,6,7,\n")
    points = sets.read_keypoints(str(path), "/photos/a.jpg")
    assert points.xy.tolist() == [[1, 2]] and points.size.tolist() == [3] and points.angle.tolist() == [10]
    path.write_text("x,y,size\n1,2,3\n4,5,6\n")
    assert sets.read_keypoints(str(path), "anything").xy.tolist() == [[1, 2], [4, 5]]
    for text, told in (("x,y,size\n1,2,3\n4,,6\n", "line 3: expected numbers"), ("x,y\n1,2\n", "line 2"),
                       ("x,y,size\n1,2,-3\n", "line 2"),
                       ("", "no key points of a.jpg"), ("file,x,y,size\nb.jpg,1,2,3\n", "no key points of a.jpg")):
        path.write_text(text)
        with pytest.raises(ValueError, match=told):
            sets.read_keypoints(str(path), "a.jpg")
    with pytest.raises(ValueError, match="cannot be read"):
        sets.read_keypoints(str(tmp_path / "none.csv"), "a.jpg")
