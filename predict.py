"""How alike are two pictures? Asks for file names again and again, or answers once:

    python predict.py
    python predict.py a.png b.png
    python predict.py a.png b.png --json
    python predict.py --gallery=FOLDER query.png        the most alike in a folder
    python predict.py --duplicates=FOLDER               groups of pictures that show the same, and which can go
    python predict.py --undo=DIR/moved-....jsonl        bring back what --duplicates=FOLDER --move_to=DIR --yes moved
    python predict.py --pairs=pairs.csv                 many pairs; accuracy where a third column tells the truth
    python predict.py --matrix=FOLDER --csv=all.npy     each picture against each other one
    python predict.py --between=TEST,TRAIN              what of one folder is in another
    python predict.py --difference=golden.png FOLDER    what differs from a golden picture, place by place
    python predict.py --quality photo.jpg FOLDER        how good do photos look: after --task=rank or finetune
    python predict.py --task=patches a.jpg b.jpg        do photos show the same place, and where lies one in the other
    python predict.py --task=superres photo.jpg FOLDER  the photos larger: after --task=superres
    python predict.py --task=perceptual a.png b.png     how near is b to a, to the eye, and where do they differ
    python predict.py --task=detect photo.jpg FOLDER    what lies where in photos: after --task=detect
    python predict.py --like=example.png photo.jpg      where does something lie that looks like the example
"""

import os
from importlib import import_module

from absl import flags

import tasks
from apps.search import flags as search
from utils.flags import chosen_by_flags, group, refuse_unused
from utils.run import startup

FLAGS = flags.FLAGS
with group("What to ask"):
    flags.DEFINE_enum("task", None, tasks.names_of_rooms(),
                      "The question: a room, or a task of train.py that belongs to it. Default: what --model can "
                      f"answer, otherwise {tasks.DEFAULT_ROOM}")
    flags.DEFINE_string("model", "", "Run folder, .keras file, or a ready model: " + ", ".join(tasks.ready_names())
                        + ". Default: the newest run, otherwise the ready model that knows such pictures")
    tasks.define_runtime()
tasks.define_flags("answers")
search.for_answers()
with group("How to answer"):
    flags.DEFINE_boolean("json", False, "Print the answer as one JSON object on the last line")
    flags.DEFINE_string("csv", "", "Write the answer to this file as well; for several pictures")
    flags.DEFINE_boolean("figure", True, "Show the pictures; without a screen, save them as a PNG file")


def main(argv: list[str]) -> None:
    """Hands the files to the room that answers."""
    asked = room()
    searches = search.asked(FLAGS) and not tasks.ROOMS[asked].between
    answering = import_module("apps.search.answer") if searches else tasks.module_of(asked, "answer")
    answering.answer(FLAGS, argv[1:])


def room() -> str:
    """The room that answers: the one asked for, the one whose flags were passed, or the one that the model belongs
    to."""
    if FLAGS.task:
        return tasks.room_named(FLAGS.task)
    left = chosen_by_flags(list(tasks.ROOMS))
    one = left.pop() if len(left) == 1 else ""
    if not FLAGS.model or one and FLAGS.model in tasks.ROOMS[one].without_model:
        return one or tasks.DEFAULT_ROOM
    from tasks import choosing

    of_model = choosing.room_of_model(choosing.find_model(FLAGS.model))
    return one if one and tasks.ROOMS[one].kind == tasks.ROOMS[of_model].kind else of_model


def check() -> None:
    """Refuses flags that do not belong together."""
    refuse_unused(room())
    search.check(FLAGS)
    check_written()
    from tasks import choosing  # not for --help

    choosing.take_runtime(FLAGS, room())
    if FLAGS.difference and (others := search.asked(FLAGS)):
        raise ValueError(f"--difference and --{others[0]} ask two questions: pass one of them")


def check_written() -> None:
    """Refuses files to write that could not be written, or that are read."""
    from utils.run.console import check_place  # not for --help

    named = {os.path.realpath(FLAGS.pairs): "the list of --pairs"} if FLAGS.pairs else {}
    for flag in ("csv", "print0", "coco"):
        if (path := FLAGS[flag].value) and path != "-":
            check_place(flag, path)
            if (taken := named.setdefault(os.path.realpath(path), f"the file of --{flag}")) != f"the file of --{flag}":
                raise ValueError(f"--{flag}={path} is {taken}: pass another file to write")


if __name__ == "__main__":
    startup.run(main, check)
