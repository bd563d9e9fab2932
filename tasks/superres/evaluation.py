"""How near do larger photos come to their originals: PSNR and SSIM on luma, beside bicubic and Lanczos."""

import os
from collections.abc import Sequence

from nets.models import superres
from tasks.models import load_model
from tasks.perceptual.measuring import comparators
from tasks.perceptual.measuring.measure import Measure
from tasks.quality.model import ready_score
from tasks.superres import figures
from tasks.superres.data.pairs import Pair, large_photos, paired
from tasks.superres.measuring import report
from tasks.superres.tiles import enlarged
from utils.data import photos
from utils.data.files import evenly
from utils.run import folder as runs
from utils.run.console import progress_bar
from utils.saying import counted, shown

LEAST = 16  # pixels a side of a small photo that is measured
SHOWN = 4  # photos at most on the figure
TABLE, FIGURE, MEANS = "superres.csv", "superres.png", "superres.json"
HELD_OUT = "the photos that the run held out"


def evaluate(options, path: str) -> dict:
    """PSNR and SSIM of the photos of --dataset_path, or of those that the run held out, and their means."""
    if options.scale and options.model:
        raise ValueError(f"--scale={options.scale} measures bicubic interpolation alone: leave it out to measure "
                         f"--model={options.model}")
    network = opened(path, options.ensemble) if path else None
    scale = network.scale if network else options.scale
    root, pairs = test_pairs(options, path, scale)
    folder = runs.report_folder(options.out, path)
    said = f"model {path}" if path else "no model"
    print(f"{said}, {scale} times larger; {counted(len(pairs), 'photo')}: {shown(root)}")
    rows = report.measured(network, pairs, scale, judges() if options.quality_too else {}, progress_bar("photo"))
    result = {"data": root, "scale": scale, "ensemble": options.ensemble, "photos": len(rows), **report.means(rows)}
    print("\n".join(report.table(rows, result)))
    runs.write_table(folder, TABLE, rows)
    runs.write_json(folder, runs.EVALUATION if root == HELD_OUT else MEANS, result)
    if network:
        draw(folder, network, evenly(pairs, SHOWN), scale)
    print(f"tables and figures are in {folder}/")
    return result | {"each": rows}


def opened(path: str, ensemble: bool) -> superres.Enlarger:
    """The network in a .keras file, or the mean of what it makes of eight positions."""
    network = superres.enlarger(load_model(path, superres.KIND))
    return network._replace(enlarge=superres.in_eight_positions(network.enlarge)) if ensemble else network


def judges() -> dict:
    """The score of the ready model of quality, and the perceptual distance to the original."""
    return {"quality": lambda photo, original: ready_score(photo), "distance": Measure(comparators.made()).distance}


def test_pairs(options, path: str, scale: int) -> tuple[str, list[Pair]]:
    """Where the photos to measure come from, and the photos, without those that the run's split says it trained on.

    Raises:
        ValueError: there are none.
    """
    split = runs.read_split(os.path.dirname(path)) if path else {}
    if options.dataset_path:
        root = os.path.expanduser(options.dataset_path)
        names = large_photos(root, scale)
        names = [names[row] for row in photos.unseen(root, names, split)]
    else:
        root = split.get("root", "")
        held = split.get("test") or split.get("validation") or []
        names = [name for name in held if os.path.isfile(os.path.join(root, name))]
    names = [names[row] for row in photos.usable(root, names, LEAST * scale, options.skip_broken)]
    if not names:
        raise ValueError(f"found no photos in {root or '.'} that the model was not trained on; pass --dataset_path, "
                         "a folder of sharp photos")
    return (root if options.dataset_path else HELD_OUT), paired(root, names, options.lr_path, scale)


def draw(folder: str, network: superres.Enlarger, pairs: Sequence[Pair], scale: int) -> None:
    """Writes the sheet: where there is most detail, by bicubic interpolation, by the network, and as it was."""
    rows = []
    for pair in pairs:
        small, large = report.both(pair, scale)
        place = figures.busiest(small)
        inside = figures.part_of(place, scale)
        made = [report.WAYS["bicubic"](small, scale), enlarged(network, small), large]
        rows.append((pair.large, [photo[inside] for photo in made]))
    figures.sheet(rows, ["bicubic", "this model", "original"], os.path.join(folder, FIGURE), f"{scale} times larger")
