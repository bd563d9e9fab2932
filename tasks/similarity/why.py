"""Why does a model call two pictures the same, or different? Which windows speak for it, which against, and which
correspond.

There are three ways, by what the model is:

- `by_windows`, for towers that pool their maps over all locations, such as those for photographs. Small windows of both
  pictures pass through the tower by themselves, and the head compares each window of one picture with each of the
  other. Two windows correspond where each is the other's best match, the model calls them the same, and each is more
  like the other than like any other window of its own picture: a patch of sky is like every patch of sky, and says
  nothing.
- `by_hiding`, for towers that keep where things are, such as those for characters, to which a part by itself means
  nothing. Small windows are painted over, in one picture and in both: does the similarity fall?
- `by_attention`, for a head that compares locations itself: it is asked for what it saw.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image

from nets.uses import Comparer

# windows: sides as shares of the picture's, and the step from one to the next as a share of the side
SIDES, STEP = (0.2, 0.3), 0.5
FEW = 64  # windows embedded at once
NOISE = 1e-3  # what a window says counts from here on
CERTAIN = 1e-7  # similarities nearer to 0 or 1 count as this near, so that each has a logit


class Why(NamedTuple):
    """What speaks for and against two pictures showing the same.

    Attributes:
        way: "windows", "hiding" or "attention".
        windows: (N, 4) top, left, height and width of each window, as shares of a picture's height and width.
        left, right: (N,) what each window of the first and of the second picture says: above 0 for "the same", below 0
            against, 0 nothing. In logits of the similarity; for a head with attention in its own unit.
        pairs: (P, 2) windows that correspond, of the first picture and of the second, the strongest first; none twice.
        weights: (P,) how strongly, above 0, in the same unit.
    """

    way: str
    windows: np.ndarray
    left: np.ndarray
    right: np.ndarray
    pairs: np.ndarray
    weights: np.ndarray


def explain(compare: Comparer, shape: tuple[int, int, int], left: np.ndarray, right: np.ndarray,
            sides: Sequence[float] = SIDES) -> Why:
    """What speaks for and against two pictures showing the same; swapped pictures give the same, swapped.

    Args:
        compare: of the model; `shape`: (height, width, channels) that it takes.
        left, right: (H, W, 1 or 3) in 0..255, of any size.
        sides: of the windows, as shares of the picture's; fewer are faster.
    """
    if getattr(compare, "attention", None):
        return by_attention(compare, shape, left, right)
    way = by_hiding if getattr(compare, "keeps_locations", False) else by_windows
    return way(compare, shape, left, right, sliding_windows(sides))


def by_windows(compare: Comparer, shape: tuple[int, int, int], left: np.ndarray, right: np.ndarray,
               windows: np.ndarray) -> Why:
    """The explanation by windows that are shown by themselves; see `explain`."""
    one, other = (embedded(compare, [fitted(picture, shape, window) for window in windows])
                  for picture in (left, right))
    apart = elsewhere(windows)
    homes = [np.where(apart, logits(compare, side, side), -np.inf).max(axis=1) for side in (one, other)]
    return Why("windows", windows, *judged(logits(compare, one, other), *homes))


def by_hiding(compare: Comparer, shape: tuple[int, int, int], left: np.ndarray, right: np.ndarray,
              windows: np.ndarray) -> Why:
    """The explanation by windows that are painted over; see `explain`.

    What a window says is how far the logit falls without it; below 0 it rises. Two of the smallest windows correspond
    where each is the other's best partner: without one of them the logit falls, and without the other one too the
    pictures are more alike again.
    """
    whole = [fitted(picture, shape) for picture in (left, right)]
    one, other = (embedded(compare, [picture, *(hidden(picture, [window]) for window in windows)]) for picture in whole)
    scores = logits(compare, one, other)
    falls_left, falls_right = scores[0, 0] - scores[1:, 0], scores[0, 0] - scores[0, 1:]
    mended = scores[1:, 1:] - np.maximum(scores[1:, :1], scores[:1, 1:])
    small = windows[:, 2] == windows[:, 2].min()
    fit = np.outer(small & (falls_left > NOISE), small & (falls_right > NOISE))
    mended = np.where(fit, mended, -np.inf)
    said = (np.where(np.abs(falls) > NOISE, falls, 0) for falls in (falls_left, falls_right))
    return Why("hiding", windows, *said, *ranked(mended, best_of_both(mended) & (mended > NOISE)))


def by_attention(compare: Comparer, shape: tuple[int, int, int], left: np.ndarray, right: np.ndarray) -> Why:
    """The explanation by how much window i of one picture corresponds to window j of the other, as the head itself sees
    it; see `explain`.

    A window without a better counterpart than the others have counts against; what corresponds to everything says
    nothing.
    """
    one, other = compare.embed(np.stack([fitted(picture, shape) for picture in (left, right)]))
    matrix = (compare.attention(one, other) + compare.attention(other, one).T) / 2  # the same both ways round
    down = max(1, round(np.sqrt(len(matrix) * shape[0] / shape[1])))
    across = len(matrix) // down
    windows = np.array([(y / down, x / across, 1 / down, 1 / across) for y in range(down) for x in range(across)])
    usual = (matrix.max(axis=1).mean() + matrix.max(axis=0).mean()) / 2
    return Why("attention", windows,
               *judged(matrix - usual, matrix.mean(axis=1) - usual, matrix.mean(axis=0) - usual, least=-np.inf))


def embedded(compare: Comparer, pictures: list[np.ndarray]) -> np.ndarray:
    """Features (N, F) of pictures as the model takes them. Few at a time are embedded without the start of a long
    work."""
    return np.concatenate([compare.embed(np.stack(pictures[start : start + FEW]))
                           for start in range(0, len(pictures), FEW)])


def judged(between: np.ndarray, home_left: np.ndarray, home_right: np.ndarray,
           least: float = 0.0) -> tuple[np.ndarray, ...]:
    """What windows say, from how alike they are; see `Why` for what is returned: left, right, pairs, weights.

    Args:
        between: (n, m) how alike window i of one picture is to window j of the other; from 0 on they count as the same.
        home_left, home_right: (n,) and (m,) how alike each window is to the most alike elsewhere in its own picture.
        least: what they are compared with at least.
    """
    beyond = between - np.maximum(np.maximum(home_left[:, None], home_right[None, :]), least)
    mutual = (between > 0) & (beyond > NOISE) & best_of_both(beyond)
    left, right = (np.where(mutual.any(axis=axis), beyond.max(axis=axis), against(between.max(axis=axis)))
                   for axis in (1, 0))
    return left, right, *ranked(beyond, mutual)


def against(best: np.ndarray) -> np.ndarray:
    """What windows without a counterpart say, from how alike each is to the most alike in the other picture: (n,), at
    most 0."""
    return np.where(best < -NOISE, best, 0)


def best_of_both(weights: np.ndarray) -> np.ndarray:
    """Which of all pairs (n, m) are the best of both their windows: (n, m) bool."""
    return (weights == weights.max(axis=1, keepdims=True)) & (weights == weights.max(axis=0, keepdims=True))


def ranked(weights: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The chosen of all pairs (n, m), the strongest first: pairs (P, 2) and their weights (P,)."""
    order = np.argsort(-weights[chosen], kind="stable")
    return np.argwhere(chosen)[order], weights[chosen][order]


def logits(compare: Comparer, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Logits of the similarity of all pairs of features: (n, F), (m, F) -> (n, m)."""
    similar = np.clip(compare.score(left[:, None], right[None, :]).astype("float64"), CERTAIN, 1 - CERTAIN)
    return np.log(similar) - np.log1p(-similar)


def sliding_windows(sides: Sequence[float] = SIDES) -> np.ndarray:
    """Windows that cover a picture, (N, 4) as the windows of `Why`: of each side, STEP sides from one to the next."""
    boxes = []
    for side in sides:
        steps = np.linspace(0, 1 - side, int(np.ceil((1 - side) / (STEP * side) - 1e-6)) + 1)
        boxes += [(top, left, side, side) for top in steps for left in steps]
    return np.array(boxes)


def centres(windows: np.ndarray) -> np.ndarray:
    """The middles of windows: (N, 2), from the top and from the left, as shares."""
    return windows[:, :2] + windows[:, 2:] / 2


def elsewhere(windows: np.ndarray) -> np.ndarray:
    """Which windows lie so far from which others that they do not overlap, or hardly: (N, N) bool."""
    far = np.abs(centres(windows)[:, None] - centres(windows)[None, :])
    return (far > 0.99 * np.maximum(windows[:, None, 2:], windows[None, :, 2:])).any(axis=-1)


def fitted(picture: np.ndarray, shape: tuple[int, int, int], window=(0, 0, 1, 1)) -> np.ndarray:
    """A window of a picture (H, W, 1 or 3) as a model takes it: of `shape`, uint8."""
    picture = Image.fromarray(np.squeeze(picture).astype("uint8")).convert("L" if shape[2] == 1 else "RGB")
    top, left, height, width = window
    box = (left * picture.width, top * picture.height, (left + width) * picture.width, (top + height) * picture.height)
    return np.asarray(picture.resize((shape[1], shape[0]), Image.Resampling.BILINEAR, box)).reshape(shape)


def heat(windows: np.ndarray, said: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """What each pixel says, the mean over the windows that hold it: (H, W), above 0 for "the same", below 0 against."""
    total, count = np.zeros(shape), np.zeros(shape)
    for window, value in zip(windows, said, strict=True):
        within = pixels(window, shape)
        total[within] += value
        count[within] += 1
    return total / np.maximum(count, 1)


def pixels(window, shape: tuple[int, int]) -> tuple[slice, slice]:
    """The rows and columns of a window in a picture of (height, width) pixels."""
    top, left, height, width = window
    return (slice(round(top * shape[0]), round((top + height) * shape[0])),
            slice(round(left * shape[1]), round((left + width) * shape[1])))


def strongest(why: Why, most: int = 5) -> np.ndarray:
    """The strongest pairs that overlap no stronger one in either picture: rows of `why.pairs`, `most` at most."""
    apart, kept = elsewhere(why.windows), []
    for row, pair in enumerate(why.pairs):
        if len(kept) < most and all(apart[pair, why.pairs[other]].all() for other in kept):
            kept.append(row)
    return np.array(kept, int)


def loudest(why: Why, said: np.ndarray, most: int = 5) -> np.ndarray:
    """The windows of one picture that speak most for "the same" and overlap no stronger one: indices of windows, `most`
    at most."""
    apart, kept = elsewhere(why.windows), []
    for window in np.argsort(-said, kind="stable"):
        if said[window] > 0 and len(kept) < most and apart[window, kept].all():
            kept.append(window)
    return np.array(kept, int)


def hidden(picture: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """A picture with some windows painted over in its median colour, which is the paper of a drawing."""
    covered = picture.copy()
    for window in windows:
        covered[pixels(window, picture.shape[:2])] = np.median(picture, axis=(0, 1))
    return covered


def shares_of(why: Why, clear: float = 0.1) -> np.ndarray:
    """Which shares of the first and of the second picture speak for "the same", and which against it: (2, 2) in 0..1, a
    row each; all 0 where no place says anything.

    Args:
        clear: a place counts where it says at least this share of what the loudest says.
    """
    maps = [heat(why.windows, said, (64, 64)) for said in (why.left, why.right)]
    least = clear * max(np.abs(each).max() for each in maps)
    return np.array([[least > 0 and np.mean(sign * each >= least) for each in maps] for sign in (1, -1)], float)


def contradicted(shares: np.ndarray, same: bool | None) -> bool:
    """Whether more places, by their shares, speak against a verdict than for it; never where there is none."""
    speak_for, against = shares.sum(axis=1)
    return same is not None and speak_for != against and same != (speak_for > against)


def in_words(why: Why, same: bool | None = None) -> str:
    """The explanation in a line.

    Args:
        same: the verdict, which the places may contradict; None: there is none.
    """
    shares = shares_of(why)
    if not shares.any():
        return "why: no place of either picture says anything"
    red, blue = ([f"{share:.0%}" for share in row] for row in shares)
    text = (f"why: {len(strongest(why))} pairs of places correspond; for \"the same\" speak {red[0]} of the first "
            f"picture and {red[1]} of the second, against it {blue[0]} and {blue[1]}")
    if not contradicted(shares, same):
        return text
    most = '"different"' if same else '"the same"'
    return f"{text}. The places contradict the verdict: more of them speak for {most}. Look at both pictures yourself"


def as_numbers(why: Why, sizes: list[tuple[int, int]], most: int = 10) -> dict:
    """The explanation for programs: the strongest windows of each picture for and against, and pairs, as boxes in
    pixels.

    Args:
        sizes: width and height of the two files, in pixels.
        most: windows and pairs of each kind.
    """

    def box(window: int, size: tuple[int, int]) -> list[int]:
        """Left, top, width, height."""
        top, left, height, width = why.windows[window]
        return [round(left * size[0]), round(top * size[1]), round(width * size[0]), round(height * size[1])]

    def listed(said: np.ndarray, size: tuple[int, int]) -> list[dict]:
        return [{"box": box(window, size), "weight": float(said[window])}
                for window in np.argsort(-said, kind="stable")[:most] if said[window] > 0]

    listing = {side: {"for": listed(said, size), "against": listed(-said, size)}
               for side, said, size in zip(("left", "right"), (why.left, why.right), sizes, strict=True)}
    rows = strongest(why, most)
    return listing | {"pairs": [{"left": box(why.pairs[row][0], sizes[0]), "right": box(why.pairs[row][1], sizes[1]),
                                 "weight": float(why.weights[row])} for row in rows]}
