"""The data.yaml of tools that write YOLO's boxes, read without a library: keys, texts, lists and rows of key: value."""

import json
import re

from utils.data.files import reading

QUOTED = r""""(?:[^"\\]|\\.)*"|'(?:[^']|'')*'"""
BEGIN = r"(?<![^\s:,\[{-])"  # a quote within a word, as in driver's, opens nothing
KEY = re.compile(rf"({QUOTED}|[^\s'\"#\[\]{{}},-][^:]*?)\s*:(?:\s+(.*))?$")
COMMENT = re.compile(rf"{BEGIN}(?:{QUOTED})|(?:^|\s)#")
ITEM = re.compile(rf"(?:{BEGIN}(?:{QUOTED})|[^,])+")


def read_yaml(path: str) -> dict[str, str | list[str] | dict[str, str]]:
    """What stands under each key at the left edge: a text, a list of texts, or texts by their keys.

    Read here are `key: text`, `key: [a, 'b']`, `key: {0: a}`, and below `key:` a line `- a` or `0: a` for each; what
    lies deeper is not read. ValueError where the file cannot be read, or a bracket does not end.
    """
    made: dict = {}
    with reading(path, "the YAML of a data set"):
        with open(path, encoding="utf-8-sig") as file:
            lines = [bare for line in file if (bare := without_comment(line.rstrip())).strip()]
        blocks: list[tuple[str, list[str]]] = []
        for line in lines:
            if (match := KEY.match(line)) and not line[0].isspace():
                blocks.append((scalar(match.group(1)), [match.group(2) or ""]))
            elif blocks:
                blocks[-1][1].append(line)
        for key, (first, *below) in blocks:
            made[key] = inline(" ".join([first, *map(str.strip, below)]).strip()) if first.strip() else block(below)
    return made


def without_comment(line: str) -> str:
    """A line up to its comment."""
    start = next((each.start() for each in COMMENT.finditer(line) if each.group().endswith("#")
                  and each.group().strip() == "#"), len(line))
    return line[:start].rstrip()


def inline(text: str) -> str | list[str] | dict[str, str]:
    """What stands behind a key, on its line or on several."""
    if text[0] not in "[{":
        return scalar(text)
    close = "]" if text[0] == "[" else "}"
    if close not in text:
        raise ValueError(f"{text[:40]!r} has no {close}")
    items = [bare for each in ITEM.findall(text[1 : text.rindex(close)]) if (bare := each.strip())]
    return [scalar(each) for each in items] if text[0] == "[" else pairs(items)


def block(lines: list[str]) -> list[str] | dict[str, str]:
    """What stands in the lines below a key."""
    lines = [line for line in lines if len(line) - len(line.lstrip()) == len(lines[0]) - len(lines[0].lstrip())]
    if lines and lines[0].lstrip()[0] == "-":
        return [scalar(line.lstrip()[1:]) for line in lines if line.lstrip()[0] == "-"]
    return pairs([line.strip() for line in lines])


def pairs(rows: list[str]) -> dict[str, str]:
    """Texts by their keys, of rows of `key: text`; other rows are not read."""
    matches = [match for row in rows if (match := KEY.match(row))]
    return {scalar(match.group(1)): scalar(match.group(2) or "") for match in matches}


def scalar(text: str) -> str:
    """A text without its quotes."""
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    if len(text) > 1 and text[0] == text[-1] == '"':
        try:
            return str(json.loads(text))
        except ValueError:  # escapes of YAML that JSON has not
            return text[1:-1]
    return text
