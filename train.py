"""Trains a network that compares images. Edit the flags here, or pass them:

    python train.py                                                   Omniglot, or letters drawn on the spot
    python train.py --train_own_data --dataset_path=~/pictures        a folder for each kind of thing
    python train.py --resume                                          go on with the newest run
"""

import os
import sys

from absl import flags

from utils.run import startup

FLAGS = flags.FLAGS
flags.adopt_module_key_flags(startup)
TASKS = {"siamese": "similarity.task", "triplet": "similarity.task", "rank": "quality.ranking", "finetune": "quality.finetuning"}  # which module of tasks/ does each
# what to train on
flags.DEFINE_string("dataset_path", "datasets", "folder of images; while it is empty, letters are rendered there; "
                    "finetune: a CSV or a list of `path score`, or the folder of TID2013 or LIVE")
flags.DEFINE_boolean("train_own_data", False, "images lie as <chapter>/<image>, not as Omniglot's <alphabet>/<character>/<image>")
flags.DEFINE_float("val_share", 0.1, "share of the classes that is held out to choose the best epoch", 0, 0.9)
flags.DEFINE_float("test_share", 0.1, "share held out to measure quality, where there is no images_evaluation/", 0, 0.9)
flags.DEFINE_boolean("skip_broken", True, "leave broken files out; otherwise refuse them")
flags.DEFINE_float("cache_gb", 4.0, "decoded images stay in memory up to this size", 0)
# the network
flags.DEFINE_enum("task", "siamese", list(TASKS),
                  "siamese: same or different, a similarity; triplet: how near, an embedding to search in; "
                  "rank: which looks better, learnt from photos that are distorted more and more; finetune: "
                  "the same as people see it, from --weights of a rank run and a list of human scores")
flags.DEFINE_enum("backbone", "compact", ["compact", "vgg16", "koch", "alexnet", "shallow"],
                  "tower: compact for machines without a GPU; koch for siamese, alexnet and shallow for rank")
flags.DEFINE_list("input_shape", [], "height,width,channels; default 48,48,1 for compact, 105,105,3 for vgg16, "
                  "105,105,1 for koch; rank and finetune: the crops, 128,128,3 for compact, 224 for vgg16, 227 for the others")
flags.DEFINE_enum("head", "distance", ["distance", "difference", "plain", "weighted"],
                  "what makes features a similarity: their distance; Dense layers on |f1 - f2|, capped so "
                  "that an image with itself ranks first; the same without the cap, as the article has it; "
                  "a weighted sum of |f1 - f2|, as Koch has it")
flags.DEFINE_boolean("normalize", None, "scale features to unit length, so that distances lie in 0..2; "
                     "default: with --head=distance")
flags.DEFINE_string("weights", "", "imagenet; an .h5 file of VGG16 or of Siamese-tf2; a run folder or .keras file of ours")
# how it learns
flags.DEFINE_enum("loss", "auto", ["auto", "cross_entropy", "contrastive", "triplet", "ratio", "multi_similarity"],
                  "over all pairs or triplets of a batch; auto: cross_entropy for siamese, triplet for triplet")
flags.DEFINE_enum("mining", "semi_hard", ["semi_hard", "all", "hard", "random"], "which triplets of the batch count")
flags.DEFINE_float("margin", None, "distance by which a negative must lie farther than a positive, default 0.2; "
                   "contrastive: from which on different images are left alone, default 1; rank: of scores, default 1", 1e-6)
flags.DEFINE_boolean("squared", False, "triplets: compare squared distances, as FaceNet does")
flags.DEFINE_integer("epochs", 8, "epochs", 1)
flags.DEFINE_integer("steps_per_epoch", 0, "batches in an epoch; 0: as many as show each image once, 40 or more; rank: 100", 0)
flags.DEFINE_integer("batch_size", 96, "images in a batch, over all devices", 4)
flags.DEFINE_integer("images_per_class", 3, "of which this many show the same class", 2)
flags.DEFINE_integer("groups_per_batch", 2, "a batch holds classes of this many alphabets, hard to tell apart; 0: of all", 0)
flags.DEFINE_enum("augment", "auto", ["auto", "none", "characters", "photos"], "small changes; auto: by train_own_data")
flags.DEFINE_boolean("mirrored", False, "characters: besides turned alphabets, mirrored ones are further alphabets; for long trainings")
flags.DEFINE_enum("optimizer", "adamw", ["adamw", "adam", "sgd"], "optimizer")
flags.DEFINE_float("learning_rate", 0, "highest rate; 0: what suits optimizer and network", 0)
flags.DEFINE_enum("schedule", "cosine", ["cosine", "step", "constant"], "how the rate falls")
flags.DEFINE_float("weight_decay", 1e-4, "decoupled weight decay", 0)
flags.DEFINE_integer("patience", 0, "stop after this many epochs without a better one; 0: never", 0)
flags.DEFINE_integer("seed", 0, "of weights, batches, split and pairs", 0)
# rank and finetune: which looks better
flags.DEFINE_list("distortions", ["live"], "rank: live, tid2013, all, or names, as python -m utils.distortions lists them")
flags.DEFINE_list("levels", [], "rank: levels of one's own, such as jpeg=40:20:10:5")
flags.DEFINE_enum("pairs", "all", ["all", "random", "hard"], "rank: all pairs of levels in a batch; to measure against, "
                  "one partner for each image, at random or the worst ordered of twice as many (with "
                  "--across_photos every other one is of another photo)")
flags.DEFINE_boolean("across_photos", False, "rank: pairs of different photos too, as in the article's code")
flags.DEFINE_string("cache_distorted", "", "rank: a folder that keeps distorted photos, 0.8 MB at most for each level, so that each is "
                    "distorted once and every batch shows other ones; default: distorted anew, for four batches")
flags.DEFINE_integer("level_gap", 0, "rank: only pairs so many levels apart; 0: all", 0)
flags.DEFINE_integer("photos_per_batch", 4, "rank: photos in a batch, each at all its levels", 1)
flags.DEFINE_boolean("higher_is_better", None, "finetune: whether higher human scores are better; CSV and lists do not tell")
flags.DEFINE_list("score_range", [], "finetune: lowest and highest score that people could give; default: those of the list")
flags.DEFINE_string("image_root", "", "finetune: folder that the paths of the list start from; default: the list's own")
flags.DEFINE_integer("workers", max(1, (os.cpu_count() or 2) - 1), "rank: processes that distort photos; 0: none", 0)
# where it runs
flags.DEFINE_string("devices", "", "GPUs to share each batch, such as 0,1; cpu; cpu:2 to try sharing without GPUs")
flags.DEFINE_enum("precision", "float32", ["float32", "mixed_float16", "mixed_bfloat16"], "of the tower's arithmetic")
flags.DEFINE_string("run", "", "name of the run's folder in logs/; default: date and task")
flags.DEFINE_boolean("resume", False, "go on with the stopped run --run, or the newest, and with its flags")
flags.register_validator(
    "input_shape", lambda shape: not any(shape) or len(shape) == 3 and all(n.isdigit() for n in shape),
    "expected height,width,channels such as 48,48,1",
)
flags.register_validator("score_range", lambda span: len(span) in (0, 2), "expected lowest,highest such as 0,9")


def main(argv: list[str]) -> None:
    """Model, images, split, batches, training, evaluation: the whole run, whatever the task."""
    import importlib

    from utils.run import devices, folder as runs, multi_worker

    folder = resumed() if FLAGS.resume else None
    task = importlib.import_module(f"tasks.{TASKS[FLAGS.task]}")
    with devices.strategy(FLAGS.devices):
        model = build(task)
        data = task.find_data(FLAGS, model)
        batches = task.make_batches(FLAGS, data, model)
        if folder and runs.read_json(folder, runs.SPLIT) not in (None, data.held_out):
            raise ValueError(f"{folder} cannot go on: the images in {data.root} have changed since it began")
        folder = runs.of_worker(folder or new_run(), multi_worker.cluster()[0])
        write_flags(folder)
        runs.write_json(folder, runs.SPLIT, data.held_out)
        fit(task, model, data, batches, folder)
        report = task.finish(FLAGS, folder, data)
    print("\n".join(report))
    print(f"{folder}/ holds the model, figures and log\nnext: {task.NEXT}")


def resumed() -> str:
    """The folder of the run to go on with; its flags become ours, but for those on the command line."""
    import keras

    from utils.run import folder as runs

    folder = runs.run_to_resume(FLAGS.run)
    FLAGS.unparse_flags()
    FLAGS([sys.argv[0], f"--flagfile={os.path.join(folder, runs.FLAGS)}", *sys.argv[1:]])
    if FLAGS.backend not in (None, keras.backend.backend()):
        raise ValueError(f"{folder} began on another backend: pass --backend={FLAGS.backend}")
    return folder


def new_run() -> str:
    """A new run's folder; of several workers the first makes it."""
    from utils.run import folder as runs, multi_worker

    worker, workers = multi_worker.cluster()
    if workers > 1 and not FLAGS.run:
        raise ValueError("with TF_CONFIG pass --run=NAME, the same to every worker")
    if worker:
        return os.path.join(runs.LOGS, FLAGS.run)
    return runs.new_run(FLAGS.run, FLAGS.task)


def write_flags(folder: str) -> None:
    """Writes the flags that repeat the run, as a flag file."""
    from utils.run import folder as runs

    own = [f.serialize() for f in FLAGS.get_key_flags_for_module(sys.argv[0]) if f.name not in ("run", "resume")]
    runs.write_text(folder, runs.FLAGS, "\n".join(filter(None, own)) + "\n")


def build(task):
    """The model that the flags describe, with its first weights."""
    import keras

    from utils.run import folder as runs

    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    if FLAGS.weights.endswith(".keras") or os.path.isdir(os.path.expanduser(FLAGS.weights)):
        print(f"going on from {FLAGS.weights}: its network and the input that it takes, whatever the flags say")
        model = runs.load_model(runs.find_model(FLAGS.weights), task.KIND)
    else:
        model = task.build_model(FLAGS)
    print(f"{model.count_params():,} parameters, input {model.input_shape}")
    return model


def fit(task, model, data, batches, folder) -> None:
    """Trains, writing all that the run leaves into `folder`; Ctrl-C ends it early with a usable model."""
    from utils.run import figures, fitting as training, folder as runs, multi_worker

    rate = FLAGS.learning_rate or training.default_rate(FLAGS.optimizer, model)
    steps = FLAGS.epochs * len(batches)
    optimizer = training.make_optimizer(FLAGS.optimizer, rate, FLAGS.schedule, FLAGS.weight_decay, steps, len(batches))
    trainer = task.trainer(FLAGS, model, optimizer)
    done = training.restore_state(trainer, runs.state_file(folder))
    runs.forget_epochs(folder, done)
    figures.batch(folder, *task.seen(trainer, batches[0][0]))
    callbacks = training.make_callbacks(folder, model, batches, task.validation(FLAGS, model, data), FLAGS.patience)
    try:
        trainer.fit(multi_worker.own_part(batches), epochs=FLAGS.epochs, initial_epoch=done, shuffle=False,
                    verbose=1 if sys.stdout.isatty() else 2,
                    callbacks=[training.CtrlC(), *task.callbacks(FLAGS, batches), *callbacks])
    except KeyboardInterrupt:
        runs.save_aside(model.save, os.path.join(folder, runs.LAST), ".keras")
        print(f"\nstopped; {folder}/{runs.LAST} holds the model as it is; python train.py --resume goes on")


if __name__ == "__main__":
    startup.run(main)
