"""Composes docs/answers.jpg, the picture at the top of the README, from what predict.py answers on pictures made here:

    python -m docs.answers

Letters of writing systems that the ready model never saw (utils.glyphs), and the photo china.jpg of scikit-learn
with more and more blur (utils.distortions). It takes about a minute and a half on two cores.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps
from sklearn import datasets

from utils.glyphs import font_path

ROOT = Path(__file__).parents[1]
WIDTH, EDGE, TEXT = 1400, 28, 330  # pixels: the page, its margin, the column of questions
GOOD, BAD, INK, GREY, LINE = "#1a7f37", "#b3261e", "#1f2328", "#59636e", "#d0d7de"

FIRST, ALIKE, OTHER = "Armenian/character03/01.png", "Armenian/character03/06.png", "Armenian/character08/06.png"
QUERY = "Armenian/character11/02.png"


def main() -> None:
    """Makes the pictures in a temporary folder, asks predict.py about them and writes docs/answers.jpg."""
    with tempfile.TemporaryDirectory() as made:
        run("-m", "utils.glyphs", f"{made}/letters")
        letters = f"{made}/letters/images_evaluation"
        photo = Path(datasets.__file__).parent / "images" / "china.jpg"
        run("-m", "utils.distortions", str(photo), f"--out={made}/worse", "--distortions=live")
        rows = [pairs(letters), search(letters, made), scale(f"{made}/worse")]
    heights = [row.height for row in rows]
    page = Image.new("RGB", (WIDTH, sum(heights) + 2 * EDGE + 2 * (2 * EDGE)), "white")
    top = EDGE
    for row in rows:
        page.paste(row, (0, top))
        top += row.height + EDGE
        if row is not rows[-1]:
            ImageDraw.Draw(page).line((EDGE, top, WIDTH - EDGE, top), LINE, 2)
            top += EDGE
    page.save(ROOT / "docs" / "answers.jpg", quality=88)


def pairs(letters: str) -> Image.Image:
    """Two drawings of one letter, and drawings of two letters."""
    row = question("Are these two\nthe same thing?", "predict.py a.png b.png", 230)
    for number, other in enumerate((ALIKE, OTHER)):
        answer = ask(f"{letters}/{FIRST}", f"{letters}/{other}")
        left = TEXT + EDGE + number * 590
        for column, name in enumerate((FIRST, other)):
            show(row, f"{letters}/{name}", left + column * 205, (190, 190))
        write(row, f"{'same' if answer['same'] else 'different'}, similarity {answer['similarity']:.3f}",
              (left + 197, 200), GOOD if answer["same"] else BAD)
    return row


def search(letters: str, made: str) -> Image.Image:
    """The letters of a folder that are most like one that is not in it."""
    query = shutil.move(f"{letters}/{QUERY}", f"{made}/query.png")
    row = question("Which are most\nlike this one?", "predict.py --gallery=FOLDER\n           query.png", 170)
    show(row, query, TEXT + EDGE, (130, 130))
    write(row, "query", (TEXT + EDGE + 65, 140), GREY)
    for index, hit in enumerate(ask(f"--gallery={letters}", query, "--top=6")["results"]):
        left = TEXT + EDGE + 180 + index * 140
        right = os.path.dirname(hit["file"]) == os.path.dirname(QUERY)
        show(row, f"{letters}/{hit['file']}", left, (130, 130), LINE if right else BAD)
        write(row, f"{hit['similarity']:.3f}" + ("" if right else " wrong"), (left + 65, 140), GOOD if right else BAD)
    return row


def scale(worse: str) -> Image.Image:
    """A photo with more and more blur, and its quality."""
    ends = json.loads((ROOT / "model_data" / "rank_live" / "order.json").read_text())["four_fifths"]
    good, bad = (f"{low:.0f} to {high:.0f}" for low, high in (ends["undistorted"], ends["most_distorted"]))
    row = question("Which one\nlooks better?", f"predict.py --quality FOLDER\n\nundistorted: {good}\n"
                                              f"most distorted: {bad}", 230)
    files = [f"{worse}/{name}" for name in ("pristine.png", *(f"gaussian_blur_{level}.png" for level in (1, 2, 3)))]
    scores = {os.path.basename(row["file"]): row["score"] for row in ask("--quality", *files)["results"]}
    for level, file in enumerate(files):
        left = TEXT + EDGE + level * 256
        show(row, file, left, (246, 190))
        name = "as it was" if not level else f"blur, level {level}"
        write(row, f"{name}: {scores[os.path.basename(file)]:.1f}", (left + 123, 200), INK)
    return row


def run(*command: str) -> str:
    """Runs Python in the project's folder, without figures, and returns what it prints."""
    done = subprocess.run([sys.executable, *command], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-500:]}")
    return done.stdout


def ask(*arguments: str) -> dict:
    """The answer of predict.py, by the ready model of the question."""
    model = "rank_live" if "--quality" in arguments else "omniglot_compact"
    printed = run("predict.py", *arguments, f"--model=model_data/{model}", "--nofigure", "--json")
    return json.loads(printed.splitlines()[-1])


def question(text: str, command: str, height: int) -> Image.Image:
    """An empty row with its question and the command that answers it."""
    row = Image.new("RGB", (WIDTH, height), "white")
    draw = ImageDraw.Draw(row)
    draw.multiline_text((EDGE, 20), text, INK, ImageFont.truetype(font_path("DejaVuSans-Bold"), 30), spacing=8)
    draw.multiline_text((EDGE, 112), command, GREY, ImageFont.truetype(font_path("DejaVuSansMono"), 18), spacing=6)
    return row


def show(row: Image.Image, file: str, left: int, size: tuple[int, int], edge: str = LINE) -> None:
    """Puts a picture, cut to `size`, into a row, with a line around it."""
    with Image.open(file) as image:
        row.paste(ImageOps.fit(image.convert("RGB"), size, Image.Resampling.LANCZOS), (left, 0))
    ImageDraw.Draw(row).rectangle((left, 0, left + size[0] - 1, size[1] - 1), outline=edge, width=2)


def write(row: Image.Image, text: str, position: tuple[int, int], colour: str) -> None:
    """Writes below a picture; `position` is the middle of the text's upper edge."""
    ImageDraw.Draw(row).text(position, text, colour, ImageFont.truetype(font_path("DejaVuSans"), 21), anchor="ma")


if __name__ == "__main__":
    main()
