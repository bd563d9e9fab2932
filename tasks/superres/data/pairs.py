"""Which photos are measured or learnt from: the large ones of a folder, and the small one of each in another folder."""

import os
import re
from typing import NamedTuple

from utils.data.files import walk
from utils.data.images import size_of
from utils.saying import some

LARGE, SRF = re.compile(r"_HR$"), re.compile(r"_SRF_(\d)")  # as the benchmarks name them: img_001_SRF_2_HR.png
ENDINGS = re.compile(r"(_SRF_\d)?_[HL]R$|[_-]?x\d$", re.IGNORECASE)  # what the names of a pair may differ in


class Pair(NamedTuple):
    """A large photo and the small one of the same; "": the small one is made of the large one."""

    large: str
    small: str = ""


def stem(name: str) -> str:
    """The name of a file without its ending."""
    return os.path.splitext(name)[0]


def key(name: str) -> str:
    """What the names of the large and the small photo of a pair have in common."""
    return ENDINGS.sub("", stem(os.path.basename(name)))


def large_photos(root: str, scale: int) -> list[str]:
    """The names of the large photos below a folder.

    Where names end as those of the benchmarks do, only `_HR` counts, and of several scales the one that is asked for.
    """
    names = walk(root)[0]
    marked = [name for name in names if LARGE.search(stem(name))]
    of_scale = [name for name in marked if (found := SRF.search(name)) and int(found[1]) == scale]
    return of_scale or marked or names


def paired(root: str, names: list[str], small_root: str, scale: int) -> list[Pair]:
    """The large photos of these names, each with its small one where a folder of these is given.

    Raises:
        ValueError: a small photo is missing, comes twice, or is not `scale` times smaller.
    """
    if not small_root:
        return [Pair(os.path.join(root, name)) for name in names]
    small_root = os.path.expanduser(small_root)
    small: dict[str, list[str]] = {}
    for name in small_photos(small_root, scale):
        small.setdefault(key(name), []).append(os.path.join(small_root, name))
    missing = [name for name in names if len(small.get(key(name), [])) != 1]
    if missing:
        raise ValueError(f"--lr_path={small_root}: expected one small photo for each large one, such as 0001.png or "
                         f"0001x{scale}.png for 0001.png; {len(missing)} have none, or several: {some(missing)}")
    pairs = [Pair(os.path.join(root, name), *small[key(name)]) for name in names]
    check_sizes(pairs, scale)
    return pairs


def small_photos(root: str, scale: int) -> list[str]:
    """The names of the small photos below a folder, without large ones that lie beside them."""
    names = [name for name in walk(root)[0] if not LARGE.search(stem(name))]
    of_scale = [name for name in names if (found := SRF.search(name)) and int(found[1]) == scale]
    return of_scale or names


def check_sizes(pairs: list[Pair], scale: int) -> None:
    """Raises ValueError where a large photo is not as large as the scale makes the small one."""
    wrong = []
    for pair in pairs:
        large, small = size_of(pair.large), size_of(pair.small)
        if [side // scale for side in large] != list(small):
            wrong.append(f"{pair.small} {small[0]} x {small[1]} for {large[0]} x {large[1]}")
    if wrong:
        raise ValueError(f"--scale={scale}: expected small photos of a {scale}th of the size of their large ones, "
                         f"received {some(wrong)}")
