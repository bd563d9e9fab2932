"""A figure of what differs: the golden picture, another one, and how strongly each place differs."""

from collections.abc import Iterable, Mapping

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.patches import Rectangle

from tasks.copies.proof.differences import ALSO
from tasks.copies.proof.evened import evened
from tasks.copies.proof.seen import Seen
from tasks.copies.proof.verdict import Box, Proof, look, see
from utils.run import figures
from utils.saying import counted
from utils.sheets.fonts import short

LARGE, SMALL = 4.5, 3.2  # inches of the longer side of a picture, alone and among several
NUMBERED = 9  # places that have a number
BORDER = 0.05  # of a picture's sides, within which a number has no room beside its frame
RIM = 0.008  # of the longer side between a place and its frame
STRENGTH = LogNorm(ALSO, 1000)
COLOURS = matplotlib.colormaps["autumn_r"]


def differences(
    golden: Seen, name: str, proofs: Mapping[str, Proof], heading: str, path: str, window: bool = True, slack: int = 0
) -> None:
    """A row for each file: the golden picture and the other with frames around what differs, and the map of it.

    It is shown in a window, or written to `path` where there is no screen.

    Args:
        name: of the golden picture.
        proofs: that each file shows the same thing, by its path.
        slack: by which they were made, see `tasks.copies.proof.differences.differences`.
    """
    window = window and figures.has_screen()
    side = LARGE if len(proofs) == 1 else SMALL
    width, height = np.array(golden.size) / max(golden.size) * side
    page, axes = figures.figure(3, len(proofs), max(width, 2.2), height + 0.5, window)
    for line, (file, proof) in zip(axes, proofs.items()):
        other = see(file, golden.side)
        framed(line[0], golden, [place.a for place in proof.places])
        framed(line[1], other, [place.b for place in proof.places])
        mapped(line[2], golden, other, proof, slack)
        differs = f"{100 * proof.differing:.3g} % differs, in {counted(len(proof.places), 'place')}"
        line[1].set_title(f"{short(file)}\n{differs}", fontsize=8)
    axes[0, 0].set_title(f"{name}\nthe golden picture", fontsize=8)
    scale = f"{STRENGTH.vmin:g} (yellow) to {STRENGTH.vmax:g} (red)"
    axes[0, 2].set_title(f"what differs: {scale}\ntimes what the rest of both explains", fontsize=8)
    figures.head(page, heading)
    if window:
        figures.make_readable(page)
        matplotlib.pyplot.show()
        return
    figures.save_beside_answer(page, path)


def laid(axis, picture: np.ndarray, size: tuple[int, int]) -> None:
    """A picture (H, W[, 3]), on axes that count pixels of its file, of which `size` tells how many there are."""
    axis.imshow(picture, extent=(0, size[0], size[1], 0), cmap="gray", vmin=0, vmax=255)
    axis.axis("off")
    axis.add_patch(Rectangle((0, 0), *size, fill=False, edgecolor="silver", linewidth=0.8, clip_on=False))


def framed(axis, seen: Seen, boxes: Iterable[Box]) -> None:
    """A picture with a frame around each box; the first ones have numbers."""
    laid(axis, np.asarray(seen.picture), seen.size)
    rim = RIM * max(seen.size)
    for number, (left, top, right, bottom) in enumerate(boxes, start=1):
        corner, size = (left - rim, top - rim), (right - left + 2 * rim, bottom - top + 2 * rim)
        axis.add_patch(Rectangle(corner, *size, fill=False, edgecolor="red"))
        if number <= NUMBERED:  # beside the frame, or in it at the border of the picture
            beside, above = np.greater(corner, np.array(seen.size) * BORDER)
            axis.annotate(str(number), corner, (-1 if beside else 2, 1 if above else -2), textcoords="offset points",
                          color="red", fontsize=9, ha="right" if beside else "left", va="bottom" if above else "top")


def mapped(axis, golden: Seen, other: Seen, proof: Proof, slack: int) -> None:
    """How strongly each place differs, in colour on the pale golden picture."""
    laid(axis, 255 - 0.45 * (255 - np.asarray(golden.grey, "float32")), golden.size)
    matrix = np.diag([*other.ratio, 1]) @ proof.matrix @ np.diag([*1 / golden.ratio, 1])
    pair = (look(golden, each, matrix, slack) for each in (other, evened(golden, other, proof.matrix)) if each)
    found, frame = max(pair, key=lambda pair: pair[0].agree)  # as `best` of `tasks.copies.difference` chooses
    left, top, right, bottom = np.divide(frame.box, np.tile(golden.ratio, 2))
    strong = np.ma.masked_less(found.ratio, ALSO)
    axis.imshow(strong, cmap=COLOURS, norm=STRENGTH, extent=(left, right, bottom, top), interpolation="nearest")
    axis.set(xlim=(0, golden.size[0]), ylim=(golden.size[1], 0))
