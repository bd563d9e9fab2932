"""What differs between a golden picture and others: python predict.py --difference=golden.png other.png FOLDER

Each picture is laid onto the golden one as `tasks.copies.proof` does it, so that light, also uneven light, and a shift,
a turn and a scale of the camera do not count. No model is asked.
"""

import os
from concurrent.futures import ThreadPoolExecutor

from tasks.copies.figures import differences
from tasks.copies.proof.evened import evened
from tasks.copies.proof.seen import Seen
from tasks.copies.proof.verdict import DIFFERENT, Proof, prove, see
from utils.data.files import walk
from utils.run.console import progress_bar, write_answer
from utils.saying import counted, left_out, shown
from utils.sheets.fonts import short

SIDE = 2048  # pixels a side at most at which pictures are looked at
SHOWN = 6  # pictures on the figure at most
WHOLE = 0.9  # share of the golden picture below which it is said how much a picture shows of it
COLUMNS = ["file", "verdict", "differing", "places", "why"]
OF_MODELS = ("model", "threshold", "threshold_at", "why")  # flags that mean nothing here


def answer(options, files: list[str]) -> None:
    """Compares each picture with the golden one, ranks them by how much differs, and shows where."""
    for name in OF_MODELS:
        if getattr(options, name) not in (None, "", False):
            raise ValueError(f"--{name} has no effect with --difference, which asks no model: leave --{name} out")
    path = os.path.expanduser(options.difference)
    golden = see(path, SIDE)
    proofs = compare(golden, others(files, path), options.slack)
    apart = [file for file in proofs if proofs[file].verdict == DIFFERENT]
    ranked = sorted(proofs.keys() - apart, key=lambda file: (-proofs[file].differing, file))
    if ranked:
        print(f"what differs from {shown(path)}" + (", the most first" if len(ranked) > 1 else ""))
    for file in ranked:
        print(in_words(file, proofs[file]))
    if apart:
        print(f"not the same thing as {shown(path)}")
    for file in apart:
        print(f"  {shown(file)}: {proofs[file].why}")
    if options.figure and ranked:
        more = len(ranked) - SHOWN
        heading = (
            f"the {SHOWN} pictures that differ most; {more} more {'differ' if more > 1 else 'differs'} less"
            if more > 0
            else ""
        )
        first = {file: proofs[file] for file in ranked[:SHOWN]}
        differences(golden, short(path), first, heading, "difference.png", not options.json, options.slack)
    results = [{"file": file, **proofs[file].as_numbers()} for file in [*ranked, *apart]]
    rows = [{name: result[name] for name in COLUMNS} | {"places": len(result["places"])} for result in results]
    write_answer(options, rows, {"golden": path, "results": results})


def others(files: list[str], golden: str) -> list[str]:
    """The pictures of files and folders, each once; the golden one does not count where it lies in one of the folders.

    Raises:
        ValueError: there are none.
    """
    files = [os.path.expanduser(file) for file in files]
    if not files:
        raise ValueError(
            "--difference needs pictures to compare with the golden one: python predict.py --difference=golden.png "
            "other.png, or a folder of them"
        )
    found = []
    for file in files:
        inside = [os.path.join(file, name) for name in walk(file)[0]] if os.path.isdir(file) else []
        found += [path for path in inside if not os.path.samefile(path, golden)] if os.path.isdir(file) else [file]
    if not found:
        raise ValueError(f"{files[0]}: there are no pictures to compare with {golden}")
    return list(dict.fromkeys(found))


def compare(golden: Seen, files: list[str], slack: int = 0) -> dict[str, Proof]:
    """The proof of each file that can be read; the others are named.

    Args:
        slack: see `tasks.copies.proof.differences.differences`.

    Raises:
        ValueError: none can be read.
    """
    bar, found, problems = progress_bar("picture"), {}, []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        proofs = pool.map(lambda file: looked(golden, file, slack), files)
        for done, (file, proof) in enumerate(zip(files, proofs), start=1):
            if isinstance(proof, Proof):
                found[file] = proof
            else:
                problems.append(proof)
            bar(done, len(files))
    if not found:
        several = f"none of these {len(problems)} pictures can be read; the first: " if len(problems) > 1 else ""
        raise ValueError(several + problems[0])
    left_out(counted(len(problems), "picture"), problems)
    return found


def looked(golden: Seen, file: str, slack: int) -> Proof | str:
    """The proof of a file, or why it cannot be read."""
    try:
        other = see(file, SIDE)
    except ValueError as error:
        return str(error)
    return best(golden, other, slack)


def best(golden: Seen, other: Seen, slack: int = 0) -> Proof:
    """The proof; of the picture in the light of the golden one, where more agrees then."""
    proof = prove(golden, other, mirrored=False, slack=slack)  # a mirrored label is wrong
    lit = evened(golden, other, proof.matrix) if proof.matrix is not None and not proof.identical else None
    again = prove(golden, lit, mirrored=False, slack=slack) if lit else proof
    return again if again.agree > proof.agree else proof


def in_words(file: str, proof: Proof) -> str:
    """How much differs, in how many places, and the file, in a line."""
    number = counted(len(proof.places), "place") if proof.places else "no place"
    where = "the same pixels" if proof.identical else f"in {number}"
    part = "" if proof.shares[0] >= WHOLE else f", which shows {proof.shares[0]:.0%} of the golden one"
    return f"  {100 * proof.differing:7.3g} % {where:15} {shown(file)}{part}"
