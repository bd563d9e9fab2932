"""How fast is it, as ratios measured side by side in one run on this machine:

    python benchmark.py                       the quick parts, compact tower: half a minute on two cores
    python benchmark.py --parts=all           all parts, training among them: ten minutes or more
    python benchmark.py --parts=start,questions,copies   whole programs from their start, beside Keras and a hash
    python benchmark.py --backbone=vgg16 --parts=step --batch_size=32 --json
    python benchmark.py --parts=torch         networks of pictures beside the same layers in PyTorch
    python benchmark.py --parts=faiss --embeddings=1000000 --vectors=FOLDER/.embeddings-....npz
"""

import os
import tempfile
import time
from functools import partial

from absl import flags

from nets import towers
from utils.flags import group
from utils.run import startup

FLAGS = flags.FLAGS
PARTS = ["step", "rank", "input", "pairs", "search", "index", "latency", "scale", "export", "start",
         "questions", "copies"]
ASKED, QUICK = ["faiss", "perceptual", "torch"], ["input", "pairs", "index", "latency"]  # those need packages
with group("What to measure"):
    flags.DEFINE_list("parts", QUICK, f"Which parts, of {', '.join(PARTS)}; or all of these; or {', '.join(ASKED)}")
    flags.DEFINE_enum("backbone", "compact", list(towers.own_shapes(towers.SIMILARITY)), "Tower")
    flags.DEFINE_integer("batch_size", 96, "Images in a batch", 16)
    flags.DEFINE_integer("gallery", 10_000, "Pictures to search in", 100)
    flags.DEFINE_integer("embeddings", 100_000, "Embeddings in the index", 100)
    flags.DEFINE_string("vectors", "", "For faiss: real embeddings, the .embeddings-....npz of predict.py --gallery")
    flags.DEFINE_integer("repeats", 7, "Measurements of each kind; the fastest counts", 1)
    flags.DEFINE_boolean("json", False, "Print all figures as one JSON object on the last line")
flags.register_validator("parts", lambda parts: {*PARTS, *ASKED, "all"}.issuperset(parts),
                         f"expected some of all,{','.join(PARTS + ASKED)}")


def main(argv: list[str]) -> None:
    """Measures the parts that the flags name and prints a table."""
    import resource

    import keras

    from apps import started, twin
    from apps.search.indexes.index import beside_exact
    from nets.heads import make_head
    from nets.models import siamese
    from tasks.perceptual.measuring.speed import beside_ssim
    from utils.run.folder import as_json

    measures = {"step": step, "rank": rank, "input": input_pipeline, "pairs": pairs, "search": search, "index": index,
                "latency": latency, "scale": scale, "export": export, "perceptual": partial(beside_ssim, side_by_side),
                "torch": partial(twin.beside_torch, side_by_side),
                "faiss": lambda model, folder: beside_exact(FLAGS.embeddings, FLAGS.vectors, FLAGS.repeats)}
    for part in (started.start, started.questions, started.copies):
        measures[part.__name__] = lambda model, folder, part=part: part(folder, FLAGS.repeats)
    shape = towers.SIMILARITY[FLAGS.backbone].input_shape
    keras.utils.set_random_seed(0)
    model = siamese.siamese(towers.make_tower(FLAGS.backbone, shape, normalize=True), make_head("distance"))
    print(f"{FLAGS.backbone}, {shape}, {keras.backend.backend()}, {os.cpu_count()} cores, batch {FLAGS.batch_size}")
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        for part in PARTS if "all" in FLAGS.parts else FLAGS.parts:
            measured = measures[part](model, folder)
            figures |= {f"{part}: {name}": value for name, value in measured.items()}
            print("\n".join(f"{part:8} {name:66} {value:12.4g}" for name, value in measured.items()), flush=True)
    figures["memory: peak, GB"] = peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'memory':8} {'peak, GB':66} {peak:12.4g}")
    if FLAGS.json:
        print(as_json(figures))


def step(model, folder) -> dict[str, float]:
    """Images per second of each loss in `fit` with input and metrics, against the bare tower; an epoch's callbacks."""
    import numpy as np

    from nets.models import siamese
    from utils.run import fitting

    batches = make_batches(model.input_shape[0][1:])
    images = np.concatenate([batch["image"] for batch, _ in (batches[number] for number in range(len(batches)))])
    fitted = {"bare": bare(model.get_layer("tower"), images, batches.batch_size)}
    for name in ("cross_entropy", "contrastive", "triplet", "ratio", "multi_similarity"):
        loss = siamese.make_loss(name, model)
        trained = siamese.trainer(model, loss)
        trained.compile("adamw", siamese.precomputed_loss, metrics=siamese.embedding_metrics(loss))
        fitted[name] = lambda trained=trained: next_epoch(trained, batches)
    callbacks = fitting.make_callbacks(folder, {"": model}, batches, None, 0, [])
    seconds = side_by_side(fitted | {"callbacks": lambda: next_epoch(trained, batches, callbacks)})  # of the last loss
    longer = min(seconds.pop("callbacks")) - min(seconds[name])
    return shares(seconds, len(images)) | {"callbacks at the end of an epoch, s": longer}


def rank(model, folder) -> dict[str, float]:
    """The same of ranking and fine-tuning: compact tower, batches of 84 crops of 128, distorted while training or kept.

    The photos are the two that scikit-learn brings.
    """
    import numpy as np

    from nets.losses import ranking
    from nets.models import rankiqa
    from utils.batches.levels import LevelBatches
    from utils.batches.scored import CropBatches
    from utils.data import photos
    from utils.distortions.catalogue import chosen

    quality = rankiqa.rankiqa(towers.make_quality_tower("compact"), towers.QUALITY["compact"].input_shape[0])
    root, names = photos.sample_photos()
    files = [os.path.join(root, name) for name in names] * 50
    workers = max(1, (os.cpu_count() or 2) - 1)
    levels, kept = (
        LevelBatches(files, chosen(["live"]), 84, rankiqa.side(quality), steps=20, workers=workers, cache=cache)
        for cache in ("", os.path.join(folder, "distorted"))
    )
    scored = CropBatches(files, np.zeros(len(files)), len(levels[0][1]), rankiqa.side(quality), 20, 0, workers)
    ranker = rankiqa.ranker(quality, ranking.RankingHinge())
    ranker.compile("adamw", rankiqa.precomputed_loss, metrics=rankiqa.ranking_metrics())
    regressor = rankiqa.regressor(quality)
    regressor.compile("adamw", "mse")
    images = np.concatenate([levels[number][0]["image"] for number in range(len(levels))])
    seconds = side_by_side({
        "bare": bare(quality.get_layer("tower"), images, len(levels[0][1])),
        "rank": lambda: next_epoch(ranker, levels),
        "rank with --cache_distorted": lambda: next_epoch(ranker, kept),
        "finetune": lambda: next_epoch(regressor, scored),
    })
    return shares(seconds, len(images))


def bare(tower, images, batch_size: int):
    """A function that trains a tower on images in memory, with the cheapest loss there is."""
    import keras
    import numpy as np

    from utils.run import fitting

    class Slices(keras.utils.PyDataset):
        def __len__(self):
            return len(images) // batch_size

        def __getitem__(self, step):
            return images[step * batch_size :][:batch_size], np.zeros((batch_size, tower.output_shape[-1]), "float32")

    trained, data = keras.Sequential([tower]), fitting.feed(Slices())
    trained.compile("adamw", "mse")
    return partial(trained.fit, data, verbose=0, shuffle=False)


def next_epoch(trained, batches, callbacks=()) -> None:
    """One more epoch of training."""
    from utils.run import fitting

    batches.epoch += 1
    trained.fit(fitting.feed(batches), verbose=0, shuffle=False, callbacks=list(callbacks))


def shares(seconds: dict[str, list[float]], images: int) -> dict[str, float]:
    """Images per second of the bare tower, and the share of it that each training reaches."""
    result = {"images/s of the bare tower, forward and backward": images / min(seconds["bare"])}
    others = sorted(set(seconds) - {"bare"})
    return result | {f"share of that in training, {name}": ratio(seconds["bare"], seconds[name]) for name in others}


def input_pipeline(model, folder) -> dict[str, float]:
    """Images per second of the batches alone."""
    batches = make_batches(model.input_shape[0][1:])
    seconds = side_by_side({"batches": lambda: [batches[number] for number in range(len(batches))]})
    return {"images/s of the batches alone": len(batches) * batches.batch_size / min(seconds["batches"])}


def pairs(model, folder) -> dict[str, float]:
    """Pairs compared per second in a batch that passes the tower once, against reading pairs one by one."""
    import numpy as np

    from nets.models import siamese
    from utils.data import images

    shape = model.input_shape[0][1:]
    files = write_pictures(os.path.join(folder, "pairs"), FLAGS.batch_size, shape)
    compare = siamese.comparer(model)

    def at_once():
        features = compare.embed(np.stack([images.read_image(file, shape) for file in files]))
        return compare.score(features[:, None], features[None, :])

    def one_by_one():  # 12 pairs
        for left, right in zip(files[:12], files[1:13]):
            features = [compare.embed(images.read_image(file, shape)[None]) for file in (left, right)]
            compare.score(features[0], features[1])

    seconds = side_by_side({"at once": at_once, "one by one": one_by_one})
    fast, slow = len(files) * (len(files) - 1) / 2 / min(seconds["at once"]), 12 / min(seconds["one by one"])
    return {"pairs/s, each picture embedded once": fast, "pairs/s, pair by pair": slow, "ratio": fast / slow}


def search(model, folder) -> dict[str, float]:
    """A gallery's first query, its second, and the same by scoring pairs."""
    import numpy as np

    from nets.models import siamese
    from utils import gallery
    from utils.data import images

    shape = model.input_shape[0][1:]
    root, path = os.path.join(folder, "gallery"), os.path.join(folder, "model.keras")
    files = write_pictures(root, FLAGS.gallery, shape)
    model.save(path)
    compare = siamese.comparer(model)
    query = images.read_image(files[0], shape)[None]
    embedded = []

    def ask():
        opened = gallery.open_gallery(root, path, compare, shape)
        embedded.append(opened.embedded)
        return gallery.search(opened, compare, compare.embed(query), 10)

    def pair(file):
        features = compare.embed(np.concatenate([query, images.read_image(file, shape)[None]]))
        return compare.score(features[0], features[1])

    first, second = timed(ask), min(timed(ask) for _ in range(FLAGS.repeats))
    some = files[:100]
    by_pairs = timed(lambda: [pair(file) for file in some]) / len(some) * len(files)
    return {
        f"first query among {len(files)}, s": first, "second query, s": second,
        "tower passes of the second, the query aside": embedded[-1], "first / second": first / second,
        f"by pairs, s (from {len(some)} of them)": by_pairs, "by pairs / second": by_pairs / second,
    }


def index(model, folder) -> dict[str, float]:
    """One query of an exact index against the bare matrix product, both in NumPy."""
    import numpy as np

    from utils.metrics.retrieval import Index

    features = np.random.default_rng(0).normal(size=(FLAGS.embeddings, 128)).astype("float32")
    made, query = Index(features), features[:1]
    seconds = side_by_side({
        "query": lambda: [made.nearest(query, 10) for _ in range(50)],
        "product": lambda: [query @ features.T for _ in range(50)],
    })
    return {
        f"one query among {len(features)} embeddings of 128, ms": 20 * min(seconds["query"]),
        "query / bare matrix product": ratio(seconds["query"], seconds["product"]),
    }


def latency(model, folder) -> dict[str, float]:
    """A pair in predict.py's loop: decoding, tower, head."""
    import numpy as np

    from nets.models import siamese
    from utils.data import images

    shape = model.input_shape[0][1:]
    files = write_pictures(os.path.join(folder, "latency"), 2, (512, 512, 3))
    compare = siamese.comparer(model)
    pair = np.stack([images.read_image(file, shape) for file in files])
    features = compare.embed(pair)
    seconds = side_by_side({
        "decoding two pictures of 512 x 512": lambda: [images.read_image(file, shape) for file in files * 10],
        "tower": lambda: [compare.embed(pair) for _ in range(10)],
        "head": lambda: [compare.score(features[0], features[1]) for _ in range(10)],
    })
    return {f"{name}, ms": 100 * min(rounds) for name, rounds in seconds.items()}


def scale(model, folder) -> dict[str, float]:
    """How a query grows with the index, and a training step with the batch."""
    import numpy as np

    from nets.models import siamese
    from utils.metrics.retrieval import Index

    rng, result = np.random.default_rng(0), {}
    for count in (10**3, 10**4, 10**5, 10**6):
        made, query = Index(rng.standard_normal((count, 128), "float32")), rng.standard_normal((1, 128), "float32")
        made.nearest(query, 10)
        result[f"one query among {count}, ms"] = 1000 * min(timed(partial(made.nearest, query, 10)) for _ in range(20))
    for size in (FLAGS.batch_size // 2, FLAGS.batch_size, FLAGS.batch_size * 2, FLAGS.batch_size * 4):
        batches = make_batches(model.input_shape[0][1:], size)
        trained = siamese.trainer(model, siamese.make_loss("cross_entropy", model))
        trained.compile("adamw", siamese.precomputed_loss)
        seconds = side_by_side({"epoch": partial(next_epoch, trained, batches)})["epoch"]
        result[f"images/s in batches of {batches.batch_size}"] = len(batches) * batches.batch_size / min(seconds)
    return result


def export(model, folder) -> dict[str, float]:
    """A pair of pictures in exported files beside Keras, pictures read already."""
    from apps.exporting import latency

    seconds = side_by_side(latency.works(model, os.path.join(folder, "export")))
    result = {f"a pair in {name}, ms": 100 * min(rounds) for name, rounds in seconds.items()}
    others = {name: rounds for name, rounds in seconds.items() if name != "Keras"}
    return result | {f"Keras / {name}": ratio(seconds["Keras"], rounds) for name, rounds in others.items()}


def make_batches(shape, batch_size: int = 0):
    """Ten batches of noise of as many classes as training would draw."""
    import numpy as np

    from utils.batches.augment import AUGMENTATIONS
    from utils.batches.classes import ClassBatches

    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(200), 5)
    pictures = rng.integers(0, 256, (len(labels), *shape), dtype="uint8")
    return ClassBatches(pictures, labels, np.arange(200) // 20, np.arange(len(labels)), batch_size or FLAGS.batch_size,
                        3, AUGMENTATIONS["characters"], groups_per_batch=2, poses=4, steps=10)


def write_pictures(folder: str, count: int, shape) -> list[str]:
    """Files of noise, PNG."""
    import numpy as np
    from PIL import Image

    os.makedirs(folder)
    rng = np.random.default_rng(0)
    files = [os.path.join(folder, f"{number:06}.png") for number in range(count)]
    for file in files:
        Image.fromarray(np.squeeze(rng.integers(0, 256, shape, dtype="uint8"))).save(file)
    return files


def side_by_side(works: dict) -> dict[str, list[float]]:
    """Seconds of each in every round, measured in turns after one of each to warm up."""
    for work in works.values():
        work()
    rounds = [{name: timed(work) for name, work in works.items()} for _ in range(FLAGS.repeats)]
    return {name: [row[name] for row in rounds] for name in works}


def ratio(over: list[float], under: list[float]) -> float:
    """The fastest round of one by that of the other: a round may take half as long again when threads fall badly."""
    return min(over) / min(under)


def timed(work) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    startup.run(main)
