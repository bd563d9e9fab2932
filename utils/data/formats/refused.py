"""Why Pillow takes a file for no picture, in the words of the format whose mark the file bears."""

import contextlib
import os
import struct
from collections.abc import Callable, Sequence

from PIL import Image

NONE = "not an image that Pillow can read"


def why_not(path, formats: Sequence[str]) -> str:
    """What is wrong with a file that no format takes, such as "broken PNG image (bad header checksum in tEXt)": Pillow
    itself forgets what the format said.

    Args:
        path: of a file; of anything else nothing more is known.
        formats: that are read, by Pillow's names.
    """
    if not isinstance(path, (str, os.PathLike)):
        return NONE
    with contextlib.suppress(OSError), open(path, "rb") as file:
        begin = file.read(16)
        for kind in formats:
            make, accepts = Image.OPEN[kind]
            if not bears_mark(accepts, begin):
                continue
            file.seek(0)
            try:
                make(file, path)
            except Exception as error:  # Pillow's decoders raise a dozen kinds
                text = " ".join(str(error).replace("b'", "").replace("'", "").rstrip(".").split())[:120]
                return f"broken {kind} image ({text or type(error).__name__}): save it again from its source"
    return NONE


def bears_mark(accepts: Callable[[bytes], bool | str] | None, begin: bytes) -> bool:
    """Whether a file that begins so bears the mark that a format of Pillow looks for; one too short for it does not."""
    try:
        return bool(accepts) and accepts(begin) is True
    except (struct.error, IndexError):
        return False
