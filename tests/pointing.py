"""Does `predict.py --why` point at what two pictures share? The same object is pasted on two photos, in other places
and sizes.

    python tests/pointing.py FOLDER [pairs]
    python tests/pointing.py --characters FOLDER [pairs]

FOLDER holds photos, such as BSDS500: two are backgrounds, and the object is cut out of a third with an uneven outline.
A second kind of object are drawn faces. For the share of the picture that the object takes, it prints the share of the
red (of what speaks for "the same") that lies on the object, mean and standard deviation over the pictures, and how much
the logit of the similarity falls when the five strongest windows of the first picture are hidden, or five others of the
same sizes. With --characters FOLDER is in Omniglot's layout, pairs are two drawings of a character, and only the falls
of the logit are measured, of the ready model for characters.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from PIL import Image, ImageDraw

from nets.models.siamese import KIND, Comparer, comparer
from tasks.choosing import ready_model
from tasks.models import load_model
from tasks.similarity import why
from utils.data.files import walk
from utils.data.images import read_image
from utils.faces import RANGES, Person, portrait
from utils.run import startup

SIDE = 256  # pixels of a picture
SHAPE = (SIDE, SIDE, 3)


def outline(rng) -> np.ndarray:
    """An uneven blob that touches the sides of its square: (SIDE, SIDE) bool."""
    angles = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    radius = (1 + sum(rng.uniform(-0.25, 0.25) / wave * np.cos(wave * angles + rng.uniform(0, 2 * np.pi))
                      for wave in (1, 2, 3, 4)))
    ends = np.stack([radius * np.cos(angles), radius * np.sin(angles)], axis=1)
    ends = (ends - ends.min(axis=0)) / np.ptp(ends, axis=0) * (SIDE - 1)
    page = Image.new("1", (SIDE, SIDE))
    ImageDraw.Draw(page).polygon([tuple(end) for end in ends], fill=1)
    return np.array(page)


def face(rng) -> tuple[np.ndarray, np.ndarray]:
    """The head of a drawn person in a tint, (SIDE, SIDE, 3), and where it is, (SIDE, SIDE) bool."""
    drawn = np.asarray(portrait(Person(*(rng.uniform(*span) for span in RANGES)), rng), "float32")[14:102, 13:79]
    down, across = np.indices(drawn.shape)
    head = ((across - 33) / 33) ** 2 + ((down - 44) / 44) ** 2 < 1
    tinted = np.clip(drawn[..., None] * rng.uniform(0.7, 1.1, 3), 0, 255).astype("uint8")
    return np.array(Image.fromarray(tinted).resize((SIDE, SIDE))), np.array(Image.fromarray(head).resize((SIDE, SIDE)))


def pasted(background: np.ndarray, thing: np.ndarray, mask: np.ndarray, share: float,
           rng) -> tuple[np.ndarray, np.ndarray]:
    """A background with a thing on it that takes a share of its area, somewhere: the picture, and where the thing
    is."""
    side = min(SIDE - 2, round(np.sqrt(share / mask.mean()) * SIDE))
    thing, mask = (np.array(Image.fromarray(each).resize((side, side))) for each in (thing, mask))
    top, left = rng.integers(0, SIDE - side + 1, 2)
    picture, where = background.copy(), np.zeros((SIDE, SIDE), bool)
    where[top : top + side, left : left + side] = mask
    picture[where] = thing[mask]
    return picture, where


def pair(backgrounds, thing, mask, share: float, rng):
    """A thing on two backgrounds, up to 1.25 times as large on one as on the other: two of what `pasted` gives."""
    larger = rng.uniform(0.8, 1.25) ** 0.5
    return pasted(backgrounds[0], thing, mask, share * larger,
                  rng), pasted(backgrounds[1], thing, mask, share / larger, rng)


def on_object(windows: np.ndarray, said: np.ndarray, where: np.ndarray) -> float:
    """The share of what speaks for "the same" that lies on the object; 0 where nothing speaks for it."""
    red = np.maximum(why.heat(windows, said, where.shape), 0)
    return float(red[where].sum() / red.sum()) if red.any() else 0.0


def fall(compare: Comparer, shape, left: np.ndarray, right: np.ndarray, explanation: why.Why, rng,
         draws: int = 8) -> tuple[float, float]:
    """How far the logit falls when the five strongest windows of `left` are hidden, and on average of others of the
    same sizes."""
    strongest = explanation.windows[why.loudest(explanation, explanation.left)]
    others = []
    for _ in range(draws):
        moved = strongest.copy()
        moved[:, :2] = rng.uniform(0, 1, (len(moved), 2)) * (1 - moved[:, 2:])
        others.append(moved)
    shown = [left, *(why.hidden(left, windows) for windows in (strongest, *others))]
    features = compare.embed(np.stack([why.fitted(picture, shape) for picture in (right, *shown)]))
    logits = why.logits(compare, features[:1], features[1:])[0]
    return float(logits[0] - logits[1]), float(logits[0] - logits[2:].mean())


def measure(compare: Comparer, shape, pairs, rng) -> None:
    """Prints one line on pairs of pictures, each with where the object is, or None."""
    shares, falls, begun = [], [], time.perf_counter()
    for (left, on_left), (right, on_right) in pairs:
        explanation = why.explain(compare, shape, left, right)
        shares += [on_object(explanation.windows, said, where)
                   for said, where in ((explanation.left, on_left), (explanation.right, on_right)) if where is not None]
        falls.append(fall(compare, shape, left, right, explanation, rng))
    strongest, others = np.array(falls).T
    share = (f"{np.mean(shares):.3f} +- {np.std(shares):.3f} of the red on the object, {len(shares)} pictures; "
             if shares else "")
    print(f"  {share}the logit falls by {strongest.mean():.2f} without the five strongest places, by "
          f"{others.mean():.2f} without others, more in {np.mean(strongest > others):.0%} of {len(falls)} pairs; "
          f"{(time.perf_counter() - begun) / len(falls):.1f} s a pair", flush=True)


def characters(folder: str, count: int) -> None:
    """Two drawings of a character each, drawn at random."""
    compare, shape = ready("characters")
    rng, classes = np.random.default_rng(0), {}
    for name in sorted(walk(folder)[0]):
        classes.setdefault(os.path.dirname(name), []).append(os.path.join(folder, name))
    several = [paths for paths in classes.values() if len(paths) > 1]
    drawn = [rng.choice(several[rng.integers(len(several))], 2, replace=False) for _ in range(count)]
    print("two drawings of a character")
    measure(compare, shape, [[(read_image(path, (105, 105, 1)), None) for path in paths] for paths in drawn], rng)


def photos(folder: str, count: int) -> None:
    """Cut-outs of photos, and faces, on photos."""
    compare, shape = ready("photos")
    paths = [os.path.join(folder, name) for name in sorted(walk(folder)[0])]
    for kind in ("photo", "face"):
        for share in (0.125, 0.25, 0.5):
            rng = np.random.default_rng([int(1000 * share), len(kind)])
            order = rng.permutation(len(paths))
            pairs = []
            for number in range(count):
                one, other, third = (read_image(paths[row], SHAPE)
                                     for row in order[np.arange(3 * number, 3 * number + 3) % len(paths)])
                pairs.append(pair((one, other), *((third, outline(rng)) if kind == "photo" else face(rng)), share, rng))
            print(f"{kind}s on {share:.1%} of the picture")
            measure(compare, shape, pairs, rng)


def ready(name: str) -> tuple[Comparer, tuple[int, int, int]]:
    """A ready model: what it computes, and the shape that it takes."""
    model = load_model(ready_model(name), KIND)
    return comparer(model), model.input_shape[0][1:]


if __name__ == "__main__":
    given = [argument for argument in sys.argv[1:] if argument != "--characters"]
    if not given or given[0].startswith("-"):
        sys.exit(__doc__)
    startup.hush()
    (photos if given == sys.argv[1:] else characters)(given[0], int(given[1]) if len(given) > 1 else 40)
