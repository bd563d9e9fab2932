"""Crops of levels: of one place, of places with texture, kept whole in a cache or not at all."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from utils.batches import crops
from utils.batches.levels import LevelBatches
from utils.data.images import read_photo
from utils.distortions.catalogue import chosen, distort

from helpers import paths_of, picture


def cached(folder, cache, **kwargs):
    """Batches of levels of three photos, kept in a cache."""
    kinds = chosen(["gaussian_blur", "jpeg", "contrast"])
    return LevelBatches(paths_of(folder), kinds, 40, 64, 2, photos=3, steps=5, cache=str(cache),
                        **{"workers": 0, **kwargs})


def test_a_cache_gives_the_same_distorted_photos_once_and_again(photo_folder, tmp_path, monkeypatch):
    made = cached(photo_folder, tmp_path / "kept")
    batch, keys = made[1]
    assert len(os.listdir(tmp_path / "kept")) >= 3 * 4  # of three photos the photo itself and three distortions
    for row, (photo, kind, level) in enumerate(keys.tolist()):  # a blur is no draw: it must be the very same picture
        if kind != 0:
            continue
        path, _ = made.plan(1)[photo]
        blurred = distort(read_photo(paths_of(photo_folder)[path]), made.kinds["gaussian_blur"], level, 0)
        found = batch["image"][row]
        assert any(np.array_equal(found, side[y : y + 64, x : x + 64]) for side in (blurred, blurred[:, ::-1])
                   for y in range(140 - 63) for x in range(150 - 63) if (side[y, x] == found[0, 0]).all())
    with monkeypatch.context() as patch:
        patch.setattr(crops, "distort", lambda *args: pytest.fail("distorted twice"))
        again = cached(photo_folder, tmp_path / "kept")
        assert np.array_equal(again[1][0]["image"], batch["image"])
    shared = cached(photo_folder, tmp_path / "other", workers=2)  # both may make the same file
    for step in (1, 2):
        assert np.array_equal(shared[step][0]["image"], made[step][0]["image"])
    shared.made.pool.shutdown()
    assert not np.array_equal(made[1][0]["image"], made[2][0]["image"])
    assert not [name for name in os.listdir(tmp_path / "other") if not name.endswith(".npy")]


def test_a_cache_knows_a_photo_that_has_changed_and_other_levels(tmp_path):
    path, kept = tmp_path / "photo.png", str(tmp_path / "kept")
    blur = chosen(["gaussian_blur"])
    wanted = [("", 0), ("gaussian_blur", 1), ("gaussian_blur", 2)]

    def cut(kinds=blur):
        return crops.photo_levels(str(path), kinds, wanted, 32, 1, [0], kept)

    picture(path, size=(90, 80), seed=1)
    first = cut()
    assert np.array_equal(cut(), first)
    for file in os.listdir(kept):
        with open(os.path.join(kept, file), "r+b") as broken:
            broken.truncate(150)
    assert np.array_equal(cut(), first)
    other = {"gaussian_blur": blur["gaussian_blur"]._replace(levels=(1, 91))}
    assert not np.array_equal(cut(other)[0, 2], first[0, 2]) and np.array_equal(cut(other)[0, 0], first[0, 0])
    picture(path, size=(90, 80), seed=2)
    os.utime(path, (1, 1))
    assert not np.array_equal(cut()[0, 0], first[0, 0])
    with pytest.raises(ValueError, match="90 x 80 pixels, expected 100 or more a side"):
        crops.photo_levels(str(path), blur, wanted, 100, 1, [0], kept)


def test_a_full_disk_leaves_no_half_file_in_the_cache(tmp_path, monkeypatch):
    def full(file, images):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    picture(tmp_path / "photo.png", size=(90, 80), seed=1)
    monkeypatch.setattr(crops.np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        crops.photo_levels(str(tmp_path / "photo.png"), chosen(["jpeg"]), [("jpeg", 1)], 32, 1, [0],
                           str(tmp_path / "kept"))
    assert os.listdir(tmp_path / "kept") == []


def test_levels_share_their_place(photo_folder):
    """A photo hardly distorted differs little from the pristine one: no other crop would."""
    kinds = {"gaussian_blur": chosen(["gaussian_blur"])["gaussian_blur"]._replace(levels=(1,))}
    cut = crops.photo_levels(paths_of(photo_folder)[0], kinds, [("", 0), ("gaussian_blur", 1)], 64, 3, [0])
    assert cut.shape == (3, 2, 64, 64, 3)
    for pristine, same in cut:
        assert np.abs(pristine.astype(int) - same).mean() < 2
    assert np.abs(cut[0, 0].astype(int) - cut[1, 0]).mean() > 5


def test_plain_sky_is_avoided():
    photo = np.full((200, 200, 3), 120, "uint8")
    photo[120:, 120:] = np.random.default_rng(0).integers(0, 256, (80, 80, 3))
    positions = [crops.textured_position(photo, 64, np.random.default_rng(seed)) for seed in range(30)]
    assert np.mean([y + x > 120 for y, x in positions]) > 0.7


@pytest.mark.parametrize("size", [(40, 30), (30, 400), (5, 90), (1, 200), (200, 1), (64, 63), (100, 130)])
def test_a_crop_of_a_small_photo_is_that_of_the_enlarged_one(size, rng, monkeypatch):
    photo = rng.integers(0, 256, (*size, 3), dtype="uint8")
    enlarged = crops.at_least(photo, 64)
    assert enlarged.shape[:2] == crops.enlarged_size(photo, 64) and min(enlarged.shape[:2]) >= 64
    for seed in range(5):
        whole = crops.window(enlarged, 64, np.random.default_rng(seed))
        assert np.array_equal(crops.random_crop(photo, 64, np.random.default_rng(seed)), whole)
    y, x = ((side - 64) // 2 for side in enlarged.shape[:2])
    central = enlarged[y : y + 64, x : x + 64]
    assert np.array_equal(crops.central_crop(photo, 64), central)
    monkeypatch.setattr(crops, "ENLARGED", 0)  # cut first, which rounds a little otherwise
    assert np.abs(crops.central_crop(photo, 64).astype(int) - central).max() <= 1


@pytest.mark.parametrize("size", [(1, 65_000), (65_000, 1), (3, 500_000)])
def test_a_strip_is_cut_before_it_is_enlarged(size, tmp_path, monkeypatch):
    """The whole of it would take gigabytes."""
    path = str(tmp_path / "strip.png")
    Image.new("RGB", size, (9, 99, 199)).save(path)
    made = []
    enlarge = Image.Image.resize
    monkeypatch.setattr(Image.Image, "resize", lambda image, size, *args, **kwargs: made.append(max(*image.size, *size))
                        or enlarge(image, size, *args, **kwargs))
    assert (crops.photo_crop(path, 224, [0]) == (9, 99, 199)).all() and made and max(made) <= 224
