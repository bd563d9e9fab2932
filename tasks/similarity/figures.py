"""What a similarity model got right and wrong, as figures in its run folder."""

import os

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.offsetbox import AnnotationBbox, OffsetImage
from matplotlib.patches import ConnectionPatch, Patch, Rectangle

from tasks.similarity import why
from utils.metrics.verification import reliability
from utils.run import figures
from utils.saying import counted
from utils.sheets.fonts import short

FOR, AGAINST = "tab:red", "tab:blue"
LINES = ("tab:orange", "tab:green", "tab:purple", "tab:brown", "tab:pink")  # colours of pairs of windows
# clear where nothing is said
SPOKEN = LinearSegmentedColormap.from_list("spoken", [AGAINST, (0.12, 0.47, 0.71, 0), (0.84, 0.15, 0.16, 0), FOR])
CUTS = {"best_accuracy": "best_accuracy:\nmost pairs right", "eer": "eer: both errors\nequally frequent",
        "fpr1": "fpr1: accepts 1 % of\ndifferent pairs"}  # what the measured thresholds are
LEGEND = {  # what the colours mean, by the way of the explanation
    "windows": ("speaks for \"the same\": found in the other picture, and nowhere else in its own",
                "speaks against it: the other picture has nothing like it",
                "no colour: says nothing; it is like many places"),
    "hiding": ("speaks for \"the same\": painted over, the pictures are less alike",
               "speaks against it: painted over, they are more alike",
               "no colour: says nothing; painted over, nothing changes"),
    "attention": ("speaks for \"the same\": the head finds it in one place of the other picture",
                  "speaks against it: the head finds nothing like it",
                  "no colour: says nothing; the head finds it in many places"),
}


def verification(folder: str, scores: np.ndarray, same: np.ndarray, measured: dict, cuts: dict) -> None:
    """ROC curve, similarity as a probability, and histograms of same and different pairs, as verification.png."""
    from sklearn.metrics import roc_curve

    page, ((roc, reliable, histogram),) = figures.figure(3)
    false, true, _ = roc_curve(same, scores)
    roc.plot(false, true)
    roc.plot([0, 1], [1, 0], ":", color="grey", linewidth=1)
    roc.set(
        xlabel="different pairs accepted", ylabel="same pairs accepted",
        title=f"ROC: area {measured['roc_auc']:.4f}, equal error {measured['eer']:.3f}",
    )
    predicted, observed, _ = zip(*reliability(scores, same))
    reliable.plot([0, 1], [0, 1], ":", color="grey", linewidth=1)
    reliable.plot(predicted, observed, marker="o", markersize=4)
    reliable.set(xlabel="similarity", ylabel="share of same pairs",
                 title=f"as a probability: error {measured['calibration_error']:.3f}")
    bins = np.linspace(scores.min(), scores.max(), 60)
    for kind, mask in (("different", ~same), ("same", same)):
        histogram.hist(scores[mask], bins, alpha=0.6, label=kind)
    for (name, cut), style in zip(cuts.items(), ("-", "--", ":")):
        histogram.axvline(cut, color="black", linestyle=style, linewidth=1, label=CUTS.get(name, name))
    histogram.set(xlabel="similarity", ylabel="pairs", title=f"accuracy {measured['accuracy']:.4f}", yscale="log")
    histogram.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))  # beside, not over a threshold
    figures.save(page, folder, "verification.png")


def mistakes(folder: str, images, pairs, scores: np.ndarray, names: list[str], cut: float, explain=None,
             most: int = 8) -> None:
    """The pairs that the model gets wrong, the worst first, a column a pair, as mistakes.png.

    Args:
        images: (N, H, W, C), array or images on disk.
        pairs: `utils.metrics.verification.Pairs` of them; scores (M,).
        names: (N,) class of each image.
        cut: the similarity from which on pairs count as the same.
        explain: two images -> `why.Why`: what their windows say is drawn under each pair. None: nothing is.
    """
    kinds = {"different": worst(pairs, scores, cut, False), "the same": worst(pairs, scores, cut, True)}
    deep = 4 if explain else 2
    page, axes = blocks(most, deep, images.shape[1] / images.shape[2])
    for line, (kind, rows) in enumerate(kinds.items()):
        for column, row in enumerate(rows[:most]):
            ends = (pairs.left[row], pairs.right[row])
            shown = [images[np.array([index])][0] for index in ends]
            for half, (index, image) in enumerate(zip(ends, shown)):
                axis = axes[deep * line + half, column]
                figures.show(axis, image)
                outlined(axis)
                name = "\n".join(names[index].split(os.sep)[-2:])
                if half:
                    axis.text(0.5, -0.04, name, fontsize=7, ha="center", va="top", transform=axis.transAxes)
                else:
                    axis.set_title(f"{kind}: {scores[row]:.3f}\n{name}", fontsize=7, pad=3)
            if explain:
                explanation = explain(*shown)
                sides = (explanation.left, explanation.right)
                for axis, image, said in zip(axes[deep * line + 2 :, column], shown, sides):
                    show_said(axis, image, explanation, said)
        if not rows:
            axes[deep * line, 0].set_title(f"no mistakes in pairs that are {kind}", fontsize=9, loc="left")
    wrong = " and ".join(f"{len(rows)} that are {kind}" for kind, rows in kinds.items())
    says = ". Below each pair the same two pictures: red speaks for \"the same\", blue against it" if explain else ""
    figures.head(page, f"The pairs on the wrong side of {cut:.3f}, the worst first: of those measured {wrong}, each "
                       f"pair once{says}")
    figures.save(page, folder, "mistakes.png")


def blocks(columns: int, deep: int, ratio: float):
    """A figure and its axes (2 * deep, columns) for pictures of this height by width: two blocks of so many rows, in
    which the two pictures of a pair are nearer to each other than to any other, with names over and below them."""
    column, side, within, over, below, apart, heading = 1.5, 1.25, 0.06, 0.5, 0.34, 0.2, 0.5  # inches
    high = side * min(1.0, ratio)
    tops = [over + row * high + (row + 1) // 2 * within + row // 2 * below for row in range(deep)]
    block = tops[-1] + high + (below if deep == 2 else 0) + apart
    height = heading + 2 * block
    page, axes = figures.figure(columns, 2 * deep, column, height / (2 * deep))
    page.set_layout_engine("none")
    for (row, place), axis in np.ndenumerate(axes):
        top = heading + row // deep * block + tops[row % deep]
        axis.set_position(((place + 0.5 - side / column / 2) / columns, 1 - (top + high) / height,
                           side / column / columns, high / height))
        axis.axis("off")
    return page, axes


def worst(pairs, scores: np.ndarray, cut: float, same: bool) -> list[int]:
    """The rows of pairs of one kind that are wrong at the threshold `cut`, the worst first; of a pair that was drawn
    several times one row."""
    wrong = np.flatnonzero((pairs.same == same) & ((scores < cut) == same))
    order = wrong[np.argsort(scores[wrong] if same else -scores[wrong], kind="stable")]
    ends = np.sort(np.stack([pairs.left[order], pairs.right[order]], axis=1), axis=1)
    first = np.unique(ends, axis=0, return_index=True)[1] if len(order) else []
    return order[np.sort(first)].tolist() if len(order) else []


def embedding_map(folder: str, points: np.ndarray, images, labels: np.ndarray, names: list[str]) -> None:
    """Embeddings laid out in the plane (N, 2), a colour a class with its name and one of its images, as map.png.

    Args:
        labels: (N,) class of each embedding; `names`: of the classes, by label.
    """
    page, ((axis,),) = figures.figure(width=9.0, height=7.0)
    points = (points - points.min(axis=0)) / np.maximum(np.ptp(points, axis=0), 1e-9)  # 0 to 1
    occupied: list[tuple[float, float]] = []
    for number, label in enumerate(np.unique(labels)):
        rows = np.flatnonzero(labels == label)
        colour = matplotlib.colormaps["tab20"](number % 20)
        axis.scatter(*points[rows].T, s=14, color=colour, label=short(names[label]))
        far = np.linalg.norm(points[rows] - np.median(points[rows], axis=0), axis=1)
        core = points[rows[far <= np.median(far)]]  # the half in the middle: a picture stands above it
        position = free_position((float(points[rows[far.argmin()]][0]), float(core[:, 1].max()) + 0.035), occupied)
        occupied.append(position)
        picture = OffsetImage(np.squeeze(images[np.array([rows[far.argmin()]])][0]), zoom=20 / images.shape[1],
                              cmap="gray")
        axis.add_artist(AnnotationBbox(picture, position,
                                       bboxprops=dict(edgecolor=colour, linewidth=1.5, boxstyle="square,pad=0.1")))
    axis.set(xticks=[], yticks=[], xlim=(-0.05, 1.05), ylim=(-0.05, max(1.0, *(y for _, y in occupied)) + 0.05),
             title=f"{counted(len(points), 'embedding')} of {counted(len(np.unique(labels)), 'class', 'classes')}: "
                   "near means alike")
    axis.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    figures.save(page, folder, "map.png")


def free_position(position: tuple[float, float], occupied: list[tuple[float, float]],
                  apart: float = 0.065) -> tuple[float, float]:
    """The position, or the first one above it, at which no other picture stands, in parts of the map's width and
    height."""
    x, y = position
    while any(abs(x - a) < apart and abs(y - b) < apart for a, b in occupied):
        y += apart / 5
    return x, y


def reasons(left: np.ndarray, right: np.ndarray, explanation: "why.Why", title: str, path: str, window: bool,
            names: list[str]) -> None:
    """Two pictures (H, W, 1 or 3) with lines between windows that correspond, and below what each of these says; on the
    screen where `window` is True, otherwise at `path`."""
    window = window and figures.has_screen()
    page, axes = figures.figure(2, 2, 3.7, 3.5, window)
    page.set_layout_engine("none")  # which would not know of the lines
    page.subplots_adjust(left=0.02, right=0.98, bottom=0.13, top=0.87, hspace=0.2, wspace=0.08)
    sides = ((left, explanation.left, names[0]), (right, explanation.right, names[1]))
    for column, (picture, said, name) in enumerate(sides):
        figures.show(axes[0, column], picture)
        outlined(axes[0, column])
        axes[0, column].set_title(name, fontsize=8)
        show_said(axes[1, column], picture, explanation, said)
    rows = why.strongest(explanation)
    for number, (row, colour) in enumerate(zip(rows, LINES)):
        connect(page, axes[0], (left, right), explanation.windows[explanation.pairs[row]], colour, str(number + 1))
    page.text(0.5, 0.915, "Places that correspond; 1 is the strongest" if len(rows) else "No places correspond",
              ha="center", fontsize=9)
    page.text(0.5, 0.495, "What each place says", ha="center", fontsize=9)
    kinds = zip((FOR, AGAINST, "lightgrey"), LEGEND[explanation.way], strict=True)
    page.legend(handles=[Patch(color=colour, label=text) for colour, text in kinds], loc="lower center", frameon=False,
                fontsize=8)
    figures.head(page, title)
    if window:
        figures.make_readable(page)
        matplotlib.pyplot.show()
        return
    figures.save_beside_answer(page, path)


def show_said(axis, picture: np.ndarray, explanation: "why.Why", said: np.ndarray) -> None:
    """A picture in grey with what its windows say: red for "the same", blue against it, deep where it weighs much among
    both pictures."""
    grey = np.mean(np.atleast_3d(np.squeeze(picture)), axis=2)
    axis.imshow(255 - 0.6 * (255 - grey), cmap="gray", vmin=0, vmax=255)
    most = max(np.abs(why.heat(explanation.windows, each, (48, 48))).max()
               for each in (explanation.left, explanation.right))
    axis.imshow(why.heat(explanation.windows, said, picture.shape[:2]) / max(most, 1e-9), cmap=SPOKEN, vmin=-1, vmax=1,
                alpha=0.75)
    axis.axis("off")
    outlined(axis)


def outlined(axis) -> None:
    """A thin line around a picture, whose paper may be as white as the page."""
    axis.add_patch(Rectangle((0, 0), 1, 1, transform=axis.transAxes, fill=False, edgecolor="silver", linewidth=0.8,
                             clip_on=False))


def connect(page, axes, pictures, windows: np.ndarray, colour, number: str, size: float = 8) -> None:
    """A frame around a window of each of two pictures, with a number of `size` points, and a line between the two."""
    ends = []
    for axis, picture, (top, left, height, width) in zip(axes, pictures, windows, strict=True):
        down, across = picture.shape[:2]
        axis.add_patch(Rectangle((left * across, top * down), width * across, height * down, fill=False,
                                 edgecolor=colour, linewidth=1.5))
        axis.text(left * across, top * down, number, color="white", fontsize=size, va="top",
                  bbox=dict(facecolor=colour, edgecolor="none", pad=1))
        ends.append(((left + width / 2) * across, (top + height / 2) * down))
    page.add_artist(ConnectionPatch(ends[0], ends[1], "data", "data", axesA=axes[0], axesB=axes[1], color=colour,
                                    linewidth=1.2))
