"""What evaluate.py and eval_rank.py share: their flags, and the way to the room that measures a model."""

from importlib import import_module

from absl import flags

import tasks
from utils.flags import chosen_by_flags, group, refuse_unused

FLAGS = flags.FLAGS


def define_flags(*rooms: str) -> None:
    """The flags of a script that measures models of these rooms."""
    with group("What to measure"):
        flags.DEFINE_enum("task", rooms[0] if len(rooms) == 1 else None, list(rooms),
                          "What kind of model to measure. Default: that of --model, or of the newest run")
        flags.DEFINE_string("model", "", "Run folder or .keras file. Default: the newest run, otherwise the ready model")
        flags.DEFINE_string("dataset_path", "", "Folder of images, or of undistorted photos, to test on. Default: what the run held out")
        flags.DEFINE_string("out", "", "Folder to write figures and tables to. Default: the model's")
        flags.DEFINE_integer("seed", 0, "Seed of pairs, distortions, crops and splits", 0)
        flags.DEFINE_boolean("json", False, "Print the figures as one JSON object on the last line")
    for room in rooms:
        import_module(f"tasks.{room}.flags").for_evaluation()


def check() -> None:
    """Refuses flags that do not belong together."""
    refuse_unused(FLAGS.task or room_of_flags() or tasks.DEFAULT_ROOM)


def room_of_flags() -> str | None:
    """The one room that uses every flag that was passed; None where several do."""
    left = chosen_by_flags(FLAGS["task"].parser.enum_values)
    return left.pop() if len(left) == 1 else None


def main(argv: list[str]) -> None:
    """Measures a model and prints the figures."""
    from utils.run import folder as runs

    room = FLAGS.task or room_of_flags()
    needs_model = not (FLAGS.compare or "hausdorff" in FLAGS and FLAGS.hausdorff)
    path = find_model(room) if needs_model else ""
    room = room or tasks.room_of_model(path)
    refuse_unused(room)
    result = import_module(f"tasks.{room}.evaluation").evaluate(FLAGS, path)
    if FLAGS.json:
        print(runs.as_json(result))


def find_model(room: str | None) -> str:
    """The model that --model names, or the newest of a room; where no room is chosen, the newest run of any."""
    from utils.run import folder as runs

    if room is None and not FLAGS.model and not runs.newest_run():
        room = tasks.DEFAULT_ROOM
    row = tasks.ROOMS.get(room)
    return runs.find_model(FLAGS.model, row.kind if row else "", row.train if row else "python train.py")
