"""A folder to search in: embedded once, refreshed where files change, for any head."""

import os
import signal
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from nets import towers
from nets.heads import make_head
from nets.models import siamese
from utils import gallery
from utils.data.images import read_image
from utils.run import figures

from helpers import ROOT, picture, small_siamese

SHAPE = (32, 32, 1)


@pytest.fixture(params=["distance", "difference"])
def model(request, tmp_path):
    """A model file with its comparer, which counts the images it embeds."""
    tower = towers.make_tower("compact", SHAPE, normalize=request.param == "distance")
    made = siamese.siamese(tower, make_head(request.param))
    path = str(tmp_path / "model.keras")
    made.save(path)
    count = []
    comparer = siamese.comparer(made)

    def embed(images, **kwargs):
        count.append(len(images))
        return comparer.embed(images, **kwargs)

    return path, comparer._replace(embed=embed), count


@pytest.fixture
def folder(tmp_path):
    for number in range(9):
        picture(tmp_path / "gallery" / f"sub{number % 2}" / f"{number}.png", (20 * number, 100, 30), seed=number)
    return tmp_path / "gallery"


def opened(folder, model):
    path, comparer, _ = model
    return gallery.open_gallery(str(folder), path, comparer, SHAPE)


def test_embedded_once(folder, model):
    first, again = opened(folder, model), opened(folder, model)
    # a blank picture tells the width of a cache
    assert (first.embedded, again.embedded) == (9, 0) and model[2] == [9, 1]
    assert np.array_equal(first.features, again.features) and first.paths == again.paths


def test_only_changed_files_are_embedded_again(folder, model):
    first = opened(folder, model)
    picture(folder / "sub1" / "3.png", (250, 250, 250))
    os.remove(folder / "sub0" / "2.png")
    os.utime(folder / "sub0" / "4.png", (0, 0))  # touched, not changed
    os.rename(folder / "sub0" / "6.png", folder / "moved.png")
    again = opened(folder, model)
    assert again.embedded == 1 and len(again.paths) == 8 and "moved.png" in again.paths
    old = dict(zip(first.paths, first.features))
    for path, features in zip(again.paths, again.features):
        before = old[{"moved.png": os.path.join("sub0", "6.png")}.get(path, path)]
        assert np.array_equal(features, before) == (path != os.path.join("sub1", "3.png"))


def test_another_model_has_its_own_cache(folder, model, tmp_path):
    opened(folder, model)
    other = siamese.siamese(towers.make_tower("compact", SHAPE, True), make_head("distance"))
    other.save(tmp_path / "other.keras")
    assert gallery.open_gallery(str(folder), str(tmp_path / "other.keras"), siamese.comparer(other),
                                SHAPE).embedded == 9


@pytest.mark.parametrize("content", [b"half", b""])
def test_broken_files_and_a_broken_cache(content, folder, model, capsys):
    opened(folder, model)
    (folder / "bad.png").write_bytes(b"")
    for cache in folder.glob(".embeddings-*"):
        cache.write_bytes(content)
    result = opened(folder, model)
    assert len(result.paths) == 9 and result.embedded == 9
    assert "bad.png: the file is empty" in capsys.readouterr().out


def rewrite(cache, **changed):
    """The cache with other arrays."""
    with np.load(cache) as file:
        arrays = dict(file) | changed
    np.savez(cache, **arrays)


def encrypt(cache):
    """Sets the bit of encryption in every entry of the zip file."""
    content = bytearray(cache.read_bytes())
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + offset] |= 1
            at = content.find(mark, at + 1)
    cache.write_bytes(bytes(content))


def plain_npy(cache):
    with open(cache, "wb") as file:
        np.save(file, np.zeros((9, 4), "float32"))


def without_features(cache):
    with zipfile.ZipFile(cache, "w") as file:
        file.writestr("paths.npy", b"nothing")


def changed_features(change):
    def spoil(cache):
        with np.load(cache) as file:
            features = file["features"]
        rewrite(cache, features=change(features))

    return spoil


def set_one(value):
    def change(features):
        features[3, 1] = value
        return features

    return change


SPOILED = {
    "a scalar": lambda cache: rewrite(cache, paths=np.array("one")),
    "scalars": lambda cache: rewrite(cache, paths=np.array("a"), keys=np.array("b"), stamps=np.array("c"),
                                     features=np.array(1.0)),
    "a plain array": plain_npy,
    "encrypted": encrypt,
    "without features": without_features,
    "narrower": changed_features(lambda features: features[:, :-1]),
    "wider": changed_features(lambda features: np.tile(features, 2)),
    "flat": changed_features(np.ravel),
    "texts": changed_features(lambda features: features.astype(str)),
    "NaN": changed_features(set_one(np.nan)),
    "infinite": changed_features(set_one(np.inf)),
    "fewer rows": changed_features(lambda features: features[:-1]),
    "pickles": changed_features(lambda features: features.astype(object)),
}


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_cache_is_made_again(kind, folder, model, capsys):
    first = opened(folder, model)
    cache = next(folder.glob(".embeddings-*"))
    whole = cache.read_bytes()
    SPOILED[kind](cache)
    assert cache.read_bytes() != whole
    result = opened(folder, model)
    assert result.embedded == 9 and np.allclose(result.features, first.features, atol=1e-5)
    assert opened(folder, model).embedded == 0 and not capsys.readouterr().out


def test_a_cache_that_cannot_be_written_is_said_once(folder, model, monkeypatch, capsys):
    def refuse(*args):
        raise PermissionError("no")

    monkeypatch.setattr(gallery, "write_cache", refuse)
    monkeypatch.setattr(gallery, "BLOCK", 2)
    monkeypatch.setattr(gallery, "PAUSE", 0)
    assert len(opened(folder, model).paths) == 9 and capsys.readouterr().out.count("were not kept") == 1


def test_features_that_are_no_numbers_are_one_line(folder, model):
    path, comparer, _ = model
    broken = comparer._replace(embed=lambda images, **kwargs: np.full((len(images), 4), np.nan, "float32"))
    with pytest.raises(ValueError, match="NaN or infinite"):
        gallery.open_gallery(str(folder), path, broken, SHAPE)
    assert not list(folder.glob(".embeddings-*"))


def test_identical_files_are_embedded_once_and_have_one_key(folder, model):
    picture(folder / "copy.png", (60, 100, 30), seed=3)  # equal to 3.png
    result = opened(folder, model)
    same = [path for path, key in zip(result.paths, result.keys) if key == result.keys[result.paths.index("copy.png")]]
    assert result.embedded == 9 and len(result.paths) == 10 and same == ["copy.png", os.path.join("sub1", "3.png")]


def test_other_contents_of_the_same_size_and_time_are_seen(folder, model):
    first = opened(folder, model)
    file = folder / "sub1" / "3.png"
    status = file.stat()
    content = bytearray(file.read_bytes())
    content[-5] ^= 1  # in the last checksum
    file.write_bytes(content)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    at = first.paths.index(os.path.join("sub1", "3.png"))
    again = opened(folder, model)
    assert os.path.join("sub1", "3.png") not in again.paths or again.keys[at] != first.keys[at]


def test_ctrl_c_keeps_what_was_embedded(folder, model, monkeypatch):
    monkeypatch.setattr(gallery, "BLOCK", 2)
    path, comparer, count = model

    def embed(images, **kwargs):
        if len(count) == 3:
            raise KeyboardInterrupt
        return comparer.embed(images, **kwargs)

    with pytest.raises(KeyboardInterrupt):
        gallery.open_gallery(str(folder), path, comparer._replace(embed=embed), SHAPE)
    again = opened(folder, model)
    assert again.embedded == 3 and len(again.paths) == 9
    assert np.allclose(again.features, comparer.embed(images_of(folder, again)), atol=1e-5)


def images_of(folder, result):
    return np.stack([read_image(str(folder / path), SHAPE) for path in result.paths])


KILLED = """
import os, signal, sys, time
import numpy as np
from utils import gallery
from types import SimpleNamespace

gallery.BLOCK, gallery.PAUSE, calls = 2, 0, []

def embed(images):
    calls.append(len(images))
    time.sleep(0.5)  # a writing takes less than a tenth of that
    if len(calls) == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return np.ones((len(images), 4), "float32") * len(calls)

found = gallery.open_gallery(sys.argv[1], sys.argv[2], SimpleNamespace(embed=embed), (32, 32, 1))
print(found.embedded, len(found.paths))
"""


def test_kill_keeps_the_blocks_before(folder, tmp_path):
    """Killed in the third block: the next run embeds the rest alone, and no half file is taken for the cache."""
    (tmp_path / "any.keras").write_bytes(b"model")
    command = [sys.executable, "-c", KILLED, str(folder), str(tmp_path / "any.keras")]
    assert subprocess.run([*command, "3"], cwd=ROOT).returncode == -signal.SIGKILL
    done = subprocess.run([*command, "0"], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["5", "9"], done.stderr


def test_the_cache_is_not_written_after_every_block(folder, model, monkeypatch):
    """Only when the pause is over, and ten times as long as the last writing took."""
    monkeypatch.setattr(gallery, "BLOCK", 1)
    written, clock, write = [], [0.0], gallery.write_cache
    monkeypatch.setattr(gallery.time, "monotonic", lambda: clock[0])

    def slow(path, entries):
        written.append(len(entries))
        clock[0] += 5
        write(path, entries)

    path, comparer, _ = model

    def embed(images, **kwargs):
        clock[0] += 11
        return comparer.embed(images, **kwargs)

    monkeypatch.setattr(gallery, "write_cache", slow)
    gallery.open_gallery(str(folder), path, comparer._replace(embed=embed), SHAPE)
    assert written == [3, 8, 9]  # after 33 s; 50 s later; at the end


def test_search_equals_scoring_every_image(folder, model, monkeypatch):
    monkeypatch.setattr(gallery, "BLOCK", 4)
    pictures = opened(folder, model)
    comparer = model[1]
    for row in (0, 5):
        expected = comparer.score(pictures.features[row], pictures.features)
        result = gallery.search(pictures, comparer, pictures.features[row : row + 1], 4)[0]
        assert [s for _, s in result] == pytest.approx(sorted(expected, reverse=True)[:4], abs=1e-5)
        assert result[0][1] == pytest.approx(expected[row], abs=1e-5)


def test_links_to_nothing_and_copied_times(folder, model, capsys):
    """A dangling link is named; new times with old contents are noted, so that they are not read again and again."""
    opened(folder, model)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    os.utime(folder / "sub0" / "4.png", (0, 0))
    assert len(opened(folder, model).paths) == 9 and "gone.png (a link to nothing)" in capsys.readouterr().out
    known = gallery.read_cache(str(next(folder.glob(".embeddings-*"))))
    assert ({path: entry.stamp for path, entry in known.items()}
            == {path: gallery.stamp(folder / path) for path in known})


def test_a_broken_picture_is_not_counted_and_does_not_rewrite_the_cache(folder, model):
    (folder / "bad.png").write_bytes(b"")
    opened(folder, model)
    cache = next(folder.glob(".embeddings-*"))
    before = cache.stat().st_mtime_ns
    assert opened(folder, model).embedded == 0 and cache.stat().st_mtime_ns == before


def test_a_sheet_that_cannot_be_written_does_not_end_the_search(tmp_path, capsys):
    figures.contact_sheet([np.zeros((8, 8, 1))], ["black"], str(tmp_path / "none" / "sheet.png"))
    assert "could not save the figure" in capsys.readouterr().out


@pytest.fixture
def by_locations(rng):
    """A comparer of a head that compares locations, and a gallery of 12 pictures."""
    compare = siamese.comparer(small_siamese("attention_after"))
    features = compare.embed(rng.integers(0, 256, (12, *SHAPE)))
    return compare, gallery.Gallery("", [f"{row:02}.png" for row in range(12)], features, 0,
                                    [str(row) for row in range(12)])


def test_the_nearest_are_ranked_by_a_slow_head(by_locations):
    """Those that are compared are the nearest by their global embeddings, in the order of the head; --rerank=0 compares
    all."""
    compare, pictures = by_locations
    for row in (0, 7):
        query = pictures.features[row : row + 1]
        scores = compare.score(query, pictures.features)
        vectors = compare.global_embedding(pictures.features)
        nearest = np.argsort(np.linalg.norm(vectors - vectors[row], axis=1), kind="stable")[:5]
        expected = sorted(nearest, key=lambda index: -scores[index])[:3]
        result = gallery.search(pictures, compare, query, 3, rerank=5)[0]
        assert ([path for path, _ in result] == [pictures.paths[index] for index in expected]
                and result[0][0] == pictures.paths[row])
        assert [s for _, s in result] == pytest.approx(scores[expected], abs=1e-5)
        # more are shown than were asked to be compared
        assert gallery.search(pictures, compare, query, 7, rerank=5)[0][3:] != []
        every = gallery.search(pictures, compare, query, 12, rerank=0)[0]
        assert [path for path, _ in every] == [pictures.paths[index] for index in np.argsort(-scores, kind="stable")]


def test_a_slow_head_scores_only_those_that_it_ranks(by_locations):
    compare, pictures = by_locations
    counted = []

    def score(left, right):
        counted.append(len(right))
        return compare.score(left, right)

    gallery.search(pictures, compare._replace(score=score), pictures.features[:2], 3, rerank=4)
    assert counted == [4, 4]
