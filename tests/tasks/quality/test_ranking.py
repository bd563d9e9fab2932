"""The ranking hinge, its batches and the quality models."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from helpers import ROOT, picture, start, wait_for_epoch
from keras import ops
from PIL import Image

from nets import rankiqa, towers
from nets.layers import MeanAndSpread
from nets.losses.ranking import RankingHinge, better, order
from tasks.quality import ranking
from tasks.quality import report as ordering
from utils.batches import crops as levels
from utils.batches import levels as ranked
from utils.data import photos
from utils.data.images import read_photo
from utils.distortions.catalogue import chosen, distort

KEYS = np.array([(p, k, l) for p in (0, 1) for k, l in [(-1, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]], "int32")


def loop(scores, keys, margin, across, gap):
    """The loss by its definition: sum over ordered pairs by the number of images."""
    total = 0.0
    for (p, k, l), s in zip(keys, scores):
        for (q, m, n), t in zip(keys, scores):
            comparable = (k == m or l == 0) and (across or p == q)
            if comparable and (n - l == gap if gap else n > l):
                total += max(0.0, margin - (s - t))
    return total / len(keys)


def loss_of(scores, keys, **kwargs):
    layer = RankingHinge(**kwargs)
    return ops.mean(layer(ops.convert_to_tensor(np.asarray(scores, "float32")), ops.convert_to_tensor(keys)))


@pytest.mark.parametrize("gap", [0, 1, 2])
@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("margin", [0.5, 10.0])
def test_equals_a_double_loop(margin, across, gap, rng):
    scores = rng.normal(size=len(KEYS))
    expected = loop(scores, KEYS, margin, across, gap)
    assert float(loss_of(scores, KEYS, margin=margin, across_photos=across, gap=gap)) == pytest.approx(expected, rel=1e-5)


def test_live_batch_of_the_article_has_240_pairs():
    keys = np.array([(p, k, l) for p in range(2) for k, l in [(-1, 0), *((k, l) for k in range(4) for l in range(1, 6))]])
    once = ops.convert_to_numpy(better(ops.convert_to_tensor(keys.astype("int32"))))
    # the article sends the pristine photo once for each distortion: 48 images; here it passes once: 42
    assert len(keys) == 42 and once.sum() == 2 * 4 * 15
    assert ops.convert_to_numpy(better(ops.convert_to_tensor(keys.astype("int32")), across_photos=True)).sum() == 240


def test_order_of_the_batch_does_not_matter(rng):
    scores, shuffle = rng.normal(size=len(KEYS)), rng.permutation(len(KEYS))
    for across in (False, True):
        args = {"margin": 1.0, "across_photos": across}
        assert float(loss_of(scores, KEYS, **args)) == pytest.approx(float(loss_of(scores[shuffle], KEYS[shuffle], **args)), rel=1e-5)


def test_gradient_is_the_count_of_the_article(rng):
    """By finite differences, away from the hinges' corners, and by the article's formula."""
    scores, margin, step = rng.normal(size=len(KEYS)), 1.0, 1e-5
    mask = ops.convert_to_numpy(better(ops.convert_to_tensor(KEYS)))
    active = mask * (margin - (scores[:, None] - scores[None, :]) > 0)
    formula = (active.sum(axis=0) - active.sum(axis=1)) / len(KEYS)
    for i in range(len(KEYS)):
        up, down = scores.copy(), scores.copy()
        up[i], down[i] = up[i] + step, down[i] - step
        slope = (loop(up, KEYS, margin, False, 0) - loop(down, KEYS, margin, False, 0)) / (2 * step)
        assert formula[i] == pytest.approx(slope, abs=1e-6)


def test_training_follows_that_gradient(rng):
    """One step of SGD on scores that are weights moves them by the formula, whatever the backend."""
    scores = rng.normal(size=len(KEYS)).astype("float32")
    table = keras.layers.Embedding(len(KEYS), 1, embeddings_initializer=keras.initializers.Constant(scores[:, None]))
    number, key = keras.Input((), dtype="int32"), keras.Input((3,), dtype="int32")
    share = RankingHinge(1.0)(keras.layers.Reshape(())(table(number)), key)
    model = keras.Model([number, key], keras.layers.Reshape((1,))(share))
    model.compile(keras.optimizers.SGD(1.0), lambda labels, rows: rows[:, 0])
    count = len(KEYS)
    model.fit([np.arange(count, dtype="int32"), KEYS], np.zeros(count), batch_size=count, verbose=0, shuffle=False)
    active = ops.convert_to_numpy(better(ops.convert_to_tensor(KEYS))) * (1 - (scores[:, None] - scores[None, :]) > 0)
    formula = (active.sum(axis=0) - active.sum(axis=1)) / count
    assert scores - table.get_weights()[0][:, 0] == pytest.approx(formula, abs=1e-5)


def test_equal_scores_give_no_nan_and_order_is_none():
    assert float(loss_of(np.zeros(len(KEYS)), KEYS, margin=1.0)) == pytest.approx(loop(np.zeros(len(KEYS)), KEYS, 1, False, 0))
    assert float(order(ops.convert_to_tensor(KEYS), ops.zeros(len(KEYS)))) == 0.5


def test_perfect_and_reversed_order():
    for sign, share in ((-1.0, 1.0), (1.0, 0.0)):
        scores = ops.convert_to_tensor(sign * KEYS[:, 2].astype("float32"))
        assert float(order(ops.convert_to_tensor(KEYS), scores)) == share


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos of waves and edges, 150 x 140, six of them."""
    root = tmp_path_factory.mktemp("photos")
    y, x = np.mgrid[:140, :150]
    for number in range(6):
        rng = np.random.default_rng(number)
        waves = sum(np.sin(x * rng.uniform(-1, 1) + y * rng.uniform(-1, 1) + rng.uniform(0, 6)) for _ in range(6))
        colours = 128 + 18 * waves[..., None] * rng.uniform(0.5, 1, 3) + 40 * (x > rng.integers(30, 120))[..., None]
        Image.fromarray(np.clip(colours, 0, 255).astype("uint8")).save(root / f"{number}.png")
    return root


def paths_of(folder):
    return [str(folder / name) for name in sorted(os.listdir(folder))]


def batches_of(folder, **kwargs):
    kinds = chosen(["gaussian_blur", "jpeg", "contrast"])
    args = {"batch_size": 40, "crop": 64, "photos": 3, "steps": 5, "crops": 2, "workers": 0}
    return ranked.LevelBatches(paths_of(folder), kinds, **{**args, **kwargs})


def test_batches_repeat_and_differ(folder):
    one, again, other = batches_of(folder), batches_of(folder), batches_of(folder, seed=1)
    for step in (3, 0):
        assert np.array_equal(one[step][0]["image"], again[step][0]["image"])
        assert not np.array_equal(one[step][0]["image"], other[step][0]["image"])
    again.epoch = 1
    assert not np.array_equal(one[0][0]["image"], again[0][0]["image"])
    assert not np.array_equal(one[0][0]["image"], one[1][0]["image"])  # another place of the same photos
    one.made.begun = {}
    assert np.array_equal(one[3][0]["image"], again_at(folder, 3))


def again_at(folder, step):
    return batches_of(folder)[step][0]["image"]


def test_a_cache_gives_the_same_distorted_photos_once_and_again(folder, tmp_path, monkeypatch):
    made = batches_of(folder, cache=str(tmp_path / "kept"))
    batch, keys = made[1]
    assert len(os.listdir(tmp_path / "kept")) >= 3 * 4  # of three photos the photo itself and three distortions
    for row, (photo, kind, level) in enumerate(keys.tolist()):  # a blur is no draw: it must be the very same picture
        if kind != 0:
            continue
        path, _ = made.plan(1)[photo]
        blurred = distort(read_photo(paths_of(folder)[path]), made.kinds["gaussian_blur"], level, 0)
        found = batch["image"][row]
        assert any(np.array_equal(found, side[y : y + 64, x : x + 64]) for side in (blurred, blurred[:, ::-1])
                   for y in range(140 - 63) for x in range(150 - 63) if (side[y, x] == found[0, 0]).all())
    with monkeypatch.context() as patch:
        patch.setattr(levels, "distort", lambda *args: pytest.fail("distorted twice"))
        again = batches_of(folder, cache=str(tmp_path / "kept"))
        assert np.array_equal(again[1][0]["image"], batch["image"])
    shared = batches_of(folder, cache=str(tmp_path / "other"), workers=2)  # both may make the same file
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
        return levels.photo_levels(str(path), kinds, wanted, 32, 1, [0], kept)

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
        levels.photo_levels(str(path), blur, wanted, 100, 1, [0], kept)


def test_a_full_disk_leaves_no_half_file_in_the_cache(tmp_path, monkeypatch):
    def full(file, images):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    picture(tmp_path / "photo.png", size=(90, 80), seed=1)
    monkeypatch.setattr(levels.np, "save", full)
    with pytest.raises(OSError, match="No space left"):
        levels.photo_levels(str(tmp_path / "photo.png"), chosen(["jpeg"]), [("jpeg", 1)], 32, 1, [0], str(tmp_path / "kept"))
    assert os.listdir(tmp_path / "kept") == []


def test_processes_give_what_one_gives(folder):
    alone, shared = batches_of(folder), batches_of(folder, workers=2)
    for step in range(5):
        assert np.array_equal(alone[step][0]["image"], shared[step][0]["image"])
    shared.made.pool.shutdown()


def test_a_batch_holds_whole_ladders(folder):
    batch, keys = batches_of(folder)[0]
    assert len(keys) == 39 and batch["image"].dtype == np.uint8  # 3 photos x (1 + 3 distortions x 4 levels)
    for photo in range(3):
        own = keys[keys[:, 0] == photo]
        assert sorted(map(tuple, own[:, 1:].tolist())) == [(-1, 0), *((k, l) for k in range(3) for l in range(1, 5))]


def test_levels_share_their_place(folder):
    """A photo hardly distorted differs little from the pristine one: no other crop would."""
    kinds = {"gaussian_blur": chosen(["gaussian_blur"])["gaussian_blur"]._replace(levels=(1,))}
    cut = levels.photo_levels(paths_of(folder)[0], kinds, [("", 0), ("gaussian_blur", 1)], 64, 3, [0])
    assert cut.shape == (3, 2, 64, 64, 3)
    for pristine, same in cut:
        assert np.abs(pristine.astype(int) - same).mean() < 2
    assert np.abs(cut[0, 0].astype(int) - cut[1, 0]).mean() > 5


def test_more_distortions_than_fit_are_dealt_to_the_photos_in_turn(folder):
    made = batches_of(folder, batch_size=30, photos=3, crops=1)  # ten images a photo: two of three distortions
    for step in range(5):
        keys = made[step][1]
        assert len(keys) <= 30
        hands = [{kind for photo, kind, _ in keys.tolist() if photo == own and kind >= 0} for own in range(3)]
        assert sorted(kind for hand in hands for kind in hand) == [0, 0, 1, 1, 2, 2]
        for own, hand in enumerate(hands):
            for one in hand:
                assert sorted(level for photo, kind, level in keys.tolist() if (photo, kind) == (own, one)) == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="pass --batch_size=15"):
        batches_of(folder, batch_size=14, photos=3)


@pytest.mark.parametrize("pairs", ["random", "hard"])
def test_pairs_have_one_partner_each(pairs, folder):
    made = batches_of(folder, pairs=pairs, batch_size=12, scores=lambda images: images.mean(axis=(1, 2, 3)))
    batch, keys = made[0]
    assert len(keys) == 12 and ops.convert_to_numpy(better(ops.convert_to_tensor(keys))).sum() == 6
    if pairs == "hard":
        everything = batches_of(folder, pairs="random", batch_size=24)  # the draws are the same
        images = everything[0][0]["image"]
        lead = images.mean(axis=(1, 2, 3))
        lead = np.sort(lead[::2] - lead[1::2])
        kept = batch["image"].mean(axis=(1, 2, 3))
        assert np.sort(kept[::2] - kept[1::2]) == pytest.approx(lead[:6])


@pytest.mark.parametrize("pairs", ["random", "hard"])
def test_half_of_the_pairs_are_of_two_photos_where_photos_are_compared(pairs, folder):
    made = batches_of(folder, pairs=pairs, across_photos=True, batch_size=40, scores=lambda images: images.mean(axis=(1, 2, 3)))
    keys = made[0][1]
    assert len(keys) == 40 and ops.convert_to_numpy(better(ops.convert_to_tensor(keys))).sum() == 20
    drawn = [made.pair(np.random.default_rng(seed)) for seed in range(2000)]
    two = [pair for pair in drawn if len(pair) == 2]
    assert len(two) / len(drawn) == pytest.approx(0.5, abs=0.05)
    for (_, [(_, first)]), (_, [(name, second)]) in two:
        assert name and first < second
    assert np.mean([one[0] != other[0] for one, other in two]) == pytest.approx(5 / 6, abs=0.05)
    assert all(len(pair) == 1 for pair in map(batches_of(folder, pairs=pairs).pair, map(np.random.default_rng, range(50))))


def test_plain_sky_is_avoided():
    photo = np.full((200, 200, 3), 120, "uint8")
    photo[120:, 120:] = np.random.default_rng(0).integers(0, 256, (80, 80, 3))
    places = [levels.textured_place(photo, 64, np.random.default_rng(seed)) for seed in range(30)]
    assert np.mean([y + x > 120 for y, x in places]) > 0.7


def test_scored_batches_show_each_photo_once_an_epoch(folder):
    made = ranked.CropBatches(paths_of(folder), np.arange(6) / 5, 2, 64, steps=3, workers=0)
    assert len(ranked.CropBatches(paths_of(folder), np.arange(6), 2, 64, workers=0)) == 40
    for epoch in range(2):
        made.epoch = epoch
        assert sorted(np.concatenate([made[step][1][:, 0] for step in range(3)])) == pytest.approx(np.arange(6) / 5)
    assert made[0][0]["image"].shape == (2, 64, 64, 3)


def test_pair_order_equals_a_loop(rng):
    scores = rng.integers(0, 6, (7, 4)).astype(float)
    half = lambda a, b: 1.0 if a > b else 0.5 if a == b else 0.0
    found = ordering.pair_order(scores)
    within = [half(row[i], row[j]) for row in scores for i in range(4) for j in range(i + 1, 4)]
    across = [half(scores[p, i], scores[q, j]) for p in range(7) for q in range(7) if p != q for i in range(4) for j in range(i + 1, 4)]
    assert found["order"] == pytest.approx(np.mean(within)) and found["across"] == pytest.approx(np.mean(across))
    assert found["adjacent"] == pytest.approx(np.mean([half(row[i], row[i + 1]) for row in scores for i in range(3)]))
    assert found["gap_3"] == pytest.approx(np.mean([half(row[0], row[3]) for row in scores]))


def test_vgg16_has_134_million_parameters():
    assert towers.make_quality_tower("vgg16", (224, 224, 3)).count_params() == 134_264_641


@pytest.mark.parametrize("backbone, side", [("alexnet", 227), ("shallow", 227), ("compact", None)])
def test_towers_tell_one_number(backbone, side):
    tower = towers.make_quality_tower(backbone, (side, side, 3))
    assert tower.output_shape == (None, 1)
    assert tower.count_params() < {"alexnet": 6e7, "shallow": 2e5, "compact": 3e5}[backbone]


def test_mean_and_spread_equal_a_loop_and_give_no_nan(rng):
    maps = rng.normal(2.0, 3.0, (3, 5, 7, 4)).astype("float32")
    maps[1] = 4.0  # a plain photo: its spread is nothing, and its slope must stay finite
    found = ops.convert_to_numpy(MeanAndSpread()(maps))
    for image, row in zip(maps, found):
        for channel in range(4):
            places = [float(image[y, x, channel]) for y in range(5) for x in range(7)]
            mean = sum(places) / 35
            assert row[channel] == pytest.approx(mean, abs=1e-5)
            assert row[4 + channel] == pytest.approx((sum((v - mean) ** 2 for v in places) / 35 + 1e-4) ** 0.5, rel=1e-4)
    model = keras.Sequential([keras.layers.Conv2D(2, 1, kernel_initializer="zeros"), MeanAndSpread(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    assert np.isfinite(model.train_on_batch(maps, np.ones((3, 1))))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def small_model(rng):
    model = rankiqa.rankiqa(towers.make_quality_tower("compact", (None, None, 3)), 64)
    model.get_layer("score").fit(-1.0, 3.0, 90.0, 10.0)
    return model


def test_direction_range_and_crop_are_saved(tmp_path, rng):
    model = small_model(rng)
    images = rng.integers(0, 256, (2, 70, 90, 3), dtype="uint8")
    model.save(tmp_path / "m.keras")
    code = (f"import sys; sys.path.insert(0, {str(ROOT)!r}); from nets import rankiqa; from utils.run import folder as runs; import numpy as np;"
            f"s = rankiqa.scorer(runs.load_model({str(tmp_path / 'm.keras')!r}, 'rankiqa'));"
            f"print(s.higher_is_better, s.low, s.high, s.side, s.whole, *s.score(np.load({str(tmp_path / 'x.npy')!r})))")
    np.save(tmp_path / "x.npy", images)
    words = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert words[:5] == ["False", "10.0", "90.0", "64", "True"]
    assert [float(word) for word in words[5:]] == pytest.approx(rankiqa.scorer(model).score(images), rel=1e-4)


def test_a_range_is_unknown_until_it_is_fitted(tmp_path, rng):
    model = small_model(rng)
    rankiqa.forget_range(model)
    model.save(tmp_path / "m.keras")
    for unfitted in (model, keras.saving.load_model(tmp_path / "m.keras")):
        assert (rankiqa.scorer(unfitted).low, rankiqa.scorer(unfitted).high) == (None, None)
    model.get_layer("score").fit(0.0, 1.0, 0.0, 1.0)  # as people's scores of 0 to 1
    assert (rankiqa.scorer(model).low, rankiqa.scorer(model).high) == (0, 1)


def test_unit_range_keeps_the_scores(rng):
    model = small_model(rng)
    images = rng.integers(0, 256, (3, 64, 64, 3), dtype="uint8")
    before = rankiqa.score(model, images)
    raw = ops.convert_to_numpy(model.get_layer("tower")(images.astype("float32")))[:, 0]
    rankiqa.unit_range(model)
    assert rankiqa.score(model, images) == pytest.approx(before, rel=1e-4)
    assert ops.convert_to_numpy(model.get_layer("tower")(images.astype("float32")))[:, 0] == pytest.approx((raw + 1) / 4, abs=1e-5)


def test_only_a_model_for_photos_of_any_size_takes_other_crops(rng):
    model = small_model(rng)
    rankiqa.set_side(model, 0)
    assert rankiqa.side(model) == 64
    rankiqa.set_side(model, 96)
    assert rankiqa.side(model) == 96 and rankiqa.regressor(model).inputs[0].shape == (None, 96, 96, 3)
    fixed = rankiqa.rankiqa(towers.make_quality_tower("shallow", (192, 192, 3)), 192)
    rankiqa.set_side(fixed, 96)
    assert rankiqa.side(fixed) == 192


def test_validation_measures_every_pair(folder, rng):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: paths_of(folder)), kinds=chosen(["jpeg", "contrast"]))
    model = small_model(rng)
    scale = model.get_layer("score")
    for across in (False, True):
        made = ranking.validation(SimpleNamespace(seed=0, margin=None, across_photos=across), model, data)
        found = made.measure()
        batch = ranked.LevelBatches(paths_of(folder), data.kinds, 999, 64, photos=6, crops=1, steps=1, seed=1, workers=0)[0]
        scores = rankiqa.scorer(model).score(batch[0]["image"])
        pairs = [(i, j) for i, (p, k, l) in enumerate(batch[1].tolist()) for j, (q, m, n) in enumerate(batch[1].tolist())
                 if l < n and (k == m or l == 0) and (across or p == q)]
        assert found["val_hinge"] == pytest.approx(np.mean([max(0, 1 - scores[i] + scores[j]) for i, j in pairs]), rel=1e-4)
        assert set(found) == {"val_hinge", "val_order", "val_adjacent", "val_across"}
    scale.fit(0.0, 1.0, 0.0, float("nan"))
    assert all(np.isnan(value) for value in made.measure().values())


def test_runs_are_compared_by_when_each_is_as_good_as_the_other(tmp_path, script):
    head = "epoch,val_hinge,val_order,val_across,seconds\n"
    for name, rows in {
        "all": ["0,.5,.8,.7,10", "1,.2,.95,.9,10", "2,.1,.94,.92,10"], "random": ["0,.6,.7,.6,30", "1,.2,.96,.8,31"],
    }.items():
        (tmp_path / "logs" / name).mkdir(parents=True)
        (tmp_path / "logs" / name / "log.csv").write_text(head + "\n".join(rows) + "\n")
    out = script("eval_rank.py", "--compare=logs/all,logs/random", "--json")
    found = json.loads(out.splitlines()[-1])
    assert found["logs/all"] == {
        "seconds": 30, "hinge": 0.1, "order": 0.95, "across": 0.92,
        "reached": {"logs/random": {"hinge": 20, "order": None, "across": 20}},
    }
    assert found["logs/random"]["reached"] == {"logs/all": {"hinge": None, "order": 61, "across": None}}
    assert "as good as logs/random at its best: hinge after 20 s, order never, across after 20 s" in out
    assert (tmp_path / "efficiency.png").stat().st_size > 10_000
    assert "found no log with val_hinge, val_order, val_across" in script("eval_rank.py", "--compare=logs/none", expect=2)


def test_small_photos_are_enlarged_and_crops_averaged(rng):
    scorer = rankiqa.scorer(small_model(rng))
    photo = rng.integers(0, 256, (40, 30, 3), dtype="uint8")
    assert np.isfinite(ordering.photo_score(scorer, photo, 0))
    large = rng.integers(0, 256, (100, 130, 3), dtype="uint8")
    assert ordering.photo_score(scorer, large, 5, seed=1) == ordering.photo_score(scorer, large, 5, seed=1)
    whole = rng.integers(0, 256, (64, 64, 3), dtype="uint8")
    assert ordering.photo_score(scorer, whole, 4) == pytest.approx(ordering.photo_score(scorer, whole, 0), rel=1e-4)


def test_what_cannot_be_shared_or_asked_is_refused(folder, monkeypatch):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: paths_of(folder)), kinds=chosen(["live"]))
    options = SimpleNamespace(pairs="random", across_photos=False, batch_size=42, photos_per_batch=4, steps_per_epoch=4,
                              seed=0, workers=0, cache_distorted="")
    model = rankiqa.rankiqa(towers.make_quality_tower("compact", (None, None, 3)), 32)
    with monkeypatch.context() as patch:
        patch.setattr(ranking.devices, "replicas", lambda: 4)
        with pytest.raises(ValueError, match="42 crops does not divide among 4 devices"):
            ranking.make_batches(options, data, model)
    options.cache_distorted = paths_of(folder)[0]
    with pytest.raises(ValueError, match="0.png: a file; expected a folder"):
        ranking.make_batches(options, data, model)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(ValueError, match="JAX does not allow: pass another --backend"):
        ranking.make_batches(SimpleNamespace(pairs="hard"), data, model)


@pytest.mark.parametrize("pairs", ["all", "random"])
def test_the_flags_reach_batches_and_loss(pairs, folder, tmp_path):
    data = SimpleNamespace(photos=SimpleNamespace(full=lambda part: paths_of(folder)), kinds=chosen(["jpeg"]))
    options = SimpleNamespace(pairs=pairs, across_photos=True, batch_size=10, photos_per_batch=2, steps_per_epoch=4, seed=0,
                              workers=0, cache_distorted=str(tmp_path / "kept"), margin=None, level_gap=0)
    model = rankiqa.rankiqa(towers.make_quality_tower("compact", (None, None, 3)), 32)
    made = ranking.make_batches(options, data, model)
    assert made.across_photos and made.pairs == pairs and made.crops == 1 and os.listdir(tmp_path / "kept")
    loss = ranking.trainer(options, model, keras.optimizers.SGD()).get_layer("hinge")
    assert loss.across_photos == (pairs == "all")  # a random pair is compared with no other


def test_photos_that_training_saw_are_told_by_whatever_name(tmp_path, monkeypatch, capsys):
    paths = [os.path.join("photos", f"{number}.png") for number in range(6)]
    for path in paths:
        picture(tmp_path / path)
    monkeypatch.chdir(tmp_path)
    split = {"root": "", "train": paths[:3], "validation": paths[3:4], "test": paths[4:]}
    for root in ("", ".", str(tmp_path)):
        assert photos.unseen(root, paths, split) == [4, 5]
        assert "left out 4 photos that training saw; 2 remain" in capsys.readouterr().out
    assert photos.unseen("photos", [os.path.basename(path) for path in paths], split) == [4, 5]
    assert photos.unseen("elsewhere", paths, split) == list(range(6)) and photos.unseen("", paths, {}) == list(range(6))


@pytest.mark.parametrize("count, parts", [(2, (2, 0, 2)), (20, (16, 2, 2))])
def test_photos_are_split_once(count, parts):
    paths = [f"{number}.png" for number in range(count)]
    made = photos.split("", paths, 0.1, 0.1, 0)
    assert (len(made.train), len(made.validation), len(made.test)) == parts
    assert count < 5 or not set(made.train) & set(made.test) | set(made.validation) & set(made.test)
    for val in ("val", "valid", "validation"):
        folders = [f"{part}/{number}.png" for part in ("train", val, "test") for number in range(4)]
        made = photos.split("", folders, 0.1, 0.1, 0)
        assert made.train == folders[:4] and made.validation == folders[4:8] and made.test == folders[8:]


SMALL = ("--input_shape=64,64,3", "--photos_per_batch=2", "--batch_size=20", "--distortions=gaussian_blur,jpeg")


def test_rank_then_finetune_then_score(folder, script, tmp_path):
    """The whole way of a person, from photos to the score of one."""
    out = script("train.py", "--task=rank", f"--dataset_path={folder}", "--epochs=2", "--steps_per_epoch=3", "--run=rank", *SMALL)
    assert "found 6 photos" in out and "4 to train on, 1 to validate, 1 to test" in out and "waited" in out
    assert {"best.keras", "order.json", "order.png", "batch.png", "curves.png"} <= set(os.listdir(tmp_path / "logs" / "rank"))
    out = script("eval_rank.py", "--distortions=jpeg,contrast", "--json")
    assert set(json.loads(out.splitlines()[-1])) == {"jpeg", "contrast", "mean"}
    kept = tmp_path / "logs" / "rank" / "best.keras"
    before = keras.saving.load_model(kept, compile=False).get_weights()
    script("train.py", "--resume", "--run=rank")  # a run that has finished
    after = keras.saving.load_model(kept, compile=False).get_weights()
    assert all(np.allclose(a, b, rtol=1e-4) for a, b in zip(before, after))
    listed = tmp_path / "scores.txt"
    listed.write_text("".join(f"{path} {number}\n" for number, path in enumerate(paths_of(folder))))
    (folder / "broken.png").write_text("no picture")
    listed.write_text(listed.read_text() + f"{folder / 'broken.png'} 3\n")
    args = ("train.py", "--task=finetune", f"--dataset_path={listed}", "--weights=logs/rank", "--epochs=1",
            "--batch_size=4", "--steps_per_epoch=2", "--val_share=.2", "--test_share=.5", "--run=fine", "--input_shape=80,80,3")
    assert "--higher_is_better" in script(*args, expect=2) and not (tmp_path / "logs" / "fine").exists()
    out = script(*args, "--nohigher_is_better")
    assert "agreement with people" in out and "broken.png: not an image" in out and "crops of 80 x 80 pixels" in out
    (folder / "broken.png").unlink()
    listed.write_text(listed.read_text().replace(f"{folder / 'broken.png'} 3\n", ""))
    answer = json.loads(script("predict.py", "--quality", folder, "--json", "--csv=q.csv").splitlines()[-1])
    scores = [row["score"] for row in answer["results"]]
    assert not answer["higher_is_better"] and len(scores) == 6 and scores == sorted(scores)
    assert (tmp_path / "quality.png").is_file() and (tmp_path / "q.csv").read_text().count("\n") == 7
    out = script("eval_rank.py", f"--scores={listed}", "--nohigher_is_better", "--splits=2")
    assert "3 images of 3 reference photos" in out and "left out 3 photos that training saw" in out
    assert "srocc" in out and (tmp_path / "logs" / "fine" / "agreement.json").is_file()
    assert "a rankiqa model, expected a siamese model" in script(
        "predict.py", folder / "0.png", folder / "1.png", "--model=logs/rank", expect=2)


def test_killed_while_ranking_and_resumed_equals_uninterrupted(folder, tmp_path):
    args = ("--task=rank", f"--dataset_path={folder}", "--epochs=3", "--steps_per_epoch=4", "--workers=1", "--devices=cpu", *SMALL)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for cwd in (whole, cut):
        cwd.mkdir()
    assert start(whole, *args, "--run=r").wait(300) == 0
    process = start(cut, *args, "--run=r")
    wait_for_epoch(process, cut / "logs" / "r" / "log.csv", 0)
    workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
    process.kill()
    process.wait()
    assert start(cut, "--resume").wait(300) == 0
    both = [keras.saving.load_model(cwd / "logs" / "r" / "last.keras", compile=False).get_weights() for cwd in (whole, cut)]
    assert all(np.array_equal(a, b) for a, b in zip(*both))
    assert workers and not any(os.path.exists(f"/proc/{worker}") for worker in workers)


def test_rank_without_a_test_part_and_from_a_model_whose_scores_fall(folder, script, tmp_path):
    model = rankiqa.rankiqa(towers.make_quality_tower("compact", (None, None, 3)), 64)
    model.get_layer("score").fit(-1.0, 3.0, 90.0, 10.0)  # as fine-tuned to DMOS
    model.save(tmp_path / "dmos.keras")
    out = script("train.py", "--task=rank", f"--dataset_path={folder}", "--epochs=1", "--steps_per_epoch=2", "--run=rank",
                 "--test_share=0", "--val_share=0", f"--weights={tmp_path / 'dmos.keras'}", "--photos_per_batch=2",
                 "--distortions=gaussian_blur,jpeg", "--devices=cpu:2")
    assert "photos of the train part" in out
    again = rankiqa.scorer(keras.saving.load_model(tmp_path / "logs" / "rank" / "best.keras", compile=False))
    assert again.higher_is_better and again.side == 64
    assert "expected photos to train on" in script(
        "train.py", "--task=rank", f"--dataset_path={folder}", "--input_shape=64,64,3", "--val_share=.9", "--test_share=.9", expect=2)


def test_bad_input_of_ranking_is_one_line(folder, script, tmp_path):
    picture(tmp_path / "small" / "a.png")
    args = ("train.py", "--task=rank", "--epochs=1", "--steps_per_epoch=1")
    assert "expected two or more" in script(*args, f"--dataset_path={tmp_path / 'small'}", expect=2)
    assert "received the distortion 'blurr'" in script(*args, f"--dataset_path={folder}", "--input_shape=64,64,3",
                                                      "--distortions=blurr", expect=2)
    assert "no such file" in script("predict.py", "--quality", tmp_path / "none.png", expect=2)
    assert not list((tmp_path / "logs").glob("*")) if (tmp_path / "logs").exists() else True
