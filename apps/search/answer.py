"""Questions about many pictures: one against a folder, all of a folder against each other, a list of pairs, two
folders."""

import os

from apps.search import matrix, pairs, proven
from apps.search.clearing import answer as clearing
from apps.search.clearing.folders import open_folder, views_of
from apps.search.flags import asked
from apps.search.indexes.index import kind_of, make_index
from tasks import about
from tasks.copies.proof.verdict import CHANGED, DIFFERENT, Said
from tasks.similarity.model import (
    Loaded,
    embed,
    for_pairs,
    load_for_many,
    recoloured,
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
    QUESTIONS[questions[0]](options)


def search_gallery(options, files: list[str]) -> None:
    """The pictures of a folder that are most like each query, which is no answer to itself where it lies in there."""
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
    rerank = gallery.RERANK if options.rerank is None else options.rerank
    if model.compare.global_embedding and rerank:
        print(f"compared place by place: the {min(max(rerank, options.top), len(opened))} nearest by distance "
              "(--rerank)")
    rows, found = [], opened.nearest(embed(model, queries), options.top + 1, rerank)
    for number, (query, nearest) in enumerate(zip(queries, found, strict=True)):
        nearest = gallery.others(nearest, root, query)[: options.top]
        verdicts = verdicts_of(options, model, root, query, nearest)
        rows += rows_of(options, model, query, nearest, verdicts)
        wide = max((len(str(said)) for said in verdicts), default=0)
        lines = [f"  {s:.3f} {said!s:{wide}} {shown(name)}" for (name, s), said in zip(nearest, verdicts, strict=True)]
        print("\n".join([shown(query), *lines]))
        if options.figure:
            heading = f"the {len(nearest)} most alike of {counted(len(opened), 'picture')}"
            draw_nearest(model, root, query, nearest, verdicts, heading + limit_and_doubt(options, model),
                         f"gallery{number or ''}.png")
    write_answer(options, rows,
                 {"threshold": model.threshold, "embedded": embedded, "warning": model.doubt or None, "results": rows})


def same_word(model: Loaded) -> str:
    """What is said of a picture that is found."""
    return "copy" if model.proves else "alike"


def verdicts_of(options, model: Loaded, root: str, query: str, nearest: list[tuple[str, float]]) -> list[Said]:
    """What is said of each of the (name, similarity) nearest to a query."""
    if model.proves and options.proof:
        return proven.verdicts(query, root, nearest, model.compare, model.threshold, recoloured(options, model))
    return [Said(same_word(model) if verdict(model, s) else "") for _, s in nearest]


def rows_of(options, model: Loaded, query: str, nearest: list[tuple[str, float]], verdicts: list[Said]) -> list[dict]:
    """The same as rows of --json and --csv."""
    proving = model.proves and options.proof
    answered = proving or about.trusted(model.doubt)
    return [{"query": query, "file": name, "similarity": s, "verdict": said.verdict or DIFFERENT,
             "same": said.verdict == same_word(model) if answered else None}
            | ({"other_colour": said.other_colour} if proving else {})
            for (name, s), said in zip(nearest, verdicts, strict=True)]


def limit_and_doubt(options, model: Loaded) -> str:
    """From what similarity on pictures are said to be found, and what speaks against relying on it, after a heading."""
    proving = model.proves and options.proof
    limit = ("" if proving or not about.trusted(model.doubt)
             else f"; {same_word(model)} from similarity {exactly(model.threshold)} on")
    return limit + (f". {'Warning' if limit or proving else 'No answer'}: {model.doubt}" if model.doubt else "")


def draw_nearest(model: Loaded, root: str, query: str, nearest: list[tuple[str, float]], verdicts: list[Said],
                 heading: str, path: str) -> None:
    """A query and what is nearest to it as a figure; what is said to be found in a frame."""
    files = [query, *(os.path.join(root, name) for name, _ in nearest)]
    titles = [f"query\n{short(query)}", *(f"{s:.3f} {said}\n{short(name)}"
                                          for (name, s), said in zip(nearest, verdicts, strict=True))]
    same = [place for place, said in enumerate(verdicts, start=1) if said.verdict == same_word(model)]
    figures.contact_sheet([read_whole(file, figures.SIDE) for file in files], titles, path,
                          heading=heading + (f". In a frame: {same_word(model)}" if same else ""), marked=same)


def compare_pairs(options) -> None:
    """The similarity of each pair of a list; see `apps.search.pairs`."""
    path = os.path.expanduser(options.pairs)
    listed = pairs.read_pairs(path)
    model = load_for_many(options, some_of(pairs.some_files(path, listed)))
    pairs.answer(options, path, listed, model, recoloured(options, model))


def write_matrix(options) -> None:
    """The similarities of all pictures of a folder to each other, in a file; see `apps.search.matrix`."""
    if not options.csv:
        raise ValueError("--matrix writes a file: pass --csv=matrix.csv, or --csv=matrix.npy for NumPy's file")
    matrix.check_names(options.csv)
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
        how = ("identical file of" if row["identical"] else "like" if not proving
               else Said(row["verdict"], row["other_colour"]))
        print(f"  {row['similarity']:.3f} {shown(row['file'])}  {how} {shown(row['found'])}")
    same = sum(row["identical"] for row in rows)
    heading = f"{len(rows)} of {counted(len(a.paths), 'picture')} in {shown(a.root)} are in {shown(b.root)} too: "
    heading += f"{counted(same, 'identical file')}, "
    if proving:
        changed = sum(row["verdict"] == CHANGED for row in rows)
        heading += (f"{counted(len(rows) - same - changed, 'copy', 'copies')}, "
                    f"{counted(changed, 'copy', 'copies')} with changes")
    else:
        heading += f"{len(rows) - same} from similarity {exactly(model.threshold)} on"
    print(heading)
    if options.figure and rows:
        from apps.search.clearing import sheets

        sheets.draw_between((a.root, b.root), rows, heading, "between.png")
    write_answer(options, rows, {"threshold": model.threshold, "pictures": len(a.paths), "identical": same,
                                 "warning": model.doubt or None,
                                 "results": rows},
                 ["file", "found", "similarity", "identical", *["verdict", "other_colour"] * proving])


QUESTIONS = {"gallery": search_gallery, "duplicates": clearing.find_duplicates, "pairs": compare_pairs,
             "matrix": write_matrix, "between": look_between, "undo": clearing.undo}
