"""Trains a network that compares images. Edit the flags here, or pass them:

    python train.py                                                   Omniglot, or letters drawn on the spot
    python train.py --train_own_data --dataset_path=~/pictures        a folder for each kind of thing
    python train.py --resume                                          go on with the newest run
"""

import os
import sys

from absl import flags

from utils import startup

FLAGS = flags.FLAGS
# what to train on
flags.DEFINE_string("dataset_path", "datasets", "folder of images; while it is empty, letters are rendered there")
flags.DEFINE_boolean("train_own_data", False, "images lie as <chapter>/<image>, not as Omniglot's <alphabet>/<character>/<image>")
flags.DEFINE_float("val_share", 0.1, "share of the classes that is held out to choose the best epoch", 0, 0.9)
flags.DEFINE_float("test_share", 0.1, "share held out to measure quality, where there is no images_evaluation/", 0, 0.9)
flags.DEFINE_boolean("skip_broken", True, "leave broken files out; otherwise refuse them")
flags.DEFINE_float("cache_gb", 4.0, "decoded images stay in memory up to this size", 0)
# the network
flags.DEFINE_enum("task", "siamese", ["siamese", "triplet"],
                  "siamese: same or different, a similarity; triplet: how near, an embedding to search in")
flags.DEFINE_enum("backbone", "compact", ["compact", "vgg16", "koch"], "tower: compact for machines without a GPU")
flags.DEFINE_list("input_shape", [], "height,width,channels; default 48,48,1 for compact, 105,105,3 for vgg16")
flags.DEFINE_enum("head", "distance", ["distance", "difference", "plain", "weighted"],
                  "what makes features a similarity: their distance; Dense layers on |f1 - f2|, capped so "
                  "that an image with itself ranks first; the same without the cap, as the article has it; "
                  "a weighted sum of |f1 - f2|, as Koch has it")
flags.DEFINE_boolean("normalize", None, "scale features to unit length, so that distances lie in 0..2; "
                     "default: with --head=distance")
flags.DEFINE_string("weights", "", "imagenet; an .h5 file of VGG16 or of Siamese-tf2; a .keras file of ours")
# how it learns
flags.DEFINE_enum("loss", "auto", ["auto", "cross_entropy", "contrastive", "triplet", "ratio", "multi_similarity"],
                  "over all pairs or triplets of a batch; auto: cross_entropy for siamese, triplet for triplet")
flags.DEFINE_enum("mining", "semi_hard", ["semi_hard", "all", "hard", "random"], "which triplets of the batch count")
flags.DEFINE_float("margin", None, "distance by which a negative must lie farther than a positive, default 0.2; "
                   "contrastive: from which on different images are left alone, default 1", 1e-6)
flags.DEFINE_boolean("squared", False, "triplets: compare squared distances, as FaceNet does")
flags.DEFINE_integer("epochs", 8, "epochs", 1)
flags.DEFINE_integer("steps_per_epoch", 0, "batches in an epoch; 0: as many as show each image once, 40 or more", 0)
flags.DEFINE_integer("batch_size", 96, "images in a batch, over all devices", 4)
flags.DEFINE_integer("images_per_class", 3, "of which this many show the same class", 2)
flags.DEFINE_integer("groups_per_batch", 2, "a batch holds classes of this many alphabets, hard to tell apart; 0: of all", 0)
flags.DEFINE_enum("augment", "auto", ["auto", "none", "characters", "photos"], "small changes; auto: by train_own_data")
flags.DEFINE_enum("optimizer", "adamw", ["adamw", "adam", "sgd"], "optimizer")
flags.DEFINE_float("learning_rate", 0, "highest rate; 0: what suits optimizer and backbone", 0)
flags.DEFINE_enum("schedule", "cosine", ["cosine", "step", "constant"], "how the rate falls")
flags.DEFINE_float("weight_decay", 1e-4, "decoupled weight decay", 0)
flags.DEFINE_integer("patience", 0, "stop after this many epochs without a better one; 0: never", 0)
flags.DEFINE_integer("seed", 0, "of weights, batches, split and pairs", 0)
# where it runs
flags.DEFINE_string("devices", "", "GPUs to share each batch, such as 0,1; cpu; cpu:2 to try sharing without GPUs")
flags.DEFINE_enum("precision", "float32", ["float32", "mixed_float16", "mixed_bfloat16"], "of the tower's arithmetic")
flags.DEFINE_string("run", "", "name of the run's folder in logs/; default: date and task")
flags.DEFINE_boolean("resume", False, "go on with the stopped run --run, or the newest, and with its flags")
flags.register_validator(
    "input_shape", lambda shape: not any(shape) or len(shape) == 3 and all(n.isdigit() for n in shape),
    "expected height,width,channels such as 48,48,1",
)


def main(argv: list[str]) -> None:
    """Model, images, split, batches, training, evaluation: the whole run."""
    from nets import siamese
    from utils import data, devices, folders, report, runs

    folder = resumed() if FLAGS.resume else None
    with devices.strategy(FLAGS.devices):
        model = build_model()
        loss = siamese.make_loss(loss_name(), model, FLAGS.margin, FLAGS.mining, FLAGS.squared)
        print(f"{model.count_params():,} parameters, input {model.input_shape[0][1:]}")
        samples = data.find_samples(os.path.expanduser(FLAGS.dataset_path), FLAGS.train_own_data)
        samples, images = data.decode(samples, model.input_shape[0][1:], FLAGS.cache_gb, FLAGS.skip_broken)
        split = folders.split_by_class(samples, FLAGS.val_share, FLAGS.test_share, FLAGS.seed)
        print(split.how)
        batches = make_batches(images, samples, split)
        held_out = folders.held_out(samples, split)
        if folder and runs.read_json(folder, runs.SPLIT) not in (None, held_out):
            raise ValueError(f"{folder} cannot go on: the images in {samples.root} have changed since it began")
        folder = folder or new_run()
        runs.write_json(folder, runs.SPLIT, held_out)
        fit(siamese.trainer(model, loss), model, batches, folder, validation(model, images, samples, split))
        model = best_model(folder, images, samples, split)
        quality = report.write_report(siamese.comparer(model), images, samples, split.test, folder, FLAGS.seed)
    print("\n".join(report.lines(quality)))
    print(f"{folder}/ holds the model, figures and log\nnext: python predict.py, or python eval_similarity.py")


def resumed() -> str:
    """The folder of the run to go on with; its flags become ours, but for those on the command line."""
    from utils import runs

    folder = runs.run_to_resume(FLAGS.run)
    FLAGS.unparse_flags()
    FLAGS([sys.argv[0], f"--flagfile={os.path.join(folder, runs.FLAGS)}", *sys.argv[1:]])
    return folder


def new_run() -> str:
    """A new run's folder, with the flags that repeat it."""
    from utils import runs

    folder = runs.new_run(FLAGS.run, FLAGS.task)
    own = [f for f in FLAGS.get_key_flags_for_module(sys.argv[0]) if f.name not in ("run", "resume")]
    with open(os.path.join(folder, runs.FLAGS), "w", encoding="utf-8") as file:
        file.writelines(f.serialize() + "\n" for f in own if f.serialize())
    return folder


def build_model():
    """The Siamese model that the flags describe, with its first weights."""
    import keras

    from nets import siamese, towers
    from utils import runs, weights

    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    if FLAGS.weights.endswith(".keras"):
        print(f"going on from {FLAGS.weights}: its tower, head and input shape, whatever the flags say")
        return runs.load_model(runs.find_model(FLAGS.weights))
    arrays = weights.read(FLAGS.weights)
    shape = tuple(int(n) for n in FLAGS.input_shape if n) or towers.INPUT_SHAPES[FLAGS.backbone]
    normalize = FLAGS.head == "distance" if FLAGS.normalize is None else FLAGS.normalize
    tower = towers.make_tower(FLAGS.backbone, shape, normalize, weights.pixels(arrays))
    model = siamese.siamese(tower, siamese.make_head(FLAGS.head))
    if arrays:
        siamese.assign(model, arrays)
    return model


def make_batches(images, samples, split):
    """Batches of the training rows; says the range of the first."""
    from utils import augment, batches, devices

    kind = {True: "photos", False: "characters"}[FLAGS.train_own_data] if FLAGS.augment == "auto" else FLAGS.augment
    made = batches.ClassBatches(
        images, samples.labels, samples.groups, split.train, FLAGS.batch_size, FLAGS.images_per_class,
        augment.AUGMENTATIONS[kind], FLAGS.groups_per_batch, turns=kind == "characters",
        steps=FLAGS.steps_per_epoch, seed=FLAGS.seed, multiple_of=devices.replicas(),
    )
    first = made[0][0]["image"]
    print(f"a batch: {made.classes_per_batch} classes x {made.images_per_class} images, grey levels "
          f"{first.min()} to {first.max()}, mean {first.mean():.0f}; {len(made)} batches an epoch")
    return made


def validation(model, images, samples, split):
    """A function that scores the held-out validation pairs, drawn once; None where there are none."""
    from nets import siamese
    from utils import folders, report

    if folders.comparable(samples.labels[split.validation]):
        return report.validator(siamese.comparer(model), images, samples.labels, split.validation, FLAGS.seed)
    print("no classes to validate on: the best epoch is that of the lowest training loss")
    return None


def loss_name() -> str:
    """The loss that the flags mean."""
    return {"siamese": "cross_entropy", "triplet": "triplet"}[FLAGS.task] if FLAGS.loss == "auto" else FLAGS.loss


def best_model(folder, images, samples, split):
    """The model of the best epoch, which predict.py reads; its head fitted, where the loss did not train it."""
    from nets import siamese
    from utils import folders, report, runs

    path = runs.find_model(folder)
    model = runs.load_model(path)
    rows = next((r for r in (split.validation, split.train) if folders.comparable(samples.labels[r])), None)
    if loss_name() == "cross_entropy" or rows is None:
        return model
    pairs = report.pairs_of_features(siamese.comparer(model), images, samples.labels, rows, FLAGS.seed)
    if siamese.calibrate(model, *pairs):
        runs.save_aside(model.save, path, ".keras")
    else:
        print("same pairs lie no nearer than different ones: the embedding has learnt nothing yet")
    return model


def fit(trainer, model, batches, folder, validate) -> None:
    """Trains, writing all that the run leaves into `folder`; Ctrl-C ends it early with a usable model."""
    from nets import siamese
    from utils import figures, runs, training

    rate = FLAGS.learning_rate or training.RATES[FLAGS.optimizer][FLAGS.backbone]
    steps = FLAGS.epochs * len(batches)
    optimizer = training.make_optimizer(FLAGS.optimizer, rate, FLAGS.schedule, FLAGS.weight_decay, steps, len(batches))
    trainer.compile(optimizer, siamese.own_loss, metrics=siamese.signs_of_life(loss_name(), FLAGS.margin))
    state = os.path.join(folder, runs.STATE)
    done = training.restore_state(trainer, state, len(batches))
    runs.forget_epochs(folder, done)
    figures.batch(folder, *siamese.augmented(trainer, batches[0][0]))
    try:
        trainer.fit(batches, epochs=FLAGS.epochs, initial_epoch=done, shuffle=False,
                    verbose=1 if sys.stdout.isatty() else 2,
                    callbacks=training.make_callbacks(folder, model, batches, validate, FLAGS.patience,
                                                      siamese.idle_loss(loss_name(), FLAGS.margin)))
    except KeyboardInterrupt:
        runs.save_aside(model.save, os.path.join(folder, runs.LAST), ".keras")
        print(f"\nstopped; {folder}/{runs.LAST} holds the model as it is; python train.py --resume goes on")


if __name__ == "__main__":
    startup.run(main)
