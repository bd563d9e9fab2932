"""What evaluate.py and eval_rank.py share: their flags, and the way to the room that measures a model."""

import os

from absl import flags

import tasks
from utils.flags import chosen_by_flags, group, refuse_unused

FLAGS = flags.FLAGS


def define_flags(*rooms: str) -> None:
    """The flags of a script that measures models of these rooms."""
    with group("What to measure"):
        flags.DEFINE_enum("task", rooms[0] if len(rooms) == 1 else None, tasks.names_of_rooms(rooms),
                          "What kind of model to measure: a room, or a task of train.py that belongs to it. "
                          + ("Default: that of --model, or of the newest run" if len(rooms) > 1 else "Always this one"))
        flags.DEFINE_string("model", "", "Run folder, .keras file, or a ready model: " + ", ".join(tasks.ready_names())
                            + ". Default: the newest run, otherwise a ready model")
        tasks.define_runtime()
        flags.DEFINE_string("dataset_path", "",
                            "Folder of images, or of undistorted photos, to test on. Default: what the run held out")
        flags.DEFINE_string("out", "", "Folder to write figures and tables to. Default: that of the model; with "
                                       "--compare the working folder")
        flags.DEFINE_integer("seed", 0, "Seed of pairs, distortions, crops and splits", 0)
        flags.DEFINE_boolean("skip_broken", True, "Leave out files that are broken, or missing from a list. "
                                                  "--noskip_broken stops at such a file")
        flags.DEFINE_boolean("json", False, "Print the figures as one JSON object on the last line")
    for room in rooms:
        tasks.module_of(room, "flags").for_evaluation()


def check() -> None:
    """Refuses flags that do not belong together. Where the model tells the room, `main` asks again."""
    room = room_asked()
    if room or not FLAGS.model:
        refuse_unused(room or tasks.DEFAULT_ROOM)


def room_asked() -> str | None:
    """The room that --task names, or the one that uses every flag that was passed; None where several do."""
    if FLAGS.task:
        return tasks.room_named(FLAGS.task)
    left = chosen_by_flags([name for name in FLAGS["task"].parser.enum_values if name in tasks.ROOMS])
    return left.pop() if len(left) == 1 else None


def main(argv: list[str]) -> None:
    """Measures a model and prints the figures."""
    from tasks import about, choosing
    from utils.run import folder as runs

    room = room_asked()
    needs_model = room is None or tasks.module_of(room, "flags").needs_model(FLAGS)
    path = choosing.find_model(FLAGS.model, room) if needs_model else ""
    room = room or choosing.room_of_model(path)
    refuse_unused(room)
    choosing.take_runtime(FLAGS, room)
    result = tasks.module_of(room, "evaluation").evaluate(FLAGS, path)
    held_out = path and not FLAGS.dataset_path and not ("scores" in FLAGS and FLAGS.scores)
    doubt = runs.read_split(os.path.dirname(path)).get(runs.DOUBT) if held_out else ""
    if doubt and runs.DOUBT not in result:
        print(f"but {doubt}")
        about.write_doubt(runs.report_folder(FLAGS.out, path), doubt, (runs.EVALUATION,))
        result[runs.DOUBT] = doubt
    if FLAGS.json:
        print(runs.as_json(result))
