"""Duplicates: files of the same contents, and pictures that a model calls the same.

All pictures of a group are alike, or have the same contents as one that is: a picture between two does not join them.

The groups are found one after the other, each from the pictures that no group holds yet: the picture with the most
pictures like it is the next centre, the first path among equals. The pictures like it follow, the most alike first, and
each joins that is like all before.

Of copies the picture worth keeping is named beside each group: most pixels, then best quality, then largest file, then
first path. Of files of one format the larger has lost less; where the largest pictures come in several formats, a model
of quality decides. It need not be the centre, and the threshold says nothing about it and the other members.

Memory grows with the pictures and never with the alike pairs: these are counted, and found again by tiles when needed.
"""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from tasks.copies.proof.keeping import Judge
from utils.data.images import size_of
from utils.gallery import Gallery, check_pairs
from utils.run.console import progress_bar
from utils.saying import counted, exactly, shown

if TYPE_CHECKING:
    from nets.models.siamese import Comparer

TILE = 1 << 20  # pairs compared at once by their distance: 4 MB for each array of them
HIDDEN = 512  # numbers that a head needs for a pair, at least
FEW = 16  # pictures that are like no more files have these noted, so that memory does not grow with the pairs
TOLERANCE = 5e-7  # of a similarity: sigmoids in float32 are no more exact
SHARE, LEAST = 0.05, 20  # a model that calls more of all pairs alike, of so many pictures, does not tell them apart
SWALLOWED = 0.1  # nor does a model of things whose group holds more of all pictures


class Member(NamedTuple):
    """A picture of a group.

    Attributes:
        file: path, relative to the folder.
        similarity: to the first picture of the group; 1 for that one and for files of its contents.
        twin: the first file of the group with the same contents; "": this is it.
        goes: whether it can go: its `twin` stays, or a proof says that the picture to keep shows all of it.
        agree: how well it agrees with the picture to keep, 0..1, where that was looked at; otherwise None.
        other_colour: whether it has other colours than the picture to keep.
    """

    file: str
    similarity: float
    twin: str
    goes: bool = False
    agree: float | None = None
    other_colour: bool = False


class Group(NamedTuple):
    """Pictures that show the same: the file to keep, "" where not copies; the members by similarity to the first."""

    keep: str
    members: list[Member]


class Found(NamedTuple):
    """The groups, largest first; the share of alike pairs among pictures of different contents; whether that is too
    much; the copies with changes, `apps.search.proven.Pair`, None where nobody looked; and how many pictures of
    different contents one group would hold where that is too much, otherwise 0."""

    groups: list[Group]
    share: float
    too_many: bool
    changed: list | None = None
    swallowed: int = 0


def find(gallery: Gallery, comparer: "Comparer", threshold: float, force: bool = False, judge: Judge | None = None, *,
         copies: bool = False) -> Found:
    """Groups of pictures of a gallery, as the docstring of this module says.

    Args:
        threshold: two pictures are alike from this similarity on, 0..1.
        force: whether to find groups with a model that does not tell the pictures apart. If not, and more than `SHARE`
            of all pairs are alike, or one group would hold more than `SWALLOWED` of all pictures, the groups are only
            those of files with the same contents.
        copies: whether the pictures of a group are copies, of which one is worth keeping and there may be many.
        judge: the quality (N,) of files, higher is better; None: files are not judged.
    """
    units = by_contents(gallery)
    check_pairs(len(units) * (len(units) - 1) // 2, comparer, gallery.root)
    weights = np.array([len(rows) for rows in units])  # (U,)
    pairs = Pairs(gallery.features[[rows[0] for rows in units]], comparer, threshold)
    counts, alike = pairs.count(weights)
    share = alike / max(1, len(units) * (len(units) - 1) // 2)
    too_many = len(units) >= LEAST and share > SHARE
    clusters = [] if too_many and not force else stars(pairs, weights, counts)
    clusters = sorted(clusters, key=lambda star: -weights[star].sum())
    largest = max(map(len, clusters), default=0)
    swallowed = largest if not copies and len(units) >= LEAST and largest > max(2, SWALLOWED * len(units)) else 0
    too_many = too_many or swallowed > 0
    if too_many and not force:
        return identical(gallery, judge, copies)._replace(share=share, swallowed=swallowed)
    groups = [make_group(gallery, [units[index] for index in star], pairs.similarities(star), judge, copies)
              for star in clusters]
    return Found(groups, share, too_many, swallowed=swallowed)


def identical(gallery: Gallery, judge: Judge | None = None, copies: bool = False) -> Found:
    """Groups of files of the same contents alone, which need no model."""
    several = sorted((rows for rows in by_contents(gallery) if len(rows) > 1), key=len, reverse=True)
    return Found([make_group(gallery, [rows], np.ones(1), judge, copies) for rows in several], 0.0, True)


def by_contents(gallery: Gallery) -> list[list[int]]:
    """The rows of a gallery, those of files with the same contents together, in its order, which is by path."""
    groups: dict[str, list[int]] = {}
    for row in range(len(gallery.paths)):
        groups.setdefault(gallery.keys[row], []).append(row)
    return list(groups.values())


def make_group(gallery: Gallery, units: list[list[int]], similarities: np.ndarray, judge: Judge | None = None,
               copies: bool = True) -> Group:
    """The group of a star.

    Args:
        units: S lists of rows of the gallery, each of files with the same contents; that of the centre first.
        similarities: (S,) to the centre.
    """
    members = []
    order = sorted(range(1, len(units)), key=lambda n: (-similarities[n], gallery.paths[units[n][0]]))
    for n in (0, *order):
        files = [gallery.paths[row] for row in units[n]]
        members += [Member(file, float(similarities[n]), files[0] if i else "", i > 0) for i, file in enumerate(files)]
    firsts = [gallery.paths[rows[0]] for rows in units]
    return Group(best(gallery.root, firsts, judge) if copies else "", members)


def best(root: str, paths: list[str], judge: Judge | None) -> str:
    """The picture worth keeping: the most pixels, the best quality where formats differ, the most bytes, the first
    path."""
    files = {path: os.path.join(root, path) for path in paths}
    pixels = {path: int(np.prod(size_of(file))) for path, file in files.items()}
    largest = sorted(path for path in paths if pixels[path] == max(pixels.values()))
    quality = dict.fromkeys(largest, 0.0)
    if judge and len({os.path.splitext(path)[1].lower() for path in largest}) > 1:
        quality = dict(zip(largest, judge([files[path] for path in largest]).tolist(), strict=True))
    sizes = {path: os.path.getsize(files[path]) if os.path.isfile(files[path]) else 0 for path in largest}
    return max(largest, key=lambda path: (quality[path], sizes[path]))


def warning(result: Found, threshold: float, force: bool) -> str:
    """What to say where the model calls too many pairs alike, in one line; "" where it does not, or was not asked."""
    if not result.share and not result.swallowed or not result.too_many:
        return ""
    much = (f"one group would hold {result.swallowed} of them" if result.swallowed
            else f"{result.share:.0%} of their pairs are alike")
    text = f"the model does not tell these pictures apart: {much} from similarity {exactly(threshold)} on"
    if force:
        return f"{text}, so expect wrong groups"
    return (f"{text}. So only identical files are shown. Raise --threshold, choose another --model, or pass --force "
            "to see all groups")


def headline(pictures: int, result: Found, threshold: float, force: bool) -> str:
    """How many groups there are among so many pictures, such as "9 pictures: 1 group from similarity 0.900 on"."""
    certain = result.too_many and not force
    if not result.groups:
        nothing = ("no two files are identical" if certain
                   else f"no two of them are alike from similarity {exactly(threshold)} on")
        return f"{counted(pictures, 'picture')}: {nothing}"
    rule = "of identical files" if certain else f"from similarity {exactly(threshold)} on"
    return f"{counted(pictures, 'picture')}: {counted(len(result.groups), 'group')} {rule}"


def in_words(number: int, group: Group) -> list[str]:
    """A group in lines: of copies the picture to keep, then each picture with its similarity to the first."""
    lines = [f"group {number}: {counted(len(group.members), 'picture')}"
             + (f", keep {shown(group.keep)}" if group.keep else " alike")]
    for member in group.members:
        lines.append(f"  {member.similarity:.3f} {shown(member.file)}"
                     + (f"  (identical file of {shown(member.twin)})" if member.twin else ""))
    return lines


class Pairs:
    """Which pairs of pictures are alike: as `comparer.score` says, but fast where it falls with the distance.

    There, a product of matrices gives the squared distances, and only the pairs whose distance comes so near to
    the threshold that rounding could decide are scored one by one.

    Args:
        features: (N, F) float32.
        threshold: two pictures are alike from this similarity on, 0..1.
    """

    def __init__(self, features: np.ndarray, comparer: "Comparer", threshold: float):
        self.features, self.comparer, self.threshold = np.asarray(features, "float32"), comparer, threshold
        self.squares = np.einsum("nf,nf->n", self.features, self.features)  # (N,)
        self.scored = max(1, 8 * TILE // max(HIDDEN, self.features.shape[1]))  # pairs scored at once
        self.tile = TILE if comparer.by_distance else self.scored
        if comparer.by_distance:
            around = (min(threshold + TOLERANCE, 1.0), max(threshold - TOLERANCE, 0.0))
            with np.errstate(divide="ignore"):  # similarities 0 and 1 lie at infinite distances
                self.sure, self.most = (max(comparer.distance_of(similarity), 0.0) ** 2 for similarity in around)
        self.rounding = 4 * np.finfo("float32").eps * np.sqrt(self.features.shape[1])  # by the squared lengths

    def __len__(self) -> int:
        return len(self.features)

    def take(self, indices: np.ndarray) -> "Pairs":
        """Only the pictures at `indices`."""
        return Pairs(self.features[indices], self.comparer, self.threshold)

    def alike(self, left: slice | np.ndarray, right: slice) -> np.ndarray:
        """Whether pictures are alike, (L, R) bool; of a picture and itself it may say either."""
        if not self.comparer.by_distance:
            return self.comparer.score(self.features[left][:, None], self.features[right][None]) >= self.threshold
        lengths = self.squares[left][:, None] + self.squares[right]  # (L, R)
        squares = lengths - 2 * (self.features[left] @ self.features[right].T)
        lengths *= self.rounding
        near = squares <= self.most + lengths
        doubtful = near & (squares >= self.sure - lengths)  # too near to the threshold
        rows, columns = np.nonzero(doubtful) if doubtful.any() else ((), ())
        for start in range(0, len(rows), self.scored):
            some = rows[start : start + self.scored], columns[start : start + self.scored]
            ours, theirs = self.features[left][some[0]], self.features[right][some[1]]
            near[some] = self.comparer.score(ours, theirs) >= self.threshold
        return near

    def count(self, weights: np.ndarray) -> tuple[np.ndarray, int]:
        """How many other files each picture is like, (N,), and the number of alike pairs of pictures.

        Args:
            weights: (N,) files of each picture; those of its own count as alike.
        """
        counts, total, side, bar = weights - 1, 0, int(np.sqrt(self.tile)), progress_bar("picture")
        for top in range(0, len(self), side):
            for first in range(top, len(self), side):
                rows, columns = slice(top, top + side), slice(first, first + side)
                near = self.alike(rows, columns)
                if top == first:
                    near = np.triu(near, 1)  # each pair once, and no picture with itself
                total += int(np.count_nonzero(near))
                counts[rows] += products(near, weights[columns])
                counts[columns] += products(near.T, weights[rows])
            bar(min(top + side, len(self)), len(self))
        return counts, total

    def rows(self, indices: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Which pictures are like those at `indices`, and not themselves, block by block: indices (R,), (R, N) bool."""
        height = max(1, self.tile // len(self))
        for start in range(0, len(indices), height):
            part = indices[start : start + height]
            near = [self.alike(part, slice(first, first + self.tile)) for first in range(0, len(self), self.tile)]
            near = np.concatenate(near, axis=1)
            near[np.arange(len(part)), part] = False
            yield part, near

    def linked(self, star: np.ndarray) -> np.ndarray:
        """The pictures at `star` (S,), the most like the first first, without those not like all before them."""
        if len(star) < 3:
            return star
        order = star[np.argsort(-self.similarities(star)[1:], kind="stable") + 1]
        among = self.take(order)
        open_, members = np.ones(len(order), bool), [star[0]]
        for part, near in among.rows(np.arange(len(order))):
            for index, row in zip(part, near):
                if open_[index]:
                    members.append(order[index])
                    open_ &= row
        return np.array(members)

    def similarities(self, star: np.ndarray) -> np.ndarray:
        """Similarities (S,) of the pictures at `star` (S,) to the first of them, which has 1."""
        centre, scores = self.features[star[:1]], [np.ones(1)]
        parts = (star[start : start + self.scored] for start in range(1, len(star), self.scored))
        scores += [self.comparer.score(centre, self.features[part]) for part in parts]
        return np.concatenate(scores)


def products(near: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """For each row the sum of the weights at which it is true: (R, C) bool, (C,) int -> (R,) int."""
    return np.rint(near.astype("float32") @ weights.astype("float32")).astype(int)


class Neighbours:
    """Who is like whom: kept for pictures that are like few files, and compared again for the others.

    Args:
        counts: (N,) as `pairs.count` gives them.
    """

    def __init__(self, pairs: Pairs, counts: np.ndarray):
        self.pairs, self.kept = pairs, {}
        for indices, near in pairs.rows(np.flatnonzero(counts <= FEW)):
            rows, columns = np.nonzero(near)
            self.kept |= zip(indices.tolist(), np.split(columns, np.searchsorted(rows, np.arange(1, len(indices)))))

    def of(self, index: int) -> np.ndarray:
        """The indices of the pictures that are like one, itself left out."""
        if index in self.kept:
            return self.kept[index]
        return np.flatnonzero(next(self.pairs.rows(np.array([index])))[1][0])

    def sums(self, star: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """For each of the N pictures the weights (N,) of those at `star` that are like it, added up: (N,) int."""
        sums = np.zeros(len(weights), int)
        for index in star:
            if index in self.kept:
                sums[self.kept[index]] += weights[index]
        for indices, near in self.pairs.rows(np.array([index for index in star if index not in self.kept], int)):
            sums += products(near.T, weights[indices])
        return sums


def stars(pairs: Pairs, weights: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
    """The indices of the pictures of each group, its centre first and the others in order.

    Args:
        weights: (N,) files of each picture.
        counts: (N,) as `pairs.count` gives them.
    """
    indices = np.arange(len(weights))
    while counts.any():
        left = np.flatnonzero(counts)  # the others are taken, or have nobody left
        pairs, weights, counts, indices = pairs.take(left), weights[left], counts[left], indices[left]
        neighbours = Neighbours(pairs, counts)
        while 2 * np.count_nonzero(counts) > len(counts):
            if len(star := take_star(neighbours, weights, counts)):
                yield indices[star]


def take_star(neighbours: Neighbours, weights: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The indices of the pictures of the next group, which are taken out of `counts`; none where it would be one file.

    A picture whose count is 0 belongs to a group already, or has no other file left that it is like.
    """
    centre = int(np.argmax(counts))  # the first of equals
    alike = neighbours.of(centre)
    star = neighbours.pairs.linked(np.concatenate([[centre], alike[counts[alike] > 0]]))
    counts[star] = 0
    if weights[star].sum() < 2:  # rounding gave a count that scoring does not confirm
        return star[:0]
    if (free := counts > 0).any():
        # its own copies are left as long as a picture is
        left = np.maximum(counts - neighbours.sums(star, weights), weights - 1)
        counts[:] = np.where(free, left, 0)
    return star
