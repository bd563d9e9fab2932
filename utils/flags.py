"""How the flags of a script are grouped, explained and refused; absl does the parsing.

Flags are defined under a heading, together with the tasks that use them:

    with group("How triplets are chosen", "triplet"):
        flags.DEFINE_enum("mining", ...)

The headings and their order are those of `--help`. A flag that is passed to another task is refused by
`refuse_unused`. This module and whoever defines flags import no Keras, so that `--help` and a
misspelled flag answer at once.
"""

import contextlib
import math
import os
import re
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from absl import app, flags

from utils.saying import either

FLAGS = flags.FLAGS
WIDTH = 110  # characters in a line of --help
MOST = 2**31 - 1  # of a whole number: every backend takes it as a seed


class Group(NamedTuple):
    """A heading, the flags under it, and the tasks that use these; no tasks: all do. `notes`: on other flags."""

    title: str
    names: tuple[str, ...]
    tasks: tuple[str, ...]
    notes: tuple[str, ...] = ()


class Retired(NamedTuple):
    """A flag that was removed: the value that meant nothing, with which old flag files still work, and what to do about
    others."""

    harmless: str
    advice: str


GROUPS: list[Group] = []
RETIRED: dict[str, Retired] = {
    "level_gap": Retired("0", "all pairs of levels are compared"),
}
# former defaults: old flag files name them, which says nothing either
FORMER: dict[str, object] = {"images_per_class": 3}


@contextlib.contextmanager
def group(title: str, *tasks: str) -> Iterator[None]:
    """The flags that are defined inside stand under `title` in --help and belong to `tasks`; none named: to all."""
    before = set(FLAGS)
    yield
    GROUPS.append(Group(title, tuple(name for name in FLAGS if name not in before), tasks))


def defaults(title: str, *tasks: str, **notes: str) -> None:
    """What the flags that all tasks share mean to these tasks, and their defaults, which stand under `title` in --help.

    Args:
        notes: by the name of the flag, without the full stop.
    """
    GROUPS.append(Group(title, (), tasks, tuple(f"--{name}: {text}." for name, text in notes.items())))


def passed(name: str) -> bool:
    """Whether a flag was chosen: named on the command line, or set in a flag file to something else than its default.

    A flag file of an older run names every flag there was, so a default in it says nothing.
    """
    pattern = re.compile(rf"--?(no)?{re.escape(name)}(=|$)")
    return (any(map(pattern.match, sys.argv[1:])) or FLAGS[name].present
            and FLAGS[name].value not in (FLAGS[name].default, FORMER.get(name)))


def chosen_by_flags(tasks: Sequence[str]) -> set[str]:
    """The tasks among `tasks` that use every flag that was passed."""
    left = set(tasks)
    for group in GROUPS:
        if group.tasks and any(map(passed, group.names)):
            left &= set(group.tasks)
    return left


def refuse_unused(task: str) -> None:
    """Raises ValueError where a flag was passed that `task` does not use."""
    for group in GROUPS:
        for name in group.names if group.tasks and task not in group.tasks else ():
            if passed(name):
                said = f"no{name}" if FLAGS[name].value is False else name
                raise ValueError(f"--{said} has no effect with --task={task}: it belongs to "
                                 f"{tasks_in_words(group.tasks)}. Leave --{said} out, or change --task")


def tasks_in_words(tasks: Sequence[str]) -> str:
    """"--task=rank", or "--task=siamese, triplet or copies"."""
    return f"--task={either(tasks)}"


def own_names(task: str) -> list[str]:
    """The names of the flags that `task` uses."""
    return [name for group in GROUPS for name in group.names if not group.tasks or task in group.tasks]


def own_flags(task: str, without: Sequence[str] = ()) -> list[str]:
    """The flags that `task` uses, as lines of a flag file; those named `without` are left out."""
    return [line for name in own_names(task) if name not in without and (line := FLAGS[name].serialize())]


def parse(argv: Sequence[str], source: str = "") -> list[str]:
    """Parses the command line, flag files included, and returns what is no flag.

    Flags that were removed are dropped where they meant nothing, and otherwise refused in one line.

    Args:
        source: the file that the flags stand in, for that line.

    Raises:
        absl.flags.Error: an unknown flag, or a value that its flag does not take.
    """
    kept = []
    for argument in FLAGS.read_flags_from_files(list(argv), force_gnu=True):
        name, _, value = argument.lstrip("-").partition("=")
        if argument.startswith("--") and name in RETIRED:
            if value != RETIRED[name].harmless:
                where = f"{source}: " if source else ""
                print(f"error: {where}{argument} was removed: {RETIRED[name].advice}. Take it out of the command or "
                      "the flag file", file=sys.stderr)
                sys.exit(2)
            continue
        kept.append(argument)
    left = FLAGS(kept)
    check_numbers()
    return left


def check_numbers() -> None:
    """Raises absl.flags.IllegalFlagValueError, which names the flag, where a number is NaN, infinite, or larger than
    `MOST`."""
    for name in FLAGS:
        value = FLAGS[name].value
        if isinstance(value, float) and not math.isfinite(value):
            raise flags.IllegalFlagValueError(f"flag --{name}={value}: expected a finite number")
        if isinstance(value, int) and abs(value) > MOST:
            raise flags.IllegalFlagValueError(f"flag --{name}={value}: expected a whole number of at most {MOST}")


def are_numbers(texts: Sequence[str]) -> bool:
    """Whether each of these texts is a finite number."""
    try:
        return all(math.isfinite(float(text)) for text in texts)
    except ValueError:
        return False


def run(main: Callable[[list[str]], None]) -> None:
    """Parses the command line and calls `main`; `--help` prints `help_text`."""
    app.define_help_flags()
    flags.DEFINE_flag(Help())
    app.run(main, flags_parser=lambda argv: app.parse_flags_with_usage(argv) if absl_answers(argv) else parsed(argv))


def absl_answers(argv: Sequence[str]) -> bool:
    """Whether absl answers this command line by itself: --helpfull, --helpxml and their like."""
    return any(argument.lstrip("-").startswith(("helpf", "helpx", "helps")) for argument in argv[1:])


def parsed(argv: Sequence[str]) -> list[str]:
    """As `parse`; a command line that cannot be parsed ends the script with exit code 1, and says why."""
    try:
        return parse(argv)
    except flags.Error as error:
        print(f"FATAL Flags parsing error: {error}\nPass --help to see the flags.", file=sys.stderr)
        sys.exit(1)


class Help(flags.BooleanFlag):
    """--help: prints the flags by group and ends the script."""

    def __init__(self):
        super().__init__("help", False, "show this help", short_name="?", allow_override=True)

    def parse(self, argument):
        if argument in (True, "true"):
            try:
                print(help_text(), flush=True)
            except BrokenPipeError:  # the reader, such as head, has seen enough
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)


def help_text() -> str:
    """What the script is for, and every flag under its heading, in the order in which the source has them."""
    lines = [(sys.modules["__main__"].__doc__ or "").strip()]
    for group in GROUPS:
        lines += ["", group.title + (f" ({tasks_in_words(group.tasks)})" if group.tasks else "")]
        for note in group.notes:
            lines += textwrap.wrap(note, WIDTH, initial_indent="  ", subsequent_indent="      ")
        for name in group.names:
            lines += described(FLAGS[name])
    return "\n".join(lines)


def described(flag: flags.Flag) -> list[str]:
    """A flag with its default, and its text indented below."""
    if isinstance(flag.parser, flags.BooleanParser):
        head = (f"  --[no]{flag.name}"
                + ("" if flag.default is None else f"  (default: {'on' if flag.default else 'off'})"))
    else:
        default = flag.default
        shown = ",".join(default) if isinstance(default, list) else default
        head = f"  --{flag.name}=" + (f"{shown}" if shown not in (None, "") else "...")
    text = re.sub(r"^<[^>]*>: ", "", flag.help)  # absl puts the choices before the text
    text = " ".join(text.split())
    text += "" if text.endswith((".", "?")) else "."
    if isinstance(flag.parser, flags.EnumParser):
        text += f" One of: {', '.join(flag.parser.enum_values)}."
    return [head, *textwrap.wrap(text, WIDTH, initial_indent="      ", subsequent_indent="      ")]
