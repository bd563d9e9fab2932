"""How good do photos look: a score for each, the best first."""

import math
import os
from typing import NamedTuple

import numpy as np

from nets.uses import Scorer
from tasks import about
from tasks.choosing import find_model
from tasks.quality.model import open_scorer, photo_score
from tasks.quality.report import spread
from utils.data import photos
from utils.data.files import reading, walk
from utils.data.images import read_image, read_photo, read_whole
from utils.data.survey import THUMBNAIL
from utils.metrics.drawn import is_drawn
from utils.run import figures, folder as runs
from utils.run.console import progress_bar, write_answer
from utils.saying import no_photos, shown
from utils.sheets.fonts import short

SIDE = 360  # pixels of the longer side of a photo on the sheet: compression must be seen
UNLIKE = "unlike the photos of the training: do not trust it"  # in place of what a score means
NOT_TRUSTED = "unlike the training: do not trust it"  # the same, over a picture
SHOWN = 12  # photos at most on the figure: the best and the worst


class Scale(NamedTuple):
    """What the numbers of a model mean.

    Attributes:
        words: a line about all of them; no score is a limit.
        digits: behind the point that a score is said with.
        higher_is_better: as of the model.
        good, bad: where four of five undistorted photos lie, and four of five of the most distorted ones; None where
            that was not measured.
        brief: a few words about each score where it was not.
    """

    words: str
    digits: int = 1
    higher_is_better: bool = True
    good: tuple[float, float] | None = None
    bad: tuple[float, float] | None = None
    brief: str = ""

    def said(self, score: float) -> str:
        """A score as text."""
        return f"{score:.{self.digits}f}"

    def meaning(self, score: float) -> str:
        """What one score means, in a few words."""
        if self.good is None or self.bad is None:
            return self.brief
        good, bad = (" to ".join(map(self.said, ends)) for ends in (self.good, self.bad))
        if not self.place(score):
            return f"the model hardly tells undistorted photos, {good}, from the most distorted ones, {bad}"
        return {"good": f"like undistorted photos, {good}", "bad": f"like the most distorted photos, {bad}",
                "between": f"between undistorted photos, {good}, and the most distorted ones, {bad}"}[self.place(score)]

    def place(self, score: float) -> str:
        """Where a score lies: "good", as four of five undistorted photos or better, "bad", as the most distorted ones
        or worse, or "between"; "" where that was not measured, or both lie in one range."""
        if self.good is None or self.bad is None:
            return ""
        sign = 1 if self.higher_is_better else -1
        good, bad = min(sign * end for end in self.good), max(sign * end for end in self.bad)
        if good <= bad:
            return ""
        return "good" if sign * score >= good else "bad" if sign * score <= bad else "between"


def answer(options, files: list[str]) -> None:
    """The quality of photos and of folders of them; of several, the best first, and a sheet of the best and worst."""
    paths = photo_files(files)
    path = find_model(options.model, "quality")
    scorer = open_scorer(path)
    known = about.read(path)
    scale = scale_of(scorer, os.path.dirname(path))
    print(f"model {path} by {scorer.runtime}: {'higher' if scorer.higher_is_better else 'lower'} is better; "
          f"{scale.words}")
    print(about.in_words(known))
    rows, thumbnails, drawn, bar = [], [], [], progress_bar("photo")
    for done, file in enumerate(paths, start=1):
        photo = read_photo(file)
        rows.append({"file": file, "score": photo_score(scorer, photo, options.crops)})
        thumbnails.append(read_image(photo, THUMBNAIL))
        drawn.append(about.doubts_drawn(known) and is_drawn(photo))
        bar(done, len(paths))
    if doubt := about.warning(known, np.stack(thumbnails), drawn):
        print(f"warning: {doubt}")
    for row, *own in zip(rows, thumbnails, drawn):
        row["warning"] = UNLIKE if about.warning(known, own[0][None], own[1:]) else None
    rows.sort(key=lambda row: row["score"], reverse=scorer.higher_is_better)
    for row in rows:  # what is no such photo is like none of them
        meaning = "" if doubt else row["warning"] or scale.meaning(row["score"])
        print(f"  {scale.said(row['score']):>8} {shown(row['file'])}" + (f"  ({meaning})" if meaning else ""))
    if options.figure:
        heading = ("1 photo" if len(rows) == 1 else f"{len(rows)} photos, the best first" if len(rows) <= SHOWN
                   else f"the best and the worst {SHOWN // 2} of {len(rows)} photos")
        quality_sheet(rows if len(rows) <= SHOWN else rows[: SHOWN // 2] + rows[-SHOWN // 2 :], heading, scale)
    write_answer(options, rows, {"higher_is_better": scorer.higher_is_better, "low": scorer.low, "high": scorer.high,
                                 "warning": doubt or None, "results": rows})


def scale_of(scorer: Scorer, folder: str) -> Scale:
    """What the numbers of a model mean, by what its run learnt from (split.json) and measured (order.json).

    Raises:
        ValueError: one of these files is damaged.
    """
    split = runs.read_split(folder)
    with reading(os.path.join(folder, runs.ORDER), "percentiles, as training writes them",
                 runs.mend(folder, runs.ORDER)):
        order = runs.read_json(folder, runs.ORDER) or {}
        ends = order.get("four_fifths", {})
        measured = spread(order["photos"], ends) if "four_fifths" in order else ""
    if scorer.low is None:
        return Scale("the scale of its scores is unknown, because the run did not end",
                     brief="on a scale that is unknown")
    digits = max(1, 2 - math.floor(math.log10(max(scorer.high - scorer.low, 1e-6))))
    scale = Scale(measured, digits, scorer.higher_is_better)
    worst, best = (scorer.low, scorer.high) if scorer.higher_is_better else (scorer.high, scorer.low)
    if split.get("scored"):
        return scale._replace(words=f"the photos it learnt from have scores of people from {worst:.4g} (worst) to "
                                    f"{best:.4g} (best), and others may lie outside",
                              brief=f"people gave {worst:.4g}, worst, to {best:.4g}, best")
    if measured:
        return scale._replace(good=tuple(ends["undistorted"]), bad=tuple(ends["most_distorted"]))
    brief = f"good photos have about {best:.4g}, bad ones {worst:.4g}"
    if not split:
        return scale._replace(words=f"{best:.4g} stands for good photos and {worst:.4g} for bad ones, and scores may "
                                    "lie outside", brief=brief)
    return scale._replace(words=f"{best:.4g} is the mean of undistorted photos and {worst:.4g} that of the most "
                                "distorted ones when it was trained, so single photos lie above and below", brief=brief)


def photo_files(files: list[str]) -> list[str]:
    """The photos of files and folders that can be read; the others are named."""
    files = [os.path.expanduser(file) for file in files]
    paths = [os.path.join(f, name) for f in files if os.path.isdir(f) for name in walk(f)[0]]
    paths += [f for f in files if not os.path.isdir(f)]
    paths = list({os.path.realpath(path): path for path in paths}.values())  # each once
    if not paths:
        raise ValueError(no_photos(files, "--quality"))
    if len(paths) == 1:
        read_photo(paths[0])  # raises, naming the file
        return paths
    kept = [paths[row] for row in photos.usable("", paths)]
    if not kept:
        raise ValueError("none of these photos can be read")
    return kept


def quality_sheet(rows: list[dict], heading: str, scale: Scale) -> None:
    """Photos with their scores, as quality.png: the best in a green frame, the worst in a red one. What looks unlike
    the photos of the training is neither, and says so."""
    trusted = [number for number, row in enumerate(rows) if not row["warning"]]
    best, worst = (trusted[0], trusted[-1]) if len(trusted) > 1 else (None, None)
    titles = [f"{'best: ' * (number == best)}{'worst: ' * (number == worst)}{scale.said(row['score'])}\n"
              + "\n".join(filter(None, [short(row["file"]), row["warning"] and NOT_TRUSTED]))
              for number, row in enumerate(rows)]
    figures.contact_sheet([read_whole(row["file"], SIDE) for row in rows], titles, "quality.png", heading=heading,
                          marked=[best], warned=[worst], columns=4, side=SIDE)
