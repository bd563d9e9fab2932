"""How names and long lists are said: whole, safely, and once."""

import math
import re
from collections import Counter
from collections.abc import Sequence

NAMED = 5  # files named before "and so many more"
LEFT_OUT = "left_out.txt"  # where all of them stand, in the working folder
# controls, changes of direction, bytes
UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SAID: set[str] = set()
MANY: Counter = Counter()  # lines of `say_some`, by their kinds


def shown(text: str) -> str:
    """A name as a terminal may show it: control characters and bytes of no encoding are written as escapes, such as
    \\x1b."""
    return UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode(), text)


def some(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(map(shown, names[:NAMED])) + (f" and {more} more" if more > 0 else "")


def no_photos(files: list[str], asked: str) -> str:
    """That there is no picture in what was asked about, as an error says it.

    Args:
        asked: the flag that asked, such as "--quality".
    """
    received = f"{', '.join(map(shown, files))}: no picture there" if files else "received no photo"
    return f"{received}; expected photos or folders of them: python predict.py {asked} photo.jpg"


def counted(number: int, thing: str, several: str = "") -> str:
    """A number and its noun: "1 group", "2 groups"; `several` where an s does not make the plural."""
    return f"{number} {thing if number == 1 else several or thing + 's'}"


def say_once(text: str, key: str = "") -> None:
    """Prints a line that this process has not printed yet, or the first one of this key."""
    if (key or text) not in SAID:
        SAID.add(key or text)
        print(text)


def say_some(what: str, text: str) -> None:
    """Prints a line that this process has not printed yet; of many of one kind the first, and `say_rest` counts the
    others.

    Args:
        what: the kind, as it is said of several files: "files hold several pages".
    """
    if text not in SAID:
        SAID.add(text)
        MANY[what] += 1
        if MANY[what] <= NAMED:
            print(text)


def say_rest() -> None:
    """Says how many more lines of each kind there were than `say_some` printed."""
    for what, count in MANY.items():
        if count > NAMED:
            print(f"{count - NAMED} more {what}")
    MANY.clear()


def left_out(what: str, problems: Sequence[str]) -> None:
    """Says what was left out, such as "3 photos", and why; where that is a long list, the whole of it goes to
    `LEFT_OUT`. Says it once.

    Args:
        problems: a line for each, which names the file.
    """
    text = f"left out {what}: {some(problems)}"
    if not problems or text in SAID:
        return
    SAID.add(text)
    if len(problems) > NAMED:
        try:
            with open(LEFT_OUT, "a" if LEFT_OUT in SAID else "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(f"left out {what}:\n" + "".join(f"{problem}\n" for problem in problems) + "\n")
            SAID.add(LEFT_OUT)
            text += f"; {LEFT_OUT} names them all"
        except OSError:  # a folder that cannot be written to
            text = f"left out {what}: " + ", ".join(map(shown, problems))
    print(text)


def either(names: Sequence[str]) -> str:
    """"a", or "a, b or c"."""
    *others, last = names
    return f"{', '.join(others)}{' or ' if others else ''}{last}"


def exactly(similarity: float) -> str:
    """A similarity with three digits, and near 1 with as many as tell it from 1."""
    digits = 3 if similarity >= 1 else min(max(3, math.ceil(1 - math.log10(1 - similarity))), 8)
    return f"{similarity:.{digits}f}"
