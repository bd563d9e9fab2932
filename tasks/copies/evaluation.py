"""How well are copies of photos found that the model never saw? Beside a perceptual hash."""

import os

from tasks import about, choosing
from tasks.copies import report
from utils.data import photos
from utils.data.files import walk
from utils.run import folder as runs


def evaluate(options, path: str) -> dict:
    """Recall of copies by kind of change, and the kept threshold on easy copies, on photos that training did not
    see."""
    compare, shape, runtime = choosing.open_model(path, "copies")
    folder = runs.report_folder(options.out, path)
    print(f"model {path} by {runtime}")
    cuts = runs.read_thresholds(os.path.dirname(path))
    if not cuts or "default" not in cuts:
        raise ValueError(f"{path}: no threshold for copies beside it; expected a run of train.py --task=copies, or "
                         "--model=photos")
    tested = test_photos(options, os.path.dirname(path))
    result = report.write_copies(compare, shape, tested, folder, cuts, options.seed, options.copied,
                                 (about.read(path) or {}).get("left_out", ()))
    print("\n".join(report.in_words(result)))
    print(f"evaluation.json and copies.png are in {folder}/")
    return result


def test_photos(options, run: str) -> list[str]:
    """The photos of --dataset_path, or those that the run held out for its test; without those that training saw."""
    split = runs.read_split(run)
    root = os.path.expanduser(options.dataset_path) or split.get("root", "")
    names = (walk(root)[0] if options.dataset_path
             else [name for name in split.get("test", []) if os.path.isfile(os.path.join(root, name))])
    if split and options.dataset_path:
        names = [names[row] for row in photos.unseen(root, names, split, run)]
    paths = [os.path.join(root, names[row]) for row in photos.usable(root, names, skip_broken=options.skip_broken)]
    if len(paths) < 2:
        raise ValueError(f"found no two photos in {root or '.'} that the model was not trained on; pass "
                         "--dataset_path=FOLDER of photos")
    return paths
