"""Writes a model in a format that other programs run without Keras, and checks the file by its own runtime:

    python export.py --model=photos --format=onnx                  two files: tower (embedding) and pair (similarity)
    python export.py --model=logs/RUN --format=litert --what=pair
    python export.py --model=quality --format=savedmodel --out=FOLDER
    python export.py --model=photos --pictures=FOLDER              checked on your own pictures
"""

from absl import flags

from apps.exporting import formats
from tasks import ROOMS, ready_names
from utils.flags import group
from utils.run import startup

FLAGS = flags.FLAGS
PARTS = {name: part for row in ROOMS.values() for name, part in row.parts.items()}
with group("What to export"):
    flags.DEFINE_string("model", "", "Run folder, .keras file, or a ready model: " + ", ".join(ready_names())
                        + ". Default: the newest run, otherwise a ready model")
    flags.DEFINE_enum("format", "onnx", list(formats.FORMATS),
                      "onnx: for ONNX Runtime; litert: for phones, once called TensorFlow Lite; savedmodel: for "
                      "TensorFlow")
    flags.DEFINE_enum("what", None, sorted(PARTS), "The part of the model. " + "; ".join(
                      f"{name}: {PARTS[name].text}" for name in sorted(PARTS)) + ". Default: all that the model has")
with group("How to export"):
    flags.DEFINE_string("out", "", "Folder to write to. Default: export_FORMAT beside the model")
    flags.DEFINE_boolean("force", False, "Replace files of an export before this one")
    flags.DEFINE_string("pictures", "", "Folder of pictures to compare the file with Keras on. Default: crops of the "
                                        "two photos that scikit-learn brings")
    flags.DEFINE_boolean("json", False, "Print what was written as one JSON object on the last line")


def main(argv: list[str]) -> None:
    """Writes the files."""
    from apps.exporting import writing

    writing.export(FLAGS)


def check() -> None:
    """Refuses a format whose packages are not installed."""
    formats.check(FLAGS.format)


if __name__ == "__main__":
    startup.run(main, check)
