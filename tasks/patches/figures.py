"""Figures of patches: the matches of two photos, curves of descriptors, and the worst mistakes."""

from collections.abc import Sequence

import matplotlib
import numpy as np
from scipy.ndimage import map_coordinates

from tasks.patches.scene import SHRINKING, Scene, View
from utils.data.images import open_image
from utils.keypoints.geometry import scaling, transfer
from utils.run import figures

SIDE = 900  # pixels of a photo on a figure, at most
LINES = 150  # matches of each kind on a figure, at most
COLOURS = ("tab:blue", "tab:orange", "tab:green")


def matches(a: View, b: View, scene: Scene, title: str, path: str, window: bool = True) -> None:
    """Both photos side by side with lines between the matches, and b warped onto a where there is a map; in a window,
    or at `path`."""
    window = window and figures.has_screen()
    (left, pixel_a), (right, pixel_b) = thumbnail(a.file), thumbnail(b.file)
    height = 11.0 * max(len(left), len(right)) / (left.shape[1] + right.shape[1]) + 0.6
    page, axes = figures.figure(1, 2 if scene.same else 1, 11.0, height, window)
    beside(axes[0, 0], left, right, (scene.a + 0.5) / pixel_a - 0.5, (scene.b + 0.5) / pixel_b - 0.5, scene.inliers)
    if scene.same:
        scaled = scaling(1 / pixel_b) @ scene.matrix @ scaling(pixel_a)
        axes[1, 0].imshow(np.concatenate([left, warped(left, right, scaled)], axis=1))
        axes[1, 0].axis("off")
        axes[1, 0].set_title("the first photo, and the second one laid onto it (its rim stays as it is)", fontsize=9)
    figures.head(page, title)
    if window:
        matplotlib.pyplot.show()
        return
    figures.save_beside_answer(page, path)


def thumbnail(file: str) -> tuple[np.ndarray, float]:
    """A photo (h, w, 3) uint8 of at most `SIDE` pixels a side, and the size of its pixels in pixels of the file."""
    picture = open_image(file, "RGB")
    pixel = max(1.0, max(picture.size) / SIDE)
    if pixel > 1:
        picture = picture.resize([max(1, round(side / pixel)) for side in picture.size], SHRINKING)
    return np.asarray(picture), pixel


def beside(axis, left: np.ndarray, right: np.ndarray, a: np.ndarray, b: np.ndarray, inliers: np.ndarray) -> None:
    """Two pictures side by side, and lines between points a and b (K, 2): those that agree in green over the others in
    grey."""
    gap = 10
    canvas = np.full((max(len(left), len(right)), left.shape[1] + gap + right.shape[1], 3), 255, "uint8")
    canvas[: len(left), : left.shape[1]] = left
    canvas[: len(right), left.shape[1] + gap :] = right
    axis.imshow(canvas)
    axis.axis("off")
    for rows, colour, width in ((np.flatnonzero(~inliers), "lightgrey", 0.4),
                                (np.flatnonzero(inliers), "limegreen", 0.7)):
        rows = rows[:LINES]
        ends = np.stack([a[rows], b[rows] + (left.shape[1] + gap, 0)], axis=1)
        axis.add_collection(matplotlib.collections.LineCollection(ends, colors=colour, linewidths=width))
    green = f"green: the {min(int(inliers.sum()), LINES)} surest matches that agree; " if inliers.any() else ""
    axis.set_title(f"{green}grey: matches that do not{'' if green else ' agree'}", fontsize=9)


def warped(left: np.ndarray, right: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The second picture as it lies on the first (h, w, 3) uint8, whose pixels `matrix` maps to it; elsewhere the first
    one, pale."""
    x, y = np.meshgrid(np.arange(left.shape[1]), np.arange(left.shape[0]))
    points = transfer(matrix, np.stack([x, y], axis=-1).reshape(-1, 2)).reshape(*left.shape[:2], 2)
    inside = ((points >= 0) & (points <= (right.shape[1] - 1, right.shape[0] - 1))).all(-1)
    points = np.where(inside[..., None], points, 0)
    laid = np.stack([map_coordinates(right[..., c], (points[..., 1], points[..., 0]), order=1) for c in range(3)],
                    axis=-1)
    return np.where(inside[..., None], laid, 160 + left // 3).astype("uint8")


def curves(folder: str, panels: dict[str, dict[str, tuple[np.ndarray, np.ndarray]]],
           titles: dict[str, tuple[str, str, str]]) -> None:
    """Curves of each descriptor, as curves.png.

    Args:
        panels: of each panel and descriptor, x and y.
        titles: of each panel, its title and the labels of x and y. The panel "fpr95" has a logarithmic x axis.
    """
    page, axes = figures.figure(len(panels), width=4.6, height=3.8)
    for axis, (panel, lines) in zip(axes[0], panels.items()):
        for (name, (x, y)), colour in zip(lines.items(), COLOURS):
            axis.plot(x, y, label=name, color=colour)
        title, across, up = titles[panel]
        axis.set(title=title, xlabel=across, ylabel=up, ylim=(0, 1.02))
        if panel == "fpr95":
            axis.set_xscale("log")
            axis.axhline(0.95, color="lightgrey", linewidth=0.8)
        axis.legend(frameon=False, fontsize=8)
    figures.save(page, folder, "patches.png")


def mistakes(folder: str, rows: Sequence[tuple[str, Sequence[np.ndarray]]], columns: Sequence[str],
             heading: str) -> None:
    """The worst mistakes as mistakes.png: a row each, a line of text and its patches (P, P[, C]) under the names of the
    columns."""
    if not rows:
        return
    page, axes = figures.figure(len(columns), len(rows), 1.5, 1.5)
    for axis in axes.flat:
        axis.axis("off")
    for line, (text, patches) in zip(axes, rows):
        for axis, name, patch in zip(line, columns, patches):
            figures.show(axis, patch)
            axis.set_title(f"{name}\n{text}" if axis is line[0] else name, fontsize=6, parse_math=False)
    figures.head(page, heading)
    figures.save(page, folder, "mistakes.png")
