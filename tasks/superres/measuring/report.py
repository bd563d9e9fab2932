"""Photos that are made small, enlarged again by a network and by interpolation, and compared with what they were."""

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from nets.models.superres import Enlarger
from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, lanczos, larger, smaller
from tasks.superres.measuring.luma import scores
from tasks.superres.tiles import enlarged
from utils.data.images import read_photo
from utils.saying import counted, shown

WAYS = {"bicubic": larger, "lanczos": lanczos}  # what a network is compared with
FURTHER = {"quality": 2, "distance": 4}  # what judges say, and with how many decimals it is told


def both(pair: Pair, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """The small photo of a pair, which is made where there is none, and the large one that it should become: uint8."""
    large = divisible(read_photo(pair.large), scale)
    return (read_photo(pair.small) if pair.small else smaller(large, scale)), large


def measured(
    network: Enlarger | None, pairs: Sequence[Pair], scale: int,
    judges: Mapping[str, Callable[[np.ndarray, np.ndarray], float]] = MappingProxyType({}),
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[dict]:
    """A row for each photo: psnr and ssim of the network, and with bicubic_ and lanczos_ before the name.

    Args:
        network: None: only the other ways.
        judges: name -> a function of a photo and its original, a further figure of each way and, for "quality", of the
            original.
    """
    rows = []
    for done, pair in enumerate(pairs, start=1):
        small, large = both(pair, scale)
        made = {"": enlarged(network, small)} if network else {}
        made |= {f"{name}_": way(small, scale) for name, way in WAYS.items()}
        row = {"file": pair.large, "width": large.shape[1], "height": large.shape[0]}
        for name, photo in made.items():
            row |= {f"{name}{figure}": value for figure, value in scores(photo, large, scale).items()}
        for figure, judge in judges.items():
            judged = made | ({"original_": large} if figure == "quality" else {})
            row |= {f"{name}{figure}": judge(photo, large) for name, photo in judged.items()}
        rows.append(row)
        progress(done, len(pairs))
    return rows


def means(rows: Sequence[dict]) -> dict[str, float]:
    """The mean over photos of each figure. Photos too small for SSIM do not count for it. Photos that bicubic
    interpolation makes without error, such as those of one colour, do not count for PSNR, unless all are such."""
    figures = [name for name in rows[0] if name not in ("file", "width", "height")]
    telling = [row for row in rows if np.isfinite(row.get("bicubic_psnr", 0))] or rows
    return {name: float(np.nanmean([row[name] for row in (telling if name.endswith("psnr") else rows)]))
            for name in figures}


def table(rows: Sequence[dict], mean: dict) -> list[str]:
    """Each photo and the means in lines: PSNR in dB and SSIM of all ways, and what judges say where there are any."""
    ways = {"": "model", "bicubic_": "bicubic", "lanczos_": "lanczos"}
    own = [way for way in ways if f"{way}psnr" in mean]
    scored = [(way, figure) for figure in FURTHER for way in (*own, "original_") if f"{way}{figure}" in mean]
    names = ways | {"original_": "original"}
    lines = [f"{'':28}" + "".join(f"{f'{names[way]}: PSNR':>15} {'SSIM':>6}" for way in own)
             + "".join(f"{f'{names[way]}: {figure}':>19}" for way, figure in scored)]
    for row in [*rows, {"file": "mean"} | mean]:
        near = (f"{row[f'{way}psnr']:15.2f} {row[f'{way}ssim']:6.4f}" for way in own)
        judged = (f"{row[f'{way}{figure}']:19.{FURTHER[figure]}f}" for way, figure in scored)
        lines.append("".join([f"{short(row['file']):28}", *near, *judged]))
    exact = sum(not np.isfinite(row["bicubic_psnr"]) for row in rows)
    return lines + ([f"the mean PSNR leaves out {counted(exact, 'photo')}, such as one of one colour, that bicubic "
                     "interpolation makes without error"] if exact else [])


def short(path: str, most: int = 28) -> str:
    """The name of a file as a terminal may show it, cut at its beginning."""
    return shown(os.path.basename(path))[-most:]


class Held:
    """Small photos and their originals, kept in memory, to measure a network after each epoch.

    Attributes:
        bicubic: PSNR on luma of bicubic interpolation, the mean over photos, in dB.
    """

    def __init__(self, pairs: Sequence[Pair], scale: int):
        photos, self.scale = [both(pair, scale) for pair in pairs], scale
        # what bicubic interpolation makes without error has no finite PSNR, see `means`
        self.photos = [(small, large) for small, large in photos
                       if np.isfinite(scores(larger(small, scale), large, scale)["psnr"])] or photos
        self.bicubic = self.mean(lambda small: larger(small, scale))

    def psnr(self, network: Enlarger) -> float:
        """PSNR on luma of a network, the mean over photos, in dB."""
        return self.mean(lambda small: enlarged(network, small))

    def mean(self, way: Callable[[np.ndarray], np.ndarray]) -> float:
        """The mean PSNR of a way to enlarge."""
        return float(np.mean([scores(way(small), large, self.scale)["psnr"] for small, large in self.photos]))
