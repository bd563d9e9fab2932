"""Measures heads against each other, for the tables of docs/attention.md; one line of JSON for each run in a file, and
runs in it, with the same flags, are not repeated:

    python -m docs.attention --set=omniglot --data=datasets --out=omniglot.jsonl
    python -m docs.attention --set=photos --data=datasets/cifar10 --out=photos.jsonl
    python -m docs.attention --set=clutter --data=datasets --out=clutter.jsonl
    python -m docs.attention --set=cost --out=cost.jsonl
    python -m docs.attention --set=search --data=datasets --keep=models --heads=attention_after
    python -m docs.attention --set=omniglot --table=omniglot.jsonl

Each run trains a tower and a head with cross-entropy over all pairs of the batches, the same ones for every head, and
measures the last epoch on classes that training did not see. --set=clutter pastes Omniglot's drawings at random places
on pieces of others.
"""

import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

import numpy as np
from absl import app, flags

from docs.attention_table import table

SIMPLE = ["pixels", "fisherfaces"]  # methods to beat, in place of a network
HEADS = ["distance", "difference", "add", "concat", "product", "attention_before", "attention_after", "attention_pool",
         "cross_attention"]
PAIRS, TRIALS, WAYS = 10_000, 20, 20
# runs that differ in these are others
SETTINGS = ["set", "side", "tower", "epochs", "steps", "batch_size", "test_classes", "pieces"]
FLAGS = flags.FLAGS
flags.DEFINE_enum("set", "omniglot", ["omniglot", "photos", "clutter", "cost", "search"],
                  "What to learn from; or what a step costs; or what a search finds with a model in --keep")
flags.DEFINE_string("data", "datasets",
                    "Folder of images_background and images_evaluation; for photos that of the classes")
flags.DEFINE_string("runs", "", "Omniglot's all_runs.zip; without it one-shot trials are drawn, as for the other sets")
flags.DEFINE_string("out", "attention.jsonl", "File that a line is added to for each run")
flags.DEFINE_string("keep", "", "Folder for the trained models, as <head>-<seed>.keras; empty: they are not kept")
flags.DEFINE_string("table", "", "Only print the table of the runs in this file that had the same flags")
flags.DEFINE_list("heads", HEADS, "Heads to measure; trainings measure the simple methods too")
flags.DEFINE_list("seeds", ["0", "1", "2"], "Seeds, each with all heads before the next")
flags.DEFINE_integer("epochs", 8, "Epochs", 1)
flags.DEFINE_integer("steps", 0, "Batches in an epoch; 0: as train.py")
flags.DEFINE_integer("batch_size", 96, "Images in a batch")
flags.DEFINE_integer("test_classes", 0, "Measure on so many of the classes held out; 0: on all", 0)
flags.DEFINE_integer("pieces", 10, "With --set=clutter: pieces of other drawings on a page", 0)
flags.DEFINE_list("sizes", ["24", "48", "96"], "With --set=cost: images in a batch, multiples of 4")
flags.DEFINE_enum("tower", "compact", ["compact", "photos"], "With --set=cost: the tower")
flags.DEFINE_integer("side", 0, "Pixels a side; 0: 48, for photos 80")


class Set(NamedTuple):
    """Images (N, H, W, C) uint8, labels (N,), group of each class, rows to train on and to test on; how batches are
    drawn and changed."""

    images: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    train: np.ndarray
    test: np.ndarray
    backbone: str
    batches: dict


def main(argv: list[str]) -> None:
    """Runs what is not in the file yet, then prints the table."""
    if FLAGS.set == "search":
        return search()
    if not FLAGS.table:
        done = {(line["head"], line["seed"], line.get("batch")) for line in lines(FLAGS.out)}
        (costs if FLAGS.set == "cost" else trainings)(done)
    print(table(lines(FLAGS.table or FLAGS.out)))


def lines(path: str) -> list[dict]:
    """The runs in a file that had these settings; none where it is not there."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [run for run in map(json.loads, file) if run.get("settings") == settings()]


def settings() -> dict:
    """The values of the flags that make a run another one."""
    return {name: FLAGS[name].value for name in SETTINGS}


def note(run: dict) -> None:
    """Adds a run to the file."""
    with open(FLAGS.out, "a", encoding="utf-8") as file:
        file.write(json.dumps(run | {"settings": settings()}) + "\n")
    print(run, flush=True)


def trainings(done: set) -> None:
    """The simple methods and every head with every seed; the set is split by the seed."""
    for seed in map(int, FLAGS.seeds):
        left = [head for head in SIMPLE + FLAGS.heads if (head, seed, None) not in done]
        made = left and read(seed)
        for head in left:
            note({"head": head, "seed": seed} | measured(made, head, seed))


def read(seed: int) -> Set:
    """The images and their split."""
    from utils.batches.augment import AUGMENTATIONS
    from utils.data.classes import read_pictures, read_samples
    from utils.data.splits import split_by_class

    photos = FLAGS.set == "photos"
    side = FLAGS.side or (80 if photos else 48)
    shape = (side, side, 3) if photos else (side // 2, side // 2, 1) if FLAGS.set == "clutter" else (side, side, 1)
    samples, images = read_pictures(read_samples(os.path.expanduser(FLAGS.data), photos), shape, 8.0, True)
    split = split_by_class(samples, 0, 0.3, seed)
    print(split.how)
    classes = np.unique(samples.labels[split.test])
    chosen = np.random.default_rng(0).permutation(classes)[: FLAGS.test_classes or len(classes)]
    test = split.test[np.isin(samples.labels[split.test], chosen)]
    if FLAGS.set == "clutter":
        images = on_clutter(images, side, np.random.default_rng(seed))
    how = {"images_per_class": 3, "groups_per_batch": 2, "poses": 4, "changes": AUGMENTATIONS["characters"]}
    if FLAGS.set != "omniglot":
        how = {"images_per_class": 4, "groups_per_batch": 0, "poses": 1,
               "changes": AUGMENTATIONS["photos" if photos else "none"]}
    return Set(images, samples.labels, samples.groups, split.train, test, "photos" if photos else "compact", how)


def on_clutter(drawings: np.ndarray, side: int, rng: np.random.Generator) -> np.ndarray:
    """Each drawing (s, s, 1) at a random place of a page (side, side, 1), over pieces of other drawings, a quarter as
    large each."""
    small = drawings.shape[1]
    pages = np.full((len(drawings), side, side, 1), 255, "uint8")
    for page, drawing in zip(pages, drawings, strict=True):
        for piece in drawings[rng.integers(len(drawings), size=FLAGS.pieces)]:
            paste(page, piece[: small // 2, small // 2 :], rng)
        paste(page, drawing, rng)
    return pages


def paste(page: np.ndarray, piece: np.ndarray, rng: np.random.Generator) -> None:
    """Draws dark ink of a piece at a random place of the page."""
    top, left = rng.integers(page.shape[0] - len(piece) + 1, size=2)
    window = page[top : top + len(piece), left : left + len(piece)]
    np.minimum(window, piece, out=window)


def measured(made: Set, head: str, seed: int) -> dict:
    """Trains one head, and measures it on the classes held out."""
    from nets.models import siamese
    from utils.batches.classes import ClassBatches
    from utils.run import fitting

    if head in SIMPLE:
        return figures(made, simple(made, head), lambda left, right: np.sum(left * right, axis=-1))
    batches = ClassBatches(made.images, made.labels, made.groups, made.train, FLAGS.batch_size, steps=FLAGS.steps,
                           seed=seed, **made.batches)
    model, trainer = build(head, made.backbone, made.images.shape[1:], len(batches), seed)
    seconds = [time.perf_counter()]
    for epoch in range(FLAGS.epochs):
        batches.epoch = epoch
        losses = trainer.fit(fitting.feed(batches), verbose=0, shuffle=False, initial_epoch=epoch,
                             epochs=epoch + 1).history["loss"]
        seconds.append(time.perf_counter())
    if FLAGS.keep:
        os.makedirs(FLAGS.keep, exist_ok=True)
        model.save(os.path.join(FLAGS.keep, f"{head}-{seed}.keras"))
    compare = siamese.comparer(model)
    return figures(made, compare.embed, compare.score) | {
        "loss": losses[-1], "head_parameters": model.get_layer("head").count_params(),
        "parameters": model.count_params(),
        "images_per_s": float(len(batches) * batches.batch_size / min(np.diff(seconds))),
        "steps": len(batches) * FLAGS.epochs,
        "batch_size": batches.batch_size,
    }


def figures(made: Set, embed, score) -> dict:
    """Verification and one-shot on the classes held out.

    Args:
        embed: images (N, H, W, C) -> features (N, F).
        score: (..., F), (..., F) -> (...), higher where more alike.
    """
    from utils.metrics import one_shot, verification

    pairs = verification.draw_pairs(made.labels[made.test], PAIRS, 0)
    features = embed(made.images[made.test])
    begun = time.perf_counter()
    measured = verification.verify(verification.score_pairs(score, features, pairs), pairs.same)
    scoring = time.perf_counter() - begun
    runs = one_shot.read_runs(FLAGS.runs, made.images.shape[1:]) if FLAGS.runs else trials(made)
    counts = [len(side) for run in runs for side in (run.queries, run.supports)]
    sides = iter(np.split(embed(np.concatenate([side for run in runs for side in (run.queries, run.supports)])),
                          np.cumsum(counts)[:-1]))
    runs = [run._replace(queries=next(sides), supports=next(sides)) for run in runs]  # as features
    return {
        "accuracy": measured["accuracy"], "roc_auc": float(measured["roc_auc"]), "pairs_per_s": PAIRS / scoring,
        "one_shot": one_shot.one_shot_accuracy(runs, lambda queries, supports: score(queries[:, None], supports[None])),
    }


def simple(made: Set, name: str):
    """The features of a simple method: images (N, H, W, C) -> (N, F) of unit length."""
    from utils.metrics import baselines

    if name == "pixels":
        return baselines.grey_pixels
    rows = np.random.default_rng(0).permutation(made.train)[: baselines.MOST]
    learnt = baselines.grey_pixels(made.images[rows])
    return lambda images: baselines.fisherfaces(learnt, made.labels[rows], baselines.grey_pixels(images))


def build(head: str, backbone: str, shape: tuple[int, int, int], steps: int, seed: int = 0):
    """The model and its compiled trainer, as train.py makes them, for so many steps an epoch."""
    import keras

    from nets import towers
    from nets.heads import HEADS as ROWS, make_head
    from nets.models import siamese
    from tasks import optimizers
    from tasks.similarity.task import start_from_ready

    keras.utils.set_random_seed(seed)
    tower = towers.make_tower(backbone, shape, head == "distance", maps=ROWS[head].locations)
    model = siamese.siamese(tower, make_head(head, tower))
    if backbone == "photos":
        start_from_ready(tower, "photos")
        siamese.freeze_normalization(model, True)
    rate = 5e-4 if backbone == "photos" else optimizers.default_rate("adamw", model)
    trainer = siamese.trainer(model, siamese.make_loss("cross_entropy", model))
    made = optimizers.make_optimizer("adamw", rate, "cosine", 1e-4, FLAGS.epochs * steps, steps)
    trainer.compile(made, siamese.precomputed_loss)
    return model, trainer


def trials(made: Set) -> list:
    """One-shot trials of up to `WAYS` classes, drawn from the images held out."""
    from utils.metrics.one_shot import Run

    rng, runs = np.random.default_rng(0), []
    members = [made.test[made.labels[made.test] == label] for label in np.unique(made.labels[made.test])]
    for _ in range(TRIALS * WAYS // min(WAYS, len(members))):
        chosen = rng.permutation(len(members))[:WAYS]
        both = np.array([rng.choice(members[index], 2, replace=False) for index in chosen])
        runs.append(Run(made.images[both[:, 0]], made.images[both[:, 1]], np.arange(len(chosen))))
    return runs


def search() -> None:
    """Recall of 400 of the images held out among all of these: by distance alone, and after the head has ranked the
    nearest; and the time."""
    for seed in map(int, FLAGS.seeds):
        made = read(seed)
        for head in FLAGS.heads:
            searched(made, head, seed)


def searched(made: Set, head: str, seed: int) -> None:
    """Prints what a search with one model finds."""
    from nets.models import siamese
    from tasks.models import load_model
    from utils import gallery

    compare = siamese.comparer(load_model(os.path.join(FLAGS.keep, f"{head}-{seed}.keras"), siamese.KIND))
    features, labels = compare.embed(made.images[made.test]), made.labels[made.test]
    opened = gallery.Gallery("", [str(row) for row in range(len(features))], features, 0, [])
    asked = np.random.default_rng(0).permutation(len(features))[:400]

    def ranked(count: int) -> np.ndarray:
        rows = gallery.search(opened, compare, features[asked], 11, rerank=count)
        return np.array([[int(path) for path, _ in row] for row in rows])

    if compare.global_embedding is None:
        return print(f"{head}, seed {seed}, {len(features)} images: {recalls(ranked(0), labels, asked)}", flush=True)
    begun = time.perf_counter()
    vectors = compare.global_embedding(features)
    print(f"{head}, seed {seed}, {len(features)} images: what the head makes of each alone, "
          f"{time.perf_counter() - begun:.2f} s")
    for name, near in (("mean of the maps, by distance", features.reshape(len(features), -1, 32).mean(axis=1)),
                       ("alone, by distance", vectors)):
        print(f"{name}: {recalls(nearest(near, asked, 11), labels, asked)}")
    for count in (20, 100, 500, 0):
        begun = time.perf_counter()
        rows = ranked(count)
        each = 1000 * (time.perf_counter() - begun) / len(asked)
        print(f"{f'the {count} nearest' if count else 'all'} ranked by the head: {recalls(rows, labels, asked)}, "
              f"{each:.1f} ms a query")
    for name, count in (("100", 100), ("all", 0)):
        begun = time.perf_counter()
        gallery.search(opened, compare, features[asked[:1]], 11, rerank=count)
        print(f"one query alone, {name} ranked: {time.perf_counter() - begun:.2f} s", flush=True)


def nearest(vectors: np.ndarray, asked: np.ndarray, count: int) -> np.ndarray:
    """Indices of the nearest vectors of some rows, themselves among them."""
    from utils.metrics.retrieval import Index

    return Index(vectors).nearest(vectors[asked], count)[0]


def recalls(indices: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> str:
    """Recall@1 and @10 of the images asked for, which are no answer to themselves: indices (Q, 11) or more."""
    others = [row[row != own][:10] for row, own in zip(indices, asked, strict=True)]
    right = np.array([labels[row] == labels[own] for row, own in zip(others, asked, strict=True)])
    return f"recall@1 {right[:, 0].mean():.3f}, @10 {right.any(axis=1).mean():.3f}"


def costs(done: set) -> None:
    """Seconds and memory of a training step against the images in a batch, each in a process of its own."""
    side = FLAGS.side or (80 if FLAGS.tower == "photos" else 48)
    for batch in map(int, FLAGS.sizes):
        for head in FLAGS.heads:
            if (head, 0, batch) not in done:
                code = f"from docs.attention import step_cost; step_cost({head!r}, {batch}, {FLAGS.tower!r}, {side})"
                ran = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
                note(json.loads(ran.stdout.splitlines()[-1]))


def step_cost(head: str, batch: int, tower: str, side: int, rounds: int = 5) -> None:
    """Prints what a step takes: the fastest of so many, and the most memory that the process held."""
    import resource

    FLAGS(["attention"])
    shape = (side, side, 3 if tower == "photos" else 1)
    _, trainer = build(head, tower, shape, 1)
    rng = np.random.default_rng(0)
    data = {"image": rng.integers(0, 256, (batch, *shape), "uint8"),
            "label": np.repeat(np.arange(batch // 4, dtype="int32"), 4),
            "warp": np.tile(np.array([1, 0, 0, 0, 1, 0, 0, 0], "float32"), (batch, 1)),
            "light": np.tile(np.float32([1, 0]), (batch, 1))}
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        trainer.train_on_batch(data, data["label"])
        seconds.append(time.perf_counter() - begun)
    print(json.dumps({"head": head, "seed": 0, "batch": batch, "seconds": min(seconds),
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))


if __name__ == "__main__":
    app.run(main)
