"""Duplicates that are proved: the embedding finds who may be a copy of whom, and looking at both pictures decides.

A group is one picture to keep and the copies of it, each compared with the picture to keep. A copy can go where the
picture to keep shows all of it with no less detail, and the files do not tell that each is a photo of its own. Copies
with changes are no members: each is listed beside what it was made of, with the places that differ.
"""

import os
from collections.abc import Container, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from apps.search import views
from apps.search.duplicates import Found, Group, Judge, Member, by_contents
from apps.search.matrix import similarities
from tasks.copies.proof import keeping
from tasks.copies.proof.seen import PAGES
from tasks.copies.proof.verdict import CHANGED, COPY, DIFFERENT, Proof, Said, prove, see
from utils.gallery import Gallery, search
from utils.metrics.retrieval import Index
from utils.run.console import progress_bar
from utils.saying import counted, shown

if TYPE_CHECKING:
    from nets.models.siamese import Comparer

NEAREST = 5  # pictures that are looked at beside each one
WIDER = 1.25  # times the distance of the threshold up to which they are
CLOSE = 0.3  # times that distance, below which whole pictures are alike, so that no part of one is sought in the other
KEPT = 160  # pictures that stay in memory, with all that is known of them some 5 MB each at most
VERDICTS = (COPY, CHANGED, DIFFERENT)
# sigma of the blur, see `tasks.copies.proof.keeping`, by which a copy that shows more detail is not to go
SHARPER = 0.7


class Pair(NamedTuple):
    """Two pictures, paths relative to the folder, their similarity, and what looking at both said."""

    a: str
    b: str
    similarity: float
    proof: Proof


class Looking:
    """Proofs of pairs of pictures of a folder, each made once.

    Args:
        files: (N,) full paths.
        close: pairs of indices of which only the whole pictures are compared, which is quicker.
        judge: see `tasks.copies.proof.keeping.better`.
        recoloured: whether a picture in other colours is still a copy.
        fixed: indices of pictures that never go.
    """

    def __init__(self, files: list[str], close: Container[tuple[int, int]] = (), judge: Judge | None = None,
                 recoloured: bool = True, fixed: Container[int] = ()):
        self.files, self.close, self.judge, self.recoloured, self.proofs = files, close, judge, recoloured, {}
        self.fixed = fixed
        self.seen = lru_cache(KEPT)(lambda index: see(files[index]))
        self.shot = lru_cache(None)(lambda index: keeping.shot(files[index]))

    def at(self, pairs: list[tuple[int, int]]) -> None:
        """Looks at pairs of indices, shows how far it is."""
        bar = progress_bar("pair")
        new = in_order([pair for pair in pairs if pair not in self.proofs])
        with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
            for done, (pair, proof) in enumerate(zip(new, pool.map(self.looked, new)), start=1):
                self.proofs[pair] = proof
                bar(done, len(new))

    def looked(self, pair: tuple[int, int]) -> Proof:
        """The proof of two pictures, by index; one that cannot be read any more is different."""
        try:
            return prove(*(self.seen(index) for index in pair), keypoints=pair not in self.close,
                         recoloured=self.recoloured)
        except ValueError as error:
            return Proof(DIFFERENT, str(error))

    def proof(self, a: int, b: int) -> Proof:
        """The proof of two pictures, by index, in this order."""
        low, high = min(a, b), max(a, b)
        if (low, high) not in self.proofs:
            self.proofs[low, high] = self.looked((low, high))
        return self.proofs[low, high] if a == low else self.proofs[low, high].turned()

    def is_better(self, a: int, b: int) -> bool:
        """Whether a is better worth keeping than b, of which one is a copy of the other: what never goes, where the
        other one can go for it."""
        if (a in self.fixed) != (b in self.fixed) and self.goes(*((b, a) if a in self.fixed else (a, b))):
            return a in self.fixed
        return keeping.better((self.files[a], self.files[b]), (self.seen(a), self.seen(b)), self.proof(a, b),
                              self.judge)

    def goes(self, a: int, keep: int, others: Iterable[int] = ()) -> bool:
        """Whether a can go where `keep` stays: not where its file holds what that of `keep` does not, or further pages,
        which nobody looked at; nor where it is another shot than `keep`, or, where `keep` does not tell when it was
        taken, than one of its `others`, the further copies of `keep`."""
        proof = self.proof(keep, a)
        if a in self.fixed or not proof.holds[0] or proof.other_colour:
            return False
        seen = (self.seen(keep), self.seen(a))
        if PAGES in seen[1].beside or seen[1].beside - seen[0].beside:
            return False
        if proof.identical:
            return True
        told = [keep] if self.shot(keep) else others
        return not any(keeping.another_shot(self.shot(other), self.shot(a)) for other in told) and (
            keeping.more_detail((self.files[keep], self.files[a]), seen, proof.matrix) > -SHARPER)


def find(gallery: Gallery, comparer: "Comparer", threshold: float, judge: Judge | None = None,
         seen: np.ndarray | None = None, recoloured: bool = True, fixed: Container[str] = ()) -> Found:
    """Groups of copies of a gallery, and its copies with changes.

    Args:
        threshold: similarity at which the embedding alone calls two pictures copies; proof is sought somewhat below it
            too.
        judge: the quality (N,) of files, higher is better, for copies that show the same; None: files are not judged.
        seen: (N, V, F), see `apps.search.views`; None: copies of a small part, or turned ones, may be missed.
        recoloured: whether a picture in other colours is still a copy.
        fixed: paths of the gallery that never go, the first ones; two of them are not compared.
    """
    units = by_contents(gallery)
    firsts = [rows[0] for rows in units]
    stay = {index for index, row in enumerate(firsts) if gallery.paths[row] in fixed}
    features = gallery.features[firsts]
    pairs = [pair for pair in candidates(features, comparer, threshold, None if seen is None else seen[firsts])
             if not stay.issuperset(pair)]
    close = {pair for pair in pairs if is_close(features, comparer, threshold, *pair)}
    looking = Looking([os.path.join(gallery.root, gallery.paths[row]) for row in firsts], close, judge, recoloured,
                      stay)
    looking.at(pairs)
    copies = [pair for pair in pairs if looking.proofs[pair].verdict == COPY]
    groups = []
    for indices in [*groups_of(len(units), copies, looking),
                   *([index] for index, rows in enumerate(units) if len(rows) > 1)]:
        if len(indices) > 1 or not any(units[indices[0]][0] in members for members, _ in groups):
            groups.append(({row for index in indices for row in units[index]},
                           make_group(gallery, units, indices, looking, comparer, fixed)))
    names = [gallery.paths[row] for row in firsts]
    changed = [Pair(names[a], names[b], float(similarity(features, comparer, a, b)), looking.proofs[a, b])
               for a, b in pairs if looking.proofs[a, b].verdict == CHANGED]
    groups = sorted((group for _, group in groups), key=lambda group: (-len(group.members), group.keep))
    return Found(groups, len(copies) / max(1, len(units) * (len(units) - 1) // 2), False, changed)


def candidates(features: np.ndarray, comparer: "Comparer", threshold: float,
               seen: np.ndarray | None = None) -> list[tuple[int, int]]:
    """Pairs of indices, the lower first, of pictures that may be copies: the nearest of each, up to a loose distance,
    and those of which a view (N, V, F) is near to it."""
    if len(features) < 2:
        return []
    nearest, distances = Index(features).nearest(features, min(len(features), NEAREST + 1))
    if comparer.by_distance:
        near = distances <= WIDER * comparer.distance_of(threshold)
    else:
        near = comparer.score(features[:, None], features[nearest]) >= threshold
    rows, columns = np.nonzero(near)
    pairs = [*zip(rows.tolist(), nearest[rows, columns].tolist())]
    if seen is not None and comparer.by_distance:
        pairs += views.nearest(features, seen, NEAREST, views.NEAR * comparer.distance_of(threshold), themselves=True)
    return sorted({(min(a, b), max(a, b)) for a, b in pairs if a != b})


def in_order(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same pairs, so that those of one picture come soon after each other and it is still in memory."""
    if len(pairs) < 2:
        return pairs
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    indices, numbers = np.unique(pairs, return_inverse=True)
    rows, columns = numbers.reshape(-1, 2).T
    linked = coo_array((np.ones(len(pairs), "int8"), (rows, columns)), shape=(len(indices),) * 2)
    place = np.argsort(reverse_cuthill_mckee((linked + linked.T).tocsr(), symmetric_mode=True))
    return [pairs[number] for number in np.lexsort((np.minimum(place[rows], place[columns]),
                                                    np.maximum(place[rows], place[columns])))]


def is_close(features: np.ndarray, comparer: "Comparer", threshold: float, a: int, b: int) -> bool:
    """Whether the embeddings of two pictures are so near that the whole pictures are alike."""
    return (comparer.by_distance and float(np.linalg.norm(features[a] - features[b])) < CLOSE
            * comparer.distance_of(threshold))


def groups_of(count: int, copies: list[tuple[int, int]], looking: Looking) -> Iterator[list[int]]:
    """Indices of each group, the one to keep first: of pictures that hang together, the best one and its copies, then
    of the rest."""
    links: dict[int, set[int]] = {}
    for a, b in copies:
        links.setdefault(a, set()).add(b)
        links.setdefault(b, set()).add(a)
    while links:
        together = connected(links, min(links))
        keep = together[0]
        for index in together[1:]:
            if looking.proof(keep, index).verdict == COPY and not looking.is_better(keep, index):
                keep = index
        looking.at([(min(keep, index), max(keep, index)) for index in together if index != keep])
        members = [index for index in together if index != keep and looking.proof(keep, index).verdict == COPY]
        if members:
            yield [keep, *members]
        for index in [keep, *members]:
            for other in links.pop(index, ()):
                if other in links:
                    links[other].discard(index)
        links = {index: others for index, others in links.items() if others}


def connected(links: dict[int, set[int]], start: int) -> list[int]:
    """All indices that hang together with one, in order."""
    reached, new = {start}, [start]
    while new:
        for other in links.get(new.pop(), ()):
            if other not in reached:
                reached.add(other)
                new.append(other)
    return sorted(reached)


def similarity(features: np.ndarray, comparer: "Comparer", a: int, b: int) -> float:
    """Of two pictures, by index."""
    return float(similarities(features[[a]], features[[b]], comparer)[0, 0])


def make_group(gallery: Gallery, units: list[list[int]], indices: list[int], looking: Looking,
               comparer: "Comparer", fixed: Container[str] = ()) -> Group:
    """The group of these indices, of which the first is kept; files of the same contents as one of them go with it."""
    members, keep = [], indices[0]
    for index in indices:
        files = [gallery.paths[row] for row in units[index]]
        alike = 1.0 if index == keep else similarity(gallery.features, comparer, units[keep][0], units[index][0])
        proof = None if index == keep else looking.proof(keep, index)
        goes = index != keep and looking.goes(index, keep, indices)
        agree, other = (1.0, False) if proof is None else (proof.agree, proof.other_colour)
        members.append(Member(files[0], alike, "", goes, agree, other))
        members += [Member(file, alike, files[0], file not in fixed, 1.0) for file in files[1:]]
    return Group(members[0].file, members)


def loosely(comparer: "Comparer", threshold: float) -> float:
    """The similarity down to which a pair is looked at."""
    if not comparer.by_distance:
        return threshold
    apart = np.array([[WIDER * comparer.distance_of(threshold)]], "float32")
    return float(comparer.score(apart, np.zeros_like(apart))[0])


def verdicts(query: str, root: str, found: list[tuple[str, float]], comparer: "Comparer",
             threshold: float, recoloured: bool = True) -> list[Said]:
    """What looking at a picture and each that was found, with its similarity, says."""
    least, first = loosely(comparer, threshold), see(query)
    return [prove(first, see(os.path.join(root, name)), recoloured=recoloured).said
            if alike >= least or number < NEAREST else Said()
            for number, (name, alike) in enumerate(found)]


def between(a: Gallery, b: Gallery, comparer: "Comparer", threshold: float,
            seen: tuple[np.ndarray, np.ndarray] | None = None, recoloured: bool = True) -> list[dict]:
    """What of folder a is in folder b: each picture of a that has the contents of one of b, or is a copy of one, also
    with changes.

    Args:
        seen: (N, V, F) of both, see `apps.search.views`; None: copies of a small part, or turned ones, may be missed.

    Returns:
        Rows of file (in a), found (in b), similarity, identical, verdict and other_colour; identical files first, then
        by similarity.
    """
    twins, rows, bar = dict(zip(reversed(b.keys), reversed(b.paths))), [], progress_bar("picture")
    look = lru_cache(KEPT)(lambda path: see(os.path.join(b.root, path)))
    near = across(a, b, comparer, threshold, seen)
    for index, (path, key) in enumerate(zip(a.paths, a.keys)):
        if key in twins:
            rows.append({"file": path, "found": twins[key], "similarity": 1.0, "identical": True, "verdict": COPY,
                         "other_colour": False})
        elif index in near:
            first = see(os.path.join(a.root, path))
            alike = similarities(a.features[[index]], b.features[near[index]], comparer)[0].tolist()
            proofs = [(prove(first, look(b.paths[other]), recoloured=recoloured), b.paths[other], similarity)
                      for similarity, other in sorted(zip(alike, near[index]), reverse=True)]
            proof, name, similarity = min(proofs, key=lambda row: VERDICTS.index(row[0].verdict))
            if proof.verdict != DIFFERENT:
                rows.append({"file": path, "found": name, "similarity": similarity, "identical": False,
                             "verdict": proof.verdict, "other_colour": proof.other_colour})
        bar(index + 1, len(a.paths))
    return sorted(rows, key=lambda row: (-row["identical"], -row["similarity"], row["file"]))


def across(a: Gallery, b: Gallery, comparer: "Comparer", threshold: float,
           seen: tuple[np.ndarray, np.ndarray] | None = None) -> dict[int, list[int]]:
    """The pictures of b that those of a may be copies of, by their rows, see `candidates`."""
    rows, least = {path: row for row, path in enumerate(b.paths)}, loosely(comparer, threshold)
    pairs = [(index, rows[name]) for index, hits in enumerate(search(b, comparer, a.features, NEAREST))
             for name, alike in hits if alike >= least]
    if seen is not None and comparer.by_distance:
        limit = views.NEAR * comparer.distance_of(threshold)
        pairs += views.nearest(a.features, seen[1], NEAREST, limit)
        pairs += [(index, other) for other, index in views.nearest(b.features, seen[0], NEAREST, limit)]
    near: dict[int, list[int]] = {}
    for index, other in sorted(set(pairs)):
        near.setdefault(index, []).append(other)
    return near


def headline(pictures: int, found: Found) -> str:
    """How many groups there are, such as "9 pictures: 1 group of copies, 2 pairs with changes"."""
    groups = counted(len(found.groups), "group") + " of copies" if found.groups else "no two of them are copies"
    return f"{counted(pictures, 'picture')}: {groups}" + (f", {counted(len(found.changed), 'pair')} with changes"
                                                          if found.changed else "")


def in_words(number: int, group: Group, fixed: Container[str] = ()) -> list[str]:
    """A group in lines: the picture to keep, then each copy, how well it agrees, and whether it can go.

    Args:
        fixed: the files of the reference.
    """
    lines = [f"group {number}: {counted(len(group.members), 'picture')}, keep {shown(group.keep)}"]
    for member in group.members:
        if member.file != group.keep:
            remark = ("of the reference: it stays" if member.file in fixed
                      else f"identical file of {shown(member.twin)}" if member.twin else "copy" if member.goes
                      else "copy in another colour: keep it too" if member.other_colour
                      else "copy that shows or holds more, or a photo of its own: keep it too")
            lines.append(f"  {member.agree:.1%} agrees: {shown(member.file)}  ({remark})")
    return lines


def changed_in_words(pair: Pair) -> str:
    """A copy with changes in a line."""
    place = pair.proof.places[0].b
    more = f" and {len(pair.proof.places) - 1} more" if len(pair.proof.places) > 1 else ""
    more += "; other colour" if pair.proof.other_colour else ""
    return (f"  {shown(pair.a)} and {shown(pair.b)}: {pair.proof.differs} differs, most at {place[0]}, "
            f"{place[1]} to {place[2]}, {place[3]} of the second{more}")


