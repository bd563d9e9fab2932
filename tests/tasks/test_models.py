"""Models of strangers: whatever is wrong with a .keras file is one line that names it, and no file takes more memory
than it has bytes."""

import json
import os
import random
import zipfile

import h5py
import keras
import numpy as np
import pytest

from nets.heads import HEADS, make_head
from nets.models import rankiqa, siamese
from tasks import choosing, models
from tasks.models import load_model
from utils.run import folder as runs

from helpers import small_ranker, small_siamese, told_by


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A small Siamese model, as a run keeps it, with a layer of 7777 units."""
    path = tmp_path_factory.mktemp("sound") / "best.keras"
    layers = [keras.Input((32, 32, 1)), keras.layers.AveragePooling2D(32), keras.layers.Conv2D(1, 1),
              keras.layers.Flatten(),
              keras.layers.Dense(7777), keras.layers.Dense(4)]
    siamese.siamese(keras.Sequential(layers, name="tower"), make_head("distance")).save(path)
    return path


def changed(sound, path, config=lambda text: text, weights=lambda file: None, without=(), **options):
    """A copy of a .keras file with its description and its weights changed."""
    with zipfile.ZipFile(sound) as old, zipfile.ZipFile(path, "w", **options) as new:
        for name in set(old.namelist()) - set(without):
            content = old.read(name)
            if name == "config.json":
                content = config(content.decode()).encode()
            if name == "model.weights.h5":
                aside = path.with_suffix(".h5")
                aside.write_bytes(content)
                with h5py.File(aside, "a") as file:
                    weights(file)
                content = aside.read_bytes()
            new.writestr(name, content)
    return path


def first_array(file):
    """The name of an array in a weight file."""
    found = []
    file.visititems(lambda name, item: found.append(name) if isinstance(item, h5py.Dataset) else None)
    return found[0]


def spoil(value):
    def write(file):
        file[first_array(file)][...] = value

    return write


def link_elsewhere(file):
    name = first_array(file)
    del file[name]
    file[name] = h5py.ExternalLink("/etc/passwd", "/a")


def claim_gigabytes(file):
    file.create_dataset("layers/claimed", (2**29,), "float32", chunks=(2**20,))  # nothing of it is stored


def with_lambda(text):
    """The head is a Lambda layer."""
    content = json.loads(text)
    content["config"]["layers"][-1] = {"module": "keras.layers", "class_name": "Lambda",
                                       "config": {"function": "print"}}
    return json.dumps(content)


BROKEN = {
    "NaN": ({"weights": spoil(np.nan)}, "arrays of weights hold NaN or infinity"),
    "infinity": ({"weights": spoil(np.inf)}, "arrays of weights hold NaN or infinity"),
    "a layer of 10 GB": ({"config": lambda text: text.replace("7777", "400000000")}, "its layers take 9,6"),
    "weights of 2 GB": ({"weights": claim_gigabytes}, "its weights claim"),
    "a link to another file": ({"weights": link_elsewhere}, "refer to other files"),
    "code": ({"config": with_lambda}, "Lambda layer"),
    "no weights": ({"without": ["model.weights.h5"]}, "cannot be read"),
    "an unknown class": ({"config": lambda text: text.replace('"Conv2D"', '"Conv9D"')}, "cannot be read"),
    "another head": ({"config": lambda text: text.replace('"name": "head"', '"name": "foot"')}, "cannot be read"),
    "a cut description": ({"config": lambda text: text[:-9]}, "not a Keras model"),
    "a list": ({"config": lambda text: "[1]"}, "not a Keras model"),
    "numbers only": ({"config": lambda text: '{"config": 3}'}, "not a Keras model"),
    "a name that moves the cursor":
    ({"config": lambda text: text.replace('"name": "siamese"', '"name": "a\\u001b[2J"')}, "not a Keras model"),
    "very deep": ({"config": lambda text: '{"config":' + "[" * 200_000}, "not a Keras model"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_sound_model_is_refused_by_name(what, sound, tmp_path):
    changes, message = BROKEN[what]
    path = changed(sound, tmp_path / "last.keras", **changes)
    with pytest.raises(ValueError, match=message) as error:
        load_model(str(path), "siamese")
    assert str(error.value).startswith(f"{path}: ") and "\n" not in str(error.value) and "\x1b" not in str(error.value)


def test_archives_that_cannot_be_read_are_of_no_kind(sound, tmp_path):
    path = tmp_path / "best.keras"
    for content in (b"", b"no archive", sound.read_bytes()[:5000], sound.read_bytes()[-5000:]):
        path.write_bytes(content)
        assert runs.kind_of(str(path)) == ""
    encrypted = bytearray(sound.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the bit that says so, of each member
        start = -1
        while (start := encrypted.find(mark, start + 1)) >= 0:
            encrypted[start + offset] |= 1
    path.write_bytes(encrypted)
    assert runs.kind_of(str(path)) == ""
    with pytest.raises(ValueError, match="best.keras: not a Keras model"):
        load_model(str(path), "siamese")


def test_a_member_that_unpacks_to_gigabytes_is_refused(sound, tmp_path):
    path = tmp_path / "best.keras"
    changed(sound, path, config=lambda text: text + " " * 70_000_000, compression=zipfile.ZIP_DEFLATED)
    assert runs.kind_of(str(path)) == ""


@pytest.mark.parametrize("make", [small_siamese, small_ranker])
def test_a_sound_model_comes_back_and_draws_no_number(make, tmp_path):
    model, path = make(), str(tmp_path / "best.keras")
    model.save(path)
    random.seed(3)
    keras.saving.load_model(path, compile=False)
    expected = random.random()
    random.seed(3)
    again = load_model(path, model.name)
    assert random.random() == expected
    assert all(np.array_equal(one, two) for one, two in zip(model.get_weights(), again.get_weights(), strict=True))
    packed = changed(tmp_path / "best.keras", tmp_path / "packed.keras", compression=zipfile.ZIP_DEFLATED)
    assert load_model(str(packed), model.name).count_params() == model.count_params()


@pytest.mark.parametrize("layers, says", [
    ([keras.Input((256, 256, 1)), keras.layers.AveragePooling2D(256)],
     r"layer right of \(256, 256, 1\) takes 262,144 bytes"),
    ([keras.Input((32, 32, 1)), keras.layers.UpSampling2D(16, name="wide"), keras.layers.GlobalMaxPooling2D()],
     r"layer wide of \(512, 512, 1\) takes 1,048,576 bytes"),
    ([keras.Input((32, 32, 1)), keras.layers.Flatten(), keras.layers.RepeatVector(99, name="wide")],
     r"layer wide of \(99, 1024\) takes 405,504 bytes"),
])
def test_a_small_file_whose_pictures_would_fill_the_memory_is_refused_in_a_line(layers, says, tmp_path, monkeypatch):
    """With a harmless limit; a model below it comes back."""
    tower = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(4)], name="tower")
    siamese.siamese(tower, make_head("distance")).save(path := str(tmp_path / "stranger.keras"))
    assert load_model(path, siamese.KIND).count_params()
    monkeypatch.setattr(models, "LARGEST", 200_000)
    monkeypatch.setattr(keras.saving, "load_model", None)  # it is not built
    with pytest.raises(ValueError, match=f"for one picture the {says}.*200,000 at most") as error:
        load_model(path, siamese.KIND)
    assert str(error.value).startswith(path) and "\n" not in str(error.value) and "another --model" in str(error.value)


@pytest.mark.slow
def test_a_fresh_process_reads_a_model_of_every_head(tmp_path):
    """Of every layer, that is: nothing has imported it before the file is read."""
    heads = list({row.layer: name for name, row in HEADS.items()}.values())
    images, expected = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 1)).astype("float32"), {}
    for name in heads:
        model = small_siamese(name)
        model.save(tmp_path / f"{name}.keras")
        expected[name] = model.predict(list(images), verbose=0).tolist()
    found = told_by(f"""
import json
import numpy as np
from tasks import models
from tasks.models import load_model
images = np.random.default_rng(0).integers(0, 256, (2, 3, 32, 32, 1)).astype("float32")
models = {{name: load_model(f"{tmp_path}/{{name}}.keras", "siamese") for name in {heads}}}
print(json.dumps({{name: model.predict(list(images), verbose=0).tolist() for name, model in models.items()}}))
""")
    assert all(found[name] == pytest.approx(expected[name], abs=1e-5) for name in heads)


def huge(model, path):
    """A model of finite weights that are too large to count with, saved."""
    signs = np.random.default_rng(1)
    model.set_weights([1e20 * signs.choice([-1, 1], array.shape) for array in model.get_weights()])
    model.save(path)
    return str(path)


def test_finite_weights_that_are_too_large_to_count_with_give_no_answer(tmp_path, rng):
    """No similarity, no score and no feature is NaN: one line says which file is at fault."""
    import compare

    pictures = [rng.integers(0, 256, (40, 50, 3), dtype="uint8") for _ in range(2)]
    siamese_path = huge(small_siamese(), tmp_path / "a.keras")
    asked = compare.load(siamese_path)
    for ask in (lambda: asked.similarity(*pictures), lambda: asked.embed(pictures), lambda: asked.embed(pictures * 60)):
        with pytest.raises(ValueError, match=r"a.keras: the model gives NaN or infinity, expected numbers"):
            ask()
    scorer = compare.load(huge(small_ranker(), tmp_path / "b.keras"))
    with pytest.raises(ValueError, match=r"b.keras: the model gives NaN or infinity, expected numbers"):
        scorer.quality(pictures)


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_what_a_model_gives_is_checked(number):
    values = np.array([[1.0, number]])
    with pytest.raises(ValueError, match="f.keras: the model gives NaN or infinity"):
        choosing.checked(lambda: values, "f.keras")()
    assert choosing.checked(lambda *, value: value, "f.keras")(value=np.ones(3)).sum() == 3


@pytest.mark.parametrize("steps, taken", [(2, True), (1, False)])
def test_wide_layers_of_a_network_for_any_size_are_counted_at_the_size_that_they_have(steps, taken, tmp_path):
    """8192 channels are many at the size of a photo, and usual at a thirty-second of it, also in a model in it."""
    inner = x = keras.Input((None, None, 3))
    for _ in range(5):
        x = keras.layers.DepthwiseConv2D(3, steps, padding="same")(x)
    wide = keras.Model(inner, keras.layers.Conv2D(8192, 1)(x))
    photo = keras.Input((None, None, 3))
    x = keras.layers.GlobalAveragePooling2D()(wide(keras.layers.AveragePooling2D(2, padding="same")(photo)))
    tower = keras.Model(photo, keras.layers.Dense(1, name="quality")(x), name="tower")
    path = str(tmp_path / "model.keras")
    rankiqa.rankiqa(tower, 64).save(path)
    if taken:
        assert models.load_model(path, rankiqa.KIND).count_params() > 30_000
    else:
        with pytest.raises(ValueError, match="for one picture the layer .*8192.* at most are taken"):
            models.load_model(path, rankiqa.KIND)


def test_the_flag_that_named_a_model_of_another_kind_is_named_with_a_value_that_works(script):
    given = os.path.join(runs.READY, "omniglot_compact")
    said = script("train.py", "--task=rank", f"--weights={given}", expect=2)
    assert "a siamese model, expected a rankiqa model of this project: leave --weights out, or pass --weights=" in said
    assert said.rstrip().endswith(os.path.join("model_data", "rank_live")) and "--model" not in said
    with pytest.raises(ValueError, match="leave --model out, or pass --model=quality$"):
        load_model(os.path.join(given, runs.BEST), "rankiqa")
