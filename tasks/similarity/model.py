"""A model of similarity: chosen by the flags or by the pictures, opened, and asked for embeddings and similarities."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from nets.uses import Comparer
from tasks import DEFAULT_ROOM, ROOMS, TASKS, about, choosing, room_named
from tasks.choosing import checked, find_model
from utils.data.files import evenly, reading, walk
from utils.data.images import decoded, read_image, read_whole
from utils.data.survey import THUMBNAIL
from utils.metrics import tail
from utils.metrics.verification import strictest
from utils.run import folder as runs
from utils.saying import counted, exactly
from utils.sheets.sheet import SIDE

RULES = {"best_accuracy": "at best accuracy", "eer": "at equal error", "fpr1": "at FPR 1 %",
         "copies": "1 answer in 1000 wrong"}
PROVED = "candidates are laid on each other to prove that they are copies"
UNPROVED = "without a proof, documents and screens of one layout are called copies too: check before you delete"
UNMEASURED = "not measured: there is no thresholds.json beside the model"
RECOLOURED = "colour cast"  # of `tasks.copies.measure.KINDS`: the models without it tell colours apart
SHOWN = SIDE  # pixels a side at most of a picture that is compared with another one
BLOCK = 512  # pictures embedded at once


class Loaded(NamedTuple):
    """A model ready to compare: what it computes, the input that it takes, the threshold of "same", its file, its
    about.json, why its answers about many pictures may mean nothing, or "", and what runs it, in words."""

    compare: Comparer
    shape: tuple[int, int, int]
    threshold: float
    path: str
    known: dict | None
    doubt: str = ""
    runtime: str = ""

    @property
    def words(self) -> tuple[str, str]:
        """What two pictures are called from the threshold on, and below it."""
        return ("copy", "no copy") if self.proves else ("same", "different")

    @property
    def recoloured(self) -> bool:
        """Whether a picture in other colours is still a copy: not where the model learnt with --norecoloured_copies."""
        return RECOLOURED not in (self.known or {}).get("left_out", ())

    @property
    def proves(self) -> bool:
        """Whether the model only finds candidates, and looking at both pictures decides, see `tasks.copies.proof`."""
        task = (self.known or {}).get("task")
        return task in TASKS and ROOMS[TASKS[task].room].proves


class Picture(NamedTuple):
    """A picture that is compared with another one. Its file is decoded once, see `utils.data.images.decoded`.

    Attributes:
        image: what `embed` and others read in place of the file.
        shown: the picture in its own shape, (H, W, 3) uint8, of at most `SHOWN` pixels a side.
        thumbnail: as `utils.metrics.domain` looks at it, (48, 48, 3) uint8.
    """

    file: str
    image: Image.Image | str
    shown: np.ndarray
    thumbnail: np.ndarray


def load(options, pictures: Sequence[np.ndarray]) -> Loaded:
    """The model that the flags mean, or that suits the pictures; says which it is and what it knows.

    Args:
        pictures: thumbnails of what is asked about, or of some of it; see `tasks.choosing.find_model`.
    """
    path = find_model(options.model, room_named(options.task or DEFAULT_ROOM), pictures)
    model, rule = open_model(path, options.threshold, options.threshold_at)
    height, width, channels = model.shape
    print(f"model {model.path} by {model.runtime}, input {height} x {width} {'grey' if channels == 1 else 'RGB'}, "
          + (PROVED if model.proves and options.proof else f"{model.words[0]} from {model.threshold:.3f} on ({rule})"))
    print(about.in_words(model.known))
    return model._replace(doubt=UNPROVED) if model.proves and not options.proof else model


def load_for_many(options, pictures: np.ndarray) -> Loaded:
    """The same for many pictures, of which these are some; warns where the model learnt from others."""
    model = load(options, pictures)
    if doubt := "; ".join(filter(None, [model.doubt, about.warning(model.known, pictures)])):
        print(f"{'warning' if about.trusted(doubt) else 'no answer'}: {doubt}")
    return model._replace(doubt=doubt)


def recoloured(options, model: Loaded) -> bool:
    """Whether a picture in other colours is a copy: as --recoloured_copies says, or as the model learnt."""
    asked = getattr(options, "recoloured_copies", None)
    return model.recoloured if asked is None else asked


def verdict(model: Loaded, similarity: float) -> bool | None:
    """Whether a similarity is one of the same; None where the model's answer about these pictures means nothing."""
    return similarity >= model.threshold if about.trusted(model.doubt) else None


def open_model(path: str, threshold: float | None = None, threshold_at: str | None = None) -> tuple[Loaded, str]:
    """The model of a .keras file, and where its threshold comes from, in words; see `decision_threshold`."""
    (compare, shape, runtime), known = choosing.open_model(path, DEFAULT_ROOM), about.read(path)
    if threshold is not None and not 0 <= threshold <= 1:
        raise ValueError(f"received the threshold {threshold:g}, expected a similarity of 0 to 1")
    threshold, rule = decision_threshold(os.path.dirname(path), threshold, threshold_at)
    compare = compare._replace(embed=checked(compare.embed, path), score=checked(compare.score, path))
    model = Loaded(compare, shape, threshold, path, known, runtime=runtime)
    if rule != UNMEASURED or model.proves:
        return model, rule
    return model._replace(doubt=f"the threshold {threshold:g} was {rule}, so check its answers"), rule


def embed(model: Loaded, pictures: Sequence) -> np.ndarray:
    """Features (N, F) float32 of pictures, block by block.

    Args:
        pictures: files, or pictures in memory; see `utils.data.images.open_image`.

    Raises:
        ValueError: a picture that cannot be read, naming it; none at all.
    """
    if not len(pictures):
        raise ValueError("received no picture, expected one or more")
    blocks = (pictures[start : start + BLOCK] for start in range(0, len(pictures), BLOCK))
    return np.concatenate([model.compare.embed(np.stack([read_image(picture, model.shape) for picture in block]))
                           for block in blocks])


def similarity_of(model: Loaded, left, right) -> float:
    """How alike two pictures are, 0..1; files, or pictures in memory."""
    features = embed(model, [left, right])
    return float(model.compare.score(features[0], features[1]))


def decision_threshold(folder: str, threshold: float | None, threshold_at: str | None) -> tuple[float, str]:
    """The similarity from which on two pictures count as the same, and where it comes from, in words.

    Args:
        folder: of the model; its thresholds.json tells where `threshold` is None.
        threshold_at: one of `RULES`; None: the model's own.
    """
    if threshold is not None:
        return threshold, "as asked for"
    measured = runs.read_thresholds(folder)
    if measured is None:
        return 0.5, UNMEASURED
    rule = threshold_at or measured.get("default", "best_accuracy")
    if rule not in measured:
        known = ", ".join(sorted(set(measured) & set(RULES))) or "none of them: run evaluate.py, or pass --threshold"
        raise ValueError(f"--threshold_at={rule}: this model has {known}; expected one of {', '.join(RULES)}")
    return strictest(measured) if rule == "fpr1" else measured[rule], RULES.get(rule, rule)


def for_pairs(model: Loaded, pairs: int, options) -> Loaded:
    """The model with the threshold at which about --expected_wrong pairs of so many are wrongly called alike; says
    which.

    It stays as it is where the flags name a threshold, and with models of copies, which look at the pictures.
    """
    if options.threshold is not None or options.threshold_at or model.proves:
        return model
    threshold, rule = many_threshold(model, pairs, options.expected_wrong)
    print(f"for {counted(pairs, 'pair')}: alike from {exactly(threshold)} on ({rule})")
    return model._replace(threshold=threshold)


def many_threshold(model: Loaded, pairs: int, wrong: float) -> tuple[float, str]:
    """The similarity from which on about `wrong` of so many different pairs lie, not below that of two pictures; and
    its rule, in words."""
    known = read_different(os.path.dirname(model.path))
    if known is None:
        return model.threshold, ("as of two pictures, so expect wrong ones: how often different pairs are alike was "
                                 f"not measured; python evaluate.py --model={os.path.dirname(model.path)} "
                                 "--dataset_path=FOLDER does it, on classes with two pictures or more each")
    rate = min(max(wrong, 1e-9) / max(pairs, 1), 0.5)
    nearness = tail.nearness_at(rate, known)
    if model.compare.by_distance:
        distance = np.array([[np.exp(-nearness)]], "float32")
        threshold = float(model.compare.score(distance, np.zeros_like(distance))[0])
    else:
        threshold = float(1 / (1 + np.exp(-nearness)))
    if threshold <= model.threshold:
        return model.threshold, f"as of two pictures; fewer than {wrong:g} wrong expected"
    far = tail.beyond(rate, known)
    drawn = f", a line drawn {far:.0f} times beyond the {known['pairs']:,} pairs measured" if far > 1 else ""
    return threshold, f"about {wrong:g} wrong expected{drawn}"


def read_different(folder: str) -> dict | None:
    """What thresholds.json holds of different pairs, see `utils.metrics.tail`; None where it has nothing, ValueError
    where it is damaged."""
    what = f"under {runs.DIFFERENT}, numbers as training wrote them"
    with reading(os.path.join(folder, runs.THRESHOLDS), what, runs.mend(folder, runs.THRESHOLDS)):
        different = (runs.read_json(folder, runs.THRESHOLDS) or {}).get(runs.DIFFERENT)
        if different is not None:
            tail.nearness_at(0.5 / different["pairs"], different)
    return different


def as_alike(model: Loaded, similarity: float) -> float | None:
    """The share of different pairs, as the model's report measured them, that are at least as alike, of those below a
    half; None where that was not measured, or where looking at the pictures decides."""
    known = None if model.proves else read_different(os.path.dirname(model.path))
    return tail.rate_at(similarity, known) if known else None


def tested_on(model: Loaded) -> int:
    """On how many classes the model was measured; 0 where that is not known."""
    return ((model.known or {}).get("measured_on") or {}).get("classes", 0)


def worth(rate: float | None, classes: int = 0) -> str:
    """What a similarity is worth, in words: how many of a thousand different pairs, of so many classes, reach it; ""
    where that is not known."""
    if rate is None:
        return ""
    many = ("half or more" if rate >= 0.5 else f"about {1000 * rate:.0f} of 1,000" if rate >= 0.001
            else "fewer than 1 of 1,000")
    return f"{many} different pairs{f' of {classes} classes' if classes else ''} are as alike"


def show(file: str) -> Picture:
    """A file to compare; raises ValueError, naming the file, where it cannot be read."""
    file = os.path.expanduser(file)
    image = decoded(file)
    return Picture(file, image, read_whole(image, SHOWN), read_image(image, THUMBNAIL))


def thumbnails(files: Sequence) -> np.ndarray:
    """Thumbnails (N, 48, 48, 3) uint8 of pictures; raises ValueError, naming the file, where one cannot be read."""
    return np.stack([read_image(file, THUMBNAIL) for file in files])


def some_files(root: str, most: int = 20) -> list[str]:
    """Some pictures of a folder, to choose a model by."""
    return [os.path.join(root, path) for path in evenly(walk(root)[0], most)]


def some_of(files: Sequence[str], most: int = 20) -> np.ndarray:
    """Thumbnails of some of these pictures; those that cannot be read are skipped."""
    return about.read_thumbnails(evenly(files, most))
