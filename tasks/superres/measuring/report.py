"""Photos that are made small, enlarged again by a network and by interpolation, and compared with what they were."""

import os
from collections.abc import Callable, Sequence

import numpy as np

from nets.models.superres import Enlarger
from tasks.superres.data.pairs import Pair
from tasks.superres.data.resizing import divisible, lanczos, larger, smaller
from tasks.superres.measuring.luma import scores
from tasks.superres.tiles import enlarged
from utils.data.images import read_photo
from utils.saying import shown

WAYS = {"bicubic": larger, "lanczos": lanczos}  # what a network is compared with


def both(pair: Pair, scale: int) -> tuple[np.ndarray, np.ndarray]:
    """The small photo of a pair, which is made where there is none, and the large one that it should become: uint8."""
    large = divisible(read_photo(pair.large), scale)
    return (read_photo(pair.small) if pair.small else smaller(large, scale)), large


def measured(
    network: Enlarger | None, pairs: Sequence[Pair], scale: int, quality: Callable[[np.ndarray], float] | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[dict]:
    """A row for each photo: psnr and ssim of the network, and with bicubic_ and lanczos_ before the name.

    Args:
        network: None: only the other ways.
        quality: photo -> its score, a further figure of each way and of the original; None: not asked for.
    """
    rows = []
    for done, pair in enumerate(pairs, start=1):
        small, large = both(pair, scale)
        made = {"": enlarged(network, small)} if network else {}
        made |= {f"{name}_": way(small, scale) for name, way in WAYS.items()}
        row = {"file": pair.large, "width": large.shape[1], "height": large.shape[0]}
        for name, photo in made.items():
            row |= {f"{name}{figure}": value for figure, value in scores(photo, large, scale).items()}
        if quality:
            row |= {f"{name}quality": quality(photo) for name, photo in (made | {"original_": large}).items()}
        rows.append(row)
        progress(done, len(pairs))
    return rows


def means(rows: Sequence[dict]) -> dict[str, float]:
    """The mean over photos of each figure; photos too small for SSIM do not count for it."""
    figures = [name for name in rows[0] if name not in ("file", "width", "height")]
    return {name: float(np.nanmean([row[name] for row in rows])) for name in figures}


def table(rows: Sequence[dict], mean: dict) -> list[str]:
    """Each photo and the means in lines: PSNR in dB and SSIM of all ways, and scores of quality where there are any."""
    ways = {"": "model", "bicubic_": "bicubic", "lanczos_": "lanczos"}
    own = [way for way in ways if f"{way}psnr" in mean]
    scored = [way for way in (*own, "original_") if f"{way}quality" in mean]
    names = ways | {"original_": "original"}
    lines = [f"{'':28}" + "".join(f"{f'{names[way]}: PSNR':>15} {'SSIM':>6}" for way in own)
             + "".join(f"{f'{names[way]}: quality':>19}" for way in scored)]
    for row in [*rows, {"file": "mean"} | mean]:
        near = (f"{row[f'{way}psnr']:15.2f} {row[f'{way}ssim']:6.4f}" for way in own)
        lines.append("".join([f"{short(row['file']):28}", *near, *(f"{row[f'{way}quality']:19.2f}" for way in scored)]))
    return lines


def short(path: str, most: int = 28) -> str:
    """The name of a file as a terminal may show it, cut at its beginning."""
    return shown(os.path.basename(path))[-most:]


class Held:
    """Small photos and their originals, kept in memory, to measure a network after each epoch.

    Attributes:
        bicubic: PSNR on luma of bicubic interpolation, the mean over photos, in dB.
    """

    def __init__(self, pairs: Sequence[Pair], scale: int):
        self.photos, self.scale = [both(pair, scale) for pair in pairs], scale
        self.bicubic = self.mean(lambda small: larger(small, scale))

    def psnr(self, network: Enlarger) -> float:
        """PSNR on luma of a network, the mean over photos, in dB."""
        return self.mean(lambda small: enlarged(network, small))

    def mean(self, way: Callable[[np.ndarray], np.ndarray]) -> float:
        """The mean PSNR of a way to enlarge."""
        return float(np.mean([scores(way(small), large, self.scale)["psnr"] for small, large in self.photos]))
