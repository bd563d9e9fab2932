"""Heads that compare locations: as plain loops over locations say, all pairs in turns as all at once, and maps from the
towers that have them."""

import keras
import numpy as np
import pytest
from keras import ops

from nets import towers
from nets.heads import HEADS, make_head
from nets.heads.locations import all_pairs
from nets.inference import apply
from nets.losses.pairs import PairCrossEntropy, balanced
from nets.models import siamese

from helpers import LABELS, gradient, loss_of, small_siamese

WITH_LOCATIONS = [name for name, row in HEADS.items() if row.locations]
GRID = (2, 3, 4)  # rows, columns, channels of the maps


def head_of(name, rng):
    """A head for maps of GRID whose weights are all drawn."""
    images = keras.Input((2, 3, 4))
    maps = keras.layers.Activation("linear", name="maps")(images)
    head = make_head(name, keras.Model(images, keras.layers.Flatten()(maps)))
    head.build((None, 24), (None, 24))
    head.set_weights([rng.normal(0, 0.5, weight.shape) for weight in head.get_weights()])
    head.last.set_weights([np.array(0.7), np.array(3.0)])
    return head


def unit(vector):
    return vector / max(np.linalg.norm(vector), 1e-6)


def weights_by_name(head):
    return {weight.path.split("/", 1)[1].replace("head/", ""): np.asarray(weight) for weight in head.weights}


def convolve(maps, kernel, bias):
    """A convolution 3 x 3 of (2, 3, k), written out."""
    padded = np.pad(maps, ((1, 1), (1, 1), (0, 0)))
    return np.array([[bias + np.einsum("abk,abko->o", padded[r : r + 3, c : c + 3], kernel) for c in range(3)]
                     for r in range(2)]).reshape(6, -1)


def affinity(u, v):
    return np.array([[1 / (1 + np.linalg.norm(a - b)) for b in v] for a in u])


def beside(name, w, u, matrix):
    """The vector of a picture with locations u (6, 4), beside one that it shares A with."""
    kernel, bias = w["conv/kernel"], w["conv/bias"]
    shown = convolve(u.reshape(GRID), kernel, bias)
    if name == "attention_before":
        further = (matrix @ w["projection/kernel"]).reshape(2, 3, -1)
        pooled = np.maximum(shown + convolve(further, w["further/kernel"], 0), 0).mean(axis=0)
    elif name == "attention_after":
        sums = [row.sum() for row in matrix]
        pooled = sum(weight * np.maximum(location, 0) for weight, location in zip(sums, shown)) / sum(sums)
    else:
        pooled = []
        for query, strength in zip(w["queries/kernel"].T, w["strength"]):
            powers = [np.exp(query @ np.maximum(location, 0) + strength * max(row))
                      for location, row in zip(shown, matrix)]
            pooled.append(sum(power * np.maximum(location, 0) for power, location in zip(powers, shown)) / sum(powers))
        pooled = np.concatenate(pooled)
    return unit(pooled @ w["features/kernel"] + w["features/bias"])


def asked(w, u, v):
    """What each location of u finds in v: scaled dot products, a head at a time; and the attention, (heads, 6, 6)."""
    attended, attention = 0, []
    for head in range(w["asked/query/kernel"].shape[1]):
        q, k, x = ([location @ w[f"asked/{part}/kernel"][:, head] + w[f"asked/{part}/bias"][head] for location in side]
                   for part, side in (("query", u), ("key", v), ("value", v)))
        powers = np.exp(np.array([[a @ b for b in k] for a in q]) / np.sqrt(len(q[0])))
        attention.append(powers / powers.sum(axis=1, keepdims=True))
        attended = attended + attention[-1] @ np.array(x) @ w["asked/attention_output/kernel"][head]
    return np.array([unit(location) for location in attended + w["asked/attention_output/bias"]]), np.array(attention)


@pytest.mark.parametrize("name", WITH_LOCATIONS)
def test_a_head_is_what_plain_loops_say(name, rng):
    head = head_of(name, rng)
    left, right = rng.normal(size=(2, 5, 24)).astype("float32")
    logits, matrices = apply(head, left[:, None], right[None]), ops.convert_to_numpy(head.attention(left, right))
    assert logits.shape == (5, 5) and matrices.shape == (5, 6, 6)
    w = weights_by_name(head)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            u, v = a.reshape(6, 4), b.reshape(6, 4)
            if name == "cross_attention":
                there, back = asked(w, u, v), asked(w, v, u)
                distance = np.sqrt(sum(np.sum((one - other) ** 2) for one, other in
                                       ((asked(w, u, u)[0], there[0]), (asked(w, v, v)[0], back[0]))) / 12)
                matrix = (there[1].mean(axis=0) + back[1].mean(axis=0).T) / 2
            else:
                matrix = affinity(u, v)
                distance = np.linalg.norm(beside(name, w, u, matrix) - beside(name, w, v, matrix.T))
            assert logits[i, j] == pytest.approx(3.0 * (0.7 - distance), abs=2e-4)
            if i == j:
                assert matrices[i] == pytest.approx(matrix, abs=1e-5)


@pytest.mark.parametrize("name", WITH_LOCATIONS)
def test_a_picture_beside_itself_gets_the_highest_score(name, rng):
    """By construction, so also with weights that nobody trained."""
    head = head_of(name, rng)
    features = rng.normal(size=(20, 24)).astype("float32")
    logits = apply(head, features[:, None], features[None])
    assert (np.diag(logits) >= logits.max(axis=1) - 1e-5).all() and logits.min() < np.diag(logits).min() - 0.1


@pytest.mark.parametrize("name", WITH_LOCATIONS)
def test_attention_turned_round_is_that_of_the_other_picture(name, rng):
    head = head_of(name, rng)
    left, right = rng.normal(size=(3, 1, 24)).astype("float32"), rng.normal(size=(2, 24)).astype("float32")
    there, back = (ops.convert_to_numpy(head.attention(*pair)) for pair in ((left, right), (right, left)))
    assert there.shape == (3, 2, 6, 6) and (there >= 0).all()
    assert there == pytest.approx(np.swapaxes(back, 2, 3), abs=1e-6)


@pytest.mark.parametrize("name, count", [
    ("attention_after", 5), ("cross_attention", 8),
    *(pytest.param(name, 8, marks=pytest.mark.rare) for name in WITH_LOCATIONS if name != "cross_attention"),
])
def test_all_pairs_in_turns_are_all_pairs_at_once(name, count, rng):
    """Logits, loss, and the gradients by features and by weights, of an even and of an odd batch."""
    head, labels = head_of(name, rng), LABELS[:count]
    features = rng.normal(size=(count, 24)).astype("float32")
    features[1] = features[0]  # two equal images
    at_once = apply(head, features[:, None], features[None])
    assert ops.convert_to_numpy(all_pairs(head, features)) == pytest.approx(at_once, abs=1e-5)

    class AtOnce(PairCrossEntropy):
        def call(self, features, labels):
            logits = self.head(features[:, None], features[None])
            return balanced(ops.softplus(-logits), ops.softplus(logits), labels)

    turns, plain = PairCrossEntropy(head), AtOnce(head)
    assert loss_of(turns, features, labels) == pytest.approx(loss_of(plain, features, labels), abs=1e-6)
    found, expected = gradient(turns, features, labels), gradient(plain, features, labels)
    assert np.isfinite(found).all() and found == pytest.approx(expected, abs=1e-4) and np.abs(found).max() > 1e-3
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        by_weights = []
        for layer in (turns, plain):
            with tf.GradientTape() as tape:
                loss = ops.mean(layer(features, labels))
            by_weights.append(tape.gradient(loss, [weight.value for weight in head.trainable_variables]))
        for one, other in zip(*by_weights, strict=True):
            assert np.asarray(one) == pytest.approx(np.asarray(other), abs=1e-4)


@pytest.mark.parametrize("name", WITH_LOCATIONS)
def test_equal_pictures_have_gradients_that_are_numbers(name, rng):
    layer = PairCrossEntropy(head_of(name, rng))
    for features in (np.zeros((8, 24), "float32"), np.tile(rng.normal(size=24), (8, 1)).astype("float32")):
        assert np.isfinite(gradient(layer, features)).all()


def test_pairs_are_scored_in_blocks(rng, monkeypatch):
    model = small_siamese("attention_after")
    head = model.get_layer("head")
    features = rng.normal(size=(5, 512)).astype("float32")
    whole = siamese.score(model, features[:, None], features[None])
    monkeypatch.setattr(type(head), "pairs_at_once", 4)
    assert siamese.score(model, features[:, None], features[None]) == pytest.approx(whole, abs=1e-6)
    assert siamese.score(model, features[0], features[1]) == pytest.approx(whole[0, 1], abs=1e-6)
    expected = ops.convert_to_numpy(head.global_embedding(features))
    assert siamese.comparer(model).global_embedding(features) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("backbone, shape, grid", [("compact", (48, 40, 1), (6, 5)), ("photos", (64, 64, 3), (4, 4)),
                                                   ("vgg16", (64, 64, 3), (2, 2))])
def test_towers_end_in_maps(backbone, shape, grid, rng):
    tower = towers.make_tower(backbone, shape, normalize=True, maps=True)
    assert tower.output_shape == (None, grid[0] * grid[1] * towers.NARROW)
    assert make_head("attention_pool", tower).shape == (*grid, towers.NARROW)
    locations = apply(tower, rng.uniform(0, 255, (1, *shape))).reshape(-1, towers.NARROW)
    assert np.linalg.norm(locations, axis=1) == pytest.approx(np.ones(len(locations)), abs=1e-3)


def test_towers_without_maps_are_refused():
    with pytest.raises(ValueError, match="--backbone=koch gives no maps .* pass --backbone=compact, .* or a network"):
        towers.make_tower("koch", (105, 105, 1), normalize=False, maps=True)


def test_losses_of_distances_are_refused():
    with pytest.raises(ValueError, match="--loss=triplet trains distances"):
        siamese.make_loss("triplet", small_siamese("cross_attention"))
