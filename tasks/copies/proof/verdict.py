"""Is one picture made of the other: a copy, a copy with changes, or different, and what proves it."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.ndimage import uniform_filter

from tasks.copies.proof.alignment import LAST, agreement, maps, refined, shares, whole
from tasks.copies.proof.colours import other_colour
from tasks.copies.proof.differences import Differences, differences
from tasks.copies.proof.light import equally_sharp
from tasks.copies.proof.seen import SIDE, Frame, Seen
from utils.data.images import open_image
from utils.keypoints.geometry import transfer
from utils.saying import counted

COPY, CHANGED, DIFFERENT = "copy", "copy with changes", "different"
# agreement there from which on no other map is tried, and below which none is looked at closely
CERTAIN, HOPEFUL = 0.97, 0.4
EQUAL = 0.002  # of it, which a map may lose in the last steps, that look at finer pictures
HAIR = 0.1  # pixels; such a shift leaves a hundredth of the energy of edges, which any pair is expected to have
COPIES, CHANGES = 0.75, 0.6  # least agreement of a copy, and of a copy with changes
# least agreement of small versions of both, away from what differs; photos of one person or thing reach .96
ALIKE = 0.968
FAINTLY = 0.8  # the same with what is faint; copies of dark photos reach .9; of 80 pairs of them with one mark one does
LEAST_TEXTURE = 0.002  # share of what both show that must show something
FEW_PIXELS = 32  # a side, of a picture that may be too small to show anything
BLURRED, LEAST_SIDE = 2.0, 64  # sigma of the blur from which on pictures are looked at smaller, and how small at least
# grey levels of deviation up to which a part of a picture shows nothing, in all of it and in windows of so many pixels
EVEN, STROKES, STROKE = 4.0, 8.0, 5

PARTLY = 0.97  # share of a picture below which it is a part of the other

Box = tuple[int, int, int, int]


class Place(NamedTuple):
    """A place that differs: its boxes (left, top, right, bottom) in pixels of both pictures, and its share of all that
    differs."""

    a: Box
    b: Box
    weight: float


class Said(NamedTuple):
    """What looking at two pictures says in short: "copy", "copy with changes", or "" where they are different; and
    whether one has other colours."""

    verdict: str = ""
    other_colour: bool = False

    def __str__(self) -> str:
        return self.verdict + ("; other colour" if self.other_colour else "")


class Proof(NamedTuple):
    """What is known of two pictures.

    Attributes:
        verdict: `COPY`, `CHANGED` or `DIFFERENT`.
        why: in a few words, where they are different; where they are identical, what one file holds beside the pixels
            that were looked at and the other one does not.
        matrix: pixels of a -> pixels of b (3, 3); None where no map was found.
        agree: how well what both show agrees, 0..1.
        differing: share of what both show that differs.
        places: where they differ, the most different first.
        shares: which share of a lies in b, and of b in a.
        holds: whether a shows all that b shows, and b all that a shows; a border of one colour shows nothing.
        identical: whether all pixels are the same.
        sizes: width and height of both pictures.
        other_colour: whether what both show has other colours in one of them, see `tasks.copies.proof.colours`.
    """

    verdict: str
    why: str = ""
    matrix: np.ndarray | None = None
    agree: float = 0.0
    differing: float = 0.0
    places: Sequence[Place] = ()
    shares: tuple[float, float] = (0.0, 0.0)
    holds: tuple[bool, bool] = (False, False)
    identical: bool = False
    sizes: tuple[tuple[int, int], tuple[int, int]] = ((1, 1), (1, 1))
    other_colour: bool = False

    @property
    def said(self) -> Said:
        """The proof in short."""
        return Said() if self.verdict == DIFFERENT else Said(self.verdict, self.other_colour)

    def as_numbers(self) -> dict:
        """The proof as --json writes it."""
        return {"verdict": self.verdict, "why": self.why or None, "identical": self.identical,
                "other_colour": self.other_colour,
                "matrix": None if self.matrix is None else np.round(self.matrix, 5).tolist(),
                "agree": round(self.agree, 4),
                "differing": None if self.matrix is None else round(self.differing, 5),  # nothing lies upon each other
                "shares": [round(share, 4) for share in self.shares],
                "places": [{"left": list(place.a), "right": list(place.b), "weight": round(place.weight, 4)}
                           for place in self.places]}

    def in_words(self) -> str:
        """The verdict in a line, such as "copy with changes (99.2 % agrees; 1 place differs, .4 % of the picture)"."""
        if self.verdict == DIFFERENT:
            return f"{DIFFERENT} ({self.why})"
        if self.identical:
            return f"{COPY} (all pixels look the same; {self.why})" if self.why else f"{COPY} (all pixels are the same)"
        text = f"{self.verdict} ({self.agree:.1%} agrees"
        if self.places:
            text += (f"; {counted(len(self.places), 'place')} differ{'s' * (len(self.places) == 1)}, "
                     f"{self.differing:.1%} of what both show")
        text += "; other colour" if self.other_colour else ""
        return text + (f"; one shows {min(self.shares):.0%} of the other)" if min(self.shares) < PARTLY else ")")

    def parts(self) -> list[np.ndarray | None]:
        """Of each picture the corners (4, 2) in its pixels of what the other one shows, where that is a part of it;
        otherwise None."""
        found = []
        for share, other, back in zip(self.shares, self.sizes[::-1], (True, False)):
            if self.verdict == DIFFERENT or share > PARTLY:
                found.append(None)
                continue
            matrix = np.linalg.inv(self.matrix) if back else self.matrix
            found.append(transfer(matrix, np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * other))
        return found

    def turned(self) -> "Proof":
        """The same with both pictures exchanged."""
        matrix = None if self.matrix is None else np.linalg.inv(self.matrix)
        return self._replace(matrix=matrix, places=[Place(place.b, place.a, place.weight) for place in self.places],
                             shares=self.shares[::-1], holds=self.holds[::-1],
                             sizes=self.sizes[::-1])


def see(picture, side: int = SIDE, file: str = "") -> Seen:
    """A file, or a picture in memory, as the proof looks at it; ValueError where it cannot be read.

    Args:
        side: pixels a side that are looked at, at most.
        file: where a picture in memory comes from.
    """
    if not file and isinstance(picture, str | os.PathLike):
        file = os.fspath(picture)
    return Seen(open_image(picture, "RGB"), side, file)


def prove(a: Seen, b: Seen, keypoints: bool = True, recoloured: bool = True, mirrored: bool = True) -> Proof:
    """Compares two pictures.

    Args:
        keypoints: whether to look for crops and other parts too; otherwise only for whole pictures, which is quicker.
        recoloured: whether a picture in other colours is still a copy.
        mirrored: whether a mirror image is.
    """
    proof = proved(a, b, keypoints, mirrored)._replace(sizes=(a.size, b.size))
    if proof.other_colour and not recoloured:
        proof = proof._replace(verdict=DIFFERENT, why="other colour")
    return proof


def proved(a: Seen, b: Seen, keypoints: bool, mirrored: bool) -> Proof:
    """The same, but for the sizes."""
    if a.digest == b.digest:
        beside = " and ".join(sorted(a.beside ^ b.beside))
        return Proof(COPY, beside and f"one file alone has {beside}", np.eye(3), 1.0, shares=(1.0, 1.0),
                     holds=(True, True), identical=True)
    if a.plain or b.plain:
        return Proof(DIFFERENT, "nothing is to be seen in " + ("both" if a.plain and b.plain else "one")
                     + " of them but light")
    matrix, rough = best_map(a, b, keypoints, mirrored)
    if matrix is None or rough < HOPEFUL:
        return Proof(DIFFERENT, "no part of one is found in the other")
    found, frame = look(a, b, matrix)
    proof = Proof(DIFFERENT, "", full_size(matrix, a, b), found.agree, found.share, places(found, frame, matrix),
                  shares(matrix, a, b))
    if found.textured < LEAST_TEXTURE:
        width, height = min(a.size, b.size, key=min)
        return proof._replace(why=f"{width} x {height} pixels are too few to prove a copy"
                              if min(width, height) < FEW_PIXELS else "where they may agree, nothing is to be seen")
    if found.agree < (CHANGES if found.boxes else COPIES):
        return proof._replace(why=f"{found.agree:.0%} of what they show agrees")
    if found.coarse < ALIKE:
        return proof._replace(why="they are alike all over and agree nowhere quite, as two views of one thing do")
    if found.faint < FAINTLY:
        return proof._replace(why="they agree in a small part alone, as two photos with one caption or mark do")
    holds = is_held(b, a, np.linalg.inv(matrix)), is_held(a, b, matrix)
    recoloured = other_colour(a, b, matrix, [place.a for place in proof.places])
    return proof._replace(verdict=CHANGED if found.boxes else COPY, holds=holds, other_colour=recoloured)


def best_map(a: Seen, b: Seen, keypoints: bool, mirrored: bool) -> tuple[np.ndarray | None, float]:
    """The map under which both agree best, and how well they do, looked at roughly."""
    best, most = None, 0.0
    for matrix in maps(a, b, keypoints, mirrored):
        if (agree := agreement(a, b, matrix)) > most:
            best, most = matrix, agree
        if most > CERTAIN:
            break
    exact = refined(a, b, best, (LAST,)) if most >= HOPEFUL else None
    if exact is not None and (agree := agreement(a, b, exact)) > most - EQUAL:
        best, most = onto_the_whole(a, b, exact), agree
    return best, most


def onto_the_whole(a: Seen, b: Seen, matrix: np.ndarray) -> np.ndarray:
    """The map of the whole of a onto the whole of b where this map is that one but for a hair, so that pixels that are
    the same in both lie upon each other; otherwise the map itself."""
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1.0]]) * a.picture.size
    return next((guess for guess in whole(a, b)
                 if np.abs(transfer(guess, corners) - transfer(matrix, corners)).max() < HAIR), matrix)


def look(a: Seen, b: Seen, matrix: np.ndarray) -> tuple[Differences, Frame]:
    """What differs under a map, and the frame in which it was looked at."""
    frame = Frame(a, b, matrix, max(a.side, b.side))
    sigma, inside = blur(frame, matrix)
    if abs(sigma) > BLURRED:  # one of them has no finer detail
        frame = Frame(a, b, matrix, max(LEAST_SIDE, round(BLURRED / 2 * max(frame.size) / abs(sigma))))
        sigma, inside = blur(frame, matrix)
    left, right = (a.picture, b.picture) if a.coloured and b.coloured else (a.grey, b.grey)
    left, right = np.atleast_3d(frame.of_a(left)), np.atleast_3d(frame.of_b(right, matrix))
    return differences(left, right, inside, sigma), frame


def blur(frame: Frame, matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """The blur between both pictures in a frame, see `tasks.copies.proof.light.equally_sharp`, and where both have
    pixels, (H, W)."""
    inside = frame.inside(matrix)
    return equally_sharp(frame.of_a(frame.a.grey), frame.of_b(frame.b.grey, matrix), inside), inside


def full_size(matrix: np.ndarray, a: Seen, b: Seen) -> np.ndarray:
    """A map of pixels of the pictures as they are looked at, as one of pixels of the files."""
    return np.diag([*1 / b.ratio, 1]) @ matrix @ np.diag([*a.ratio, 1])


def places(found: Differences, frame: Frame, matrix: np.ndarray) -> list[Place]:
    """The boxes of a frame in pixels of both files."""
    a, b = frame.a, frame.b
    into_a = np.diag([*1 / a.ratio, 1]) @ frame.into_a
    into_b = np.diag([*1 / b.ratio, 1]) @ matrix @ frame.into_a
    return [Place(moved(box, into_a, a.size), moved(box, into_b, b.size), weight)
            for box, weight in zip(found.boxes, found.weights, strict=True)]


def moved(box: Box, matrix: np.ndarray, size: tuple[int, int]) -> Box:
    """The box around a mapped box, within a picture of `size`."""
    left, top, right, bottom = box
    corners = transfer(matrix, np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float))
    low, high = (np.clip(ends, 0, size) for ends in (corners.min(0), corners.max(0)))
    return tuple(int(end) for end in (*np.floor(low + 1e-6), *np.ceil(high - 1e-6)))


def is_held(a: Seen, b: Seen, matrix: np.ndarray) -> bool:
    """Whether b shows all that a shows: what of a lies outside of b is a border of one colour, or hardly wider than a
    pixel."""
    sides = beyond(matrix, a.grey.size, b.grey.size)
    if np.any(sides, axis=0).mean() < 0.002:
        return True
    values = np.asarray(a.picture, "float32")
    return all(is_even(values, side) for side in sides if side.sum() > 16)


def is_even(values: np.ndarray, part: np.ndarray) -> bool:
    """Whether a part (H, W) bool of a picture (H, W, 3) has one colour, without a word in it."""
    if values[part].std(0).max() >= EVEN:
        return False
    apart = np.abs(values - np.median(values[part], axis=0)).max(-1)
    return uniform_filter(np.where(part, apart, 0), STROKE).max() < STROKES


def beyond(matrix: np.ndarray, size: tuple[int, int], of: tuple[int, int]) -> list[np.ndarray]:
    """Which pixels of a picture of `size` a map brings beyond each side of one of the size `of`: left, right, top,
    bottom, (H, W) bool each."""
    x, y = np.arange(size[0]) + 0.5, (np.arange(size[1]) + 0.5)[:, None]
    at = [(row[0] * x + row[1] * y + row[2]) / length for row, length in zip(matrix[:2], of, strict=True)]
    return [side for value, length in zip(at, of) for side in (value < -(0.02 + 2 / length), value > 1.02 + 2 / length)]
