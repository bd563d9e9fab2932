"""Losses on cosines, each against a plain loop; and a tower that learns what a teacher sees."""

import inspect
from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from nets.losses.cosines import MultiSimilarity, SupCon, Taught
from nets.models import siamese

from helpers import LABELS, gradient, loss_of, plain_float64, small_siamese, unit


def multi_similarity_loop(x, labels, alpha=2.0, beta=40.0, base=0.5, slack=0.1):
    s, losses = x.astype("float64") @ x.astype("float64").T, []
    for a in range(len(x)):
        positives = [s[a][p] for p in range(len(x)) if p != a and labels[p] == labels[a]]
        negatives = [s[a][n] for n in range(len(x)) if labels[n] != labels[a]]
        hard_p = [v for v in positives if v - slack < max(negatives, default=-2)]
        hard_n = [v for v in negatives if v + slack > min(positives, default=2)]
        losses.append(np.log1p(sum(np.exp(-alpha * (v - base)) for v in hard_p)) / alpha
                      + np.log1p(sum(np.exp(beta * (v - base)) for v in hard_n)) / beta)
    return np.mean(losses)


def supcon_loop(x, labels, temperature=0.1):
    """Over the images that have a positive: minus the mean log share of the positives among all others."""
    s, losses = x.astype("float64") @ x.astype("float64").T / temperature, []
    for i in range(len(x)):
        others = [a for a in range(len(x)) if a != i]
        positives = [p for p in others if labels[p] == labels[i]]
        if positives:
            whole = np.log(sum(np.exp(s[i][a]) for a in others))
            losses.append(-np.mean([s[i][p] - whole for p in positives]))
    return np.mean(losses) if losses else 0.0


CASES = {"multi_similarity": (MultiSimilarity, multi_similarity_loop), "supcon": (SupCon, supcon_loop)}
LABELLINGS = [LABELS, np.zeros(8, "int32"), np.arange(8, dtype="int32"), np.array([7, 3, 7, 1, 3, 7, 2, 1], "int32")]


@pytest.mark.parametrize("labels", LABELLINGS)
@pytest.mark.parametrize("case", CASES)
def test_equals_a_loop(case, labels, rng):
    make, plain = CASES[case]
    x = unit(rng)
    assert loss_of(make(), x, labels) == pytest.approx(plain(x, labels), rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_gradient_equals_finite_differences(case, rng):
    make, plain = CASES[case]
    x, step = unit(rng), 1e-6
    found = gradient(make(), x)
    if "stopped" in inspect.signature(plain).parameters:  # what no gradient goes through is made of these features
        plain = partial(plain, stopped=x)
    for i, j in [(0, 0), (4, 3), (5, 1)]:  # image 5 is alone in its class
        moved = [x.astype("float64") for _ in range(2)]
        moved[0][i, j] += step
        moved[1][i, j] -= step
        up, down = (plain_float64(plain, m) for m in moved)
        assert found[i, j] == pytest.approx((up - down) / (2 * step), abs=1e-3)


@pytest.mark.parametrize("case", CASES)
def test_equal_images_give_no_nan(case):
    layer, x = CASES[case][0](), np.full((8, 4), 0.5, "float32")
    assert np.isfinite(gradient(layer, x)).all() and np.isfinite(loss_of(layer, x))


@pytest.mark.parametrize("case", CASES)
def test_order_of_the_batch_does_not_matter(case, rng):
    layer, x, order = CASES[case][0](), unit(rng), rng.permutation(8)
    assert loss_of(layer, x) == pytest.approx(loss_of(layer, x[order], LABELS[order]), rel=1e-5)


@pytest.mark.parametrize("temperature", [0.05, 0.1, 0.5])
def test_supcon_follows_its_temperature(temperature, rng):
    x = unit(rng)
    assert loss_of(SupCon(temperature), x) == pytest.approx(supcon_loop(x, LABELS, temperature), rel=1e-5)


def test_supcon_of_equal_images_is_the_log_of_all_others():
    assert loss_of(SupCon(), np.full((8, 4), 0.5, "float32")) == pytest.approx(np.log(7), rel=1e-5)


def test_supcon_of_two_views_is_nt_xent(rng):
    """SimCLR's loss: the cross-entropy of picking the other view out of the batch, views of one photo side by side."""
    x, temperature = unit(rng), 0.2
    logits = x.astype("float64") @ x.T.astype("float64") / temperature
    np.fill_diagonal(logits, -np.inf)
    other = np.arange(8) ^ 1
    log_softmax = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    expected = -log_softmax[np.arange(8), other].mean()
    assert (loss_of(SupCon(temperature), x, np.repeat(np.arange(4, dtype="int32"), 2))
            == pytest.approx(expected, rel=1e-5))


def test_supcon_lets_an_image_without_company_add_nothing(rng):
    """It still repels others, as one of those that they are not."""
    x = unit(rng)
    labels = np.array([0, 0, 1, 1, 2, 3, 4, 5], "int32")
    assert loss_of(SupCon(), x, labels) == pytest.approx(supcon_loop(x, labels), rel=1e-5)
    assert loss_of(SupCon(), x[:1], labels[:1]) == 0


SHAPE = (12, 12, 3)


def teacher(width: int = 7, shape: tuple[int, int, int] = SHAPE) -> keras.Model:
    """Pictures -> features that keep where things are."""
    images = keras.Input(shape)
    x = keras.layers.AveragePooling2D(4)(images)
    return keras.Model(images, keras.layers.Dense(width, name="seen")(keras.layers.Flatten()(x)))


def test_what_is_taught_equals_a_loop(rng):
    """In training the teacher's numbers are standardised over the batch, and the loss is a weight times 1 - cosine."""
    features, pictures = rng.normal(size=(6, 5)).astype("float32"), rng.uniform(0, 255, (6, *SHAPE)).astype("float32")
    layer = Taught(teacher(), weight=3.0)
    made = ops.convert_to_numpy(layer(features, pictures, training=True))
    kernel, bias = layer.guess.get_weights()
    seen = ops.convert_to_numpy(layer.teacher(pictures)).astype("float64")
    seen = (seen - seen.mean(0)) / np.sqrt(seen.var(0) + 1e-3)
    for row in range(6):
        guess = features[row].astype("float64") @ kernel + bias
        cosine = guess @ seen[row] / (np.linalg.norm(guess) * np.linalg.norm(seen[row]))
        assert made[row] == pytest.approx(3 * (1 - cosine), abs=1e-4)


def taught_trainer(model: keras.Model) -> tuple[keras.Model, keras.Model]:
    """A compiled trainer of a model with a teacher, and the teacher."""
    known = teacher(5, model.input_shape[0][1:])
    trained = siamese.trainer(model, siamese.make_loss("contrastive", model), augment=False, taught=Taught(known))
    trained.compile(keras.optimizers.Adam(0.01), siamese.precomputed_loss)
    trained.optimizer.build(trained.trainable_variables)
    return trained, known


def test_the_teacher_stays_and_the_tower_learns_what_it_sees(rng):
    model = small_siamese()
    shape = model.input_shape[0][1:]
    trained, known = taught_trainer(model)
    before = known.get_weights()
    batch = {"image": rng.integers(0, 256, (16, *shape), dtype="uint8"), "label": np.arange(16, dtype="int32") // 2}
    tower = model.get_layer("tower").get_weights()
    losses = [trained.train_on_batch(batch, batch["label"]) for _ in range(30)]
    assert losses[-1] < 0.7 * losses[0]
    assert all(np.array_equal(a, b) for a, b in zip(before, known.get_weights(), strict=True))
    assert any((a != b).any() for a, b in zip(tower, model.get_layer("tower").get_weights(), strict=True))
    # what is kept holds no teacher
    assert "taught" not in [layer.name for layer in model.layers]


def test_a_training_with_a_teacher_goes_on_where_it_was(rng, tmp_path):
    """What is guessed of the teacher, and how its numbers are spread, are saved with the trainer."""
    model = small_siamese()
    trained, _ = taught_trainer(model)
    batch = {"image": rng.integers(0, 256, (8, *model.input_shape[0][1:]), dtype="uint8"),
             "label": np.arange(8, dtype="int32") // 2}
    for _ in range(3):
        trained.train_on_batch(batch, batch["label"])
    trained.save_weights(tmp_path / "state.weights.h5")
    again, _ = taught_trainer(small_siamese())
    again.load_weights(tmp_path / "state.weights.h5")
    assert np.array_equal(trained.predict(batch, verbose=0), again.predict(batch, verbose=0))
    assert trained.train_on_batch(batch, batch["label"]) == again.train_on_batch(batch, batch["label"])
