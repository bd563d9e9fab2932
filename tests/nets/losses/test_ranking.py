"""The ranking hinge against a double loop, and its gradient against the article's count."""

import keras
import numpy as np
import pytest
from keras import ops

from nets.losses.ranking import RankingHinge, better, order

KEYS = np.array([(photo, kind, level) for photo in (0, 1)
                 for kind, level in [(-1, 0), (0, 1), (0, 2), (0, 3), (1, 1), (1, 2)]], "int32")


def loop(scores, keys, margin, across):
    """The loss by its definition: sum over ordered pairs by the number of images."""
    total = 0.0
    for (p, k, m), s in zip(keys, scores):
        for (q, h, n), t in zip(keys, scores):
            comparable = (k == h or m == 0) and (across or p == q)
            if comparable and n > m:
                total += max(0.0, margin - (s - t))
    return total / len(keys)


def loss_of(scores, keys, **kwargs):
    layer = RankingHinge(**kwargs)
    return ops.mean(layer(ops.convert_to_tensor(np.asarray(scores, "float32")), ops.convert_to_tensor(keys)))


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("margin", [0.5, 10.0])
def test_equals_a_double_loop(margin, across, rng):
    scores = rng.normal(size=len(KEYS))
    expected = loop(scores, KEYS, margin, across)
    assert float(loss_of(scores, KEYS, margin=margin, across_photos=across)) == pytest.approx(expected, rel=1e-5)


def test_live_batch_of_the_article_has_240_pairs():
    shown = [(-1, 0), *((kind, level) for kind in range(4) for level in range(1, 6))]
    keys = np.array([(photo, *one) for photo in range(2) for one in shown])
    once = ops.convert_to_numpy(better(ops.convert_to_tensor(keys.astype("int32"))))
    # the article sends the pristine photo once for each distortion: 48 images; here it passes once: 42
    assert len(keys) == 42 and once.sum() == 2 * 4 * 15
    assert ops.convert_to_numpy(better(ops.convert_to_tensor(keys.astype("int32")), across_photos=True)).sum() == 240


def test_order_of_the_batch_does_not_matter(rng):
    scores, shuffle = rng.normal(size=len(KEYS)), rng.permutation(len(KEYS))
    for across in (False, True):
        args = {"margin": 1.0, "across_photos": across}
        assert (float(loss_of(scores, KEYS, **args))
                == pytest.approx(float(loss_of(scores[shuffle], KEYS[shuffle], **args)), rel=1e-5))


def test_gradient_is_the_count_of_the_article(rng):
    """By finite differences, away from the hinges' corners, and by the article's formula."""
    scores, margin, step = rng.normal(size=len(KEYS)), 1.0, 1e-5
    mask = ops.convert_to_numpy(better(ops.convert_to_tensor(KEYS)))
    active = mask * (margin - (scores[:, None] - scores[None, :]) > 0)
    formula = (active.sum(axis=0) - active.sum(axis=1)) / len(KEYS)
    for i in range(len(KEYS)):
        up, down = scores.copy(), scores.copy()
        up[i], down[i] = up[i] + step, down[i] - step
        slope = (loop(up, KEYS, margin, False) - loop(down, KEYS, margin, False)) / (2 * step)
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
    assert (float(loss_of(np.zeros(len(KEYS)), KEYS, margin=1.0))
            == pytest.approx(loop(np.zeros(len(KEYS)), KEYS, 1, False)))
    assert float(order(ops.convert_to_tensor(KEYS), ops.zeros(len(KEYS)))) == 0.5


def test_perfect_and_reversed_order():
    for sign, share in ((-1.0, 1.0), (1.0, 0.0)):
        scores = ops.convert_to_tensor(sign * KEYS[:, 2].astype("float32"))
        assert float(order(ops.convert_to_tensor(KEYS), scores)) == share
