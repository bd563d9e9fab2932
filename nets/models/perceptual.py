"""DeePSiM: a generator that makes pictures, and the perceptual distance by which it learnt."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from keras import layers, ops

from nets.comparator import given_by
from nets.generators import TERMS, builder
from nets.generators.parts import Sampled
from nets.inference import apply
from nets.losses import deepsim
from nets.losses.deepsim import DeepDistance
from nets.replicas import whole_batch

KIND = "perceptual"  # name of the models that are kept
STOPS, RESUMES, HOLDS = 0.1, 0.5, 10.0  # ratios r below which D stops, above which it goes on, above which G waits
MEMORY = 0.95  # of the running mean of the losses that r is made of: a batch alone stops G by chance
# columns of what the trainer gives for each picture; the first two are minimised
COLUMNS = ("generated", "judged", *TERMS, "kl", "real", "made", "ratio", "judging", "generating", "variety")


def perceptual(
    kind: str, backbone: str, distance: DeepDistance, side: int, sees: keras.Model | None = None,
) -> keras.Model:
    """The model that is kept: pictures (B, s, s, 3) in 0..255 -> "made", pictures around 0..255, and "distance" (B,).

    Its layers are "encoder" and "generator", "generated", which is both, and "distance".

    Args:
        kind: of `nets.generators.KINDS`.
        backbone: of `nets.generators.GENERATORS`.
        distance: between what is made and the picture.
        sees: of an inversion: the network whose features are inverted, see `nets.comparator.comparator`, of one layer.
    """
    build = builder(backbone)
    image = keras.Input((side, side, 3), name="image")
    if kind == "inversion":
        encoder = keras.Model(image, given_by(sees, image)[0], name="encoder")
        encoder.trainable = False
        _, generator = build.inversion(encoder.output_shape[1:], side)
    else:
        encoder, generator = (build.autoencoder if kind == "autoencoder" else build.variational)(side)
    inner = keras.Input((side, side, 3), name="image")
    code = encoder(inner)
    code = Sampled(name="sampled")(*code) if kind == "vae" else code
    generated = keras.Model(inner, generator(code), name="generated")
    made = generated(image)
    return keras.Model(image, {"made": made, "distance": distance([made, image])}, name=KIND)


class Maker(NamedTuple):
    """What a model is used for.

    Attributes:
        make: pictures (B, s, s, 3) in 0..255 -> those that the generator makes of them, (B, s, s, 3) float32 in 0..255.
        encode: pictures -> their codes (B, F).
        draw: codes of normal noise (B, F) -> pictures; None where the model is no VAE.
        distance: the layer of the perceptual distance.
        side: pixels a side of the pictures.
        code: how many numbers a code has.
        kind: of `nets.generators.KINDS`.
    """

    make: Callable[[np.ndarray], np.ndarray]
    encode: Callable[[np.ndarray], np.ndarray]
    draw: Callable[[np.ndarray], np.ndarray] | None
    distance: DeepDistance
    side: int
    code: int
    kind: str


def maker(model: keras.Model) -> Maker:
    """What a model made by `perceptual` is used for; ValueError where it lacks a layer of such a model."""
    generated, distance = model.get_layer("generated"), model.get_layer("distance")
    encoder, generator = generated.get_layer("encoder"), generated.get_layer("generator")
    drawn = any(layer.name == "sampled" for layer in generated.layers)
    shape = generator.input_shape[1:]
    kind = "vae" if drawn else "autoencoder" if encoder.trainable_variables else "inversion"

    def encode(pictures: np.ndarray) -> np.ndarray:
        """The codes, or their means, in a row."""
        codes = encoder(np.asarray(pictures, "float32"), training=False)
        return ops.convert_to_numpy(codes[0] if drawn else codes).reshape(len(pictures), -1)

    return Maker(partial(clipped, generated), encode, partial(clipped, generator) if drawn else None, distance,
                 model.input_shape[1], int(np.prod(shape)), kind)


def clipped(network: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """Pictures of a network in 0..255."""
    return np.clip(apply(network, inputs), 0, 255)


def make_discriminator(model: keras.Model, backbone: str) -> keras.Model:
    """A discriminator for what a model makes; for an inversion it sees the features too."""
    used = maker(model)
    shape = model.get_layer("generated").get_layer("generator").input_shape[1:] if used.kind == "inversion" else ()
    return builder(backbone).discriminator(used.side, shape)


class Balance(layers.Layer):
    """The training of a generator G, and of a discriminator D that judges what it makes.

    L = lf |C(G(x)) - C(y)|^2 / 2 + la (-log D(G(x))) + li |G(x) - y|^2 / 2, and for D: -log D(y) - log(1 - D(G(x))),
    Dosovitskiy & Brox 2016, equations 2 to 5. C is `DeepDistance`. Each term moves its own network only. Both step at
    once; in the article G steps against the D that has just stepped, which gives nearly the same gradient
    (docs/perceptual.md).

    D stops while the ratio r = (real + made) / adversarial lies below .1, until it lies above .5. G stops above 10,
    until D stops. The three losses are running means (ours): with batches of 16, single ones stopped G for most steps.
    A loss of a network that stops has its value and gradients that are exactly 0, at which `tasks.optimizers.Pausing`
    leaves the network as it is.

    Args:
        model: as `perceptual` makes it.
        discriminator: None: there is no adversarial term.
        weights: of the terms, by name, those of `TERMS` that count, and "kl" of a VAE.
        decay: half of this times the sum of the squared kernels of D is added to its loss.

    Call: pictures (B, s, s, 3) -> (B, len(COLUMNS)) float32.
    """

    def __init__(self, model: keras.Model, discriminator: keras.Model | None, weights: dict[str, float], decay: float):
        super().__init__(dtype="float32", name="balance")
        self.generated, self.distance = model.get_layer("generated"), model.get_layer("distance")
        self.discriminator, self.weighted, self.decay = discriminator, dict(weights), decay
        self.inverts = maker(model).kind == "inversion"
        self.steps = self.add_weight((2,), "ones", trainable=False, name="steps", aggregation="only_first_replica")
        self.recent = self.add_weight((3,), "ones", trainable=False, name="recent", aggregation="only_first_replica")

    def call(self, images, training=False):
        images = ops.cast(images, "float32")
        found = dict.fromkeys(COLUMNS, ops.zeros_like(images[:, 0, 0, 0]))
        made, code = self.made_of(images, training, found)
        found |= {"feature": self.distance.squared(made, images) / 2,
                  "pixel": deepsim.pixel_term(made, images), "absolute": deepsim.absolute_term(made, images)}
        if self.discriminator:
            found |= self.judged_of(images, made, code if self.inverts else None, training)
        own = sum(weight * found[name] for name, weight in self.weighted.items())
        found["generated"] = self.only(own, 1)
        found["variety"] = found["variety"] + variety(made, images)
        if self.discriminator:
            found["judged"] = self.only(found["real"] + found["made"] + self.decayed(), 0)
            self.balance(found, training)
        return ops.stack([found[name] for name in COLUMNS], axis=1)

    def made_of(self, images, training, found):
        """What the generator makes of pictures, and the code; of a VAE the term of the code is noted."""
        encoder, generator = self.generated.get_layer("encoder"), self.generated.get_layer("generator")
        code = encoder(images, training=training)
        if isinstance(code, list | tuple):
            found["kl"] = deepsim.kl_term(*code)
            code = self.generated.get_layer("sampled")(*code, training=training)
        return generator(code, training=training), code

    def judged_of(self, images, made, code, training) -> dict:
        """What D says, as losses (B,): of the made picture with a gradient for G alone, of both with one for D
        alone."""
        judge = self.discriminator

        def asked(pictures):
            return pictures if code is None else [pictures, ops.stop_gradient(code)]

        fixed = [ops.stop_gradient(weight.value) for weight in judge.trainable_variables]
        others = [variable.value for variable in judge.non_trainable_variables]
        fooled, _ = judge.stateless_call(fixed, others, asked(made), training=training)
        return {"adversarial": deepsim.says_real(fooled),
                "real": deepsim.says_real(judge(asked(images), training=training)),
                "made": deepsim.says_made(judge(asked(ops.stop_gradient(made)), training=training))}

    def only(self, loss, network: int):
        """A loss whose gradient is 0 while its network, 0: D, 1: G, stops."""
        goes = ops.convert_to_tensor(self.steps)[network]
        return goes * loss + (1 - goes) * ops.stop_gradient(loss)

    def decayed(self):
        """The decay of D's kernels."""
        kernels = [weight for weight in self.discriminator.trainable_variables if len(weight.shape) > 1]
        return self.decay / 2 * sum(ops.sum(ops.square(kernel)) for kernel in kernels) if self.decay else 0.0

    def balance(self, found: dict, training: bool) -> None:
        """Notes r and who steps, and says who steps at the next batch."""
        rows = whole_batch(ops.stack([found[name] for name in ("real", "made", "adversarial")], axis=1))
        recent = MEMORY * ops.convert_to_tensor(self.recent) + (1 - MEMORY) * ops.stop_gradient(ops.mean(rows, axis=0))
        real, made, adversarial = ops.unstack(recent)
        ratio = (real + made) / ops.maximum(adversarial, 1e-9)
        judging, generating = ops.unstack(ops.convert_to_tensor(self.steps))
        same = ops.ones_like(found["real"])
        found |= {"ratio": ratio * same, "judging": judging * same, "generating": generating * same}
        if training:
            self.recent.assign(recent)
            self.steps.assign(ops.stack(next_steps(ratio, judging, generating)))


def next_steps(ratio, judging, generating):
    """Who steps next, D and G, 1 or 0, by the ratio and by who stepped."""
    stops = ops.logical_and(ratio < STOPS, judging > 0)
    resumes = ops.logical_and(ratio > RESUMES, judging < 1)
    holds = ops.logical_and(ratio > HOLDS, generating > 0)
    judging = ops.where(stops, 0.0, ops.where(ops.logical_or(resumes, holds), 1.0, judging))
    generating = ops.where(holds, 0.0, ops.where(ops.logical_or(stops, resumes), 1.0, generating))
    return judging, generating


def variety(made, images):
    """How much the pictures made of a batch differ among each other, in shares of how much their originals do."""
    own, others = (ops.mean(ops.std(pictures, axis=0)) for pictures in (ops.stop_gradient(made), images))
    return own / ops.maximum(others, 1e-6)


def trainer(model: keras.Model, discriminator: keras.Model | None, weights: dict[str, float], decay: float
            ) -> keras.Model:
    """The model that is trained: image (B, s, s, 3) uint8 -> rows of `COLUMNS`; see `Balance`."""
    image = keras.Input(model.input_shape[1:], dtype="uint8", name="image")
    return keras.Model({"image": image}, Balance(model, discriminator, weights, decay)(image))


def precomputed_loss(images, rows):
    """The losses that a trainer's rows hold already: -> (B,)."""
    return rows[:, 0] + rows[:, 1]


def metrics(names) -> list[keras.metrics.Metric]:
    """The means of some of `COLUMNS`, as metrics of a trainer."""
    def metric(name: str):
        column = COLUMNS.index(name)
        return keras.metrics.MeanMetricWrapper(lambda images, rows: rows[:, column], name=name)

    return [metric(name) for name in names]

