"""Figures: written as PNG into the run's folder, or shown where there is a screen."""

import os
import sys
import textwrap
from collections.abc import Callable, Container, Sequence
from itertools import chain, count

import numpy as np
from PIL import Image, PngImagePlugin

from utils.data.files import save_aside
from utils.run import folder as runs
from utils.sheets.fonts import drawable, font_with
from utils.sheets.sheet import GREEN, RED, sheet, without_channel

SIDE = 200  # pixels of the longer side of a picture among many
NO_WINDOW = ("agg", "pdf", "ps", "svg", "cairo", "template")  # matplotlib's backends that write files alone
MARK = {"Software": "image comparison"}  # what the figures beside answers say of who made them
LOOKS = {"axes.spines.top": False, "axes.spines.right": False, "figure.autolayout": True}


def figure(columns: int = 1, rows: int = 1, width: float = 5.0, height: float = 4.0, window: bool = False):
    """A figure and its axes (rows, columns); `width` and `height` of one of them, in inches."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(LOOKS)
    if window:
        from matplotlib import pyplot

        page = pyplot.figure(figsize=(columns * width, rows * height))
    else:
        page = Figure((columns * width, rows * height))
    return page, page.subplots(rows, columns, squeeze=False)


def training_curves(folder: str, panels: list[tuple[str, list[str]]]) -> None:
    """log.csv as curves.png.

    Args:
        panels: title and columns of each; those of which the log has no column are left out. The loss comes first, with
            `val_loss`, unless one of the panels shows that, because it is another quantity.
    """
    from matplotlib.ticker import MaxNLocator

    log = runs.read_log(folder)
    if not log:
        return
    own = any("val_loss" in names for _, names in panels)
    panels = [("loss", ["loss"] if own else ["loss", "val_loss"]), *panels]
    panels = [(title, names) for title, names in panels if set(names) & set(log[0])]
    page, axes = figure(len(panels), width=4.2, height=3.8)
    epochs = [row["epoch"] + 1 for row in log]
    for axis, (title, names) in zip(axes[0], panels):
        for name in names:
            if name in log[0]:
                axis.plot(epochs, [row[name] for row in log], marker=".", label=name.replace("_", " "))
        axis.set(title=textwrap.fill(title, 36), xlabel="epoch")
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        legend_below(axis)
    save(page, folder, "curves.png")


def legend_below(axis) -> None:
    """A legend under the axis, where no curve can lie behind it."""
    axis.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, -0.24), ncols=2, fontsize=9)


def batch(folder: str, images: np.ndarray, labels: np.ndarray, names: dict[int, str], most: int = 8) -> None:
    """What the network sees: the first rows of an augmented batch under their names, as batch.png.

    Args:
        images: (B, H, W, C) in 0..255.
        labels: (B,) the row of each image.
        names: of the rows, by label; a row without one has no name.
    """
    shown = list(dict.fromkeys(labels.tolist()))[:most]
    rows = [images[labels == label][:most] for label in shown]
    page, axes = figure(max(map(len, rows)), len(rows), 1.0, 1.3)
    page.set_layout_engine("none")  # a name may be wider than the first picture, beside which there may be none
    page.subplots_adjust(left=0.03, right=0.97, bottom=0.03 / len(rows), top=1 - 0.25 / len(rows), hspace=0.35,
                         wspace=0.1)
    for axis in axes.flat:
        axis.axis("off")
    for line, row, label in zip(axes, rows, shown):
        for axis, image in zip(line, row):
            show(axis, image)
        # an inch holds about 18 letters
        line[0].set_title(textwrap.fill(names.get(label, ""), 17 * len(line)), fontsize=7, loc="left")
    save(page, folder, "batch.png")


def compared(left: np.ndarray, right: np.ndarray, title: str, path: str, window: bool = True,
             names: Sequence[str] = ("", "")) -> None:
    """Two pictures (H, W, 1 or 3) side by side under their names and their similarity; in a window, or at `path` if
    there is no screen."""
    page = sheet((left, right), names, 2, title)
    if not (window and has_screen()):
        keep(page, path)
        return
    from matplotlib import pyplot

    shown, ((axis,),) = figure(width=page.width / 100, height=page.height / 100, window=True)
    show(axis, np.asarray(page))
    shown.tight_layout(pad=0)
    pyplot.show()


def contact_sheet(
    images: list[np.ndarray], titles: list[str], path: str, columns: int = 6, heading: str = "",
    marked: Container[int] = (), warned: Container[int] = (), side: int = SIDE,
) -> None:
    """Pictures (H, W, 1 or 3) with a line over each, row by row, at `path`.

    Args:
        heading: a line over the whole sheet.
        marked: numbers of the pictures that get a green frame; `warned`: of those that get a red one.
        side: pixels of the longer side of each picture.
    """
    frames = {number: GREEN if number in marked else RED for number in range(len(images))
              if number in marked or number in warned}
    keep(sheet(images, titles, columns, heading, frames, side), path)


def head(page, text: str) -> None:
    """A line over a whole figure, in several where the figure is narrow."""
    width, height = page.get_size_inches()
    lines = textwrap.wrap(text, int(12 * width))  # at this size an inch holds about 13 letters
    if lines:
        from matplotlib.layout_engine import ConstrainedLayoutEngine

        places = isinstance(page.get_layout_engine(), ConstrainedLayoutEngine)  # finds the place of the line itself
        page.suptitle("\n".join(lines), fontsize=10, y=None if places else 1 - 0.08 / height)


def mark(axis, colour: str = "tab:green") -> None:
    """A frame around a picture."""
    from matplotlib.patches import Rectangle

    axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, edgecolor=colour, linewidth=4,
                             clip_on=False))


def save_beside_answer(page, path: str) -> None:
    """Writes a figure beside an answer, which must not be lost where it cannot be written."""
    make_readable(page)
    write_beside_answer(lambda aside: page.savefig(aside, dpi=100, metadata=MARK), path)


def keep(picture: Image.Image, path: str) -> None:
    """The same of a figure that is a picture."""
    mark = PngImagePlugin.PngInfo()
    for name, text in MARK.items():
        mark.add_text(name, text)
    write_beside_answer(lambda aside: picture.save(aside, pnginfo=mark), path)


def write_beside_answer(save: Callable[[str], None], path: str) -> None:
    """Calls `save` with the name of a figure that does not replace a file of somebody else, and says which it is."""
    place = place_for(path)
    try:
        save_aside(save, place, ".png")
        print(f"figure: {place}" + (f" ({path} is a file of yours and stays)" if place != path else ""))
    except OSError as error:
        print(f"could not save the figure: {error}")


def place_for(path: str) -> str:
    """The path, or the first name like it, such as predict_figure2.png, at which there is nothing, or a figure that
    this program wrote before. In a folder of a run all is its own."""
    if os.path.dirname(path):
        return path
    stem, ending = os.path.splitext(path)
    names = chain([path], (f"{stem}_figure{number}{ending}" for number in count(1)))
    return next(name for name in names if not os.path.lexists(name) or is_ours(name))


def is_ours(path: str) -> bool:
    """Whether a file is a figure that this program wrote beside an answer."""
    try:
        with Image.open(path) as picture:
            return picture.info.items() >= MARK.items()
    except Exception:  # a folder, no picture, or a damaged one, for which Pillow raises a dozen kinds
        return False


def show(axis, image: np.ndarray) -> None:
    """An image (H, W, 1 or 3) in 0..255, without axes, at the top of its place: so titles in a row stand at one
    height."""
    axis.set_anchor("N")
    axis.imshow(without_channel(np.asarray(image)).astype("uint8"), cmap="gray", vmin=0, vmax=255)
    axis.axis("off")


def has_screen() -> bool:
    """Whether matplotlib can open a window here."""
    asked = os.environ.get("MPLBACKEND", "").lower()
    headless = sys.platform == "linux" and not {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if asked in NO_WINDOW or headless and not asked:
        return False  # known without importing it, which takes half a second
    import matplotlib

    return matplotlib.get_backend().lower() not in NO_WINDOW


def save(page, folder: str, name: str) -> None:
    """Writes a figure into a run's folder, whole or not at all."""
    make_readable(page)
    save_aside(lambda path: page.savefig(path, dpi=110), os.path.join(folder, name), ".png")


def make_readable(page) -> None:
    """Gives each text of a figure fonts that have its letters, and escapes those that no font has; names of files may
    hold anything.

    The numbers at the axes stay as matplotlib writes them: those are formulas. No other text is one, even where it
    holds `$`.
    """
    from matplotlib.text import Text

    numbers = {text for axes in page.axes for axis in (axes.xaxis, axes.yaxis) for text in axis.findobj(Text)
               if text is not axis.label}
    for text in page.findobj(Text):
        if text not in numbers and text.get_text():
            text.set_parse_math(False)
            text.set_text(drawable(text.get_text()))
            others = dict.fromkeys(filter(None, map(font_with, text.get_text())))
            text.set_fontfamily([*text.get_fontfamily(), *others])
