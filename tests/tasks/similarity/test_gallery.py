"""A folder to search in: embedded once, refreshed where files change, for any head."""

import os

import numpy as np
import pytest
from helpers import picture

from nets import siamese, towers
from tasks.similarity import gallery
from utils.run import figures

SHAPE = (32, 32, 1)


@pytest.fixture(params=["distance", "difference"])
def model(request, tmp_path):
    """A model file with its comparer, which counts the images it embeds."""
    tower = towers.make_tower("compact", SHAPE, normalize=request.param == "distance")
    made = siamese.siamese(tower, siamese.make_head(request.param))
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
    assert (first.embedded, again.embedded) == (9, 0) and sum(model[2]) == 9
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
    other = siamese.siamese(towers.make_tower("compact", SHAPE, True), siamese.make_head("distance"))
    other.save(tmp_path / "other.keras")
    assert gallery.open_gallery(str(folder), str(tmp_path / "other.keras"), siamese.comparer(other), SHAPE).embedded == 9


@pytest.mark.parametrize("content", [b"half", b""])
def test_broken_files_and_a_broken_cache(content, folder, model, capsys):
    opened(folder, model)
    (folder / "bad.png").write_bytes(b"")
    for cache in folder.glob(".embeddings-*"):
        cache.write_bytes(content)
    found = opened(folder, model)
    assert len(found.paths) == 9 and found.embedded == 9
    assert "bad.png: the file is empty" in capsys.readouterr().out


def test_search_equals_scoring_every_image(folder, model, monkeypatch):
    monkeypatch.setattr(gallery, "BLOCK", 4)
    found = opened(folder, model)
    comparer = model[1]
    for row in (0, 5):
        expected = comparer.score(found.features[row], found.features)
        result = gallery.search(found, comparer, found.features[row : row + 1], 4)[0]
        assert [s for _, s in result] == pytest.approx(sorted(expected, reverse=True)[:4], abs=1e-5)
        assert result[0][1] == pytest.approx(expected[row], abs=1e-5)


def chains(scores, threshold):
    """Groups by a plain loop: whoever is like a member joins."""
    left, groups = set(range(len(scores))), []
    while left:
        group = {left.pop()}
        while more := {j for i in group for j in left if max(scores[i, j], scores[j, i]) >= threshold}:
            group |= more
            left -= more
        groups.append(group)
    return {frozenset(group) for group in groups if len(group) > 1}


def test_duplicates_are_chains_above_the_threshold(folder, model, monkeypatch):
    monkeypatch.setattr(gallery, "BLOCK", 4)
    found, comparer = opened(folder, model), model[1]
    rng = np.random.default_rng(0)  # an untrained tower tells little apart: put features of our own in
    features = rng.normal(0, 0.3, found.features.shape).astype("float32") / np.sqrt(found.features.shape[1])
    features[4:] += 1 / np.sqrt(found.features.shape[1])
    found = found._replace(features=features)
    scores = comparer.score(features[:, None], features[None, :])
    values = np.unique(scores[np.triu_indices(9, 1)])
    for threshold in (values[:-1] + values[1:])[np.diff(values) > 1e-4] / 2:
        groups = gallery.duplicates(found, comparer, float(threshold))
        assert {frozenset(found.paths.index(p) for p in group) for group in groups} == chains(scores, threshold)


def test_copies_are_found_at_the_highest_threshold(folder, model):
    picture(folder / "copy.png", (60, 100, 30), seed=3)  # equal to 3.png
    found, comparer = opened(folder, model), model[1]
    itself = float(comparer.score(found.features[0], found.features[0]))
    group = next(g for g in gallery.duplicates(found, comparer, itself) if "copy.png" in g)
    assert os.path.join("sub1", "3.png") in group


def test_links_to_nothing_and_copied_times(folder, model, capsys):
    """A dangling link is named; new times with old contents are noted, so that they are not read again and again."""
    opened(folder, model)
    (folder / "gone.png").symlink_to(folder / "nowhere.png")
    os.utime(folder / "sub0" / "4.png", (0, 0))
    assert len(opened(folder, model).paths) == 9 and "left out gone.png" in capsys.readouterr().out
    known = gallery.read_cache(str(next(folder.glob(".embeddings-*"))))
    assert {path: entry.stamp for path, entry in known.items()} == {path: gallery.stamp(folder / path) for path in known}


def test_a_broken_picture_is_not_counted_and_does_not_rewrite_the_cache(folder, model):
    (folder / "bad.png").write_bytes(b"")
    opened(folder, model)
    cache = next(folder.glob(".embeddings-*"))
    before = cache.stat().st_mtime_ns
    assert opened(folder, model).embedded == 0 and cache.stat().st_mtime_ns == before


def test_a_sheet_that_cannot_be_written_does_not_end_the_search(tmp_path, capsys):
    figures.sheet([np.zeros((8, 8, 1))], ["black"], str(tmp_path / "none" / "sheet.png"))
    assert "could not save the figure" in capsys.readouterr().out
