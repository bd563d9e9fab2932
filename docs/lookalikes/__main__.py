"""Draws all kinds: python -m docs.lookalikes FOLDER [--each=12] [--seed=0] writes FOLDER/<kind>/NN.png."""

import argparse
from pathlib import Path

from docs.lookalikes import KINDS, draw


def main() -> None:
    """Draws `each` pictures of every kind."""
    parser = argparse.ArgumentParser(prog="python -m docs.lookalikes", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--each", type=int, default=12, help="pictures of each kind")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    for kind in KINDS:
        folder = flags.folder / kind
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(flags.each):
            draw(kind, flags.seed, number).save(folder / f"{number:02d}.png")
        print(f"{flags.each} of {kind}", flush=True)


if __name__ == "__main__":
    main()
