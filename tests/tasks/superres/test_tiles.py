"""Tiles against the whole: no seam, one size of tile, photos smaller than anything, 16 bits."""

import numpy as np
import pytest

from nets import towers
from nets.models import superres
from nets.models.superres import Enlarger
from tasks.superres import tiles
from tasks.superres.data.resizing import larger


def nearest(scale, reach=3):
    """A network that repeats pixels, and counts the sizes that it is given."""
    sizes = []

    def enlarge(photos):
        sizes.append(photos.shape[1:3])
        return photos.repeat(scale, 1).repeat(scale, 2).astype("float32")

    return Enlarger(enlarge, scale, reach), sizes


@pytest.mark.parametrize("length, side, reach", [(10, 4, 2), (100, 16, 3), (17, 16, 3), (22, 16, 3), (23, 16, 3),
                                                 (1, 4, 2), (64, 7, 5)])
def test_spans_cover_each_pixel_once_and_see_around_it(length, side, reach):
    covered, sizes = [], set()
    for seen, own in tiles.spans_of(length, side, reach):
        covered += range(own.start, own.stop)
        sizes.add(seen.stop - seen.start)
        assert seen.start == 0 or seen.start <= own.start - reach
        assert seen.stop == length or seen.stop >= own.stop + reach
    assert covered == list(range(length)) and len(sizes) == 1 and max(sizes) <= side + 2 * reach


@pytest.mark.parametrize("scale", [2, 3])
def test_all_tiles_have_one_size_and_make_the_whole(scale, rng):
    photo = rng.integers(0, 256, (45, 70, 3), dtype="uint8")
    (network, sizes), told = nearest(scale), []
    made = tiles.enlarged(network, photo, 16, lambda done, of: told.append((done, of)))
    np.testing.assert_array_equal(made, photo.repeat(scale, 0).repeat(scale, 1))
    assert set(sizes) == {(21, 20)} and told[-1] == (len(sizes), len(sizes))


@pytest.mark.parametrize("backbone, settings", [("msffrn_compact", {"blocks": 2, "width": 8}),
                                                ("msffrn", {"blocks": 2, "width": 8, "paths": 3})])
def test_tiles_of_a_network_equal_the_whole_within_a_grey_level(backbone, settings, rng, photo):
    model = superres.superres(towers.larger_row(backbone, **settings), 2)
    model.set_weights([weight + rng.normal(0, 0.03, weight.shape) for weight in model.get_weights()])
    network = superres.enlarger(model)
    tiled, whole = (tiles.enlarged(network, photo, side).astype(int) for side in (32, 1000))
    assert np.abs(tiled - whole).max() <= 1 and np.abs(whole - larger(photo, 2)).max() > 2
    if network.reach > 8:
        near = network._replace(reach=2)
        assert np.abs(tiles.enlarged(near, photo, 32).astype(int) - whole).max() > 1  # the limit can be missed


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 2)])
def test_the_smallest_photos_are_enlarged(size, rng):
    photo = rng.integers(0, 256, (*size, 3), dtype="uint8")
    network = superres.enlarger(superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=4), 3))
    np.testing.assert_array_equal(tiles.enlarged(network, photo), larger(photo, 3))  # untrained, it is bicubic


def test_sixteen_bits_stay_sixteen_bits(rng):
    photo = rng.integers(0, 65536, (9, 11, 3)).astype("uint16")
    made = tiles.enlarged(nearest(2)[0], photo)
    assert made.dtype == np.uint16 and np.abs(made.astype(int) - photo.repeat(2, 0).repeat(2, 1)).max() <= 1


def test_what_lies_outside_is_cut():
    bright = Enlarger(lambda photos: np.full((1, 8, 8, 3), [-40.0, 128.4, 300.0], "float32"), 2, 3)
    assert tiles.enlarged(bright, np.zeros((4, 4, 3), "uint8"))[0, 0].tolist() == [0, 128, 255]
