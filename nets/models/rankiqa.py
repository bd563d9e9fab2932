"""RankIQA: a photo -> its quality. Ranked first, fine-tuned to human scores afterwards, by the same tower."""

from functools import partial

import keras
import numpy as np
from keras import layers, ops

from nets.inference import apply_again
from nets.losses.ranking import RankingHinge, order
from nets.uses import Scorer, batch_of_photos

KIND = "rankiqa"  # name of the models that are kept
ANY_SIZE = True  # the inputs of its models may have any height and width


@keras.saving.register_keras_serializable("compare")
class Scale(keras.layers.Layer):
    """The tower's number, higher for better photos, as a score with a direction and a range.

    The range is that of the photos it was fitted to; others may lie outside. All is saved with the model.

    Args:
        higher_is_better: direction of the score; with False, as of DMOS, `best` is the lower end.
        crop: side of the crops that the model was trained on, in pixels.
        fitted: whether there is a range yet; without one the score is the tower's number.

    Call: (B, 1) -> (B,), float32.
    """

    def __init__(self, crop: int, higher_is_better: bool = True, fitted: bool = True, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.crop, self.higher_is_better, self.fitted = crop, higher_is_better, fitted

    def build(self, input_shape):
        self.numbers = self.add_weight((4,), keras.initializers.Constant([0.0, 1.0, 0.0, 1.0]), trainable=False,
                                       name="scale")

    def call(self, raw):
        zero, one, worst, best = ops.unstack(ops.convert_to_tensor(self.numbers))
        return worst + (raw[:, 0] - zero) / (one - zero) * (best - worst)

    def fit(self, zero: float, one: float, worst: float, best: float) -> None:
        """Makes the tower's `zero` the score `worst` and its `one` the score `best`."""
        self.higher_is_better, self.fitted = best > worst, True
        self.set_weights([np.array([zero, one, worst, best], "float32")])

    def get_config(self):
        own = {"crop": self.crop, "higher_is_better": self.higher_is_better, "fitted": self.fitted}
        return {**super().get_config(), **own}


def rankiqa(tower: keras.Model, crop: int) -> keras.Model:
    """The model that is kept: photos (B, H, W, 3) in 0..255 -> "score" (B,)."""
    image = keras.Input(tower.input_shape[1:], name="image")
    return keras.Model(image, Scale(crop, fitted=False, name="score")(tower(image)), name=KIND)


def forget_range(model: keras.Model) -> None:
    """Makes the score the tower's own number again, higher for better photos."""
    scale = model.get_layer("score")
    scale.fit(0.0, 1.0, 0.0, 1.0)
    scale.fitted = False


def unit_range(model: keras.Model) -> None:
    """Rescales the last layer so that the tower gives 0 for the worst score of its range and 1 for the best; the scores
    stay the same."""
    scale, last = model.get_layer("score"), model.get_layer("tower").get_layer("quality")
    zero, one, worst, best = (float(number) for number in scale.get_weights()[0])
    kernel, bias = last.get_weights()
    last.set_weights([kernel / (one - zero), (bias - zero) / (one - zero)])
    scale.fit(0.0, 1.0, worst, best)


def seen(tower: keras.Model) -> keras.Model:
    """The part of a quality tower that describes a photo: up to what it saw in all its stages, or, where it gathers no
    such row, up to its last layer. Photos (N, H, W, 3) in 0..255 -> (N, F)."""
    layer = {layer.name: layer for layer in tower.layers}
    return keras.Model(tower.input, layer["seen"].output if "seen" in layer else layer["quality"].input, name="seen")


def at_half_size(part: keras.Model) -> keras.Model:
    """What `seen` gives, of photos of half the size."""
    image = keras.Input((None, None, 3), name="image")
    return keras.Model(image, part(layers.AveragePooling2D(2, padding="same", name="half")(image)), name="seen")


def regression(parts: list[keras.Model], kernel: np.ndarray, bias: float, crop: int) -> keras.Model:
    """The model, see `rankiqa`, whose quality is a linear function of what networks see, one beside the other.

    Args:
        parts: as of `seen`; they stay as they are.
        kernel: (F,), of the features of all parts in a row.
        crop: side of the crops in pixels, for photos that are too large to be looked at whole.
    """
    image = keras.Input((None, None, 3), name="image")
    for number, part in enumerate(parts, start=1):
        part.trainable, part.name = False, f"seen{number}"
    features = [part(image) for part in parts]
    x = layers.Concatenate(dtype="float32", name="seen")(features) if len(features) > 1 else features[0]
    last = layers.Dense(1, dtype="float32", name="quality")
    tower = keras.Model(image, last(x), name="tower")
    last.set_weights([kernel[:, None].astype("float32"), np.array([bias], "float32")])
    return rankiqa(tower, crop)


def mean_of(one: keras.Model, other: keras.Model) -> keras.Model:
    """The model whose quality is the mean of two models that have one range, see `unit_range`, and share no layers."""
    image = keras.Input((None, None, 3), name="image")
    towers = [keras.Model(tower.input, tower.output, name=f"tower{number}")
              for number, tower in enumerate((model.get_layer("tower") for model in (one, other)), start=1)]
    x = layers.Average(dtype="float32", name="mean")([tower(image) for tower in towers])
    # the last layer of a tower is called quality, see `unit_range`
    last = layers.Dense(1, kernel_initializer="ones", dtype="float32", name="quality")
    return rankiqa(keras.Model(image, last(x), name="tower"), side(other))


def is_made(model: keras.Model) -> bool:
    """Whether a model was made by `regression` or `mean_of`."""
    return bool({"seen1", "mean"} & {layer.name for layer in model.get_layer("tower").layers})


def ranker(model: keras.Model, loss: RankingHinge) -> keras.Model:
    """The model that is trained on ranks: image (B, h, w, 3) uint8, key (B, 3) -> rows (B, 2) of loss share and score.

    It shares its tower with `model`; compile it with `precomputed_loss` and `ranking_metrics()`.
    """
    tower = model.get_layer("tower")
    image = keras.Input((side(model), side(model), 3), dtype="uint8", name="image")
    key = keras.Input((3,), dtype="int32", name="key")
    score = layers.Reshape((), dtype="float32")(tower(layers.Rescaling(1.0)(image)))
    rows = layers.Concatenate(dtype="float32")([layers.Reshape((1,))(loss(score, key)), layers.Reshape((1,))(score)])
    return keras.Model({"image": image, "key": key}, rows)


def regressor(model: keras.Model) -> keras.Model:
    """The model that is trained on human scores: image (B, h, w, 3) uint8 -> the tower's number (B, 1)."""
    image = keras.Input((side(model), side(model), 3), dtype="uint8", name="image")
    return keras.Model({"image": image}, model.get_layer("tower")(layers.Rescaling(1.0)(image)))


def side(model: keras.Model) -> int:
    """Side of the crops that a model is trained on, in pixels."""
    return model.get_layer("score").crop


def side_of(model: keras.Model, asked: int) -> int:
    """Side of the crops to train on, in pixels: `asked` if it is not 0 and the model takes photos of any size,
    otherwise the model's own."""
    return asked if asked and model.input_shape[1] is None else side(model)


def set_side(model: keras.Model, pixels: int) -> None:
    """Notes in the model that it is trained on crops of `pixels` a side."""
    model.get_layer("score").crop = pixels


def precomputed_loss(keys, rows):
    """The loss that a ranker's rows hold already: (B, 3), (B, 2) -> (B,)."""
    return rows[:, 0]


def ranking_metrics() -> list[keras.metrics.Metric]:
    """The share of pairs in the right order, as a metric of a ranker."""
    return [keras.metrics.MeanMetricWrapper(lambda keys, rows: order(keys, rows[:, 1]), name="order")]


def scorer(model: keras.Model) -> Scorer:
    """What a model made by `rankiqa` is used for; ValueError where it lacks a layer that training uses."""
    scale, _ = model.get_layer("score"), model.get_layer("tower")
    low, high = sorted(float(number) for number in scale.get_weights()[0][2:]) if scale.fitted else (None, None)
    return Scorer(partial(score, model), model.input_shape[1] is None, side(model), scale.higher_is_better, low, high)


def score(model: keras.Model, images: np.ndarray, batch_size: int = 32) -> np.ndarray:
    """Scores (N,) of photos (N, H, W, 3) of one size, see `nets.uses.Scorer`."""
    size = batch_of_photos(images, side(model), batch_size)
    return np.concatenate([apply_again(model, images[start : start + size]) for start in range(0, len(images), size)])
