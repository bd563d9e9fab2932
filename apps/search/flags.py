"""The flags of predict.py for questions about many pictures."""

from collections.abc import Callable

from absl import flags

from tasks import ROOMS, rooms_that_embed
from utils.flags import group, passed
from utils.saying import either

QUESTIONS = ("gallery", "duplicates", "pairs", "matrix", "between", "undo")  # flags that each ask one
ONLY_WITH = {  # flags, and the questions of which one must be asked, or they would do nothing
    "reference": ("duplicates",), "print0": ("duplicates",), "move_to": ("duplicates",), "force": ("duplicates",),
    "top": ("gallery",), "rerank": ("gallery",), "index": ("gallery",), "collection": ("gallery",),
    "cropped": ("duplicates", "between"), "expected_wrong": ("gallery", "duplicates", "matrix", "between"),
    "slack": ("difference",),
}


def asked(options) -> list[str]:
    """The questions about many pictures that the flags ask, of `QUESTIONS`."""
    return [name for name in QUESTIONS if getattr(options, name, None)]


def check(options, chosen: Callable[[str], bool] = passed) -> None:
    """Raises ValueError where flags do not belong together.

    Args:
        chosen: whether a flag was passed.
    """
    for name, questions in ONLY_WITH.items():
        if chosen(name) and not any(getattr(options, question, None) for question in questions):
            needed = either([f"--{question}" for question in questions])
            raise ValueError(f"--{name} has no effect without {needed}: leave --{name} out")
    if chosen("proof") and (options.matrix or options.undo):
        raise ValueError(f"--proof and --noproof have no effect with --{asked(options)[0]}: leave them out")
    if options.yes and not options.move_to:
        raise ValueError("--yes has no effect without --move_to=DIR, which says where to move what can go")
    if options.json and options.print0 == "-":
        raise ValueError("--print0=- and --json both write to the standard output: pass --print0=FILE, or leave one "
                         "out")


def for_answers() -> None:
    """Flags that predict.py hands to search."""
    with group("Many pictures", *rooms_that_embed()):
        flags.DEFINE_string("gallery", "", "Search in this folder for pictures like those named. The folder keeps the "
                                           "embeddings, so that the next search is fast")
        flags.DEFINE_integer("top", 10, "With --gallery: how many pictures to show", 1)
        flags.DEFINE_integer("rerank", None,
                             "With --gallery and a model whose head compares places: how many pictures, the nearest by "
                             "distance, the head compares with each picture asked for. 0: all. Default: 100", 0)
        flags.DEFINE_string("index", "exact", "With --gallery: where the embeddings are searched. exact: all of them, "
                                              "in the folder's own file. faiss: those in the nearest cells, for "
                                              "millions on one machine. A file that ends with .db, or "
                                              "http://HOST:19530: in Milvus")
        flags.DEFINE_string("collection", "pictures",
                            "With --index in Milvus: the collection, which belongs to one folder and one model")
        flags.DEFINE_list("duplicates", [],
                          "FOLDER, or A,B,C: find groups of pictures in these folders that the threshold calls alike, "
                          "and files of the same contents. A name with a comma stands in double quotes: '\"A,B\"'")
        flags.DEFINE_list("reference", [], "With --duplicates: DIR, or several with commas, whose pictures are "
                                           "compared too but never go; what is a copy of one of them goes first")
        flags.DEFINE_string("print0", "", "With --duplicates: write the whole paths of what can go to this file, each "
                                          "with a NUL after it, as xargs -0 reads them. -: to the standard output, and "
                                          "all else to the standard error")
        flags.DEFINE_string("move_to", "", "With --duplicates: say what would be moved into this folder, which is what "
                                           "can go. With --yes it is moved, and a log in the folder brings it back")
        flags.DEFINE_boolean("yes", False, "With --move_to: move the files")
        flags.DEFINE_string("undo", "", "Bring back what this log, which --move_to wrote, names")
        flags.DEFINE_string("pairs", "", "Compare the pairs of this list: two paths a line, which start from the "
                                         "folder of the list; a third column with the truth, 1 or 0, gives accuracy, "
                                         "precision and recall")
        flags.DEFINE_string("matrix", "", "Write the similarity of each picture in this folder to each other one to "
                                          "--csv; with a name that ends with .npy as NumPy's file, float32, and the "
                                          "names beside it in a .txt")
        flags.DEFINE_boolean("cropped", True,
                             "With --duplicates and --between and a model of copies: look for copies that show only a "
                             "part of a picture, or that are turned, too. That embeds each picture 32 times more, once")
        flags.DEFINE_float("expected_wrong", 1.0, "With --gallery, --duplicates, --between and --matrix and a model of "
                                                  "persons or things: how many different pairs of all that are "
                                                  "compared may be called alike. The threshold follows from it", 0)
        flags.DEFINE_boolean("force", False, "With --duplicates: show the groups even where the model does not tell "
                                             "the pictures apart, because it calls more than 5 % of all pairs the "
                                             "same, or puts more than a tenth of all pictures into one group")
    others = {room: row.between for room, row in ROOMS.items() if row.between}
    with group("Two folders", *rooms_that_embed(), *others):
        flags.DEFINE_list("between", [], "FOLDER_A,FOLDER_B: what of A is in B? Names files of the same contents, and "
                                         "pictures that the threshold calls the same, such as test pictures that were "
                                         "trained on"
                                         + "".join(f". With --task={room}: {asks}" for room, asks in others.items()))
