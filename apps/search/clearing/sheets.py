"""Figures of many pictures: groups of duplicates, copies with changes, and what of one folder is in another."""

import os
from typing import Any

from apps.search import duplicates, proven
from tasks.similarity.answer import framed
from tasks.similarity.model import SHOWN, show
from utils.data.images import read_whole
from utils.run import figures
from utils.saying import counted
from utils.sheets.fonts import short


def draw_changed(root: str, pairs: list[proven.Pair], path: str, most: int = 20) -> None:
    """Copies with changes of the folder `root`, two pairs a row, with frames around what differs, at `path`."""
    pictures, titles = [], []
    for pair in pairs[:most]:
        pictures += framed([show(os.path.join(root, name)) for name in (pair.a, pair.b)], pair.proof)
        titles += [f"\n{short(pair.a)}", f"{short(pair.b)}\n{pair.proof.differs} differs"]
    heading = (counted(len(pairs), "pair") + " of copies with changes: in red what differs, in blue what the other "
                                             "one shows")
    heading += f"; the first {most} are shown" if len(pairs) > most else ""
    figures.contact_sheet(pictures, titles, path, columns=4, heading=heading, side=SHOWN)


def draw_between(roots: tuple[str, str], rows: list[dict[str, Any]], heading: str, path: str, most: int = 20) -> None:
    """What of one folder is in another, two pairs a row: a picture of the first, and what was found, at `path`.

    Args:
        roots: both folders.
        rows: as `apps.search.matrix.between` or `apps.search.proven.between` gives them.
        most: pairs that are shown.
    """
    pictures, titles = [], []
    for row in rows[:most]:
        pictures += [read_whole(os.path.join(root, row[name]), figures.SIDE)
                     for root, name in zip(roots, ("file", "found"))]
        how = "identical file" if row["identical"] else row.get("verdict", "alike")
        how += "; other colour" if row.get("other_colour") else ""
        titles += [f"\n{short(row['file'])}", f"{row['similarity']:.3f} {how}\n{short(row['found'])}"]
    heading += f"; the first {most} are shown" if len(rows) > most else ""
    figures.contact_sheet(pictures, titles, path, columns=4, heading=heading)


def draw_groups(root: str, groups: list[duplicates.Group], heading: str, path: str, most: int = 20,
                columns: int = 8) -> None:
    """Groups of pictures of the folder `root`, a row a group, the picture to keep first and in a frame, at `path`.

    Over each picture stands what the terminal says of it: how much of a proved copy agrees with the picture to keep,
    otherwise the similarity to the centre of its group, which has 1.

    Args:
        heading: a line over the whole sheet.
        most: groups that are shown; `columns`: pictures of each. The sheet says how many more there are.
    """
    shown = groups[:most]
    width = min(columns, max(3, *(len(group.members) for group in shown)))
    page, axes = figures.figure(width, len(shown), 1.7, 1.8)
    page.set_layout_engine("constrained")  # tight layout lets a title lie over the picture above it
    for axis in axes.flat:
        axis.axis("off")
    for number, (line, group) in enumerate(zip(axes, shown)):
        first = group.members[0]
        # stable: the others stay in order
        members = sorted(group.members, key=lambda member: member.file != group.keep)
        for axis, member in zip(line, members):
            figures.show(axis, read_whole(os.path.join(root, member.file), figures.SIDE))
            stays = member.file == group.keep or member.agree is not None and not member.goes
            remark = "keep" if stays else "identical file" if member.twin else ""
            centre = "centre" if member is first and member.agree is None else ""
            alike = f"{member.similarity:.3f}" if member.agree is None else (
                "" if member.file == group.keep else f"{member.agree:.1%} agrees")
            above = ", ".join(filter(None, (alike, remark, centre)))
            axis.set_title(f"{above}\n{short(member.file)}", fontsize=7)
        if group.keep:
            figures.mark(line[0])
        line[0].text(-0.08, 0.5, f"group {number}", rotation=90, ha="right", va="center", fontsize=8,
                     transform=line[0].transAxes)
        if len(members) > width:
            line[-1].text(1.05, 0.5, f"and {len(members) - width} more", va="center", fontsize=8,
                          transform=line[-1].transAxes)
    if len(groups) > most:
        heading += f"; the first {most} are shown"
    heading += ". In the frame: the picture to keep" if any(group.keep for group in groups) else ""
    proved = all(member.agree is not None for group in groups for member in group.members)
    heading += "" if proved else ". Numbers: similarity to the centre of the group"
    figures.head(page, heading)
    figures.save_beside_answer(page, path)
