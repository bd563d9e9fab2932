"""Generators and their training: each term moves its own network, who stops stands still, and what is kept is read."""

import keras
import numpy as np
import pytest

from apps.exporting import checking, formats, parts
from nets import comparator as comparing, generators
from nets.generators import compact, deepsim as article
from nets.losses.deepsim import DeepDistance
from nets.models import perceptual
from tasks.models import load_model
from tasks.optimizers import ForEach, Pausing, pausing

SIDE = 16


def small_distance():
    images = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Conv2D(4, 3, 2, padding="same", activation="relu", name="maps")(images)
    tower = keras.Model(images, keras.layers.Conv2D(6, 3, 2, padding="same", name="deeper")(x))
    return DeepDistance(comparing.comparator(tower, ["maps"]), name="distance"), tower


def model_of(kind):
    distance, tower = small_distance()
    return perceptual.perceptual(kind, "deepsim_compact", distance, SIDE, comparing.comparator(tower, ["deeper"]))


def small_judge(shape=()):
    image, seen = keras.Input((SIDE, SIDE, 3)), keras.Input(shape) if shape else None
    x = keras.layers.Conv2D(4, 5, 3)(keras.layers.Rescaling(1 / 255)(image))
    from nets.generators.parts import judge

    return keras.Model([image, seen] if shape else image, judge(x, seen, 6, (5,)), name="discriminator")


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (8, SIDE, SIDE, 3), dtype="uint8")


def trained(model, judge, images, weights, steps=1, decay=0.0, state=None):
    """Some steps of training; returns the means of the columns."""
    made = perceptual.trainer(model, judge, weights, decay)
    if state:
        made.get_layer("balance").steps.assign(np.array(state, "float32"))
    networks = [network for network in (model, judge) if network]
    made.compile(ForEach({network: pausing(keras.optimizers.Adam(1e-3)) for network in networks}),
                 perceptual.precomputed_loss, metrics=perceptual.metrics(perceptual.COLUMNS[2:]),
                 run_eagerly=keras.backend.backend() == "tensorflow")
    batch = {"image": np.concatenate([images] * steps)}
    told = made.fit(batch, batch["image"], batch_size=len(images), shuffle=False, verbose=0).history
    return {name: values[0] for name, values in told.items()}, made


def moved(network, before):
    return [not np.array_equal(one, two) for one, two in zip(before, network.get_weights())]


@pytest.mark.parametrize("state, who", [((1, 1), "both"), ((0, 1), "generator"), ((1, 0), "discriminator")])
def test_each_term_moves_its_own_network_and_who_stops_stands_still(state, who, images):
    model, judge = model_of("autoencoder"), small_judge()
    generated = model.get_layer("generated")
    before, judged = generated.get_weights(), judge.get_weights()
    distance = [weight.copy() for weight in model.get_layer("distance").get_weights()]
    trained(model, judge, images, {"feature": 1.0, "adversarial": 1.0, "pixel": 1e-6}, decay=1e-3, state=state)
    assert any(moved(generated, before)) == (who != "discriminator")
    assert any(moved(judge, judged)) == (who != "generator")
    assert not any(moved(model.get_layer("distance"), distance))


def test_the_generator_does_not_feel_the_loss_of_the_discriminator(images):
    """With its own weights at 0, nothing moves the generator, though the discriminator learns."""
    model, judge = model_of("autoencoder"), small_judge()
    before, judged = model.get_weights(), judge.get_weights()
    trained(model, judge, images, {"feature": 0.0, "adversarial": 0.0}, steps=2, decay=1e-3)
    assert not any(moved(model, before)) and any(moved(judge, judged))


def test_a_stopped_network_keeps_its_momentum_where_adam_would_move_on():
    variable, other = keras.Variable(np.ones(3, "float32")), keras.Variable(np.ones(3, "float32"))
    for optimizer, each in ((Pausing(0.1), variable), (keras.optimizers.Adam(0.1), other)):
        optimizer.build([each])
        optimizer.apply([keras.ops.ones(3)])
        once = np.asarray(each)
        optimizer.apply([keras.ops.zeros(3)])
        assert np.array_equal(once, np.asarray(each)) == isinstance(optimizer, Pausing)
    np.testing.assert_allclose(once, 0.9, rtol=1e-5)


def test_pausing_takes_rate_and_schedule_and_no_decay():
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    made = pausing(keras.optimizers.Adam(schedule, weight_decay=1e-3))
    assert isinstance(made, Pausing) and made.weight_decay is None and float(made.learning_rate) == pytest.approx(0.1)


@pytest.mark.parametrize("ratio, before, after", [
    (0.05, (1, 1), (0, 1)), (0.3, (0, 1), (0, 1)), (0.3, (1, 1), (1, 1)), (0.6, (0, 1), (1, 1)), (11, (1, 1), (1, 0)),
    (3, (1, 0), (1, 0)), (0.05, (1, 0), (0, 1)), (11, (0, 1), (1, 0)),
])
def test_who_steps_next_is_as_the_article_balances(ratio, before, after):
    """D stops below .1 and goes on above .5; G stops above 10 until D stops."""
    found = perceptual.next_steps(*(keras.ops.convert_to_tensor(float(value)) for value in (ratio, *before)))
    assert tuple(int(np.asarray(each)) for each in found) == after


def test_one_odd_batch_stops_nobody(images):
    """r is made of running means: a batch that fools D wholly would stop G for many steps otherwise."""
    model, judge = model_of("autoencoder"), small_judge()
    logits = judge.get_layer("logits")
    made = perceptual.trainer(model, judge, {"adversarial": 1.0}, 0.0)
    told, kept = [], np.ones(3)
    for bias in (0.0, 30.0, 0.0):
        logits.set_weights([logits.get_weights()[0], np.array([0.0, bias], "float32")])  # 30: all look real
        rows = np.asarray(made({"image": images}, training=True)).mean(axis=0)
        found = dict(zip(perceptual.COLUMNS, rows))
        kept = 0.95 * kept + 0.05 * np.array([found[name] for name in ("real", "made", "adversarial")])
        told.append((found["real"] + found["made"]) / max(found["adversarial"], 1e-9))
        np.testing.assert_allclose(found["ratio"], (kept[0] + kept[1]) / kept[2], rtol=1e-3)
        assert found["judging"] == found["generating"] == 1
    assert max(told) > perceptual.HOLDS


def test_the_rows_hold_the_terms_and_their_weighted_sum(images):
    model, judge = model_of("vae"), small_judge()
    weights = {"feature": 2.0, "adversarial": 3.0, "pixel": 1e-6, "kl": 0.5}
    made = perceptual.trainer(model, judge, weights, 1e-2)
    rows = np.asarray(made({"image": images}, training=False))
    found = dict(zip(perceptual.COLUMNS, rows.T))
    own = sum(weight * found[name] for name, weight in weights.items())
    np.testing.assert_allclose(found["generated"], own, rtol=1e-4)
    kernels = [weight for weight in judge.get_weights() if weight.ndim > 1]
    decay = 1e-2 / 2 * sum((kernel.astype("float64") ** 2).sum() for kernel in kernels)
    np.testing.assert_allclose(found["judged"], found["real"] + found["made"] + decay, rtol=1e-4)
    real, fake, fooled = (0.95 + 0.05 * found[name].mean() for name in ("real", "made", "adversarial"))
    np.testing.assert_allclose(found["ratio"], (real + fake) / fooled, rtol=1e-4)
    pictures = model(images.astype("float32"))
    error = ((np.asarray(pictures["made"]) - images) ** 2).reshape(8, -1).sum(1) / 2
    np.testing.assert_allclose(found["pixel"], error, rtol=1e-3)
    np.testing.assert_allclose(found["feature"], np.asarray(pictures["distance"]) ** 2 / 2, rtol=1e-3)


@pytest.mark.parametrize("kind", generators.KINDS)
def test_a_model_of_each_kind_learns_and_is_read_with_all_it_needs(kind, images, tmp_path):
    model = model_of(kind)
    code = model.get_layer("generated").get_layer("generator").input_shape[1:]
    judge = small_judge(code if kind == "inversion" else ())
    weights = {"feature": 1.0, "adversarial": 1.0, "pixel": 1e-5} | ({"kl": 0.1} if kind == "vae" else {})
    told, _ = trained(model, judge, images, weights, steps=2)
    assert np.isfinite(list(told.values())).all() and (told["kl"] > 0) == (kind == "vae")
    model.save(tmp_path / "best.keras")
    judge.save(tmp_path / "best.discriminator.keras")
    read = perceptual.maker(load_model(str(tmp_path / "best.keras"), perceptual.KIND))
    assert read.kind == kind and read.side == SIDE and (read.draw is None) == (kind != "vae")
    np.testing.assert_array_equal(read.make(images), perceptual.maker(model).make(images))
    assert read.encode(images).shape == (8, read.code)
    other = load_model(str(tmp_path / "best.discriminator.keras"), "discriminator")
    assert other.count_params() == judge.count_params()


def test_without_the_adversarial_term_there_is_no_discriminator(images):
    model = model_of("autoencoder")
    told, made = trained(model, None, images, {"pixel": 1e-5})
    assert told["ratio"] == told["real"] == 0 and len(made.trainable_variables) == len(model.trainable_variables)


def test_the_article_s_generators_have_its_parameters():
    assert article.from_features((4096,), 256).count_params() == 56_097_891  # FC6: 56.1 M
    assert article.from_maps((6, 6, 256), 256).count_params() == 12_702_307  # CONV5: 12.7 M
    encoder, generator = article.autoencoder(64)
    assert encoder.output_shape[1:] == (8, 8, 8) and generator.output_shape[1:] == (64, 64, 3)


def test_the_discriminators_see_what_the_article_s_does():
    judge = article.discriminator(227, (6, 6, 256))
    assert [judge.get_layer(f"conv{number}").output.shape[1] for number in range(1, 6)] == [56, 52, 25, 23, 11]
    assert article.discriminator(64).get_layer("conv1").strides == (2, 2)
    assert judge.get_layer("seen1").units == 1024 and judge.get_layer("joined").output.shape[1] == 256 + 512
    assert compact.discriminator(64).count_params() == 90_370


def test_sides_that_a_generator_cannot_make_are_refused():
    for build, side in ((article.from_features, 96), (compact.from_features, 100)):
        with pytest.raises(ValueError, match=f"--input_shape={side},{side},3"):
            build((8,), side)
    with pytest.raises(ValueError, match="--backbone=vgg16 makes no pictures"):
        generators.builder("vgg16")


@pytest.mark.parametrize("name", ["distance", "made"])
def test_both_parts_are_exported_and_compute_what_keras_does(name, tmp_path):
    pytest.importorskip("onnx")
    pytest.importorskip("tf2onnx")
    pytest.importorskip("onnxruntime")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("files are written through TensorFlow")
    part, path = parts.part(model_of("autoencoder"), name), str(tmp_path / "part.onnx")
    formats.write(part, "onnx", path)
    assert list(part.input) == (["left", "right"] if name == "distance" else ["image"])
    assert checking.difference(part, formats.opened("onnx", path), checking.batches(part)) <= checking.LIMIT
