"""Pictures that an embedding takes for one another: one layout, other contents.

    python -m docs.lookalikes FOLDER [--each=12] [--seed=0]

Chats, forms, receipts, cards, icons, maps: real collections are full of pictures that differ in what is written on them
and in nothing else. Every kind here draws such pictures, each of them unique. `draw("chat", seed, number)` is one of
them; numbers 0 to 5 share a layout, 6 to 11 the next. `docs.lookalikes.changed` draws one twice, with one thing
different.
"""

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

import numpy as np
from PIL import Image

from docs.lookalikes.kinds import boards, cards, desks, fields, marks, papers, screens
from docs.lookalikes.scene import Scene


class Kind(NamedTuple):
    """One kind of picture; called with (rng, number), it draws one."""

    scene: Callable[[np.random.Generator, int], Scene]

    def __call__(self, rng: np.random.Generator, number: int) -> Image.Image:
        return self.scene(rng, number).picture()


KINDS = {
    "chat": Kind(screens.chat),
    "code": Kind(desks.code),
    "settings": Kind(screens.settings),
    "web": Kind(desks.web),
    "spreadsheet": Kind(desks.spreadsheet),
    "slide": Kind(desks.slide),
    "form": Kind(papers.form),
    "letter": Kind(papers.letter),
    "receipt": Kind(papers.receipt),
    "signature": Kind(cards.signature),
    "card": Kind(cards.card),
    "blank": Kind(papers.blank),
    "music": Kind(papers.music),
    "logo": Kind(marks.logo),
    "icon": Kind(marks.icon),
    "word": Kind(marks.word),
    "wallpaper": Kind(marks.wallpaper),
    "plain": Kind(marks.plain),
    "gradient": Kind(marks.gradient),
    "barcode": Kind(boards.barcode),
    "qr": Kind(boards.qr),
    "chess": Kind(boards.chess),
    "chart": Kind(boards.chart),
    "map": Kind(boards.town_map),
    "thermal": Kind(fields.thermal),
    "satellite": Kind(fields.satellite),
    "microscope": Kind(fields.microscope),
    "fingerprint": Kind(fields.fingerprint),
}


def scene(kind: str, seed: int, number: int) -> Scene:
    """What is on picture `number` of a kind."""
    return KINDS[kind].scene(np.random.default_rng([crc32(kind.encode()), seed, number]), number)


def draw(kind: str, seed: int, number: int) -> Image.Image:
    """Picture `number` of a kind."""
    return scene(kind, seed, number).picture()
