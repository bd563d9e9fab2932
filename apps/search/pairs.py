"""A list of pairs -> the similarity of each, and how often the answers are right where the list tells the truth."""

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from apps.search.proven import Looking
from tasks.copies.proof.verdict import COPY, DIFFERENT, Said
from tasks.similarity.model import verdict
from utils.data.formats.kinds import SUFFIXES
from utils.data.score_lists import DELIMITERS, LOOKED_AT, fields_of, fit, shown, start, text_lines
from utils.gallery import BLOCK, embed_files
from utils.run.console import write_answer
from utils.saying import counted, left_out, shown as safe

if TYPE_CHECKING:
    from tasks.similarity.model import Loaded

TEXT = "a table of two paths a line, and perhaps the truth: 1 or 0"
TRUTHS = dict.fromkeys(("1", "1.0", "true", "yes", "same", "t", "y"), True) | dict.fromkeys(
    ("0", "0.0", "-1", "false", "no", "different", "f", "n"), False) | {"": None}
SHOWN = 20  # pairs that are printed; --csv has all of them


class Pair(NamedTuple):
    """A line of the list: two files as they are written there, whether they show the same, None where it is not told,
    and the line."""

    left: str
    right: str
    truth: bool | None
    line: int


def read_pairs(path: str) -> list[Pair]:
    """The pairs of a table of two columns or three, with a header or without, parted by commas, semicolons, tabs, bars
    or blanks.

    Raises:
        ValueError: one line that names the file, and the line in it.
    """
    lines = text_lines(path, TEXT)
    first, delimiter = start(lines)
    table = list(fields_of(path, lines, first, delimiter or delimiter_of(path, lines[first : first + LOOKED_AT])))
    if table and is_header(table[0][1], os.path.dirname(path)):
        table = table[1:]
    if not table:
        raise ValueError(f"{path}: no pair in it; expected {TEXT}")
    pairs = [pair_of(where, fields) for where, fields in table]
    check_truths(path, pairs)
    return pairs


def check_truths(path: str, pairs: list[Pair]) -> None:
    """Raises ValueError where the list says of one pair that it is the same, and that it is different."""
    told: dict[frozenset[str], Pair] = {}
    for pair in pairs:
        first = told.setdefault(both(os.path.dirname(path), pair), pair) if pair.truth is not None else pair
        if first.truth != pair.truth:
            truths = ("different", "the same") if pair.truth else ("the same", "different")
            raise ValueError(f"{path}, line {pair.line}: {shown(pair.left)} and {shown(pair.right)} are {truths[1]} "
                             f"here and {truths[0]} on line {first.line}; expected one truth: correct one of the lines")


def both(root: str, pair: Pair) -> frozenset[str]:
    """What is the same for a pair however its files are spelt, linked and ordered."""
    return frozenset(os.path.realpath(os.path.join(root, os.path.expanduser(name))) for name in pair[:2])


def delimiter_of(path: str, lines: list[str]) -> str:
    """What parts the fields; blanks only where nothing else does."""
    best = max(DELIMITERS, key=lambda delimiter: fit(lines, delimiter))
    return best if fit(lines, best)[-1] > 1 else " "


def is_header(fields: list[str], folder: str) -> bool:
    """Whether the first line of a list names columns: none of its first two fields is a picture by its name, or a
    file."""
    return not any(os.path.splitext(name)[1].lower() in SUFFIXES or os.path.isfile(os.path.join(folder, name))
                   for name in fields[:2])


def pair_of(where: str, fields: list[str]) -> Pair:
    """The pair of a line; `where` is its file and line."""
    left, right, truth, *more = [*fields, "", "", ""][:max(3, len(fields))]
    if not left or not right or any(more):
        raise ValueError(f"{where}: found {shown(fields)}; expected two paths, and perhaps the truth")
    if truth.lower() not in TRUTHS:
        raise ValueError(f"{where}: found {shown(truth)} instead of the truth; expected 1 (the same) or 0 "
                         "(different), or nothing")
    return Pair(left, right, TRUTHS[truth.lower()], int(where.rpartition(" ")[2]))


def answer(options, path: str, pairs: list[Pair], model: "Loaded", recoloured: bool) -> None:
    """Compares each pair, prints the first ones and what they are worth, and writes all of them.

    Args:
        recoloured: whether a picture in other colours is still a copy.
    """
    kept, similarities = compare(os.path.dirname(path), pairs, model)
    proving = model.proves and options.proof
    if proving:
        said = proofs_of(os.path.dirname(path), kept, recoloured)
        same = [each.verdict == COPY for each in said]
    else:
        same = [verdict(model, s) for s in similarities]
        said = [Said(model.words[0] if each else "") for each in same]
    rows = [row(pair, float(s), answered) | ({"verdict": each.verdict or DIFFERENT, "other_colour": each.other_colour}
                                             if proving else {})
            for pair, s, answered, each in zip(kept, similarities, same, said, strict=True)]
    first = {both(os.path.dirname(path), pair): row for row, pair in reversed([*enumerate(kept)])
             if pair.truth is not None}
    again = sum(pair.truth is not None for pair in kept) - len(first)
    once = sorted(first.values())
    called = np.array(same)[once].astype(bool) if proving else similarities[once] >= model.threshold
    measured = measure(np.array([kept[row].truth for row in once], object), similarities[once], called)
    wide = max([len(model.words[0]), *(len(str(each)) for each in said[:SHOWN])])
    for line, each in zip(rows[:SHOWN], said):
        print(f"  {line['similarity']:.3f} {each!s:{wide}} {safe(line['left'])} {safe(line['right'])}")
    if len(rows) > SHOWN:
        print(f"  and {counted(len(rows) - SHOWN, 'more pair')}"
              + ("" if options.csv else "; --csv=FILE writes them all"))
    if again:
        print(f"{counted(again, 'line names a pair', 'lines name a pair')} that stands above it already: the figures "
              "count each pair once")
    print(in_words(len(rows), sum(bool(line["same"]) for line in rows), measured, model.proves))
    write_answer(options, rows, {"threshold": model.threshold, "pairs": len(rows), "left_out": len(pairs) - len(rows),
                                 "measured": measured, "warning": model.doubt or None, "results": rows}, list(rows[0]))


def proofs_of(root: str, pairs: list[Pair], recoloured: bool) -> list[Said]:
    """What looking at both pictures of each pair says."""
    places = {name: place for place, name in enumerate(dict.fromkeys(name for pair in pairs for name in pair[:2]))}
    indices = [(places[pair.left], places[pair.right]) for pair in pairs]
    looking = Looking([os.path.join(root, os.path.expanduser(name)) for name in places], recoloured=recoloured)
    looking.at([*dict.fromkeys(indices)])
    return [looking.proofs[pair].said for pair in indices]


def row(pair: Pair, similarity: float, same: bool | None) -> dict[str, Any]:
    """A pair as --csv and --json show it."""
    return {"line": pair.line, "left": pair.left, "right": pair.right, "similarity": similarity,
            "same": None if same is None else bool(same),
            "truth": None if pair.truth is None else int(pair.truth)}


def compare(root: str, pairs: list[Pair], model: "Loaded") -> tuple[list[Pair], np.ndarray]:
    """The pairs that can be read, and their similarities (P,); the others are named. Each file is read and embedded
    once.

    Args:
        root: the folder that the paths start from.
    """
    files = {name: os.path.expanduser(name) for pair in pairs for name in (pair.left, pair.right)}
    features, broken = {}, {}
    for part, problems in embed_files(root, files, model.compare.embed, model.shape):
        features |= part
        broken |= problems
    problems = [f"line {pair.line}: {name}: {broken[name]}" for pair in pairs for name in (pair.left, pair.right)
                if name in broken]
    kept = [pair for pair in pairs if pair.left in features and pair.right in features]
    left_out(counted(len(pairs) - len(kept), "pair"), problems)
    if not kept:
        raise ValueError(f"none of the {counted(len(pairs), 'pair')} can be read, because files are missing or "
                         f"broken; relative paths start from the folder of the list, {root or '.'}")
    blocks = (kept[start : start + BLOCK] for start in range(0, len(kept), BLOCK))
    return kept, np.concatenate([
        model.compare.score(*(np.stack([features[pair[side]] for pair in block]) for side in (0, 1)))
        for block in blocks])


def measure(truths: np.ndarray, similarities: np.ndarray, same: np.ndarray) -> dict[str, Any] | None:
    """How often the answers are right, of the pairs whose truth (P,) is told; None where there is none.

    Args:
        same: which pairs (P,) are called the same.

    Returns:
        pairs: whose truth is told.
        accuracy: share of right answers.
        precision: share of the pairs called the same that are; NaN where none is called so.
        recall: share of the same pairs that are called so; NaN where there are none.
        roc_auc: area under the ROC curve of the similarities; NaN where all pairs are the same, or all different.
        counts of each: true_positives, false_positives, false_negatives, true_negatives.
    """
    told = np.array([truth is not None for truth in truths])
    if not told.any():
        return None
    from sklearn.metrics import confusion_matrix, roc_auc_score

    truth, scores = truths[told].astype(bool), similarities[told]
    (tn, fp), (fn, tp) = confusion_matrix(truth, same[told], labels=[False, True]).tolist()
    share = lambda part, of: part / of if of else float("nan")  # noqa: E731
    return {"pairs": len(truth), "accuracy": (tp + tn) / len(truth), "precision": share(tp, tp + fp),
            "recall": share(tp, tp + fn),
            "roc_auc": float(roc_auc_score(truth, scores)) if 0 < truth.sum() < len(truth) else float("nan"),
            "true_positives": tp, "false_positives": fp, "false_negatives": fn, "true_negatives": tn}


def in_words(pairs: int, same: int, measured: dict[str, Any] | None, copies: bool) -> str:
    """The answer in a line."""
    text = f"{counted(pairs, 'pair')}, {same} of them {'copies' if copies else 'the same'}"
    if measured:
        names = {"accuracy": "accuracy", "precision": "precision", "recall": "recall",
                 "roc_auc": "ROC-AUC of the similarities" if copies else "ROC-AUC"}
        text += f"; of {counted(measured['pairs'], 'pair')} with the truth: " + ", ".join(
            # NaN has no meaning to tell
            f"{shown} {measured[name]:.3f}" for name, shown in names.items() if measured[name] == measured[name])
    return text


def some_files(path: str, pairs: list[Pair]) -> list[str]:
    """The files of a list, each once, as paths to open."""
    names = dict.fromkeys(name for pair in pairs for name in (pair.left, pair.right))
    return [os.path.join(os.path.dirname(path), os.path.expanduser(name)) for name in names]
