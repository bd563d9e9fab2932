"""What the program can be asked. Each question has a folder here, called its room; each way of learning to answer it
has a row in TASKS.

A room holds

    flags.py        the flags that only its tasks use: `for_training`, `for_answers`, `for_evaluation`;
                    `check(options)` of train.py, and `check_data(options)` where it can look at the folders before
                    Keras is imported; `needs_model(options)` of evaluate.py
    model.py        opens a model and asks it; holds what `compare.load` returns
    answer.py       `answer(options, files)`: what predict.py does
    evaluation.py   `evaluate(options, path)`: what evaluate.py does
    task.py ...     the modules of its tasks: what train.py does, see `Task`
    apps/           what the apps ask of it: card.py for export.py; tabs.py, words.py and templates for the page

To add a task, write its folder and add its row to TASKS, and to ROOMS where it is a new room. A row in ROOMS holds all
that others ask of a room: they go over the table, and name no room themselves. Which model answers is chosen in
`tasks.choosing`. This module and all flags.py import no Keras, so that `--help` answers at once.
"""

from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    import keras
    import numpy as np
    from absl import flags

    from utils.run.fitting import Validation


class TaskRow(NamedTuple):
    """One value of train.py's --task: its room, its module in the room, and the question it learns to answer."""

    room: str
    module: str
    question: str


class Part(NamedTuple):
    """A part of a model, which export.py writes alone.

    Attributes:
        output: the name of its output.
        text: what it does, for --help.
        layer: the layer of the model that it is; "": the whole model.
        inputs: the names of its inputs, of one shape.
    """

    output: str
    text: str
    layer: str = ""
    inputs: tuple[str, ...] = ("image",)


class RoomRow(NamedTuple):
    """One value of --task of predict.py and evaluate.py, and all that others ask of the room.

    Attributes:
        kind: the name of its Keras models. Of several rooms with one kind, the first one speaks for all: where it is
            asked, the models of the others answer too.
        network: the module of nets that makes them; to import it makes their layers known to Keras. Where its
            ANY_SIZE is True they take any height and width, from its MINIMUM of pixels on and multiples of its MULTIPLE
            where it has these.
        reader: the function of that module that reads a model and fails where it is not built as these are; "": none.
        ready: the ready models, the default first: what --model calls them, and their folders in model_data/.
        train: the command that trains one.
        model: what `compare.load` returns for them: module.Class, made of the path of a .keras file and of
            the arguments `threshold` and `threshold_at`, which may have no effect.
        parts: what export.py writes, by name. The card beside each file is by `card` in the room's apps/card.py.
        tabs: its tabs on the page. Of each, the function of this name in the room's apps/tabs.py answers, the template
            of this name beside it draws the answer, and apps/words.py has the words.
        without_model: what `compare.load` and the page take in place of a model, such as a method that learns nothing.
        towers: the table of towers that train.py's --backbone takes for it, module.TABLE; "": none of its own.
        losses: the table of losses that train.py's --loss takes for it; "": its tasks have no such flag.
        embeds: whether its models turn a picture into an embedding, so that folders can be searched with them.
        learnt: the function that says in a line what its models learnt from, by their about.json.
        proves: whether its models find candidates alone, and `tasks.copies.proof` decides who is a copy of whom.
        quick: the function that makes of the first of `parts`, run by ONNX Runtime, what `reader` makes of a model,
            module.name; "": none, and Keras answers alone.
        between: what predict.py's --between asks of it, for --help, where it embeds no pictures; "": nothing.
    """

    kind: str
    network: str
    reader: str
    ready: dict[str, str]
    train: str
    model: str
    parts: Mapping[str, Part]
    tabs: tuple[str, ...] = ()
    without_model: tuple[str, ...] = ()
    towers: str = ""
    losses: str = ""
    embeds: bool = False
    learnt: str = "tasks.about.of_classes"
    proves: bool = False
    quick: str = ""
    between: str = ""


TASKS = {
    "siamese": TaskRow("similarity", "task", "are these two the same thing? Learns from folders of classes"),
    "triplet": TaskRow("similarity", "task", "how near are they? Learns from folders of classes, to search in"),
    "copies": TaskRow("copies", "task", "is this a copy of that photo? Learns from a folder of photos without labels, "
                                        "which it crops, recolours, turns and writes on"),
    "rank": TaskRow("quality", "learning.ranking",
                    "which looks better? Learns from good photos, which it distorts more and more"),
    "patches": TaskRow("patches", "task", "do these patches show the same place? Learns from a folder of photos "
                                          "without labels, whose places it shows again from elsewhere and in another "
                                          "light"),
    "finetune": TaskRow("quality", "learning.finetuning",
                        "which looks better to people? Learns from photos with human scores"),
    "superres": TaskRow("superres", "task", "what does this photo look like at twice its size, or more? Learns from a "
                                            "folder of sharp photos, which it makes small"),
    "perceptual": TaskRow("perceptual", "task", "what picture looks like this one to the eye? Learns from a folder of "
                                                "photos to make them again of a small code, or of what a network sees"),
    "detect": TaskRow("detection", "task", "what lies where in this photo? Learns from photos with boxes, or from "
                                           "scenes of small signs, which it draws"),
}

SIAMESE = {"tower": Part("embedding", "a picture -> its embedding", layer="tower"),
           "pair": Part("similarity", "two pictures -> their similarity", inputs=("left", "right"))}
ROOMS = {
    "similarity": RoomRow(
        "siamese", "nets.models.siamese", "comparer",
        {"characters": "omniglot_compact", "things": "things_compact"}, "python train.py",
        "apps.search.model.Similarity", SIAMESE, ("same", "search", "duplicates", "why"),
        towers="nets.towers.SIMILARITY", losses="nets.losses.LOSSES", embeds=True, quick="nets.quick.comparer"),
    "copies": RoomRow(
        "siamese", "nets.models.siamese", "comparer", {"photos": "photos_compact"}, "python train.py --task=copies",
        "apps.search.model.Similarity", SIAMESE,
        towers="nets.towers.SIMILARITY", embeds=True, learnt="tasks.copies.report.learnt", proves=True,
        quick="nets.quick.comparer"),
    "quality": RoomRow(
        "rankiqa", "nets.models.rankiqa", "scorer", {"quality": "rank_live"}, "python train.py --task=rank",
        "tasks.quality.model.Quality", {"quality": Part("quality", "a photo -> its score")}, ("quality",),
        towers="nets.towers.QUALITY", learnt="tasks.quality.report.learnt", quick="nets.quick.scorer"),
    "patches": RoomRow(
        "descriptor", "nets.models.descriptor", "describer", {"patches": "patches_compact"},
        "python train.py --task=patches",
        "tasks.patches.model.Places", {"descriptor": Part("descriptor", "a patch -> its descriptor")}, ("places",),
        ("sift",), towers="nets.towers.PATCHES", learnt="tasks.patches.model.learnt", quick="nets.quick.describer"),
    "superres": RoomRow(
        "superres", "nets.models.superres", "enlarger", {"x2": "superres_x2"}, "python train.py --task=superres",
        "tasks.superres.model.Larger",
        {"larger": Part("larger", "a photo -> the same photo, larger")}, ("larger",),
        towers="nets.towers.SUPERRES", losses="nets.losses.PICTURE_LOSSES", learnt="tasks.superres.model.learnt"),
    "perceptual": RoomRow(
        "perceptual", "nets.models.perceptual", "maker", {}, "python train.py --task=perceptual",
        "tasks.perceptual.model.Perceptual",
        {"distance": Part("distance", "two pictures -> their perceptual distance", layer="distance",
                          inputs=("left", "right")),
         "made": Part("made", "a photo -> what the generator makes of it", layer="generated")},
        ("near",), ("deepsim",), towers="nets.generators.GENERATORS", learnt="tasks.perceptual.model.learnt",
        between="how far is each picture of B, to the eye, from that of the same name in A?"),
    "detection": RoomRow(
        "detector", "nets.models.detector", "finder", {"objects": "objects_compact"}, "python train.py --task=detect",
        "tasks.detection.model.Objects",
        {"boxes": Part("boxes", "a photo -> boxes, and a score of each class for each")}, ("objects",),
        towers="nets.detectors.DETECTORS", learnt="tasks.detection.model.learnt"),
}


RUNTIMES = ("auto", "onnx", "keras")  # what may run a model, the usual first
DEFAULT_TASK, DEFAULT_ROOM = next(iter(TASKS)), next(iter(ROOMS))  # where neither flags nor a model tell


class Data(Protocol):
    """What `find_data` returns: anything that names its folder and says what was held out."""

    root: str  # the folder that was read
    held_out: dict[str, Any]  # for split.json; must not change when the run is resumed


class Task(Protocol):
    """The contract of a task: the names that train.py uses of its module, in the order in which it does.

    `options` are absl's flags. `model` is the model that is kept for use, and the "trainer" is the model that is
    trained: a batch in, the loss out. They share what learns. Nothing more is asked of either: no layer needs a certain
    name.

    A batch is a tuple (inputs, targets). Inputs and targets are each an array, such as pictures (B, H, W, C), or a tree
    of arrays: dicts, tuples and lists, one in another. The first axis of each array is the batch.

    Several networks may learn, each with an optimizer of its own, such as a generator and a discriminator. The trainer
    holds them all. A network that learns and is no part of `model` is kept beside it, as best.NAME.keras and
    last.NAME.keras, and `tasks.models.load_model(runs.beside(path, NAME), NAME)` reads it. A resumed run goes on with
    all networks, optimizers and seeds of random layers as they were.
    """

    KIND: str  # name of the Keras models that it keeps
    NEXT: str  # the commands to try after training
    CURVES: list[tuple[str, list[str]]]  # panels of curves.png: title, and columns of log.csv
    # of evaluation.json whose spread over --splits is told, and their names; none without --splits
    FIGURES: dict[str, str]

    def settle(self, options: "flags.FlagValues") -> None:
        """Gives a value to every flag that was left to the data, such as the input size; says what it chose. flags.txt
        holds the values."""

    def build_model(self, options: "flags.FlagValues", start: "keras.Model | None" = None) -> "keras.Model":
        """The model that the flags describe, with its first weights. `start` is the model that --weights names, if it
        names one."""

    def find_data(self, options: "flags.FlagValues", model: "keras.Model") -> Data:
        """Finds, reads and splits the data, and says what was found. It only reads: files, and what the model takes."""

    def prepare(self, options: "flags.FlagValues", model: "keras.Model", data: Data) -> None:
        """Changes the model where the data or the flags ask for it, such as the range of its scores."""

    def make_batches(self, options: "flags.FlagValues", data: Data, model: "keras.Model") -> "keras.utils.PyDataset":
        """Batches of the training rows, repeatable from seed, epoch and step; says what one holds."""

    def trainer(
        self, options: "flags.FlagValues", model: "keras.Model",
        make_optimizer: "Callable[[keras.Model], keras.Optimizer]",
    ) -> "keras.Model":
        """The compiled model that is trained.

        It calls `make_optimizer(network)` once for each network that learns, and compiles with what that returns; of
        several networks, with `tasks.optimizers.ForEach` of them.
        """

    def preview(
        self, trainer: "keras.Model", batch: tuple, data: Data
    ) -> tuple["np.ndarray", "np.ndarray", dict[int, str]] | None:
        """What batch.png shows of a batch (inputs, targets): images as the network sees them (N, H, W, C) in 0..255,
        the row of each (N,), and the names of the rows; None: a batch holds no images."""

    def validation(self, options: "flags.FlagValues", model: "keras.Model", data: Data) -> "Validation | None":
        """How the model is measured after each epoch; None where there is nothing to measure on."""

    def callbacks(self, options: "flags.FlagValues",
                  batches: "keras.utils.PyDataset") -> "list[keras.callbacks.Callback]":
        """Callbacks of this task alone."""

    def finish(self, options: "flags.FlagValues", folder: str, data: Data) -> list[str]:
        """Measures the model of the best epoch, writes the report into the run's folder, and returns it in lines to
        print."""


class Room(Protocol):
    """The contract of a room: what predict.py and evaluate.py call, in its modules answer and evaluation."""

    def answer(self, options: "flags.FlagValues", files: list[str]) -> None:
        """Answers about the files that the command line names; files that cannot be read are refused or named."""

    def evaluate(self, options: "flags.FlagValues", path: str) -> dict[str, Any]:
        """Measures the model in the .keras file `path` ("": none), prints the figures and returns them."""


def task_module(task: str) -> Task:
    """The module of a task in TASKS."""
    return module_of(TASKS[task].room, TASKS[task].module)


def room_named(name: str) -> str:
    """The room of a name: its own, or that of a task of train.py, so that --task=rank means quality; ValueError for
    others."""
    return TASKS[name].room if name in TASKS and name not in ROOMS else name


def names_of_rooms(rooms: Iterable[str] = ()) -> list[str]:
    """What --task of predict.py and evaluate.py takes: these rooms, or all, and the tasks of train.py that they
    hold."""
    rooms = list(rooms or ROOMS)
    return list(dict.fromkeys([*rooms, *(task for task, row in TASKS.items() if row.room in rooms)]))


def ready_names() -> dict[str, str]:
    """The ready models of all rooms: what --model calls them, and their folders in model_data/."""
    return {name: folder for row in ROOMS.values() for name, folder in row.ready.items()}


def imported(name: str):
    """What a row names as module.name: a class or a function."""
    module, name = name.rsplit(".", 1)
    return getattr(import_module(module), name)


def model_class(room: str):
    """What `compare.load` returns for the models of a room: a class."""
    return imported(ROOMS[room].model)


def define_flags(script: str) -> None:
    """Defines the flags that the rooms add to a script: "training", "answers" or "evaluation"."""
    for room in ROOMS:
        getattr(module_of(room, "flags"), f"for_{script}")()


def define_runtime() -> None:
    """The flag of the scripts that use models: what runs them, see `tasks.choosing.set_runtime`."""
    from absl import flags

    flags.DEFINE_enum("runtime", RUNTIMES[0], RUNTIMES,
                      "What runs the model. auto: ONNX Runtime where its network was exported for it, which starts in "
                      "a fraction of the time; otherwise Keras, on --backend")


def flags_of(task: str):
    """The module that defines the flags of a task in TASKS."""
    return module_of(TASKS[task].room, "flags")


def module_of(room: str, name: str):
    """A module in the folder of a room."""
    return import_module(f"tasks.{room}.{name}")


def rooms_that_embed() -> list[str]:
    """The rooms whose models turn a picture into an embedding."""
    return [room for room, row in ROOMS.items() if row.embeds]


def backbones() -> list[str]:
    """What train.py's --backbone takes: the towers of all rooms."""
    return list(dict.fromkeys(name for row in ROOMS.values() if row.towers for name in imported(row.towers)))


def losses() -> dict[str, Any]:
    """What train.py's --loss takes, and the rows of these names: the losses of all rooms."""
    return {name: loss for row in ROOMS.values() if row.losses for name, loss in imported(row.losses).items()}


def tasks_with_losses() -> list[str]:
    """The tasks that have the flag --loss."""
    return [task for task, row in TASKS.items() if ROOMS[row.room].losses]


def __getattr__(name: str) -> Any:
    """The functions that have moved to `tasks.choosing`, by their former names, for one release."""
    if name in ("find_model", "named", "ready_model", "room_of_model", "room_of_kind"):
        return imported(f"tasks.choosing.{'find_model' if name == 'named' else name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
