"""The models of super-resolution: saved and read, exported, any size, and the mean of eight positions."""

import keras
import numpy as np
import pytest

from apps.exporting import checking, formats, parts
from nets import towers
from nets.inference import in_float32, precision_of
from nets.models import superres
from tasks.models import load_model, store_in_half


@pytest.fixture
def model(rng):
    """A small network with weights that do something."""
    made = superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=8), 2)
    made.set_weights([rng.normal(0, 0.1, weight.shape) for weight in made.get_weights()])
    return made


def test_a_model_is_read_with_its_scale_and_reach_and_answers_the_same(model, rng, tmp_path):
    model.save(tmp_path / "best.keras")
    read = superres.enlarger(load_model(str(tmp_path / "best.keras"), superres.KIND))
    photo = rng.uniform(0, 255, (2, 9, 4, 3))
    assert (read.scale, read.reach) == (2, 4)
    np.testing.assert_array_equal(read.enlarge(photo), superres.enlarger(model).enlarge(photo))


def test_a_model_in_half_precision_is_half_as_large_and_answers_nearly_the_same(model, rng, tmp_path):
    path, photo = str(tmp_path / "best.keras"), rng.uniform(0, 255, (1, 9, 8, 3))
    model.save(path)
    before, size = superres.enlarger(model).enlarge(photo), (tmp_path / "best.keras").stat().st_size
    store_in_half(path)
    after = load_model(path, superres.KIND)
    assert (tmp_path / "best.keras").stat().st_size < 0.75 * size
    assert {weight.dtype for weight in after.weights} == {"float32"}
    assert 0 < np.abs(superres.enlarger(after).enlarge(photo) - before).max() < 0.5
    model.set_weights([np.full(weight.shape, 1e6) for weight in model.get_weights()])
    model.save(path)
    with pytest.raises(ValueError, match="too large for half precision: pass --nohalf"):
        store_in_half(path)


def test_a_network_of_mixed_precision_is_bicubic_to_a_thousandth_and_goes_on_in_float32(rng):
    """Levels up to 255 have no third decimal in bfloat16, so only the convolutions may compute in it."""
    before, photo = keras.config.dtype_policy(), rng.uniform(0, 255, (1, 9, 8, 3)).round()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        mixed = superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=8), 2)
    finally:
        keras.config.set_dtype_policy(before)
    bicubic = superres.superres(towers.larger_row("msffrn_compact", blocks=1, width=8), 2)  # untrained
    np.testing.assert_allclose(mixed(photo), bicubic(photo), atol=1e-3)
    plain = in_float32(mixed)
    assert (precision_of(mixed), precision_of(plain)) == ("mixed_bfloat16", "float32")


def test_another_model_is_refused(tmp_path):
    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.Conv2D(3, 3)(image), name=superres.KIND).save(tmp_path / "best.keras")
    with pytest.raises(ValueError, match="cannot be read .*larger"):
        load_model(str(tmp_path / "best.keras"), superres.KIND)


def test_eight_positions_commute_with_turns_and_mirrors(model, rng):
    """The mean of eight positions does not depend on how the photo lies; the network alone does."""
    enlarge, photo = superres.enlarger(model).enlarge, rng.uniform(0, 255, (1, 6, 9, 3))
    eight = superres.in_eight_positions(enlarge)
    for change in (lambda x: np.rot90(x, 1, (1, 2)), lambda x: x[:, ::-1],
                   lambda x: np.rot90(x, 3, (1, 2))[:, :, ::-1]):
        np.testing.assert_allclose(eight(change(photo)), change(eight(photo)), atol=1e-3)
    assert np.abs(enlarge(photo[:, ::-1]) - enlarge(photo)[:, ::-1]).max() > 1


@pytest.mark.parametrize("name", formats.FORMATS)
def test_exported_with_any_height_and_width(name, model, tmp_path):
    if absent := formats.missing(name):
        pytest.skip(f"{absent} not installed")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("files are written through TensorFlow")
    part, path = parts.part(model, "larger"), str(tmp_path / f"larger{formats.FORMATS[name].ending}")
    formats.write(part, name, path)
    run, sizes = formats.opened(name, path), [(1, 5, 9), (2, 24, 16), (1, 3, 2)]
    tried = [{"image": np.random.default_rng(0).uniform(0, 255, (*size, 3)).astype("float32")} for size in sizes]
    assert checking.difference(part, run, tried) <= 1e-5
