"""Boxes as Pascal VOC's XML: a file for each photo, with corners in pixels."""

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple
from xml.parsers import expat

from tasks.detection.data.formats.parts import WORDS, by_photo
from tasks.detection.data.formats.places import Claim, Places, agreement, settled, several
from tasks.detection.data.samples import Annotations, Damaged, Thing, check_size, number_of
from utils.data.files import reading

LARGEST = 2**24  # bytes of a file of boxes at most
CORNERS = ("xmin", "ymin", "xmax", "ymax")


class File(NamedTuple):
    """An XML file: its path, the photo's folder, name and size (width, height) as it tells them, and of each object its
    name, corners as texts, and whether it is marked as difficult."""

    path: str
    folder: str
    photo: str
    size: tuple
    objects: list[tuple[str, list[str], bool]]


def parsed(path: str) -> ElementTree.Element:
    """The root of an XML file. No entity is expanded and no other file is read: a file that declares entities is
    refused, so that a small file cannot become a large one.

    Raises:
        Damaged: such a file, one that is too large, or one that is no XML.
    """
    if os.path.getsize(path) > LARGEST:
        raise Damaged(f"{os.path.getsize(path):,} bytes, expected an XML file of boxes of at most {LARGEST:,}")
    builder, parser = ElementTree.TreeBuilder(), expat.ParserCreate()

    def refuse(*declared):
        raise Damaged("it declares entities, expected plain XML without them: export it again")

    parser.StartElementHandler, parser.EndElementHandler = builder.start, builder.end
    parser.CharacterDataHandler, parser.EntityDeclHandler = builder.data, refuse
    parser.ExternalEntityRefHandler = refuse
    try:
        with open(path, "rb") as file:
            parser.ParseFile(file)
        return builder.close()
    except (expat.ExpatError, ValueError, AssertionError) as error:
        if isinstance(error, Damaged):
            raise
        raise Damaged(f"no XML ({error}), expected a whole file: export it again") from None


def is_voc(path: str) -> bool:
    """Whether an XML file begins with an annotation, also where it is damaged further on."""
    with open(path, "rb") as file:
        return b"<annotation" in file.read(4096)


def read(root: str, images: Sequence[str], others: Sequence[str]) -> Annotations:
    """The boxes of the XML files below a folder; classes are in the order of the alphabet.

    Tools count differently: the corners of decimals begin at 0, those of whole numbers at 0 or at 1. Where all files
    hold whole numbers, a 0 tells that they begin at 0, and a corner beyond the photo that they begin at 1; where
    neither is there, half a pixel is taken off, so that a box is at most half a pixel wrong.

    Args:
        images, others: files below `root`, as `utils.data.files.walk` gives them.
    """
    files, problems, broken = [], [], {}
    places = Places(images, endings=False)
    for path in (each for each in others if each.endswith(".xml") and is_voc(os.path.join(root, each))):
        try:
            file = content_of(path, parsed(os.path.join(root, path)))
        except Damaged as error:
            file, broken[path] = File(path, "", "", (), []), str(error)
        files.append(file)
    names = sorted({name for file in files for name, _, _ in file.objects})
    offset, said = offset_of(files)
    claims = []
    for file in files:
        there, sure = photos_of(file, places)
        if len(there) == 1:
            boxes = (partial(fail, f"{file.path}: {broken[file.path]}") if file.path in broken
                     else partial(things, file, names, offset))
            claims.append(Claim(there[0], sure, file.path, file.path, boxes))
        elif there:
            problems.append(f"{file.path}: several photos have this name, and their folders agree equally with its: "
                            f"{several(there)}, expected one: put the file beside its photo")
        else:
            problems.append(f"{file.path}: there is no photo of this name, expected {file.photo or 'one'} below "
                            f"{root}: put it there, or remove the file")
    owners, twice = settled(claims)
    return Annotations(names, {photo: each[0].content for photo, each in owners.items()}, [*problems, *twice], said,
                       by_photo(listed(root, places, others)), "the lists of ImageSets/Main")


def listed(root: str, places: Places, others: Sequence[str]) -> list[tuple[str, str]]:
    """Pairs of a word for a part and a photo, from the lists of names without endings in ImageSets/Main."""
    made = []
    for path in others:
        *above, sets, main, file = ["", "", *path.split(os.sep)]
        word, ending = os.path.splitext(file)
        if (sets, main, ending) != ("ImageSets", "Main", ".txt") or word not in WORDS:
            continue
        begin = os.path.join(*above, "")
        with reading(os.path.join(root, path), "a list of photos"):
            with open(os.path.join(root, path), encoding="utf-8-sig") as rows:
                names = [row.strip().strip('"') for row in rows if row.strip()]
        for name in names:
            there = [photo for photo in places.ends.get(name, []) if photo.startswith(begin)]
            made += [(word, there[0])] if len(there) == 1 else []
    return made


def fail(text: str, size: tuple[int, int]) -> list[Thing]:
    """Raises what is wrong with a file."""
    raise Damaged(text)


def content_of(path: str, tree: ElementTree.Element) -> File:
    """What is needed of an XML file; Damaged where an object lacks its name or its corners."""
    size = tree.find("size")
    sides = tuple(size.findtext(side) for side in ("width", "height")) if size is not None else ()
    objects = []
    for number, each in enumerate(tree.findall("object"), start=1):
        name, box = (each.findtext("name") or "").strip(), each.find("bndbox")
        corners = [box.findtext(corner) if box is not None else None for corner in CORNERS]
        if not name or None in corners:
            raise Damaged(f"object {number} has no {'name' if not name else 'bndbox with ' + ', '.join(CORNERS)}, "
                          "expected both: draw it again")
        objects.append((name, [text.strip() for text in corners], (each.findtext("difficult") or "").strip() == "1"))
    folder, photo = ((tree.findtext(tag) or "").strip() for tag in ("folder", "filename"))
    return File(path, folder, photo, sides, objects)


def photos_of(file: File, places: Places) -> tuple[list[str], tuple]:
    """The photos that an XML file may be about, and how well their folders agree with its own: those of its own name,
    or of the name that it tells, whose folders agree best. One is meant; several are a doubt."""
    for name in (os.path.basename(file.path), file.photo.replace("\\", "/").rsplit("/", 1)[-1]):
        found = places.ends.get(os.path.splitext(name)[0], []) if name else []
        if found:
            agreed = {photo: (*agreement(file.path, file.folder, photo), file.photo == os.path.basename(photo))
                      for photo in found}
            best = max(agreed.values())
            return [photo for photo in found if agreed[photo] == best], best
    return [], ()


def offset_of(files: Sequence[File]) -> tuple[float, str]:
    """How many pixels the corners count too much, and where that is known from, in words."""
    corners = [(text, side) for file in files for _, texts, _ in file.objects
               for text, side in zip(texts, (*file.size, *file.size) if len(file.size) == 2 else (None,) * 4)]
    whole = [(int(text), side) for text, side in corners if text.lstrip("-").isdecimal()]
    if len(whole) < len(corners) or not corners:
        return 0.0, "corners from 0 on, because some are decimals"
    if any(value == 0 for value, _ in whole):
        return 0.0, "corners from 0 on, because some are 0"
    if any(side and side.strip().isdecimal() and value > int(side) for value, side in whole):
        return 1.0, "corners from 1 on, because some lie one pixel beyond the photo"
    return 0.5, "corners from 0 or from 1 on: whole numbers do not tell, so half a pixel is taken off"


def things(file: File, names: list[str], offset: float, size: tuple[int, int]) -> list[Thing]:
    """The boxes of a file, for its photo of (width, height); what is difficult counts neither way."""
    try:
        if len(file.size) == 2:
            check_size(file.size, size)
        return [Thing([number_of(text, "a corner") - offset for text in corners], names.index(name), difficult)
                for name, corners, difficult in file.objects]
    except Damaged as error:
        raise Damaged(f"{file.path}: {error}") from None
