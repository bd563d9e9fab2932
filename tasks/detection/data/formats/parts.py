"""Which photos are to train on, to validate and to test, as the folders and the lists of a set tell."""

import os
import re
from collections.abc import Iterable

from utils.data.files import PARTS

WORDS = PARTS | {"trainval": "train"}  # the last word counts where no other list names a photo
YEAR = re.compile(r"[-_]?(19|20)\d\d$")


def part_of(path: str) -> str:
    """The part that a folder of a path names, with a year or without, as train2017 does; or ""."""
    folders = [YEAR.sub("", name.lower()) for name in path.split(os.sep)[:-1]]
    return next((PARTS[name] for name in folders if name in PARTS), "")


def word_of(path: str) -> str:
    """The one of WORDS in the name of a file, as train in instances_train2017.json; "" where there is none, or two."""
    stem = os.path.splitext(os.path.basename(path))[0].lower()
    words = {word for word in re.split(r"[^a-z]+", stem) if word in WORDS}
    return words.pop() if len(words) == 1 else ""


def by_photo(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The part of each photo, from pairs of one of WORDS and a photo; the first in the order of WORDS counts, so that
    no photo that is trained on is in another part."""
    order, made = list(WORDS), {}
    for word, photo in sorted(told, key=lambda each: order.index(each[0])):
        made.setdefault(photo, WORDS[word])
    return made
