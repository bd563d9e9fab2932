"""Duplicates: groups by their definition, identical files, a model that tells nothing apart, and bounded memory."""

import csv
import json
import os
import shutil
import tracemalloc

import keras
import numpy as np
import pytest
from PIL import Image

from apps.search import answer, duplicates
from apps.search.clearing import sheets
from apps.search.duplicates import Group, Member
from nets import towers
from nets.models import siamese
from nets.models.siamese import Comparer
from tasks.quality.model import quality_of_centres
from tasks.similarity import model as similarity_model
from utils.gallery import Gallery

from helpers import picture, questions, scenery, small_siamese

BOUNDARY, SCALE = 0.84, 14.0


def logit(similarity):
    return float(np.log(similarity) - np.log1p(-similarity))


def score(left, right):
    """Similarity by the Euclidean distance, as `DistanceHead` has it, in float32."""
    squares = np.square(np.float32(left) - np.float32(right)).sum(-1)
    logits = SCALE * (np.sqrt(np.maximum(squares, 1e-12)) - BOUNDARY)
    return (1 / (1 + np.exp(np.minimum(logits, 80)))).astype("float32")


def comparer(by_distance=True):
    return Comparer(None, score, by_distance, lambda similarity: BOUNDARY - logit(similarity) / SCALE)


def at(distance):
    """The similarity of two pictures at a distance."""
    return float(score(np.zeros(1), np.array([distance])))


def made(features, keys=None, root="/nowhere"):
    features = np.asarray(features, "float32").reshape(len(features), -1)
    paths = [f"{row:05d}.png" for row in range(len(features))]
    return Gallery(root, paths, features, 0, keys or [f"key {row}" for row in range(len(features))])


def files_of(result):
    return [[member.file for member in group.members] for group in result.groups]


def by_hand(gallery, similarity, threshold):
    """The groups of the definition, file by file and with all pairs."""
    scores = similarity(gallery.features[:, None], gallery.features[None])
    count = len(scores)
    same = [[gallery.keys[i] == gallery.keys[j] for j in range(count)] for i in range(count)]
    alike = [[i != j and (same[i][j] or scores[i, j] >= threshold) for j in range(count)] for i in range(count)]
    free, groups = set(range(count)), []
    while free:
        centre = min(free, key=lambda i: (-sum(alike[i][j] for j in free), gallery.paths[i]))
        group = [centre]
        for j in sorted((j for j in free if alike[centre][j]),
                        key=lambda j: (not same[centre][j], -scores[centre, j], gallery.paths[j])):
            if all(alike[j][i] for i in group):
                group.append(j)
        if len(group) == 1:
            break
        groups.append((centre, set(group)))
        free -= set(group)
    return sorted(groups, key=lambda group: -len(group[1]))


def rows_of(result):
    return [(int(group.members[0].file[:5]), {int(member.file[:5]) for member in group.members})
            for group in result.groups]


@pytest.mark.parametrize("by_distance", [True, False])
@pytest.mark.parametrize("tile", [1 << 22, 64])
@pytest.mark.parametrize("few", [0, 3, 16])
def test_groups_equal_a_plain_loop(by_distance, tile, few, rng, monkeypatch):
    """With copies of the same contents, for heads of both kinds, in small tiles and with lists of neighbours or
    without."""
    monkeypatch.setattr(duplicates, "TILE", tile)
    monkeypatch.setattr(duplicates, "FEW", few)
    for spread in (0.05, 0.3, 1.0):
        features = rng.normal(0, spread, (60, 3)).astype("float32") + rng.integers(0, 2, (60, 1))
        features[40:50] = features[:10]
        keys = [f"key {row % 40 if row < 50 else row}" for row in range(60)]
        gallery, compare = made(features, keys), comparer(by_distance)
        scores = score(features[:, None], features[None])
        for threshold in (0.5, 0.9, 0.99, float(np.median(scores)), float(scores[3, 7])):
            expected = by_hand(gallery, score, threshold)
            assert rows_of(duplicates.find(gallery, compare, threshold, force=True)) == expected


@pytest.mark.parametrize("head", ["distance", "difference"])
def test_groups_of_real_heads(head, rng):
    model = small_siamese(head)
    # with random weights it may call all pairs as alike as can be: let it fall with the difference
    if head == "difference":
        kernel = model.get_layer("head").logit.kernel
        kernel.assign(-np.abs(keras.ops.convert_to_numpy(kernel)))
    compare = siamese.comparer(model)
    width = towers.make_tower("compact", (32, 32, 1), head == "distance").output_shape[1]
    gallery = made(rng.normal(0, 0.4 / np.sqrt(width), (40, width)) + rng.integers(0, 3, (40, 1)) / np.sqrt(width))
    scores = compare.score(gallery.features[:, None], gallery.features[None])
    values = np.sort(np.unique(scores[np.triu_indices(40, 1)]))
    for threshold in (values[len(values) // 2], (values[-20] + values[-21]) / 2):
        assert (rows_of(duplicates.find(gallery, compare, float(threshold), True))
                == by_hand(gallery, compare.score, threshold))


def test_a_bridge_joins_no_two_groups():
    """Each picture is like its neighbours alone: nobody stands in a group with a picture that is not like it."""
    line = made([[0.0], [0.1], [0.2], [0.3], [0.4]])
    assert (files_of(duplicates.find(line, comparer(), at(0.105)))
            == [["00001.png", "00000.png"], ["00003.png", "00002.png"]])


def test_all_members_are_like_each_other_and_the_star_around_one_of_them_is_not_a_group(rng):
    """60 pictures on a ring about one in the middle: all are like the middle, and only near ones like each other."""
    angles = np.arange(60) * np.pi / 30
    gallery = made(np.concatenate([[[0, 0]], np.stack([np.cos(angles), np.sin(angles)], axis=1)]))
    result = duplicates.find(gallery, comparer(), at(1.01), force=True)
    for group in result.groups:
        features = gallery.features[[int(member.file[:5]) for member in group.members]]
        assert np.linalg.norm(features[:, None] - features[None], axis=2).max() <= 1.01
    assert max(len(group.members) for group in result.groups) <= 12  # a sixth of the ring, and the middle


def test_a_group_that_swallows_a_tenth_of_a_folder_is_refused_unless_they_are_copies():
    gallery = made(np.concatenate([np.zeros((5, 1)), np.arange(1, 36)[:, None] * 9.0]))
    result = duplicates.find(gallery, comparer(), 0.5)
    assert result.too_many and result.swallowed == 5 and not result.groups
    assert "one group would hold 5 of them from similarity 0.500 on" in duplicates.warning(result, 0.5, False)
    assert len(duplicates.find(gallery, comparer(), 0.5, force=True).groups[0].members) == 5
    assert len(duplicates.find(gallery, comparer(), 0.5, copies=True).groups[0].members) == 5
    four = made(gallery.features[1:])  # 4 of 39 pictures are more than a tenth, 4 of 40 are not
    assert duplicates.find(four, comparer(), 0.5).swallowed == 4
    assert not duplicates.find(made(np.concatenate([four.features, [[999.0]]])), comparer(), 0.5).too_many


def test_every_member_reaches_the_threshold_and_no_file_stands_twice(rng):
    gallery = made(rng.uniform(0, 1, (300, 2)))
    threshold = at(0.1)
    result = duplicates.find(gallery, comparer(), threshold, force=True)
    listed = [file for group in files_of(result) for file in group]
    assert len(listed) == len(set(listed)) and len(result.groups) > 10
    for group in result.groups:
        first = gallery.features[int(group.members[0].file[:5])]
        for member in group.members[1:]:
            assert member.similarity >= threshold
            assert member.similarity == pytest.approx(float(score(first, gallery.features[int(member.file[:5])])),
                                                      abs=1e-6)
        assert [m.similarity for m in group.members] == sorted((m.similarity for m in group.members), reverse=True)
    assert [len(group) for group in files_of(result)] == sorted(map(len, files_of(result)), reverse=True)


@pytest.mark.parametrize("threshold", [0.0, 1e-9, 0.9999999, 1.0])
def test_thresholds_at_the_ends(threshold):
    gallery = made([[0.0], [0.0], [3.0]])
    assert rows_of(duplicates.find(gallery, comparer(), threshold)) == by_hand(gallery, score, threshold)


def test_equal_features_of_different_files_at_the_highest_similarity_there_is():
    """The same pixels in two formats: rounding must not part them."""
    features = np.random.default_rng(1).normal(size=(9, 128))
    features[8] = features[2]
    result = duplicates.find(made(features), comparer(), float(score(features[:1], features[:1])[0]))
    assert files_of(result) == [["00002.png", "00008.png"]] and not result.groups[0].members[1].twin


def test_identical_files_are_certain_whatever_the_model_says():
    """They stay together where the model gives even equal features a similarity below the threshold."""
    gallery = made(np.arange(6)[:, None] * 9.0, ["a", "b", "a", "c", "b", "a"])
    result = duplicates.find(gallery, comparer(False)._replace(score=lambda left, right: score(left, right)
                                                               * 0), 0.9, copies=True)
    assert result.groups == [
        Group("00000.png", [Member("00000.png", 1.0, ""), Member("00002.png", 1.0, "00000.png", True),
                            Member("00005.png", 1.0, "00000.png", True)]),
        Group("00001.png", [Member("00001.png", 1.0, ""), Member("00004.png", 1.0, "00001.png", True)]),
    ]


@pytest.mark.parametrize("copies", [True, False])
def test_what_a_model_alone_calls_alike_never_goes_but_files_of_equal_contents_do(copies):
    gallery = made([[0.0], [0.1], [0.1], [-0.1], [9.0]], ["a", "b", "b", "c", "d"])
    (group,) = duplicates.find(gallery, comparer(), at(0.25), copies=copies).groups
    assert len(group.members) == 4 and [member.file for member in group.members if member.goes] == ["00002.png"]


def test_copies_of_a_member_are_marked_by_the_first_of_them():
    gallery = made([[0.0], [0.1], [0.1], [-0.1]], ["a", "b", "b", "c"])
    (group,) = duplicates.find(gallery, comparer(), at(0.25)).groups
    assert [(m.file[4], m.twin) for m in group.members] == [("0", ""), ("1", ""), ("2", "00001.png"), ("3", "")]


def test_the_picture_to_keep_is_the_largest_in_pixels_then_in_bytes_then_by_path(tmp_path):
    sizes = {"00000.png": (20, 20), "00001.png": (40, 30), "00002.png": (30, 40), "00003.png": (30, 40)}
    for name, size in sizes.items():
        Image.new("RGB", size).save(tmp_path / name)
    gallery = made([[0.0], [0.1], [-0.1], [0.11]], root=str(tmp_path))
    (group,) = duplicates.find(gallery, comparer(), at(0.25), copies=True).groups
    assert group.members[0].file == "00000.png" and group.keep == "00001.png"
    assert duplicates.find(gallery, comparer(), at(0.25)).groups[0].keep == ""  # of things there is none to keep
    with open(tmp_path / "00003.png", "ab") as file:
        file.write(b"more")
    (group,) = duplicates.find(gallery, comparer(), at(0.25), copies=True).groups
    assert group.keep == "00003.png"
    for name in sizes:
        os.remove(tmp_path / name)
    # all gone meanwhile: by path
    assert duplicates.find(gallery, comparer(), at(0.25), copies=True).groups[0].keep == "00000.png"


def test_a_model_that_tells_nothing_apart_is_stopped():
    gallery = made(np.zeros((30, 2)) + np.arange(30)[:, None] * 1e-3, [f"key {max(row, 1)}" for row in range(30)])
    result = duplicates.find(gallery, comparer(), 0.5)
    assert result.too_many and result.share == 1 and files_of(result) == [["00000.png", "00001.png"]]
    assert ("100% of their pairs" in duplicates.warning(result, 0.5, False)
            and "\n" not in duplicates.warning(result, 0.5, False))
    forced = duplicates.find(gallery, comparer(), 0.5, force=True)
    assert (forced.too_many and len(forced.groups) == 1
            and "expect wrong groups" in duplicates.warning(forced, 0.5, True))


# of copies
@pytest.mark.parametrize("count,alike,stopped", [(19, 19, False), (20, 20, True), (40, 9, False), (40, 10, True)])
def test_where_the_stop_begins(count, alike, stopped):
    """From 20 pictures on, and above 5 % of the pairs: of 40 pictures 39 pairs are 5 %, 9 alike have 36, 10 have 45."""
    features = np.arange(count)[:, None] * 9.0
    features[:alike] = 0
    result = duplicates.find(made(features), comparer(), 0.5, copies=True)
    assert result.too_many == stopped and bool(result.groups) != stopped


def test_copies_do_not_count_as_a_model_that_tells_nothing_apart():
    gallery = made(np.concatenate([np.zeros((900, 2)), np.arange(25)[:, None] * np.full((25, 2), 9.0)]),
                   ["a"] * 900 + list(map(str, range(25))))
    result = duplicates.find(gallery, comparer(), 0.5)
    assert not result.too_many and len(result.groups) == 1 and len(result.groups[0].members) == 901


def peak_of(gallery, threshold):
    tracemalloc.start()
    result = duplicates.find(gallery, comparer(), threshold, force=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return result, peak / 1e6


def test_memory_of_20_000_identical_files():
    result, peak = peak_of(made(np.ones((20_000, 16)), ["a"] * 20_000), 0.5)
    assert len(result.groups) == 1 and len(result.groups[0].members) == 20_000 and peak < 50


@pytest.mark.parametrize("kind", ["all alike", "pairs"])
def test_memory_grows_with_the_pictures_and_not_with_the_pairs(kind, rng):
    """8 000 pictures that are all alike have 32 million pairs, of which two places would be 512 MB."""
    centres = np.zeros((4_000, 16)) if kind == "all alike" else rng.normal(size=(4_000, 16)) * 3
    features = np.repeat(centres, 2, axis=0) + rng.normal(size=(8_000, 16)) * 0.001
    result, peak = peak_of(made(features), 0.9)
    assert len(result.groups) == (1 if kind == "all alike" else 4_000) and peak < 200


@pytest.mark.parametrize("number,text", [(0, "no two of them are alike from similarity 0.900 on"), (1, "1 group from"),
                                         (2, "2 groups from")])
def test_headline(number, text):
    result = duplicates.Found([Group("a", [])] * number, 0.0, False)
    assert duplicates.headline(9, result, 0.9, False).startswith(f"9 pictures: {text}")
    assert duplicates.headline(1, result, 0.9, False).startswith("1 picture: ")


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """A function that asks for the duplicates of a folder as predict.py does, and returns the JSON answer and the
    text."""
    made = small_siamese()
    loaded = similarity_model.Loaded(siamese.comparer(made), (32, 32, 1), 0.9, str(tmp_path / "model.keras"), None)
    made.save(loaded.path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(similarity_model, "load",
                        lambda options, pictures: loaded._replace(threshold=options.threshold))

    def ask(capsys, **given):
        options = {"duplicates": [str(tmp_path / "folder")], "threshold": 0.9, "figure": True, "csv": "found.csv"}
        options |= given
        answer.answer(questions(**options), [])
        text = capsys.readouterr().out
        return json.loads(text.splitlines()[-1]), text

    return ask


def test_answer_in_text_csv_and_json(asked, tmp_path, capsys):
    for number in range(3):
        picture(tmp_path / "folder" / f"{number}.png", (80 * number, 90, 30), seed=number)
    shutil.copy(tmp_path / "folder" / "1.png", tmp_path / "folder" / "copy.png")
    result, text = asked(capsys, threshold=1.0)
    assert result["groups"] == [["1.png", "copy.png"]] and result["warning"] is None
    assert result["details"] == [{"files": [
        {"file": "1.png", "similarity": 1.0, "identical": False},
        {"file": "copy.png", "similarity": 1.0, "identical": True}]}]
    assert "4 pictures: 1 group from similarity 1.000 on" in text and "3 pictures embedded now" in text
    assert "group 0: 2 pictures alike" in text and "copy.png  (identical file of 1.png)" in text
    with open(tmp_path / "found.csv", newline="") as file:
        assert [row["identical"] for row in csv.DictReader(file)] == ["False", "True"]
    assert Image.open(tmp_path / "duplicates.png").size[0] > 300
    os.remove(tmp_path / "duplicates.png")
    asked(capsys, figure=False)
    assert not (tmp_path / "duplicates.png").exists()


def test_answer_of_a_model_that_tells_nothing_apart(asked, tmp_path, capsys):
    for number in range(22):
        picture(tmp_path / "folder" / f"{number}.png", (10 * number, 90, 30), seed=number)
    result, text = asked(capsys, threshold=0.01)
    assert result["groups"] == [] == result["details"] and "100% of their pairs are alike" in result["warning"]
    assert text.count("warning: ") == 1 and "22 pictures: no two files are identical" in text and "group 0" not in text
    result, text = asked(capsys, threshold=0.01, force=True)
    assert len(result["groups"]) == 1 and len(result["groups"][0]) == 22 and result["warning"]
    shutil.copy(tmp_path / "folder" / "3.png", tmp_path / "folder" / "copy.png")
    result, text = asked(capsys, threshold=0.01)
    assert result["groups"] == [["3.png", "copy.png"]] and result["warning"] and "1 group of identical files" in text


def test_two_questions_at_once_are_refused(asked, capsys):
    with pytest.raises(ValueError, match="pass one of them"):
        asked(capsys, gallery="somewhere")


def test_the_sheet_shows_what_it_can(tmp_path, monkeypatch):
    """At most so many groups and pictures, how many more there are, wide pictures wide, and names with a $."""
    Image.new("RGB", (400, 100)).save(tmp_path / "$wide$.png")
    drawn = []
    monkeypatch.setattr(sheets.figures, "save_beside_answer", lambda page, path: drawn.append(page))
    group = Group("$wide$.png", [Member("gone.png", 1.0, ""), *[Member("$wide$.png", 0.9, "")] * 10])
    sheets.draw_groups(str(tmp_path), [group] * 23, "23 groups", "duplicates.png")
    page = drawn[0]
    page.draw_without_rendering()
    assert len(page.axes) == 20 * 8 and "the first 20 are shown" in page.get_suptitle()
    assert [text.get_text() for text in page.axes[7].texts] == ["and 3 more"]
    assert (page.axes[0].get_title() == "0.900, keep\n$wide$.png"
            and page.axes[0].images[0].get_array().shape == (50, 200, 3))
    assert len(page.axes[0].patches) == 1 and not page.axes[1].patches
    box = page.axes[0].get_window_extent()
    assert box.width / box.height == pytest.approx(4, rel=0.02)


def test_of_several_formats_the_best_looking_is_kept(tmp_path):
    """A PNG of a JPEG is the larger file and has lost as much; of one format the larger file is kept, and nobody is
    asked."""
    photo = scenery()
    Image.fromarray(photo).save(tmp_path / "bad.jpg", quality=15)
    Image.open(tmp_path / "bad.jpg").save(tmp_path / "saved again.png")
    Image.fromarray(photo).save(tmp_path / "good.jpg", quality=95)
    asked = []

    def judge(paths):
        asked.append(len(paths))
        return quality_of_centres(paths)

    names = sorted(path.name for path in tmp_path.iterdir())
    assert duplicates.best(str(tmp_path), names, None) == "saved again.png"
    assert duplicates.best(str(tmp_path), names, judge) == "good.jpg" and asked == [3]
    assert duplicates.best(str(tmp_path), ["bad.jpg", "good.jpg"], judge) == "good.jpg" and asked == [3]
    Image.fromarray(photo).resize((2000, 1500)).save(tmp_path / "large.jpg", quality=10)
    assert duplicates.best(str(tmp_path), [*names, "large.jpg"], judge) == "large.jpg" and asked == [3]
