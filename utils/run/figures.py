"""Figures: written as PNG into the run's folder, or shown where there is a screen."""

import os

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

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


def training_curves(folder: str) -> None:
    """log.csv as curves.png: the loss, the quality, the signs that embeddings live."""
    log = runs.read_log(folder)
    if not log:
        return
    panels = [
        ("loss", ["loss", "val_loss"]),
        ("validation pairs", ["val_accuracy", "val_roc_auc"]),
        ("distance of embeddings", ["same_distance", "different_distance"]),
        ("share of triplets that violate the margin", ["active_triplets"]),
        ("levels in the right order", ["order", "val_order", "val_adjacent", "val_across"]),
        ("hinge of a pair of levels", ["val_hinge"]),
        ("agreement with people", ["val_srocc", "val_lcc"]),
    ]
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


def verification(folder: str, scores: np.ndarray, same: np.ndarray, figures: dict, cuts: dict) -> None:
    """ROC curve and histograms of the similarities of same and different pairs, as verification.png."""
    from sklearn.metrics import roc_curve

    page, ((roc, histogram),) = figure(2)
    false, true, _ = roc_curve(same, scores)
    roc.plot(false, true)
    roc.plot([0, 1], [1, 0], ":", color="grey", linewidth=1)
    roc.set(
        xlabel="different pairs accepted", ylabel="same pairs accepted",
        title=f"ROC: area {figures['roc_auc']:.4f}, equal error {figures['eer']:.3f}",
    )
    bins = np.linspace(scores.min(), scores.max(), 60)
    for kind, mask in (("different", ~same), ("same", same)):
        histogram.hist(scores[mask], bins, alpha=0.6, label=kind)
    for (name, cut), style in zip(cuts.items(), ("-", "--", ":")):
        histogram.axvline(cut, color="black", linestyle=style, linewidth=1, label=name)
    histogram.set(xlabel="similarity", ylabel="pairs", title=f"accuracy {figures['accuracy']:.4f}", yscale="log")
    histogram.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside, not over a threshold
    save(page, folder, "verification.png")


def mistakes(folder: str, images, pairs, scores: np.ndarray, names: list[str], most: int = 8) -> None:
    """The pairs that the model gets most wrong, a column a pair, as mistakes.png.

    Args:
        images: (N, H, W, C), array or images on disk.
        pairs: `utils.metrics.verification.Pairs` of them; scores (M,).
        names: (N,) class of each image.
    """
    order = np.argsort(scores, kind="stable")
    kinds = {
        "different": [row for row in order[::-1] if not pairs.same[row]][:most],
        "the same": [row for row in order if pairs.same[row]][:most],
    }
    page, axes = figure(most, 4, 1.5, 1.6)
    for axis in axes.flat:
        axis.axis("off")
    for line, (kind, rows) in enumerate(kinds.items()):
        for column, row in enumerate(rows):
            for half, place in enumerate((pairs.left[row], pairs.right[row])):
                axis = axes[2 * line + half, column]
                show(axis, images[np.array([place])][0])
                parts = names[place].split(os.sep)[-2:]
                axis.set_title("\n".join(parts if half else [f"{kind}: {scores[row]:.3f}", *parts]), fontsize=6)
    save(page, folder, "mistakes.png")


def embedding_map(folder: str, points: np.ndarray, images, labels: np.ndarray) -> None:
    """Embeddings laid out in the plane (N, 2), a colour a class with one of its images, as map.png."""
    page, ((axis,),) = figure(width=8.0, height=7.0)
    for number, label in enumerate(np.unique(labels)):
        rows = np.flatnonzero(labels == label)
        colour = matplotlib.colormaps["tab20"](number % 20)
        axis.scatter(*points[rows].T, s=14, color=colour)
        middle = rows[np.argmin(np.linalg.norm(points[rows] - np.median(points[rows], axis=0), axis=1))]
        picture = OffsetImage(np.squeeze(images[np.array([middle])][0]), zoom=20 / images.shape[1], cmap="gray")
        frame = dict(edgecolor=colour, linewidth=1.5, boxstyle="square,pad=0.1")
        above = points[rows][:, 1].max()
        axis.add_artist(AnnotationBbox(picture, (points[middle][0], above), (0, 18), boxcoords="offset points", bboxprops=frame))
    axis.set(xticks=[], yticks=[], title=f"{len(points)} embeddings of {len(np.unique(labels))} classes: near means alike")
    save(page, folder, "map.png")


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


def level_scores(folder: str, scores: dict[str, np.ndarray], levels: dict[str, tuple[float, ...]]) -> None:
    """Score against level, a panel a distortion: quartiles and extremes of the photos, histograms beside; order.png.

    Args:
        scores: (photos, levels + 1) by distortion.
        levels: what the levels are.
    """
    page, axes = figure(2, len(scores), 4.5, 2.4)
    for (left, right), (kind, found) in zip(axes, scores.items()):
        names = ["none", *(f"{level:.3g}" for level in levels[kind])]
        left.boxplot(found, tick_labels=names, whis=(0, 100), widths=0.6)
        left.set(title=kind.replace("_", " "), ylabel="score")
        left.tick_params(axis="x", labelsize=7)
        bins = np.linspace(found.min(), found.max() + 1e-9, 40)
        for column, label in enumerate(names):
            right.hist(found[:, column], bins, alpha=0.6, label=label)
        right.set(xlabel="score", ylabel="photos")
        right.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    save(page, folder, "order.png")


def efficiency(folder: str, logs: dict[str, list[dict[str, float]]], seconds: dict[str, np.ndarray]) -> None:
    """Hinge and order of the validation photos of several rank runs against seconds of training, as efficiency.png."""
    panels = (("val_hinge", "hinge of a pair of levels"), ("val_order", "levels of one photo in the right order"),
              ("val_across", "levels of two photos in the right order"))
    page, axes = figure(len(panels))
    for axis, (column, title) in zip(axes[0], panels):
        for name, log in logs.items():
            axis.plot(seconds[name], [row[column] for row in log], marker=".", label=name)
        axis.set(xlabel="seconds of training", title=title)
        axis.legend(frameon=False)
    axes[0, 0].set_yscale("log")
    save(page, folder, "efficiency.png")


def predicted(folder: str, human: np.ndarray, scores: np.ndarray, title: str) -> None:
    """Predicted against human scores of photos, (N,) and (N,), as predicted.png."""
    page, ((axis,),) = figure()
    axis.scatter(human, scores, s=8, alpha=0.5)
    axis.set(xlabel="human score", ylabel="predicted score", title=title)
    save(page, folder, "predicted.png")


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
    leave(page, path)


def sheet(images: list[np.ndarray], titles: list[str], path: str, columns: int = 6) -> None:
    """Pictures with a line over each, row by row, at `path`."""
    columns = min(columns, len(images))
    page, axes = figure(columns, -(-len(images) // columns), 2.0, 2.2)
    for axis in axes.flat:
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles):
        show(axis, image)
        axis.set_title(title, fontsize=7)
    leave(page, path)


def leave(page, path: str) -> None:
    """Writes a figure beside an answer, which must not be lost where it cannot be written."""
    try:
        page.savefig(path, dpi=100)
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
    """Writes a figure into a run's folder."""
    page.savefig(os.path.join(folder, name), dpi=110)
