"""Exports a model: writes its parts aside, runs each by its own runtime, compares with Keras, and keeps all files or
none."""

import inspect
import os
import re
import shutil
import tempfile
from pathlib import Path

import keras

from apps.exporting import checking, formats, parts
from apps.exporting.card import card
from nets import inference
from tasks import ROOMS, module_of
from tasks.choosing import find_model, room_of_model
from tasks.models import load_model
from utils.data.files import remove_remains, writer
from utils.run import folder as runs
from utils.saying import shown

EXAMPLE, ASIDE = "example.py", ".new-"  # the program that is written too; what is written aside, see `remove_remains`


def export(options) -> None:
    """Writes what the flags ask for into a folder, and says for each file how much it differs from Keras."""
    check_backend()
    path = find_model(options.model)
    room = room_of_model(path)
    model = load_model(path, ROOMS[room].kind)
    wanted = parts.parts_of(inference.in_float32(model), options.what)
    folder = os.path.expanduser(options.out) or os.path.join(os.path.dirname(path) or ".", f"export_{options.format}")
    endings, own_example = [formats.FORMATS[options.format].ending, ".json"], example(options.format)
    # an export that was killed was allowed to write here; its folder stands until all of its files do
    force = remove_remains(folder, ASIDE) or options.force
    check_folder(folder, [name + ending for name in wanted for ending in endings], own_example, force)
    print(f"model {path}, {', '.join(wanted)} as {options.format}")
    if (precision := inference.precision_of(model)) != "float32":
        print(f"the model was trained in {precision}, and the file computes in float32: its answers differ a little "
              "from those of predict.py")
    with tempfile.TemporaryDirectory(prefix=f"{ASIDE}{writer()}-", dir=folder) as aside:
        cards = [write_part(options, model, part, path, aside, room) for part in wanted.values()]
        Path(aside, EXAMPLE).write_text(own_example, encoding="utf-8")
        for name in sorted(os.listdir(aside)):
            move(os.path.join(aside, name), os.path.join(folder, name))
    shows = max(wanted, key=lambda name: len(wanted[name].inputs))  # for two pictures: one number
    print(f"written to {shown(folder)}: try it with  python {shown(os.path.join(folder, EXAMPLE))} "
          f"{shown(os.path.join(folder, shows))}.json "
          f"picture.png{' other.png' * (len(wanted[shows].inputs) > 1)}")
    if options.json:
        print(runs.as_json({"folder": folder, "files": cards}))


def write_part(options, model: keras.Model, part: keras.Model, path: str, aside: str, room: str) -> dict:
    """Writes and checks a part of a model, in the folder `aside`; returns its card.

    Raises:
        ValueError: it cannot be written, or cannot be run, or differs from Keras by more than `checking.LIMIT`.
    """
    file = part.name + formats.FORMATS[options.format].ending
    side = getattr(module_of(room, "apps.card"), "side", lambda model: checking.SIDE)(model)
    tried = checking.batches(part, os.path.expanduser(options.pictures), side)
    formats.write(part, options.format, os.path.join(aside, file))
    run = formats.opened(options.format, os.path.join(aside, file))
    with formats.running(options.format):
        difference = checking.difference(part, run, tried)
    checking.check(difference, file)
    sizes = [len(next(iter(inputs.values()))) for inputs in tried]
    size = size_of(os.path.join(aside, file))
    print(f"  {file}: {size / 1e6:.2f} MB, differs from Keras by at most {difference:.2g} in batches of "
          f"{' and '.join(map(str, sizes))}")
    told = card(model, part, file, options.format, path, room)
    told["checked"] = {"pictures": "of a folder" if options.pictures else "crops of scikit-learn's photos",
                       "batches": sizes,
                       "largest_difference": difference, "bytes": size}
    runs.write_json(aside, f"{part.name}.json", told)
    return told


def check_backend() -> None:
    """Raises ValueError where Keras runs on another backend than TensorFlow, through which all formats are written."""
    backend = keras.backend.backend()
    if backend != "tensorflow":
        raise ValueError(f"Keras runs on {backend}, and files are written through TensorFlow: pass "
                         f"--backend=tensorflow; a model that was trained on {backend} can be exported so")


def check_folder(folder: str, names: list[str], own_example: str, force: bool) -> None:
    """Makes the folder; ValueError where it cannot be written to, or holds such files, or another example, already."""
    try:
        os.makedirs(folder, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(f"--out={folder}: cannot be written to ({error.strerror}); pass a folder that can") from error
    there = [name for name in names if os.path.exists(os.path.join(folder, name))]
    if os.path.exists(os.path.join(folder, EXAMPLE)) and Path(folder, EXAMPLE).read_bytes() != own_example.encode():
        there.append(EXAMPLE)
    if there and not force:
        raise ValueError(f"{os.path.join(folder, there[0])} exists: pass --force to replace it, or another --out")


def example(name: str) -> str:
    """The program that is written beside a format: example.py, with the function that opens the format in place of its
    import."""
    source = Path(__file__).with_name(EXAMPLE).read_text(encoding="utf-8")
    opened = inspect.getsource(formats.FORMATS[name].opened).replace(f"def {formats.FORMATS[name].opened.__name__}(",
                                                                     "def opened(")
    return re.sub(r"from apps\.exporting\.formats import .*\n", lambda match: "\n" + opened, source)


def move(new: str, path: str) -> None:
    """Puts a file, or a folder, in the place of the former one, which goes last."""
    former = f"{new}.former"
    if os.path.isdir(path):
        os.replace(path, former)
    os.replace(new, path)
    shutil.rmtree(former, ignore_errors=True)


def size_of(path: str) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = [path] if os.path.isfile(path) else [file for file in Path(path).rglob("*") if file.is_file()]
    return sum(os.path.getsize(file) for file in files)
