"""Fonts that have the letters of a text; names of files may hold anything."""

import contextlib
import functools
import os
import unicodedata

OWN = frozenset(map(chr, range(32, 127))) | {"\u2026"}  # letters that any font has, so matplotlib is not asked
FIRST = ("Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Micro Hei",
         "WenQuanYi Zen Hei", "PingFang SC",
         # fonts of many letters, tried first
         "Hiragino Sans", "Microsoft YaHei", "SimHei", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS")


def short(path: str, most: int = 24) -> str:
    """A file's name and its folder's, as they can be drawn, without their beginning where that is long."""
    name = drawable("/".join(os.path.normpath(path).split(os.sep)[-2:]).replace("\n", "\\n"))
    return name if len(name) <= most else f"\u2026{name[1 - most :]}"


def drawable(text: str) -> str:
    r"""The text with every letter escaped that no font has, or that is no letter: a control character, a byte that is
    no UTF-8.

    >>> drawable("caf\udce9\x1b[31m")
    'caf\\udce9\\x1b[31m'
    """
    return "".join(letter if letter == "\n" or font_with(letter) is not None
                   else letter.encode("unicode_escape").decode() for letter in text)


@functools.cache
def font_with(letter: str) -> str | None:
    """The family of the first font that has a letter: "" for the usual one; None: there is none, or it is no letter."""
    if unicodedata.category(letter)[0] == "C":  # control, format, surrogate, private, unassigned
        return None
    if letter in OWN:
        return ""
    return next((family for family, file in fonts().items() if has(file, letter)), None)


@functools.cache
def fonts() -> dict[str, str]:
    """The files of the installed fonts by family: the usual one as "", then those of many letters, then the others.

    Fonts that come with matplotlib are left out, because they hold signs of formulas, and so are bold and slanted ones.
    """
    import matplotlib
    from matplotlib import font_manager

    files = {font.name: font.fname for font in font_manager.fontManager.ttflist
             if (font.style, font.weight) == ("normal", 400) and not font.fname.startswith(matplotlib.get_data_path())}
    return {"": font_manager.findfont(font_manager.FontProperties())} | {name: files[name] for name in (*FIRST, *files)
                                                                         if name in files}


def file_with(letter: str) -> str:
    """The file of the first font that has a letter; "": Pillow's own font."""
    return "" if letter in OWN else fonts().get(font_with(letter) or "", "")


def has(file: str, letter: str) -> bool:
    """Whether the font in a file can draw a letter."""
    from matplotlib import font_manager

    with contextlib.suppress(OSError, RuntimeError, ValueError):  # a damaged font has nothing
        font = font_manager.get_font(file)
        return font.scalable and font.get_char_index(ord(letter)) > 0
    return False
