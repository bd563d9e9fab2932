"""Figures: written as PNG into the run's folder, or shown where there is a screen."""

import contextlib
import functools
import os
import textwrap
import unicodedata
from collections.abc import Container, Sequence

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from utils.data.files import save_aside
from utils.run import folder as runs

matplotlib.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.autolayout": True})
FIRST = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
         "WenQuanYi Zen Hei", "PingFang SC",
         # fonts of many letters, tried first
         "Hiragino Sans", "Microsoft YaHei", "SimHei", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS")


def figure(columns: int = 1, rows: int = 1, width: float = 5.0, height: float = 4.0, window: bool = False):
    """A figure and its axes (rows, columns); `width` and `height` of one of them, in inches."""
    if window:
        import matplotlib.pyplot

        page = matplotlib.pyplot.figure(figsize=(columns * width, rows * height))
    else:
        page = Figure((columns * width, rows * height))
    return page, page.subplots(rows, columns, squeeze=False)


def training_curves(folder: str, panels: list[tuple[str, list[str]]]) -> None:
    """log.csv as curves.png.

    Args:
        panels: title and columns of each; those of which the log has no column are left out. The loss comes first.
    """
    log = runs.read_log(folder)
    if not log:
        return
    panels = [("loss", ["loss", "val_loss"]), *panels]
    panels = [(title, names) for title, names in panels if set(names) & set(log[0])]
    page, axes = figure(len(panels), width=4.2, height=3.8)
    epochs = [row["epoch"] + 1 for row in log]
    for axis, (title, names) in zip(axes[0], panels):
        for name in names:
            if name in log[0]:
                axis.plot(epochs, [row[name] for row in log], marker=".", label=name.replace("_", " "))
        axis.set(title=title, xlabel="epoch")
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
    window = window and has_screen()
    page, axes = figure(2, width=3.0, height=3.0 * tallest((left, right)) + 1.0, window=window)
    for axis, image, name in zip(axes[0], (left, right), names):
        show(axis, image)
        axis.set_title(name, fontsize=8)
    head(page, title)
    if window:
        make_readable(page)
        matplotlib.pyplot.show()
        return
    save_beside_answer(page, path)


def contact_sheet(
    images: list[np.ndarray], titles: list[str], path: str, columns: int = 6, heading: str = "",
    marked: Container[int] = (), warned: Container[int] = (), side: float = 2.0,
) -> None:
    """Pictures (H, W, 1 or 3) with a line over each, row by row, at `path`.

    Args:
        heading: a line over the whole sheet.
        marked: numbers of the pictures that get a green frame; `warned`: of those that get a red one.
        side: inches of a picture, of 100 pixels each.
    """
    columns = min(columns, len(images))
    page, axes = figure(columns, -(-len(images) // columns), side, side * tallest(images) + 0.4)
    page.set_layout_engine("constrained")  # tight layout lets a title lie over the picture above it
    for axis in axes.flat:
        axis.axis("off")
    for number, (axis, image, title) in enumerate(zip(axes.flat, images, titles)):
        show(axis, image)
        axis.set_title(title, fontsize=7)
        if number in marked or number in warned:
            mark(axis, "tab:green" if number in marked else "tab:red")
    head(page, heading)
    save_beside_answer(page, path)


def tallest(images: Sequence[np.ndarray]) -> float:
    """The largest height of images (H, W, ...) of one width, as a share of it; at most 1."""
    return min(1.0, max(image.shape[0] / image.shape[1] for image in images))


def head(page, text: str) -> None:
    """A line over a whole figure, in several where the figure is narrow."""
    width, height = page.get_size_inches()
    lines = textwrap.wrap(text, int(12 * width))  # at this size an inch holds about 13 letters
    if lines:  # constrained layout finds the place itself
        constrained = isinstance(page.get_layout_engine(), ConstrainedLayoutEngine)
        page.suptitle("\n".join(lines), fontsize=10, y=None if constrained else 1 - 0.08 / height)


def mark(axis, colour: str = "tab:green") -> None:
    """A frame around a picture."""
    axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, edgecolor=colour, linewidth=4,
                             clip_on=False))


def save_beside_answer(page, path: str) -> None:
    """Writes a figure beside an answer, which must not be lost where it cannot be written."""
    make_readable(page)
    try:
        save_aside(lambda aside: page.savefig(aside, dpi=100), path, ".png")
        print(f"figure: {path}")
    except OSError as error:
        print(f"could not save the figure: {error}")


def show(axis, image: np.ndarray) -> None:
    """An image (H, W, 1 or 3) in 0..255, without axes, at the top of its place: so titles in a row stand at one
    height."""
    axis.set_anchor("N")
    axis.imshow(np.squeeze(image).astype("uint8"), cmap="gray", vmin=0, vmax=255)
    axis.axis("off")


def has_screen() -> bool:
    """Whether matplotlib can open a window here."""
    return matplotlib.get_backend().lower() not in ("agg", "pdf", "ps", "svg", "cairo", "template")


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
    numbers = {text for axes in page.axes for axis in (axes.xaxis, axes.yaxis) for text in axis.findobj(Text)
               if text is not axis.label}
    for text in page.findobj(Text):
        if text not in numbers and text.get_text():
            text.set_parse_math(False)
            text.set_text(drawable(text.get_text()))
            others = dict.fromkeys(filter(None, map(font_with, text.get_text())))
            text.set_fontfamily([*text.get_fontfamily(), *others])


def short(path: str, most: int = 24) -> str:
    """A file's name and its folder's, as they can be drawn, without their beginning where that is long."""
    name = drawable("/".join(os.path.normpath(path).split(os.sep)[-2:]).replace("\n", "\\n"))
    return name if len(name) <= most else f"\u2026{name[1 - most :]}"


def drawable(text: str) -> str:
    r"""The text with every letter escaped that no font has, or that is no letter: a control character, a byte that is
    no UTF-8.

    >>> drawable("caf\udce9\x1b[31m")
    'caf\\udce9\\x1b[31m'
    """
    return "".join(letter if letter == "\n" or font_with(letter) is not None
                   else letter.encode("unicode_escape").decode() for letter in text)


@functools.cache
def font_with(letter: str) -> str | None:
    """The family of the first font that has a letter: "" for the usual one; None: there is none, or it is no letter."""
    if unicodedata.category(letter)[0] == "C":  # control, format, surrogate, private, unassigned
        return None
    return next((family for family, file in fonts().items() if has(file, letter)), None)


@functools.cache
def fonts() -> dict[str, str]:
    """The files of the installed fonts by family: the usual one as "", then those of many letters, then the others.

    Fonts that come with matplotlib are left out, because they hold signs of formulas, and so are bold and slanted ones.
    """
    files = {font.name: font.fname for font in font_manager.fontManager.ttflist
             if (font.style, font.weight) == ("normal", 400) and not font.fname.startswith(matplotlib.get_data_path())}
    return {"": font_manager.findfont(font_manager.FontProperties())} | {name: files[name] for name in (*FIRST, *files)
                                                                         if name in files}


def has(file: str, letter: str) -> bool:
    """Whether the font in a file can draw a letter."""
    with contextlib.suppress(OSError, RuntimeError, ValueError):  # a damaged font has nothing
        font = font_manager.get_font(file)
        return font.scalable and font.get_char_index(ord(letter)) > 0
    return False
