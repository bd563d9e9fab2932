"""Is one picture made of the other: a copy, a copy with changes, or different, and what proves it."""

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tasks.copies.proof.alignment import LAST, agreement, is_held, maps, refined, shares, whole
from tasks.copies.proof.colours import other_colour
from tasks.copies.proof.differences import DETAIL, Differences, differences
from tasks.copies.proof.light import equally_sharp, line
from tasks.copies.proof.seen import SIDE, Frame, Seen, tiles
from utils.data.images import open_image
from utils.keypoints.filters import means
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
ALIKE_BESIDE = 0.98  # the same beside what differs: coins of one kind reach .978, though nothing on them is the same
FAINTLY = 0.8  # the same with what is faint; copies of dark photos reach .9; of 80 pairs of them with one mark one does
LEAST_TEXTURE = 0.002  # share of what both show that must show something
FEW_PIXELS = 32  # a side, of a picture that may be too small to show anything
BLURRED, LEAST_SIDE = 2.0, 64  # sigma of the blur from which on pictures are looked at smaller, and how small at least
# pixels a side of the parts in which all pixels are looked at, and the share of the pixels that is nearly all of them
TILE, NEARLY = 1024, 0.95
SPARSE, STRONG = 100, 20.0  # of so many pixels one tells the light, and grey levels by which small print differs
RIM = 6  # pixels of a file at its rim
FINE = 12  # pixels of the picture as it was looked at before: what is thicker was seen then
EDGE = 2.0  # pixels, as both are looked at, by which one may reach beyond the other and still be held by it
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
    def differs(self) -> str:
        """The share that differs, such as "0.4%"; not 0.0% where a place does."""
        return "less than 0.1%" if self.places and self.differing < 0.0005 else f"{self.differing:.1%}"

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
                     f"{self.differs} of what both show")
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
    seen = Seen(open_image(picture, "RGB"), side, file)
    if isinstance(picture, str | os.PathLike):  # a large picture is read again where it is needed
        seen.whole = lambda: open_image(picture, "RGB")
    return seen


def prove(a: Seen, b: Seen, keypoints: bool = True, recoloured: bool = True, mirrored: bool = True,
          slack: int = 0) -> Proof:
    """Compares two pictures.

    Args:
        keypoints: whether to look for crops and other parts too; otherwise only for whole pictures, which is quicker.
        recoloured: whether a picture in other colours is still a copy.
        mirrored: whether a mirror image is.
        slack: see `tasks.copies.proof.differences.differences`.
    """
    proof = proved(a, b, keypoints, mirrored, slack)._replace(sizes=(a.size, b.size))
    if proof.other_colour and not recoloured:
        proof = proof._replace(verdict=DIFFERENT, why="other colour")
    return proof


def proved(a: Seen, b: Seen, keypoints: bool, mirrored: bool, slack: int) -> Proof:
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
    found, frame = look(a, b, matrix, slack)
    proof = Proof(DIFFERENT, "", full_size(matrix, a, b), found.agree, found.share, places(found, frame, matrix),
                  shares(matrix, a, b))
    if found.textured < LEAST_TEXTURE:
        width, height = min(a.size, b.size, key=min)
        return proof._replace(why=f"{width} x {height} pixels are too few to prove a copy"
                              if min(width, height) < FEW_PIXELS else "where they may agree, nothing is to be seen")
    if not found.boxes and found.agree > CHANGES:
        proof = closer(a, b, proof, slack) if is_finer(a, b, proof.matrix, frame) else proof
    if proof.agree < (CHANGES if proof.places else COPIES):
        return proof._replace(why=f"{proof.agree:.0%} of what they show agrees", places=(), differing=0.0)
    if found.coarse < (ALIKE_BESIDE if found.boxes else ALIKE):
        return proof._replace(why="they are alike all over and agree nowhere quite, as two views of one thing do")
    if found.faint < FAINTLY:
        return proof._replace(why="they agree in a small part alone, as two photos with one caption or mark do")
    edge = EDGE * frame.into_a[0, 0]  # the more one of them is blurred, the coarser is the frame
    holds = is_held(b, a, np.linalg.inv(matrix), edge), is_held(a, b, matrix, edge)
    recoloured = other_colour(a, b, matrix, [place.a for place in proof.places])
    return proof._replace(verdict=CHANGED if proof.places else COPY, holds=holds, other_colour=recoloured)


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


def look(a: Seen, b: Seen, matrix: np.ndarray, slack: int = 0) -> tuple[Differences, Frame]:
    """What differs under a map, and the frame in which it was looked at; `slack` in pixels of that frame."""
    frame = Frame(a, b, matrix, max(a.side, b.side))
    sigma, inside = blur(frame, matrix)
    if abs(sigma) > BLURRED:  # one of them has no finer detail
        frame = Frame(a, b, matrix, max(LEAST_SIDE, round(BLURRED / 2 * max(frame.size) / abs(sigma))))
        sigma, inside = blur(frame, matrix)
    left, right = (a.picture, b.picture) if in_colour(a, b) else (a.grey, b.grey)
    left, right = np.atleast_3d(frame.of_a(left)), np.atleast_3d(frame.of_b(right, matrix))
    return differences(left, right, inside, sigma, slack), frame


def in_colour(a: Seen, b: Seen) -> bool:
    """Whether both are compared in colour: where both show some, in a few places at least."""
    return all(seen.coloured for seen in (a, b)) or all(seen.vivid for seen in (a, b))


def is_finer(a: Seen, b: Seen, matrix: np.ndarray, frame: Frame) -> bool:
    """Whether both files have more pixels than a frame of them, which is not coarse because one of them is blurred.

    Args:
        matrix: pixels of the file a -> pixels of the file b.
    """
    plain = Frame(a, b, np.diag([*b.ratio, 1]) @ matrix @ np.diag([*1 / a.ratio, 1]), max(a.side, b.side))
    wide = (plain.box[2] - plain.box[0]) / a.ratio[0] * min(1.0, np.sqrt(abs(np.linalg.det(matrix[:2, :2]))))
    return plain.size[0] < NEARLY * wide and frame.size[0] > NEARLY * plain.size[0]


def closer(a: Seen, b: Seen, proof: Proof, slack: int) -> Proof:
    """The same with what only all pixels of both files show, where they have more than were looked at."""
    found, differing, agree = [], 0.0, []
    for left, right, matrix, begins in tiles(a, b, proof.matrix, TILE):
        if proof.agree >= COPIES and not may_differ(left, right, matrix):
            continue
        seen, frame = look(left, right, matrix, max(slack, 1))  # maps are not exact to a pixel of the files
        agree.append((seen.agree, seen.textured * np.prod(frame.size)))
        before = len(found)
        for place in places(seen, frame, matrix):
            box_a, box_b = (tuple(np.add(box, np.tile(at, 2)).tolist()) for box, at in zip(place[:2], begins))
            thick = min(np.subtract(box_a[2:], box_a[:2])) * max(a.ratio) > FINE  # it would have been seen before
            if not thick and not at_rim(box_a, a.size) and not at_rim(box_b, b.size) and not any(
                    meet(box_a, other.a) for other in found):  # parts overlap
                found.append(Place(box_a, box_b, place.weight * seen.share * np.prod(frame.size)))
        if len(found) > before:
            differing += seen.share * np.prod(frame.size) * np.linalg.det(frame.into_a)
    total = sum(place.weight for place in found) or 1.0
    found = [place._replace(weight=place.weight / total) for place in sorted(found, key=lambda place: -place.weight)]
    shown = proof.shares[0] * np.prod(a.size)
    agree, weights = np.transpose(agree or [(0.0, 1.0)])
    return proof._replace(places=found, differing=float(differing / max(shown, 1)),
                          agree=max(proof.agree, float(agree @ weights / max(weights.sum(), 1))))


def may_differ(a: Seen, b: Seen, matrix: np.ndarray) -> bool:
    """Whether small print could differ under a map: a quick look at grey levels, in one light, which spares `look`
    where nothing but compression and noise is seen."""
    frame = Frame(a, b, matrix, max(a.side, b.side))
    x, y, inside = frame.of_a(a.grey), frame.of_b(b.grey, matrix), frame.inside(matrix)
    rows = np.flatnonzero(inside)[::SPARSE]
    if len(rows) < FEW_PIXELS or x.ravel()[rows].std() < 1:
        return True
    slope, offset = line(x.ravel()[rows].astype(float), y.ravel()[rows].astype(float))
    return bool(means((slope * x + offset - y) ** 2 * inside, DETAIL).max() > STRONG**2)


def at_rim(box: Box, size: tuple[int, int]) -> bool:
    """Whether a box lies within the outermost pixels of a picture, which no map meets exactly."""
    left, top, right, bottom = box
    return right <= RIM or bottom <= RIM or left >= size[0] - RIM or top >= size[1] - RIM


def meet(one: Box, other: Box) -> bool:
    """Whether two boxes overlap."""
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(one[3], other[3])


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
