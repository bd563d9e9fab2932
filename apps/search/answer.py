"""Questions about many pictures: one against a folder, all of a folder against each other, a list of pairs, two
folders."""

import os

from apps.search import duplicates, matrix, pairs, proven, views
from apps.search.flags import asked
from apps.search.indexes.index import kind_of, make_index
from tasks import about
from tasks.copies.proof.verdict import DIFFERENT
from tasks.quality.model import quality_of_centres
from tasks.similarity.answer import framed
from tasks.similarity.model import (
    Loaded,
    embed,
    for_pairs,
    load_for_many,
    recoloured,
    show,
    some_files,
    some_of,
    thumbnails,
    verdict,
)
from utils import gallery
from utils.data.images import read_whole
from utils.run import figures
from utils.run.console import write_answer
from utils.saying import counted, exactly, shown
from utils.sheets.fonts import short


def answer(options, files: list[str]) -> None:
    """Searches in a folder, finds duplicates and so on, as the flags say."""
    questions = asked(options)
    if options.why:
        raise ValueError(f"--why explains two pictures: leave --{questions[0]} out, python predict.py --why a.jpg "
                         "b.jpg")
    if len(questions) > 1:
        raise ValueError(f"--{questions[0]} and --{questions[1]} ask two questions: pass one of them")
    if files and questions != ["gallery"]:
        raise ValueError(f"--{questions[0]} looks at what it names alone: leave {files[0]} out, or search for it with "
                         "--gallery=FOLDER")
    if questions == ["gallery"]:
        return search_gallery(options, files)
    if getattr(options, "index", "exact") != "exact":
        raise ValueError(f"--index={options.index} has no effect without --gallery=FOLDER")
    QUESTIONS[questions[0]](options)


def search_gallery(options, files: list[str]) -> None:
    """The pictures of a folder that are most like each query."""
    if not files:
        raise ValueError("--gallery needs a picture to search for: python predict.py --gallery=FOLDER query.png")
    kind_of(options.index)  # raises before the model is loaded
    queries = [os.path.expanduser(file) for file in files]
    root, model = os.path.expanduser(options.gallery), load_for_many(options, thumbnails(queries))
    if options.rerank is not None and not model.compare.global_embedding:
        raise ValueError(f"--rerank={options.rerank} has no effect with this model, which compares every picture: "
                         "leave --rerank out")
    opened = make_index(options.index, root, model, options.collection)
    embedded = opened.update()
    print(f"{counted(len(opened), 'picture')} in {root}, {embedded} of them embedded now")
    model = for_pairs(model, len(queries) * len(opened), options)
    proving, word = model.proves and options.proof, "copy" if model.proves else "alike"
    rerank = gallery.RERANK if options.rerank is None else options.rerank
    if model.compare.global_embedding and rerank:
        print(f"compared place by place: the {min(max(rerank, options.top), len(opened))} nearest by distance "
              "(--rerank)")
    features = embed(model, queries)
    rows = []
    heading = (f"; {word} from similarity {exactly(model.threshold)} on" if about.trusted(model.doubt) and not proving
               else "")
    heading += f". {'Warning' if heading or proving else 'No answer'}: {model.doubt}" if model.doubt else ""
    for number, (query, nearest) in enumerate(zip(queries, opened.nearest(features, options.top, rerank), strict=True)):
        if proving:
            verdicts = proven.verdicts(query, root, nearest, model.compare, model.threshold,
                                       recoloured(options, model))
        else:
            verdicts = [word if verdict(model, s) else "" for _, s in nearest]
        rows += [{"query": query, "file": name, "similarity": s, "verdict": said or DIFFERENT,
                  "same": said == word if proving or about.trusted(model.doubt) else None}
                 for (name, s), said in zip(nearest, verdicts, strict=True)]
        lines = [f"  {s:.3f} {said:{max(map(len, verdicts))}} {shown(name)}"
                 for (name, s), said in zip(nearest, verdicts, strict=True)]
        print("\n".join([shown(query), *lines]))
        if options.figure:
            pictures = [read_whole(file) for file in (query, *(os.path.join(root, name) for name, _ in nearest))]
            titles = [f"query: {short(query)}", *(f"{s:.3f} {said} {short(name)}"
                                                          for (name, s), said in zip(nearest, verdicts, strict=True))]
            over = f"the {len(nearest)} most alike of {counted(len(opened), 'picture')}{heading}"
            figures.contact_sheet(pictures, titles, f"gallery{number or ''}.png", heading=over, marked=[0])
    write_answer(options, rows,
                 {"threshold": model.threshold, "embedded": embedded, "warning": model.doubt or None, "results": rows})


def find_duplicates(options) -> None:
    """Groups of pictures of a folder that are alike from the threshold on; see `apps.search.duplicates`."""
    root = os.path.expanduser(options.duplicates)
    model = load_for_many(options, some_of(some_files(root)))
    opened = open_folder(root, model)
    if model.proves and options.proof:
        return show_proven(options, opened, model)
    count, copies = len(opened.paths), model.proves
    model = for_pairs(model, count * (count - 1) // 2, options)
    if about.trusted(model.doubt):
        result = duplicates.find(opened, model.compare, model.threshold, options.force, quality_of_centres,
                                 copies=copies)
    else:
        result = duplicates.identical(opened, quality_of_centres, copies)
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
        doubts = [f"Warning: {text}" for text in (model.doubt, warning) if text]
        draw_groups(opened.root, result.groups, ". ".join([heading, *doubts]), "duplicates.png")
    groups = [[member.file for member in group.members] for group in result.groups]
    write_answer(options, rows, {"threshold": model.threshold, "groups": groups, "details": details,
                                 "warning": "; ".join(filter(None, [model.doubt, warning])) or None})


def show_proven(options, opened: gallery.Gallery, model: Loaded) -> None:
    """Copies of a folder that looking at both pictures proves; see `apps.search.proven`."""
    seen = views_of(options, opened, model)
    result = proven.find(opened, model.compare, model.threshold, quality_of_centres, seen, recoloured(options, model))
    heading = proven.headline(len(opened.paths), result)
    print(heading)
    rows, details = [], []
    for number, group in enumerate(result.groups):
        print("\n".join(proven.in_words(number, group)))
        files = [{"file": member.file, "similarity": member.similarity, "identical": bool(member.twin),
                  "agree": member.agree, "other_colour": member.other_colour,
                  "goes": member.goes} for member in group.members]
        rows += [{"group": number, **file, "keep": not file["goes"]} for file in files]
        details.append({"keep": group.keep, "files": files})
    if result.changed:
        print("\n".join(["copies with changes, which are no duplicates:",
                         *map(proven.changed_in_words, result.changed)]))
    if options.figure and result.groups:
        draw_groups(opened.root, result.groups, heading, "duplicates.png")
    if options.figure and result.changed:
        draw_changed(opened.root, result.changed, "changed.png")
    changed = [{"left": pair.a, "right": pair.b, "similarity": pair.similarity, **pair.proof.as_numbers()}
               for pair in result.changed]
    groups = [[member.file for member in group.members] for group in result.groups]
    write_answer(options, rows, {"threshold": model.threshold, "groups": groups, "details": details, "changed": changed,
                                 "warning": model.doubt or None})


def compare_pairs(options) -> None:
    """The similarity of each pair of a list; see `apps.search.pairs`."""
    path = os.path.expanduser(options.pairs)
    listed = pairs.read_pairs(path)
    pairs.answer(options, path, listed, load_for_many(options, some_of(pairs.some_files(path, listed))))


def write_matrix(options) -> None:
    """The similarities of all pictures of a folder to each other, in a file; see `apps.search.matrix`."""
    if not options.csv:
        raise ValueError("--matrix writes a file: pass --csv=matrix.csv, or --csv=matrix.npy for NumPy's file")
    root = os.path.expanduser(options.matrix)
    model = load_for_many(options, some_of(some_files(root)))
    opened = open_folder(root, model)
    model = for_pairs(model, len(opened.paths) * (len(opened.paths) - 1) // 2, options)
    matrix.write(opened, model.compare, options.csv)
    print(f"similarities of {counted(len(opened.paths), 'picture')} to each other are in {options.csv}")
    write_answer(options, None, {"threshold": model.threshold, "warning": model.doubt or None, "matrix": options.csv,
                                 "files": opened.paths})


def look_between(options) -> None:
    """What of one folder is in another; see `apps.search.matrix.between`."""
    roots = [os.path.expanduser(root) for root in options.between]
    if len(roots) != 2 or os.path.realpath(roots[0]) == os.path.realpath(roots[1]):
        raise ValueError(f"--between={','.join(options.between)}: expected two different folders with a comma "
                         "between; within one folder pass --duplicates=FOLDER")
    model = load_for_many(options, some_of([file for root in roots for file in some_files(root)], most=40))
    a, b = (open_folder(root, model) for root in roots)
    proving, model = model.proves and options.proof, for_pairs(model, len(a.paths) * len(b.paths), options)
    if proving:
        seen = [views_of(options, opened, model) for opened in (a, b)]
        rows = proven.between(a, b, model.compare, model.threshold, None if seen[0] is None else seen,
                              recoloured(options, model))
    else:
        rows = matrix.between(a, b, model.compare, model.threshold)
    rows = [row for row in rows if proving or row["identical"] or about.trusted(model.doubt)]
    for row in rows:
        how = "identical file of" if row["identical"] else row.get("verdict", "like")
        print(f"  {row['similarity']:.3f} {shown(row['file'])}  {how} {shown(row['found'])}")
    same = sum(row["identical"] for row in rows)
    print(f"{len(rows)} of {counted(len(a.paths), 'picture')} in {a.root} are in {b.root} too: "
          f"{counted(same, 'identical file')}, "
          + (f"{len(rows) - same} that are copies, some of them with changes" if proving
             else f"{len(rows) - same} from similarity {exactly(model.threshold)} on"))
    write_answer(options, rows, {"threshold": model.threshold, "pictures": len(a.paths), "identical": same,
                                 "warning": model.doubt or None,
                                 "results": rows},
                 ["file", "found", "similarity", "identical", *["verdict"] * proving])


def open_folder(root: str, model: Loaded) -> gallery.Gallery:
    """The embeddings of a folder; says how many are new."""
    opened = gallery.open_gallery(root, model.path, model.compare, model.shape)
    print(f"{opened.root}: {counted(opened.embedded, 'picture')} embedded now")
    return opened


def views_of(options, opened: gallery.Gallery, model: Loaded):
    """The views of a folder's pictures, see `apps.search.views`; None where nobody asked for them."""
    if not options.cropped or not model.compare.by_distance:
        return None
    return views.open_views(opened, model.path, model.compare, model.shape)


QUESTIONS = {"gallery": search_gallery, "duplicates": find_duplicates, "pairs": compare_pairs, "matrix": write_matrix,
             "between": look_between}


def draw_changed(root: str, pairs: list[proven.Pair], path: str, most: int = 20) -> None:
    """Copies with changes of the folder `root`, two pairs a row, with frames around what differs, at `path`."""
    pictures, titles = [], []
    for pair in pairs[:most]:
        pictures += framed([show(os.path.join(root, name)) for name in (pair.a, pair.b)], pair.proof)
        titles += [short(pair.a), f"{short(pair.b)}\n{pair.proof.differing:.1%} differs"]
    heading = (counted(len(pairs), "pair") + " of copies with changes: in red what differs, in blue what the other "
                                             "one shows")
    heading += f"; the first {most} are shown" if len(pairs) > most else ""
    figures.contact_sheet(pictures, titles, path, columns=4, heading=heading)


def draw_groups(root: str, groups: list[duplicates.Group], heading: str, path: str, most: int = 20,
                columns: int = 8) -> None:
    """Groups of pictures of the folder `root`, a row a group, the picture to keep first and in a frame, at `path`.

    Over each picture stands its similarity to the centre of its group, which has 1.

    Args:
        heading: a line over the whole sheet.
        most: groups that are shown; `columns`: pictures of each. The sheet says how many more there are.
    """
    shown = groups[:most]
    width = min(columns, max(3, *(len(group.members) for group in shown)))
    page, axes = figures.figure(width, len(shown), 1.7, 1.8)
    for axis in axes.flat:
        axis.axis("off")
    for number, (line, group) in enumerate(zip(axes, shown)):
        first = group.members[0]
        # stable: the others stay in order
        members = sorted(group.members, key=lambda member: member.file != group.keep)
        for axis, member in zip(line, members):
            figures.show(axis, read_whole(os.path.join(root, member.file)))
            stays = member.file == group.keep or not member.goes
            remark = "keep" if stays else "identical file" if member.twin else "centre" if member is first else ""
            axis.set_title(f"{member.similarity:.3f} {remark}\n{short(member.file)}", fontsize=7)
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
    heading += ". Numbers: similarity to the picture with 1.000"
    figures.head(page, heading)
    figures.save_beside_answer(page, path)
