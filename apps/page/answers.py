"""What each tab of the page answers. Each function takes the models and what a visitor asks, and returns what the tab shows."""

import csv
import io
import os
from typing import Any, NamedTuple
from urllib.parse import quote

import numpy as np

from apps.page import drawings, folders
from apps.page.drawings import picture
from apps.page.models import Models
from utils.saying import shown

MOST_SHOWN = 300  # pictures of duplicates that the page shows; its lists name all
MOST_FOUND = 60  # pictures that a search finds, at most


class Asked(NamedTuple):
    """What a visitor sends: the folder that may be searched, the fields of the form, and the files by the name of their field."""

    root: str
    fields: dict[str, str]
    files: dict[str, list[str]]

    def picture(self, name: str) -> str:
        """The file of a field; ValueError where none was chosen."""
        if not self.files.get(name):
            raise ValueError("a picture is missing: choose a file in each field")
        return self.files[name][0]

    def number(self, name: str, usual: float, low: float, high: float) -> float:
        """The number of a field, or the usual one where it is empty; ValueError where it is none in low..high."""
        text = self.fields.get(name, "").strip()
        try:
            found = float(text or usual)
        except ValueError:
            found = np.nan
        if not low <= found <= high:
            raise ValueError(f"{shown(text)[:40]}: expected a number from {low:g} to {high:g}")
        return found


def same(models: Models, asked: Asked) -> dict[str, Any]:
    """Whether two pictures show the same, with the threshold and any warning; the numbers of predict.py."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        found = compared(models, asked, files)
    return {**found, "said": said, "pictures": [picture(file) for file in files]}


def search(models: Models, asked: Asked) -> dict[str, Any]:
    """The pictures of a folder that are most like one."""
    query, folder = asked.picture("query"), folders.inside(asked.root, asked.fields.get("folder", ""))
    top = int(asked.number("top", 12, 1, MOST_FOUND))
    with models.answering() as said:
        used = models.similarity(asked.fields.get("model", ""), [query])
        hits, doubt = used.model.search(folder, query, top=top), used.model.warning([query])
    found = [{**picture(os.path.join(folder, file), file), "similarity": s, "same": s >= used.model.threshold} for file, s in hits]
    return {"used": used, "said": said, "threshold": used.model.threshold, "warning": doubt, "query": picture(query), "found": found}


def duplicates(models: Models, asked: Asked) -> dict[str, Any]:
    """Groups of pictures of a folder that show the same, and lists of the files to keep and of the others. No file is changed."""
    from tasks.similarity.model import some_pictures

    folder = folders.inside(asked.root, asked.fields.get("folder", ""))
    force = bool(asked.fields.get("force"))
    with models.answering() as said:
        some = [one.file for one in some_pictures(folder)]
        used = models.similarity(asked.fields.get("model", ""), some)
        found = used.model.duplicates(folder, force=force)
        count, doubt = len(used.model.open(folder).paths), used.model.warning(some) if some else ""
    groups, left = [], MOST_SHOWN
    for group in found.groups:
        members = [{"file": m.file, "similarity": m.similarity, "twin": m.twin, "keep": m.file == group.keep} for m in group.members]
        groups.append([{**member, **picture(os.path.join(folder, member["file"]), member["file"])} for member in members[:left]])
        left = max(0, left - len(members))
    files = [member.file for group in found.groups for member in group.members]
    keep = [group.keep for group in found.groups]
    return {"used": used, "said": said, "threshold": used.model.threshold, "count": count, "groups": [group for group in groups if group],
            "all_groups": len(found.groups), "all_files": len(files), "too_many": found.too_many, "share": found.share, "force": force,
            "warning": doubt, "keep": "\n".join(map(shown, keep)), "others": "\n".join(shown(file) for file in files if file not in set(keep)),
            "table": as_link(table(found.groups), "text/csv")}


def quality(models: Models, asked: Asked) -> dict[str, Any]:
    """How good several photos look, the best first; those that cannot be read are named."""
    files = asked.files.get("photos", [])
    if not files:
        raise ValueError("photos are missing: choose one or more")
    found, broken = [], []
    with models.answering() as said:
        used = models.of_tab(asked.fields.get("model", ""), "quality")
        for file in files:
            try:
                found.append({"score": float(used.model.quality([file])[0]), **picture(file)})
            except ValueError as error:
                broken.append(str(error))
    if not found:
        raise ValueError("; ".join(broken))
    model = used.model
    found.sort(key=lambda row: row["score"], reverse=model.higher_is_better)
    low, high = (model.low, model.high) if model.higher_is_better else (model.high, model.low)
    return {"used": used, "said": [*said, *broken], "found": found, "higher": model.higher_is_better, "worst": low, "best": high}


def places(models: Models, asked: Asked) -> dict[str, Any]:
    """Whether two photos show the same place: the matches, a picture of them, and the second photo laid onto the first."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        used = models.of_tab(asked.fields.get("model", ""), "places")
        scene = used.model.match(*files)
        figure, laid = drawings.matches(files, scene)
    return {"used": used, "said": said, "same": scene.same, "matches": len(scene.a), "agree": int(scene.inliers.sum()), "needed": scene.needed,
            "laid_over": scene.laid_over, "places": scene.places, "alike": scene.alike,
            "matrix": None if scene.matrix is None else scene.matrix.tolist(), "figure": figure, "laid": laid}


def why(models: Models, asked: Asked) -> dict[str, Any]:
    """Which places of two pictures speak for and against their showing the same, and which correspond."""
    files = [asked.picture("first"), asked.picture("second")]
    with models.answering() as said:
        found = compared(models, asked, files)
        reasons = drawings.reasons(found["used"].model, files)
    return {**found, **reasons, "said": said, "names": [shown(os.path.basename(file)) for file in files]}


def compared(models: Models, asked: Asked, files: list[str]) -> dict[str, Any]:
    """What is said of two pictures; for one who is being answered."""
    used = models.similarity(asked.fields.get("model", ""), files)
    similarity, threshold = used.model.similarity(*files), used.model.threshold
    return {"used": used, "similarity": similarity, "threshold": threshold, "same": similarity >= threshold, "warning": used.model.warning(files)}


def as_link(content: bytes, kind: str) -> str:
    """The content of a file as the address of a link that downloads it."""
    return f"data:{kind};charset=utf-8," + quote(content)


def table(groups: list) -> bytes:
    """The groups as predict.py --duplicates --csv writes them."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["group", "file", "similarity", "identical", "keep"])
    writer.writerows([number, m.file, m.similarity, bool(m.twin), m.file == group.keep] for number, group in enumerate(groups) for m in group.members)
    return file.getvalue().encode("utf-8", "surrogateescape")
