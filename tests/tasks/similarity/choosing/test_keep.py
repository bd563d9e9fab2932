"""Which model of a user's own pictures is kept: by classes that neither the network nor the map has seen."""

import os

import numpy as np
import pytest

from nets import linear, towers
from nets.heads import make_head
from nets.models import siamese
from tasks.models import load_model
from tasks.similarity.choosing import keep, recipes
from utils.run import folder as runs

SHAPE = (32, 32, 3)


@pytest.fixture
def run(tmp_path):
    """A run folder with a network that has learnt nothing, and its tower."""
    tower = towers.make_tower("photos", SHAPE, normalize=True)
    siamese.siamese(tower, make_head("distance", tower)).save(tmp_path / runs.BEST)
    return tmp_path, towers.make_tower("photos", SHAPE, normalize=True)


def pictures(rng, classes=12, each=6, noise=20):
    """Pictures of classes of random blocks, and their labels."""
    labels = np.repeat(np.arange(classes), each)
    blocks = rng.integers(40, 216, (classes, 4, 4, 3)).repeat(8, 1).repeat(8, 2)
    return np.clip(blocks[labels] + rng.normal(0, noise, (len(labels), *SHAPE)), 0, 255).astype("uint8"), labels


def test_folds_never_share_a_class(rng, monkeypatch):
    labels = np.repeat(np.arange(7), 4)
    fitted, rows = [], []

    def fit(features, own):
        fitted.append(set(own.tolist()))
        rows.append(len(features))
        return recipes.pixels(features, own)

    monkeypatch.setattr(recipes, "PARTS", {"seen": recipes.Part("seen", "pixels", fit)})
    monkeypatch.setattr(recipes, "RECIPES", {"seen": ("seen",)})
    compared = recipes.cross_validated({"pixels": labels[:, None, None] + rng.normal(size=(28, 2, 3))}, labels)["seen"]
    assert len(fitted) == 3 and set.intersection(*fitted) == set()  # each class is held out once
    assert all(len(each) >= 4 for each in fitted)
    assert sum(rows) == 2 * 28 * 2  # each picture counts in both views, in all folds but one
    assert compared.same.sum() == 7 * 6  # each same pair is compared once
    near, far = compared.distances[compared.same], compared.distances[~compared.same]
    assert compared.roc_auc == pytest.approx(np.mean(near[:, None] < far) + 0.5 * np.mean(near[:, None] == far))


def test_memory_does_not_grow_with_the_length_of_the_features(rng):
    """Two classes of many pictures in a fold, and pixels of 48 x 48, took all the memory there was."""
    import tracemalloc

    labels = np.repeat(np.arange(4), 700)
    features = {"tower": rng.normal(size=(2800, 2, 20)).astype("float32"),
                "pixels": rng.normal(size=(2800, 1, 2304)).astype("float32")}
    tracemalloc.start()
    recipes.cross_validated(features, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 600e6  # a copy or some of the 26 MB of pixels; it was 13 GB


@pytest.mark.parametrize("classes, each", [(3000, 2), (500, 3), (4, 700), (200, 5)])
def test_of_many_pictures_some_of_all_classes_are_compared_and_same_pairs_stay(rng, classes, each):
    labels = rng.permutation(np.repeat(np.arange(classes), each).tolist() + [classes])  # one class of one picture
    rows = recipes.some(labels, 600)
    kept, counts = np.unique(labels[rows], return_counts=True)
    assert len(rows) <= 600 and len(np.unique(rows)) == len(rows)
    assert np.ptp(kept[:-1]) > 0.9 * (classes - 1) - 1 and len(kept) >= min(classes, 300)
    pairs = recipes.all_pairs(rng.normal(size=(len(labels), 2)), labels)
    assert pairs.same.sum() >= 150 and pairs.roc_auc == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("classes, each", [(4, 2), (2, 5), (9, 1)])
def test_few_classes_or_pictures_give_those_recipes_that_they_can(classes, each, rng):
    labels = np.repeat(np.arange(classes), each)
    features = {name: rng.normal(size=(len(labels), width))
                for name, width in (("tower", 6), ("pixels", 20), (recipes.IMAGENET, 9))}
    for recipe in recipes.PARTS.values():
        found = recipe.fit(features[recipe.of], labels)
        assert found is None or np.isfinite(found(features[recipe.of])).all()


def test_a_simple_method_is_kept_where_the_network_has_learnt_nothing(run, rng, monkeypatch):
    folder, tower = run
    images, labels = pictures(rng)
    rows = np.arange(len(labels))
    monkeypatch.setattr(keep, "against", lambda seen, recipe, embedded: spoilt(seen, recipe, embedded, rng))
    choice = keep.choose(str(folder), tower, images, labels, rows[labels < 8], rows[(labels >= 8) & (labels < 10)], 0)
    assert choice.name in recipes.RECIPES and choice.words.startswith("kept: " + recipes.in_words(choice.name))
    kept, before = (load_model(str(folder / name), siamese.KIND) for name in (runs.BEST, runs.TRAINED))
    assert linear.is_made(kept) and not linear.is_made(before)
    test = rows[labels >= 10]
    features = siamese.embed(kept, images[test])
    near = np.linalg.norm(features[:, None] - features[None], axis=-1)
    same = labels[test][:, None] == labels[test][None]
    assert near[same].mean() < near[~same].mean()
    scores = siamese.score(kept, features[:, None], features[None])
    assert scores[same].mean() > 0.5 > scores[~same].mean()  # the head was fitted too


def test_of_a_training_that_spoilt_a_tower_only_a_part_is_kept(run, rng, monkeypatch):
    """The weights lie between what the tower was and what it became; a run that goes on finds what it became."""
    folder, tower = run
    images, labels = pictures(rng)
    rows, before = np.arange(len(labels)), tower.get_weights()
    network = load_model(str(folder / runs.BEST), siamese.KIND)
    network.get_layer("tower").set_weights([weight + rng.random(weight.shape) * (weight.std() + 0.1) * 3
                                            for weight in before])
    network.save(folder / runs.BEST)
    monkeypatch.setattr(keep, "against", lambda *args: worst_but(keep.NETWORK, ORIGINAL(*args)))
    for _ in range(2):  # the second one is of a run that went on, and found no better epoch
        choice = keep.choose(str(folder), tower, images, labels, rows[labels < 8], rows[labels >= 8], 0)
        assert choice.name == keep.NETWORK and choice.trained_share < 1 and "The network is kept" in choice.words
        kept, trained = (load_model(str(folder / name), siamese.KIND) for name in (runs.BEST, runs.TRAINED))
        assert linear.is_made(kept) and not linear.is_made(trained)
        for old, new, mean in zip(before, network.get_layer("tower").get_weights(),
                                  kept.get_layer("tower").get_weights(), strict=True):
            assert np.allclose(mean, (1 - choice.trained_share) * old + choice.trained_share * new, atol=1e-4)
    other = siamese.siamese(towers.make_tower("compact", SHAPE, normalize=True), make_head("distance", tower))
    assert keep.partly_trained(tower, other, images, labels, rows) == (other, 1.0)  # another tower has no other half


def test_a_network_with_weights_of_imagenet_takes_part_and_is_shown_larger_pictures(run, rng, monkeypatch):
    """The kept model takes pictures as that network does; the network that was trained sees them smaller."""
    folder, tower = run
    small, labels = pictures(rng)
    images, rows = small.repeat(2, 1).repeat(2, 2), np.arange(len(labels))
    imagenet = towers.make_tower("efficientnet_lite0", (64, 64, 3), normalize=False)
    best = "discriminant, imagenet discriminant"
    monkeypatch.setattr(recipes, "RECIPES", {best: recipes.RECIPES[best]})
    monkeypatch.setattr(keep, "EQUAL", 1.0)  # both beside each other are kept
    choice = keep.choose(str(folder), tower, images, labels, rows[labels < 8], rows[labels >= 8], 0, imagenet)
    assert choice.name == keep.BOTH and "EfficientNet-Lite0" in choice.words
    kept, network = (load_model(str(folder / name), siamese.KIND) for name in (runs.BEST, runs.TRAINED))
    assert kept.input_shape[0] == (None, 64, 64, 3) and network.input_shape[0] == (None, *SHAPE)
    one = keep.features_of(linear.sized(network.get_layer("tower"), (64, 64, 3)), images, rows)
    assert np.abs(siamese.embed(kept, images)[:, : one.shape[1]] * np.sqrt(2) - one).max() < 1e-3


def spoilt(seen, recipe, embedded, rng):
    """The pairs to validate, where those of the network, and of both, say nothing."""
    network, simple, both = ORIGINAL(seen, recipe, embedded)
    wild = [recipes.Pairs(rng.random(len(pairs.same)), pairs.same) for pairs in (network, both)]
    return wild[0], simple, wild[1]


ORIGINAL = keep.against


def test_what_is_best_on_classes_to_validate_is_kept_and_a_run_that_goes_on_chooses_again(run, rng, monkeypatch):
    folder, tower = run
    images, labels = pictures(rng, noise=40)
    rows = np.arange(len(labels))
    choices = []
    monkeypatch.setattr(keep, "SHARES", (1.0,))
    for best in (keep.BOTH, keep.NETWORK, keep.BOTH):
        monkeypatch.setattr(keep, "against", lambda *args, best=best: worst_but(best, ORIGINAL(*args)))
        choices.append(keep.choose(str(folder), tower, images, labels, rows[labels < 8], rows[labels >= 8], 0))
        kept = load_model(str(folder / runs.BEST), siamese.KIND)
        assert choices[-1].name == best and linear.is_made(kept) == (best == keep.BOTH)
        weights = load_model(str(folder / runs.TRAINED), siamese.KIND).get_weights()
        if best == keep.BOTH:  # the network lies in it, and beside it, as it was
            inside = kept.get_layer("tower").get_layer("tower1").get_weights()
            assert len(inside) and all(any(np.array_equal(a, b) for b in weights) for a in inside)
    assert choices[0].cross_validated == choices[2].cross_validated
    assert set(choices[0].as_numbers()) == {"kept", "cross_validated", "validated", "trained_share"}


def worst_but(best, compared):
    """Pairs of which only those of one choice tell same from different."""
    good, bad = (lambda pairs: recipes.Pairs(1.0 - pairs.same, pairs.same),
                 lambda pairs: recipes.Pairs(1.0 * pairs.same, pairs.same))
    network, simple, both = compared
    return (good(network) if best == keep.NETWORK else bad(network), bad(simple),
            good(both) if best == keep.BOTH else bad(both))


def test_too_few_classes_leave_the_network(run, rng):
    folder, tower = run
    images, labels = pictures(rng, classes=5)
    rows = np.arange(len(labels))
    assert keep.choose(str(folder), tower, images, labels, rows[labels < 3], rows[labels >= 3], 0) is None
    assert not os.path.exists(folder / runs.TRAINED)


def test_recipes_side_by_side_compare_by_the_mean_of_their_squared_distances(run, rng):
    """As the model that is made of them does."""
    folder, tower = run
    images, labels = pictures(rng)
    backbones = {"tower": linear.pooled(tower), "pixels": linear.grey_pixels(SHAPE),
                 recipes.IMAGENET: linear.pooled(towers.make_tower("photos", SHAPE, normalize=True))}
    backbones[recipes.IMAGENET].name = recipes.IMAGENET
    every = np.arange(len(labels))
    features = {name: keep.features_of(backbone, images, every)[:, None] for name, backbone in backbones.items()}
    maps = recipes.fitted(features, labels, every)
    for name, parts in recipes.RECIPES.items():
        expected = recipes.embedded(name, maps, features, every)
        model = linear.projected(*((backbones[recipes.PARTS[part].of], maps[part]) for part in parts))
        assert linear.is_made(model)
        model.save(folder / "made.keras")
        model = load_model(str(folder / "made.keras"), siamese.KIND)
        np.testing.assert_allclose(siamese.embed(model, images), expected, atol=2e-3)
        np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)
