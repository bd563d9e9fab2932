"""The tabs of similarity on the page: same or not, search, duplicates, why."""

import csv
import io
import os
from typing import Any
from urllib.parse import quote

from tasks import about
from tasks.copies.proof.verdict import CHANGED, COPY
from tasks.page import Asked, Models, as_drawing, as_image, picture, sheet
from tasks.similarity import why as explaining
from tasks.similarity.answer import framed
from tasks.similarity.model import SHOWN, as_alike, show, some_files, some_of, tested_on, thumbnails
from utils.data.images import read_whole
from utils.saying import shown

MOST_SHOWN = 300  # pictures of duplicates that the page shows; its lists name all
MOST_CHANGED = 20  # copies with changes that the page shows
MOST_FOUND = 60  # pictures that a search finds, at most


def same(models: Models, asked: Asked) -> dict[str, Any]:
    """Whether two pictures show the same, with the threshold and any warning; the numbers of predict.py."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        answer = compared(models, asked, "same", files)
    pictures = [picture(file) for file in files]
    if answer["proof"]:
        drawn = framed([show(file) for file in files], answer["proof"])
        pictures = [{**one, "image": as_image(pixels)} for one, pixels in zip(pictures, drawn, strict=True)]
    return {**answer, "said": said, "pictures": pictures}


def search(models: Models, asked: Asked) -> dict[str, Any]:
    """The pictures of a folder that are most like one."""
    query, folder = asked.picture("query"), asked.folder()
    top = int(asked.number("top", 12, 1, MOST_FOUND))
    with models.answering() as said:
        used = models.of_tab("search", asked.model, thumbnails([query]))
        hits, doubt = used.model.search(folder, query, top=top), used.model.warning([query])
        threshold, proves = used.model.threshold_for(len(used.model.open(folder).paths)), used.model.proves
        verdicts = used.model.verdicts(folder, query, hits) if proves else [("", False)] * len(hits)
    trusted = about.trusted(doubt)
    results = [{**picture(os.path.join(folder, file), file), "similarity": s, "verdict": verdict,
                "other_colour": other_colour, "same": verdict == COPY if proves else trusted and s >= threshold}
               for (file, s), (verdict, other_colour) in zip(hits, verdicts, strict=True)]
    return {"used": used, "said": said, "threshold": threshold, "warning": "" if proves else doubt, "trusted": trusted,
            "proves": proves, "query": picture(query), "found": results}


def duplicates(models: Models, asked: Asked) -> dict[str, Any]:
    """Groups of pictures of folders that show the same, and lists of the files to keep and of the others. No file is
    changed. Files are named relative to the one folder, or to what may be searched where there are several."""
    roots, reference = asked.folders("folder") or [asked.folder()], asked.folders("reference")
    force, one = bool(asked.fields.get("force")), len(roots) + len(reference) == 1
    with models.answering() as said:
        some = [file for root in (*roots, *reference) for file in some_files(root)]
        used = models.of_tab("duplicates", asked.model, some_of(some))
        doubt = used.model.warning(some) if some else ""
        result = (used.model.duplicates(roots, force=force, reference=reference) if about.trusted(doubt)
                  else used.model.identical(roots, reference))
        count = len(used.model.open(roots, reference).paths)
        threshold = used.model.threshold_for(count * (count - 1) // 2)
    folder = roots[0] if one else asked.root
    result = result if one else below(folder, result)
    groups, left = [], MOST_SHOWN
    for group in result.groups:
        members = [{"file": m.file, "similarity": m.similarity, "agree": m.agree, "twin": m.twin,
                    "keep": stays(m, group), "first": m.file == group.keep} for m in group.members]
        groups.append([{**member, **picture(os.path.join(folder, member["file"]), member["file"])}
                       for member in members[:left]])
        left = max(0, left - len(members))
    files = [member.file for group in result.groups for member in group.members]
    copies = [group for group in result.groups if group.keep]
    rows = [(member.file, stays(member, group)) for group in copies for member in group.members]
    keep, others = ([file for file, kept in rows if kept is wanted] for wanted in (True, False))
    return {"used": used, "said": said, "threshold": threshold, "count": count, "trusted": about.trusted(doubt),
            "groups": [group for group in groups if group], "all_groups": len(result.groups), "all_files": len(files),
            "too_many": result.too_many and about.trusted(doubt), "swallowed": result.swallowed, "share": result.share,
            "force": force, "warning": doubt,
            "keep": "\n".join(map(shown, keep)), "others": "\n".join(map(shown, others)),
            "table": as_link(table(result), "text/csv"), "proved": result.changed is not None,
            "changed": [changed_pair(folder, pair) for pair in (result.changed or [])[:MOST_CHANGED]],
            "all_changed": len(result.changed or [])}


def below(root: str, result):
    """What was found, with the paths relative to `root` in place of whole ones."""
    def name(path: str) -> str:
        return os.path.relpath(path, root) if path else ""

    groups = [group._replace(keep=name(group.keep), members=[
        member._replace(file=name(member.file), twin=name(member.twin)) for member in group.members])
              for group in result.groups]
    changed = result.changed and [pair._replace(a=name(pair.a), b=name(pair.b)) for pair in result.changed]
    return result._replace(groups=groups, changed=changed)


def stays(member, group) -> bool:
    """Whether a picture of a group is to stay: the one to keep, and copies that show more than it does."""
    return member.file == group.keep or not member.goes


def changed_pair(folder: str, pair) -> dict[str, Any]:
    """A copy with changes as the page shows it: both pictures with frames around what differs."""
    files = [os.path.join(folder, name) for name in (pair.a, pair.b)]
    drawn = framed([show(file) for file in files], pair.proof)
    return {"differing": pair.proof.differing, "pictures": [{"image": as_image(pixels), "name": shown(name)}
                                                            for pixels, name in zip(drawn, (pair.a, pair.b),
                                                                                    strict=True)]}


def why(models: Models, asked: Asked) -> dict[str, Any]:
    """Which windows of two pictures speak for and against their showing the same, and which correspond."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        answer = compared(models, asked, "why", files)
        changed = answer["proof"] and answer["proof"].verdict == CHANGED  # of which places speak for both
        drawn = reasons(answer["used"].model, files, None if changed else answer["same"])
    return {**answer, **drawn, "said": said, "names": [shown(os.path.basename(file)) for file in files]}


def compared(models: Models, asked: Asked, tab: str, files: list[str]) -> dict[str, Any]:
    """What is said of two pictures; for one who is being answered."""
    used = models.of_tab(tab, asked.model, thumbnails(files))
    similarity, threshold, doubt = used.model.similarity(*files), used.model.threshold, used.model.warning(files)
    rate = None if doubt else as_alike(used.model.loaded, similarity)
    proof = used.model.prove(*files) if used.model.proves else None
    return {"used": used, "similarity": similarity, "threshold": threshold, "warning": "" if proof else doubt,
            "as_alike": rate, "tested": 0 if rate is None else tested_on(used.model.loaded), "proof": proof,
            "same": proof.verdict == COPY if proof else similarity >= threshold if about.trusted(doubt) else None}


def reasons(model, files: list[str], same: bool | None) -> dict[str, Any]:
    """Why two pictures are alike or different: by which way that was found, a drawing of windows that correspond, their
    number, a map of each, the shares of both that speak for "the same" and against it, and whether they contradict the
    verdict.

    Args:
        model: a `compare.Similarity`.
        same: the verdict; None: there is none.
    """
    from tasks.similarity import figures  # and with it matplotlib

    pictures = [read_whole(file, SHOWN) for file in files]
    explained = explaining.explain(model.loaded.compare, model.shape, *pictures)
    page, axes = sheet((max(map(len, pictures)), sum(one.shape[1] for one in pictures)), columns=2)
    for axis, one in zip(axes, pictures):
        axis.imshow(one)
    rows = explaining.strongest(explained)
    for number, (row, colour) in enumerate(zip(rows, figures.LINES), start=1):
        figures.connect(page, axes, pictures, explained.windows[explained.pairs[row]], colour, str(number),
                        size=14)
    maps = []
    for one, said in zip(pictures, (explained.left, explained.right)):
        own, (axis,) = sheet(one.shape[:2], width=5.0)
        figures.show_said(axis, one, explained, said)
        maps.append(as_drawing(own))
    shares = explaining.shares_of(explained)
    return {"way": explained.way, "pairs": len(rows), "joined": as_drawing(page), "maps": maps,
            "shares": [f"{share:.0%}" for share in shares.ravel()] if shares.any() else [],
            "contradicted": explaining.contradicted(shares, same)}


def as_link(content: bytes, kind: str) -> str:
    """The content of a file as the address of a link that downloads it."""
    return f"data:{kind};charset=utf-8," + quote(content)


def table(result) -> bytes:
    """The groups as predict.py --duplicates --csv writes them."""
    file, copies = io.StringIO(newline=""), any(group.keep for group in result.groups)
    proved = copies and result.changed is not None
    writer = csv.writer(file)
    writer.writerow(["group", "file", "similarity", "identical", *["agree", "other_colour", "goes"] * proved,
                     *["keep"] * copies])
    writer.writerows([number, m.file, m.similarity, bool(m.twin), *[m.agree, m.other_colour, m.goes] * proved,
                      *[stays(m, group)] * copies]
                     for number, group in enumerate(result.groups) for m in group.members)
    return file.getvalue().encode("utf-8", "surrogateescape")
