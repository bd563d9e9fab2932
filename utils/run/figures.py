"""Figures: written as PNG into the run's folder, or shown where there is a screen."""

import os
import textwrap
from collections.abc import Container

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from utils.data.files import save_aside
from utils.run import folder as runs

matplotlib.rcParams.update({"axes.spines.top": False, "axes.spines.right": False, "figure.autolayout": True})


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
    page, axes = figure(len(panels), width=4.2, height=3.2)
    epochs = [row["epoch"] + 1 for row in log]
    for axis, (title, names) in zip(axes[0], panels):
        for name in names:
            if name in log[0]:
                axis.plot(epochs, [row[name] for row in log], marker=".", label=name.replace("_", " "))
        axis.set(title=title, xlabel="epoch")
        axis.legend(frameon=False)
    save(page, folder, "curves.png")


def batch(folder: str, images: np.ndarray, labels: np.ndarray, most: int = 8) -> None:
    """What the network sees: the first classes of an augmented batch, a row a class, as batch.png."""
    classes = list(dict.fromkeys(labels.tolist()))[:most]
    rows = [images[labels == label][:most] for label in classes]
    page, axes = figure(max(map(len, rows)), len(rows), 1.0, 1.0)
    for axis in axes.flat:
        axis.axis("off")
    for line, row in zip(axes, rows):
        for axis, image in zip(line, row):
            show(axis, image)
    save(page, folder, "batch.png")


def compared(left: np.ndarray, right: np.ndarray, title: str, path: str, window: bool = True) -> None:
    """Two pictures side by side under their similarity; in a window, or at `path` if there is no screen."""
    window = window and has_screen()
    page, axes = figure(2, width=3.0, height=3.5, window=window)
    for axis, image in zip(axes[0], (left, right)):
        show(axis, image)
    page.suptitle(title)
    if window:
        matplotlib.pyplot.show()
        return
    save_beside_answer(page, path)


def contact_sheet(
    images: list[np.ndarray], titles: list[str], path: str, columns: int = 6, heading: str = "", marked: Container[int] = ()
) -> None:
    """Pictures (H, W, 1 or 3) with a line over each, row by row, at `path`.

    Args:
        heading: a line over the whole sheet.
        marked: numbers of the pictures that get a frame.
    """
    columns = min(columns, len(images))
    page, axes = figure(columns, -(-len(images) // columns), 2.0, 2.2)
    for axis in axes.flat:
        axis.axis("off")
    for number, (axis, image, title) in enumerate(zip(axes.flat, images, titles)):
        show(axis, image)
        axis.set_title(title, fontsize=7, parse_math=False)  # a file name may hold $
        if number in marked:
            mark(axis)
    head(page, heading)
    save_beside_answer(page, path)


def head(page, text: str) -> None:
    """A line over a whole figure, in several where the figure is narrow."""
    width, height = page.get_size_inches()
    lines = textwrap.wrap(text, int(12 * width))  # at this size an inch holds about 13 letters
    if lines:
        page.suptitle("\n".join(lines), fontsize=10, y=1 - 0.08 / height, parse_math=False)


def mark(axis) -> None:
    """A green frame around a picture."""
    axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, edgecolor="tab:green", linewidth=4, clip_on=False))


def save_beside_answer(page, path: str) -> None:
    """Writes a figure beside an answer, which must not be lost where it cannot be written."""
    try:
        save_aside(lambda aside: page.savefig(aside, dpi=100), path, ".png")
        print(f"figure: {path}")
    except OSError as error:
        print(f"could not save the figure: {error}")


def show(axis, image: np.ndarray) -> None:
    """An image (H, W, 1 or 3) in 0..255, without axes."""
    axis.imshow(np.squeeze(image).astype("uint8"), cmap="gray", vmin=0, vmax=255)
    axis.axis("off")


def has_screen() -> bool:
    """Whether matplotlib can open a window here."""
    return matplotlib.get_backend().lower() not in ("agg", "pdf", "ps", "svg", "cairo", "template")


def save(page, folder: str, name: str) -> None:
    """Writes a figure into a run's folder, whole or not at all."""
    save_aside(lambda path: page.savefig(path, dpi=110), os.path.join(folder, name), ".png")
