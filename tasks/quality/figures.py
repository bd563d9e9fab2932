"""Order of levels and agreement with people, as figures in a run folder."""

import numpy as np

from utils.distortions.catalogue import Distortion
from utils.run import figures


def level_scores(folder: str, scores: dict[str, np.ndarray], kinds: dict[str, Distortion]) -> None:
    """Score against level, a panel a distortion: quartiles and extremes of the photos, and a line for each; order.png.

    Args:
        scores: (photos, levels + 1) by distortion.
        kinds: the distortions, which tell what their levels are.
    """
    page, axes = figures.figure(2, len(scores), 4.5, 2.4)
    for (left, right), (kind, of_kind) in zip(axes, scores.items()):
        names = ["none", *(f"{level:.3g}" for level in kinds[kind].levels)]
        left.boxplot(of_kind, tick_labels=names, whis=(0, 100), widths=0.6)
        left.set(title=kind.replace("_", " "), ylabel="score", xlabel=kinds[kind].unit)
        left.tick_params(axis="x", labelsize=7)
        right.plot(names, of_kind.T, color="C0", linewidth=1, alpha=max(0.1, min(1.0, 10 / len(of_kind))))
        right.set(title=f"each of {len(of_kind)} photos: a line that rises is an error", ylabel="score",
                  xlabel=kinds[kind].unit)
        right.tick_params(axis="x", labelsize=7)
    figures.save(page, folder, "order.png")


def efficiency(folder: str, logs: dict[str, list[dict[str, float]]], seconds: dict[str, np.ndarray]) -> None:
    """Hinge and order of the validation photos of several rank runs against seconds of training, as efficiency.png."""
    panels = (("val_hinge", "hinge of a pair of levels"), ("val_order", "levels of one photo in the right order"),
              ("val_across", "levels of two photos in the right order"))
    page, axes = figures.figure(len(panels), height=4.4)
    for axis, (column, title) in zip(axes[0], panels):
        for name, log in logs.items():
            axis.plot(seconds[name], [row[column] for row in log], marker=".", label=name)
        axis.set(xlabel="seconds of training", title=title)
        figures.legend_below(axis)
    axes[0, 0].set_yscale("log")
    for way in (axes[0, 0].yaxis.set_major_formatter, axes[0, 0].yaxis.set_minor_formatter):
        way("{x:.3g}")
    figures.save(page, folder, "efficiency.png")


def predicted(folder: str, human: np.ndarray, scores: np.ndarray, title: str) -> None:
    """Predicted against human scores of photos, (N,) and (N,), as predicted.png."""
    page, ((axis,),) = figures.figure()
    axis.scatter(human, scores, s=8, alpha=0.5)
    axis.set(xlabel="human score", ylabel="predicted score", title=title)
    figures.save(page, folder, "predicted.png")
