"""Files that hold several pages or frames: which of them is looked at, and that it is said."""

import os
from collections.abc import Callable

from PIL import Image

from utils.data.formats.kinds import Refused
from utils.saying import say_some, shown

PAGE = "PICTURE_PAGE"  # the environment variable with the value of --page, so that worker processes know it too
ONE = {"MPO", "PSD"}  # their first frame is the picture, the others are previews or layers
FRAMES = {"GIF", "PNG", "WEBP", "AVIF", "FLI"}  # of animations; those of others are pages
MOST = 1000  # files in `LOOKED`
LOOKED: dict[str, str] = {}  # of files with several: which was looked at, such as "page 1 of 3"


def set_page(number: int) -> None:
    """Makes every reader look at this page, from 1 on, of files that hold several."""
    os.environ[PAGE] = str(number)


def page() -> int:
    """The page that is looked at."""
    return int(os.environ.get(PAGE) or 1)


def opened_at(opens: Callable[[], Image.Image], name: str) -> Image.Image:
    """A file at the page that is looked at; says which it is where there are several.

    Args:
        opens: opens the file; called again where a damaged further page left it unusable.
        name: what the file is called.

    Raises:
        ValueError: the file holds several pages, but not as many.
    """
    file = opens()
    if file.format in ONE or not hasattr(file, "n_frames"):
        return file
    try:
        count = file.n_frames
    except Exception:  # a damaged further page; Pillow raises a dozen kinds
        file.close()
        return opens()
    if count < 2:
        return file
    kind = "frame" if file.format in FRAMES else "page"
    if page() > count:
        raise Refused(f"{count} {kind}s, expected {page()} or more: pass --page={count} or a lower number")
    file.seek(page() - 1)
    if len(LOOKED) >= MOST:  # a page in the browser runs for weeks
        LOOKED.clear()
    LOOKED[name] = f"{kind} {page()} of {count}"
    say_some("files hold several pages or frames, of which one was looked at",
             f"{shown(name)}: {LOOKED[name]} was looked at; --page=N looks at another")
    return file
