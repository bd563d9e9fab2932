"""Composes docs/answers.jpg, the picture at the top of the README, from what predict.py answers about docs/samples:

    python -m docs.answers

Every word and every frame comes from an answer of the ready models; the answers lie in the picture's comment, as JSON.
It takes about a minute on two cores.
"""

import base64
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from docs import samples
from docs.answers_page import CELLS, COPIED, DETAIL, ROOT, Facts, bicubic, changed_copies, opened, page, sample
from tasks.copies import measure
from tasks.detection.boxes.geometry import overlap
from utils.metrics.pictures import luma

TARGET = ROOT / "docs" / "answers.jpg"
RIGHT = 0.4  # IoU from which on a box is that of a sign, as docs/samples/README.md counts


def run(*arguments: str) -> list[str]:
    """The lines that predict.py prints for these arguments in the project's folder, without a figure.

    Raises:
        RuntimeError: it fails; its last words.
    """
    done = subprocess.run([sys.executable, "predict.py", *arguments, "--nofigure"], cwd=ROOT, capture_output=True,
                          text=True)
    if done.returncode:
        raise RuntimeError(f"predict.py {' '.join(arguments)}: {done.stderr[-500:]}")
    return done.stdout.splitlines()


def ask(*arguments: str) -> tuple[Facts, list[str]]:
    """What predict.py --json answers, and the lines that it says."""
    *said, answer = run(*arguments, "--json")
    return json.loads(answer), said


def ask_copy() -> Facts:
    """The proof of a copy: the verdict, the words that are said, and the places that differ in both pictures."""
    answer, said = ask(sample("palace.jpg"), sample("palace_copy.jpg"), "--model=photos")
    return {"verdict": answer["verdict"], "said": re.search(r"\((.*)\)", said[-1])[1],
            "places": answer["proof"]["places"]}


def ask_hash() -> Facts:
    """Of each changed copy what the model says and how many bits of the perceptual hash differ."""
    original, *hashes = measure.by_hash([opened(COPIED), *changed_copies().values()])
    facts: Facts = {"copies": []}
    with tempfile.TemporaryDirectory() as folder:
        for (kind, copy), own in zip(changed_copies().items(), hashes, strict=True):
            copy.save(f"{folder}/copy.png")
            verdict = ask(sample(COPIED), f"{folder}/copy.png", "--model=photos")[0]["verdict"]
            facts["copies"].append({"kind": kind, "verdict": verdict, "bits": round(32 * (1 - float(original @ own)))})
    return facts


def ask_place() -> Facts:
    """The map between two photos of a place, and the words that are said."""
    answer, said = ask("--task=patches", sample("palace.jpg"), sample("palace_place.jpg"), "--model=patches")
    return {"homography": answer["homography"], "said": said[-1]}


def ask_larger() -> Facts:
    """The detail of the enlarged photo, and the PSNR of luma, in dB, beside bicubic interpolation's.

    Both are held against the large photo, which was made as large as they are.
    """
    with tempfile.TemporaryDirectory() as folder:
        run("--task=superres", sample("flower_small.png"), f"--out={folder}", "--model=x2")
        ours = Image.open(f"{folder}/flower_small_x2.png").convert("RGB")
    truth = luma(np.asarray(opened("flower.jpg").resize(ours.size, Image.Resampling.LANCZOS))).astype(float)
    errors = {name: ((luma(np.asarray(picture)) - truth) ** 2).mean()
              for name, picture in (("bicubic", bicubic(ours.size)), ("ours", ours))}
    return {"psnr": {name: 10 * np.log10(255**2 / error) for name, error in errors.items()},
            "detail": as_text(ours.crop(DETAIL))}


def as_text(picture: Image.Image) -> str:
    """A picture as PNG, in letters."""
    file = io.BytesIO()
    picture.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def ask_like() -> Facts:
    """Boxes of what looks like the example, each with its score and whether it is one of the signs that were drawn
    there; and the signs that were missed."""
    answer, said = ask(f"--like={sample('sign.png')}", sample("signs.jpg"), "--model=objects")
    drawn = samples.signs()
    signs = drawn.boxes[drawn.labels == drawn.labels[0]]  # those that were asked for come first
    found = np.array([row["bbox"] for row in answer["results"]]).reshape(-1, 4)
    found[:, 2:] += found[:, :2]  # from sizes to corners
    hits = overlap(found, signs) >= RIGHT
    return {"found": [{"box": box.round(1).tolist(), "score": row["score"], "right": bool(hit.any())}
                      for box, row, hit in zip(found, answer["results"], hits, strict=True)],
            "missed": signs[~hits.any(0)].round(1).tolist(), "signs": len(signs),
            "said": next(re.search(r"\d+ objects?", line)[0] for line in said if "signs.jpg:" in line)}


def ask_quality() -> Facts:
    """The scores of two photos, what is said of each, and the ends of the scale."""
    answer, said = ask("--quality", sample("flower_worse.jpg"), sample("flower.jpg"), "--model=quality")
    ends = json.loads((ROOT / "model_data" / "rank_live" / "order.json").read_text())["four_fifths"]
    scores = {Path(row["file"]).name: row["score"] for row in answer["results"]}
    words = {name: next(re.search(r"\((.*)\)", line)[1] for line in said if f"/{name} " in line) for name in scores}
    return {"ends": ends, "scores": scores, "said": words}


ASK = {"copy": ask_copy, "hash": ask_hash, "place": ask_place, "larger": ask_larger, "like": ask_like,
       "quality": ask_quality}  # for each of CELLS


def main(path: Path = TARGET) -> None:
    """Asks all questions and writes the picture, with the answers in its comment, to `path`."""
    facts = {name: ASK[name]() for name in CELLS}
    page(facts).save(path, quality=78, comment=json.dumps(facts, separators=(",", ":")))


if __name__ == "__main__":
    main()
