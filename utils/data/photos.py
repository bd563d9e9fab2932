"""A folder of pristine photos -> photos to train on, to choose the best epoch by, and to test on."""

import os
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from utils.data.files import PARTS, identical, walk
from utils.data.images import read_photo
from utils.data.splits import kept_for_training, untold, where_training_read
from utils.run.console import progress_bar
from utils.saying import counted, left_out, some
from utils.seen.learnt import NOTHING, Learnt, of_split

DEFAULT = "datasets"


@dataclass(frozen=True)
class Photos:
    """Files below `root` that can be read, by part, and a sentence on how they were split."""

    root: str
    train: list[str]
    validation: list[str]
    test: list[str]
    how: str

    def full(self, part: str) -> list[str]:
        """The paths of a part, below `root` or absolute."""
        return [os.path.join(self.root, path) for path in getattr(self, part)]


def find_photos(root: str, least: int, val_share: float, test_share: float, seed: int, skip_broken: bool,
                before: Learnt = NOTHING) -> Photos:
    """Finds photos below `root` and splits them, by its folders train/, val/ and test/ or else by chance.

    Args:
        root: while it is DEFAULT and empty, the two photos that scikit-learn brings are taken.
        least: pixels a side that a photo must have.
        before: what the first weights learnt, which is not drawn to measure on.

    Raises:
        ValueError: fewer than two photos, none to train on, or broken ones and not `skip_broken`.
    """
    root = os.path.expanduser(root)
    paths = walk(root, data_sets=True)[0]
    if not paths and os.path.normpath(root) == DEFAULT:
        root, paths = sample_photos()
    kept = without_twins(root, [paths[row] for row in usable(root, paths, least, skip_broken)])
    if len(kept) < 2:
        raise ValueError(f"{root}: found {counted(len(kept), 'photo')} of {least} pixels a side or more, expected two "
                         "or more")
    print(f"found {len(kept)} photos in {root}")
    made = split(root, kept, val_share, test_share, seed, before)
    if not made.train:
        raise ValueError(f"{root}: {made.how}; expected photos to train on: lower --val_share and --test_share, or "
                         "add photos")
    return made


def without_twins(root: str, paths: list[str]) -> list[str]:
    """The photos, each file content once, so that none is trained on and tested on; says what was left out."""
    groups = identical([os.path.join(root, path) for path in paths])
    further = {paths[index] for group in groups for index in group[1:]}
    if further:
        left_out(f"{counted(len(further), 'photo')} with the same contents as another", sorted(further))
    return [path for path in paths if path not in further]


def usable(root: str, paths: list[str], least: int = 1, skip_broken: bool = True) -> list[int]:
    """Which photos can be read and are large enough; the others are named, and left out or refused.

    Raises:
        ValueError: there are others and `skip_broken` is off.
    """
    checked = check_all(root, paths, least)
    problems = [problem for problem in checked if problem]
    if problems and not skip_broken:
        raise ValueError(f"{counted(len(problems), 'photo')} cannot be used: {some(problems)}; repair them or pass "
                         "--skip_broken")
    if problems:
        left_out(f"{counted(len(problems), 'photo')}", problems)
    return [row for row, problem in enumerate(checked) if not problem]


def unseen(root: str, paths: list[str], split: dict, run: str = "") -> list[int]:
    """Which photos a run (its split.json), and those it started from, neither trained on nor chose their best epoch by,
    told by path and by contents; says how many they did, or why that cannot be told. `run` is the folder of the run,
    which tells what an older one started from."""
    if not split:
        return list(range(len(paths)))
    used = [path for part in ("train", "validation") for path in split.get(part, [])]
    read = where_training_read(split, root, used) if used else ""
    names = {os.path.realpath(os.path.join(read, path)) for path in used}
    learnt = of_split(split, read, run)
    seen = learnt.rows([os.path.join(root, path) for path in paths])[1]
    kept = [row for row, path in enumerate(paths)
            if not seen[row] and os.path.realpath(os.path.join(root, path)) not in names]
    if len(kept) < len(paths):
        print(f"left out {counted(len(paths) - len(kept), 'photo')} that training saw; {len(kept)} remain")
    if learnt.unknown:
        print(untold(learnt, f"photos of {root or '.'}"))
    return kept


def sample_photos() -> tuple[str, list[str]]:
    """The two photos of scikit-learn, which only demonstrate the pipeline."""
    import sklearn.datasets

    root = os.path.join(os.path.dirname(sklearn.datasets.__file__), "images")
    print("no photos here: taking the two that come with scikit-learn. They only demonstrate the pipeline; do not "
          "expect a useful model. Pass --dataset_path=FOLDER with a hundred undistorted photos or more")
    return root, walk(root)[0]


def check_all(root: str, paths: list[str], least: int) -> list[str]:
    """What is wrong with each photo, or ""."""
    def check(path: str) -> str:
        try:
            height, width = read_photo(os.path.join(root, path)).shape[:2]
        except ValueError as error:
            return str(error)
        return ("" if min(height, width) >= least else f"{path}: {width} x {height} pixels, expected {least} or more "
                                                       "a side")

    bar, problems = progress_bar("photo"), []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for problem in pool.map(check, paths):
            problems.append(problem)
            bar(len(problems), len(paths))
    return problems


def split(root: str, paths: list[str], val_share: float, test_share: float, seed: int,
          before: Learnt = NOTHING) -> Photos:
    """Photos of the folders train/, val/, test/ where they exist, else drawn from the seed; two photos serve as all.
    What the first weights trained on, `before`, is not drawn, and what they chose their epoch by is no test."""
    parts = {part: [path for path in paths if PARTS.get(path.split(os.sep)[0]) == part]
             for part in ("train", "validation", "test")}
    if parts["train"] and parts["test"]:
        if not parts["validation"]:
            parts["train"], parts["validation"] = drawn(parts["train"], val_share, seed)
        how = "split by the folders train, val and test"
    elif len(paths) < 5:
        return Photos(root, paths, [], paths, f"{len(paths)} photos: trained and tested on the same photos, so the "
                                              "figures say nothing about quality")
    else:
        trained, seen = ({path for path, told in zip(paths, mask) if told}
                         for mask in before.kept_apart([os.path.join(root, path) for path in paths]))
        rest, parts["test"] = drawn(paths, test_share, seed, seen)
        parts["train"], parts["validation"] = drawn(rest, val_share, seed + 1, trained)
        how = f"split by photo{kept_for_training(before, len(seen))}"
    counts = ", ".join(f"{len(names)} {word}"
                       for word, names in zip(("to train on", "to validate", "to test"), parts.values()))
    return Photos(root, **parts, how=f"{how}: {counts}")


def drawn(paths: list[str], share: float, seed: int, but: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """The paths without a share drawn from the seed, and that share: one photo or more, unless share is 0; none of
    `but`, so that it may be less."""
    fit = [number for number, path in enumerate(paths) if path not in but]
    count = min(len(fit), max(1, round(share * len(paths)))) if share else 0
    places = np.random.default_rng(seed).choice(len(fit), count, replace=False) if count else ()
    chosen = {fit[place] for place in places}
    return [p for n, p in enumerate(paths) if n not in chosen], [paths[n] for n in sorted(chosen)]
