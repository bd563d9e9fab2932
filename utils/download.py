"""Fetches public data sets into datasets/.

    python -m utils.download omniglot
    python -m utils.download omniglot --mirror=/media/usb/omniglot
    python -m utils.download bsds500                                  500 photographs, to rank
"""

import hashlib
import os
import tempfile
import urllib.request
from pathlib import Path

from absl import app, flags

from utils import archives
from utils.data.files import save_aside
from utils.flags import group

FLAGS = flags.FLAGS
with group("Where from, where to"):
    flags.DEFINE_string("mirror", "", "Folder or URL that holds the archives, instead of their public address. "
                                      "Checksums are not verified, because a mirror may have packed them again")
    flags.DEFINE_string("to", "datasets", "Folder to unpack them in")

OMNIGLOT = "https://github.com/brendenlake/omniglot/raw/master/python/"
# archive -> md5, and the characters that must lie in it
ARCHIVES = {
    "images_background": ("68d2efa1b9178cc56df9314c21c6e718", 964),
    "images_evaluation": ("6b91aef0f799c5bb55b94e3f2daec811", 659),
}
RUNS = "all_runs.zip"
BERKELEY = "https://www2.eecs.berkeley.edu/Research/Projects/CS/vision/grouping/BSR"
PHOTOS, WHERE = "BSR_bsds500.tgz", "BSR/BSDS500/data/images/"  # the archive, and the folder in it
PARTS = {"train": 200, "val": 100, "test": 200}


def omniglot(to: str, mirror: str = "") -> None:
    """Fetches and unpacks Omniglot's two image archives, and fetches `all_runs.zip`, into `to`.

    Raises:
        ValueError: an archive cannot be fetched, or does not hold what it should.
    """
    from utils.metrics.one_shot import called

    os.makedirs(to, exist_ok=True)
    for name, (md5, characters) in ARCHIVES.items():
        if count_characters(os.path.join(to, name)) == characters:
            print(f"{to}/{name} is there already")
            continue
        archives.check_free(os.path.join(to, name))
        archive = fetch(f"{name}.zip", to, mirror or OMNIGLOT, None if mirror else md5)
        with archives.unpacked(archive, name, os.path.join(to, name), f"Omniglot's {name}.zip") as folder:
            count = count_characters(folder)
            if count != characters:
                raise ValueError(f"{archive}: found {count} characters, expected {characters}; delete it and try again")
        if os.path.abspath(archive) != os.path.abspath(os.path.join(mirror, f"{name}.zip")):
            os.remove(archive)
        print(f"{to}/{name}: {characters} characters")
    runs = one_shot_runs(to, mirror or OMNIGLOT + "one-shot-classification")
    print(f"{to}/{RUNS}: one-shot, {called(runs)}\nnext: python train.py")


def one_shot_runs(to: str, base: str) -> int:
    """Fetches `all_runs.zip` into `to`, unless it is there, and returns how many runs it holds; half of an earlier
    download is replaced once a whole one is there."""
    from utils.metrics.one_shot import check_runs

    path = os.path.join(to, RUNS)
    try:
        return check_runs(path)
    except ValueError:
        pass
    with tempfile.TemporaryDirectory(prefix=".fetched-", dir=to) as aside:
        fetched = fetch(RUNS, aside, base, None)
        try:
            count = check_runs(fetched)
        except ValueError as error:
            raise ValueError(str(error).replace(fetched, f"{base}/{RUNS}")) from None
        os.replace(fetched, path)
    return count


def bsds500(to: str, mirror: str = "") -> None:
    """Fetches the Berkeley segmentation data set and unpacks its photographs into `to`/bsds500/train, val, test.

    Raises:
        ValueError: the archive cannot be fetched, or does not hold 500 photographs.
    """
    root = os.path.join(to, "bsds500")
    if count_photos(root) == PARTS:
        print(f"{root} is there already")
        return
    os.makedirs(to, exist_ok=True)
    archives.check_free(root)
    archive = fetch(PHOTOS, to, mirror or BERKELEY, None)
    with archives.unpacked(archive, WHERE, root, f"the archive {PHOTOS} of BSDS500", ".jpg") as folder:
        counts = count_photos(folder)
        if counts != PARTS:
            raise ValueError(f"{archive}: found {counts} photographs, expected {PARTS}; delete it and try again")
    print(f"{root}: 500 photographs\nnext: python train.py --flagfile=presets/rank_live.flags")


def count_photos(root: str) -> dict[str, int]:
    """JPEG files in each of the folders train, val and test of `root`."""
    return {part: len(list(Path(root, part).glob("*.jpg"))) for part in PARTS}


def fetch(name: str, to: str, base: str, md5: str | None) -> str:
    """Fetches `base`/`name` into the folder `to`, unless it is there already, and returns its path."""
    from utils.run.console import progress_bar

    local = os.path.join(base, name)
    if "://" not in base and not os.path.isfile(local):
        raise ValueError(f"--mirror={base}: found no {name} in this folder")
    origin = f"{base.rstrip('/')}/{name}" if "://" in base else Path(local).resolve().as_uri()
    path, bar = os.path.join(os.path.abspath(to), name), progress_bar("kilobyte")

    def save(aside: str) -> None:
        urllib.request.urlretrieve(origin, aside, lambda blocks, size, of: bar(min(blocks * size, of) // 1000,
                                                                               of // 1000) if of > 0 else None)
        if not same_sum(aside, md5):
            raise ValueError(f"its md5 sum is not {md5}")

    try:
        if not (os.path.isfile(path) and same_sum(path, md5)):
            save_aside(save, path)
        return path
    except Exception as error:
        raise ValueError(
            f"could not fetch {origin} ({str(error)[:80]}); pass --mirror with a folder that holds {name}"
        ) from None


def same_sum(path: str, md5: str | None) -> bool:
    """Whether a file has this md5 sum; where None is expected, any will do."""
    with open(path, "rb") as file:
        return md5 in (None, hashlib.file_digest(file, "md5").hexdigest())


def count_characters(folder: str) -> int:
    """Folders two levels below `folder`: <alphabet>/<character>."""
    return sum(
        len([entry for entry in os.scandir(alphabet) if entry.is_dir()])
        for alphabet in (os.scandir(folder) if os.path.isdir(folder) else ())
        if alphabet.is_dir()
    )


def main(argv: list[str]) -> None:
    """Fetches the data set that the command line names."""
    sets = {"omniglot": omniglot, "bsds500": bsds500}
    if len(argv) != 2 or argv[1] not in sets:
        raise app.UsageError(f"received {argv[1:]}, expected a data set: {' or '.join(sets)}")
    sets[argv[1]](FLAGS.to, FLAGS.mirror)


if __name__ == "__main__":
    from utils.run import startup

    startup.run(main)
