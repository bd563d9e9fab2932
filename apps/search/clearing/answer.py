"""Duplicates of one folder or of several: the groups, what can go, a list of it for other programs, and moving it."""

import contextlib
import os
import sys
from collections.abc import Sequence

from apps.search import duplicates, proven
from apps.search.clearing import moving
from apps.search.clearing.folders import Folders, open_folders, without_reference
from apps.search.clearing.moving import Going
from apps.search.duplicates import Found
from tasks import about
from tasks.quality.model import quality_of_centres
from tasks.similarity.model import Loaded, for_pairs, load_for_many, recoloured, some_files, some_of
from utils.data.files import save_aside
from utils.run.console import write_answer
from utils.saying import counted, say_rest, shown


def find_duplicates(options) -> None:
    """Groups of pictures of folders that are alike from the threshold on, or proved to be copies; see
    `apps.search.duplicates` and `apps.search.proven`."""
    roots, reference = (list(map(os.path.expanduser, given)) for given in (options.duplicates, options.reference))
    if options.move_to:
        moving.check_target(os.path.expanduser(options.move_to), [*roots, *reference])
    to_stdout = options.print0 == "-"
    with contextlib.redirect_stdout(sys.stderr) if to_stdout else contextlib.nullcontext():
        goings = answer_groups(options, roots, reference)
        say_rest()
    if to_stdout:
        sys.stdout.buffer.write(listed(goings))
        sys.stdout.flush()


def answer_groups(options, roots: list[str], reference: list[str]) -> list[Going]:
    """Finds the groups, says them, and moves or lists what can go, which it returns."""
    model = load_for_many(options, some_of([file for root in (*roots, *reference) for file in some_files(root)]))
    folders = open_folders(options, model, roots, reference)
    result, answer, rows = (found_proven if model.proves and options.proof else found_alike)(options, folders, model)
    goings = what_can_go(folders, result)
    if goings:
        size = sum(os.path.getsize(going.file) for going in goings if os.path.isfile(going.file))
        print(f"what can go: {counted(len(goings), 'file')}, {size / 1e6:.1f} MB")
    if options.print0 and options.print0 != "-":
        save_aside(lambda aside: write_list(goings, aside), os.path.expanduser(options.print0))
    answer |= {"can_go": [going.file for going in goings]}
    if options.move_to:
        answer |= move(goings, os.path.expanduser(options.move_to), options.yes)
    write_answer(options, rows, answer)
    return goings


def found_alike(options, folders: Folders, model: Loaded) -> tuple[Found, dict, list[dict]]:
    """Groups that the threshold alone finds, said; what --json says of them, and the rows of --csv."""
    opened, count, copies = folders.opened, len(folders.opened.paths), model.proves
    model = for_pairs(model, count * (count - 1) // 2, options)
    if about.trusted(model.doubt):
        result = duplicates.find(opened, model.compare, model.threshold, options.force, quality_of_centres,
                                 copies=copies)
    else:
        result = duplicates.identical(opened, quality_of_centres, copies)
    result = without_reference(result, folders.fixed)
    warning = duplicates.warning(result, model.threshold, options.force)
    heading = duplicates.headline(count, result, model.threshold, options.force)
    print("\n".join([f"warning: {warning}", heading] if warning else [heading]))
    rows, details = [], []
    for number, group in enumerate(result.groups):
        print("\n".join(duplicates.in_words(number, group)))
        files = [{"file": member.file, "similarity": member.similarity, "identical": bool(member.twin)}
                 for member in group.members]
        rows += [{"group": number, **file, **({"keep": file["file"] == group.keep} if copies else {})}
                 for file in files]
        details.append({**({"keep": group.keep} if copies else {}), "files": files})
    if options.figure and result.groups:
        from apps.search.clearing import sheets

        doubts = [f"Warning: {text}" for text in (model.doubt, warning) if text]
        sheets.draw_groups(opened.root, result.groups, ". ".join([heading, *doubts]), "duplicates.png")
    groups = [[member.file for member in group.members] for group in result.groups]
    return result, {"threshold": model.threshold, "groups": groups, "details": details,
                    "warning": "; ".join(filter(None, [model.doubt, warning])) or None}, rows


def found_proven(options, folders: Folders, model: Loaded) -> tuple[Found, dict, list[dict]]:
    """The same of copies that looking at both pictures proves."""
    opened = folders.opened
    result = proven.find(opened, model.compare, model.threshold, quality_of_centres, folders.seen,
                         recoloured(options, model), folders.fixed)
    result = without_reference(result, folders.fixed)
    heading = proven.headline(len(opened.paths), result)
    print(heading)
    rows, details = [], []
    for number, group in enumerate(result.groups):
        print("\n".join(proven.in_words(number, group, folders.fixed)))
        files = [{"file": member.file, "similarity": member.similarity, "identical": bool(member.twin),
                  "agree": member.agree, "other_colour": member.other_colour,
                  "goes": member.goes} for member in group.members]
        rows += [{"group": number, **file, "keep": not file["goes"]} for file in files]
        details.append({"keep": group.keep, "files": files})
    if result.changed:
        print("\n".join(["copies with changes, which are no duplicates:",
                         *map(proven.changed_in_words, result.changed)]))
    if options.figure and (result.groups or result.changed):
        from apps.search.clearing import sheets

        if result.groups:
            sheets.draw_groups(opened.root, result.groups, heading, "duplicates.png")
        if result.changed:
            sheets.draw_changed(opened.root, result.changed, "changed.png")
    changed = [{"left": pair.a, "right": pair.b, "similarity": pair.similarity, **pair.proof.as_numbers()}
               for pair in result.changed]
    groups = [[member.file for member in group.members] for group in result.groups]
    return result, {"threshold": model.threshold, "groups": groups, "details": details, "changed": changed,
                    "warning": model.doubt or None}, rows


def what_can_go(folders: Folders, result: Found) -> list[Going]:
    """What can go, and the picture that stays for it: proved copies of which the picture to keep shows all, and files
    of the same contents; nothing that a threshold alone calls alike, and nothing of the reference."""
    opened = folders.opened
    keys, goings = dict(zip(opened.paths, opened.keys)), []
    for group in result.groups:
        leaving = {member.file for member in group.members if member.goes and member.file not in folders.fixed}
        for member in group.members:
            if member.file in leaving:
                keep = member.twin if member.twin and member.twin not in leaving else group.keep
                goings.append(Going(os.path.join(opened.root, member.file), os.path.join(opened.root, keep),
                                    keys[member.file][:moving.SHA1], keys[keep][:moving.SHA1]))
    return goings


def move(goings: Sequence[Going], folder: str, really: bool) -> dict:
    """Moves what can go, or says what would be moved; what --json says of it."""
    if not really:
        pairs = moving.plan(goings, folder)
        for old, new in pairs:
            print(f"would move {shown(old)} to {shown(new)}")
        print(f"nothing was moved: {counted(len(pairs), 'file')} would be; pass --yes to move them" if pairs
              else "nothing can go, so nothing would be moved")
        return {"would_move": [{"from": old, "to": new} for old, new in pairs]}
    if not goings:
        print("nothing can go, so nothing was moved")
        return {"moved": [], "log": None}
    log, moved = moving.move(goings, folder)
    return {"moved": [{"from": row.old, "to": os.path.join(folder, row.name)} for row in moved], "log": log}


def undo(options) -> None:
    """Brings back what a log of --move_to names."""
    log = os.path.expanduser(options.undo)
    back, problems = moving.undo(log)
    print("\n".join([*problems, f"{counted(len(back), 'file')} of {len(back) + len(problems)} "
                                f"{'is' if len(back) == 1 else 'are'} at the old place"]))
    write_answer(options, [{"file": file} for file in back], {"back": back, "problems": problems})


def listed(goings: Sequence[Going]) -> bytes:
    """Whole paths of what can go, each with a NUL after it."""
    return b"".join(os.fsencode(moving.whole(going.file)) + b"\0" for going in goings)


def write_list(goings: Sequence[Going], path: str) -> None:
    """Writes `listed` into a file."""
    with open(path, "wb") as file:
        file.write(listed(goings))
