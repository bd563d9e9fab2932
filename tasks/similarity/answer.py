"""How alike are two pictures: the command line. Questions about many pictures are answered by `apps.search`."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from tasks import about
from tasks.copies.proof.verdict import CHANGED, COPY, Proof, prove, see
from tasks.similarity.model import Loaded, Picture, as_alike, load, recoloured, show, similarity_of, tested_on, worth
from utils.data.formats import pages
from utils.data.images import size_of
from utils.run import figures
from utils.run.console import edit_lines, write_answer
from utils.saying import counted
from utils.sheets.fonts import short

# around a place that differs, and around the part that the other picture shows
FRAME, PART = (230, 30, 30), (30, 90, 230)


def answer(options, files: list[str]) -> None:
    """Compares two pictures, or asks for two again and again."""
    if len(files) not in (0, 2):
        raise ValueError(f"received {counted(len(files), 'file name')}; pass two pictures to compare them, or none "
                         "and the program asks for them; to search for one in a folder pass --gallery=FOLDER")
    compare_two(options, files)


def compare_two(options, files: list[str]) -> None:
    """Answers for two files, or asks for two again and again."""
    pictures = [show(file) for file in files]  # a file that cannot be read ends the script before the model is loaded
    if pictures:
        compare(options, load(options, [picture.thumbnail for picture in pictures]), *pictures)
        return
    model = None
    edit_lines()
    while (left := ask_for_picture("first picture: ")) and (right := ask_for_picture("second picture: ")):
        model = model or load(options, [left.thumbnail, right.thumbnail])
        compare(options, model, left, right)


def compare(options, model: Loaded, left: Picture, right: Picture) -> None:
    """Says whether two pictures show the same thing."""
    similarity = similarity_of(model, left.image, right.image)
    proof, rate = None, None
    if model.proves and options.proof:
        seen = [see(picture.image, file=picture.file) for picture in (left, right)]
        proof = prove(*seen, recoloured=recoloured(options, model))
    if proof:  # which needs no model that knows such pictures
        same, doubt, text = proof.verdict == COPY, "", f"{proof.in_words()}; similarity {similarity:.3f}"
    else:
        known = about.warning(model.known, np.stack([left.thumbnail, right.thumbnail]),
                              about.are_drawn([left.image, right.image]) if about.doubts_drawn(model.known) else ())
        doubt = "; ".join(filter(None, [model.doubt, known]))
        same = similarity >= model.threshold if about.trusted(doubt) else None
        text = f"{model.words[not same]} ({similarity:.3f}; threshold {model.threshold:.3f})"
        text = f"no answer: {doubt}" if same is None else text + (f"; warning: {doubt}" if doubt else "")
        rate = None if doubt else as_alike(model, similarity)
    looked = {picture.file: pages.LOOKED[picture.file] for picture in (left, right) if picture.file in pages.LOOKED}
    pages_said = [f"{page} of {short(file)} was looked at" for file, page in looked.items()]
    print("; ".join(filter(None, [text, worth(rate, tested_on(model)), *pages_said])))
    names = [short(picture.file) for picture in (left, right)]
    verdict = {"similarity": similarity, "same": same, "threshold": model.threshold, "warning": doubt or None}
    verdict |= {"verdict": proof.verdict} if proof else {}
    verdict |= {"different_as_alike": rate} if rate is not None else {}
    reasons = None
    if options.why:
        from tasks.similarity import figures as sheets, why  # and with it matplotlib

        reasons = why.explain(model.compare, model.shape, left.shown, right.shown)
        print(why.in_words(reasons, None if proof and proof.verdict == CHANGED else same))
    if options.figure and reasons:
        sheets.reasons(left.shown, right.shown, reasons, text, "why.png", not options.json, names)
    elif options.figure:
        shown = framed((left, right), proof) if proof else (left.shown, right.shown)
        figures.compared(*shown, text + (key_of(proof) if proof else ""), "predict.png", not options.json, names)
    numbers = {"why": why.as_numbers(reasons, [pixels_of(left), pixels_of(right)])} if reasons else {}
    numbers |= ({"proof": proof.as_numbers()} if proof else {}) | ({"pages": looked} if looked else {})
    write_answer(options, [{"left": left.file, "right": right.file, **verdict}], verdict | numbers)


def framed(pictures: Sequence[Picture], proof: Proof) -> list[np.ndarray]:
    """Both pictures as they are shown, with red frames around the places that differ, and a blue one around what the
    other one shows."""
    drawn, boxes_of_both = [], ([place.a for place in proof.places], [place.b for place in proof.places])
    for picture, size, boxes, part in zip(pictures, proof.sizes, boxes_of_both, proof.parts(), strict=True):
        shown = Image.fromarray(picture.shown)
        ratio, pen = np.divide(shown.size, size), ImageDraw.Draw(shown)
        if part is not None:
            pen.polygon([tuple(corner) for corner in part * ratio], outline=PART, width=2)
        for box in boxes:
            (left, top), (right, bottom) = np.reshape(box, (2, 2)) * ratio
            pen.rectangle((left - 2, top - 2, right + 1, bottom + 1), outline=FRAME, width=2)
        drawn.append(np.array(shown))
    return drawn


def key_of(proof: Proof) -> str:
    """What the frames of `framed` mean, after a line; "" where there are none."""
    red = ". Red frames: what differs" if proof.places else ""
    blue = ". Blue frame: what the other one shows" if any(part is not None for part in proof.parts()) else ""
    return red + blue


def pixels_of(picture: Picture) -> tuple[int, int]:
    """Width and height of a picture's file as it is shown: a camera may have written it lying on its side."""
    width, height = size_of(picture.file)
    lying = (width > height) != (picture.shown.shape[1] > picture.shown.shape[0])
    return (height, width) if lying else (width, height)


def ask_for_picture(prompt: str) -> Picture | None:
    """A picture, asked for until it can be read; None at an empty line or the end of input."""
    while True:
        try:
            name = input(prompt).strip().strip("'\"")
            return show(name) if name else None
        except EOFError:
            print()
            return None
        except RuntimeError as error:  # Python's where the standard input is closed
            raise ValueError("the standard input is closed, so nothing can be asked: pass two pictures, python "
                             "predict.py a.png b.png") from error
        except ValueError as error:
            print(f"{error}; try again, or press Enter to stop")
